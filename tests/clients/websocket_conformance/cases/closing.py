"""7: the closing handshake."""

import struct
from collections.abc import Iterator

from .frames import CLOSE, CONTINUATION, TEXT, binary, close, ping, pong, raw, text
from .steps import (
    NO_CODE,
    Case,
    alive,
    call_of,
    case,
    goodbye,
    hear_close,
    hear_echo,
    hear_end,
    hear_pong,
    ponged,
    send,
    send_end,
)

# RFC 6455 section 7.4, and two that were registered since.
VALID_CODES = [
    *[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011],
    *[1012, 1013],
    *[3000, 3999, 4000, 4999],
]

# Reserved for use inside an endpoint, unknown, or outside every range.
INVALID_CODES = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]


def cases(_limit: int) -> Iterator[Case]:
    yield from order()
    yield from payloads()
    for turn, code in enumerate(VALID_CODES, 1):
        yield case(f"7.7.{turn}", f"the code {code} comes back", goodbye(code))
        frame = close(code, "so long")
        title = f"the code {code} comes back from a frame with a reason"
        yield case(f"7.8.{turn}", title, send(frame), hear_close(code))
    for turn, code in enumerate(INVALID_CODES, 1):
        bare, reasoned = struct.pack("!H", code), struct.pack("!H", code) + b"so long"
        title = f"the code {code}, which may not be sent"
        yield case(f"7.9.{turn}", title, send(raw(CLOSE, bare)), hear_close(1002))
        title = f"the code {code}, which may not be sent, with a reason"
        yield case(f"7.10.{turn}", title, send(raw(CLOSE, reasoned)), hear_close(1002))
    yield from ends()


def order() -> Iterator[Case]:
    """What comes after a close frame counts for nothing."""
    message, value = call_of(200)
    answered = send(text(message)), hear_echo(value)
    yield case("7.1.1", "a message, its answer, a close", *answered, goodbye())
    yield case("7.1.2", "two closes, one answer", send(close(1000), close(1001)), hear_close(1000))
    yield case("7.1.3", "a ping after a close", send(close(1000), ping(b"a")), hear_close(1000))
    yield case("7.1.4", "a text after a close", send(close(1000), text("ping")), hear_close(1000))
    yield case(
        "7.1.5",
        "a broken frame after a close",
        send(close(1000), raw(TEXT, b"ping", rsv=7, mask=None)),
        hear_close(1000),
    )
    yield case(
        "7.1.6",
        "the rest of a message after a close",
        send(raw(TEXT, b"pi", fin=False), close(1000), raw(CONTINUATION, b"ng")),
        hear_close(1000),
    )
    yield case(
        "7.1.7",
        "everything before a close is answered first",
        send(text("ping"), ping(b"a"), text("ping"), pong(b"b"), close(1000)),
        hear_pong(),
        ponged(b"a"),
        hear_pong(),
        hear_close(1000),
    )
    yield case(
        "7.1.8",
        "the same in writes of 1",
        send(text("ping"), ping(b"a"), close(1000), ping(b"b"), chop=1),
        hear_pong(),
        ponged(b"a"),
        hear_close(1000),
    )
    yield case(
        "7.1.9",
        "1 MiB after a close does not destroy the answer",
        send(close(1000), lambda: binary(bytes(1 << 20))),
        hear_close(1000),
    )


def payloads() -> Iterator[Case]:
    yield case("7.3.1", "a close without a code", send(close()), hear_close(NO_CODE))
    yield case("7.3.2", "a close with half a code", send(raw(CLOSE, b"\x03")), hear_close(1002))
    yield case("7.3.3", "a close with a code", send(close(1000)), hear_close(1000))
    yield case("7.3.4", "a close with a reason", send(close(1000, "Größe")), hear_close(1000))
    longest = raw(CLOSE, b"\x03\xe8" + b"x" * 123)
    yield case("7.3.5", "a close with a reason of 123 bytes", send(longest), hear_close(1000))
    too_long = raw(CLOSE, b"\x03\xe8" + b"x" * 124)
    yield case("7.3.6", "a close with a reason of 124 bytes", send(too_long), hear_close(1002))
    yield case("7.3.7", "a close in writes of 1", send(longest, chop=1), hear_close(1000))
    yield case("7.3.8", "an empty close in writes of 1", send(close(), chop=1), hear_close(NO_CODE))
    for turn, (title, reason) in enumerate(
        [
            ("a bad byte", b"so \xff long"),
            ("a surrogate", b"\xed\xa0\x80"),
            ("an overlong character", b"\xc0\xaf"),
            ("a character cut short", b"Gr\xc3"),
        ],
        1,
    ):
        frame = raw(CLOSE, b"\x03\xe8" + reason)
        yield case(f"7.5.{turn}", f"{title} in the reason", send(frame), hear_close(1007))


def ends() -> Iterator[Case]:
    yield case("7.11.1", "the client ends the stream without a close", send_end(), hear_end())
    yield case(
        "7.11.2",
        "the client ends the stream after a message",
        alive(),
        send_end(),
        hear_end(),
    )
    yield case(
        "7.11.3",
        "the client ends the stream inside a frame",
        send(text("ping")[:4]),
        send_end(),
        hear_end(),
    )
    yield case(
        "7.11.4",
        "the client ends the stream behind its close",
        send(close(1000)),
        send_end(),
        hear_close(1000),
    )
    yield case(
        "7.11.5",
        "the client ends the stream behind a broken frame",
        send(raw(TEXT, b"x", rsv=1)),
        send_end(),
        hear_close(1002),
    )
