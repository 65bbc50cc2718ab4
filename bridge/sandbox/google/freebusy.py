"""freebusy.query (G-23): when a calendar is busy, merged; what cannot be read is an error inside a 200."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from bridge.sandbox.google import times
from bridge.sandbox.google.errors import ApiError, invalid, required
from bridge.sandbox.google.listing import Query
from bridge.sandbox.google.state import Calendar, Person, State
from bridge.sandbox.google.view import Instance

JsonObject = dict[str, Any]
Span = tuple[dt.datetime, dt.datetime]


def query(state: State, person: Person, given: JsonObject) -> JsonObject:
    """The answer's body."""
    low, high = (_bound(given, name) for name in ("timeMin", "timeMax"))
    if low >= high:
        raise ApiError(
            400, "timeRangeEmpty", "The specified time range is empty.", domain="calendar", location="timeMax"
        )
    zone = times.zone(given.get("timeZone", "UTC"))
    asked = [each.get("id", "") for each in given.get("items", ())]
    limit = given.get("calendarExpansionMax", 50)
    if limit > 50 or given.get("groupExpansionMax", 0) > 100:
        raise invalid("The expansion limit is too large.", "calendarExpansionMax")
    calendars: JsonObject = {}
    for number, id in enumerate(asked):
        calendar = state.calendars.get(person.email if id == "primary" else id)
        if number >= limit:
            calendars[id] = _error("tooManyCalendarsRequested")
        elif calendar is None or calendar.role(person.email) == "none":
            calendars[id] = _error("notFound")
        else:
            spans = _busy(calendar, low, high)
            calendars[id] = {
                "busy": [
                    {"start": times.rfc3339(a.astimezone(zone)), "end": times.rfc3339(b.astimezone(zone))}
                    for a, b in spans
                ]
            }
    window = {"timeMin": times.stamp(low), "timeMax": times.stamp(high)}
    return {"kind": "calendar#freeBusy", **window, "calendars": calendars}


def _bound(given: JsonObject, name: str) -> dt.datetime:
    text = given.get(name)
    if not text:
        raise required(f"Missing {name}.", name)
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise invalid(f"Invalid {name}.", name) from None
    if moment.tzinfo is None:
        raise invalid(f"{name} needs a time zone offset.", name)
    return moment


def _error(reason: str) -> JsonObject:
    return {"errors": [{"domain": "global", "reason": reason}], "busy": []}


def _busy(calendar: Calendar, low: dt.datetime, high: dt.datetime) -> list[Span]:
    """Opaque events not declined, clipped to the window and merged."""
    zone = ZoneInfo(calendar.zone)
    spans: list[Span] = []
    for item in Query(calendar, {"singleEvents": True, "timeMin": low, "timeMax": high}, high).items():
        body = item.master.body if isinstance(item, Instance) else item.body
        declined = any(
            guest["email"] == calendar.id and guest["responseStatus"] == "declined"
            for guest in body.get("attendees", ())
        )
        if body.get("transparency") != "transparent" and not declined:
            spans.append((max(low, item.start.instant(zone)), min(high, item.end.instant(zone))))
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        elif start < end:
            merged.append((start, end))
    return merged
