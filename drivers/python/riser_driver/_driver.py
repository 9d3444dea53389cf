"""The base class of drivers: what an instance can see and say."""

from __future__ import annotations

import logging
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from ._definition import Status
from ._system import Channel, System

if TYPE_CHECKING:
    from ._session import Session


class Driver:
    """What every driver builds on; an instance of it is a *module*.

    The hooks ``start``, ``stop`` and ``settings_changed`` are methods without a decorator, plain or ``async``:

    - ``start(self)`` runs first. What it raises is a failed start; the gateway tries again, later each time.
    - ``stop(self)`` puts the device in order before the process ends.
    - ``settings_changed(self, settings)`` takes other settings while the module runs; ``self.settings`` has the old ones until
      it returns. Without it, and after a failure, the module is started again.

    ``settings: Settings`` in the class, with a dataclass, says what a building file may say under ``settings``.
    ``class Screen(Driver, implements=["Powerable"])`` names the interfaces that it has the functions and statuses of.
    """

    #: The names of the interfaces that the driver implements.
    implements: Sequence[str] = ()

    connected = Status[bool]("Whether the device can be reached.")

    _session: Session

    def __init_subclass__(cls, *, implements: Sequence[str] | None = None, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        if implements is not None:
            cls.implements = tuple(implements)

    @property
    def module(self) -> str:
        """The id of this module."""
        return self._session.module

    @property
    def uri(self) -> str | None:
        """Where the device is, as the building file says it."""
        return self._session.uri

    @property
    def log(self) -> logging.Logger:
        """The module's log, which the gateway keeps and shows; ``log.debug("-> %s", command)`` and so on.

        Other loggers lead there from the level ``INFO`` on, this one with all levels. riser has two more than Python:
        ``log.log(riser_driver.NOTICE, "the lamp was replaced")``, and ``TRACE``.
        """
        return self._session.log

    @property
    def system(self) -> System:
        """The system that this module stands in, with its other modules: ``self.system.get("Display", 1).call("power", True)``."""
        return System(self._session.requests, None)

    def system_by_id(self, system: str) -> System:
        """Any system, by its id."""
        return System(self._session.requests, system)

    def messages(self, channel: str) -> Channel:
        """The messages of a channel, by which modules reach each other without knowing each other."""
        return Channel(self._session.requests, channel)

    def publish(self, name: str, value: Any) -> None:
        """Publishes a status whose name is known only while the module runs; ``None`` removes it.

        Raises ``TypeError`` for what has no JSON form, and :class:`Error` with the code 413 for more than a gateway keeps.
        """
        self._session.publish(name, value)

    def status(self, name: str) -> Any:
        """The last value of one of this module's own statuses; ``None`` without one."""
        return self._session.status(name)

    def signal(self, name: str) -> None:
        """Publishes a status again although it has not changed."""
        self._session.signal(name)

    def describe_status(self, name: str, annotation: Any, description: str = "") -> None:
        """Adds a status to what the module says of itself, with the type of its values: ``describe_status("level_3", float)``."""
        self._session.describe_status(name, annotation, description)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs a coroutine beside the calls, until the module stops.

        An exception in it ends the process, and the gateway starts the module again.
        """
        self._session.spawn(work)
