"""What a driver's class says of itself: its functions, statuses, work by the clock and settings, read off its decorators and annotations.

Separate from the base class: this is about the class, ``_driver`` about a running instance.
"""

from __future__ import annotations

import inspect
import typing
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from . import _json
from ._errors import BAD_ARGUMENTS, BadDefinition, Error, Misfit
from ._kinds import Anything, Kind, Null, Record, Schema, hints_of, kind_of, short
from ._limits import NAME_MAX_BYTES

if TYPE_CHECKING:
    from ._driver import Driver

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

#: Who may call a function; a higher clearance includes the lower ones.
Clearance = Literal["user", "support", "admin"]

#: The methods that the library calls by itself.
HOOKS = ("start", "settings_changed", "stop")

#: Where the decorators leave their word.
_FUNCTION = "__riser_function__"
_EVERY = "__riser_every__"


@dataclass(frozen=True)
class _FunctionWord:
    name: str | None
    clearance: Clearance


@overload
def function(method: F, /) -> F: ...
@overload
def function(*, name: str | None = None, clearance: Clearance = "user") -> Callable[[F], F]: ...
def function(
    method: F | None = None, /, *, name: str | None = None, clearance: Clearance = "user"
) -> F | Callable[[F], F]:
    """Makes a method a function that clients call.

    Each parameter has an annotation, which is checked before the method runs; the docstring is the description for people.
    ``name`` is for names that Python's rules do not allow (``"power?"``), ``clearance`` what a caller needs::

        @function
        def switch_to(self, input: Input, fade_seconds: float = 0.5) -> None:
            "Shows another input."
    """
    if clearance not in typing.get_args(Clearance):
        raise BadDefinition(f"a clearance is user, support or admin, not {clearance!r}")

    def mark(method: F) -> F:
        setattr(method, _FUNCTION, _FunctionWord(name, clearance))
        return method

    return mark if method is None else mark(method)


#: A period in seconds, or where it stands: ``lambda self: self.settings.poll_seconds``. ``None`` is never.
Period = float | Callable[[Any], float | None]


def every(seconds: Period) -> Callable[[F], F]:
    """Calls a method by the clock: at once after the start, and then once per period.

    A turn that fails is a warning in the log, and the next one comes. A turn that takes long delays the next; those that it
    missed are left out. The period is in seconds, or a function of the instance, which is asked before each pause; ``None``
    is never::

        @every(lambda self: self.settings.poll_seconds)
        def poll(self) -> None: ...
    """

    def mark(method: F) -> F:
        setattr(method, _EVERY, seconds)
        return method

    return mark


class Status(Generic[T]):
    """A named value that clients see and follow; assigning to it publishes::

        class Lamp(Driver):
            power = Status[bool]("Whether it is lit.")

            def start(self) -> None:
                self.power = False

    An equal value publishes nothing, ``None`` removes the status. Reading gives the last value, ``None`` without one. A list
    that is changed in place is not published: assign a new one. ``name`` is for names that Python's rules do not allow.
    """

    def __init__(self, description: str = "", *, name: str | None = None) -> None:
        self.description = description
        self._name = name

    def __set_name__(self, owner: type, attribute: str) -> None:
        self._name = checked_name(self._name or attribute, "the name of a status")

    @property
    def name(self) -> str:
        """Its name for clients."""
        assert self._name is not None, "a status stands in the class of a driver"
        return self._name

    @property
    def kind(self) -> Kind:
        """The type of its values; any, if the class says ``Status`` and not ``Status[float]``."""
        alias = getattr(self, "__orig_class__", None)
        return kind_of(typing.get_args(alias)[0], f"the status '{self.name}'") if alias else Anything()

    @overload
    def __get__(self, instance: None, owner: type) -> Status[T]: ...
    @overload
    def __get__(self, instance: Driver, owner: type) -> T | None: ...
    def __get__(self, instance: Driver | None, owner: type) -> Status[T] | T | None:
        if instance is None:
            return self
        value: T | None = instance.status(self.name)
        return value

    def __set__(self, instance: Driver, value: T | None) -> None:
        instance.publish(self.name, value)

    def __delete__(self, instance: Driver) -> None:
        instance.publish(self.name, None)


@dataclass(frozen=True)
class Parameter:
    """One parameter of a function."""

    name: str
    kind: Kind
    #: Whether there is something that stands in for an absent argument or ``null``.
    is_optional: bool
    default: Any = None

    def describe(self) -> Schema:
        described: Schema = {"name": self.name, "schema": self.kind.schema()}
        if self.is_optional:
            described["default"] = _json.read(_json.write(self.default))
        return described


@dataclass(frozen=True)
class Function:
    """A function that clients call."""

    name: str
    attribute: str
    description: str
    clearance: Clearance
    parameters: Sequence[Parameter]

    def describe(self) -> Schema:
        return {
            "description": self.description,
            "clearance": self.clearance,
            "parameters": [parameter.describe() for parameter in self.parameters],
        }

    def read(self, arguments: Any) -> dict[str, Any]:
        """The arguments of a call by the names of the parameters, by PlaceOS's rules.

        An array is positional, an object is by name, ``null`` for an optional parameter means its default, and a function
        without parameters ignores what is sent. Raises :class:`Error`, which says which argument and what is expected.
        """
        if not self.parameters:
            return {}
        if isinstance(arguments, list):
            if len(arguments) > len(self.parameters):
                counts = f"given {len(arguments)}, expected {len(self.parameters)}"
                raise _refused(f"wrong number of arguments for '{self.name}' ({counts})")
            given = {parameter.name: argument for parameter, argument in zip(self.parameters, arguments)}
        elif isinstance(arguments, dict):
            given = arguments
            known = {parameter.name for parameter in self.parameters}
            unknown = next((name for name in given if name not in known), None)
            if unknown is not None:
                raise _refused(f"'{self.name}' has no argument '{short(unknown)}'")
        elif arguments is None:
            given = {}
        else:
            raise _refused(f"the arguments of '{self.name}' must be an array or an object")
        return {parameter.name: self._read_one(parameter, given) for parameter in self.parameters}

    def _read_one(self, parameter: Parameter, given: Mapping[str, Any]) -> Any:
        if parameter.name not in given:
            if parameter.is_optional:
                return parameter.default
            raise _refused(f"missing argument '{parameter.name}' of '{self.name}', {parameter.kind.expected}")
        argument = given[parameter.name]
        if argument is None and parameter.is_optional:
            return parameter.default
        try:
            return parameter.kind.read(argument)
        except Misfit as misfit:
            raise _refused(f"argument '{parameter.name}' of '{self.name}': {misfit}") from None


def checked_name(name: str, what: str) -> str:
    """The name, if the gateway takes it: not empty, not too long, no control characters. Raises ``ValueError``."""
    has_control = any(unicodedata.category(character) in ("Cc", "Cs") for character in name)
    if has_control or not 1 <= len(name.encode(errors="replace")) <= NAME_MAX_BYTES:
        raise ValueError(f"{what} has 1 to {NAME_MAX_BYTES} bytes and no control characters: {short(name)!r}")
    return name


def _refused(message: str) -> Error:
    return Error(message, code=BAD_ARGUMENTS)


@dataclass
class Interface:
    """What a module offers. Statuses may be added while it runs."""

    functions: dict[str, Function] = field(default_factory=dict)
    implements: Sequence[str] = ()
    #: The description and the schema of each status.
    statuses: dict[str, tuple[str, Schema]] = field(default_factory=dict)

    def describe(self) -> Schema:
        """As it is on the wire."""
        statuses = self.statuses.items()
        return {
            "functions": {name: function.describe() for name, function in self.functions.items()},
            "implements": list(self.implements),
            "statuses": {name: {"description": text, "schema": schema} for name, (text, schema) in statuses},
        }


@dataclass(frozen=True)
class Definition:
    """All that a driver's class says."""

    description: str
    interface: Interface
    settings: Record | None
    #: The attribute and the period of each method that the clock calls.
    turns: Sequence[tuple[str, Period]]

    def read_settings(self, given: Any) -> Any:
        """A module's settings as the class declares them. Raises :class:`Error`, which names every mistake by its key.

        A driver that declares none is not bothered with what a building file says.
        """
        if self.settings is None:
            return None
        settings, mistakes = self.settings.read_all(given)
        if mistakes:
            text = "; ".join(map(str, mistakes))
            raise Error(f"the module's settings do not fit: {text}", code=BAD_ARGUMENTS)
        return settings


def define(driver: type[Driver]) -> Definition:
    """Reads a driver's class. Raises :class:`BadDefinition`, which names the place."""
    interface = Interface(implements=driver.implements)
    turns: list[tuple[str, Period]] = []
    for attribute, member in _members(driver):
        if isinstance(member, Status):
            if attribute != "connected":
                # The gateway knows that one of every module.
                interface.statuses[member.name] = (member.description, member.kind.schema())
            continue
        word: _FunctionWord | None = getattr(member, _FUNCTION, None)
        if word is not None:
            described = _function(attribute, member, word)
            interface.functions[described.name] = described
        if hasattr(member, _EVERY):
            turns.append((attribute, getattr(member, _EVERY)))
    return Definition(
        description=inspect.cleandoc(driver.__doc__ or ""),
        interface=interface,
        settings=_settings(driver),
        turns=turns,
    )


def _members(driver: type) -> list[tuple[str, Any]]:
    """The members of a class and of those that it builds on, in the order of the source."""
    members: dict[str, Any] = {}
    for base in reversed(driver.__mro__):
        members.update(vars(base))
    return list(members.items())


def _function(attribute: str, method: Callable[..., Any], word: _FunctionWord) -> Function:
    name = checked_name(word.name or attribute, "the name of a function")
    place = f"the function '{name}'"
    if attribute in HOOKS:
        raise BadDefinition(f"{place}: the library calls {attribute} by itself; give the method another name")
    hints = hints_of(method, place)
    parameters = []
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        where = f"the parameter '{parameter.name}' of '{name}'"
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise BadDefinition(f"{where}: a client sends it by name, so write it without * and /")
        if parameter.name not in hints:
            raise BadDefinition(f"{where} has no annotation, such as {parameter.name}: float")
        parameters.append(_parameter(parameter, hints[parameter.name], where))
    return Function(name, attribute, inspect.getdoc(method) or "", word.clearance, parameters)


def _parameter(parameter: inspect.Parameter, hint: Any, place: str) -> Parameter:
    has_default = parameter.default is not parameter.empty
    without_none = _without_none(hint)
    # `None` for such a parameter stands for its absence, and clients are shown what they can send.
    kind = kind_of(hint if without_none is None else without_none, place)
    if isinstance(kind, Null):
        raise BadDefinition(f"{place}: there is nothing to send but null")
    if not has_default:
        return Parameter(parameter.name, kind, is_optional=without_none is not None)
    try:
        _json.write(parameter.default)
    except TypeError as error:
        raise BadDefinition(f"{place}: its default cannot be shown to clients: {error}") from None
    return Parameter(parameter.name, kind, is_optional=True, default=parameter.default)


def _without_none(hint: Any) -> Any | None:
    """``T`` of ``T | None``; ``None`` if there is no such choice."""
    arguments = typing.get_args(hint)
    if type(None) not in arguments or typing.get_origin(hint) is Literal:
        return None
    rest = [argument for argument in arguments if argument is not type(None)]
    return typing.Union[tuple(rest)] if rest else None


def _settings(driver: type) -> Record | None:
    """The dataclass that the class names: ``settings: Settings``."""
    place = f"{driver.__name__}.settings"
    for base in driver.__mro__:
        annotation = vars(base).get("__annotations__", {}).get("settings")
        if annotation is None:
            continue
        # That one alone: the class's others are the author's own, and may name what is there for a type checker only.
        alone = type(base.__name__, (), {"__annotations__": {"settings": annotation}, "__module__": base.__module__})
        kind = kind_of(hints_of(alone, place)["settings"], place)
        if not isinstance(kind, Record):
            raise BadDefinition(f"{place}: the settings are a dataclass")
        return kind
    return None
