"""An event as an answer shows it to one person: computed fields added, details hidden where they are private."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from bridge.sandbox.google import conferences, recurrence, times
from bridge.sandbox.google.state import Calendar, Event
from bridge.sandbox.google.times import Moment

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lens:
    """Who looks, and how: the response's zone, how many attendees, how much of what is deleted (G-62)."""

    person: str
    zone: str
    max_attendees: int | None = None
    full_tombstones: bool = False
    web: str = field(default="https://www.google.com/calendar")


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of a series where its rule alone puts it."""

    master: Event
    original: Moment

    @property
    def id(self) -> str:
        """As in G-60; opaque to clients."""
        return f"{self.master.id}_{recurrence.suffix(self.original)}"

    @property
    def start(self) -> Moment:
        """The original start."""
        return self.original

    @property
    def end(self) -> Moment:
        """As long after the start as the master's end: the same exact duration for all (RFC 5545, 3.8.5.3)."""
        first, last = self.master.start, self.master.end
        if first.all_day:
            return Moment(self.original.value + dt.timedelta(days=last.value.toordinal() - first.value.toordinal()))
        utc = ZoneInfo("UTC")
        return times.from_instant(self.original.instant(utc) + (last.instant(utc) - first.instant(utc)), last.zone)

    def body(self) -> JsonObject:
        """The master's fields with this instance's times."""
        inherited = {name: value for name, value in self.master.body.items() if name != "recurrence"}
        return inherited | {"start": self.start.stored(), "end": self.end.stored()}


def etag(number: int) -> str:
    """Quoted digits (G-53)."""
    return f'"{number}"'


def resource(calendar: Calendar, item: Event | Instance, lens: Lens) -> JsonObject:
    """The Event resource."""
    event = item.master if isinstance(item, Instance) else item
    key = _key(item)
    head: JsonObject = {
        "kind": "calendar#event",
        "etag": etag(event.etag),
        "id": item.id,
        "status": event.body["status"],
    }
    if key:
        head |= {"recurringEventId": key[0], "originalStartTime": times.render(key[1], lens.zone)}
    if event.cancelled and not lens.full_tombstones:
        return head  # all that is guaranteed (G-61, G-62)
    stored = item.body() if isinstance(item, Instance) else item.body
    found = {name: value for name, value in stored.items() if name != "privateCopy" or value}
    found |= head | _computed(calendar, event, item.id, lens)
    found["start"], found["end"] = times.render(item.start, lens.zone), times.render(item.end, lens.zone)
    found["reminders"] = event.reminders.get(lens.person, {"useDefault": True})
    if hangout := conferences.link(found):
        found["hangoutLink"] = hangout
    _guests(found, calendar, lens)
    if found.get("source") and event.creator != lens.person:
        del found["source"]  # the creator's alone (G-77)
    return found if _may_see(found, calendar, lens.person) else _hidden(found)


def _key(item: Event | Instance) -> tuple[str, Moment] | None:
    if isinstance(item, Instance):
        return item.master.id, item.original
    return (item.master_id, item.original) if item.master_id and item.original else None


def _computed(calendar: Calendar, event: Event, id: str, lens: Lens) -> JsonObject:
    organizer = dict(event.organizer)
    if organizer["email"] == calendar.id:
        organizer["self"] = True
    creator: JsonObject = {"email": event.creator}
    if event.creator == calendar.id:
        creator["self"] = True
    return {
        "htmlLink": f"{lens.web}/event?eid={_eid(id, calendar.id)}",
        "created": times.stamp(event.created),
        "updated": times.stamp(event.updated),
        "creator": creator,
        "organizer": organizer,
        "iCalUID": event.ical_uid,
        "sequence": event.sequence,
    }


def _eid(id: str, calendar_id: str) -> str:
    return base64.urlsafe_b64encode(f"{id} {calendar_id}".encode()).decode().rstrip("=")


def from_eid(eid: str) -> tuple[str, str]:
    """The event's and the calendar's id out of an ``htmlLink``; empty ones if it is none."""
    try:
        id, _, calendar_id = base64.urlsafe_b64decode(eid + "==").decode().partition(" ")
    except ValueError:
        return "", ""
    return id, calendar_id


def _guests(found: JsonObject, calendar: Calendar, lens: Lens) -> None:
    """Mark ``self`` and ``organizer``, and cut the list at maxAttendees (G-79)."""
    guests = found.get("attendees")
    if not guests:
        return
    shown = []
    for guest in guests:
        one = dict(guest)
        if one["email"] == found["organizer"]["email"]:
            one["organizer"] = True
        if one["email"] == calendar.id:
            one["self"] = True
        shown.append(one)
    if found.get("guestsCanSeeOtherGuests") is False and not found["organizer"].get("self"):
        shown = [one for one in shown if one.get("self")]
        found["attendeesOmitted"] = True
    if lens.max_attendees is not None and len(shown) > lens.max_attendees:
        shown = [one for one in shown if one.get("self")]
        found["attendeesOmitted"] = True
    found["attendees"] = shown


def _may_see(found: JsonObject, calendar: Calendar, person: str) -> bool:
    role = calendar.role(person)
    if role == "freeBusyReader":
        return False
    return role in ("writer", "owner") or found.get("visibility") not in ("private", "confidential")


def _hidden(found: JsonObject) -> JsonObject:
    """What readers see of a private event (G-19): when, and no more."""
    shown = ("kind", "etag", "id", "status", "start", "end", "created", "updated", "iCalUID", "sequence", "visibility")
    kept = {
        name: found[name] for name in (*shown, "recurringEventId", "originalStartTime", "recurrence") if name in found
    }
    return kept | {"transparency": found["transparency"]} if "transparency" in found else kept
