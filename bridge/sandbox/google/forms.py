"""The event form: what a person typed becomes a patch, and an event becomes what the form shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from bridge.sandbox.google.state import Event
from bridge.sandbox.google.times import Moment, known_zones
from bridge.sandbox.google.view import Instance

JsonObject = dict[str, Any]
REPEATS = {
    "": "Does not repeat",
    "DAILY": "Every day",
    "WEEKLY": "Every week",
    "MONTHLY": "Every month",
    "YEARLY": "Every year",
}


class FormProblem(Exception):
    """What is wrong with the input, in words for the person who typed it."""


def _date(form: Mapping[str, str], name: str, label: str) -> dt.date:
    try:
        found = dt.date.fromisoformat(form.get(name, ""))
    except ValueError:
        raise FormProblem(f"{label}: please give a date.") from None
    if not 1900 <= found.year <= 2200:
        raise FormProblem(f"{label}: please give a year between 1900 and 2200.")
    return found


def _time(form: Mapping[str, str], name: str, label: str) -> dt.time:
    try:
        return dt.time.fromisoformat(form.get(name, "")).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise FormProblem(f"{label}: please give a time.") from None


def patch(form: Mapping[str, str]) -> JsonObject:
    """The fields of the form as a patch of an event."""
    first = _date(form, "first", "First day")
    last = _date(form, "last", "Last day") if form.get("last") else first
    found: JsonObject = {name: form.get(name, "").strip() or None for name in ("summary", "location", "description")}
    if form.get("all_day"):
        if last < first:
            raise FormProblem("The last day is before the first day.")
        ends = last + dt.timedelta(days=1)  # exclusive (G-57)
        found["start"] = {"date": first.isoformat(), "dateTime": None, "timeZone": None}
        return found | {"end": {"date": ends.isoformat(), "dateTime": None, "timeZone": None}}
    zone = form.get("zone", "")
    if zone not in known_zones():
        raise FormProblem(f"There is no time zone {zone!r}.")
    start = dt.datetime.combine(first, _time(form, "from", "From"))
    end = dt.datetime.combine(last, _time(form, "to", "To"))
    if end < start:
        raise FormProblem("The event ends before it begins.")
    found["start"] = {"dateTime": start.isoformat(), "timeZone": zone, "date": None}
    return found | {"end": {"dateTime": end.isoformat(), "timeZone": zone, "date": None}}


def recurrence(form: Mapping[str, str]) -> list[str]:
    """The line for what the form says about repeating."""
    frequency = form.get("repeat", "")
    if not frequency:
        return []
    if frequency not in REPEATS:
        raise FormProblem("Please choose how often it repeats.")
    count = form.get("count", "").strip()
    if count and not (count.isdigit() and 1 <= int(count) <= 999):
        raise FormProblem("The number of times is between 1 and 999, or empty.")
    return [f"RRULE:FREQ={frequency}" + (f";COUNT={count}" if count else "")]


def shown(item: Event | Instance) -> dict[str, Any]:
    """An event as the form's values."""
    body = item.master.body if isinstance(item, Instance) else item.body
    start, end = item.start, item.end
    found: dict[str, Any] = {name: body.get(name, "") for name in ("summary", "location", "description")}
    if start.all_day:
        last = end.value - dt.timedelta(days=1)
        return found | {
            "all_day": True,
            "first": start.value.isoformat(),
            "last": last.isoformat(),
            "from": "09:00",
            "to": "10:00",
        }
    begins, ends = _wall(start, start.zone), _wall(end, start.zone)
    return found | {
        "all_day": False,
        "zone": start.zone,
        "first": begins.date().isoformat(),
        "last": ends.date().isoformat(),
        "from": begins.strftime("%H:%M"),
        "to": ends.strftime("%H:%M"),
    }


def _wall(moment: Moment, zone: str) -> dt.datetime:
    return moment.instant(dt.UTC).astimezone(ZoneInfo(zone))


def blank(day: dt.date, zone: str) -> dict[str, Any]:
    """The form for a new event on that day."""
    date = day.isoformat()
    texts = {"summary": "", "location": "", "description": ""}
    return texts | {"all_day": False, "zone": zone, "first": date, "last": date, "from": "09:00", "to": "10:00"}
