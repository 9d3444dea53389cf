"""What tests share: buildings in folders of their own, and programs that run with the library.

``RISER_BINARY`` names the gateway; without it the one that ``cargo build`` makes is taken.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import unittest
from pathlib import Path

LIBRARY = Path(__file__).parents[1]
PROJECT = LIBRARY.parents[1]

#: Where the packages are.
PATHS = f"{LIBRARY}{os.pathsep}{PROJECT / 'drivers' / 'python'}"

#: How long anything may take, in seconds, on a machine that is busy.
DEADLINE = 60.0

BINARY = os.environ.setdefault("RISER_BINARY", str(PROJECT / "target" / "debug" / "riser"))

# The gateways that the tests start give it on to the drivers.
os.environ["PYTHONPATH"] = PATHS
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

NOTES = """
systems:
  - {id: sys-Board, name: Board Room, modules: [mod-notes, mod-more]}
  - {id: sys-hall, name: Hall, modules: [mod-more]}
modules:
  - {id: mod-notes, driver: virtual, name: Notes}
  - {id: mod-more, driver: virtual, name: Notes}
"""


class Folder(unittest.TestCase):
    """A test with a folder of its own."""

    folder: Path

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def save(self, name: str, text: str) -> Path:
        """Writes a file."""
        file = self.folder / name
        file.write_text(textwrap.dedent(text))
        return file

    def script(self, text: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs a script to its end, in the folder."""
        file = self.save("script.py", text)
        names = ("PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "RISER_BINARY")
        environment = {name: os.environ[name] for name in names} | variables
        return subprocess.run(
            [sys.executable, "-S", str(file)],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )


class Relay:
    """Passes connections on to a gateway, until they are cut. It has its own address before there is a gateway."""

    def __init__(self) -> None:
        self._to = ("", 0)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def lead_to(self, url: str) -> None:
        """Passes connections on to this gateway from here on."""
        host, _, port = url.removeprefix("http://").rpartition(":")
        self._to = host, int(port)

    def cut(self) -> None:
        """Ends the connections that are open; others can be made."""
        with self._lock:
            cut, self._open = self._open, []
        for connection in cut:
            # Whoever reads or writes at either end sees it.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Ends everything."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
                far = socket.create_connection(self._to)
            except OSError:
                return
            with self._lock:
                self._open += [near, far]
            threading.Thread(target=_join, args=(near, far), daemon=True).start()


def _join(near: socket.socket, far: socket.socket) -> None:
    with near, far:
        back = threading.Thread(target=_pump, args=(far, near), daemon=True)
        back.start()
        _pump(near, far)
        back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
