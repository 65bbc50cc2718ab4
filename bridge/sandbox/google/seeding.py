"""Calendars and task lists with something in them: a private life, made as a client would make it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from bridge.sandbox.google.events import Writer
from bridge.sandbox.google.tasks_writing import TaskDesk
from bridge.sandbox.seeds import Seed, seeds
from bridge.sandbox.task_seeds import task_seeds


def events(writer: Writer, count: int) -> list[str]:
    """Insert ``count`` different events around today; their ids."""
    today = writer.state.now().date()
    return [writer.insert(_body(seed, writer.calendar.zone)).id for seed in seeds("private", count, today)]


def tasks(desk: TaskDesk, today: dt.date) -> None:
    """A few tasks in the default list, if it is empty; what is done was completed by an app, so it is not hidden (G-102)."""
    held = desk.list_of("@default")
    if held.tasks:
        return
    for seed in reversed(list(task_seeds("private", today))):  # each new one stands before the others
        due = {"due": f"{seed.due.isoformat()}T00:00:00.000Z"} if seed.due else {}
        status = "completed" if seed.done else "needsAction"
        parent = desk.insert(held, {"title": seed.title, "notes": seed.notes, "status": status} | due)
        for step in reversed(seed.steps):
            desk.insert(held, {"title": step}, parent=parent.id)


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
