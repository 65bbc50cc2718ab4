"""Calendars and task lists with something in them: a working life, as the bodies that would create it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from bridge.sandbox.graph.properties import ENUMS
from bridge.sandbox.graph.todo import DEFAULT_LIST
from bridge.sandbox.graph.todo_writing import TodoDesk
from bridge.sandbox.seeds import Seed, seeds
from bridge.sandbox.task_seeds import TaskSeed, task_seeds


def bodies(count: int, now: dt.datetime, zone: str) -> Iterator[dict[str, Any]]:
    """Request bodies for ``count`` different events around ``now``."""
    for number, seed in enumerate(seeds("work", count, now.date())):
        yield _body(seed, zone) | {"transactionId": f"seed-{now.timestamp()}-{number}"}


def tasks(desk: TodoDesk, today: dt.date, zone: str) -> None:
    """A few tasks in the default list, if it is empty."""
    if desk.todo.tasks_of(DEFAULT_LIST):
        return
    for seed in task_seeds("work", today):
        made = desk.create(_task_body(seed, zone), desk.todo.lists[DEFAULT_LIST])
        for step in seed.steps:
            desk.add_step(made, {"displayName": step})


def _task_body(seed: TaskSeed, zone: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "title": seed.title,
        "body": {"contentType": "text", "content": seed.notes},
        "importance": "high" if seed.important else "normal",
        "status": "completed" if seed.done else "notStarted",
    }
    if seed.due:
        body["dueDateTime"] = {"dateTime": _midnight(seed.due).isoformat(), "timeZone": zone}
    if seed.due and seed.weekly:
        weekday = ENUMS["dayOfWeek"][seed.due.isoweekday() % 7]
        body["recurrence"] = {
            "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": [weekday], "firstDayOfWeek": "monday"},
            "range": {"type": "noEnd", "startDate": seed.due.isoformat()},
        }
    return body


def _body(seed: Seed, zone: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "subject": seed.title,
        "body": {"contentType": "text", "content": seed.notes},
        "start": {"dateTime": _midnight(seed.start).isoformat(), "timeZone": zone},
        "end": {"dateTime": _midnight(seed.end).isoformat(), "timeZone": zone},
        "isAllDay": seed.all_day,
        "location": {"displayName": seed.place},
        "isReminderOn": seed.reminder is not None,
    }
    if seed.reminder is not None:
        body["reminderMinutesBeforeStart"] = seed.reminder
    if seed.weeks > 1:
        weekday = ENUMS["dayOfWeek"][seed.start.isoweekday() % 7]
        limits = {"type": "numbered", "startDate": _midnight(seed.start).date().isoformat()}
        body["recurrence"] = {
            "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": [weekday], "firstDayOfWeek": "monday"},
            "range": limits | {"numberOfOccurrences": seed.weeks},
        }
    return body


def _midnight(value: dt.date | dt.datetime) -> dt.datetime:
    return value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
