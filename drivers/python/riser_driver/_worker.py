"""The thread on which plain functions run, one after another, so that a driver that blocks needs no locks and ``ping`` is answered.

One thread and not several: drivers are written without locks since no two plain functions run at a time, so the price of a
function that never returns is that those behind it wait. Not a ``ThreadPoolExecutor``: that one waits at the end of the
process for such a function.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any

_Job = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[[], Any]]


class Worker:
    """Runs work in the order in which it was given.

    Its queue needs no bound of its own: calls in flight are bounded, and each method of the clock waits for its turn.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._is_started = False

    async def run(self, work: Callable[[], Any]) -> Any:
        """Waits until the work has been done, and gives or raises what it did. A wait that is cancelled leaves it running."""
        if not self._is_started:
            self._is_started = True
            threading.Thread(target=self._work, name="riser-plain", daemon=True).start()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        self._jobs.put((loop, done, work))
        return await done

    def _work(self) -> None:
        while True:
            loop, done, work = self._jobs.get()
            if done.cancelled():
                continue
            try:
                value = work()
            except BaseException as error:
                tell: tuple[Callable[..., None], Any] = (_fail, error)
            else:
                tell = (_succeed, value)
            try:
                loop.call_soon_threadsafe(tell[0], done, tell[1])
            except RuntimeError:
                # The loop has ended, and the process with it.
                return


def _succeed(done: asyncio.Future[Any], value: Any) -> None:
    if not done.done():
        done.set_result(value)


def _fail(done: asyncio.Future[Any], error: BaseException) -> None:
    if done.done():
        return
    if isinstance(error, StopIteration):
        # No future takes that one.
        error = RuntimeError("StopIteration")
    done.set_exception(error)
