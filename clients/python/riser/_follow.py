"""What a script follows: one websocket to a gateway for all of its bindings, opened again when it is lost.

A binding gets the latest value, since a status is a state. After a lost connection it gets the value that the status then has,
if that is another one.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from typing import Any, Protocol

from . import _json
from ._address import Address
from ._errors import RiserError
from ._limits import ANSWER_DEADLINE, RETRY_FIRST, RETRY_MAX
from ._names import Place
from ._rest import ROOT
from ._websocket import Lost, Refused, WebSocket

_LOG = logging.getLogger("riser")

_CONTROL = f"{ROOT}/systems/control"


class Follower(Protocol):
    """What gets the values of one status."""

    place: Place
    status: str

    def accepted(self) -> None: ...
    def value(self, value: Any) -> None: ...
    def failed(self, error: RiserError) -> None: ...
    def close(self) -> None: ...


class Socket:
    """The websocket of one gateway. Its thread runs as long as anything is followed."""

    def __init__(self, address: Address, credentials: Callable[[], dict[str, str]]) -> None:
        self._address = address
        self._credentials = credentials
        #: Guards what follows.
        self._lock = threading.Lock()
        self._last = 0
        #: Who follows each status, and by which number: a connection has one binding of a status.
        self._numbers: dict[tuple[Place, str], int] = {}
        self._followers: dict[int, list[Follower]] = {}
        self._open: WebSocket | None = None
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()

    def follow(self, follower: Follower) -> None:
        """Follows a status from now on; what happens is told to the follower."""
        status = follower.place, follower.status
        with self._lock:
            number = self._numbers.get(status)
            if number is None:
                self._last += 1
                number = self._numbers[status] = self._last
                self._followers[number] = []
            self._followers[number].append(follower)
            if self._thread is None:
                self._wake.clear()
                self._thread = threading.Thread(target=self._run, name="riser-follow", daemon=True)
                self._thread.start()
            connection = self._open
        if connection is not None:
            # For one that others follow as well, the value comes again.
            self._ask(connection, "bind", number, follower)

    def unfollow(self, follower: Follower) -> None:
        """Follows it no longer."""
        status = follower.place, follower.status
        with self._lock:
            number = self._numbers.get(status)
            followers = [] if number is None else self._followers[number]
            if number is None or follower not in followers:
                return
            followers.remove(follower)
            if followers:
                return
            del self._numbers[status], self._followers[number]
            connection, is_last = self._open, not self._followers
        if is_last:
            # A thread that waits for its next try ends, too.
            self._wake.set()
            if connection is not None:
                connection.close()
        elif connection is not None:
            self._ask(connection, "unbind", number, follower)

    def close(self) -> None:
        """Ends everything that is followed, and the waits for it."""
        with self._lock:
            followers = [follower for each in self._followers.values() for follower in each]
        for follower in followers:
            self.unfollow(follower)
            follower.close()

    def _run(self) -> None:
        pause, was_open = RETRY_FIRST, False
        reason: str | None
        while True:
            try:
                connection = WebSocket(self._address, _CONTROL, self._credentials())
            except Lost as lost:
                is_final = isinstance(lost, Refused) and lost.status in (401, 403) or not was_open
                if is_final:
                    code = lost.status if isinstance(lost, Refused) else None
                    self._fail_all(RiserError(f"could not follow anything: {lost}", code=code))
                reason = str(lost)
            else:
                was_open, pause = True, RETRY_FIRST
                reason = self._serve(connection)
            with self._lock:
                self._open = None
                if not self._followers:
                    self._thread = None
                    return
            if reason is None:
                # The last follower has gone, and another one come since.
                continue
            _LOG.warning("the connection to %s was lost: %s; trying again", self._address, reason)
            self._wake.wait(pause * random.uniform(0.5, 1.0))
            self._wake.clear()
            pause = min(pause * 2, RETRY_MAX)

    def _serve(self, connection: WebSocket) -> str | None:
        """Follows everything by one connection, until that is lost; why it was, or ``None`` where it was ended here."""
        with self._lock:
            self._open = connection
            followers = [(number, each[0]) for number, each in self._followers.items()]
        for number, follower in followers:
            self._ask(connection, "bind", number, follower)
        try:
            while True:
                self._take(connection.receive())
        except Lost as lost:
            return None if connection.was_closed_here else str(lost)

    def _ask(self, connection: WebSocket, command: str, number: int, follower: Follower) -> None:
        place = follower.place
        frame = {"id": number, "cmd": command, "sys": place.system, "mod": place.name, "index": place.index}
        try:
            connection.send(_json.write(frame | {"name": follower.status}))
        except Lost:
            # The thread that reads has noticed it as well, and opens another one.
            pass

    def _take(self, text: str) -> None:
        try:
            frame = _json.read(text)
        except ValueError:
            # Such as the sign of life, which is a word.
            return
        number = frame.get("id") if isinstance(frame, dict) else None
        with self._lock:
            followers = list(self._followers.get(number, [])) if isinstance(number, int) else []
        for follower in followers:
            match frame.get("type"):
                case "success":
                    follower.accepted()
                case "notify":
                    follower.value(frame.get("value"))
                case "error":
                    self.unfollow(follower)
                    message = str(frame.get("msg") or "it was refused")
                    follower.failed(RiserError(f"{follower.place}/{follower.status}: {message}"))

    def _fail_all(self, error: RiserError) -> None:
        with self._lock:
            followers = [follower for each in self._followers.values() for follower in each]
            self._followers, self._numbers = {}, {}
        for follower in followers:
            follower.failed(error)


class Values:
    """The newest value of a status, and who waits for it."""

    def __init__(self, place: Place, status: str) -> None:
        self.place = place
        self.status = status
        self._changed = threading.Condition()
        self._is_accepted = False
        self._is_new = False
        #: The value that came last.
        self._value: tuple[Any] | None = None
        #: Whether it is followed again, and the value that it has is still to come.
        self._is_resumed = False
        self._end: RiserError | None = None
        self._is_closed = False

    def accepted(self) -> None:
        with self._changed:
            self._is_resumed = self._is_accepted
            self._is_accepted = True
            self._changed.notify_all()

    def value(self, value: Any) -> None:
        with self._changed:
            is_same = self._is_resumed and self._value == (value,)
            self._is_resumed = False
            if is_same:
                return
            self._value, self._is_new = (value,), True
            self._changed.notify_all()

    def failed(self, error: RiserError) -> None:
        with self._changed:
            self._end = error
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody waits any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def wait_until_accepted(self) -> None:
        """Waits for the gateway's word that the status is followed. Raises :class:`RiserError` if it is not."""
        with self._changed:
            ready = lambda: self._is_accepted or self._end is not None
            if not self._changed.wait_for(ready, ANSWER_DEADLINE):
                raise RiserError(f"{self.place}/{self.status}: no answer within {ANSWER_DEADLINE:g} s")
            if self._end is not None:
                raise self._end

    def next(self, timeout: float | None) -> tuple[Any] | None:
        """The next value; ``None`` when the binding has been closed. Raises ``TimeoutError``, or :class:`RiserError`."""
        with self._changed:
            ready = lambda: self._is_new or self._end is not None or self._is_closed
            if not self._changed.wait_for(ready, timeout):
                raise TimeoutError(f"{self.place}/{self.status} had no other value within {timeout:g} s")
            if self._is_closed:
                return None
            if self._is_new:
                self._is_new = False
                return self._value
            assert self._end is not None
            raise self._end
