"""The wire of websockets, with a peer that sends what no gateway would."""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
import unittest
from collections.abc import Callable

from riser._address import Address
from riser._websocket import Lost, Refused, WebSocket

from .support import DEADLINE

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Peer:
    """One connection of a server."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self.stream = connection.makefile("rb")
        self.head: list[bytes] = []

    def read_head(self) -> None:
        while (line := self.stream.readline().strip()) != b"":
            self.head.append(line)

    def shake_hands(self, status: bytes = b"101 Switching Protocols") -> None:
        self.read_head()
        key = next(line.split(b": ")[1] for line in self.head if line.startswith(b"Sec-WebSocket-Key"))
        accept = base64.b64encode(hashlib.sha1(key + _MAGIC).digest())
        self.send(b"HTTP/1.1 " + status + b"\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def frame(self) -> tuple[int, bytes]:
        """A client's frame, which has a mask."""
        first, second = self.stream.read(2)
        length = second & 0x7F
        if length == 126:
            length = int.from_bytes(self.stream.read(2), "big")
        elif length == 127:
            length = int.from_bytes(self.stream.read(8), "big")
        mask = self.stream.read(4)
        payload = self.stream.read(length)
        return first, bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


class WebSocketTest(unittest.TestCase):
    def connect(self, serve: Callable[[Peer], None]) -> WebSocket:
        """A client of a server that does that."""
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        self.failed: list[BaseException] = []

        def run() -> None:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(DEADLINE)
                peer = Peer(connection)
                try:
                    serve(peer)
                except BaseException as error:
                    self.failed.append(error)
                finally:
                    peer.stream.close()

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        client = WebSocket(Address("127.0.0.1", server.getsockname()[1], False, "/base"), "/path", {"X-API-Key": "k"})
        self.addCleanup(client.close)
        return client

    def join(self) -> None:
        """Waits for the server."""
        self.thread.join(DEADLINE)
        self.assertFalse(self.thread.is_alive())
        self.assertEqual(self.failed, [])

    def test_texts_go_both_ways_in_every_length(self) -> None:
        texts = ["", "ä" * 60, "x" * 125, "x" * 126, "x" * 70_000]

        def serve(peer: Peer) -> None:
            peer.shake_hands()
            self.assertEqual(peer.head[0], b"GET /base/path HTTP/1.1")
            self.assertIn(b"X-API-Key: k", peer.head)
            for text in texts:
                first, payload = peer.frame()
                self.assertEqual((first, payload.decode()), (0x81, text))
                length = len(payload)
                if length < 126:
                    size = bytes([length])
                elif length < 1 << 16:
                    size = b"\x7e" + length.to_bytes(2, "big")
                else:
                    size = b"\x7f" + length.to_bytes(8, "big")
                peer.send(b"\x81" + size + payload)

        client = self.connect(serve)
        for text in texts:
            client.send(text)
            self.assertEqual(client.receive(), text)
        self.join()

    def test_parts_are_put_together_around_pings_and_binary_messages_are_passed_over(self) -> None:
        def serve(peer: Peer) -> None:
            peer.shake_hands()
            peer.send(b"\x82\x01b" + b"\x01\x02ab" + b"\x89\x02hi" + b"\x00\x01c" + b"\x8a\x00" + b"\x80\x01d")
            self.assertEqual(peer.frame(), (0x8A, b"hi"))

        self.assertEqual(self.connect(serve).receive(), "abcd")
        self.join()

    def test_a_close_is_answered_and_says_why(self) -> None:
        def serve(peer: Peer) -> None:
            peer.shake_hands()
            peer.send(b"\x88\x0c\x03\xe9going away")
            self.assertEqual(peer.frame(), (0x88, b"\x03\xe9"))

        with self.assertRaisesRegex(Lost, "^the gateway closed it: 1001, going away$"):
            self.connect(serve).receive()
        self.join()

    def test_who_breaks_the_protocol_is_left(self) -> None:
        for sent, said in (
            (b"\x80\x01a", "a frame out of order"),
            (b"\x01\x01a\x81\x01b", "a frame out of order"),
            (b"\x81\x81aaaab", "a frame that is none of this protocol"),
            (b"\x81\x7f\x00\x00\x00\x7f\x00\x00\x00\x00", "a frame that is too long"),
            (b"\x89\x7e\x00\x7e", "a frame that is too long"),
            (b"\x81\x01\xff", "text that is not UTF-8"),
        ):

            def serve(peer: Peer, sent: bytes = sent) -> None:
                peer.shake_hands()
                peer.send(sent)

            with self.subTest(sent), self.assertRaisesRegex(Lost, said):
                self.connect(serve).receive()

    def test_a_connection_that_ends_is_lost(self) -> None:
        with self.assertRaisesRegex(Lost, "^the gateway closed it$"):
            self.connect(Peer.shake_hands).receive()

    def test_who_is_not_let_in_is_told_the_status(self) -> None:
        with self.assertRaises(Refused) as caught:
            self.connect(lambda peer: peer.shake_hands(b"401 Unauthorized"))
        self.assertEqual(caught.exception.status, 401)

    def test_what_is_no_server_of_websockets_is_left(self) -> None:
        for head, said in (
            (b"220 mail\r\n\r\n", "is none$"),
            (b"", "is none$"),
            (b"HTTP/1.1 101 Yes\r\n\r\n", "is no server of websockets$"),
        ):

            def serve(peer: Peer, head: bytes = head) -> None:
                peer.read_head()
                peer.send(head)

            with self.subTest(head), self.assertRaisesRegex(Lost, said):
                self.connect(serve)
