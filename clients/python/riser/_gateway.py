"""A gateway that runs somewhere, and what a script can do by it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ._address import Address
from ._binding import Binding
from ._errors import RiserError
from ._follow import Socket
from ._limits import ANSWER_DEADLINE, PAGE, PLACES_MAX, RETRY_PAUSE
from ._names import Place, function_of, heads, module_of, place_of, slots_of, system_of
from ._rest import UNAVAILABLE, Rest, refused, resource

#: How the name of an action begins that is a procedure of the building.
PROCEDURE = "procedure."


class Gateway:
    """A gateway at a URL, with an API key, ``<id>.<secret>``. Threads may share it."""

    def __init__(
        self, url: str, key: str | None = None, *, patience: float = 0.0, timeout: float = ANSWER_DEADLINE
    ) -> None:
        """``patience`` is for how many seconds from now on a call that certainly did not run is made again, as while modules start.

        ``timeout`` is how many seconds an answer may take. A call that has none by then may still have its effect.
        """
        self._patient_until = time.monotonic() + patience
        self._rest = Rest(Address.read(url), key, timeout)
        self._socket = Socket(self._rest.address, self._rest.credentials)
        #: Guards what follows: where the actions of the script lead.
        self._lock = threading.Lock()
        self._places: dict[str, tuple[Place, str]] = {}

    def run(self, action: str, /, *args: Any, **kwargs: Any) -> Any:
        """Runs an action and gives what it returns; raises :class:`RiserError` when it fails.

        An action is a function of a module, ``board_room.display_1.power``, or a procedure of the building,
        ``procedure.at_home``. Arguments stand in the order of the function's parameters, or have their names.
        """
        if action.startswith(PROCEDURE):
            return self._run_procedure(action, args, kwargs)
        place, function = self._find(action)
        try:
            return self._call(place, function, args, kwargs)
        except RiserError as error:
            if error.code == 404:
                # The building may have changed, so the next run looks it up again.
                self._forget(action)
            raise

    def exec(self, module: str, function: str, /, *args: Any, **kwargs: Any) -> Any:
        """Calls a function of the module at a place, ``sys-board/Display_1``, and looks nothing up."""
        return self._call(place_of(module), function, args, kwargs)

    def bind(self, path: str, callback: Callable[[Any], object] | None = None) -> Binding:
        """Follows a status, ``sys-board/Display_1/power``, which need not be there yet.

        The binding is an iterator over its values; a callback is called with each, on a thread of its own.
        """
        return Binding(self._socket, path, callback)

    def close(self) -> None:
        """Ends what is followed."""
        self._socket.close()

    def __enter__(self) -> Gateway:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, place: Place, function: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        what = f"{place}/{function}"
        arguments: Any = dict(kwargs) if kwargs else list(args)
        if args and kwargs:
            arguments = self._named(place, function, args, kwargs)
        path = resource("systems", place.system, place.slot, function)
        while True:
            try:
                return self._rest.post(path, arguments, what)
            except RiserError as error:
                if not error.did_not_run or time.monotonic() > self._patient_until:
                    raise
            time.sleep(RETRY_PAUSE)

    def _named(self, place: Place, function: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """All arguments by name, by the order that the module gives."""
        order = self._functions(place).get(function, {}).get("order", [])
        if len(args) > len(order):
            raise RiserError(f"{place}/{function} takes {len(order)} arguments, and {len(args)} were given")
        named: dict[str, Any] = dict(zip(order, args))
        twice = next((name for name in kwargs if name in named), None)
        if twice is not None:
            raise RiserError(f"{place}/{function}: the argument {twice!r} was given twice")
        return named | dict(kwargs)

    def _find(self, action: str) -> tuple[Place, str]:
        with self._lock:
            known = self._places.get(action)
        if known is not None:
            return known
        readings = heads(action)
        word, system, counts = self._system(readings)
        place, function = module_of(system, dict(readings)[word], slots_of(counts))
        try:
            found = place, function_of(place, function, self._functions(place))
        except RiserError as error:
            if error.code == UNAVAILABLE:
                # The module starts, or is away, and has not told its functions; the call says what is the matter.
                return place, function
            raise
        with self._lock:
            if len(self._places) >= PLACES_MAX:
                self._places.clear()
            self._places[action] = found
        return found

    def _forget(self, action: str) -> None:
        with self._lock:
            self._places.pop(action, None)

    def _system(self, readings: Sequence[tuple[str, Any]]) -> tuple[str, str, dict[str, int]]:
        """The word that is a system, its id, and its modules."""
        if len(readings) == 1:
            # Most scripts write the id, and one question is enough to know.
            word = readings[0][0]
            answer = self._rest.ask("GET", resource("systems", word, "types"))
            if answer.is_good and "@" not in word:
                return word, word, answer.json()
            if answer.status != 404 and not answer.is_good:
                raise refused(answer, word)
        listed = self._rest.list(resource("systems"), PAGE, "the systems")
        known = [(system["id"], system.get("name", "")) for system in listed]
        word, system = system_of([word for word, _ in readings], known)
        return word, system, self._rest.get(resource("systems", system, "types"), system)

    def _functions(self, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = self._rest.get(resource("systems", place.system, "functions", place.slot), str(place))
        return found

    def _run_procedure(self, action: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if args and kwargs:
            raise RiserError(f"{action}: the arguments of a procedure are positional or named")
        request = {"type": "request", "action": action, "args": dict(kwargs) if kwargs else list(args)}
        key = self._rest.credentials().get("X-API-Key")
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        answer = self._rest.post("/execute", request, action, headers)
        response = answer.get("response") if isinstance(answer, dict) else None
        if not isinstance(response, dict):
            raise RiserError(f"{action}: it was not done in good time; whether it had its effect is not known")
        errors = response.get("errors") or []
        if errors:
            raise RiserError(str(errors[0]))
        return _returned(response.get("output"))


def _returned(output: Any) -> Any:
    """What a procedure has returned: the gateway's word for nothing, which is Platypush's, is ``{"success": true}``."""
    is_nothing = isinstance(output, dict) and len(output) == 1 and output.get("success") is True
    return None if is_nothing else output
