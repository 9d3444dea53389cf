"""Runs a driver in memory, for its tests: no gateway, no process, no pipe, and a clock that tests can put forward.

::

    class ThermometerTest(unittest.TestCase):
        def test_it_can_be_made_warmer(self) -> None:
            with Module(Thermometer) as module:
                module.call("adjust", 2)
                module.wait("temperature", 23.5)

Everything goes through the same JSON as in a process, so a value that cannot be sent is found here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from ._driver import Driver
from ._json import write
from ._log import TRACE
from ._outbox import Outbox
from ._session import PROTOCOL, Session

#: How long anything may take, in seconds, before the test fails; long enough for a busy machine.
DEADLINE = 10.0


class CallError(Exception):
    """What a call, or the start, was refused with."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class _Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock can be put forward."""

    skipped = 0.0

    def time(self) -> float:
        return super().time() + self.skipped


class Module:
    """A driver that runs. As a context manager it is stopped at the end."""

    def __init__(
        self,
        driver: type[Driver],
        *,
        settings: Mapping[str, Any] | None = None,
        uri: str | None = None,
        module: str = "mod-test",
    ) -> None:
        """Starts it. Raises :class:`CallError` if it does not start."""
        self._changed = threading.Condition()
        self._answers: dict[int, dict[str, Any]] = {}
        self._requests = 0
        self._statuses: dict[str, Any] = {}
        #: The log so far: level and message of each line.
        self.log: list[tuple[str, str]] = []
        #: The names of the statuses that were signalled.
        self.signals: list[str] = []
        #: What ended the module, if a coroutine of its own has failed.
        self.failure: str | None = None
        self._driver = driver
        self._outbox = Outbox()
        self._loop = _Loop()
        self._session: Session | None = None
        ready = threading.Event()
        self._threads = [
            threading.Thread(target=self._run_loop, args=(ready,), name="test-module", daemon=True),
            threading.Thread(target=self._listen, name="test-gateway", daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        if not ready.wait(DEADLINE):
            raise TimeoutError("the event loop of the test kit has not started")
        logger = logging.getLogger(driver.__name__)
        logger.setLevel(TRACE)
        params = {"protocol": PROTOCOL, "module": module, "uri": uri, "settings": settings or {}}
        try:
            answer = self.request("start", params)
        except BaseException:
            self._end()
            raise
        #: What the driver says of itself.
        self.description: str = answer["description"]
        #: Its functions and statuses, as on the wire.
        self.interface: dict[str, Any] = answer["interface"]
        #: What becomes of the module when its settings change: ``tell`` or ``restart``.
        self.on_settings_change: str = answer["on_settings_change"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def call(self, function: str, /, *arguments: Any, **named: Any) -> Any:
        """Calls a function with positional or with named arguments, and gives its value. Raises :class:`CallError`."""
        return self.call_with_code(function, *arguments, **named)[0]

    def call_with_code(self, function: str, /, *arguments: Any, **named: Any) -> tuple[Any, int]:
        """The same, with the code of the answer."""
        if arguments and named:
            raise TypeError("arguments are positional or named")
        answer = self.request("call", {"function": function, "arguments": named or list(arguments)})
        return answer["value"], answer["code"]

    def change_settings(self, settings: Mapping[str, Any]) -> None:
        """Tells it other settings. Raises :class:`CallError`."""
        self.request("settings_changed", {"settings": settings})

    def status(self, name: str) -> Any:
        """The last value of a status; ``None`` without one."""
        with self._changed:
            return self._statuses.get(name)

    def wait(self, name: str, value: Any) -> None:
        """Waits until a status has a value. Fails after the deadline, with the value that it has then."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._statuses.get(name) == value, DEADLINE):
                last = self._statuses.get(name)
                raise AssertionError(f"the status {name!r} is {last!r} and not {value!r} after {DEADLINE:g} s")

    def wait_line(self, part: str) -> tuple[str, str]:
        """Waits for a log line that has a text in it, and gives its level and message."""
        with self._changed:
            found = self._changed.wait_for(lambda: next((line for line in self.log if part in line[1]), None), DEADLINE)
            if found is None:
                raise AssertionError(f"no log line has {part!r} in it after {DEADLINE:g} s; there are {self.log}")
            return found

    def wait_failure(self) -> str:
        """Waits until work of the module's own has failed, which ends its process, and gives what it says."""
        with self._changed:
            failure = self._changed.wait_for(lambda: self.failure, DEADLINE)
            if failure is None:
                raise AssertionError(f"nothing has failed after {DEADLINE:g} s")
            return failure

    def advance(self, seconds: float) -> None:
        """Puts the module's clock forward, and waits for each method of the clock that is due by then to have its turn, once."""
        session = self._session
        assert session is not None, "the loop has started"

        async def skip() -> None:
            # A turn that is under way would take the new time for its own delay.
            await session.rest()
            self._loop.skipped += seconds
            # A timer that is due wakes its task within three rounds of the loop.
            for _ in range(3):
                await asyncio.sleep(0)
            await session.rest()

        asyncio.run_coroutine_threadsafe(skip(), self._loop).result(DEADLINE)

    def stop(self) -> None:
        """Stops it, once. Raises :class:`CallError` if its ``stop`` fails."""
        if self._loop.is_closed():
            return
        try:
            self.request("stop", {})
        finally:
            self._end()

    def request(self, method: str, params: Mapping[str, Any]) -> Any:
        """Sends a request of the protocol and waits for its answer. Raises :class:`CallError`."""
        self._requests += 1
        identity = self._requests
        message = write({"jsonrpc": "2.0", "id": identity, "method": method, "params": params})
        return self.send_line(message, identity)

    def send_line(self, line: str, identity: int) -> Any:
        """Sends a line as it is and waits for the answer with this id. Raises :class:`CallError`."""
        session = self._session
        assert session is not None, "the loop has started"
        self._loop.call_soon_threadsafe(session.receive, line.encode(errors="surrogatepass"))
        with self._changed:
            if not self._changed.wait_for(lambda: identity in self._answers, DEADLINE):
                raise AssertionError(f"no answer after {DEADLINE:g} s to {line[:200]}")
            answer = self._answers.pop(identity)
        if "error" in answer:
            raise CallError(answer["error"]["code"], answer["error"]["message"])
        return answer["result"]

    def _run_loop(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)

        async def begin() -> None:
            self._session = Session(self._driver, self._outbox, fail=self._note_failure)
            logging.getLogger(self._driver.__name__).addHandler(self._session.handler)
            ready.set()

        self._loop.run_until_complete(begin())
        self._loop.run_forever()

    def _note_failure(self, reason: str) -> None:
        with self._changed:
            self.failure = reason
            self._changed.notify_all()

    def _listen(self) -> None:
        while (messages := self._outbox.take()) is not None:
            for line in messages.splitlines():
                self._take(json.loads(line))

    def _take(self, message: dict[str, Any]) -> None:
        with self._changed:
            params = message.get("params", {})
            match message.get("method"):
                case None:
                    self._answers[message["id"]] = message
                case "status" if params["value"] is None:
                    self._statuses.pop(params["name"], None)
                case "status":
                    self._statuses[params["name"]] = params["value"]
                case "signal":
                    self.signals.append(params["name"])
                case "log":
                    self.log.append((params["level"], params["message"]))
                case "interface":
                    self.interface = params
                case method:
                    raise AssertionError(f"the driver sent {method!r}")
            self._changed.notify_all()

    def _end(self) -> None:
        if self._session is not None:
            logging.getLogger(self._driver.__name__).removeHandler(self._session.handler)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._threads[0].join(DEADLINE)
        self._outbox.close()
        self._threads[1].join(DEADLINE)
        self._loop.close()
