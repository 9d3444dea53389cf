"""A script with web hooks as a module of a building: ``driver: {command: [python3, -m, riser.hooks, /path/to/script.py]}``.

The module has one function, ``webhook(event)``, which a hook of the building calls::

    hooks:
      - {name: at_home, call: sys-home/Script_1/webhook, args: {event: "{{ event }}"}}

It gives ``{"status": …, "headers": {…}, "body": …}``. What a handler raises is an error of the call.
"""

from __future__ import annotations

import asyncio
import contextvars
import importlib.util
import os
import sys
import threading
from typing import Any

try:
    from riser_driver import JSON, Driver, Error, Status, function
    from riser_driver import run as run_driver
except ImportError:
    sys.exit("riser.hooks: the package riser_driver is missing; it comes with riser, in drivers/python")

from ._default import use_runner
from ._limits import HANDLERS_MAX
from ._modules import OtherModules
from ._webhook import WebhookEvent, handle, handlers

#: What the script is called as a module of Python.
_SCRIPT = "riser_script"


class Script(Driver):
    """A script with hooks."""

    hooks = Status[list[str]]("The names of the hooks that the script answers.")

    def start(self) -> None:
        """Runs the script, which says what it answers."""
        self._room = threading.BoundedSemaphore(HANDLERS_MAX)
        use_runner(OtherModules(self))
        _load(sys.argv[1])
        names = (handler.conditions.get("hook") for handler in handlers)
        self.hooks = sorted({name for name in names if isinstance(name, str)})

    @function
    async def webhook(self, event: JSON) -> Any:
        """Answers a call of a hook: hook, method, args, data, headers."""
        if not isinstance(event, dict):
            raise Error("the event of a hook is an object", code=400)
        called = WebhookEvent(event)
        of_script = [handler for handler in handlers if handler.is_for(called)]
        if not of_script:
            raise Error(f"the script has no handler for the hook {called.hook!r}", code=404)
        if not self._room.acquire(blocking=False):
            raise Error(f"{HANDLERS_MAX} hooks of the script are being answered", code=503)
        # What it calls belongs to this call.
        context = contextvars.copy_context()

        def work() -> None:
            try:
                context.run(handle, called, of_script)
            finally:
                self._room.release()

        # A thread of its own: a handler may go on behind its answer, and must not hold up the end of the process.
        threading.Thread(target=work, name=f"hook {called.hook}", daemon=True).start()
        return await asyncio.wrap_future(called.answer)


def _load(path: str) -> None:
    """Runs a script as Python would, but that it finds what stands beside it."""
    file = os.path.abspath(path)
    sys.path.insert(0, os.path.dirname(file))
    specification = importlib.util.spec_from_file_location(_SCRIPT, file)
    if specification is None or specification.loader is None:
        raise Error(f"{path} is no script of Python")
    module = importlib.util.module_from_spec(specification)
    sys.modules[_SCRIPT] = module
    try:
        specification.loader.exec_module(module)
    except FileNotFoundError as error:
        if error.filename != file:
            raise
        raise Error(f"there is no script {path}") from None


def main() -> None:
    """Runs the script that the command line names."""
    if len(sys.argv) != 2:
        sys.exit("riser.hooks: name one script: python3 -m riser.hooks /path/to/script.py")
    run_driver(Script)


if __name__ == "__main__":
    main()
