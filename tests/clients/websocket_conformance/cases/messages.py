"""1: whole messages of every size at which the head of a frame changes."""

from collections.abc import Iterator

from .frames import binary, text
from .steps import (
    Case,
    alive,
    call,
    call_of,
    case,
    hear_echo,
    hear_not_json,
    hear_pong,
    send,
)

# Where the length of a frame takes another form.
EDGES = [125, 126, 127, 128, 65535, 65536]


def cases(_limit: int) -> Iterator[Case]:
    yield case("1.1.1", "an empty text", send(text("")), hear_not_json())
    yield case("1.1.2", "a text of 1 byte", send(text("x")), hear_not_json())
    for turn, size in enumerate(EDGES, 3):
        message, value = call_of(size)
        yield case(f"1.1.{turn}", f"a text of {size} bytes", send(text(message)), hear_echo(value))

    for turn, size in enumerate([0, 1, *EDGES], 1):
        title = f"a binary message of {size} bytes, which is ignored"
        yield case(f"1.2.{turn}", title, send(binary(b"\xfe" * size)), alive())

    for turn, (size, chop) in enumerate(
        [(125, 1), (126, 1), (128, 1), (65536, 1), (65536, 997), (65536, 4096)], 1
    ):
        message, value = call_of(size)
        yield case(
            f"1.3.{turn}",
            f"a text of {size} bytes in writes of {chop}",
            send(text(message), chop=chop),
            hear_echo(value),
        )
    yield case("1.3.7", "an empty text in writes of 1", send(text(""), chop=1), hear_not_json())
    yield case("1.3.8", "a binary message in writes of 1", send(binary(b"\xff" * 1000), chop=1), alive())

    several = [text("ping"), binary(b"\x00\x01"), text(""), text("ping"), text("x")]
    several_answers = [hear_pong(), hear_not_json(), hear_pong(), hear_not_json()]
    yield case("1.4.1", "several messages in one write", send(*several), *several_answers)
    yield case("1.4.2", "the same in writes of 1", send(*several, chop=1), *several_answers)
    yield case("1.4.3", "the same in writes of 7", send(*several, chop=7), *several_answers)

    for turn, size in enumerate([0, 16, 1024, 16384], 1):
        yield case(f"1.5.{turn}", f"300 calls of {size} bytes one after the other", *rallies(size))
    yield case(
        "1.5.5",
        "1000 messages in one write",
        send(text("ping") * 1000),
        *[hear_pong()] * 1000,
    )


def rallies(size: int) -> Iterator:
    """Each call waits for the answer to the one before."""
    for turn in range(300):
        value = str(turn) + "·" * (size // 2)
        yield send(text(call(value, turn)))
        yield hear_echo(value, turn)
