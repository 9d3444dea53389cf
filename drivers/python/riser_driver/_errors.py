"""How a driver says that something failed, and what a call gave besides its value."""

from __future__ import annotations

from typing import Any

#: The codes of the answers that the library itself gives.
BAD_ARGUMENTS = -32602
NO_FUNCTION = 404
TOO_LARGE = 413
TOO_MUCH = 429
DRIVER_FAILED = 500
UNAVAILABLE = 503
NO_ANSWER = 504


class Error(Exception):
    """A failure with a message fit for the person who called.

    ``code`` is HTTP-like, from 400 to 599::

        raise Error("the lamp is still hot", code=409)
    """

    def __init__(self, message: str, *, code: int = DRIVER_FAILED) -> None:
        super().__init__(message)
        if code != BAD_ARGUMENTS and not 400 <= code <= 599:
            raise ValueError(f"the code of an error is from 400 to 599, not {code}")
        self.message = message
        self.code = code


class Misfit(Exception):
    """A value is not of the type that belongs there.

    The text never repeats the value, which may be a password. ``path`` leads down to it: ``ports[1]``.
    """

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path

    def below(self, step: str) -> Misfit:
        """The same mistake, seen from one step further up."""
        joint = "." if self.path and not self.path.startswith("[") else ""
        return Misfit(self.reason, f"{step}{joint}{self.path}")

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


class BadDefinition(TypeError):
    """The driver's class says something that the library cannot offer to the gateway. The text names the place."""


class Outcome:
    """The result of a function with an HTTP-like response code of the driver's choice::

        return Outcome({"job": 7}, code=202)
    """

    __slots__ = ("value", "code")

    def __init__(self, value: Any = None, *, code: int = 200) -> None:
        if not 200 <= code <= 399:
            raise ValueError(f"the code of a result is from 200 to 399, not {code}; raise an Error for a failure")
        self.value = value
        self.code = code


def in_words(error: BaseException) -> str:
    """An exception as a person reads it who does not have the source."""
    text = str(error)
    if isinstance(error, (Error, Misfit)):
        return text
    kind = type(error).__name__
    return f"{kind}: {text}" if text else kind
