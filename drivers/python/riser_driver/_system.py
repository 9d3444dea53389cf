"""Other modules, as a driver names them: the system that a module stands in, its modules, and channels.

All of these name places and hold nothing open, so they may be kept: another module in the place or a restart needs nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

from ._requests import CALL, Answer, Following, Requests

T = TypeVar("T")

#: What is called with each value: a plain method, on the thread of plain methods, or an ``async`` one.
Handler = Callable[[Any], None] | Callable[[Any], Coroutine[Any, Any, None]]


class Reply(Generic[T]):
    """The answer to a request that is on its way: ``await`` it in an ``async`` method, take its :meth:`result` in a plain one.

    It raises an :class:`Error`, whose code says what happened: that of the called driver, or 404 for what is not there, 403 for
    what the module may not do, 429 for too much at a time, 503 for a module that does not run, 504 for no answer within two
    minutes, 508 for a call that would have led back to itself.
    """

    def __init__(self, answer: Answer, read: Callable[[Any], T], loop: asyncio.AbstractEventLoop) -> None:
        self._answer = answer
        self._read = read
        self._loop = loop

    def result(self) -> T:
        """Waits for the answer. For plain methods; other plain methods of the module wait meanwhile."""
        try:
            is_on_loop = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            is_on_loop = False
        if is_on_loop:
            raise RuntimeError("an async method awaits a reply, since result() would hold up everything else")
        return self._read(self._answer.result())

    def __await__(self) -> Generator[Any, None, T]:
        value = yield from asyncio.wrap_future(self._answer).__await__()
        return self._read(value)


class Follow:
    """Something that is followed, until :meth:`stop` or the end of the module."""

    def __init__(self, requests: Requests, following: Following) -> None:
        self._requests = requests
        self._following = following

    def stop(self) -> None:
        """Nothing more is handled."""
        self._requests.unfollow(self._following)


class ModuleRef:
    """A module of a system, by its name and index there. Whichever module stands in the place when it is used is meant."""

    def __init__(self, requests: Requests, system: str | None, name: str, index: int) -> None:
        self._requests = requests
        self._place = {"system": system, "name": name, "index": index}
        self.name = name
        self.index = index

    def call(self, function: str, /, *arguments: Any, **named: Any) -> Reply[Any]:
        """Calls a function, with positional or with named arguments; the value comes with the reply.

        The call is on its way when this returns. The clearance of the function does not matter.
        """
        if arguments and named:
            raise TypeError("arguments are positional or named")
        params: dict[str, Any] = {"module": self._place, "function": function, "arguments": named or list(arguments)}
        call = CALL.get()
        if call is not None:
            params["call"] = call
        return self._ask("call_module", params, f"{self}.{function}")

    def status(self, name: str) -> Reply[Any]:
        """The value that a status has now; ``None`` without one."""
        return self._ask("read_status", {"module": self._place, "status": name}, f"{self}/{name}")

    def follow(self, status: str, handler: Handler) -> Follow:
        """Calls the handler with the status's value if it has one, and with each change; ``None`` when it is gone.

        A handler that is behind gets the latest value. What it raises is a warning in the log.
        """
        what = {"status": {"module": self._place, "status": status}}
        following = self._requests.follow(what, f"{self}/{status}", handler, keeps_all=False)
        return Follow(self._requests, following)

    def _ask(self, method: str, params: dict[str, Any], doing: str) -> Reply[Any]:
        answer = self._requests.ask(method, params, doing)
        return Reply(answer, lambda result: result["value"], self._requests.loop)

    def __str__(self) -> str:
        return f"{self.name}_{self.index}"


class System:
    """A system: the room of this module, looked up whenever it is used, or the one of an id."""

    def __init__(self, requests: Requests, system: str | None) -> None:
        self._requests = requests
        self._id = system

    def get(self, name: str, index: int = 1) -> ModuleRef:
        """The module of this name and index, counted from 1; it need not be there."""
        return ModuleRef(self._requests, self._id, name, index)

    def describe(self) -> Reply[dict[str, Any]]:
        """Its id, and its modules with what they offer, as they are now: ``{"id": …, "modules": [{"id", "name", "index", "interface"}]}``."""
        answer = self._requests.ask("describe_system", {"system": self._id}, str(self))
        return Reply(answer, dict, self._requests.loop)

    def modules(self, name: str | None = None) -> Reply[list[ModuleRef]]:
        """Its modules in its order, or those of a name. This one is among them if it stands there."""
        return self._filtered(lambda module: name is None or module["name"] == name)

    def implementing(self, what: str) -> Reply[list[ModuleRef]]:
        """Its modules that implement an interface or have a function of this name: ``Powerable``, ``power``."""
        return self._filtered(lambda module: _offers(module["interface"], what))

    def follow_modules(self, handler: Handler) -> Follow:
        """Calls the handler, with ``None``, whenever other modules stand there or one of them offers something else."""
        what = {"modules": {"system": self._id}}
        return Follow(self._requests, self._requests.follow(what, str(self), handler, keeps_all=False))

    def _filtered(self, fits: Callable[[Any], bool]) -> Reply[list[ModuleRef]]:
        answer = self._requests.ask("describe_system", {"system": self._id}, str(self))

        def read(described: Any) -> list[ModuleRef]:
            return [self.get(module["name"], module["index"]) for module in described["modules"] if fits(module)]

        return Reply(answer, read, self._requests.loop)

    def __str__(self) -> str:
        return "the module's own system" if self._id is None else self._id


class Channel:
    """A name under which modules send each other messages."""

    def __init__(self, requests: Requests, name: str) -> None:
        self._requests = requests
        self.name = name

    def publish(self, message: Any) -> Reply[None]:
        """Sends a message to all modules on this node that follow the channel, this one too if it does."""
        params = {"channel": self.name, "message": message}
        answer = self._requests.ask("publish", params, f"the channel {self.name}")
        return Reply(answer, lambda _: None, self._requests.loop)

    def follow(self, handler: Handler) -> Follow:
        """Calls the handler with each message from now on."""
        what = {"channel": self.name}
        following = self._requests.follow(what, f"the channel {self.name}", handler, keeps_all=True)
        return Follow(self._requests, following)


def _offers(interface: Any, what: str) -> bool:
    return interface is not None and (what in interface["functions"] or what in interface["implements"])
