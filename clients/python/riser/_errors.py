"""What goes wrong."""

from __future__ import annotations


class RiserError(RuntimeError):
    """An action failed, or the gateway could not be asked; the text says why.

    ``code`` is the HTTP status of the answer; ``None`` when there was no answer. ``did_not_run`` says that a call certainly did
    nothing, so that it may be made again. Where it may have been made and has no answer, the text says that it is not known
    whether it had its effect.
    """

    def __init__(self, message: str, *, code: int | None = None, did_not_run: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.did_not_run = did_not_run
