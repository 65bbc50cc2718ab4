"""Calendars with something in them: a working life, as the bodies that would create it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from bridge.sandbox.graph.properties import ENUMS
from bridge.sandbox.seeds import Seed, seeds


def bodies(count: int, now: dt.datetime, zone: str) -> Iterator[dict[str, Any]]:
    """Request bodies for ``count`` different events around ``now``."""
    for number, seed in enumerate(seeds("work", count, now.date())):
        yield _body(seed, zone) | {"transactionId": f"seed-{now.timestamp()}-{number}"}


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
