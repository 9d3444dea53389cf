"""9: large messages, and those that are too large: they are refused by what is declared, before it is sent."""

from collections.abc import Iterator

from .frames import BINARY, CONTINUATION, TEXT, binary, fragments, ping, raw, text
from .peer import Peer
from .steps import (
    Case,
    Step,
    alive,
    call_of,
    case,
    hear_close,
    hear_echo,
    hear_not_json,
    ponged,
    send,
)

KIB, MIB = 1024, 1024 * 1024


def cases(limit: int) -> Iterator[Case]:
    yield from allowed(limit)
    yield from too_large(limit)


def allowed(limit: int) -> Iterator[Case]:
    sizes = [size for size in [64 * KIB, 256 * KIB, MIB] if size < limit] + [limit - 1, limit]
    for turn, size in enumerate(sizes, 1):
        yield case(f"9.1.{turn}", f"a text of {size} bytes", echoed(size))
        title = f"a binary message of {size} bytes"
        yield case(f"9.2.{turn}", title, send(lambda size=size: binary(bytes(size))), alive())

    whole = min(limit, 2 * MIB)
    for turn, piece in enumerate([64, 256, KIB, 4 * KIB, 64 * KIB, 256 * KIB, MIB, whole], 1):
        title = f"a text of {whole} bytes in fragments of {piece}"
        yield case(f"9.3.{turn}", title, echoed(whole, piece))
        title = f"a binary message of {whole} bytes in fragments of {piece}"
        yield case(
            f"9.4.{turn}",
            title,
            send(lambda piece=piece: b"".join(fragments(b"\xff" * whole, piece))),
            alive(),
        )
    part = min(limit, MIB)
    for turn, chop in enumerate([64, 256, KIB, 2 * KIB], 1):
        yield case(f"9.5.{turn}", f"a text of {part} bytes in writes of {chop}", echoed(part, chop=chop))
        title = f"a binary message of {part} bytes in writes of {chop}"
        data = send(lambda: binary(bytes(part)), chop=chop)
        yield case(f"9.6.{turn}", title, data, alive())
    yield case(
        "9.7.1",
        "the limit is on each message, not on all of them",
        *[step for _ in range(4) for step in (send(lambda: binary(bytes(limit))), alive())],
        *[step for _ in range(2) for step in (send(lambda: text("x" * limit)), hear_not_json())],
    )
    yield case(
        "9.7.2",
        "pings do not count as part of the message around them",
        send(raw(TEXT, b"x" * 10, fin=False)),
        send(*[ping(b"y" * 125)] * 50),
        *[ponged(b"y" * 125)] * 50,
        send(lambda: raw(CONTINUATION, b"x" * (limit - 10))),
        hear_not_json(),
    )


def too_large(limit: int) -> Iterator[Case]:
    number = 0
    for kind, opcode in [("text", TEXT), ("binary message", BINARY)]:
        for length in [limit + 1, 2 * limit, 1 << 30, 1 << 32, 1 << 62, (1 << 63) - 1]:
            for fin in [True, False]:
                number += 1
                part = "a" if fin else "the first fragment of a"
                yield case(
                    f"9.8.{number}",
                    f"{part} {kind} that claims {length} bytes is refused before any of them",
                    send(raw(opcode, declared=length, fin=fin)),
                    hear_close(1009),
                )

    number = 0
    for kind, opcode in [("text", TEXT), ("binary message", BINARY)]:
        for before, claim in [(1, limit), (limit, 1), (limit // 2, limit // 2 + 1), (10, 1 << 62)]:
            number += 1
            yield case(
                f"9.9.{number}",
                f"a {kind} with {before} bytes and a fragment that claims {claim} more",
                send(
                    lambda opcode=opcode, before=before: raw(opcode, b"x" * before, fin=False),
                    raw(CONTINUATION, declared=claim, fin=False),
                ),
                hear_close(1009),
            )
        number += 1
        yield case(
            f"9.9.{number}",
            f"a {kind} that grows beyond the limit in fragments of {KIB}",
            send(
                lambda opcode=opcode: (
                    raw(opcode, b"x" * KIB, fin=False)
                    + raw(CONTINUATION, b"x" * KIB, fin=False) * (limit // KIB)
                )
            ),
            hear_close(1009),
        )
    yield case(
        "9.10.1",
        "who sends a message that is too large all the same still reads why it ended",
        send(lambda: binary(bytes(2 * limit))),
        hear_close(1009),
    )
    yield case(
        "9.10.2",
        "an empty fragment still fits when the message has all that it may",
        send(lambda: raw(TEXT, b"x" * limit, fin=False) + raw(CONTINUATION)),
        hear_not_json(),
    )


def echoed(size: int, piece: int | None = None, chop: int | None = None) -> Step:
    """A call of this size, in fragments or writes of so many bytes, and its answer."""

    def step(peer: Peer) -> None:
        message, value = call_of(size)
        data = b"".join(fragments(message, piece)) if piece else text(message)
        peer.send(data, chop)
        hear_echo(value)(peer)

    return step
