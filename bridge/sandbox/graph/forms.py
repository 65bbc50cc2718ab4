"""The event form: what a person typed becomes a request body, and an item becomes what the form shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from bridge.sandbox.graph import bodies, zones
from bridge.sandbox.graph.events import Item
from bridge.sandbox.graph.properties import ENUMS

JsonObject = dict[str, Any]
REPEATS = {
    "": "Does not repeat",
    "daily": "Every day",
    "workdays": "Every workday, Monday to Friday",
    "weekly": "Every week on this weekday",
    "absoluteMonthly": "Every month on this day",
    "relativeMonthly": "Every month on this weekday (first, second …)",
    "absoluteYearly": "Every year",
}
SHOW_AS = {
    "busy": "Busy", "free": "Free", "tentative": "Tentative", "oof": "Away", "workingElsewhere": "Working elsewhere",
}  # fmt: skip
REMINDERS = {
    "": "None", "0": "At the start", "5": "5 minutes before", "15": "15 minutes before", "30": "30 minutes before",
    "60": "1 hour before", "1440": "1 day before",
}  # fmt: skip
SENSITIVITIES = {"normal": "Normal", "personal": "Personal", "private": "Private", "confidential": "Confidential"}


class FormProblem(Exception):
    """What is wrong with the input, in words for the person who typed it."""


def body(form: Mapping[str, str]) -> JsonObject:
    """The form as the body of a create."""
    first = _date(form, "first", "First day")
    last = _date(form, "last", "Last day") if form.get("last") else first
    zone = form.get("zone", "")
    if zone not in zones.windows_names():
        raise FormProblem(f"There is no time zone “{zone}”.")
    if form.get("all_day"):
        if last < first:
            raise FormProblem("The last day is before the first day.")
        start, end = dt.datetime.combine(first, dt.time()), dt.datetime.combine(last + dt.timedelta(days=1), dt.time())
    else:
        start = dt.datetime.combine(first, _time(form, "from", "From"))
        end = dt.datetime.combine(last, _time(form, "to", "To"))
        if end < start:
            raise FormProblem("The event ends before it begins.")
    reminder = form.get("reminder", "")
    if reminder not in REMINDERS and not (reminder.isdigit() and len(reminder) < 7):
        raise FormProblem("Please choose when to be reminded.")
    return {
        "subject": form.get("subject", "").strip(),
        "location": {"displayName": form.get("location", "").strip()},
        "body": {"contentType": "text", "content": form.get("body", "").replace("\r\n", "\n").strip()},
        "isAllDay": bool(form.get("all_day")),
        "start": {"dateTime": start.isoformat(), "timeZone": zone},
        "end": {"dateTime": end.isoformat(), "timeZone": zone},
        "showAs": _choice(form, "show_as", SHOW_AS, "busy"),
        "sensitivity": _choice(form, "sensitivity", SENSITIVITIES, "normal"),
        "isReminderOn": bool(reminder),
        **({"reminderMinutesBeforeStart": int(reminder)} if reminder else {}),
        "categories": _words(form.get("categories", "")),
        "attendees": [{"emailAddress": {"address": one}} for one in _words(form.get("attendees", ""))],
    }


def recurrence(form: Mapping[str, str]) -> JsonObject | None:
    """What the form says about repeating, from its first day on."""
    kind = form.get("repeat", "")
    if not kind:
        return None
    if kind not in REPEATS:
        raise FormProblem("Please choose how often it repeats.")
    first = _date(form, "first", "First day")
    ends: JsonObject = {"type": "noEnd"}
    count = form.get("count", "").strip()
    if count:
        if not (count.isdigit() and 1 <= int(count) <= 999):
            raise FormProblem("The number of times is between 1 and 999, or empty.")
        ends = {"type": "numbered", "numberOfOccurrences": int(count)}
    elif form.get("until"):
        ends = {"type": "endDate", "endDate": _date(form, "until", "Until").isoformat()}
    return {"pattern": pattern(kind, first), "range": {"startDate": first.isoformat(), **ends}}


def pattern(kind: str, day: dt.date) -> JsonObject:
    """The pattern of a kind that yields this day."""
    weekday = ENUMS["dayOfWeek"][day.isoweekday() % 7]
    match kind:
        case "daily":
            return {"type": "daily", "interval": 1}
        case "workdays":
            return _weekly([name for name in ENUMS["dayOfWeek"] if name not in ("saturday", "sunday")])
        case "weekly":
            return _weekly([weekday])
        case "absoluteMonthly":
            return {"type": kind, "interval": 1, "dayOfMonth": day.day}
        case "absoluteYearly":
            return {"type": kind, "interval": 1, "dayOfMonth": day.day, "month": day.month}
        case _:
            return {
                "type": kind,
                "interval": 1,
                "daysOfWeek": [weekday],
                "index": index_in_month(day),
                "month": day.month,
            }


def index_in_month(day: dt.date) -> str:
    """Which of its kind a weekday is in its month; a fifth is the last."""
    return ENUMS["weekIndex"][min((day.day - 1) // 7, 4)]


def shown(item: Item) -> JsonObject:
    """An item as the form's values, in its own zone."""
    kept, span = item.fields, item.span
    start, end = span.start, zones.wall_in(span.ends_at, span.start_zone)
    last = (end - dt.timedelta(days=1) if span.all_day else end).date()
    return {
        "subject": kept["subject"],
        "location": kept["location"]["displayName"],
        "body": bodies.as_text(kept["body"]).replace("\r\n", "\n").strip(),
        "all_day": "1" if span.all_day else "",
        "first": start.date().isoformat(),
        "last": last.isoformat(),
        "from": "09:00" if span.all_day else f"{start:%H:%M}",
        "to": "10:00" if span.all_day else f"{end:%H:%M}",
        "zone": span.start_zone,
        "show_as": kept["showAs"],
        "sensitivity": kept["sensitivity"],
        "reminder": str(kept["reminderMinutesBeforeStart"]) if kept["isReminderOn"] else "",
        "categories": ", ".join(kept["categories"]),
        "attendees": ", ".join(one["emailAddress"]["address"] for one in kept["attendees"]),
    }


def changes(form: Mapping[str, str], item: Item) -> JsonObject:
    """Only what the person changed: whatever else is written would be taken for a change (M-51, M-53)."""
    wanted, before = body(form), body(shown(item))
    changed = {name: value for name, value in wanted.items() if value != before.get(name)}
    if {"start", "end", "isAllDay"} & set(changed):
        changed |= {name: wanted[name] for name in ("start", "end", "isAllDay")}
    return changed


def organizer(form: Mapping[str, str]) -> str:
    """Who invites."""
    address = form.get("organizer", "").strip()
    if "@" not in address.strip("@"):
        raise FormProblem("Please say who invites: an address.")
    return address


def blank(day: dt.date, zone: str) -> JsonObject:
    """The form for a new event on that day."""
    return {
        "subject": "", "location": "", "body": "", "all_day": "", "first": day.isoformat(), "last": day.isoformat(),
        "from": "09:00", "to": "10:00", "zone": zone, "show_as": "busy", "sensitivity": "normal", "reminder": "15",
        "categories": "", "attendees": "", "repeat": "",
    }  # fmt: skip


def _weekly(days: list[str]) -> JsonObject:
    return {"type": "weekly", "interval": 1, "daysOfWeek": days, "firstDayOfWeek": "monday"}


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


def _choice(form: Mapping[str, str], name: str, known: Mapping[str, str], default: str) -> str:
    value = form.get(name) or default
    if value not in known and value != "unknown":
        raise FormProblem(f"“{value}” is not a choice.")
    return value


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.replace(";", ",").split(",") if word.strip()]
