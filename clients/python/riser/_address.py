"""Where a gateway is: its URL, taken apart."""

from __future__ import annotations

import ssl
import urllib.parse
from dataclasses import dataclass
from functools import cache

from ._errors import RiserError


@dataclass(frozen=True)
class Address:
    """A gateway's host and port, the path in front of its own, and whether it is spoken to by TLS."""

    host: str
    port: int
    is_encrypted: bool
    base: str

    @staticmethod
    def read(url: str) -> Address:
        """``http://host:3000``, ``https://example.org/riser``."""
        try:
            parts = urllib.parse.urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise RiserError(f"{url!r} is no address of a gateway: {error}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
            raise RiserError(f"{url!r} is no address of a gateway; write http://127.0.0.1:3000 or https://example.org")
        is_encrypted = parts.scheme == "https"
        return Address(parts.hostname, port or (443 if is_encrypted else 80), is_encrypted, parts.path.rstrip("/"))

    @property
    def authority(self) -> str:
        """The host and the port, as the header ``Host`` has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{'https' if self.is_encrypted else 'http'}://{self.authority}{self.base}"


@cache
def tls() -> ssl.SSLContext:
    """How certificates are checked: by the system's authorities, or those of ``SSL_CERT_FILE``."""
    return ssl.create_default_context()
