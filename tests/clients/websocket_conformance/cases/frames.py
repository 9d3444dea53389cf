"""Frames as a client sends them: the good ones built by wsproto, the broken ones by hand, since wsproto refuses to."""

from __future__ import annotations

import struct

from wsproto.frame_protocol import FrameProtocol

CONTINUATION, TEXT, BINARY = 0x0, 0x1, 0x2
CLOSE, PING, PONG = 0x8, 0x9, 0xA

# Any will do; one with four different bytes shows a mask that is applied from the wrong place.
MASK = b"\x37\xfa\x21\x3d"


def text(content: str) -> bytes:
    return bytes(_client().send_data(content))


def binary(content: bytes) -> bytes:
    return bytes(_client().send_data(content))


def ping(payload: bytes = b"") -> bytes:
    return bytes(_client().ping(payload))


def pong(payload: bytes = b"") -> bytes:
    return bytes(_client().pong(payload))


def close(code: int | None = None, reason: str | None = None) -> bytes:
    return bytes(_client().close(code, reason))


def fragments(content: str | bytes, size: int) -> list[bytes]:
    """One message in frames of `size` characters or bytes; the last one may be shorter."""
    client = _client()
    starts = range(0, max(len(content), 1), size)
    return [bytes(client.send_data(content[at : at + size], fin=at + size >= len(content))) for at in starts]


def _client() -> FrameProtocol:
    return FrameProtocol(client=True, extensions=[])


def raw(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bytes | None = MASK,
    declared: int | None = None,
    width: int | None = None,
) -> bytes:
    """A frame with every field chosen, whatever the rules say.

    `rsv` holds the three reserved bits as a number from 0 to 7. `declared` is the length that the head claims.
    `width` is how many bits the length takes: 7, 16 or 64; without it, the fewest that hold it.
    """
    length = len(payload) if declared is None else declared
    if width is None:
        width = 7 if length <= 125 else 16 if length <= 0xFFFF else 64
    masked = 0x00 if mask is None else 0x80
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    if width == 7:
        head = struct.pack("!BB", first, masked | length)
    elif width == 16:
        head = struct.pack("!BBH", first, masked | 126, length)
    else:
        head = struct.pack("!BBQ", first, masked | 127, length)
    if mask is None:
        return head + payload
    return head + mask + apply_mask(payload, mask)


def apply_mask(payload: bytes, mask: bytes) -> bytes:
    repeated = (mask * (len(payload) // 4 + 1))[: len(payload)]
    number = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return number.to_bytes(len(payload), "big")


def raw_fragments(payload: bytes, sizes: list[int] | int) -> list[bytes]:
    """A text message cut at any byte, also in the middle of a character: in frames of one size, or of these sizes."""
    if isinstance(sizes, int):
        sizes = [sizes] * -(-len(payload) // sizes)
    frames, at = [], 0
    for turn, size in enumerate(sizes):
        opcode = TEXT if turn == 0 else CONTINUATION
        last = turn == len(sizes) - 1
        frames.append(raw(opcode, payload[at : at + size], fin=last))
        at += size
    return frames
