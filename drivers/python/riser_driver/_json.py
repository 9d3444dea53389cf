"""JSON as it is on the pipe: one message a line, no number rounded on the way in, nothing on the way out that is no JSON.

Separate from the standard module ``json``, which rounds ``12345678901234567890.0``, reads ``NaN``, writes ``Infinity``
and halves of surrogate pairs, and stops at a number of 4 300 digits without saying to which request it belongs.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from ._errors import Misfit
from ._limits import DIGITS_MAX

if TYPE_CHECKING:
    JSON: TypeAlias = Union[None, bool, int, float, str, list["JSON"], dict[str, "JSON"]]
else:
    # A name in an annotation is looked up where the annotation stands, and the inner one would not be found there.
    #: Any JSON value: the type of a parameter that takes whatever is sent.
    JSON = Any

#: A text, or a bracket, which is all that matters for finding the members of the outermost object.
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')

#: What an id looks like behind its name.
_ID = re.compile(r'\s*:\s*(-?\d{1,18}|"(?:[^"\\]|\\.){0,64}")\s*[,}]')


class Number(float):
    """A number with a point, an exponent or very many digits. It remembers how it was written, so a whole one stays exact."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Number:
        number = super().__new__(cls, text)
        number.text = text
        return number

    def whole(self) -> int | None:
        """The whole number that this is, however it is written: ``5.0``, ``5e0``. ``None`` if it has a fraction."""
        decimal = Decimal(self.text)
        if decimal.is_zero():
            return 0
        if decimal.adjusted() > DIGITS_MAX or len(self.text) > DIGITS_MAX:
            raise Misfit("a number in it is too large")
        # Without a context's precision, which would round: the digits behind the point are all zeros or there is a fraction.
        sign, digits, exponent = decimal.as_tuple()
        assert isinstance(exponent, int)
        kept = len(digits) + exponent
        if kept <= 0 or any(digits[kept:]):
            return None
        size = int("".join(map(str, digits[:kept])) + "0" * max(exponent, 0))
        return -size if sign else size


def _integer(text: str) -> int | Number:
    return int(text) if len(text) <= DIGITS_MAX else Number(text)


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def read(line: str) -> Any:
    """Reads a JSON text; numbers that are not plain integers become a :class:`Number`.

    Raises ``ValueError`` if it is none, and ``RecursionError`` if it is nested too deep.
    """
    return json.loads(line, parse_float=Number, parse_int=_integer, parse_constant=_no_constant)


def id_of(line: str) -> JSON:
    """The id of a message that cannot be read as a whole, so that its request is answered all the same; ``None`` without one."""
    depth = 0
    for token in _TOKENS.finditer(line):
        found = token.group()
        if found in "[{":
            depth += 1
        elif found in "]}":
            depth -= 1
        elif depth == 1 and found == '"id"':
            value = _ID.match(line, token.end())
            if value is not None:
                identity: JSON = json.loads(value.group(1))
                return identity
    return None


def plain(value: Any) -> Any:
    """The same JSON in Python's own types alone. Raises :class:`Misfit` for a number that no float holds."""
    if isinstance(value, Number):
        number = float(value)
        if math.isinf(number):
            raise Misfit("a number in it is too large")
        return number
    if isinstance(value, str):
        return checked_text(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {checked_text(key): plain(item) for key, item in value.items()}
    return value


def checked_text(text: str) -> str:
    """The text, if every character of it is one."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Misfit("a text in it has half of a surrogate pair, which is no character") from None
    return text


def write(value: Any) -> str:
    """Writes a value as JSON on one line.

    Dataclasses become objects, enums their values, tuples arrays; a float that is not finite becomes ``null``, since JSON has
    none. Raises ``TypeError`` for anything that has no JSON form.
    """
    try:
        text = json.dumps(_written(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        text.encode()
    except UnicodeEncodeError:
        raise TypeError("a text in it has half of a surrogate pair, which is no character") from None
    except RecursionError:
        raise TypeError("it is nested too deep, or holds itself") from None
    return text


def _written(value: Any) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, Enum):
        return _written(value.value)
    if isinstance(value, int):
        # Such as a subclass with a text of its own.
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [_written(item) for item in value]
    if isinstance(value, dict):
        return {_key(key): _written(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _written(getattr(value, field.name)) for field in dataclasses.fields(value)}
    raise TypeError(f"a value of the type {type(value).__name__} has no JSON form")


def _key(key: Any) -> str:
    if isinstance(key, Enum):
        key = key.value
    if not isinstance(key, str):
        raise TypeError(f"the keys of an object are texts, not of the type {type(key).__name__}")
    return key
