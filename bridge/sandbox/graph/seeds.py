"""Events to fill a calendar with: singles of several lengths, all-day ones and series, all different."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

_SUBJECTS = (
    "Standup",
    "Review",
    "Lunch",
    "Planning",
    "One to one",
    "Workshop",
    "Call",
    "Dentist",
    "Training",
    "Interview",
)


def bodies(count: int, now: dt.datetime, zone: str) -> Iterator[dict[str, Any]]:
    """Request bodies, spread over two years around ``now``; every tenth is all-day, every twentieth a series."""
    first = now.date() - dt.timedelta(days=365)
    for number in range(count):
        day = first + dt.timedelta(days=number * 7 % 730)
        start = dt.datetime.combine(day, dt.time(8 + number % 9, 30 * (number % 2)))
        all_day, end = number % 10 == 9, start + dt.timedelta(minutes=30 + 15 * (number % 4))
        if all_day:
            start = dt.datetime.combine(day, dt.time())
            end = start + dt.timedelta(days=1 + number % 3)
        body: dict[str, Any] = {
            "subject": f"{_SUBJECTS[number % len(_SUBJECTS)]} {number + 1}",
            "body": {"contentType": "text", "content": f"Notes for event {number + 1}."},
            "start": {"dateTime": start.isoformat(), "timeZone": zone},
            "end": {"dateTime": end.isoformat(), "timeZone": zone},
            "isAllDay": all_day,
            "location": {"displayName": f"Room {number % 12 + 1}"},
            "isReminderOn": number % 3 == 0,
            "transactionId": f"seed-{now.timestamp()}-{number}",
        }
        if number % 20 == 5:
            weekday = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")[day.weekday()]
            body["recurrence"] = {
                "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": [weekday], "firstDayOfWeek": "monday"},
                "range": {"type": "numbered", "startDate": day.isoformat(), "numberOfOccurrences": 10},
            }
        yield body
