"""What a case is made of: a name, a sentence, and steps that send something or expect something.

The gateway gives back no messages, so a case learns in other ways that one arrived whole:
a call of the function `echo` returns its argument; text that is no JSON is answered by one error with code 0;
the text `ping` is answered `pong`; and that something is to be ignored shows in the answer to what follows it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from . import frames
from .peer import END_DEADLINE, Close, Door, End, Mismatch, Peer, Pong, Received, Text

Step = Callable[[Peer], None]

# A close code that a frame without one stands for, and one that a client sends when all is well.
NO_CODE, NORMAL = 1005, 1000


@dataclass(frozen=True)
class Case:
    """One thing to check, on a connection of its own."""

    name: str
    title: str
    run: Callable[[Door], None]


def case(name: str, title: str, *steps: Step) -> Case:
    """A case that begins with an open websocket. Unless a step ends the connection, it must end well."""

    def run(door: Door) -> None:
        peer = Peer.open(door)
        try:
            for step in steps:
                step(peer)
            if not any(getattr(step, "is_end", False) for step in steps):
                goodbye()(peer)
        finally:
            peer.close()

    return Case(name, title, run)


def ending(step: Step) -> Step:
    step.is_end = True  # type: ignore[attr-defined]
    return step


def expect(peer: Peer, expected: Received, seconds: float | None = None) -> None:
    got = peer.receive() if seconds is None else peer.receive(seconds)
    if got != expected:
        raise Mismatch(expected, got)


# Steps that send.


def send(*data: bytes | Callable[[], bytes], chop: int | None = None) -> Step:
    """Writes all of it at once, or `chop` bytes at a time. A function makes large ones when they are due."""

    def step(peer: Peer) -> None:
        peer.send(b"".join(part() if callable(part) else part for part in data), chop)

    return step


def send_end() -> Step:
    return lambda peer: peer.send_end()


# Steps that expect.


def hear(*expected: Received) -> Step:
    """Exactly these come next."""

    def step(peer: Peer) -> None:
        for one in expected:
            expect(peer, one)

    return step


def hear_pong() -> Step:
    """The answer to the text `ping`."""
    return hear(Text("pong"))


def hear_echo(value: object, request_id: int = 1) -> Step:
    """The answer to a call of `echo` with this value."""

    def step(peer: Peer) -> None:
        answer = hear_json(peer)
        if answer.get("type") != "success" or answer.get("id") != request_id:
            raise Mismatch(f"a success with id {request_id}", answer)
        if answer.get("value") != value:
            raise Mismatch(f"the value {value!r}", f"{answer.get('value')!r}")

    return step


def hear_not_json() -> Step:
    """The answer to text that is no JSON."""

    def step(peer: Peer) -> None:
        answer = hear_json(peer)
        if answer.get("type") != "error" or answer.get("code") != 0:
            raise Mismatch("an error with code 0", answer)

    return step


def hear_json(peer: Peer) -> dict[str, object]:
    got = peer.receive()
    if not isinstance(got, Text):
        raise Mismatch("a text message", got)
    try:
        answer = json.loads(got.text)
    except json.JSONDecodeError as error:
        raise Mismatch("a JSON text", got.text) from error
    if not isinstance(answer, dict):
        raise Mismatch("a JSON object", got.text)
    return answer


def hear_close(code: int) -> Step:
    """The gateway's close frame with this code, and nothing after it but the end of the stream."""

    def step(peer: Peer) -> None:
        expect(peer, Close(code))
        expect(peer, End(), END_DEADLINE)

    return ending(step)


def hear_end() -> Step:
    """The end of the stream without a close frame, which is all that a client deserves that ends it so."""
    return ending(lambda peer: expect(peer, End(), END_DEADLINE))


# Both.


def alive() -> Step:
    """The connection still answers, and nothing else came before."""

    def step(peer: Peer) -> None:
        peer.send(frames.text("ping"))
        expect(peer, Text("pong"))

    return step


def ponged(payload: bytes = b"") -> Step:
    return hear(Pong(payload))


def goodbye(code: int = NORMAL) -> Step:
    """Closes: the frame comes back, and then the end of the stream."""

    def step(peer: Peer) -> None:
        peer.send(frames.close(code))
        hear_close(code)(peer)

    return ending(step)


# Messages.


def call(value: object, request_id: int = 1) -> str:
    """The text of a call that gives the value back."""
    request = {
        "id": request_id,
        "cmd": "exec",
        "sys": "sys-1",
        "mod": "Virtual",
        "index": 1,
        "name": "echo",
        "args": [value],
    }
    return json.dumps(request, ensure_ascii=False, separators=(",", ":"))


def call_of(size: int) -> tuple[str, str]:
    """A call whose text has exactly this many bytes, and the value in it, which looks the same nowhere."""
    room = size - len(call(""))
    letters = "".join(f"{number}." for number in range(room // 2 + 1))
    value = letters[:room]
    return call(value), value
