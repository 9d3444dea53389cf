"""Web hooks as a script writes them: ``@when(WebhookEvent, hook="at_home")``, and what the caller is answered.

It knows nothing of how a request comes in; :mod:`riser.hooks` brings it here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from typing import Any, TypeVar

from . import _json

_LOG = logging.getLogger("riser")

F = TypeVar("F", bound=Callable[..., Any])

_HTML, _JSON = "text/html; charset=utf-8", "application/json"

#: What a handler answers is one of them, with or without a status and headers.
Response = dict[str, Any]

#: What a condition of a handler can name.
_FIELDS = ("hook", "method", "args", "data", "headers")


class WebhookEvent:
    """A call of a hook.

    ``hook`` is the hook's name, ``method`` how it was called, ``args`` what stood in the query, ``data`` the body (JSON, or
    else text), ``headers`` the headers by their names as ``X-Token``.
    """

    def __init__(self, event: Mapping[str, Any]) -> None:
        self.hook: str = event.get("hook") or ""
        self.method: str = event.get("method") or ""
        self.args: dict[str, Any] = dict(event.get("args") or {})
        self.data: Any = event.get("data")
        headers = event.get("headers") or {}
        self.headers: dict[str, str] = {canonical(name): value for name, value in headers.items()}
        self.answer: Future[Response] = Future()

    def send_response(self, response: Any) -> None:
        """Answers the caller at once; the handler goes on. Of several answers the first counts.

        A response is an object, a text, or one of them with a status, ``("Unauthorized", 401)``, and headers.
        """
        try:
            self.answer.set_result(written(response))
        except InvalidStateError:
            _LOG.debug("the hook %s was answered already", self.hook)


@dataclass(frozen=True)
class Handler:
    """A function of a script, and which calls it is for."""

    function: Callable[[WebhookEvent], Any]
    conditions: Mapping[str, Any]

    def is_for(self, event: WebhookEvent) -> bool:
        """Whether everything that it asks for is so."""
        return all(_holds(getattr(event, name), wanted) for name, wanted in self.conditions.items())


#: Those of the script that runs.
handlers: list[Handler] = []


def when(event: type[WebhookEvent], /, **conditions: Any) -> Callable[[F], F]:
    """Has a function called with each call of a hook of which the conditions hold: ``@when(WebhookEvent, hook="at_home")``.

    A condition names a field of the event and its value; of an object the keys that are named count.
    """
    if event is not WebhookEvent:
        raise TypeError("a script is called by hooks alone: @when(WebhookEvent, hook=\"…\")")
    unknown = next((name for name in conditions if name not in _FIELDS), None)
    if unknown is not None:
        raise TypeError(f"a hook's event has no {unknown!r}; it has {', '.join(_FIELDS)}")

    def add(function: F) -> F:
        handlers.append(Handler(function, conditions))
        return function

    return add


def handle(event: WebhookEvent, of_script: list[Handler]) -> None:
    """Has the handlers called, one after another. The event is answered when this returns."""
    for handler in of_script:
        try:
            returned = handler.function(event)
            if returned is not None:
                event.send_response(returned)
        except BaseException as error:
            # What ends a program, such as SystemExit, ends the handler alone.
            failure = error if isinstance(error, Exception) else RuntimeError(repr(error))
            try:
                event.answer.set_exception(failure)
            except InvalidStateError:
                _LOG.exception("%s failed behind its answer", getattr(handler.function, "__name__", "a handler"))
    if not event.answer.done():
        event.send_response(None)


def written(response: Any) -> Response:
    """A response as the gateway takes it. Raises ``TypeError`` or ``ValueError`` for what is none."""
    parts = response if isinstance(response, tuple) else (response,)
    if not 1 <= len(parts) <= 3:
        raise TypeError("a response has a body, a status and headers")
    body, status = parts[0], parts[1] if len(parts) > 1 else 200
    headers = parts[2] if len(parts) > 2 else {}
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise ValueError(f"the status of a response is from 200 to 599, not {status!r}")
    if isinstance(body, bytes):
        body = body.decode()
    kind = _HTML if body is None or isinstance(body, str) else _JSON
    # Now, so that the handler is told and not the log.
    _json.write(body)
    named = {canonical(str(name)): str(value) for name, value in (headers or {}).items()}
    return {"status": status, "headers": {"Content-Type": kind} | named, "body": "" if body is None else body}


def canonical(name: str) -> str:
    """The name of a header as handlers know it: ``x-token`` is ``X-Token``."""
    return "-".join(part.capitalize() for part in name.split("-"))


def _holds(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(value, Mapping) and all(
            name in value and _holds(value[name], inner) for name, inner in wanted.items()
        )
    return bool(value == wanted)
