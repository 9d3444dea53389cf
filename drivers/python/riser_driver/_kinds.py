"""What a type annotation says of JSON: the schema that clients see, how a value is read, and what is said where it does not fit.

One :class:`Kind` per form of annotation. Values are written by ``_json.write``, which needs no annotation.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Annotated, Any, Literal, Union

from . import _json
from ._errors import BadDefinition, Misfit
from ._limits import NAME_SHOWN_MAX

Schema = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Between:
    """The bounds of a number, both within: ``Annotated[int, Between(0, 100)]``. ``None`` is no bound on that side."""

    minimum: float | None = None
    maximum: float | None = None


class Kind(ABC):
    """A type, as far as JSON goes."""

    @property
    @abstractmethod
    def expected(self) -> str:
        """What belongs there, in words for people: ``a number``."""

    @abstractmethod
    def schema(self) -> Schema:
        """Its JSON Schema."""

    @abstractmethod
    def read(self, value: Any) -> Any:
        """The value in Python's terms. Raises :class:`Misfit`."""

    def misfit(self) -> Misfit:
        return Misfit(f"expected {self.expected}")


class Anything(Kind):
    """Whatever is sent."""

    expected = "a value"

    def schema(self) -> Schema:
        return {}

    def read(self, value: Any) -> Any:
        return _json.plain(value)


class Null(Kind):
    expected = "null"

    def schema(self) -> Schema:
        return {"type": "null"}

    def read(self, value: Any) -> None:
        if value is not None:
            raise self.misfit()


class Boolean(Kind):
    expected = "a boolean"

    def schema(self) -> Schema:
        return {"type": "boolean"}

    def read(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self.misfit()
        return value


class Text(Kind):
    expected = "a string"

    def schema(self) -> Schema:
        return {"type": "string"}

    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            raise self.misfit()
        return _json.checked_text(value)


class _Bounded(Kind):
    """A number, perhaps with bounds."""

    word: str
    kind: str

    def __init__(self, bounds: Between = Between()) -> None:
        self._bounds = bounds

    @property
    def expected(self) -> str:
        low, high = self._bounds.minimum, self._bounds.maximum
        if low is not None and high is not None:
            return f"{self.word} from {low} to {high}"
        if low is not None:
            return f"{self.word}, {low} or more"
        if high is not None:
            return f"{self.word}, {high} or less"
        return self.word

    def schema(self) -> Schema:
        schema: Schema = {"type": self.kind}
        if self._bounds.minimum is not None:
            schema["minimum"] = self._bounds.minimum
        if self._bounds.maximum is not None:
            schema["maximum"] = self._bounds.maximum
        return schema

    def _within(self, number: float) -> bool:
        low, high = self._bounds.minimum, self._bounds.maximum
        return (low is None or number >= low) and (high is None or number <= high)


class Integer(_Bounded):
    """A whole number of any size. JSON Schema counts ``5.0`` as one."""

    word = "a whole number"
    kind = "integer"

    def read(self, value: Any) -> int:
        if isinstance(value, _json.Number):
            value = value.whole()
        elif isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not self._within(value):
            raise self.misfit()
        return value


class Float(_Bounded):
    word = "a number"
    kind = "number"

    def read(self, value: Any) -> float:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise self.misfit()
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise Misfit("a number in it is too large")
        if not self._within(number):
            raise self.misfit()
        return number


class Choice(Kind):
    """One of some values: a ``Literal``, or an ``Enum``, whose members are written as their values."""

    def __init__(self, values: Mapping[Any, Any]) -> None:
        # By its JSON text: to Python 1 and True are one key.
        self._values = {_json.write(value): member for value, member in values.items()}

    @property
    def expected(self) -> str:
        names = [text.strip('"') for text in self._values]
        shown = [f"`{name}`" for name in names]
        return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"

    def schema(self) -> Schema:
        values = [_json.read(text) for text in self._values]
        texts = all(isinstance(value, str) for value in values)
        return {"type": "string", "enum": values} if texts else {"enum": values}

    def read(self, value: Any) -> Any:
        if isinstance(value, _json.Number):
            value = value.whole()
        if not isinstance(value, (str, int, type(None))):
            raise self.misfit()
        try:
            return self._values[_json.write(value)]
        except (KeyError, TypeError):
            raise self.misfit() from None


class Array(Kind):
    """A list, or a tuple of any length."""

    expected = "an array"

    def __init__(self, item: Kind, make: Callable[[list[Any]], Any]) -> None:
        self._item = item
        self._make = make

    def schema(self) -> Schema:
        return {"type": "array", "items": self._item.schema()}

    def read(self, value: Any) -> Any:
        if not isinstance(value, list):
            raise self.misfit()
        return self._make([_read_below(self._item, item, f"[{index}]") for index, item in enumerate(value)])


class Tuple(Kind):
    """A tuple with a type for each place."""

    def __init__(self, items: list[Kind]) -> None:
        self._items = items

    @property
    def expected(self) -> str:
        return f"an array of {len(self._items)}"

    def schema(self) -> Schema:
        count = len(self._items)
        return {
            "type": "array",
            "prefixItems": [item.schema() for item in self._items],
            "minItems": count,
            "maxItems": count,
        }

    def read(self, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) != len(self._items):
            raise self.misfit()
        places = enumerate(zip(self._items, value))
        return tuple(_read_below(kind, item, f"[{index}]") for index, (kind, item) in places)


class Map(Kind):
    """A dictionary by name."""

    expected = "an object"

    def __init__(self, item: Kind) -> None:
        self._item = item

    def schema(self) -> Schema:
        return {"type": "object", "additionalProperties": self._item.schema()}

    def read(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.misfit()
        return {_json.checked_text(key): _read_below(self._item, item, short(key)) for key, item in value.items()}


class Either(Kind):
    """The first of several types that fits."""

    def __init__(self, kinds: list[Kind]) -> None:
        self._kinds = kinds

    @property
    def expected(self) -> str:
        return " or ".join(kind.expected for kind in self._kinds)

    def schema(self) -> Schema:
        return {"anyOf": [kind.schema() for kind in self._kinds]}

    def read(self, value: Any) -> Any:
        for kind in self._kinds:
            try:
                return kind.read(value)
            except Misfit as misfit:
                # An object that is nearly right is not told that it should have been null.
                if misfit.path and sum(not isinstance(kind, Null) for kind in self._kinds) == 1:
                    raise
        raise self.misfit()


class Record(Kind):
    """A dataclass: an object with these keys and no others."""

    expected = "an object"

    def __init__(self, make: type, fields: dict[str, tuple[Kind, dataclasses.Field[Any], str]]) -> None:
        self._make = make
        self._fields = fields

    def schema(self) -> Schema:
        properties: Schema = {}
        for name, (kind, field, description) in self._fields.items():
            properties[name] = kind.schema()
            if description:
                properties[name]["description"] = description
            default = default_of(field)
            if default is not dataclasses.MISSING:
                properties[name]["default"] = _json.read(_json.write(default))
        needed = [name for name, (_, field, _) in self._fields.items() if default_of(field) is dataclasses.MISSING]
        schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        return {**schema, "required": needed} if needed else schema

    def read(self, value: Any) -> Any:
        """Raises :class:`Misfit` for the first mistake."""
        made, mistakes = self.read_all(value)
        if mistakes:
            raise mistakes[0]
        return made

    def read_all(self, value: Any) -> tuple[Any, list[Misfit]]:
        """The same with all mistakes at once, for a person who puts a file right."""
        if not isinstance(value, dict):
            return None, [self.misfit()]
        given, mistakes = {}, []
        for name, (kind, field, _) in self._fields.items():
            if name in value:
                try:
                    given[name] = _read_below(kind, value[name], name)
                except Misfit as misfit:
                    mistakes.append(misfit)
            elif default_of(field) is dataclasses.MISSING:
                mistakes.append(Misfit(f"missing `{name}`, {kind.expected}"))
        known = ", ".join(f"`{name}`" for name in self._fields)
        hint = f"expected one of {known}" if self._fields else "there are none"
        mistakes += [Misfit(f"is not known; {hint}", short(name)) for name in value if name not in self._fields]
        if mistakes:
            return None, mistakes
        try:
            return self._make(**given), []
        except (ValueError, TypeError) as error:
            # What `__post_init__` does not like.
            return None, [Misfit(str(error))]


def default_of(field: dataclasses.Field[Any]) -> Any:
    """What stands in for an absent key; ``dataclasses.MISSING`` if it must be there."""
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def short(name: str) -> str:
    """A foreign name as an error repeats it."""
    return name[:NAME_SHOWN_MAX]


def _read_below(kind: Kind, value: Any, step: str) -> Any:
    try:
        return kind.read(value)
    except Misfit as misfit:
        raise misfit.below(step) from None


_PLAIN: dict[Any, Callable[[], Kind]] = {
    Any: Anything,
    object: Anything,
    None: Null,
    type(None): Null,
    bool: Boolean,
    int: Integer,
    float: Float,
    str: Text,
    list: lambda: Array(Anything(), list),
    dict: lambda: Map(Anything()),
}


def kind_of(annotation: Any, place: str, *, within: tuple[type, ...] = ()) -> Kind:
    """What an annotation says. Raises :class:`BadDefinition`, which names the place, for one that has no JSON form.

    ``within`` are the dataclasses around it: one that holds itself would have a schema without end.
    """

    def below(inner: Any) -> Kind:
        return kind_of(inner, place, within=within)

    if typing.get_origin(annotation) is Annotated:
        inner, *notes = typing.get_args(annotation)
        kind = below(inner)
        for note in notes:
            if isinstance(note, Between):
                if not isinstance(kind, (Integer, Float)):
                    raise BadDefinition(f"{place}: Between is for int and float")
                kind = type(kind)(note)
        return kind
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Union, types.UnionType):
        return Either([below(argument) for argument in arguments])
    if origin is None and _is_hashable(annotation) and annotation in _PLAIN:
        return _PLAIN[annotation]()
    if origin is Literal:
        return Choice({value: value for value in arguments})
    if origin is list:
        return Array(below(arguments[0]), list)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return Array(below(arguments[0]), tuple)
    if origin is tuple:
        return Tuple([below(argument) for argument in arguments])
    if origin is dict and arguments[0] is str:
        return Map(below(arguments[1]))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _choice_of(annotation, place)
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        return record_of(annotation, place, within=within)
    name = getattr(annotation, "__name__", None) or str(annotation)
    raise BadDefinition(
        f"{place}: the type {name} has no JSON form; use bool, int, float, str, list[T], dict[str, T], tuple, "
        "Literal, an Enum, a dataclass, JSON, or one of these with | None"
    )


def record_of(annotation: type, place: str, *, within: tuple[type, ...] = ()) -> Record:
    """What a dataclass says."""
    if annotation in within:
        raise BadDefinition(f"{place}: {annotation.__name__} holds itself; give the inner one the type JSON")
    hints = hints_of(annotation, place)
    fields = {}
    for field in dataclasses.fields(annotation):
        if not field.init:
            continue
        where = f"{annotation.__name__}.{field.name}"
        hint = hints[field.name]
        kind = kind_of(hint, where, within=(*within, annotation))
        fields[field.name] = (kind, field, note_of(hint))
    return Record(annotation, fields)


def hints_of(annotated: Any, place: str) -> dict[str, Any]:
    """The annotations of a class or a function, names in texts looked up."""
    try:
        return typing.get_type_hints(annotated, include_extras=True)
    except NameError as error:
        raise BadDefinition(f"{place}: an annotation names {error.name}, which is not there") from error


def note_of(annotation: Any) -> str:
    """The text of ``Annotated[float, "How often"]``; empty without one."""
    if typing.get_origin(annotation) is not Annotated:
        return ""
    notes = typing.get_args(annotation)[1:]
    return next((note for note in notes if isinstance(note, str)), "")


def _choice_of(annotation: type[Enum], place: str) -> Choice:
    for member in annotation:
        if not isinstance(member.value, (str, int)):
            raise BadDefinition(f"{place}: the values of {annotation.__name__} must be texts or whole numbers")
    return Choice({member.value: member for member in annotation})


def _is_hashable(annotation: Any) -> bool:
    try:
        hash(annotation)
    except TypeError:
        return False
    return True
