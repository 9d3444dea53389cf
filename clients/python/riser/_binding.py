"""One status that a script follows."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

from ._errors import RiserError
from ._follow import Socket, Values
from ._names import status_of

_LOG = logging.getLogger("riser")


class Binding(Iterator[Any]):
    """The values of a status: its value, if it has one, and then each change; ``None`` when it is gone.

    Iterate over it, ask for the :meth:`next` one with a deadline, or give :func:`riser.bind` a function that is called with
    each. Who is behind gets the latest value, since a status is a state. It ends with :meth:`close`, or with a ``with`` block.
    """

    def __init__(self, socket: Socket, path: str, callback: Callable[[Any], object] | None) -> None:
        self._values = Values(*status_of(path))
        self._socket = socket
        socket.follow(self._values)
        try:
            self._values.wait_until_accepted()
        except BaseException:
            self.close()
            raise
        if callback is not None:
            thread = threading.Thread(target=self._tell, args=(callback,), name=f"riser-bind {path}", daemon=True)
            thread.start()

    def next(self, timeout: float | None = None) -> Any:
        """Waits for the next value. Raises ``TimeoutError`` after so many seconds."""
        found = self._values.next(timeout)
        if found is None:
            raise RiserError("the binding was closed")
        return found[0]

    def __next__(self) -> Any:
        found = self._values.next(None)
        if found is None:
            raise StopIteration
        return found[0]

    def close(self) -> None:
        """Follows the status no longer."""
        self._socket.unfollow(self._values)
        self._values.close()

    def __enter__(self) -> Binding:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _tell(self, callback: Callable[[Any], object]) -> None:
        try:
            for value in self:
                try:
                    callback(value)
                except Exception:
                    _LOG.exception("the function that follows %s/%s", self._values.place, self._values.status)
        except RuntimeError as error:
            _LOG.error("%s", error)
