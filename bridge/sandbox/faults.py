"""Faults on demand: answers that fail, come late, or never come, for the requests a test names."""

from __future__ import annotations

import json
import random
import re
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Phase = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What shall happen to the next ``times`` requests whose method and path match (regular expressions, whole path).

    The path holds the service's prefix and the query: ``/google/calendar/v3/…?syncToken=…``. ``phase`` ``before``: the
    request is not carried out; ``after``: it is carried out, and its answer is lost or replaced (R12). Neither status nor
    drop, only a delay: the true answer comes, late. ``delay`` is in seconds of real time, before or after the request is
    carried out as ``phase`` says.
    """

    method: str = ".*"
    path: str = ".*"
    times: int = 1
    phase: Phase = "before"
    status: int | None = None
    body: Any = None
    """Sent as JSON unless it is bytes."""
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    """Close the connection without an answer."""
    delay: float = 0.0

    def __post_init__(self) -> None:
        for pattern in (self.method, self.path):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
        if self.status is None and not self.drop and not self.delay:
            raise ValueError("a fault needs a status, a drop or a delay")
        if self.phase not in ("before", "after") or self.times < 1:
            raise ValueError("phase is before or after, times is at least 1")

    def matches(self, method: str, path: str) -> bool:
        """Whether it means this request."""
        return bool(re.fullmatch(self.method, method) and re.search(self.path, path))

    def payload(self) -> bytes:
        """The body as it goes over the wire."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class ConnectionDropped(Exception):
    """Raised through WSGI to the listener: close the socket, answer nothing."""


class Faults:
    """The faults still to come, in the order they were injected."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[Fault, int]] = []
        self._scattered: Sequence[Fault] = ()
        self._share = 0.0
        self._dice = random.Random()  # noqa: S311 - no secret
        self.struck: Counter[str] = Counter()
        """How often each of the scattered ones has happened: "503 before", "drop after"."""

    def inject(self, fault: Fault | None = None, /, **fields: Any) -> Fault:
        """Add a fault, given whole or by its fields."""
        added = fault or Fault(**fields)
        with self._lock:
            self._waiting.append((added, added.times))
        return added

    def scatter(self, share: float, *kinds: Fault, seed: int = 0) -> None:
        """Bad weather until ``clear``: that share of the requests which a kind means meets one of the ``kinds``.

        A kind that shall be met more often is given more often. The dice are seeded; their order is that of the requests.
        """
        if not 0 <= share <= 1:
            raise ValueError("the share is between 0 and 1")
        with self._lock:
            self._share, self._scattered, self._dice = share, kinds, random.Random(seed)  # noqa: S311 - no secret
            self.struck.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The first fault that means this request, used up by one; else what the weather brings."""
        with self._lock:
            for index, (fault, left) in enumerate(self._waiting):
                if fault.matches(method, path):
                    if left > 1:
                        self._waiting[index] = (fault, left - 1)
                    else:
                        del self._waiting[index]
                    return fault
            return self._by_chance(method, path)

    def _by_chance(self, method: str, path: str) -> Fault | None:
        meant = [fault for fault in self._scattered if fault.matches(method, path)]
        if not meant or self._dice.random() >= self._share:
            return None
        fault = self._dice.choice(meant)
        self.struck[f"{fault.status or ('drop' if fault.drop else 'late')} {fault.phase}"] += 1
        return fault

    def waiting(self) -> list[tuple[Fault, int]]:
        """What has not happened yet, with how often it still will."""
        with self._lock:
            return list(self._waiting)

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._waiting.clear()
            self._scattered, self._share = (), 0.0
