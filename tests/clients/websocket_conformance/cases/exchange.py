"""HTTP requests written by hand, so that they can be wrong, and their answers as h11 reads them."""

from __future__ import annotations

import base64
import hashlib
import socket
from dataclasses import dataclass

import h11

from .peer import Door, Mismatch

# The example of RFC 6455 section 1.3, so that the answer can be looked up there.
KEY = "dGhlIHNhbXBsZSBub25jZQ=="

# What a request has more than the usual, or instead of it, or, where it is None, not at all.
# A list gives a line for each.
Changes = dict[str, str | list[str] | None]


def accept_of(key: str) -> str:
    """What proves that the gateway has read the key (RFC 6455 section 4.2.2)."""
    digest = hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    return base64.b64encode(digest).decode()


def upgrade(
    door: Door,
    changes: Changes | None = None,
    *,
    method: str = "GET",
    target: str | None = None,
    version: str = "HTTP/1.1",
    body: bytes = b"",
) -> bytes:
    """The handshake, with changes."""
    usual: Changes = {
        "Host": door.authority,
        "X-API-Key": door.key,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
    }
    return request(usual | (changes or {}), method, target or door.path, version, body)


def plain(door: Door, target: str, changes: Changes | None = None, method: str = "GET") -> bytes:
    """A request that asks for no upgrade."""
    usual: Changes = {"Host": door.authority, "X-API-Key": door.key}
    return request(usual | (changes or {}), method, target)


def request(
    headers: Changes,
    method: str,
    target: str,
    version: str = "HTTP/1.1",
    body: bytes = b"",
) -> bytes:
    lines = [f"{method} {target} {version}"]
    for name, values in headers.items():
        if values is not None:
            lines += [f"{name}: {value}" for value in ([values] if isinstance(values, str) else values)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass(frozen=True)
class Answer:
    """An answer, and what came behind it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    rest: bytes

    def header(self, name: str) -> str | None:
        """All values of a header, as one list; None when it is not there."""
        values = [value for known, value in self.headers if known == name.lower()]
        return ", ".join(values) if values else None

    def says_close(self) -> bool:
        return "close" in (self.header("connection") or "").lower()


def read_answer(stream: socket.socket, early: bytes = b"", method: str = "GET") -> Answer:
    """Reads one answer, as h11 does that sent such a request."""
    http = h11.Connection(h11.CLIENT)
    http.send(h11.Request(method=method, target="/", headers=[("Host", "h"), ("Upgrade", "websocket")]))
    http.send(h11.EndOfMessage())
    if early:
        http.receive_data(early)
    head: h11.Response | h11.InformationalResponse | None = None
    body = b""
    while True:
        try:
            event = http.next_event()
        except h11.RemoteProtocolError as refusal:
            raise Mismatch("an answer that h11 accepts", refusal) from refusal
        if event is h11.NEED_DATA:
            data = receive(stream)
            if not data and head is None:
                raise Mismatch("an answer", "the end")
            http.receive_data(data)
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.InformationalResponse) and event.status_code == 101:
            return make_answer(event, b"", http.trailing_data[0])
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            return make_answer(head, body, http.trailing_data[0])
        elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
            raise Mismatch("an answer", f"{event} after {head}")


def make_answer(head: h11.Response | h11.InformationalResponse, body: bytes, rest: bytes) -> Answer:
    headers = [(name.decode().lower(), value.decode()) for name, value in head.headers]
    return Answer(head.status_code, headers, body, bytes(rest))


def receive(stream: socket.socket) -> bytes:
    try:
        return stream.recv(65536)
    except TimeoutError as silence:
        raise Mismatch("an answer", "silence") from silence
    except ConnectionResetError as reset:
        raise Mismatch("an answer", "a reset") from reset
