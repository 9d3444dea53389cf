"""3, 4, 8 and 11: what the head of a frame may not say: reserved bits, reserved opcodes, lengths, and no mask."""

from collections.abc import Iterator

from .frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    binary,
    close,
    ping,
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

KINDS = [
    ("text", TEXT, b"ping"),
    ("binary message", BINARY, b"ping"),
    ("ping", PING, b"ping"),
    ("pong", PONG, b"ping"),
    ("close", CLOSE, b"\x03\xe8"),
]


def cases(limit: int) -> Iterator[Case]:
    yield from reserved_bits()
    yield from reserved_opcodes()
    yield from lengths(limit)
    yield from masks()


def reserved_bits() -> Iterator[Case]:
    for turn, (kind, opcode, payload) in enumerate(KINDS, 1):
        for rsv in range(1, 8):
            bits = f"{rsv:03b}"
            frame = raw(opcode, payload, rsv=rsv)
            name = f"3.{turn}.{rsv}"
            yield case(name, f"reserved bits {bits} on a {kind}", send(frame), hear_close(1002))
    good = text("ping")
    for rsv in range(1, 8):
        bits = f"{rsv:03b}"
        bad = raw(TEXT, b"ping", rsv=rsv)
        yield case(
            f"3.6.{rsv}",
            f"reserved bits {bits} after a good message, with a ping behind it that is not answered",
            send(good, bad, ping()),
            hear_pong(),
            hear_close(1002),
        )
        yield case(
            f"3.7.{rsv}",
            f"the same with bits {bits} in writes of 1",
            send(good, bad, ping(), chop=1),
            hear_pong(),
            hear_close(1002),
        )
        yield case(
            f"3.8.{rsv}",
            f"reserved bits {bits} on a continuation",
            send(raw(TEXT, b"pi", fin=False), raw(CONTINUATION, b"ng", rsv=rsv)),
            hear_close(1002),
        )
    yield case("3.9.1", "a reserved bit is refused by the first byte", send(b"\xc1"), hear_close(1002))


def reserved_opcodes() -> Iterator[Case]:
    for group, opcodes in [(1, range(3, 8)), (2, range(11, 16))]:
        for turn, opcode in enumerate(opcodes):
            name = f"4.{group}.{turn * 4 + 1}"
            yield case(name, f"opcode {opcode}, empty", send(raw(opcode)), hear_close(1002))
            name = f"4.{group}.{turn * 4 + 2}"
            frame = raw(opcode, b"ping")
            yield case(name, f"opcode {opcode} with payload", send(frame), hear_close(1002))
            good = text("ping")
            for further, chop in [(3, None), (4, 1)]:
                yield case(
                    f"4.{group}.{turn * 4 + further}",
                    f"opcode {opcode} after a good message, with a ping behind it that is not answered"
                    + (", in writes of 1" if chop else ""),
                    send(good, frame, ping(), chop=chop),
                    hear_pong(),
                    hear_close(1002),
                )
    yield case("4.3.1", "a reserved opcode is refused by the first byte", send(b"\x83"), hear_close(1002))


def lengths(limit: int) -> Iterator[Case]:
    """A length takes the fewest bytes that hold it, and its top bit is zero."""
    number = 0
    for kind, opcode in [("text", TEXT), ("binary message", BINARY)]:
        for length, width in [(0, 16), (125, 16), (0, 64), (125, 64), (126, 64), (65535, 64)]:
            number += 1
            yield case(
                f"8.1.{number}",
                f"a {kind} whose length of {length} takes {width} bits",
                send(raw(opcode, b" " * length, width=width)),
                hear_close(1002),
            )
    for turn, (kind, opcode, payload) in enumerate(KINDS[2:], 1):
        for further, width in [(0, 16), (3, 64)]:
            yield case(
                f"8.2.{turn + further}",
                f"a {kind} whose length of {len(payload)} takes {width} bits",
                send(raw(opcode, payload, width=width)),
                hear_close(1002),
            )
    for turn, length in enumerate([1 << 63, (1 << 63) + 5, (1 << 64) - 1], 1):
        yield case(
            f"8.3.{turn}",
            f"a length of {length:#x}, whose top bit is set",
            send(raw(TEXT, declared=length)),
            hear_close(1002),
        )


def masks() -> Iterator[Case]:
    for turn, (kind, opcode, payload) in enumerate(KINDS, 1):
        yield case(
            f"11.1.{turn}",
            f"a {kind} without a mask",
            send(raw(opcode, payload, mask=None)),
            hear_close(1002),
        )
    yield case("11.1.6", "an empty text without a mask", send(b"\x81\x00"), hear_close(1002))
    yield case(
        "11.1.7",
        "a frame without a mask after a good message, with a ping behind it that is not answered",
        send(text("ping"), raw(TEXT, b"ping", mask=None), ping()),
        hear_pong(),
        hear_close(1002),
    )
    yield case(
        "11.1.8",
        "a continuation without a mask",
        send(raw(TEXT, b"pi", fin=False), raw(CONTINUATION, b"ng", mask=None)),
        hear_close(1002),
    )
    for turn, mask in enumerate(
        [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01\x02\x03\x04", b"\x00\x00\x00\x80", b"ping"], 1
    ):
        message, value = call_of(1000)
        frame = raw(TEXT, message.encode(), mask=mask)
        pinged = raw(PING, b"payload", mask=mask)
        yield case(
            f"11.2.{turn}",
            f"the mask {mask.hex()}",
            send(frame),
            hear_echo(value),
            send(frame, chop=3),
            hear_echo(value),
            send(pinged, chop=3),
            ponged(b"payload"),
        )
    yield case(
        "11.2.6",
        "an empty text with a mask is still empty",
        send(raw(TEXT, mask=b"ping")),
        hear_not_json(),
    )
    yield case(
        "11.2.7",
        "every frame of a message has its own mask",
        send(
            raw(TEXT, b"p", fin=False, mask=b"\x11\x22\x33\x44"),
            raw(CONTINUATION, b"in", fin=False, mask=b"\x00\x00\x00\x00"),
            raw(CONTINUATION, b"g", mask=b"\xaa\xbb\xcc\xdd"),
        ),
        hear_pong(),
    )
    # That the gateway masks nothing is checked in every case, by wsproto; here it has one of each kind to judge.
    message, value = call_of(70000)
    yield case(
        "11.3.1",
        "the gateway masks nothing, of any kind and size",
        send(text("ping"), ping(b"payload"), binary(b"\x00"), text(message)),
        hear_pong(),
        ponged(b"payload"),
        hear_echo(value),
        alive(),
        send(close(1000)),
        hear_close(1000),
    )
