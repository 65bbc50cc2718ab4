"""All that the service remembers: people, their calendar lists, calendars, events and tasks; in which order they changed."""

from __future__ import annotations

import datetime as dt
import secrets
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bridge.sandbox.clock import Clock
from bridge.sandbox.google.errors import forbidden, not_found
from bridge.sandbox.google.recurrence import suffix
from bridge.sandbox.google.switches import Switches
from bridge.sandbox.google.tasks import Shelf, shelf
from bridge.sandbox.google.times import Moment, held

ROLES = ("none", "freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner")
"""In ascending order (G-19)."""
DEMO_PEOPLE = (("alex@example.com", "Alex Kim", "Europe/Vienna"), ("sam@example.com", "Sam Ortiz", "America/New_York"))

JsonObject = dict[str, Any]


class Journal:
    """The order in which things changed: each change gets the next revision, and the latest one counts."""

    def __init__(self) -> None:
        self.revision = 0
        self._revisions: list[int] = []
        self._ids: list[str] = []
        self._latest: dict[str, int] = {}

    def note(self, id: str) -> int:
        """A thing changed; its new revision."""
        self.revision += 1
        self._latest[id] = self.revision
        self._revisions.append(self.revision)
        self._ids.append(id)
        if len(self._ids) > 4 * len(self._latest) + 64:
            current = [
                (rev, each)
                for rev, each in zip(self._revisions, self._ids, strict=True)
                if self._latest.get(each) == rev
            ]
            self._revisions, self._ids = [rev for rev, _ in current], [each for _, each in current]
        return self.revision

    def forget(self, id: str) -> None:
        """The thing left without a trace: nobody will be told."""
        self._latest.pop(id, None)

    def since(self, revision: int) -> list[str]:
        """What changed after that revision, by its latest change: O(changes), not O(all)."""
        first = bisect_right(self._revisions, revision)
        pairs = zip(self._revisions[first:], self._ids[first:], strict=True)
        return [id for rev, id in pairs if self._latest.get(id) == rev]


@dataclass(slots=True)
class Event:
    """A single event, a series' master, or an exception, on one calendar. ``body`` holds what was written.

    Deleted ones stay as tombstones (``status`` cancelled): they keep their id (G-45) and what they held (G-46).
    """

    id: str
    ical_uid: str
    body: JsonObject
    organizer: JsonObject
    creator: str
    created: dt.datetime
    updated: dt.datetime
    sequence: int = 0
    etag: int = 0
    serial: int = 0
    reminders: dict[str, JsonObject] = field(default_factory=dict)
    """By person: they belong to the authenticated user (G-68)."""
    master_id: str | None = None
    original: Moment | None = None

    @property
    def cancelled(self) -> bool:
        """Whether it is a tombstone, or a cancelled instance."""
        return bool(self.body["status"] == "cancelled")

    @property
    def recurring(self) -> bool:
        """Whether it is a master."""
        return bool(self.body.get("recurrence"))

    @property
    def start(self) -> Moment:
        """Its start, for a master that of the first instance."""
        return held(self.body, "start")

    @property
    def end(self) -> Moment:
        """Its end, exclusive."""
        return held(self.body, "end")

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of ``recurrence``."""
        return tuple(self.body.get("recurrence", ()))


@dataclass(slots=True)
class Calendar:
    """``id`` is an address; a primary calendar's is its owner's (G-16). ``acl`` maps people to roles."""

    id: str
    owner: str
    summary: str
    zone: str
    primary: bool
    details: JsonObject = field(default_factory=dict)
    acl: dict[str, str] = field(default_factory=dict)
    watchable: bool = True
    events: dict[str, Event] = field(default_factory=dict)
    exceptions: dict[str, dict[str, str]] = field(default_factory=dict)
    """Master id → suffix of the original start → id of the exception."""
    uids: dict[str, str] = field(default_factory=dict)
    """iCalUID → id of the single event or master."""
    journal: Journal = field(default_factory=Journal)
    generation: int = 0
    """Sync tokens of an earlier one are no good (G-35)."""
    etag: int = 0
    updated: dt.datetime = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)

    def exceptions_of(self, master_id: str) -> list[Event]:
        """The exceptions of a series, cancelled ones included."""
        return [self.events[id] for id in self.exceptions.get(master_id, {}).values()]

    def role(self, email: str) -> str:
        """What that person may do here."""
        return max((self.acl.get(email, "none"), self.acl.get("default", "none")), key=ROLES.index)


@dataclass(slots=True)
class Entry:
    """A calendar on somebody's list: what is theirs about it."""

    calendar_id: str
    settings: JsonObject
    deleted: bool = False
    etag: int = 0


@dataclass(slots=True)
class Person:
    """An account. ``calendars`` is the calendar list, by calendar id."""

    email: str
    name: str
    zone: str
    calendars: dict[str, Entry] = field(default_factory=dict)
    journal: Journal = field(default_factory=Journal)
    generation: int = 0


class State:
    """Everybody's calendars. Every change goes through ``touch`` or ``touch_entry``, so that sync and push see it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.people: dict[str, Person] = {}
        self.calendars: dict[str, Calendar] = {}
        self.shelves: dict[str, Shelf] = {}
        """Task lists by person."""
        self.switches = Switches()
        self.pending: list[tuple[str, str]] = []
        """Calendar and event ids of conferences to be made (G-75)."""
        self.dirty: dict[str, None] = {}
        """Resources that changed since the channels were last told, in order (G-83)."""
        self._last_etag = 0
        self._serial = 0

    def now(self) -> dt.datetime:
        """The present, UTC."""
        return self.clock()

    def next_etag(self) -> int:
        """Ever growing, even while the clock stands still."""
        self._last_etag = max(self._last_etag + 2, int(self.now().timestamp() * 1000) * 2)
        return self._last_etag

    def add_person(self, email: str, *, name: str = "", zone: str = "UTC") -> Person:
        """An account with its primary calendar and its default task list."""
        if email in self.people:
            raise ValueError(f"{email} exists")
        person = Person(email, name or email.partition("@")[0].title(), zone)
        self.people[email] = person
        self.shelves[email] = shelf("My Tasks", self.now(), self.next_etag())
        self.add_calendar(person, email, summary=email, zone=zone, primary=True)
        return person

    def add_calendar(self, owner: Person, id: str, *, summary: str, zone: str, primary: bool = False) -> Calendar:
        """A calendar, and its entry on its owner's list."""
        calendar = Calendar(id, owner.email, summary, zone, primary, acl={owner.email: "owner"})
        calendar.etag, calendar.updated = self.next_etag(), self.now()
        self.calendars[id] = calendar
        self.list_calendar(owner, calendar)
        return calendar

    def list_calendar(self, person: Person, calendar: Calendar) -> Entry:
        """Put a calendar on a person's list (again)."""
        color = str((list(self.calendars).index(calendar.id) * 7 + 13) % 24 + 1)
        reminders = [{"method": "popup", "minutes": 10}] if calendar.primary and calendar.owner == person.email else []
        entry = Entry(calendar.id, {"colorId": color, "selected": True, "defaultReminders": reminders})
        person.calendars[calendar.id] = entry
        self.touch_entry(person, entry)
        return entry

    def person(self, email: str) -> Person:
        """KeyError if there is none."""
        if email not in self.people:
            raise KeyError(f"person {email!r}")
        return self.people[email]

    def calendar(self, id: str, person: Person, *, role: str = "reader") -> Calendar:
        """A calendar this person may use in that role: 404 if they may not see it at all, 403 if only less."""
        calendar = self.calendars.get(person.email if id == "primary" else id)
        if calendar is None or calendar.role(person.email) == "none":
            raise not_found()
        if ROLES.index(calendar.role(person.email)) < ROLES.index(role):
            raise forbidden()
        return calendar

    def new_event(
        self,
        calendar: Calendar,
        body: JsonObject,
        *,
        id: str = "",
        ical_uid: str = "",
        creator: str,
        organizer: JsonObject,
        master_id: str | None = None,
        original: Moment | None = None,
    ) -> Event:
        """A new event or exception in its place; the caller touches it."""
        self._serial += 1
        id = id or new_id()
        event = Event(id, ical_uid or f"{id}@google.com", body, organizer, creator, self.now(), self.now())
        event.serial = self._serial
        calendar.events[id] = event
        if master_id is not None and original is not None:
            event.master_id, event.original = master_id, original
            calendar.exceptions.setdefault(master_id, {})[suffix(original)] = id
        else:
            calendar.uids[event.ical_uid] = id
        return event

    def forget(self, calendar: Calendar, exception: Event) -> None:
        """Let an exception vanish: its instance is regular again (G-66)."""
        if exception.master_id and exception.original:
            calendar.exceptions[exception.master_id].pop(suffix(exception.original), None)
        calendar.events.pop(exception.id, None)
        calendar.journal.forget(exception.id)

    def touch(self, calendar: Calendar, event: Event, *, updated: bool = True) -> None:
        """An event changed. ``updated`` stands still if only reminders did (G-54)."""
        event.etag = self.next_etag()
        if updated:
            event.updated = self.now()
        calendar.journal.note(event.id)
        calendar.etag, calendar.updated = event.etag, self.now()
        self.dirty[f"events/{calendar.id}"] = None

    def touch_entry(self, person: Person, entry: Entry) -> None:
        """A person's list changed."""
        entry.etag = self.next_etag()
        person.journal.note(entry.calendar_id)
        self.dirty[f"calendarList/{person.email}"] = None

    def live(self, calendar: Calendar) -> Iterator[Event]:
        """Events and masters that are not deleted."""
        return (event for event in calendar.events.values() if event.master_id is None and not event.cancelled)


def new_id() -> str:
    """26 characters of base32hex, as the service makes them (G-44)."""
    return "".join(secrets.choice("0123456789abcdefghijklmnopqrstuv") for _ in range(26))
