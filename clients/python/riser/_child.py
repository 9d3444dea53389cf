"""A gateway of the script's own: a child process on a building file, in memory, on a free port of the loopback."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from queue import Empty, Queue
from typing import IO

from ._errors import RiserError
from ._limits import LINES_KEPT, START_DEADLINE, STOP_DEADLINE

#: The key whose secret the child gets in its environment, where no other program sees it.
_KEY_ID = "riser-admin"

_READY = "riser ready "


class Child:
    """A gateway that ends with :meth:`stop`. ``url`` and ``key`` say how it is reached."""

    def __init__(self, building: str | os.PathLike[str]) -> None:
        """Starts it and waits until it is ready. Raises :class:`RiserError`, with what it says of the building file."""
        file = Path(building).absolute()
        if not file.is_file():
            raise RiserError(f"there is no building file {str(building)!r}")
        secret = secrets.token_hex(16)
        self.key = f"{_KEY_ID}.{secret}"
        # What is set for a gateway of its own, such as a place on disk, is not meant for this one.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RISER_")}
        environment |= {"RISER_ADMIN_SECRET": secret, "RISER_LOG": os.environ.get("RISER_LOG", "warn")}
        command = [_binary(), "serve", "--config", os.devnull, "--listen", "127.0.0.1:0", "--building", str(file)]
        try:
            self._process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
        except OSError as error:
            raise RiserError(f"could not start {command[0]}: {error}") from error
        self._said: deque[str] = deque(maxlen=LINES_KEPT)
        self._first: Queue[str] = Queue(1)
        assert self._process.stdout is not None and self._process.stderr is not None
        self._pipes = [
            threading.Thread(target=self._pass_on, args=(self._process.stderr,), daemon=True),
            threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True),
        ]
        for pipe in self._pipes:
            pipe.start()
        try:
            self.url = self._ready()
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def stop(self) -> None:
        """Ends it and waits for its end."""
        process = self._process
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in self._pipes:
            pipe.join(STOP_DEADLINE)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _ready(self) -> str:
        try:
            line = self._first.get(timeout=START_DEADLINE)
        except Empty:
            raise RiserError(f"riser was not ready after {START_DEADLINE:g} s") from None
        if not line.startswith(_READY):
            self._process.wait()
            self._pipes[0].join(STOP_DEADLINE)
            said = "\n".join(self._said) or f"it ended with the code {self._process.returncode}"
            raise RiserError(f"riser did not start: {said}")
        return line.removeprefix(_READY).strip()

    def _listen(self, stdout: IO[str]) -> None:
        with stdout:
            self._first.put(stdout.readline())
            # Read to the end, so that it never waits for room.
            for _ in stdout:
                pass

    def _pass_on(self, stderr: IO[str]) -> None:
        with stderr:
            for line in stderr:
                self._said.append(line.rstrip("\n"))
                # A script that ends may have closed it.
                if sys.stderr is not None and not sys.stderr.closed:
                    sys.stderr.write(line)


def _binary() -> str:
    """The program: ``RISER_BINARY``, or else ``riser`` in the path."""
    named = os.environ.get("RISER_BINARY")
    if named:
        return named
    found = shutil.which("riser")
    if found is None:
        raise RiserError(
            "there is no program riser in PATH; install it, name it in RISER_BINARY, or name a gateway that runs in RISER_URL"
        )
    return found
