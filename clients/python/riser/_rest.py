"""Plain requests to a gateway, each over a connection of its own and made once."""

from __future__ import annotations

import http.client
import urllib.parse
from dataclasses import dataclass
from typing import Any

from . import _json
from ._address import Address, tls
from ._errors import RiserError
from ._limits import CONNECT_DEADLINE, MESSAGE_MAX_BYTES

#: Where PlaceOS's resources stand.
ROOT = "/api/engine/v2"

#: The status of an answer about what is not there at the moment.
UNAVAILABLE = 503

#: What the gateway calls a failure of its own; with that status it is a call that was not begun. A driver may have the status, too.
_UNEXPECTED = "unexpected failure"


def resource(*parts: str, **query: str | int) -> str:
    """A path below the root; any part may have any character."""
    path = "/".join(urllib.parse.quote(part, safe="") for part in parts)
    asked = f"?{urllib.parse.urlencode(query)}" if query else ""
    return f"{ROOT}/{path}{asked}"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    total: int | None
    body: bytes

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 400

    def json(self) -> Any:
        return _json.read(self.body)


class Rest:
    """The requests to one gateway."""

    def __init__(self, address: Address, key: str | None, timeout: float) -> None:
        self.address = address
        self._key = key
        self._timeout = timeout

    def credentials(self) -> dict[str, str]:
        """The header that lets in. In a header and not in the query, which a proxy would log."""
        return {} if self._key is None else {"X-API-Key": self._key}

    def get(self, path: str, what: str) -> Any:
        """Reads a resource; ``what`` names it in an error."""
        answer = self.ask("GET", path)
        if not answer.is_good:
            raise refused(answer, what)
        return self._read(answer)

    def list(self, path: str, page: int, what: str) -> list[Any]:
        """Reads all parts of a list."""
        items: list[Any] = []
        while True:
            answer = self.ask("GET", f"{path}?limit={page}&offset={len(items)}")
            if not answer.is_good:
                raise refused(answer, what)
            more = self._read(answer)
            items.extend(more)
            if not more or len(items) >= (answer.total or 0):
                return items

    def post(self, path: str, body: Any, what: str, headers: dict[str, str] | None = None) -> Any:
        """Makes a request that does something. It is made once, whatever becomes of it."""
        answer = self.ask("POST", path, _json.write(body).encode(), headers)
        if not answer.is_good:
            raise refused(answer, what)
        return self._read(answer)

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        """Sends a request and reads the answer, whatever it says."""
        connection = self._connect()
        sent = {"Content-Type": "application/json"} if body is not None else {}
        sent |= self.credentials() | (headers or {})
        try:
            connection.request(method, f"{self.address.base}{path}", body, sent)
            response = connection.getresponse()
            read = response.read(MESSAGE_MAX_BYTES + 1)
            if len(read) > MESSAGE_MAX_BYTES:
                raise RiserError(f"{self.address}: the answer has more than {MESSAGE_MAX_BYTES} bytes")
            total = response.headers.get("X-Total-Count", "")
            return Answer(response.status, int(total) if total.isdecimal() else None, read)
        except (OSError, http.client.HTTPException) as error:
            effect = "" if method == "GET" else "; whether the call had its effect is not known"
            raise RiserError(f"{self.address} did not answer: {_in_words(error)}{effect}") from error
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self.address.host, self.address.port
        connection = (
            http.client.HTTPSConnection(host, port, timeout=CONNECT_DEADLINE, context=tls())
            if self.address.is_encrypted
            else http.client.HTTPConnection(host, port, timeout=CONNECT_DEADLINE)
        )
        try:
            connection.connect()
        except OSError as error:
            raise RiserError(f"{self.address} cannot be reached: {_in_words(error)}", did_not_run=True) from error
        connection.sock.settimeout(self._timeout)
        return connection

    def _read(self, answer: Answer) -> Any:
        try:
            return answer.json()
        except ValueError:
            raise RiserError(f"{self.address} answers, but not as a gateway") from None


def refused(answer: Answer, what: str) -> RiserError:
    """What an answer says that is no success."""
    try:
        said = answer.json()
    except ValueError:
        said = None
    text = None
    if isinstance(said, dict):
        text = said.get("message") or said.get("error")
    if not isinstance(text, str) or not text:
        text = http.client.responses.get(answer.status, "an unknown status")
    did_not_run = answer.status == UNAVAILABLE and isinstance(said, dict) and said.get("error") == _UNEXPECTED
    return RiserError(f"{what}: {text}", code=answer.status, did_not_run=did_not_run)


def _in_words(error: Exception) -> str:
    return str(error) or type(error).__name__
