"""What a module asks the gateway about other modules: the requests that wait for their answers, and what is followed.

It has no words for people who write drivers, which are in ``_system``; it keeps what is under way, in bounds, and gives each
answer to whoever asked for it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import functools
import logging
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from . import _json
from ._errors import BAD_ARGUMENTS, DRIVER_FAILED, NO_ANSWER, TOO_LARGE, TOO_MUCH, UNAVAILABLE, Error, Misfit, in_words
from ._limits import FOLLOWS_MAX, MESSAGES_MAX, REQUESTS_MAX, VALUE_MAX_BYTES
from ._outbox import Outbox

#: The gateway's call that is being carried out; ``None`` outside of calls. It goes with the call to the thread of plain functions.
CALL: contextvars.ContextVar[int | None] = contextvars.ContextVar("riser_call", default=None)

#: What carries out a handler: the method, its name, its arguments.
Perform = Callable[[Callable[..., Any], str, dict[str, Any]], Coroutine[Any, Any, Any]]

Answer = concurrent.futures.Future[Any]

#: JSON-RPC's code of a gateway that does not know the request.
_NO_METHOD = -32601


class Following:
    """One follow: what has come and waits for the handler."""

    def __init__(self, number: int, what: str, handler: Callable[[Any], Any], *, keeps_all: bool) -> None:
        self.number = number
        self.what = what
        self.handler = handler
        #: A status has its latest value there alone; of a channel each message counts.
        self.waiting: deque[Any] = deque()
        self.keeps_all = keeps_all
        self.came = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


class Requests:
    """The requests and follows of one module."""

    def __init__(self, outbox: Outbox, log: logging.Logger, perform: Perform) -> None:
        self._outbox = outbox
        self._log = log
        self._perform = perform
        self._loop = asyncio.get_running_loop()
        #: Work that belongs to no call begins in it.
        self._outside = contextvars.copy_context()
        #: Guards what follows: plain functions and coroutines ask from different threads.
        self._lock = threading.Lock()
        self._last = 0
        self._answers: dict[int, tuple[str, Answer]] = {}
        self._last_follow = 0
        self._follows: dict[int, Following] = {}
        self._is_over = False

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def ask(self, method: str, params: dict[str, Any], doing: str) -> Answer:
        """Sends a request. Its answer, or an :class:`Error` that begins with what was done, comes to the future."""
        answer: Answer = concurrent.futures.Future()
        text = _json.write(params)
        if len(text.encode()) > VALUE_MAX_BYTES:
            answer.set_exception(Error(f"{doing}: the request has more than {VALUE_MAX_BYTES} bytes", code=TOO_LARGE))
            return answer
        with self._lock:
            if self._is_over:
                answer.set_exception(Error(f"{doing}: the module stops", code=UNAVAILABLE))
            elif len(self._answers) >= REQUESTS_MAX:
                reason = f"{doing}: {REQUESTS_MAX} requests of the module have no answer yet; this one was not made"
                answer.set_exception(Error(reason, code=TOO_MUCH))
            else:
                self._last += 1
                self._answers[self._last] = (doing, answer)
                # Under the lock: the gateway gets requests in the order in which they were made.
                self._outbox.put(
                    f'{{"jsonrpc":"2.0","id":{self._last},"method":"{method}","params":{text}}}\n'.encode()
                )
        return answer

    def answered(self, message: dict[str, Any]) -> None:
        """Takes the answer to a request; one that is not known is passed over."""
        identity = message.get("id")
        with self._lock:
            found = self._answers.pop(identity, None) if isinstance(identity, int) else None
        if found is None:
            return
        doing, answer = found
        error = message.get("error")
        try:
            if error is None:
                answer.set_result(_json.plain(message.get("result")))
            else:
                answer.set_exception(_refused(doing, error))
        except Misfit as misfit:
            answer.set_exception(Error(f"{doing}: the answer cannot be read: {misfit}"))
        except concurrent.futures.InvalidStateError:
            # Who awaited it was cancelled.
            pass

    def follow(self, what: dict[str, Any], words: str, handler: Callable[[Any], Any], *, keeps_all: bool) -> Following:
        """Calls the handler with what comes, one at a time, until :meth:`unfollow`."""
        with self._lock:
            if len(self._follows) >= FOLLOWS_MAX:
                raise Error(f"{words}: a module follows {FOLLOWS_MAX} things at most", code=TOO_MUCH)
            self._last_follow += 1
            following = Following(self._last_follow, words, handler, keeps_all=keeps_all)
            self._follows[following.number] = following
        self._loop.call_soon_threadsafe(self._begin, following, context=self._outside)
        answer = self.ask("follow", {"follow": following.number, "what": what}, words)
        answer.add_done_callback(lambda answer: self._told(following, answer))
        return following

    def unfollow(self, following: Following) -> None:
        with self._lock:
            if self._follows.pop(following.number, None) is None:
                return
            if not self._is_over:
                self._outbox.put(
                    f'{{"jsonrpc":"2.0","method":"unfollow","params":{{"follow":{following.number}}}}}\n'.encode()
                )
        self._loop.call_soon_threadsafe(_end, following)

    def notified(self, method: str, params: Any) -> bool:
        """Takes a notification about a follow; whether it was one."""
        if method not in ("followed", "follow_ended"):
            return False
        number = params.get("follow") if isinstance(params, dict) else None
        with self._lock:
            following = self._follows.get(number) if isinstance(number, int) else None
            if following is not None and method == "follow_ended":
                del self._follows[following.number]
        if following is None:
            # It was given up while this was on its way.
            return True
        if method == "follow_ended":
            _end(following)
            return True
        try:
            value = _json.plain(params.get("value"))
        except Misfit as misfit:
            self._log.warning("%s: what came cannot be read: %s", following.what, misfit)
            return True
        if not following.keeps_all:
            following.waiting.clear()
        elif len(following.waiting) >= MESSAGES_MAX:
            self._log.warning("%s: a message was left out: %d messages wait", following.what, MESSAGES_MAX)
            return True
        following.waiting.append(value)
        following.came.set()
        return True

    def end(self) -> None:
        """Nothing is asked any more: what waits for an answer fails, and nothing more is handled."""
        with self._lock:
            self._is_over = True
            answers, self._answers = self._answers, {}
            follows, self._follows = self._follows, {}
        for following in follows.values():
            _end(following)
        for doing, answer in answers.values():
            if not answer.done():
                reason = f"{doing}: the module stops; whether the request had its effect is not known"
                answer.set_exception(Error(reason, code=NO_ANSWER))

    def _begin(self, following: Following) -> None:
        with self._lock:
            is_there = following.number in self._follows
        if is_there:
            following.task = self._loop.create_task(self._handle(following))

    def _told(self, following: Following, answer: Answer) -> None:
        error = answer.exception()
        if error is None:
            return
        with self._lock:
            was_there = self._follows.pop(following.number, None) is not None
        if was_there:
            self._log.warning("could not follow %s", in_words(error))
            self._loop.call_soon_threadsafe(_end, following)

    async def _handle(self, following: Following) -> None:
        name = getattr(following.handler, "__name__", "the handler")
        while True:
            await following.came.wait()
            value = following.waiting.popleft()
            if not following.waiting:
                following.came.clear()
            try:
                await self._perform(functools.partial(following.handler, value), name, {})
            except Exception as error:
                is_said = isinstance(error, Error)
                self._log.warning("%s: %s: %s", following.what, name, in_words(error), exc_info=not is_said)


def _end(following: Following) -> None:
    if following.task is not None:
        following.task.cancel()


def _refused(doing: str, error: Any) -> Error:
    code = error.get("code") if isinstance(error, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    if code == _NO_METHOD:
        # A gateway that is older than this library.
        code = UNAVAILABLE
    elif code == BAD_ARGUMENTS:
        # Those of the request, and not those of the call in which it was made.
        code = 400
    elif not isinstance(code, int) or not 400 <= code <= 599:
        code = DRIVER_FAILED
    return Error(f"{doing}: {message}", code=code)
