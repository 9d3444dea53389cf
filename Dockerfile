# An image with the gateway and nothing else: no shell, no package manager, a user without rights.
#
#     docker build -t riser .
#
# The binary is linked with all of glibc, whose allocator keeps its speed with many threads; that of musl does not.

FROM rust:1.95-slim AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates gcc libc6-dev
WORKDIR /riser
COPY . .
# The target is named so that the flag is for the program alone: procedural macros cannot be linked like this.
ENV RUSTFLAGS="-C target-feature=+crt-static"
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/riser/target \
    target="$(uname -m)-unknown-linux-gnu" \
    && cargo build --profile dist --locked --package riser --target "$target" \
    && sh packaging/container/root "target/$target/dist/riser" /root-of-image

FROM scratch
COPY --from=build /root-of-image/ /
USER 65532:65532
WORKDIR /data
# Clients come from outside of the container.
ENV RISER_LISTEN=0.0.0.0:3000 RISER_DATA=/data
EXPOSE 3000
VOLUME /data
STOPSIGNAL SIGTERM
# It asks 127.0.0.1:3000; give RISER_URL where it listens elsewhere.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["/usr/bin/riser", "healthy"]
ENTRYPOINT ["/usr/bin/riser"]
CMD ["serve"]
