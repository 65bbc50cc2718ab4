"""The simulated Microsoft Graph as a whole: people, mailboxes, tokens and switches behind one lock."""

from __future__ import annotations

import datetime as dt
import re
import threading
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any
from wsgiref.types import WSGIApplication

from bridge.sandbox.clock import Clock
from bridge.sandbox.deliveries import Deliveries
from bridge.sandbox.graph import app, events, pages, properties, seeds, signin, todo_pages, zones
from bridge.sandbox.graph.calls import Call
from bridge.sandbox.graph.delta import Deltas
from bridge.sandbox.graph.errors import GraphError, denied, invalid
from bridge.sandbox.graph.events import Desk, Item
from bridge.sandbox.graph.ids import Ids
from bridge.sandbox.graph.mailbox import DEFAULT_CALENDAR, Calendar, Mailbox, Person
from bridge.sandbox.graph.oauth import Access, Authority
from bridge.sandbox.graph.subscriptions import LifecycleEvent, Subscriptions
from bridge.sandbox.graph.todo import Todo
from bridge.sandbox.graph.todo_delta import TodoDeltas
from bridge.sandbox.graph.todo_view import TodoReader
from bridge.sandbox.graph.todo_writing import TodoDesk, TodoHabits
from bridge.sandbox.graph.views import Preferences, Reader
from bridge.sandbox.meter import Meter

TENANT = "6d1f5a1c-0c6c-4a49-9d5e-5d0c7a2b1e10"
DEMO_PEOPLE = (
    ("alex@example.com", "Alex Wilber", "W. Europe Standard Time"),
    ("megan@example.com", "Megan Bowen", "Eastern Standard Time"),
    ("ravi@example.com", "Ravi Nair", "India Standard Time"),
)
_RESOURCE = re.compile(
    r"/?(?:me|users/(?P<who>[^/]+))/(?:events|calendar/events|calendars/(?P<calendar>[^/]+)/events)/?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Switches:
    """What the simulated service can be told to do otherwise; all true or false."""

    delta_masters: bool = True
    """A series' master stands in delta rounds (M-25)."""
    delta_oddities: bool = True
    """Delta rounds replay an entry, put occurrences before their master, and hold an empty page (M-16, M-23, M-27)."""
    concurrency_limit: bool = True
    """More than four requests at once for one mailbox are refused (M-77)."""
    revoke_used_refresh_tokens: bool = False
    """A refresh token dies with its first use; the real one lives on (M-07)."""
    decline_removes: bool = False
    """Declining takes the event out of the calendar, as Outlook does unless told to keep declined events."""
    todo_if_match: bool = True
    """If-Match of a task or task list is honoured; else it is ignored (M-88)."""
    todo_app_only: bool = False
    """An app without a person may read and write tasks (M-90)."""
    todo_immutable_ids: bool = True
    """The immutable id of M-30 is given for tasks too; else a task's id changes when it moves, whatever is preferred."""
    todo_completing_repeats: bool = True
    """Completing a recurring task makes the next one; else the series is over (M-89)."""
    todo_next_is_new: bool = True
    """The next one is the new task; else the task goes on under its id, and what was completed is the new one (M-89)."""
    todo_next_keeps_links: bool = True
    """The new one of M-89 bears the linkedResources of the old, externalId and all."""
    todo_recurrence_needs_due: bool = True
    """A recurrence without a dueDateTime is refused; else its first day becomes the due date."""
    todo_due_edit_duplicates: bool = False
    """Another due date for a recurring task makes another task with it, and the old one stays as it was (seen by clients)."""
    todo_due_as_utc: bool = False
    """A due date is kept as midnight in UTC of the day written; else as midnight in the zone written (M-86)."""
    todo_start_keeps_time: bool = True
    """startDateTime keeps its time of day; else it loses it like a due date."""
    todo_bodies_rewritten: bool = False
    """Plain text comes back with CRLF, and one at its end, as that of events does (M-63)."""
    todo_inline_parts: bool = False
    """checklistItems and linkedResources are shown with every task; else by $expand."""
    todo_recurrence_in_lists: bool = True
    """Lists and rounds show the recurrence; else only a GET of the task does (seen by clients)."""
    todo_parts_touch: bool = True
    """A write of a checklistItem or linkedResource gives its task a new etag and stands in the next round (M-29)."""


class Microsoft:
    """Everything below ``/microsoft``; the state is reached in Python by the same methods that the API uses.

    ``lock`` is held around everything that reads or writes the state.
    """

    name = "microsoft"

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.meter = Meter()
        self.deliveries = Deliveries(lambda status: status is None or status >= 500)
        self.authority = Authority(clock)
        self.deltas = Deltas()
        self.todo_deltas = TodoDeltas()
        self.gate = app.Gate()
        self.switches = Switches()
        self.base_url = ""
        self._start_anew()
        built = app.build(self)
        signin.add_to(built, self)
        pages.add_to(built, self)
        todo_pages.add_to(built, self)
        self.wsgi: WSGIApplication = built.wsgi_app
        self.entrance: WSGIApplication = self.wsgi

    def reset(self) -> None:
        """Back to the demo people with empty calendars; every token, subscription and switch is gone, the meter too."""
        with self.lock:
            self.authority.clear()
            self.authority.revoke_used = False
            self.authority.secrets.clear()
            self.lose_sync_state()
            self.switches = Switches()
            self.deliveries.clear()
            self.meter.reset()
            self._start_anew()

    def add_person(self, address: str, *, name: str | None = None, zone: str = "W. Europe Standard Time") -> Person:
        """Another person with an empty calendar. ``zone``: a Windows or IANA name that Graph takes."""
        with self.lock:
            if address.lower() in self._boxes:
                raise ValueError(f"{address} has a mailbox already")
            try:
                windows = zones.windows_name(zone)
            except GraphError as error:
                raise ValueError(error.message) from None
            number = len(self._boxes) + 1
            made = Person(
                number,
                address,
                name or address.partition("@")[0].replace(".", " ").title(),
                windows,
                str(uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{address.lower()}")),
                TENANT,
            )
            box = Mailbox(made, self.clock)
            box.watchers.append(self.subscriptions.changed)
            self._boxes[address.lower()] = box
            self._todos[address.lower()] = Todo(number, self.clock)
            return made

    def people(self) -> list[Person]:
        """Everybody with a mailbox."""
        return [box.person for box in self._boxes.values()]

    def box(self, person: Person | str) -> Mailbox:
        """Somebody's mailbox, by address or id. Raises KeyError."""
        if isinstance(person, Person):
            return self._boxes[person.address.lower()]
        found = self._boxes.get(person.lower()) or next(
            (box for box in self._boxes.values() if box.person.id == person.lower()), None
        )
        if found is None:
            raise KeyError(person)
        return found

    def box_of(self, access: Access, who: str | None) -> Mailbox:
        """The mailbox that a request means: one's own, or for an app any (M-01, M-09)."""
        if who is None:
            if access.person is None:
                raise GraphError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
            return self.box(access.person)
        try:
            found = self.box(who)
        except KeyError:
            raise GraphError(404, "ErrorInvalidUser", f"The requested user '{who}' is invalid.") from None
        if access.person is None and found.person.address.lower() in self.closed_to_apps:
            raise denied("Access to OData is disabled.")
        if access.person not in (None, found.person):
            raise denied()
        return found

    def resource_calendar(self, resource: str, call: Call) -> int | None:
        """The calendar that a subscription's resource means, None for all. Raises 400 (M-69)."""
        match = _RESOURCE.fullmatch(resource)
        if match is None:
            raise invalid(f"Resource '{resource}' cannot be subscribed to here.", "InvalidRequest")
        if match["who"] and self.box_of(call.access, match["who"]) is not call.box:
            raise denied()
        return call.calendar(match["calendar"]).number if match["calendar"] else None

    def reader(self, person: Person | str, *, immutable: bool = True, zone: str = "UTC") -> Reader:
        """Shows a mailbox's items as the API would, for tests and pages."""
        prefer = Preferences(zone=zone, zone_name=zone, immutable=immutable)
        return Reader(self.box(person), self.ids, prefer, f"{self.base_url}/v1.0")

    def desk(self, person: Person | str) -> Desk:
        """Writes into a mailbox as the API would."""
        return Desk(self.box(person), self.meter)

    def todo_desk(self, person: Person | str) -> TodoDesk:
        """Writes to somebody's tasks as the API would."""
        has = self.switches
        habits = TodoHabits(
            due_utc=has.todo_due_as_utc,
            start_keeps_time=has.todo_start_keeps_time,
            rewrites_text=has.todo_bodies_rewritten,
            recurrence_needs_due=has.todo_recurrence_needs_due,
            repeats=has.todo_completing_repeats,
            next_is_new=has.todo_next_is_new,
            next_keeps_links=has.todo_next_keeps_links,
            due_edit_duplicates=has.todo_due_edit_duplicates,
            parts_touch=has.todo_parts_touch,
        )
        return TodoDesk(self._todos[self.box(person).person.address.lower()], habits)

    def todo_reader(self, person: Person | str, prefer: Preferences) -> TodoReader:
        """Shows somebody's tasks as the API would."""
        has = self.switches
        return TodoReader(
            self.box(person).person.number, self.ids, prefer, has.todo_immutable_ids, has.todo_inline_parts,
            has.todo_recurrence_in_lists,
        )  # fmt: skip

    def item(self, person: Person | str, event_id: str) -> Item:
        """The event of an id. Raises GraphError, 404."""
        return events.find(self.box(person), self.ids.decode(event_id))

    def calendar(self, person: Person | str, calendar_id: str | None = None) -> Calendar:
        """A calendar by its id or name; None: the default one. Raises KeyError."""
        box = self.box(person)
        if calendar_id is None:
            return box.calendars[DEFAULT_CALENDAR]
        for each in box.calendars.values():
            if calendar_id in (each.name, self.reader(box.person).calendar_id(each.number)):
                return each
        raise KeyError(calendar_id)

    def create(self, person: str, body: Mapping[str, Any], *, calendar: str | None = None) -> str:
        """Create an event as its owner would in Outlook; its immutable id."""
        with self.lock:
            made = self.desk(person).create(properties.check("event", body), self.calendar(person, calendar).number)
            return self.reader(person).id_of(Item(made))

    def update(self, person: str, event_id: str, body: Mapping[str, Any]) -> None:
        """Change an event or an occurrence as its owner would in Outlook."""
        with self.lock:
            self.desk(person).update(self.item(person, event_id), properties.check("event", body))

    def delete(self, person: str, event_id: str) -> None:
        """Delete an event or an occurrence as its owner would in Outlook."""
        with self.lock:
            self.desk(person).delete(self.item(person, event_id))

    def move(self, person: str, event_id: str, calendar: str) -> None:
        """Drag an event into another calendar, which the API cannot (M-30)."""
        with self.lock:
            self.box(person).move(self.item(person, event_id).event, self.calendar(person, calendar))

    def copy(self, person: str, event_id: str) -> str:
        """Copy and paste an event in Outlook, with all its properties and hidden marks (R9); the copy's id."""
        with self.lock:
            return self.reader(person).id_of(Item(self.desk(person).copy(self.item(person, event_id).event)))

    def receive_invitation(self, person: str, organizer: str, body: Mapping[str, Any]) -> str:
        """Somebody outside invites this person; the event's immutable id."""
        with self.lock:
            who = {"name": organizer.partition("@")[0].title(), "address": organizer}
            made = self.desk(person).receive(properties.check("event", body), who, DEFAULT_CALENDAR)
            return self.reader(person).id_of(Item(made))

    def organizer_updates(self, person: str, event_id: str, body: Mapping[str, Any]) -> None:
        """The organizer outside changes his meeting (M-56)."""
        with self.lock:
            self.desk(person).organizer_updates(self.item(person, event_id).event, properties.check("event", body))

    def organizer_cancels(self, person: str, event_id: str) -> None:
        """The organizer outside calls his meeting off (M-59)."""
        with self.lock:
            self.desk(person).organizer_cancels(self.item(person, event_id).event)

    def lose_sync_state(self) -> int:
        """From now on every delta token given out so far is answered with 410 (M-28); how many."""
        with self.lock:
            return self.deltas.lose() + self.todo_deltas.tokens.lose()

    def lifecycle(self, kind: LifecycleEvent, person: str | None = None) -> int:
        """Send lifecycle notifications (M-75); how many."""
        with self.lock:
            return self.subscriptions.lifecycle(kind, self.box(person).person if person else None)

    def seed(self, person: str, count: int, *, calendar: str | None = None) -> list[str]:
        """Put ``count`` different events into a calendar (its id or name), and some tasks if there are none; the events' ids."""
        with self.lock:
            zone = self.box(person).person.zone
            seeds.tasks(self.todo_desk(person), zones.wall_in(self.clock(), zone).date(), zone)
            return [self.create(person, body, calendar=calendar) for body in seeds.bodies(count, self.clock(), zone)]

    def expire_tokens(self, person: str | None = None) -> int:
        """Let access tokens expire now; how many."""
        with self.lock:
            return self.authority.expire_access(self.box(person).person if person else None)

    def kill_grants(self, person: str | None = None) -> int:
        """Revoke refresh tokens and what came of them; how many."""
        with self.lock:
            return self.authority.kill_grants(self.box(person).person if person else None)

    def configure(self, options: dict[str, Any]) -> dict[str, Any]:
        """Change switches; all of them as they are now. Raises ValueError."""
        known = {each.name for each in fields(Switches)}
        for name, value in options.items():
            if name not in known:
                raise ValueError(f"there is no switch {name!r}; there are {', '.join(sorted(known))}")
            if not isinstance(value, bool):
                raise ValueError(f"the switch {name} is true or false")  # noqa: TRY004  one error for every bad value
        with self.lock:
            self.switches = replace(self.switches, **options)
            self.authority.revoke_used = self.switches.revoke_used_refresh_tokens
            return asdict(self.switches)

    def error_body(self, error: GraphError, client_request_id: str | None = None) -> dict[str, Any]:
        """A refusal as the API writes it; tests put it into faults."""
        return app.error_body(error.code, error.message, self.clock(), client_request_id)

    def throttled(self, seconds: float | None = 2.128) -> dict[str, Any]:
        """The fields of a fault that throttles (M-78): status, body, and Retry-After unless ``seconds`` is None."""
        error = GraphError(429, "TooManyRequests", "Too many requests. Please retry after some time.")
        headers = {} if seconds is None else {"Retry-After": str(seconds)}
        return {"status": 429, "body": self.error_body(error), "headers": headers}

    def _start_anew(self) -> None:
        self.ids = Ids()
        self.closed_to_apps: set[str] = set()
        """Addresses that an ApplicationAccessPolicy keeps apps out of (M-09)."""
        self.subscriptions = Subscriptions(self.clock, self.deliveries, self.ids.encode)
        self._boxes: dict[str, Mailbox] = {}
        self._todos: dict[str, Todo] = {}
        for address, name, zone in DEMO_PEOPLE:
            self.add_person(address, name=name, zone=zone)

    @property
    def now(self) -> dt.datetime:
        """The present by the sandbox's clock."""
        return self.clock()
