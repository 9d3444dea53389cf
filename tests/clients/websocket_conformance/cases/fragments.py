"""5 and 10: messages in fragments, and control frames between them."""

from collections.abc import Iterator

from .frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    close,
    fragments,
    ping,
    pong,
    raw,
    text,
)
from .steps import (
    Case,
    alive,
    call_of,
    case,
    hear_close,
    hear_echo,
    hear_not_json,
    hear_pong,
    ponged,
    send,
)


def cases(_limit: int) -> Iterator[Case]:
    yield from good()
    yield from control_between()
    yield from out_of_turn()
    yield from fragmented_control()
    yield from automatic()


def good() -> Iterator[Case]:
    message, value = call_of(400)
    for turn, (size, chop) in enumerate(
        [(399, None), (200, None), (7, None), (1, None), (200, 1), (7, 1), (1, 1), (1, 5)], 1
    ):
        title = f"a text in fragments of {size}" + (f" in writes of {chop}" if chop else "")
        frames = fragments(message, size)
        yield case(f"5.1.{turn}", title, send(*frames, chop=chop), hear_echo(value))
    one_by_one = [send(frame) for frame in fragments(message, 50)]
    yield case("5.1.9", "a text in fragments, a write for each", *one_by_one, hear_echo(value))

    empty = raw(TEXT, fin=False), raw(CONTINUATION, fin=False), raw(CONTINUATION)
    yield case("5.2.1", "three empty fragments", send(*empty), hear_not_json())
    around = raw(TEXT, fin=False), raw(CONTINUATION, b"ping", fin=False), raw(CONTINUATION)
    yield case("5.2.2", "only the middle fragment has content", send(*around), hear_pong())
    last = raw(TEXT, fin=False), raw(CONTINUATION, b"ping")
    yield case("5.2.3", "only the last fragment has content", send(*last), hear_pong())
    first = raw(TEXT, b"ping", fin=False), raw(CONTINUATION)
    yield case("5.2.4", "only the first fragment has content", send(*first), hear_pong())
    yield case("5.2.5", "the same in writes of 1", send(*first, chop=1), hear_pong())

    many = fragments("x" * 10_000, 1)
    yield case("5.3.1", "a text in 10000 fragments", send(*many), hear_not_json())
    padded = "ping" + " " * 10_000
    chopped = send(*fragments(padded, 1), chop=3)
    yield case("5.3.2", "the same in writes of 3", chopped, hear_pong())
    data = fragments(b"\xff" * 10_000, 1)
    yield case("5.3.3", "a binary message in 10000 fragments", send(*data), alive())
    two = [*fragments("ping", 2), *fragments("ping", 1)]
    yield case("5.3.4", "two fragmented texts in one write", send(*two), hear_pong(), hear_pong())


def control_between() -> Iterator[Case]:
    start, middle, last = (
        raw(TEXT, b"p", fin=False),
        raw(CONTINUATION, b"in", fin=False),
        raw(CONTINUATION, b"g"),
    )
    for turn, chop in enumerate([None, 1], 1):
        how = " in writes of 1" if chop else ""
        yield case(
            f"5.4.{turn}",
            f"a ping between fragments{how} is answered before the message",
            send(start, ping(b"a"), middle, ping(b"b"), last, chop=chop),
            ponged(b"a"),
            ponged(b"b"),
            hear_pong(),
        )
    yield case(
        "5.4.3",
        "a ping between fragments is answered at once",
        send(start, ping(b"a")),
        ponged(b"a"),
        send(middle, ping(b"b")),
        ponged(b"b"),
        send(last),
        hear_pong(),
    )
    yield case(
        "5.4.4",
        "a ping of 125 bytes between fragments",
        send(start, ping(b"a" * 125), middle, last),
        ponged(b"a" * 125),
        hear_pong(),
    )
    yield case(
        "5.4.5",
        "a pong between fragments that nobody asked for",
        send(start, pong(b"a"), middle, last),
        hear_pong(),
    )
    data = fragments(b"\x00\xff" * 10, 5)
    between = [frame for part in data for frame in (part, ping(b"a"))]
    yield case(
        "5.4.6",
        "pings between the fragments of a binary message",
        send(*between),
        *[ponged(b"a")] * len(data),
        alive(),
    )
    message, value = call_of(200)
    parts = fragments(message, 1)
    woven = [frame for part in parts for frame in (part, ping(b"a"))][:-1]
    yield case(
        "5.4.7",
        "a ping between all of 200 fragments",
        send(*woven),
        *[ponged(b"a")] * (len(parts) - 1),
        hear_echo(value),
    )
    pinged = ping(b"abcdef")
    yield case(
        "5.4.8",
        "a ping and its payload split over writes between fragments",
        send(start, pinged[:9]),
        send(pinged[9:], middle, last),
        ponged(b"abcdef"),
        hear_pong(),
    )
    yield case(
        "5.4.9",
        "a close between fragments ends the connection",
        send(start, close(1000), last),
        hear_close(1000),
    )


def out_of_turn() -> Iterator[Case]:
    number = 0

    def refused(title: str, *frames: bytes, answers: tuple = ()) -> Iterator[Case]:
        for chop in [None, 1]:
            nonlocal number
            number += 1
            how = ", in writes of 1" if chop else ""
            steps = (send(*frames, chop=chop), *answers, hear_close(1002))
            yield case(f"5.5.{number}", title + how, *steps)

    lone_last, lone_first = raw(CONTINUATION, b"ping"), raw(CONTINUATION, b"ping", fin=False)
    yield from refused("a last continuation of nothing", lone_last)
    yield from refused("a continuation of nothing that is not the last", lone_first)
    yield from refused("an empty continuation of nothing", raw(CONTINUATION))
    yield from refused("a continuation of a whole message", text("ping"), lone_last, answers=(hear_pong(),))
    yield from refused(
        "a continuation of a finished message",
        *fragments("ping", 2),
        lone_first,
        text("ping"),
        answers=(hear_pong(),),
    )
    yield from refused("a continuation after a ping", ping(b"a"), lone_last, answers=(ponged(b"a"),))
    start = raw(TEXT, b"pi", fin=False)
    yield from refused("a whole text inside a text", start, text("ping"))
    yield from refused("the start of a text inside a text", start, start)
    yield from refused("a binary message inside a text", start, raw(BINARY, b"x"))
    yield from refused("the start of a binary message inside a text", start, raw(BINARY, b"x", fin=False))
    binary_start = raw(BINARY, b"x", fin=False)
    yield from refused("a text inside a binary message", binary_start, text("ping"))
    yield from refused("a binary message inside a binary message", binary_start, raw(BINARY, b"x"))
    yield from refused(
        "a text inside a text, after a ping",
        start,
        ping(b"a"),
        text("ping"),
        answers=(ponged(b"a"),),
    )


def fragmented_control() -> Iterator[Case]:
    number = 0
    for kind, opcode, payload in [
        ("ping", PING, b"a"),
        ("pong", PONG, b"a"),
        ("close", CLOSE, b"\x03\xe8"),
    ]:
        first = raw(opcode, payload, fin=False)
        rest = raw(CONTINUATION, b"b")
        for title, frames in [
            (f"a {kind} in two fragments", [first, rest]),
            (f"the first fragment of a {kind} alone", [first]),
            (f"an empty first fragment of a {kind}", [raw(opcode, fin=False)]),
            (f"the first fragment of a {kind} inside a text", [raw(TEXT, b"pi", fin=False), first]),
        ]:
            number += 1
            yield case(f"5.6.{number}", title, send(*frames), hear_close(1002))


def automatic() -> Iterator[Case]:
    """As a client does that cuts every message into frames of one size."""
    for turn, (size, piece) in enumerate(
        [(65536, 1300), (65536, 65535), (65536, 65536), (65537, 65536), (1301, 1300), (1300, 1300)],
        1,
    ):
        message, value = call_of(size)
        yield case(
            f"10.1.{turn}",
            f"a text of {size} bytes in fragments of {piece}",
            send(*fragments(message, piece)),
            hear_echo(value),
        )
    message, value = call_of(65536)
    parts = fragments(message, 1300)
    woven = [frame for part in parts for frame in (part, ping(b"a"))][:-1]
    yield case(
        "10.1.7",
        "a text of 65536 bytes in fragments of 1300, with pings between them",
        send(*woven),
        *[ponged(b"a")] * (len(parts) - 1),
        hear_echo(value),
    )
    yield case(
        "10.1.8",
        "the same in writes of 1301",
        send(*woven, chop=1301),
        *[ponged(b"a")] * (len(parts) - 1),
        hear_echo(value),
    )
