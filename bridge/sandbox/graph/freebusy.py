"""getSchedule: who is free when (M-82)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from bridge.sandbox.graph import properties, zones
from bridge.sandbox.graph.errors import GraphError, invalid
from bridge.sandbox.graph.events import Item
from bridge.sandbox.graph.mailbox import Mailbox, Person
from bridge.sandbox.graph.views import Preferences

LONGEST = dt.timedelta(days=62)
MOST_SCHEDULES = 20
_DIGITS = {"free": 0, "workingElsewhere": 0, "unknown": 0, "tentative": 1, "busy": 2, "oof": 3}


def working_hours(zone: str) -> dict[str, Any]:
    """Monday to Friday, eight to five."""
    return {
        "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
        "startTime": "08:00:00.0000000",
        "endTime": "17:00:00.0000000",
        "timeZone": {"name": zone},
    }


def schedules(
    given: Mapping[str, Any], people: Mapping[str, Person], box: Callable[[Person], Mailbox], prefer: Preferences
) -> list[dict[str, Any]]:
    """One entry for each address asked for; one that is unknown carries an error instead of a view."""
    wanted = given.get("schedules")
    if (
        not isinstance(wanted, list)
        or not all(isinstance(one, str) for one in wanted)
        or not 1 <= len(wanted) <= MOST_SCHEDULES
    ):
        raise invalid(f"schedules is a collection of 1 to {MOST_SCHEDULES} addresses.")
    interval = given.get("availabilityViewInterval", 30)
    if not isinstance(interval, int) or not 5 <= interval <= 1440:
        raise invalid("availabilityViewInterval is between 5 and 1440 minutes.", "ErrorInvalidMergedFreeBusyInterval")
    start, end = (_instant(given.get(name), name) for name in ("startTime", "endTime"))
    step = dt.timedelta(minutes=interval)
    if end - start < step:
        raise invalid("The time window is shorter than availabilityViewInterval.", "ErrorInvalidTimeInterval")
    if end - start > LONGEST:
        raise GraphError(400, "ErrorTimeIntervalTooBig", "The time interval is longer than 62 days.")
    found = []
    for address in wanted:
        person = people.get(address.lower())
        if person is None:
            error = {
                "message": "Unable to resolve e-mail address to an Active Directory object.",
                "responseCode": "ErrorMailRecipientNotFound",
            }
            found.append({"scheduleId": address, "availabilityView": "", "scheduleItems": [], "error": error})
            continue
        items = _items(box(person), start, end)
        found.append(
            {
                "scheduleId": address,
                "availabilityView": _view(items, start, end, step),
                "scheduleItems": [_shown(item, prefer) for item in items],
                "workingHours": working_hours(person.zone),
            }
        )
    return found


def _instant(value: Any, name: str) -> dt.datetime:
    if not isinstance(value, Mapping):
        raise invalid(f"The parameter '{name}' is required.")
    when = properties.check("dateTimeTimeZone", value)
    return zones.to_instant(
        zones.to_wall(when.get("dateTime") or "", name), zones.windows_name(when.get("timeZone") or "")
    )


def _items(box: Mailbox, start: dt.datetime, end: dt.datetime) -> list[Item]:
    found = [
        item
        for event in box.in_calendar(1)
        for item in ([Item(event, day) for day in event.days(start, end)] if event.recurrence else [Item(event)])
        if item.span.touches(start, end) and item.fields["showAs"] not in ("free", "unknown")
    ]
    return sorted(found, key=lambda item: item.span.starts_at)


def _view(items: list[Item], start: dt.datetime, end: dt.datetime, step: dt.timedelta) -> str:
    digits = []
    while start < end:
        until = start + step
        shown = [_DIGITS[item.fields["showAs"]] for item in items if item.span.touches(start, until)]
        digits.append(str(max(shown, default=0)))
        start = until
    return "".join(digits)


def _shown(item: Item, prefer: Preferences) -> dict[str, Any]:
    kept = item.fields
    private = kept["sensitivity"] in ("private", "confidential")
    times = {
        name: {"dateTime": zones.seven_digits(zones.wall_in(at, prefer.zone)), "timeZone": prefer.zone_name}
        for name, at in (("start", item.span.starts_at), ("end", item.span.ends_at))
    }
    words = {} if private else {"subject": kept["subject"], "location": kept["location"]["displayName"]}
    return {"isPrivate": private, "status": kept["showAs"], **words, **times}
