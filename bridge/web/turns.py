"""Who works now, who waits, and who has to come again: a web process that is asked more than it can do.

Threads that all want Python's interpreter take it from each other at every statement to the database; eight at once do less than
half of what one does alone. So few work at a time, and the others wait in the order in which they came. The queue has an end:
whoever finds it full is told at once when to come again, which devices heed, and nobody waits for longer than they would.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

WAITING = 250
"""Requests that may wait in one process."""
PATIENCE = 20.0
"""Seconds after which one that waits is sent away, too: phones give up after thirty or sixty."""

_BUSY = b"The server has more to do than it can. Come again in a moment.\n"
_HEADERS = [("Content-Type", "text/plain; charset=utf-8"), ("Retry-After", "10"), ("Content-Length", str(len(_BUSY)))]


class Turns:
    """At most ``at_once`` work and ``waiting`` wait."""

    def __init__(self, at_once: int, waiting: int = WAITING) -> None:
        self._free = at_once
        self._most = waiting
        self._lock = threading.Lock()
        self._queue: deque[threading.Lock] = deque()

    def take(self) -> bool:
        """Wait for a turn, which must be given back. False: there is none to be had."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            if len(self._queue) >= self._most:
                return False
            mine = threading.Lock()
            mine.acquire()
            self._queue.append(mine)
        if mine.acquire(timeout=PATIENCE):
            return True
        with self._lock:
            if mine in self._queue:
                self._queue.remove(mine)
                return False
        return True  # it was handed over in this very moment

    def give(self) -> None:
        with self._lock:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._free += 1

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let others work while this one waits for a client; it is the next one then."""
        self.give()
        try:
            yield
        finally:
            self._retake()

    def _retake(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            mine = threading.Lock()
            mine.acquire()
            self._queue.appendleft(mine)
        mine.acquire()


class _Input(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class _Body:
    """A request's body. Who sends it slowly holds a thread, and nobody's turn."""

    def __init__(self, stream: _Input, turns: Turns) -> None:
        self._stream = stream
        self._turns = turns

    def read(self, size: int = -1, /) -> bytes:
        with self._turns.paused():
            return self._stream.read(size)


def limited(application: WSGIApplication, turns: Turns) -> WSGIApplication:
    """The application, whose answers must be made when it returns: what comes of it later is in nobody's turn."""

    def ask(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not turns.take():
            start_response("503 Service Unavailable", list(_HEADERS))
            return [_BUSY]
        try:
            stream = environ.get("wsgi.input")
            inside = environ if stream is None else {**environ, "wsgi.input": _Body(stream, turns)}
            return application(inside, start_response)
        finally:
            turns.give()

    return ask
