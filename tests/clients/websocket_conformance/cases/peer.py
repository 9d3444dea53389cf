"""The client's end of a connection: bytes out as a case wants them, and everything that comes back named.

What the gateway sends is read by wsproto, which refuses what a client must refuse: masked frames, reserved bits,
lengths in more bytes than needed, text that is no UTF-8, close codes that may not be sent.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Request
from wsproto.frame_protocol import FrameProtocol, Opcode, ParseFailed
from wsproto.utilities import RemoteProtocolError

# For an answer, on a machine with more to do.
ANSWER_DEADLINE = 10.0

# For the end of the stream after the gateway's close frame.
END_DEADLINE = 3.0

# A frame that is shown in a report is cut to this.
SHOWN = 120


class Mismatch(Exception):
    """The gateway did something else than the case expects."""

    def __init__(self, expected: object, got: object) -> None:
        super().__init__(f"expected {shorten(expected)}, got {shorten(got)}")
        self.got = got


def shorten(thing: object) -> str:
    text = str(thing)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text)} characters)"


@dataclass(frozen=True)
class Door:
    """Where the gateway is, and what opens it."""

    host: str
    port: int
    path: str
    key: str
    # The longest message that the gateway takes, in bytes.
    limit: int
    # How connections are encrypted, if they are.
    tls: ssl.SSLContext | None = None

    @property
    def authority(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def scheme(self) -> str:
        """That of the pages that the gateway itself would serve there."""
        return "https" if self.tls else "http"

    def connect(self) -> socket.socket:
        """A connection that has said nothing yet and sends every write at once."""
        stream = socket.create_connection((self.host, self.port), timeout=ANSWER_DEADLINE)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            # An end without the end of TLS is told as such.
            stream = self.tls.wrap_socket(stream, server_hostname=self.host, suppress_ragged_eofs=False)
        return stream


# What can come back. A case compares these with what it expects.


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Binary:
    data: bytes


@dataclass(frozen=True)
class Ping:
    payload: bytes


@dataclass(frozen=True)
class Pong:
    payload: bytes


@dataclass(frozen=True)
class Close:
    """1005 stands for a close frame without a code."""

    code: int


@dataclass(frozen=True)
class End:
    """The end of the stream, in order."""


@dataclass(frozen=True)
class Cut:
    """The end of the stream, in order for TCP, without the end of TLS before it."""


@dataclass(frozen=True)
class Reset:
    """The end of the stream by a reset, which may destroy what was sent before it."""


@dataclass(frozen=True)
class Silence:
    """Nothing came until the deadline."""

    seconds: float


@dataclass(frozen=True)
class Broken:
    """Something came that a client must refuse."""

    why: str


Received = Text | Binary | Ping | Pong | Close | End | Cut | Reset | Silence | Broken


class Peer:
    """One open websocket."""

    def __init__(self, stream: socket.socket, early: bytes = b"") -> None:
        self.stream = stream
        self._frames = FrameProtocol(client=True, extensions=[])
        self._received: deque[Received] = deque()
        self._parts: list[str | bytes] = []
        self._take(early)

    @classmethod
    def open(cls, door: Door) -> Peer:
        """Shakes hands as wsproto does, and lets it judge the answer."""
        handshake = WSConnection(ConnectionType.CLIENT)
        stream = door.connect()
        key = [(b"X-API-Key", door.key.encode())]
        stream.sendall(handshake.send(Request(door.authority, door.path, extra_headers=key)))
        head, early = read_head(stream)
        try:
            handshake.receive_data(head)
            answers = list(handshake.events())
        except RemoteProtocolError as refusal:
            raise Mismatch("a handshake that wsproto accepts", refusal) from refusal
        if not answers or not isinstance(answers[0], AcceptConnection):
            raise Mismatch("a handshake that is accepted", answers)
        return cls(stream, early)

    def send(self, data: bytes, chop: int | None = None) -> None:
        """Writes bytes, `chop` at a time. Whether the gateway may have closed is for the next expectation to judge."""
        try:
            for at in range(0, len(data), chop or max(len(data), 1)):
                self.stream.sendall(data[at : at + chop] if chop else data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def send_end(self) -> None:
        """Ends our half of the stream."""
        # The socket's own: that of an encrypted stream would forget how to read as well.
        socket.socket.shutdown(self.stream, socket.SHUT_WR)

    def receive(self, seconds: float = ANSWER_DEADLINE) -> Received:
        """The next thing that comes."""
        deadline = time.monotonic() + seconds
        while not self._received:
            left = deadline - time.monotonic()
            if left <= 0:
                return Silence(seconds)
            self.stream.settimeout(left)
            try:
                data = self.stream.recv(65536)
            except TimeoutError:
                return Silence(seconds)
            except ssl.SSLEOFError:
                return Cut()
            except ConnectionResetError:
                return Reset()
            finally:
                self.stream.settimeout(ANSWER_DEADLINE)
            if not data:
                return End()
            self._take(data)
        return self._received.popleft()

    def _take(self, data: bytes) -> None:
        try:
            self._frames.receive_bytes(data)
            self._received.extend(self._read_frames())
        except ParseFailed as failure:
            self._received.append(Broken(str(failure)))

    def _read_frames(self) -> Iterator[Received]:
        for frame in self._frames.received_frames():
            payload = frame.payload
            match frame.opcode:
                case Opcode.PING:
                    yield Ping(bytes(payload))
                case Opcode.PONG:
                    yield Pong(bytes(payload))
                case Opcode.CLOSE:
                    yield Close(int(payload[0]))
                case _:
                    # A part of a message; it may come in many.
                    self._parts.append(payload)
                    if frame.message_finished:
                        yield self._whole_message()

    def _whole_message(self) -> Received:
        parts, self._parts = self._parts, []
        if isinstance(parts[0], str):
            return Text("".join(parts))
        return Binary(b"".join(parts))

    def close(self) -> None:
        self.stream.close()


def read_head(stream: socket.socket) -> tuple[bytes, bytes]:
    """Reads the head of an HTTP answer, and whatever came behind it."""
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            more = stream.recv(65536)
        except TimeoutError as silence:
            raise Mismatch("the head of an answer", f"{data!r} and then silence") from silence
        except ConnectionResetError as reset:
            raise Mismatch("the head of an answer", f"{data!r} and then a reset") from reset
        if not more:
            raise Mismatch("the head of an answer", f"{data!r} and then the end")
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", rest
