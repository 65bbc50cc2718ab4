"""Calendars with something in them: many different events, made as a client would make them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from bridge.sandbox.google.events import Writer

PLACES = ("", "Library", "Café Central, Herrengasse 14", "Room 4")


def events(writer: Writer, count: int) -> list[str]:
    """Twelve a day from sixty days ago on: mostly timed, every tenth all-day, every twentieth a weekly series of four."""
    first = writer.state.now().date() - dt.timedelta(days=60)
    return [writer.insert(_event(number, first, writer.calendar.zone)).id for number in range(count)]


def _event(number: int, first: dt.date, zone: str) -> dict[str, Any]:
    day, slot = first + dt.timedelta(days=number // 12), number % 12
    body: dict[str, Any] = {"summary": f"Event {number + 1}", "description": f"The event number {number + 1}"}
    if PLACES[number % 4]:
        body["location"] = PLACES[number % 4]
    if number % 10 == 9:
        following = day + dt.timedelta(days=1)
        return body | {"start": {"date": day.isoformat()}, "end": {"date": following.isoformat()}}
    start = dt.datetime.combine(day, dt.time(7 + slot))
    end = start + dt.timedelta(minutes=30 + 15 * (number % 3))
    body |= {
        "start": {"dateTime": start.isoformat(), "timeZone": zone},
        "end": {"dateTime": end.isoformat(), "timeZone": zone},
    }
    if number % 20 == 10:
        body["recurrence"] = ["RRULE:FREQ=WEEKLY;COUNT=4"]
    if number % 7 == 0:
        body["reminders"] = {"useDefault": False, "overrides": [{"method": "popup", "minutes": 15}]}
    return body
