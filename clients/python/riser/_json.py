"""JSON, without what is none."""

from __future__ import annotations

import json
from typing import Any, TypeAlias, Union

JSON: TypeAlias = Union[None, bool, int, float, str, list["JSON"], dict[str, "JSON"]]


def write(value: Any) -> str:
    """Writes a value on one line. Raises ``TypeError`` for what has no JSON form, a float that is not finite among it."""
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise TypeError(f"it has no JSON form: {error}") from None
    except RecursionError:
        raise TypeError("it is nested too deep, or holds itself") from None


def read(text: str | bytes) -> Any:
    """Reads a JSON text. Raises ``ValueError`` if it is none."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")
