"""2: pings and pongs."""

from collections.abc import Iterator

from .frames import PING, ping, pong, raw, text
from .steps import Case, alive, case, hear_close, hear_pong, ponged, send

# No text in any encoding.
ODD = bytes([0x00, 0xFF, 0xFE, 0xFD, 0xFC, 0xFB, 0x00, 0xFF])


def cases(_limit: int) -> Iterator[Case]:
    longest = bytes(range(125))
    yield case("2.1", "an empty ping", send(ping()), ponged())
    yield case("2.2", "a ping with text", send(ping(b"are you there")), ponged(b"are you there"))
    yield case("2.3", "a ping with bytes that are no text", send(ping(ODD)), ponged(ODD))
    yield case("2.4", "a ping with 125 bytes", send(ping(longest)), ponged(longest))
    too_long = raw(PING, bytes(126))
    yield case("2.5", "a ping with 126 bytes", send(too_long), hear_close(1002))
    yield case("2.6", "a ping in writes of 1", send(ping(longest), chop=1), ponged(longest))
    yield case("2.7", "an empty pong that nobody asked for", send(pong()), alive())
    yield case("2.8", "a pong with payload that nobody asked for", send(pong(ODD)), alive())
    yield case(
        "2.9",
        "a pong that nobody asked for, then a ping",
        send(pong(b"mine"), ping(b"yours")),
        ponged(b"yours"),
    )

    ten = [b"ping %d" % turn for turn in range(10)]
    answers = [ponged(payload) for payload in ten]
    ten_frames = [ping(payload) for payload in ten]
    yield case("2.10", "10 pings in one write", send(*ten_frames), *answers)
    yield case("2.11", "10 pings in writes of 1", send(*ten_frames, chop=1), *answers)
    yield case(
        "2.12",
        "pings between messages are answered in their place",
        send(text("ping"), ping(b"a"), text("ping"), ping(b"b")),
        hear_pong(),
        ponged(b"a"),
        hear_pong(),
        ponged(b"b"),
    )
    declared = raw(PING, declared=126)
    yield case(
        "2.13",
        "a ping that is too long is refused by its declared length",
        send(declared),
        hear_close(1002),
    )
    head = raw(PING, declared=126)[:2]
    yield case("2.14", "and by the first two bytes", send(head), hear_close(1002))
    too_long_pong = raw(0xA, bytes(126))
    yield case("2.15", "a pong with 126 bytes", send(too_long_pong), hear_close(1002))
    yield case(
        "2.16",
        "300 pings in one write",
        send(*[ping(b"%d" % turn) for turn in range(300)]),
        *[ponged(b"%d" % turn) for turn in range(300)],
    )
