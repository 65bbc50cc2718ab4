"""What the contract suite needs of a provider's test bench: the port, the owner's hands in the service's own UI, the screws.

A bench lives in ``tests/contracts/<name>_bench.py`` and is found by its file name. It exports

    open_bench(sandbox) -> ContextManager[Bench]      one empty calendar of a freshly reset service
    open_sign_in(sandbox) -> ContextManager[SignIn]   (where the provider has OAuth) its consent pages

``sandbox`` is the running ``bridge.sandbox.server.Sandbox``. The hands speak raw HTTP to the simulated service, written without
the provider's mapping, so that an error there can't hide itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bridge.providers.oauth import Provider
from bridge.sync.ports import Account, Remote, RemoteCalendar

Start = dt.date | dt.datetime
"""A date, or a naive wall-clock time in the event's zone."""

Trouble = Literal["down", "busy", "answer lost"]
"""A 503; the service's way to say "too fast" with a Retry-After of 7 s where it has one; carried out but never answered."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person types into the service's own page. ``zone`` None: all-day, ``start`` and ``end`` are dates.

    ``rule`` is FREQ=DAILY or FREQ=WEEKLY with COUNT: every service can say that.
    """

    title: str
    start: Start
    end: Start
    zone: str | None = "Europe/Vienna"
    rule: str = ""


class Bench(Protocol):
    """One empty remote calendar."""

    account: Account
    calendar: RemoteCalendar
    remote: Remote

    # --- the owner in the service's own UI; ids are those the port gives (a RemoteObject's)

    def add(self, event: Typed) -> str: ...
    def retitle(self, id: str, title: str) -> None: ...
    def reschedule(self, id: str, start: Start, end: Start) -> None: ...
    def change_rule(self, id: str, rule: str) -> None: ...
    def remove(self, id: str) -> None: ...

    def move_occurrence(self, id: str, original: Start, start: Start, end: Start) -> None: ...
    def retitle_occurrence(self, id: str, original: Start, title: str) -> None: ...
    def remove_occurrence(self, id: str, original: Start) -> None: ...

    def titles(self) -> list[str]:
        """Of every living single event and series, sorted."""
        ...

    def occurrences(self, id: str, start: dt.datetime, end: dt.datetime) -> list[tuple[str, str]]:
        """As the service itself expands a series or shows a single event, sorted: (start, title).

        The start is a date's ISO form for all-day, else "20260329T070000Z" in UTC.
        """
        ...

    # --- the service

    def page_size(self, size: int) -> None:
        """Let listings come in pages of at most this many."""
        ...

    def forget_cursors(self) -> None: ...
    def trouble(self, kind: Trouble, *, times: int = 1) -> None: ...

    def requests(self) -> int:
        """How many requests of any kind the service has answered so far."""
        ...

    def writes(self) -> int: ...

    def mails(self) -> int:
        """How many mails to people the real service would have sent."""
        ...


class SignIn(Protocol):
    """The service's OAuth pages, and what may happen to a grant."""

    provider: Provider

    def consent(self, url: str) -> Mapping[str, str]:
        """The person agrees in the browser; the query with which it returns to us."""
        ...

    def decline(self, url: str) -> Mapping[str, str]: ...
    def expire_tokens(self) -> None: ...
    def kill_grants(self) -> None: ...

    def rotate(self) -> None:
        """From now on each refresh hands out a new refresh token, and the old one dies."""
        ...

    def token_endpoint_down(self, *, times: int = 1) -> None: ...
    def refreshes(self) -> int: ...


class KeptTokens:
    """A ``TokenStore`` in memory that remembers every state that was durable, in order."""

    def __init__(self, grant: str) -> None:
        self.durable = [grant]
        self.fail_next_commit = False

    def load(self) -> str:
        return self.durable[-1]

    def exchange(self, refresh) -> str:
        renewed = refresh(self.load())
        if self.fail_next_commit:
            self.fail_next_commit = False
            raise OSError("disk full")
        self.durable.append(renewed)
        return renewed


def follow(remote: Remote, cursor: str | None, *, now: dt.datetime) -> tuple[dict[str, object], set[str], str, int]:
    """Read pages to the end: items by id, removed ids, the last cursor, the number of pages."""
    items, removed, pages = {}, set(), 0
    while True:
        page = remote.page(cursor, now=now)
        pages += 1
        for item in page.items:
            items[item.id] = item
        removed |= {removal.id for removal in page.removals}
        cursor = page.cursor
        if not page.more:
            return items, removed, cursor, pages


def objects(remote: Remote, items: Sequence[object]) -> Mapping[str, object]:
    """Items grouped by object and read through the lens."""
    groups: dict[str, list] = {}
    for item in items:
        groups.setdefault(item.series, []).append(item)
    return {id: remote.lens.read(group) for id, group in groups.items()}
