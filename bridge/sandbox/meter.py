"""What a service was asked to do, and the mails that the real one would have sent to people (R1-R4)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

READS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to a person outside: ``reason`` is invitation, update, cancellation or response."""

    recipient: str
    reason: str
    event_id: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was answered with 4xx or 5xx: ``reason`` in the service's own words."""

    method: str
    route: str
    status: int
    reason: str = ""


class Meter:
    """Counts since the last reset. ``routes`` is keyed by "METHOD route", the route with its parameters' names.

    ``most_at_once`` is the highest number of requests by one caller that were under way together.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: Counter[str] = Counter()
        self.reset()

    def reset(self) -> None:
        """Start from nothing."""
        with self._lock:
            self.requests = 0
            self.batches = 0
            self.batched = 0
            self.writes = 0
            self.with_attendees = 0
            self.most_at_once = 0
            self.routes: Counter[str] = Counter()
            self.mails: list[Mail] = []
            self.refusals: list[Refusal] = []

    def request(
        self, method: str, route: str, status: int, *, write: bool, attendees: bool = False, reason: str = ""
    ) -> None:
        """Count one answered request; a batch counts by its parts (G-99)."""
        with self._lock:
            self.requests += 1
            self.writes += write
            self.with_attendees += attendees
            self.routes[f"{method} {route}"] += 1
            if status >= 400:
                self.refusals.append(Refusal(method, route, status, reason))

    @contextmanager
    def under_way(self, caller: str) -> Iterator[None]:
        """A request of this caller's (its Authorization), from its arrival to its answer. It is seen, never refused for it."""
        with self._lock:
            self._under_way[caller] += 1
            self.most_at_once = max(self.most_at_once, self._under_way[caller])
        try:
            yield
        finally:
            with self._lock:
                self._under_way[caller] -= 1
                self._under_way += Counter()  # callers that have gone are forgotten

    def batch(self, parts: int) -> None:
        """Count a batch that is about to be carried out; its parts are counted one by one, too."""
        with self._lock:
            self.batches += 1
            self.batched += parts

    @property
    def round_trips(self) -> int:
        """How often somebody waited for an answer: a batch is one, whatever it counts for the quota."""
        return self.requests - self.batched + self.batches

    def mail(self, recipient: str, reason: str, event_id: str, subject: str = "") -> None:
        """Note a mail that the real service would have sent."""
        with self._lock:
            self.mails.append(Mail(recipient, reason, event_id, subject))

    def reading(self) -> dict[str, Any]:
        """All figures, ready for JSON."""
        with self._lock:
            return {
                "requests": self.requests,
                "batches": self.batches,
                "writes": self.writes,
                "requests_with_attendees": self.with_attendees,
                "most_at_once": self.most_at_once,
                "routes": dict(self.routes),
                "mails": [
                    {"recipient": m.recipient, "reason": m.reason, "event": m.event_id, "subject": m.subject}
                    for m in self.mails
                ],
                "refusals": [
                    {"method": r.method, "route": r.route, "status": r.status, "reason": r.reason}
                    for r in self.refusals
                ],
            }
