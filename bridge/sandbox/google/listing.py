"""Lists and their continuation: which events a query means, pages, and sync tokens (G-26…G-42)."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import itertools
import json
import secrets
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from bridge.sandbox.google import recurrence
from bridge.sandbox.google.errors import ApiError, full_sync_required, invalid
from bridge.sandbox.google.state import Calendar, Event, State
from bridge.sandbox.google.switches import Switches
from bridge.sandbox.google.view import Instance

JsonObject = dict[str, Any]
Item = Event | Instance

WITH_TOKEN_FORBIDDEN = (
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
)
"""G-28."""
NO_TOKEN_AFTER = tuple(name for name in WITH_TOKEN_FORBIDDEN if name not in ("timeMin", "timeMax"))
"""A list with one of these ends without a sync token: promised is only that a full sync may be bounded in time (G-30, G-31)."""
NOT_IN_FINGERPRINT = (
    "calendarId",
    "eventId",
    "pageToken",
    "syncToken",
    "maxResults",
    "fields",
    "prettyPrint",
    "alt",
    "key",
)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a walk; only the last has a sync token (G-27)."""

    items: list[Any]
    next_page_token: str | None
    next_sync_token: str | None


@dataclass(slots=True)
class Walk:
    """A list under way: what is still to come, and the revision it started at."""

    query: str
    left: list[Any]
    sync_token: str | None
    empty_next: bool = True


class Walks:
    """Walks and sync tokens of one kind of list. Walks are forgotten when there are too many, as page tokens expire."""

    LIMIT = 300

    def __init__(self) -> None:
        self._walks: OrderedDict[str, Walk] = OrderedDict()
        self._issued: dict[str, dt.datetime] = {}

    def begin(self, query: str, items: Iterable[Any], sync_token: str | None, size: int, switches: Switches) -> Page:
        """The first page."""
        return self._page(Walk(query, list(items), sync_token), size, switches)

    def resume(self, token: str, query: str, size: int, switches: Switches) -> Page:
        """The next page. The same token gives the same page again; another query is refused (G-32)."""
        walk = self._walks.get(token)
        if walk is None or walk.query != query:
            raise invalid("Invalid page token value.", "pageToken")
        return self._page(Walk(walk.query, walk.left, walk.sync_token, walk.empty_next), size, switches)

    def _page(self, walk: Walk, size: int, switches: Switches) -> Page:
        if switches.pages == "short":
            size = max(1, size // 2)
        elif switches.pages == "empty":
            size = 0 if walk.empty_next else size
            walk.empty_next = not walk.empty_next
        items, walk.left = walk.left[:size], walk.left[size:]
        if not walk.left and size:
            return Page(items, None, walk.sync_token)
        token = secrets.token_urlsafe(24)
        self._walks[token] = walk
        if len(self._walks) > self.LIMIT:
            self._walks.popitem(last=False)
        return Page(items, token, None)

    def issue(self, owner: str, generation: int, revision: int, query: str, now: dt.datetime) -> str:
        """A sync token; an unchanged collection gives the same one again (G-34)."""
        packed = json.dumps([owner, generation, revision, query], separators=(",", ":"))
        token = base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=") + "="
        self._issued[token] = now
        return token

    def revision(self, token: str, owner: str, generation: int, query: str, *, now: dt.datetime, days: int) -> int:
        """Where a sync token stands. 410 if it is not, or no longer, good (G-35)."""
        issued = self._issued.get(token)
        if issued is None or now - issued > dt.timedelta(days=days):
            raise full_sync_required()
        whose, of_generation, revision, of_query = json.loads(base64.urlsafe_b64decode(token + "=="))
        if whose != owner or of_generation != generation:
            raise full_sync_required()
        if of_query != query:
            raise invalid("The query does not match the one that the sync token came from.", "syncToken")
        return int(revision)

    def forget(self) -> None:
        """Let every page and sync token expire."""
        self._walks.clear()
        self._issued.clear()


def fingerprint(params: JsonObject, *, leave_out: tuple[str, ...] = ()) -> str:
    """What of a query must stay the same from page to page and sync to sync (G-28, G-32)."""
    kept = {name: str(value) for name, value in params.items() if name not in (*NOT_IN_FINGERPRINT, *leave_out)}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Query:
    """What events.list or events.instances asks for."""

    calendar: Calendar
    params: JsonObject
    horizon: dt.datetime
    zone: ZoneInfo = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "zone", ZoneInfo(self.calendar.zone))
        low, high = self.params.get("timeMin"), self.params.get("timeMax")
        if low and high and low >= high:
            raise ApiError(
                400, "timeRangeEmpty", "The specified time range is empty.", domain="calendar", location="timeMax"
            )
        if self.params.get("orderBy") == "startTime" and not self.single:
            message = "The requested ordering is not available for the particular query."
            raise ApiError(400, "requestedOrderingNotAvailable", message, domain="calendar", location="orderBy")  # G-39

    @property
    def single(self) -> bool:
        """Whether series are to be expanded."""
        return bool(self.params.get("singleEvents", False))

    def items(self) -> list[Item]:
        """A full list (G-36, G-38, G-39), oldest event first unless ordered otherwise."""
        found = [item for event in self._candidates() for item in self._shown(event)]
        order = self.params.get("orderBy")
        if order == "startTime":
            found.sort(key=lambda item: (item.start.instant(self.zone), item.id))
        elif order == "updated":
            found.sort(key=lambda item: (item.updated if isinstance(item, Event) else item.master.updated, item.id))
        return found

    def changed(self, revision: int) -> list[Item]:
        """What changed since, deletions always among it (G-33)."""
        found: list[Item] = []
        for id in self.calendar.journal.since(revision):
            event = self.calendar.events[id]
            if not self._type_fits(event):
                continue
            if event.recurring and self.single:
                found.extend(self._instances(event))
            else:
                found.append(event)
        return found

    def _candidates(self) -> Iterable[Event]:
        uid = self.params.get("iCalUID")
        if uid is None:
            return self.calendar.events.values()
        id = self.calendar.uids.get(uid)
        return [] if id is None else [self.calendar.events[id], *self.calendar.exceptions_of(id)]

    def _shown(self, event: Event) -> Iterator[Item]:
        updated_min = self.params.get("updatedMin")
        if updated_min is not None and event.updated < updated_min:
            return
        deleted_too = self.params.get("showDeleted", False) or (updated_min is not None and event.cancelled)  # G-37
        if not self._type_fits(event) or not self._says(event) or not self._marked(event):
            return
        if event.cancelled:
            live_series = event.master_id is not None and not self._master_gone(event)
            if not deleted_too and not (live_series and not self.single):
                return  # G-38
            if event.recurring and self.single:
                return
        if event.recurring and self.single:
            yield from self._instances(event)
        elif event.recurring and not event.cancelled:
            if self._bounded() is False or next(self._regular(event), None) or self._exception_within(event):
                yield event
        elif self.within(event):
            yield event

    def _master_gone(self, exception: Event) -> bool:
        master = self.calendar.events.get(exception.master_id or "")
        return master is None or master.cancelled

    def _bounded(self) -> bool:
        return "timeMin" in self.params or "timeMax" in self.params

    def within(self, item: Item, *, inclusive: bool = False) -> bool:
        """G-40: the end after timeMin (for events.instances also on it), the start before timeMax."""
        low, high = self.params.get("timeMin"), self.params.get("timeMax")
        if high is not None and item.start.instant(self.zone) >= high:
            return False
        if low is None:
            return True
        end = item.end.instant(self.zone)
        return bool(end >= low if inclusive else end > low)

    def _exception_within(self, master: Event) -> bool:
        return any(not each.cancelled and self.within(each) for each in self.calendar.exceptions_of(master.id))

    def _regular(self, master: Event, *, inclusive: bool = False) -> Iterator[Instance]:
        """The instances within the bounds that no exception stands for."""
        low, high = self.params.get("timeMin"), self.params.get("timeMax")
        taken = self.calendar.exceptions.get(master.id, {})
        length = master.end.instant(self.zone) - master.start.instant(self.zone)
        after = low - length - dt.timedelta(days=1) if low is not None else None
        end = high if high is not None else max(self.horizon, master.start.instant(self.zone) + dt.timedelta(days=1))
        for original in recurrence.starts(master.lines, master.start, after):
            if original.instant(self.zone) >= end:
                return
            instance = Instance(master, original)
            if recurrence.suffix(original) not in taken and self.within(instance, inclusive=inclusive):
                yield instance

    def _instances(self, master: Event) -> Iterator[Item]:
        """Regular instances; exceptions are events of their own and listed as such."""
        return self._regular(master)

    def instances(self, master: Event) -> list[Item]:
        """events.instances: regular ones and exceptions, cancelled ones only if asked for, by start."""
        show_deleted = self.params.get("showDeleted", False)
        exceptions = [
            each
            for each in self.calendar.exceptions_of(master.id)
            if (show_deleted or not each.cancelled) and self.within(each, inclusive=True)
        ]
        found: list[Item] = sorted(
            itertools.chain(self._regular(master, inclusive=True), exceptions),
            key=lambda item: item.start.instant(self.zone),
        )
        wanted = self.params.get("originalStart")
        return found if wanted is None else [item for item in found if self._originally(item, wanted)]

    def _originally(self, item: Item, wanted: str) -> bool:
        if item.original is None:
            return False
        if item.original.all_day:
            return bool(item.original.value.isoformat() == wanted)
        try:
            moment = dt.datetime.fromisoformat(wanted)
        except ValueError:
            raise invalid("Invalid original start time.", "originalStart") from None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(item.original.zone))
        return aware == item.original.instant(self.zone)

    def _type_fits(self, event: Event) -> bool:
        return bool(event.body["eventType"] in self.params.get("eventTypes", (event.body["eventType"],)))

    def _says(self, event: Event) -> bool:
        """The free-text search ``q``: every word somewhere in the texts and names."""
        q = self.params.get("q")
        if not q:
            return True
        people = [event.organizer, *event.body.get("attendees", ())]
        texts = [event.body.get(name, "") for name in ("summary", "description", "location")]
        texts += [person.get(name, "") for person in people for name in ("email", "displayName")]
        whole = " ".join(texts).lower()
        return all(word in whole for word in q.lower().split())

    def _marked(self, event: Event) -> bool:
        """Extended property filters: all must match, as the discovery document says (G-41)."""
        for kind in ("private", "shared"):
            held = event.body.get("extendedProperties", {}).get(kind, {})
            for constraint in self.params.get(f"{kind}ExtendedProperty", ()):
                name, equals, value = constraint.partition("=")
                if not equals:
                    raise invalid("Invalid extended property constraint.", f"{kind}ExtendedProperty")
                if held.get(name) != value:
                    return False
        return True


def refuse_restrictions(params: JsonObject, forbidden: tuple[str, ...]) -> None:
    """What cannot go together with a sync token (G-28, G-29)."""
    if any(name in params for name in forbidden) or params.get("showDeleted") is False:
        message = "Sync token cannot be used with other request restrictions."
        raise ApiError(400, "syncTokenWithRequestRestrictions", message, domain="calendar", location="syncToken")


def page_of_events(state: State, walks: Walks, calendar: Calendar, params: JsonObject) -> Page:
    """One page of events.list."""
    switches, now = state.switches, state.now()
    size = min(params.get("maxResults", 250), 2500)
    token = params.get("syncToken")
    if token is not None:
        refuse_restrictions(params, WITH_TOKEN_FORBIDDEN)
    lasting = fingerprint(params, leave_out=("showDeleted", "timeMin", "timeMax"))
    whole = fingerprint(params | {"token": token or "", "calendar": calendar.id})
    if "pageToken" in params:
        return walks.resume(params["pageToken"], whole, size, switches)
    query = Query(calendar, params, now + dt.timedelta(days=switches.horizon_days))
    limit = dt.timedelta(days=switches.sync_token_days)
    if "updatedMin" in params and now - params["updatedMin"] > limit:
        message = "The requested minimum modification time lies too far in the past."
        raise ApiError(410, "updatedMinTooLongAgo", message, domain="calendar", location="updatedMin")
    if token is not None:
        days = switches.sync_token_days
        since = walks.revision(token, calendar.id, calendar.generation, lasting, now=now, days=days)
        items: list[Item] = query.changed(since)
    else:
        items = query.items()
    following = None
    if not any(name in params for name in NO_TOKEN_AFTER):
        following = walks.issue(calendar.id, calendar.generation, calendar.journal.revision, lasting, now)
    return walks.begin(whole, items, following, size, switches)


def page_of_instances(state: State, walks: Walks, calendar: Calendar, master: Event, params: JsonObject) -> Page:
    """One page of events.instances; no sync token ever."""
    size = min(params.get("maxResults", 250), 2500)
    whole = fingerprint(params | {"calendar": calendar.id, "event": master.id})
    if "pageToken" in params:
        return walks.resume(params["pageToken"], whole, size, state.switches)
    query = Query(calendar, params, state.now() + dt.timedelta(days=state.switches.horizon_days))
    items = query.instances(master) if master.recurring and not master.cancelled else []
    return walks.begin(whole, items, None, size, state.switches)
