'''Drivers for riser in Python 3.11 or newer, with nothing but the standard library.

A driver is a class; a running instance of it is a *module*, a process that the gateway starts::

    from riser_driver import Driver, Status, every, function, run

    class Thermometer(Driver):
        """A thermometer that is always right."""

        temperature = Status[float]("The temperature in °C.")

        def start(self) -> None:
            self.temperature = 21.5

        @function
        def adjust(self, degrees: float = 0.5) -> None:
            """Makes it warmer."""
            self.temperature = (self.temperature or 0.0) + degrees

    if __name__ == "__main__":
        run(Thermometer)

and in the building file ``driver: {command: [python3, thermometer.py]}``.

**Functions.** :func:`function` makes a method one that clients call. Annotations say what they may send: ``bool``, ``int``,
``float``, ``str``, ``list[T]``, ``dict[str, T]``, tuples, ``Literal``, an ``Enum``, a dataclass, :data:`JSON` for anything, and
``T | None``. ``Annotated[int, Between(0, 100)]`` bounds a number. Arguments that do not fit are refused before the method runs,
with the name and what is expected. A function returns what can be JSON, or an :class:`Outcome` with a code; it raises
:class:`Error` with a message for the caller. Any other exception is an answer with the code 500 and a traceback in the log.

**Plain or async.** A plain method may block: all of them run one after another on a thread of their own, so they need no locks
among themselves. One that never returns holds up all plain methods behind it, and the log names it after 10 seconds; give
whatever waits for a device a timeout. ``async`` methods run side by side on the event loop and must not block. Calls begin in
the order in which they arrive.

**Settings.** A dataclass that the class names, ``settings: Settings``. Each mistake in a building file is named with its key and
what is expected. A key's description is a text in ``Annotated[float, "How often it is looked at"]``.

**Work by the clock.** :func:`every` calls a method once per period. ``Driver.spawn`` runs a coroutine until the module stops.

**Other modules.** ``self.system`` is the room: ``self.system.get("Display").call("power", True)`` is on its way at once, and what
it gives is a :class:`Reply`: ``.result()`` waits for it in a plain method, ``await`` in an ``async`` one. Statuses are read and
followed, with a handler; ``self.messages("alarms")`` is for messages among modules.

**Logs.** ``self.log`` and every other logger of the standard module ``logging`` lead into the module's log. ``print`` goes there
too, as a line without a level.

**Tests.** ``riser_driver.testkit`` runs a driver in memory.
'''

from ._definition import Status, every, function
from ._driver import Driver
from ._errors import BadDefinition, Error, Outcome
from ._json import JSON
from ._kinds import Between
from ._log import NOTICE, TRACE
from ._process import run
from ._system import Channel, Follow, ModuleRef, Reply, System

__all__ = [
    "BadDefinition",
    "Between",
    "Channel",
    "Driver",
    "Error",
    "Follow",
    "JSON",
    "ModuleRef",
    "NOTICE",
    "Outcome",
    "Reply",
    "Status",
    "System",
    "TRACE",
    "every",
    "function",
    "run",
]
