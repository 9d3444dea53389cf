"""A client of websockets (RFC 6455): the handshake, texts in both directions, pings, a clean end.

One thread reads; any thread writes. Nothing here knows what the texts say.
"""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import struct
import threading
from typing import BinaryIO

from ._address import Address, tls
from ._limits import CONNECT_DEADLINE, MESSAGE_MAX_BYTES, SILENCE_MAX

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

#: The longest head of the handshake's answer, in bytes and in lines.
_HEAD_MAX_BYTES, _HEAD_MAX_LINES = 16 * 1024, 100


class Lost(Exception):
    """The connection ended, or could not be made; the text says why."""


class Refused(Lost):
    """The gateway let nobody in."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class WebSocket:
    """One connection."""

    def __init__(self, address: Address, path: str, headers: dict[str, str]) -> None:
        """Connects and shakes hands. Raises :class:`Lost`."""
        try:
            self._socket = _connect(address)
        except OSError as error:
            raise Lost(f"{address} cannot be reached: {error}") from error
        self._lock = threading.Lock()
        self._is_closed = False
        #: Whether it was ended at this end, and not lost.
        self.was_closed_here = False
        try:
            self._stream: BinaryIO = self._socket.makefile("rb")
            self._shake_hands(address, path, headers)
            self._socket.settimeout(SILENCE_MAX)
        except OSError as error:
            self._socket.close()
            raise Lost(f"{address} did not answer: {error}") from error
        except BaseException:
            self._socket.close()
            raise

    def send(self, text: str) -> None:
        """Sends a text."""
        self._write(_TEXT, text.encode())

    def receive(self) -> str:
        """The next text. Answers pings while it waits. Raises :class:`Lost` when no more will come."""
        message, kind = bytearray(), None
        while True:
            is_last, code, payload = self._frame()
            if code == _PING:
                self._write(_PONG, payload)
            elif code == _CLOSE:
                self._answer_close(payload)
            elif code != _PONG:
                if (code == _CONTINUATION) != (kind is not None) or code not in (_CONTINUATION, _TEXT, _BINARY):
                    raise self._broken("a frame out of order")
                kind = code if kind is None else kind
                message += payload
                if len(message) > MESSAGE_MAX_BYTES:
                    raise self._broken("a message that is too long")
                if is_last and kind == _TEXT:
                    return self._text(message)
                if is_last:
                    # The gateway sends no other kind that matters.
                    message, kind = bytearray(), None

    def close(self) -> None:
        """Says good-bye and ends the connection; a thread that waits in :meth:`receive` gets :class:`Lost`."""
        self.was_closed_here = True
        try:
            self._write(_CLOSE, struct.pack("!H", 1000))
        except Lost:
            pass
        self._end()

    def _end(self) -> None:
        self._is_closed = True
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()

    def _shake_hands(self, address: Address, path: str, headers: dict[str, str]) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        fields = {
            "Host": address.authority,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Version": "13",
        } | headers
        for name, value in fields.items():
            if not value.isprintable():
                raise Lost(f"the header {name} has characters that no header has")
        lines = [f"GET {address.base}{path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"))
        status, answered = self._read_head()
        if status != 101:
            raise Refused(status, f"{address} refused the websocket with the status {status}")
        expected = base64.b64encode(hashlib.sha1((key + _MAGIC).encode()).digest()).decode()
        if answered.get("sec-websocket-accept") != expected:
            raise Lost(f"{address} is no server of websockets")

    def _read_head(self) -> tuple[int, dict[str, str]]:
        lines: list[str] = []
        while True:
            line = self._stream.readline(_HEAD_MAX_BYTES)
            if not line.endswith(b"\n") or len(lines) > _HEAD_MAX_LINES:
                raise Lost("the answer to the handshake is none")
            text = line.decode("latin-1").strip()
            if not text:
                break
            lines.append(text)
        words = lines[0].split(" ", 2) if lines else []
        if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdecimal():
            raise Lost("the answer to the handshake is none")
        fields = (line.partition(":") for line in lines[1:])
        return int(words[1]), {name.strip().lower(): value.strip() for name, _, value in fields}

    def _frame(self) -> tuple[bool, int, bytes]:
        first, second = self._read(2)
        length = second & 0x7F
        if first & 0x70 or second & 0x80:
            raise self._broken("a frame that is none of this protocol")
        if length == 126:
            (length,) = struct.unpack("!H", self._read(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._read(8))
        code = first & 0x0F
        if length > MESSAGE_MAX_BYTES or code >= _CLOSE and length > 125:
            raise self._broken("a frame that is too long")
        return bool(first & 0x80), code, self._read(length)

    def _read(self, count: int) -> bytes:
        try:
            read = self._stream.read(count)
        except TimeoutError:
            self._end()
            raise Lost(f"no sign of life for {SILENCE_MAX:g} s") from None
        except (OSError, ValueError) as error:
            raise Lost("it was closed" if self._is_closed else f"it broke: {error}") from None
        if read is None or len(read) < count:
            self._end()
            raise Lost("the gateway closed it")
        return read

    def _write(self, code: int, payload: bytes) -> None:
        length = len(payload)
        head = bytes([0x80 | code])
        if length < 126:
            head += bytes([0x80 | length])
        elif length < 1 << 16:
            head += struct.pack("!BH", 0x80 | 126, length)
        else:
            head += struct.pack("!BQ", 0x80 | 127, length)
        mask = os.urandom(4)
        with self._lock:
            try:
                self._socket.sendall(head + mask + _masked(payload, mask))
            except (OSError, ValueError) as error:
                raise Lost("it was closed" if self._is_closed else f"it broke: {error}") from None

    def _answer_close(self, payload: bytes) -> None:
        code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005
        reason = payload[2:].decode(errors="replace")
        try:
            self._write(_CLOSE, payload[:2])
        except Lost:
            pass
        self._end()
        raise Lost(f"the gateway closed it: {code}{f', {reason}' if reason else ''}")

    def _text(self, message: bytearray) -> str:
        try:
            return message.decode()
        except UnicodeDecodeError:
            raise self._broken("text that is not UTF-8") from None

    def _broken(self, what: str) -> Lost:
        self._end()
        return Lost(f"the gateway sent {what}")


def _connect(address: Address) -> socket.socket:
    plain = socket.create_connection((address.host, address.port), CONNECT_DEADLINE)
    # Frames are small and each is one that someone waits for.
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not address.is_encrypted:
        return plain
    try:
        return tls().wrap_socket(plain, server_hostname=address.host)
    except BaseException:
        plain.close()
        raise


def _masked(payload: bytes, mask: bytes) -> bytes:
    """Each byte with one of the mask's, all at one time: a loop in Python takes a second for some megabytes."""
    length = len(payload)
    repeated = (mask * (length // 4 + 1))[:length]
    mixed = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return mixed.to_bytes(length, "big")
