"""One module from the gateway's ``start`` to its ``stop``: JSON-RPC 2.0, version 1 of the protocol between gateway and driver.

It has no pipe and no thread of its own: lines come in by :meth:`Session.receive`, on the event loop, and leave through an
:class:`Outbox`. So the test kit runs the same code in memory.

- ``start`` makes the instance and answers with its interface; ``call``, ``settings_changed``, ``ping`` and ``stop`` follow.
- Each request is answered exactly once. Calls begin in the order in which they arrive and run side by side, as far as they are
  ``async``; plain methods run one after another on the :class:`Worker`.
- ``status``, ``signal``, ``log`` and ``interface`` go to the gateway as notifications.
- What the module asks about other modules goes through :class:`Requests`.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import math
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from . import _json
from ._definition import Definition, Period, checked_name, define
from ._driver import Driver
from ._errors import BAD_ARGUMENTS, DRIVER_FAILED, NO_FUNCTION, TOO_LARGE, UNAVAILABLE, Error, Outcome, in_words
from ._kinds import kind_of, short
from ._limits import CALLS_MAX, SLOW_AFTER, STATUSES_MAX, VALUE_MAX_BYTES
from ._log import Lines, shortened
from ._outbox import Outbox
from ._requests import CALL, Requests
from ._worker import Worker

#: The version of the protocol.
PROTOCOL = 1

#: JSON-RPC's codes.
_PARSE_ERROR = -32700
_INVALID_REQUEST = -32600
_NO_METHOD = -32601


class Session:
    """The life of one module."""

    def __init__(self, driver: type[Driver], outbox: Outbox, *, fail: Callable[[str], None]) -> None:
        """``fail`` ends the process, with what it shall say: a coroutine of the driver's own has failed."""
        self.module = ""
        self.uri: str | None = None
        self.log = logging.getLogger(driver.__name__)
        self.handler = Lines(self._send_line)
        self._driver = driver
        self._outbox = outbox
        self._fail = fail
        self._worker = Worker()
        self._definition: Definition | None = None
        #: There as soon as the driver has started.
        self._instance: Driver | None = None
        self._is_asked_to_start = False
        self._calls: set[asyncio.Task[None]] = set()
        self._work: set[asyncio.Task[None]] = set()
        self._stops: set[asyncio.Task[None]] = set()
        self._stopping: asyncio.Task[None] | None = None
        #: Methods of the clock that have their turn, and whether there are none.
        self._turns = 0
        self._rests = asyncio.Event()
        self._rests.set()
        self._loop = asyncio.get_running_loop()
        self.requests = Requests(outbox, self.log, self._perform)
        #: Work that belongs to no call begins in it.
        self._outside = contextvars.copy_context()
        #: Guards the statuses, which plain functions and coroutines set from different threads.
        self._lock = threading.Lock()
        #: The last value of each status, and how it was written.
        self._statuses: dict[str, tuple[Any, str]] = {}
        self._said_unknown = False

    # What the driver says.

    def publish(self, name: str, value: Any) -> None:
        checked_name(name, "the name of a status")
        try:
            text = _json.write(value)
        except TypeError as error:
            raise TypeError(f"the status '{name}' was not published: {error}") from None
        if len(text.encode()) > VALUE_MAX_BYTES:
            message = f"the status '{name}' was not published: it has more than {VALUE_MAX_BYTES} bytes"
            raise Error(message, code=TOO_LARGE)
        # Put under the lock: else the older one of two threads' values could be the last.
        with self._lock:
            if value is None or text == "null":
                if self._statuses.pop(name, None) is not None:
                    self._put_status(name, "null")
                return
            known = self._statuses.get(name)
            if known is not None and known[1] == text:
                return
            if known is None and len(self._statuses) >= STATUSES_MAX:
                message = f"the status '{name}' was not published: there are at most {STATUSES_MAX}"
                raise Error(message, code=TOO_LARGE)
            self._statuses[name] = (value, text)
            self._put_status(name, text)

    def status(self, name: str) -> Any:
        with self._lock:
            return self._statuses.get(name, (None, ""))[0]

    def signal(self, name: str) -> None:
        self._outbox.put(_notification("signal", _json.write({"name": name})))

    def describe_status(self, name: str, annotation: Any, description: str) -> None:
        schema = kind_of(annotation, f"the status '{checked_name(name, 'the name of a status')}'").schema()
        definition = self._definition
        assert definition is not None, "an instance is made after its class has been read"
        with self._lock:
            definition.interface.statuses[name] = (description, schema)
            if self._instance is not None:
                self._outbox.put(_notification("interface", _json.write(definition.interface.describe())))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        # Outside of the call that begins it, which does not wait for it.
        self._loop.call_soon_threadsafe(self._begin_work, work, context=self._outside)

    def _put_status(self, name: str, text: str) -> None:
        params = f'{{"name":{_json.write(name)},"value":{text}}}'
        self._outbox.put_status(name, _notification("status", params))

    def _send_line(self, level: str, message: str) -> None:
        self._outbox.put_line(_line(level, message), _tell_dropped)

    # What the gateway says.

    def receive(self, line: bytes) -> None:
        """Takes one message. Whatever it is, nothing is raised."""
        text = line.decode(errors="replace")
        try:
            message = _json.read(text)
        except (ValueError, RecursionError) as error:
            identity = _json.id_of(text)
            reason = "it is nested too deep" if isinstance(error, RecursionError) else "it is no JSON"
            # What the gateway passes on is a client's, so it is the arguments that cannot be read.
            code = _PARSE_ERROR if identity is None else BAD_ARGUMENTS
            self._refuse(identity, code, f"the message cannot be read: {reason}")
            return
        method = message.get("method") if isinstance(message, dict) else None
        if isinstance(message, dict) and method is None and ("result" in message or "error" in message):
            self.requests.answered(message)
            return
        if not isinstance(message, dict) or not isinstance(method, str):
            self._refuse(None, _INVALID_REQUEST, "a message is an object with a method")
            return
        if "id" not in message:
            is_known = self.requests.notified(method, message.get("params"))
            if not is_known and not self._said_unknown:
                self._said_unknown = True
                self.log.warning("the gateway sent '%s', which this version of the library does not know", short(method))
            return
        identity = message["id"]
        if not isinstance(identity, (int, str)) or isinstance(identity, str) and identity != shortened(identity):
            self._refuse(None, _INVALID_REQUEST, "an id is a text or a whole number")
            return
        self._request(identity, method, message.get("params"))

    def _request(self, identity: Any, method: str, params: Any) -> None:
        params = {} if params is None else params
        if not isinstance(params, dict):
            self._refuse(identity, BAD_ARGUMENTS, f"the parameters of '{method}' are an object")
        elif method == "ping":
            # On the event loop, so that a driver that holds it up for long is found out.
            self._answer(identity, "null")
        elif method == "call":
            self._call(identity, params)
        elif method == "start":
            self._begin(identity, self._start(params), self._calls)
        elif method == "settings_changed":
            self._begin(identity, self._change_settings(params), self._calls)
        elif method == "stop":
            # Not among the calls, which it cuts off.
            self._begin(identity, self._stop(), self._stops)
        else:
            self._refuse(identity, _NO_METHOD, f"there is no method '{short(method)}' in version {PROTOCOL}")

    def _call(self, identity: Any, params: dict[str, Any]) -> None:
        if len(self._calls) >= CALLS_MAX:
            self._refuse(identity, UNAVAILABLE, f"{CALLS_MAX} calls of this module have no answer yet")
            return
        self._begin(identity, self._run_function(identity, params), self._calls)

    def _begin(self, identity: Any, work: Coroutine[Any, Any, str], running: set[asyncio.Task[None]]) -> None:
        """Runs a request beside the others and answers it, whatever happens."""
        task = self._loop.create_task(self._answer_with(identity, work))
        running.add(task)

        def end(task: asyncio.Task[None]) -> None:
            running.discard(task)
            if task.cancelled():
                # Cut off before its first step, so it could not answer by itself.
                work.close()
                self._refuse(identity, UNAVAILABLE, "the module stops")

        task.add_done_callback(end)

    async def _answer_with(self, identity: Any, work: Coroutine[Any, Any, str]) -> None:
        try:
            result = await work
        except asyncio.CancelledError:
            self._refuse(identity, UNAVAILABLE, "the module stops")
        except Error as error:
            self._refuse(identity, error.code, error.message)
        except Exception as error:
            self.log.error("%s", in_words(error), exc_info=error)
            self._refuse(identity, DRIVER_FAILED, in_words(error))
        else:
            self._answer(identity, result)

    async def _start(self, params: dict[str, Any]) -> str:
        if self._is_asked_to_start:
            raise Error("the module has been started already", code=409)
        self._is_asked_to_start = True
        if params.get("protocol") != PROTOCOL:
            raise Error(f"this library speaks version {PROTOCOL} of the protocol; take the one of your gateway's version")
        try:
            definition = define(self._driver)
        except (TypeError, ValueError) as error:
            raise Error(str(error)) from None
        self._definition = definition
        self.module, self.uri = str(params.get("module", "")), params.get("uri")
        settings = definition.read_settings(params.get("settings", {}))
        # The instance can publish from its `__init__` on.
        instance = self._driver.__new__(self._driver)
        instance._session = self
        if definition.settings is not None:
            setattr(instance, "settings", settings)
        try:
            instance.__init__()  # type: ignore[misc]
            await self._run_hook(instance, "start")
            # A period that cannot be one is a failed start, and not a warning later.
            turns = [turn for turn in definition.turns if _seconds(turn[1], instance, turn[0]) is not None]
        except BaseException:
            for task in self._work:
                task.cancel()
            raise
        with self._lock:
            self._instance = instance
            interface = definition.interface.describe()
        for attribute, period in turns:
            self._begin_turn()
            self._begin_work(self._repeat(instance, attribute, period))
        takes_settings = hasattr(instance, "settings_changed")
        ready = {
            "description": definition.description,
            "interface": interface,
            "on_settings_change": "tell" if takes_settings else "restart",
        }
        return _json.write(ready)

    async def _run_function(self, identity: Any, params: dict[str, Any]) -> str:
        # In the context of this call's own task.
        CALL.set(identity if isinstance(identity, int) else None)
        instance, definition = self._running()
        name = params.get("function")
        function = definition.interface.functions.get(name) if isinstance(name, str) else None
        if function is None:
            raise Error(f"could not find function '{short(str(name))}'", code=NO_FUNCTION)
        arguments = function.read(params.get("arguments"))
        result = await self._perform(getattr(instance, function.attribute), function.name, arguments)
        outcome = result if isinstance(result, Outcome) else Outcome(result)
        try:
            value = _json.write(outcome.value)
        except TypeError as error:
            raise Error(f"the result of '{function.name}' cannot be sent: {error}") from None
        if len(value.encode()) > VALUE_MAX_BYTES:
            raise Error(f"the result of '{function.name}' has more than {VALUE_MAX_BYTES} bytes", code=TOO_LARGE)
        return f'{{"value":{value},"code":{outcome.code}}}'

    async def _change_settings(self, params: dict[str, Any]) -> str:
        instance, definition = self._running()
        hook = getattr(instance, "settings_changed", None)
        if hook is None:
            raise Error("the driver takes other settings only at its start")
        settings = definition.read_settings(params.get("settings", {}))
        await self._perform(hook, "settings_changed", {} if definition.settings is None else {"settings": settings})
        if definition.settings is not None:
            setattr(instance, "settings", settings)
        return "null"

    async def _stop(self) -> str:
        await self.stop()
        return "null"

    async def stop(self) -> None:
        """Ends what runs, answers the calls that it cuts off, and gives the driver its chance to put the device in order. Once."""
        if self._stopping is None:
            self._stopping = self._loop.create_task(self._end_all())
        await asyncio.shield(self._stopping)

    async def _end_all(self) -> None:
        instance, self._instance = self._instance, None
        # First, since a plain function may wait for an answer.
        self.requests.end()
        ending = self._work | self._calls
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending)
        if instance is not None:
            await self._run_hook(instance, "stop")

    def _running(self) -> tuple[Driver, Definition]:
        if self._instance is None or self._definition is None:
            raise Error("the module does not run", code=UNAVAILABLE)
        return self._instance, self._definition

    async def _run_hook(self, instance: Driver, name: str) -> None:
        hook = getattr(instance, name, None)
        if hook is not None:
            await self._perform(hook, name, {})

    async def _perform(self, method: Callable[..., Any], name: str, arguments: dict[str, Any]) -> Any:
        if inspect.iscoroutinefunction(method):
            return await method(**arguments)
        told = self._loop.call_later(SLOW_AFTER, self._tell_slow, name)
        try:
            context = contextvars.copy_context()
            return await self._worker.run(lambda: context.run(method, **arguments))
        finally:
            told.cancel()

    def _tell_slow(self, name: str) -> None:
        seconds = f"{SLOW_AFTER:g}"
        self.log.warning("'%s' is not done after %s s; other plain functions wait: make it async", name, seconds)

    async def _repeat(self, instance: Driver, name: str, period: Period) -> None:
        method = getattr(instance, name)
        due = self._loop.time()
        while True:
            try:
                await self._perform(method, name, {})
            except Exception as error:
                self.log.warning("%s: %s", name, in_words(error), exc_info=not isinstance(error, Error))
            # Asked each time, since it may be a setting that changes while the module runs.
            seconds = _seconds(period, instance, name)
            if seconds is None:
                self._end_turn()
                return
            now = self._loop.time()
            due += seconds * max(1, math.ceil((now - due) / seconds))
            self._end_turn()
            await asyncio.sleep(max(0.0, due - now))
            self._begin_turn()

    async def rest(self) -> None:
        """Waits until no method of the clock has its turn; for tests, which put the clock forward then."""
        await self._rests.wait()

    def _begin_turn(self) -> None:
        self._turns += 1
        self._rests.clear()

    def _end_turn(self) -> None:
        self._turns -= 1
        if self._turns == 0:
            self._rests.set()

    def _begin_work(self, work: Coroutine[Any, Any, None]) -> None:
        if self._stopping is not None:
            work.close()
            return
        task = self._loop.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._end_work)

    def _end_work(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.log.critical("work beside the calls has failed: %s", in_words(error), exc_info=error)
            self._fail(in_words(error))

    def _answer(self, identity: Any, result: str) -> None:
        self._outbox.put(f'{{"jsonrpc":"2.0","id":{_json.write(identity)},"result":{result}}}\n'.encode())

    def _refuse(self, identity: Any, code: int, message: str) -> None:
        error = _json.write({"code": code, "message": shortened(message)})
        self._outbox.put(f'{{"jsonrpc":"2.0","id":{_json.write(identity)},"error":{error}}}\n'.encode())


def _notification(method: str, params: str) -> bytes:
    return f'{{"jsonrpc":"2.0","method":"{method}","params":{params}}}\n'.encode()


def _line(level: str, message: str) -> bytes:
    return _notification("log", _json.write({"level": level, "message": message}))


def _tell_dropped(count: int) -> bytes:
    return _line("warn", f"{count} log lines were dropped, since the gateway did not take them")


def _seconds(period: Period, instance: Driver, attribute: str) -> float | None:
    seconds = period(instance) if callable(period) else period
    if seconds is None:
        return None
    if not isinstance(seconds, (int, float)) or not math.isfinite(seconds) or seconds <= 0:
        raise Error(f"the period of '{attribute}' must be a number of seconds, more than 0")
    return float(seconds)
