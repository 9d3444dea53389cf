"""The gateway that a script means when it names none: that of ``RISER_URL``, or one of its own."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from ._binding import Binding
from ._child import Child
from ._errors import RiserError
from ._gateway import Gateway
from ._limits import MODULES_START_DEADLINE

#: The building file of a script that names none.
_BUILDING = "building.yaml"


class Runner(Protocol):
    """What runs actions in the place of a gateway."""

    def run(self, action: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any: ...


#: Guards what follows.
_lock = threading.RLock()
_building: Path | None = None
_gateway: Gateway | None = None
_child: Child | None = None
_runner: Runner | None = None


def run(action: str, /, *args: Any, **kwargs: Any) -> Any:
    """Runs an action and gives what it returns; raises :class:`riser.RiserError`, a ``RuntimeError``, when it fails.

    An action is a function of a module, ``board_room.display_1.power``, or a procedure of the building, ``procedure.at_home``.
    A system goes by its id or by its name as a word, the first module of a name needs no index, and case does not matter.
    Arguments stand in the order of the function's parameters, or have their names.
    """
    with _lock:
        runner = _runner
    if runner is not None:
        return runner.run(action, args, kwargs)
    return gateway().run(action, *args, **kwargs)


def exec(module: str, function: str, /, *args: Any, **kwargs: Any) -> Any:
    """Calls a function of the module at a place, ``sys-board/Display_1``, and looks nothing up."""
    return gateway().exec(module, function, *args, **kwargs)


def bind(path: str, callback: Callable[[Any], object] | None = None) -> Binding:
    """Follows a status, ``sys-board/Display_1/power``, which need not be there yet.

    The binding is an iterator over its values; a callback is called with each, on a thread of its own.
    """
    return gateway().bind(path, callback)


def gateway() -> Gateway:
    """The gateway, which is started at the first use if the script has one of its own."""
    global _gateway, _child
    with _lock:
        if _gateway is None:
            named = named_gateway()
            if named is None:
                _child = Child(_building or _default_building())
                named = Gateway(_child.url, _child.key, patience=MODULES_START_DEADLINE)
                atexit.register(_end, named, _child)
            _gateway = named
        return _gateway


def _end(own: Gateway, child: Child) -> None:
    """Ends a gateway of the script's own, and first what the script still follows there."""
    own.close()
    child.stop()


def named_gateway() -> Gateway | None:
    """The gateway that the environment names."""
    url = os.environ.get("RISER_URL")
    return Gateway(url, os.environ.get("RISER_API_KEY") or None) if url else None


def use_building(path: str | os.PathLike[str] | None) -> None:
    """Takes the building file of a gateway that is still to be started."""
    global _building
    file = _default_building() if path is None else Path(path).absolute()
    with _lock:
        if _child is not None and file != _building:
            raise RuntimeError("the gateway of another building runs already; name the building before the first action")
        _building = file


def use_runner(runner: Runner) -> None:
    """Has actions run by something else from now on."""
    global _runner
    with _lock:
        _runner = runner


def _default_building() -> Path:
    file = Path(_BUILDING).absolute()
    if not file.is_file():
        raise RiserError(
            f"there is no {_BUILDING} here; name a building file with Config.init(path), or a gateway that runs with RISER_URL"
        )
    return file
