"""Calendars with something in them: a private life, made as a client would make it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from bridge.sandbox.google.events import Writer
from bridge.sandbox.seeds import Seed, seeds


def events(writer: Writer, count: int) -> list[str]:
    """Insert ``count`` different events around today; their ids."""
    today = writer.state.now().date()
    return [writer.insert(_body(seed, writer.calendar.zone)).id for seed in seeds("private", count, today)]


def _body(seed: Seed, zone: str) -> dict[str, Any]:
    body: dict[str, Any] = {"summary": seed.title, "start": _time(seed.start, zone), "end": _time(seed.end, zone)}
    if seed.place:
        body["location"] = seed.place
    if seed.notes:
        body["description"] = seed.notes
    if seed.weeks > 1:
        body["recurrence"] = [f"RRULE:FREQ=WEEKLY;COUNT={seed.weeks}"]
    if seed.reminder is not None:
        body["reminders"] = {"useDefault": False, "overrides": [{"method": "popup", "minutes": seed.reminder}]}
    return body


def _time(value: dt.date | dt.datetime, zone: str) -> dict[str, str]:
    if isinstance(value, dt.datetime):
        return {"dateTime": value.isoformat(), "timeZone": zone}
    return {"date": value.isoformat()}
