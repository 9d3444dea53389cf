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
import functools
import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
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


class Neighbour:
    """Another module of the driver's system, as far as a test needs one::

        display = Neighbour("Display", functions={"power": lambda state: display.set("power", state)})
        with Module(Room, neighbours=[display]) as module:
            module.call("power", True)
            assert display.calls == [("power", [True])]
    """

    def __init__(
        self,
        name: str,
        index: int = 1,
        *,
        functions: Mapping[str, Callable[..., Any]] | None = None,
        statuses: Mapping[str, Any] | None = None,
        implements: Sequence[str] = (),
    ) -> None:
        """A function is called with the arguments; it refuses by a :class:`CallError`."""
        self.name = name
        self.index = index
        self.implements = implements
        self.functions = dict(functions or {})
        self.statuses = dict(statuses or {})
        #: The calls so far: the function and its arguments.
        self.calls: list[tuple[str, list[Any] | dict[str, Any]]] = []
        self._tell: Callable[[str], None] | None = None

    def set(self, status: str, value: Any) -> None:
        """Publishes a status; ``None`` removes it."""
        self.statuses[status] = value
        if self._tell is not None:
            self._tell(status)

    def _call(self, function: str, arguments: list[Any] | dict[str, Any]) -> Any:
        self.calls.append((function, arguments))
        if function not in self.functions:
            raise CallError(404, f"could not find function {function}")
        if isinstance(arguments, dict):
            return self.functions[function](**arguments)
        return self.functions[function](*arguments)

    def _describe(self) -> dict[str, Any]:
        functions: dict[str, Any] = {name: {} for name in self.functions}
        interface = {"functions": functions, "implements": list(self.implements), "statuses": {}}
        return {"id": f"mod-{self.name}-{self.index}", "name": self.name, "index": self.index, "interface": interface}


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
        neighbours: Sequence[Neighbour] = (),
    ) -> None:
        """Starts it, among its neighbours. Raises :class:`CallError` if it does not start."""
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
        #: The messages that it has published: channel and message of each.
        self.messages: list[tuple[str, Any]] = []
        #: The ids of the calls in which it has called its neighbours; ``None`` for a call outside of any.
        self.calls_within: list[int | None] = []
        self._neighbours = {(neighbour.name, neighbour.index): neighbour for neighbour in neighbours}
        #: What it follows, by the number of the follow.
        self._follows: dict[int, dict[str, Any]] = {}
        for neighbour in neighbours:
            neighbour._tell = functools.partial(self._tell_status, neighbour)
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

    def send(self, channel: str, message: Any) -> None:
        """Sends a message to the channel, as another module would."""
        self._tell(lambda what: what == {"channel": channel}, message)

    def wait_message(self, channel: str, message: Any) -> None:
        """Waits until it has published a message."""
        with self._changed:
            if not self._changed.wait_for(lambda: (channel, message) in self.messages, DEADLINE):
                raise AssertionError(f"{message!r} was not published after {DEADLINE:g} s; there are {self.messages}")

    def wait_follows(self, count: int) -> None:
        """Waits until it follows so many things."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._follows) == count, DEADLINE):
                raise AssertionError(f"it follows {list(self._follows.values())} after {DEADLINE:g} s")

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
        if "method" in message and "id" in message:
            self._serve(message)
            return
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
                case "unfollow":
                    self._follows.pop(params["follow"], None)
                case method:
                    raise AssertionError(f"the driver sent {method!r}")
            self._changed.notify_all()

    def _serve(self, message: dict[str, Any]) -> None:
        """Answers what the driver asks about its neighbours."""
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": message["id"]}
        params = message["params"]
        try:
            answer["result"] = self._result(message["method"], params)
        except CallError as refused:
            answer["error"] = {"code": refused.code, "message": refused.message}
        self._say(answer)
        match message["method"], params:
            case "follow", {"follow": number, "what": {"status": {"module": module, "status": status}}}:
                neighbour = self._neighbours.get((module["name"], module["index"]))
                if neighbour is not None and neighbour.statuses.get(status) is not None:
                    self._say_followed(number, neighbour.statuses[status])

    def _result(self, method: str, params: dict[str, Any]) -> Any:
        match method:
            case "describe_system":
                modules = [neighbour._describe() for neighbour in self._neighbours.values()]
                return {"id": params["system"] or "sys-test", "modules": modules}
            case "read_status":
                return {"value": self._neighbour(params["module"]).statuses.get(params["status"])}
            case "call_module":
                neighbour = self._neighbour(params["module"])
                with self._changed:
                    self.calls_within.append(params.get("call"))
                return {"value": neighbour._call(params["function"], params["arguments"])}
            case "publish":
                with self._changed:
                    self.messages.append((params["channel"], params["message"]))
                    self._changed.notify_all()
                return None
            case "follow":
                with self._changed:
                    self._follows[params["follow"]] = params["what"]
                    self._changed.notify_all()
                return None
            case _:
                raise CallError(-32601, f"riser has no method {method}")

    def _neighbour(self, place: dict[str, Any]) -> Neighbour:
        neighbour = self._neighbours.get((place["name"], place["index"]))
        if neighbour is None:
            raise CallError(404, f"could not find module {place['name']}_{place['index']} in {place['system'] or 'sys-test'}")
        return neighbour

    def _tell_status(self, neighbour: Neighbour, status: str) -> None:
        def is_it(what: dict[str, Any]) -> bool:
            match what:
                case {"status": {"module": {"name": neighbour.name, "index": neighbour.index}, "status": followed}}:
                    return bool(followed == status)
            return False

        self._tell(is_it, neighbour.statuses[status])

    def _tell(self, fits: Callable[[dict[str, Any]], bool], value: Any) -> None:
        with self._changed:
            numbers = [number for number, what in self._follows.items() if fits(what)]
        for number in numbers:
            self._say_followed(number, value)

    def _say_followed(self, number: int, value: Any) -> None:
        self._say({"jsonrpc": "2.0", "method": "followed", "params": {"follow": number, "value": value}})

    def _say(self, message: dict[str, Any]) -> None:
        session = self._session
        assert session is not None, "the loop has started"
        self._loop.call_soon_threadsafe(session.receive, write(message).encode())

    def _end(self) -> None:
        if self._session is not None:
            logging.getLogger(self._driver.__name__).removeHandler(self._session.handler)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._threads[0].join(DEADLINE)
        self._outbox.close()
        self._threads[1].join(DEADLINE)
        self._loop.close()
