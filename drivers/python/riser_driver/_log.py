"""The module's log: whatever goes to the standard module ``logging`` becomes a line that the gateway keeps and shows."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ._limits import LOG_LINE_MAX

#: Every step.
TRACE = 5
#: Normal and significant.
NOTICE = 25

#: The gateway's word for each level, by the lowest number that has it.
_WORDS = (
    (logging.CRITICAL, "fatal"),
    (logging.ERROR, "error"),
    (logging.WARNING, "warn"),
    (NOTICE, "notice"),
    (logging.INFO, "info"),
    (logging.DEBUG, "debug"),
)


def word(level: int) -> str:
    """The gateway's word for a level of ``logging``."""
    return next((word for number, word in _WORDS if level >= number), "trace")


class Lines(logging.Handler):
    """Gives each record to the gateway, with its traceback if it has one."""

    def __init__(self, send: Callable[[str, str], None]) -> None:
        super().__init__()
        self._send = send
        # The level and the time are the gateway's to write.
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = self.format(record)
        except Exception as error:
            # A wrong placeholder in a log line must not end the function that writes it.
            message = f"{record.msg!r} cannot be filled in: {error}"
        self._send(word(record.levelno), shortened(message))


def shortened(message: str) -> str:
    """As much of a message as a log line may have, in characters that UTF-8 has."""
    if len(message) > LOG_LINE_MAX:
        message = f"{message[:LOG_LINE_MAX]}… ({len(message)} characters)"
    return message.encode(errors="replace").decode()
