"""A driver as a process of its own: the pipes to the gateway, and the end.

Standard output belongs to the protocol. It is taken away from the driver's own code at the start: what ``print`` writes, and
what programs write that the driver starts, goes to standard error, which the gateway keeps as the module's log.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Callable

from ._driver import Driver
from ._errors import in_words
from ._limits import FLUSH_DEADLINE, INBOX_MAX, MESSAGE_MAX_BYTES, STOP_DEADLINE
from ._log import TRACE
from ._outbox import Outbox
from ._session import Session

#: How much is read at once, in bytes.
_READ_BYTES = 64 * 1024


def run(driver: type[Driver]) -> None:
    """Runs a driver as the process that the gateway has started, and ends with it.

    It returns when standard input ends; after a failure the process exits with the code 1.
    """
    if sys.stdin is not None and sys.stdin.isatty():
        name = driver.__name__
        print(
            f"riser_driver: {name} speaks with a gateway on its standard input and output.\n"
            f"Name it in a building file: driver: {{command: [python3, {os.path.basename(sys.argv[0])}]}}",
            file=sys.stderr,
        )
        sys.exit(2)
    pipes = _take_pipes()
    _take_logs(driver)
    try:
        complaint = asyncio.run(_serve(driver, *pipes))
    except KeyboardInterrupt:
        # Ctrl-C in the gateway's terminal reaches its drivers as well; the gateway has more to say about it.
        sys.exit(130)
    if complaint is not None:
        print(f"riser_driver: {complaint}", file=sys.stderr)
        sys.exit(1)


def _take_pipes() -> tuple[int, int]:
    """The descriptors of the pipes from and to the gateway, which nobody else can reach any more."""
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    # What was printed before and waits in a buffer goes there, too.
    sys.stdout.flush()
    sys.stdout = sys.stderr
    return incoming, outgoing


def _take_logs(driver: type[Driver]) -> None:
    """Opens the levels: all for the driver's own file, what matters for everyone else's."""
    logging.getLogger().setLevel(logging.INFO)
    for name in (driver.__name__, driver.__module__):
        logging.getLogger(name).setLevel(TRACE)


async def _serve(driver: type[Driver], incoming: int, outgoing: int) -> str | None:
    """Serves the gateway until it closes the pipe. Gives what to complain of, if it ends for another reason."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[str | None] = loop.create_future()

    def end(complaint: str | None) -> None:
        if not ended.done():
            ended.set_result(complaint)

    def end_from_thread(complaint: str | None) -> None:
        try:
            loop.call_soon_threadsafe(end, complaint)
        except RuntimeError:
            # The loop has ended already.
            pass

    outbox = Outbox()
    session = Session(driver, outbox, fail=end)
    logging.getLogger().addHandler(session.handler)
    room = threading.BoundedSemaphore(INBOX_MAX)

    def receive(line: bytes) -> None:
        room.release()
        session.receive(line)

    def forward(line: bytes) -> None:
        room.acquire()
        loop.call_soon_threadsafe(receive, line)

    writer = threading.Thread(target=_write, args=(outgoing, outbox, end_from_thread), name="riser-write", daemon=True)
    reader = threading.Thread(target=_read, args=(incoming, forward, end_from_thread), name="riser-read", daemon=True)
    writer.start()
    reader.start()
    complaint = await ended
    try:
        await asyncio.wait_for(session.stop(), STOP_DEADLINE)
    except TimeoutError:
        complaint = complaint or f"stop was not done after {STOP_DEADLINE:g} s"
    except Exception as error:
        complaint = complaint or f"stop: {in_words(error)}"
    logging.getLogger().removeHandler(session.handler)
    outbox.close()
    await asyncio.to_thread(writer.join, FLUSH_DEADLINE)
    return complaint


def _read(incoming: int, forward: Callable[[bytes], None], end: Callable[[str | None], None]) -> None:
    """Reads lines until the pipe ends.

    From the descriptor and not through ``sys.stdin``: a thread that waits inside of that one brings the interpreter down at its
    end.
    """
    line = bytearray()
    try:
        while chunk := os.read(incoming, _READ_BYTES):
            *whole, rest = chunk.split(b"\n")
            for part in whole:
                line += part
                if line:
                    forward(bytes(line))
                line.clear()
            line += rest
            if len(line) > MESSAGE_MAX_BYTES:
                end(f"the gateway sent a line of more than {MESSAGE_MAX_BYTES} bytes")
                return
    except OSError as error:
        end(f"could not read from the gateway: {error}")
    except RuntimeError:
        # The loop has ended.
        pass
    else:
        end(None)


def _write(outgoing: int, outbox: Outbox, end: Callable[[str | None], None]) -> None:
    """Writes what waits until there will be no more."""
    try:
        while (waiting := outbox.take()) is not None:
            rest = memoryview(waiting)
            while rest:
                rest = rest[os.write(outgoing, rest) :]
    except BrokenPipeError:
        # The gateway is gone, and there is nobody to complain to.
        end(None)
    except OSError as error:
        end(f"could not write to the gateway: {error}")
