"""The state of one mailbox: calendars, events, and a log of changes by revision. No rules, no HTTP.

Every change raises the mailbox's revision and is noted in the log of its calendar, so that a delta round costs as much as
there are changes (M-21).
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from bridge.sandbox.graph import recurrence, zones
from bridge.sandbox.graph.recurrence import Recurrence

Change = Literal["created", "updated", "deleted"]
DEFAULT_CALENDAR = 1


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a mailbox; ``zone`` is the Windows name of its time zone."""

    number: int
    address: str
    name: str
    zone: str
    id: str
    tenant: str


@dataclass(slots=True)
class Calendar:
    """A calendar of a mailbox; it has neither a time zone nor a description (M-11)."""

    number: int
    name: str
    color: str
    revision: int


@dataclass(frozen=True, slots=True)
class Span:
    """When something is: naive wall clock times, each in its own zone (Windows names); the end is exclusive."""

    start: dt.datetime
    end: dt.datetime
    start_zone: str
    end_zone: str
    all_day: bool = False
    starts_at: dt.datetime = field(init=False, compare=False)
    ends_at: dt.datetime = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts_at", zones.to_instant(self.start, self.start_zone))
        object.__setattr__(self, "ends_at", zones.to_instant(self.end, self.end_zone))

    def on(self, day: dt.date) -> Span:
        """The same wall clock times on another day."""
        moved = dt.timedelta(days=(day - self.start.date()).days)
        if not moved:
            return self
        return Span(self.start + moved, self.end + moved, self.start_zone, self.end_zone, self.all_day)

    def touches(self, start: dt.datetime, end: dt.datetime) -> bool:
        """Whether it lies at least partly in [start, end); a moment without length does if it is inside."""
        return self.starts_at < end and (self.ends_at > start or self.starts_at == self.ends_at >= start)


@dataclass(slots=True)
class ExceptionOccurrence:
    """A modified occurrence: only the fields it does not share with its series, and its times if they differ."""

    fields: dict[str, Any] = field(default_factory=dict)
    span: Span | None = None


@dataclass(slots=True)
class Event:
    """A single event or a series master. ``fields`` are Graph's properties as they are kept, bodies as HTML."""

    number: int
    calendar: int
    span: Span
    fields: dict[str, Any]
    created: dt.datetime
    modified: dt.datetime
    revision: int = 0
    placement: int = 0
    recurrence: Recurrence | None = None
    exceptions: dict[dt.date, ExceptionOccurrence] = field(default_factory=dict)
    cancelled: set[dt.date] = field(default_factory=set)
    transaction_id: str | None = None
    ical_uid: str = ""
    organizer_copy: dict[str, Any] | None = None
    """What the organizer last sent, if somebody else organises it: his next update puts that back (M-56)."""

    @property
    def own(self) -> bool:
        """Whether the mailbox's person organises it (M-54)."""
        return self.organizer_copy is None

    def occurs(self, day: dt.date) -> bool:
        """Whether there is an occurrence of this original day, regular or modified."""
        return self.recurrence is not None and day not in self.cancelled and recurrence.occurs(self.recurrence, day)

    def span_of(self, day: dt.date | None) -> Span:
        """When an occurrence is, or the event itself."""
        if day is None:
            return self.span
        changed = self.exceptions.get(day)
        return changed.span if changed and changed.span else self.span.on(day)

    def fields_of(self, day: dt.date | None) -> dict[str, Any]:
        """The fields of an occurrence: its own before those of its series."""
        changed = self.exceptions.get(day) if day else None
        return self.fields | changed.fields if changed else self.fields

    def days(self, start: dt.datetime, end: dt.datetime) -> list[dt.date]:
        """The original days of the occurrences that lie in a window, in the order of their start."""
        if self.recurrence is None:
            return []
        length = self.span.end - self.span.start
        first = (start - length).date() - dt.timedelta(days=2)
        found = [
            day
            for day in recurrence.between(self.recurrence, first, end.date() + dt.timedelta(days=2))
            if day not in self.cancelled and day not in self.exceptions and self.span.on(day).touches(start, end)
        ]
        found += [day for day in self.exceptions if self.span_of(day).touches(start, end)]
        return sorted(found, key=lambda day: self.span_of(day).starts_at)

    def touches(self, start: dt.datetime, end: dt.datetime) -> bool:
        """Whether it, or any occurrence of it, lies in a window."""
        return bool(self.days(start, end)) if self.recurrence else self.span.touches(start, end)


@dataclass(frozen=True, slots=True)
class Logged:
    """One line of a calendar's log: an event was written, or left this calendar from this placement."""

    revision: int
    number: int
    placement: int


Watcher = Callable[["Mailbox", Event, Change], None]


class Mailbox:
    """The calendars and events of one person. Not locked here: the service holds its lock around every call."""

    def __init__(self, person: Person, clock: Callable[[], dt.datetime]) -> None:
        self.person = person
        self.clock = clock
        self.revision = 0
        self.calendars: dict[int, Calendar] = {}
        self.events: dict[int, Event] = {}
        self.gone: dict[int, Event] = {}
        self.watchers: list[Watcher] = []
        self._log: dict[int, list[Logged]] = {}
        self._transactions: dict[str, int] = {}
        self._numbers = 0
        self.add_calendar("Calendar", "auto")

    def add_calendar(self, name: str, color: str) -> Calendar:
        """A new, empty calendar; the first one made is the default calendar."""
        self.revision += 1
        made = Calendar(len(self._log) + 1, name, color, self.revision)
        self.calendars[made.number] = made
        self._log[made.number] = []
        return made

    def drop_calendar(self, calendar: Calendar) -> None:
        """Remove a calendar with all that is in it."""
        for event in self.in_calendar(calendar.number):
            self.remove(event)
        del self.calendars[calendar.number]
        self.revision += 1

    def in_calendar(self, calendar: int | None) -> list[Event]:
        """The events of one calendar, or of all (None), in the order they were made."""
        return [event for event in self.events.values() if calendar in (None, event.calendar)]

    def next_number(self) -> int:
        """A number no event of this mailbox ever had."""
        self._numbers += 1
        return self._numbers

    def add(self, event: Event) -> Event:
        """Put a new event in."""
        self.events[event.number] = event
        if event.transaction_id:
            self._transactions.setdefault(event.transaction_id, event.number)
        self._note(event, "created")
        return event

    def touch(self, event: Event) -> None:
        """An event was written: a new changeKey (M-31)."""
        event.modified = self.clock()
        self._note(event, "updated")

    def remove(self, event: Event) -> None:
        """An event goes; its number is remembered for the delta rounds to come."""
        del self.events[event.number]
        self.gone[event.number] = event
        if self._transactions.get(event.transaction_id or "") == event.number:
            del self._transactions[event.transaction_id or ""]
        self._note(event, "deleted")

    def move(self, event: Event, calendar: Calendar) -> None:
        """Into another calendar: its default id changes, its immutable one does not (M-30)."""
        if event.calendar == calendar.number:
            return
        self.revision += 1
        self._log[event.calendar].append(Logged(self.revision, event.number, event.placement))
        event.calendar = calendar.number
        event.placement += 1
        self.touch(event)

    def log_since(self, calendar: int, revision: int) -> Iterator[Logged]:
        """What happened in a calendar after a revision, each placement once, oldest first."""
        log = self._log[calendar]
        start = bisect_right(log, revision, key=lambda line: line.revision)
        last = {(line.number, line.placement): line for line in log[start:]}
        yield from sorted(last.values(), key=lambda line: line.revision)

    def by_transaction(self, transaction_id: str) -> Event | None:
        """The event that was created with this transactionId (M-34), unless it has been deleted since."""
        return self.events.get(self._transactions.get(transaction_id, 0))

    def _note(self, event: Event, change: Change) -> None:
        self.revision += 1
        event.revision = self.revision
        self._log[event.calendar].append(Logged(self.revision, event.number, event.placement))
        for watcher in self.watchers:
            watcher(self, event, change)
