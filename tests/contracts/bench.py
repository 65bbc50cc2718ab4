"""What the contract suite needs of a provider's test bench: the port, the owner's hands in the service's own UI, the screws.

A bench lives in ``tests/contracts/<name>_bench.py`` and is found by its file name. It exports

    open_bench(sandbox) -> ContextManager[Bench]      one empty calendar of a freshly reset service
    open_sign_in(sandbox) -> ContextManager[SignIn]   (where the provider has OAuth) its consent pages
    READ_ONLY = True                                  (where nothing can be written) it runs the contracts marked ``reads``
    PUSHES = False                                    (where the provider has no notifications)

``sandbox`` is the running ``bridge.sandbox.server.Sandbox``. The hands speak raw HTTP to the simulated service, written without
the provider's mapping, so that an error there can't hide itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from bridge.errors import Gone
from bridge.providers.oauth import Provider
from bridge.sync.ports import Account, Remote, RemoteCalendar, RemoteItem, RemoteObject

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


PartTrouble = Literal["busy", "refused", "down", "answer lost"]
"""What a single creation may meet: a Throttled with a Retry-After of 7 s, a 400, a 503, or it is done and not answered."""


class Bench(Protocol):
    """One empty remote calendar."""

    account: Account
    calendar: RemoteCalendar
    remote: Remote
    revives: bool
    """Whether a cancelled occurrence can take place again; if not, trying to raises ``refusal`` before any write."""
    refusal: type[Exception]
    remembers: bool
    """Whether a creation key stays taken when its event is deleted (G-45); of Graph nobody knows (M-34)."""

    by_name: bool
    """Whether the objects of a calendar have names and UIDs of their own (RFC 4791): what a key makes anew has the old id, and
    no two events have one UID."""
    forgets: bool
    """Whether the service keeps the place that a cursor names, and so can forget it."""
    forgets_listings: bool
    """Whether it can forget it between two pages of a listing; not where the cursor itself holds the rest of it."""

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
    def trouble(self, kind: Trouble) -> AbstractContextManager[None]:
        """As long as it lasts, every request to the API meets it, repeated ones too."""
        ...

    def strike_creation(self, number: int, kind: PartTrouble) -> None:
        """The ``number``-th creation from now on meets this, be it a part of a batch or not."""
        ...

    def wait_over(self) -> None:
        """The time has passed that the service asked us to wait."""
        ...

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
    client_secret: str

    def consent(self, url: str) -> Mapping[str, str]:
        """The person agrees in the browser; the query with which it returns to us."""
        ...

    def decline(self, url: str) -> Mapping[str, str]: ...
    def expire_tokens(self) -> None: ...
    def kill_grants(self) -> None: ...

    def rotate(self) -> None:
        """From now on each refresh hands out a new refresh token, and the old one dies."""
        ...

    def token_endpoint_down(self) -> AbstractContextManager[None]: ...
    def refreshes(self) -> int: ...

    def api_calls(self) -> int:
        """Requests so far, those to the OAuth endpoints not counted."""
        ...


def reads(test):
    """Marks a contract that asks nothing of the port but to read: sides that are read-only keep it, too."""
    test.reads_only = True
    return test


def wall(text: str) -> dt.datetime:
    """A naive wall-clock time, "2026-03-29 09:00"."""
    return dt.datetime.fromisoformat(text)


class Receiver(Protocol):
    """A web server that takes notifications of any service."""

    address: str

    def wait_for(self, channel_id: str) -> str:
        """The secret that came with a change notification of this channel; fails after some seconds."""
        ...

    def seen(self) -> set[str]:
        """The channels that told of changes."""
        ...

    def forget(self) -> None: ...


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


class Mirror:
    """What a reader of the port knows of a calendar by following its pages: the inbox, in a few lines."""

    def __init__(self, remote: Remote, now: dt.datetime) -> None:
        self.remote, self.now = remote, now
        self.cursor: str | None = None
        self.items: dict[str, RemoteItem] = {}
        self.pages = 0

    def follow(self) -> set[str]:
        """Read to the end of the round; the ids (of single events and series) it named."""
        named: set[str] = set()
        while True:
            page = self.remote.page(self.cursor, now=self.now)
            self.pages += 1
            for removal in page.removals:
                named.add(removal.id)
                if removal.certain or not self._alive(removal.id):
                    self.items = {id: item for id, item in self.items.items() if removal.id not in (id, item.series)}
            fresh = {item.id: item for item in page.items}
            self.items = {
                id: item for id, item in self.items.items() if item.series not in page.whole or id in fresh
            } | fresh
            named |= {item.series for item in page.items}
            self.cursor = page.cursor
            if not page.more:
                return named

    def objects(self) -> dict[str, RemoteObject]:
        """Everything read through the lens, by id."""
        groups: dict[str, list[RemoteItem]] = {}
        for item in self.items.values():
            groups.setdefault(item.series, []).append(item)
        return {id: self.remote.lens.read(group) for id, group in groups.items()}

    def _alive(self, id: str) -> bool:
        try:
            self.remote.get(id)
        except Gone:
            return False
        return True
