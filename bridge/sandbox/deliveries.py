"""Push notifications on their way out: one thread, in order for each receiver, with retries."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

BACKOFF = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Seconds of real time before the 2nd, 3rd … attempt; after the last the message is given up."""


@dataclass(frozen=True, slots=True)
class Message:
    """One notification. Messages of one ``key`` (a channel, a subscription) arrive in the order they were posted."""

    key: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Attempt:
    """``status`` is None if nobody answered."""

    message: Message
    status: int | None
    number: int


@dataclass(slots=True)
class _Line:
    """The messages of one key, and when the first may be tried again (monotonic seconds)."""

    waiting: deque[Message] = field(default_factory=deque)
    due: float = 0.0
    tried: int = 0


class Deliveries:
    """``retries(status)`` says whether the service tries again after that answer (None: no answer)."""

    def __init__(self, retries: Callable[[int | None], bool], *, timeout: float = 10.0) -> None:
        self._retries = retries
        self._timeout = timeout
        self._wake = threading.Condition()
        self._lines: dict[str, _Line] = {}
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._paused = False
        self._busy = False
        self._drop = 0
        self._double = 0
        self.attempts: list[Attempt] = []

    def post(self, message: Message) -> None:
        """Queue a message; returns at once."""
        with self._wake:
            if self._drop:
                self._drop -= 1
                return
            line = self._lines.setdefault(message.key, _Line())
            line.waiting.append(message)
            if self._double:
                self._double -= 1
                line.waiting.append(message)
            if self._thread is None:
                self._stopping = False
                self._thread = threading.Thread(target=self._run, name="sandbox-deliveries", daemon=True)
                self._thread.start()
            self._wake.notify_all()

    def pause(self) -> None:
        """Hold everything back; what is posted meanwhile waits."""
        with self._wake:
            self._paused = True

    def resume(self) -> None:
        """Send what waited."""
        with self._wake:
            self._paused = False
            self._wake.notify_all()

    def drop(self, count: int) -> None:
        """Lose the next ``count`` messages posted (G-87)."""
        with self._wake:
            self._drop = count

    def double(self, count: int) -> None:
        """Send the next ``count`` messages posted twice."""
        with self._wake:
            self._double = count

    def clear(self) -> None:
        """Forget what waits and what was done, and send normally again."""
        with self._wake:
            self._lines.clear()
            self._paused = False
            self._drop = self._double = 0
            self.attempts = []
            self._wake.notify_all()

    def waiting(self) -> int:
        """How many messages are still to be delivered."""
        with self._wake:
            return sum(len(line.waiting) for line in self._lines.values())

    def wait_idle(self, timeout: float = 10.0) -> bool:
        """Wait until nothing is queued or under way; False if that did not happen in time (paused messages count)."""
        with self._wake:
            return self._wake.wait_for(lambda: not self._busy and not any(self._lines.values()), timeout)

    def stop(self) -> None:
        """End the thread; what still waits is lost."""
        with self._wake:
            self._stopping = True
            thread, self._thread = self._thread, None
            self._lines.clear()
            self._wake.notify_all()
        if thread is not None:
            thread.join(self._timeout + 1)

    def _run(self) -> None:
        with httpx.Client(timeout=self._timeout) as client:
            while (found := self._next()) is not None:
                key, message, number = found
                try:
                    status: int | None = client.post(
                        message.url, headers=dict(message.headers), content=message.body
                    ).status_code
                except httpx.HTTPError:
                    status = None
                self._settle(key, Attempt(message, status, number))

    def _next(self) -> tuple[str, Message, int] | None:
        """Wait for the message that is due first; None when it is time to end."""
        with self._wake:
            while not self._stopping:
                due = min(((line.due, key) for key, line in self._lines.items()), default=None)
                if due is None or self._paused:
                    self._wake.wait()
                elif due[0] > time.monotonic():
                    self._wake.wait(due[0] - time.monotonic())
                else:
                    self._busy = True
                    line = self._lines[due[1]]
                    return due[1], line.waiting[0], line.tried + 1
            return None

    def _settle(self, key: str, attempt: Attempt) -> None:
        with self._wake:
            self._busy = False
            line = self._lines.get(key)
            if line is not None and line.waiting and line.waiting[0] is attempt.message:  # else cleared meanwhile
                self.attempts.append(attempt)
                if attempt.number <= len(BACKOFF) and self._retries(attempt.status):
                    line.tried = attempt.number
                    line.due = time.monotonic() + BACKOFF[attempt.number - 1]
                else:
                    line.waiting.popleft()
                    line.tried, line.due = 0, 0.0
                    if not line.waiting:
                        del self._lines[key]
            self._wake.notify_all()
