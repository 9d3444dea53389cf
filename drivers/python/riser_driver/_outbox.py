"""What waits to be written to the gateway: bounded, in order, and never in the way of the driver.

Statuses, answers and log lines leave in the order in which they were put, so an answer never overtakes the statuses that its
function set. When the gateway does not read, a status that waits takes its newer value in its place, and log lines are
dropped with a count; answers are bounded by the calls in flight.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ._limits import OUTBOX_BYTES_MAX, OUTBOX_MESSAGES_MAX


class Outbox:
    """A queue from any thread to the one that writes."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._messages: dict[int, bytes] = {}
        #: Where the youngest value of each status waits.
        self._statuses: dict[str, int] = {}
        self._next = 0
        self._bytes = 0
        self._dropped = 0
        self._is_closed = False

    def put(self, message: bytes) -> None:
        """Puts a message that must arrive."""
        with self._changed:
            self._put(message)

    def put_status(self, name: str, message: bytes) -> None:
        """Puts a value, of which only the newest matters when the gateway is behind."""
        with self._changed:
            waiting = self._statuses.get(name)
            if waiting is not None and self._is_full() and not self._is_closed:
                self._bytes += len(message) - len(self._messages[waiting])
                self._messages[waiting] = message
                return
            self._statuses[name] = self._put(message)

    def put_line(self, message: bytes, tell_dropped: Callable[[int], bytes]) -> None:
        """Puts a log line, or counts it when the gateway is behind. ``tell_dropped`` makes the line that tells the count."""
        with self._changed:
            if self._is_full():
                self._dropped += 1
                return
            if self._dropped:
                self._put(tell_dropped(self._dropped))
                self._dropped = 0
            self._put(message)

    def close(self) -> None:
        """Nothing is put any more; what waits is still taken."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def take(self) -> bytes | None:
        """Waits for messages and takes all of them; ``None`` when there will be no more."""
        with self._changed:
            while not self._messages:
                if self._is_closed:
                    return None
                self._changed.wait()
            taken = b"".join(self._messages.values())
            self._messages.clear()
            self._statuses.clear()
            self._bytes = 0
            return taken

    def _is_full(self) -> bool:
        return len(self._messages) >= OUTBOX_MESSAGES_MAX or self._bytes >= OUTBOX_BYTES_MAX

    def _put(self, message: bytes) -> int:
        place = self._next
        if self._is_closed:
            return place
        self._next += 1
        self._messages[place] = message
        self._bytes += len(message)
        self._changed.notify()
        return place
