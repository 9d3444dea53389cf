"""How a script that is itself a module runs actions: other modules by the gateway that it is a part of.

What a module cannot ask there, procedures and systems by their names, goes to the gateway that the environment names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riser_driver import Driver, Error, ModuleRef

from ._default import named_gateway
from ._errors import RiserError
from ._gateway import PROCEDURE
from ._names import Rest, function_of, heads, module_of

#: The code of a system that is not there.
_NOT_FOUND = 404

_HOW = "give the module env: {RISER_URL: …, RISER_API_KEY: …}"


class OtherModules:
    """Runs actions for a module."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._gateway = named_gateway()

    def run(self, action: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """The same as :func:`riser.run`."""
        if action.startswith(PROCEDURE):
            if self._gateway is None:
                raise RiserError(f"{action}: a procedure is run by the gateway that RISER_URL names; {_HOW}")
            return self._gateway.run(action, *args, **kwargs)
        try:
            return self._call(action, args, kwargs)
        except Error as error:
            raise RiserError(str(error), code=error.code) from error

    def _call(self, action: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        readings = heads(action)
        for word, rests in readings:
            described = self._described(word)
            if described is not None:
                module, function = self._module(described, rests)
                return module.call(function, *args, **kwargs).result()
        if self._gateway is None:
            system = readings[-1][0]
            raise RiserError(f"there is no system with the id {system!r}; for other names of systems, {_HOW}")
        return self._gateway.run(action, *args, **kwargs)

    def _described(self, system: str) -> dict[str, Any] | None:
        try:
            return self._driver.system_by_id(system).describe().result()
        except Error as error:
            if error.code == _NOT_FOUND:
                return None
            raise

    def _module(self, described: Mapping[str, Any], rests: Sequence[Rest]) -> tuple[ModuleRef, str]:
        modules = {(module["name"], module["index"]): module for module in described["modules"]}
        place, function = module_of(described["id"], rests, modules)
        interface = modules[place.name, place.index].get("interface")
        if interface is not None:
            function = function_of(place, function, interface["functions"])
        return self._driver.system_by_id(place.system).get(place.name, place.index), function
