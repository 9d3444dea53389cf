"""6: text is UTF-8, and what is not is refused as soon as it shows, with 1007."""

from collections.abc import Iterator
from dataclasses import dataclass

from .frames import CONTINUATION, TEXT, binary, ping, raw, raw_fragments, text
from .steps import (
    Case,
    alive,
    call,
    case,
    hear_close,
    hear_echo,
    hear_not_json,
    hear_pong,
    ponged,
    send,
)

# Every length of a character, at both ends of what may stand there.
VALID = [
    ("ASCII", "Board Room 4"),
    ("the last of one byte, U+007F", "\x7f"),
    ("the first of two bytes, U+0080", "\u0080"),
    ("the last of two bytes, U+07FF", "\u07ff"),
    ("the first of three bytes, U+0800", "\u0800"),
    ("the last before the surrogates, U+D7FF", "\ud7ff"),
    ("the first after the surrogates, U+E000", "\ue000"),
    ("the replacement character, U+FFFD", "\ufffd"),
    ("a non-character, U+FFFE", "\ufffe"),
    ("the last of three bytes, U+FFFF", "\uffff"),
    ("the first of four bytes, U+10000", "\U00010000"),
    ("a non-character of four bytes, U+1FFFE", "\U0001fffe"),
    ("the last of all, U+10FFFF", "\U0010ffff"),
    ("a byte order mark, U+FEFF", "\ufeffx"),
    ("a letter with its accent apart", "e\u0301"),
    ("many lengths together", "Größe: 5 € – 会議室 🛗 ok"),
]


@dataclass(frozen=True)
class Invalid:
    title: str
    data: bytes
    # After how many bytes no byte can make it valid any more.
    fails_at: int


INVALID = [
    Invalid("a continuation byte alone", b"\x80", 1),
    Invalid("the last continuation byte alone", b"\xbf", 1),
    Invalid("two continuation bytes", b"\x80\xbf", 1),
    Invalid("a continuation byte too many", b"\xc3\xa4\x80", 3),
    Invalid("a start of two bytes before a blank", b"\xc3 ", 2),
    Invalid("a start of three bytes before a blank", b"\xe2\x82 ", 3),
    Invalid("a start of four bytes before a blank", b"\xf0\x9f\x9b ", 4),
    Invalid("a start before a start", b"\xe2\xe2\x82\xac", 2),
    Invalid("an overlong zero in two bytes", b"\xc0\x80", 1),
    Invalid("an overlong slash in two bytes", b"\xc0\xaf", 1),
    Invalid("the last overlong of two bytes", b"\xc1\xbf", 1),
    Invalid("an overlong slash in three bytes", b"\xe0\x80\xaf", 2),
    Invalid("the last overlong of three bytes", b"\xe0\x9f\xbf", 2),
    Invalid("an overlong slash in four bytes", b"\xf0\x80\x80\xaf", 2),
    Invalid("the last overlong of four bytes", b"\xf0\x8f\xbf\xbf", 2),
    Invalid("an overlong slash in five bytes", b"\xf8\x80\x80\x80\xaf", 1),
    Invalid("an overlong slash in six bytes", b"\xfc\x80\x80\x80\x80\xaf", 1),
    Invalid("the first surrogate, U+D800", b"\xed\xa0\x80", 2),
    Invalid("the last high surrogate, U+DBFF", b"\xed\xaf\xbf", 2),
    Invalid("the first low surrogate, U+DC00", b"\xed\xb0\x80", 2),
    Invalid("the last surrogate, U+DFFF", b"\xed\xbf\xbf", 2),
    Invalid("a pair of surrogates", b"\xed\xa0\x81\xed\xb0\x80", 2),
    Invalid("the first beyond all, U+110000", b"\xf4\x90\x80\x80", 2),
    Invalid("U+140000", b"\xf5\x80\x80\x80", 1),
    Invalid("the last that four bytes can hold", b"\xf7\xbf\xbf\xbf", 1),
    Invalid("the first of five bytes", b"\xf8\x88\x80\x80\x80", 1),
    Invalid("the first of six bytes", b"\xfc\x84\x80\x80\x80\x80", 1),
    Invalid("the byte FE", b"\xfe", 1),
    Invalid("the byte FF", b"\xff", 1),
    Invalid("a text in another encoding", b"Gr\xf6\xdfe", 4),
]

# Good so far, but the message must not end here.
TRUNCATED = [
    ("1 byte of 2", b"\xc3"),
    ("1 byte of 3", b"\xe2"),
    ("2 bytes of 3", b"\xe2\x82"),
    ("1 byte of 4", b"\xf0"),
    ("2 bytes of 4", b"\xf0\x9f"),
    ("3 bytes of 4", b"\xf0\x9f\x9b"),
    ("text and 1 byte of 2", b"Gr\xc3"),
]

# Stands before the bad bytes, so that they are not the first thing that is looked at.
BEFORE = "Größe ".encode()


def cases(_limit: int) -> Iterator[Case]:
    yield from valid()
    yield from split_characters()
    yield from invalid()
    yield from truncated()
    yield from elsewhere()


def valid() -> Iterator[Case]:
    for turn, (title, value) in enumerate(VALID, 1):
        message = call(value)
        data = message.encode()
        yield case(f"6.1.{turn}", title, send(text(message)), hear_echo(value))
        yield case(
            f"6.2.{turn}",
            f"{title}, in fragments of 1 byte",
            send(*raw_fragments(data, 1)),
            hear_echo(value),
        )
        yield case(
            f"6.3.{turn}",
            f"{title}, in writes of 1 byte",
            send(text(message), chop=1),
            hear_echo(value),
        )
    yield case("6.1.17", "the zero character is text", send(text("\0")), hear_not_json())
    yield case("6.1.18", "a text of nothing but U+10FFFF", send(text("\U0010ffff" * 99)), hear_not_json())


def split_characters() -> Iterator[Case]:
    """A character whose bytes come in two fragments, cut at each place, with and without a ping between them."""
    value = "€🛗ä"
    data = call(value).encode()
    start = data.index("€".encode())
    for turn, cut in enumerate(range(1, len(value.encode())), 1):
        first = raw(TEXT, data[: start + cut], fin=False)
        last = raw(CONTINUATION, data[start + cut :])
        title = f"characters cut after byte {cut} of {len(value.encode())}"
        yield case(f"6.4.{turn}", title, send(first, last), hear_echo(value))
        yield case(
            f"6.5.{turn}",
            f"{title}, with a ping at the cut",
            send(first, ping(b"\xff")),
            ponged(b"\xff"),
            send(last),
            hear_echo(value),
        )


def invalid() -> Iterator[Case]:
    for turn, bad in enumerate(INVALID, 1):
        data = BEFORE + bad.data
        shown = BEFORE + bad.data[: bad.fails_at]
        yield case(f"6.6.{turn}", bad.title, send(raw(TEXT, data)), hear_close(1007))
        yield case(
            f"6.7.{turn}",
            f"{bad.title}, with text behind it",
            send(raw(TEXT, data + b" and so on"), ping()),
            hear_close(1007),
        )
        yield case(
            f"6.8.{turn}",
            f"{bad.title}, in fragments of 1 byte",
            send(*raw_fragments(data, 1)),
            hear_close(1007),
        )
        yield case(
            f"6.9.{turn}",
            f"{bad.title}, before the message has ended",
            send(raw(TEXT, BEFORE, fin=False), raw(CONTINUATION, shown[len(BEFORE) :], fin=False)),
            hear_close(1007),
        )
        yield case(
            f"6.10.{turn}",
            f"{bad.title}, before the frame has ended",
            send(raw(TEXT, shown, declared=len(shown) + 100)),
            hear_close(1007),
        )


def truncated() -> Iterator[Case]:
    for turn, (title, data) in enumerate(TRUNCATED, 1):
        yield case(f"6.11.{turn}", f"a text that ends after {title}", send(raw(TEXT, data)), hear_close(1007))
        yield case(
            f"6.12.{turn}",
            f"a fragmented text that ends after {title}",
            send(raw(TEXT, BEFORE, fin=False), raw(CONTINUATION, data)),
            hear_close(1007),
        )
        yield case(
            f"6.13.{turn}",
            f"a fragmented text that ends after {title} with an empty fragment",
            send(raw(TEXT, data, fin=False), raw(CONTINUATION)),
            hear_close(1007),
        )
        yield case(
            f"6.14.{turn}",
            f"{title} waits for its rest, and the next fragment does not bring it",
            send(raw(TEXT, data, fin=False), ping(b"a")),
            ponged(b"a"),
            send(raw(CONTINUATION, b" ", fin=False)),
            hear_close(1007),
        )


def elsewhere() -> Iterator[Case]:
    """Only text is checked, and a message is checked by itself."""
    everything = b"".join(bad.data for bad in INVALID)
    yield case("6.15.1", "a binary message is no text", send(binary(everything)), alive())
    yield case("6.15.2", "a ping is no text", send(ping(everything)), ponged(everything))
    yield case(
        "6.15.3",
        "after a good message, with a ping behind it that is not answered",
        send(text("ping"), raw(TEXT, b"\xff"), ping()),
        hear_pong(),
        hear_close(1007),
    )
    yield case(
        "6.15.4",
        "the rest of a character in the next message",
        send(raw(TEXT, b"\xe2\x82"), raw(TEXT, b"\xac")),
        hear_close(1007),
    )
    halves = "€".encode()
    long = b"x" * 65_533 + halves
    for turn, size in enumerate([65_534, 65_535], 5):
        yield case(
            f"6.15.{turn}",
            f"a character across the {size}th byte of a long text",
            send(*raw_fragments(long, [size, len(long) - size])),
            hear_not_json(),
        )
    yield case(
        "6.15.7",
        "a bad byte at the end of a long text",
        send(raw(TEXT, b"x" * 65_536 + b"\xff")),
        hear_close(1007),
    )
