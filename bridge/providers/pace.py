"""How fast one account may be asked, and how much at the same time: a token bucket and a number of places (R33, G-99, M-77).

A pace is one account's in one process: everything that speaks for the account goes through the same one, however many objects
do the speaking. What other processes do it cannot know; that is held in check by the queue (``store.pairs.claim_due``).
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bridge.errors import PATIENCE, Paced, ProviderError, Throttled

MOST = 1000
"""Accounts that are remembered; more than a process has at work at once, so only those at rest are forgotten."""

Seconds = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Limits:
    """0 is no limit. ``per_minute`` counts requests, ``writes_per_minute`` those that change one and the same calendar.

    ``at_once`` are requests whose answer is awaited at the same time; ``parts_at_once`` how many of a batch's parts the service
    works on together, for each of them takes a place (M-79).
    """

    per_minute: int = 0
    writes_per_minute: int = 0
    at_once: int = 0
    parts_at_once: int = 1


class Bucket:
    """At most ``per_minute`` tokens in any minute, of which a tenth may be taken at once. Not for several threads.

    Services count in sliding windows (G-99): so what is there at first and what flows in during a minute make up the limit
    together. Whoever must wait has taken the tokens already; those who come later wait behind. A batch that is larger than the
    bucket goes when that is full, and the rest is owed.
    """

    def __init__(self, per_minute: int, now: float) -> None:
        self.size = max(1.0, per_minute / 10)
        self._rate = max(per_minute - self.size, self.size) / 60
        self._tokens = self.size
        self._at = now

    def wait(self, count: int, now: float) -> float:
        """Seconds until ``count`` requests may go out."""
        # a clock that was put back brings nothing and takes nothing
        self._tokens = min(self.size, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now
        return max(0.0, (min(count, self.size) - self._tokens) / self._rate)

    def take(self, count: int) -> None:
        self._tokens -= count


class Pace:
    """One account's. ``clock`` tells seconds from any beginning; ``sleep`` lets them pass."""

    def __init__(
        self, limits: Limits, *, clock: Seconds = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._sleep = sleep
        self._places = threading.Condition()
        self._inside = 0
        self._rest_until = float("-inf")
        self._requests = Bucket(limits.per_minute, clock()) if limits.per_minute else None
        self._writes: OrderedDict[str, Bucket] = OrderedDict()

    @contextmanager
    def turn(self, count: int = 1, *, writes_to: str = "") -> Iterator[None]:
        """Wait for the turn of a request, or of a batch of ``count`` (G-99, M-79), and send it inside.

        ``writes_to`` names the calendar that it changes. Raises Paced if the turn is not to come soon; then nothing was sent,
        and nothing is taken. A Throttled that is raised inside is heeded.
        """
        wait = self._take(count, writes_to)
        if wait:
            self._sleep(wait)
        places = self._enter(count)
        try:
            yield
        except Throttled as refusal:
            self.heed(refusal)
            raise
        finally:
            with self._places:
                self._inside -= places
                self._places.notify_all()

    def heed(self, error: ProviderError) -> ProviderError:
        """An answer that asks for patience means the whole account: nothing more is sent until then. Returns the error."""
        if isinstance(error, Throttled) and not isinstance(error, Paced) and error.retry_after:
            with self._places:
                self._rest_until = max(self._rest_until, self._clock() + error.retry_after)
        return error

    def _take(self, count: int, writes_to: str) -> float:
        with self._places:
            now = self._clock()
            buckets = [bucket for bucket in (self._requests, self._bucket(writes_to, now)) if bucket is not None]
            wait = max([0.0, self._rest_until - now, *(bucket.wait(count, now) for bucket in buckets)])
            if wait > PATIENCE:
                raise _not_yet(wait)
            for bucket in buckets:
                bucket.take(count)
            return wait

    def _bucket(self, calendar: str, now: float) -> Bucket | None:
        if not calendar or not self._limits.writes_per_minute:
            return None
        found = self._writes.setdefault(calendar, Bucket(self._limits.writes_per_minute, now))
        _keep_latest(self._writes, calendar)
        return found

    def _enter(self, count: int) -> int:
        most = self._limits.at_once
        if not most:
            return 0
        places = min(count, self._limits.parts_at_once, most)
        with self._places:
            if not self._places.wait_for(lambda: self._inside + places <= most, timeout=PATIENCE):
                raise _not_yet(PATIENCE)
            self._inside += places
        return places


def _not_yet(wait: float) -> Paced:
    return Paced("we ask this account no faster than its service allows", status=0, retry_after=wait)


class Paces:
    """The paces of a provider's accounts, by a key that names the account for as long as the process lives."""

    def __init__(
        self, limits: Limits, *, clock: Seconds = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._sleep = sleep
        self._kept: OrderedDict[str, Pace] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, account: str) -> Pace:
        """The account's pace; one of its own for "", an account that has no name yet."""
        if not account:
            return self._new()
        with self._lock:
            pace = self._kept.get(account) or self._new()
            self._kept[account] = pace
            _keep_latest(self._kept, account)
            return pace

    def _new(self) -> Pace:
        return Pace(self._limits, clock=self._clock, sleep=self._sleep)


def _keep_latest(kept: OrderedDict[str, Any], used: str) -> None:
    kept.move_to_end(used)
    if len(kept) > MOST:
        kept.popitem(last=False)
