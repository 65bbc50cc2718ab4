"""What the contracts of to-do lists need of a provider's bench: the port, the owner's hands in the service's own app, the screws.

A bench lives in ``tests/contracts/todos/<name>_bench.py`` and is found by its file name. It exports

    open_bench(sandbox) -> ContextManager[TodoBench]      one empty list of a freshly reset service

``sandbox`` is the running ``bridge.sandbox.server.Sandbox``. The hands are written without the provider's mapping, so that an
error there can't hide itself.
"""

from __future__ import annotations

import datetime as dt
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from bridge.ical.fields import ObjectFields, Span, TodoFields
from bridge.sync.ports import Account, Remote, RemoteCalendar
from tests.contracts.bench import Mirror, Trouble


class Shown(NamedTuple):
    """A to-do as the service's own app shows it."""

    title: str
    notes: str = ""
    due: dt.date | None = None
    done: bool = False


class TodoBench(Protocol):
    """One empty list of to-dos: the default one. ``calendar.zone`` is where its owner lives: Europe/Vienna."""

    account: Account
    calendar: RemoteCalendar
    remote: Remote
    marked: bool
    """Whether the service keeps a creation key with an object (G-106: Google does not)."""

    # --- the owner in the service's own app; ids are those the port gives (a RemoteObject's)

    def add(self, title: str, *, notes: str = "", due: dt.date | None = None) -> str: ...
    def retitle(self, id: str, title: str) -> None: ...
    def reschedule(self, id: str, due: dt.date | None) -> None: ...
    def finish(self, id: str) -> None: ...
    def reopen(self, id: str) -> None: ...
    def remove(self, id: str) -> None: ...

    def shown(self, id: str) -> Shown: ...

    def titles(self) -> list[str]:
        """Of all that is there, be it done or not; sorted."""
        ...

    def add_list(self, name: str) -> str:
        """Another list; its id, as the port names it."""
        ...

    def remove_list(self, id: str) -> None: ...

    # --- the service

    def page_size(self, size: int) -> None:
        """Let listings come in pages of at most this many."""
        ...

    def forget_cursors(self) -> None: ...

    def trouble(self, kind: Trouble) -> AbstractContextManager[None]:
        """As long as it lasts, every request for lists and what is in them meets it, repeated ones too."""
        ...

    def wait_over(self) -> None:
        """The time has passed that the service asked us to wait."""
        ...

    def requests(self) -> int:
        """How many requests of any kind the service has answered so far."""
        ...

    def writes(self) -> int: ...

    def without_consent(self) -> Account:
        """The same person, connected anew: she has left the box of the to-dos unticked."""
        ...


def due_on(day: dt.date | None) -> Span:
    return Span(None, (day, None) if day else None)


def todo(title: str, **fields: object) -> ObjectFields:
    return ObjectFields(TodoFields(summary=title, **fields))


def read(bench: TodoBench, id: str):
    return bench.remote.lens.read(bench.remote.get(id))


def create(bench: TodoBench, fields: ObjectFields, key: str = "0123456789abcdefghijklmnopqrstuv", uid: str = "hub-uid"):
    return bench.remote.lens.read(bench.remote.create(fields, key=key, uid=uid))


def followed(bench: TodoBench, now: dt.datetime) -> Mirror:
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    return mirror
