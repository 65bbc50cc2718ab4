"""One occurrence, this and following, or the whole series: what Outlook makes of the choice.

Graph knows no "this and following": Outlook ends the old series the day before and starts a new one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal

from bridge.sandbox.graph import forms, properties, recurrence
from bridge.sandbox.graph.events import Desk, Item
from bridge.sandbox.graph.mailbox import Event
from bridge.sandbox.graph.properties import ENUMS
from bridge.sandbox.graph.recurrence import Recurrence

Scope = Literal["this", "following", "all"]
SCOPES: tuple[Scope, ...] = ("this", "following", "all")
JsonObject = dict[str, Any]


def scope_of(text: str) -> Scope:
    """What the form says; the narrowest if it says nothing known."""
    return next((scope for scope in SCOPES if scope == text), "this")


def edit(desk: Desk, item: Item, form: Mapping[str, str], scope: Scope) -> None:
    """Write what the person changed, on as much of the series as was chosen."""
    changed = forms.changes(form, item)
    if item.day is None:
        if "repeat" in form and form["repeat"] != "keep":
            changed["recurrence"] = forms.recurrence(form)
        _write(desk, item, changed)
    elif scope == "this":
        _write(desk, item, changed)
    elif scope == "all" or item.day == _first(item.event):
        _write(desk, Item(item.event), _for_series(item, changed))
    else:
        _split(desk, item, changed)


def delete(desk: Desk, item: Item, scope: Scope) -> None:
    """Delete as much of the series as was chosen."""
    if item.day is None or scope == "this":
        desk.delete(item)
    elif scope == "all" or item.day == _first(item.event):
        desk.delete(Item(item.event))
    else:
        _end_before(desk, item.event, item.day)


def _write(desk: Desk, item: Item, changed: JsonObject) -> None:
    if changed:
        desk.update(item, properties.check("event", changed))


def _for_series(item: Item, changed: JsonObject) -> JsonObject:
    """New times of one occurrence, as new times of its series: moved by as many days."""
    event, day = item.event, item.day
    if "start" not in changed or event.recurrence is None or day is None:
        return changed
    start, end = (dt.datetime.fromisoformat(changed[name]["dateTime"]) for name in ("start", "end"))
    moved = (start.date() - day).days
    first = event.span.start.date() + dt.timedelta(days=moved)
    zone = changed["start"]["timeZone"]
    begins = dt.datetime.combine(first, start.time())
    times = {
        "start": {"dateTime": begins.isoformat(), "timeZone": zone},
        "end": {"dateTime": (begins + (end - start)).isoformat(), "timeZone": zone},
    }
    if moved:
        view = event.recurrence.view()
        shown = {
            "pattern": _moved(event.recurrence, moved, start.date()),
            "range": view["range"] | {"startDate": first.isoformat()},
        }
        if event.recurrence.last:
            shown["range"]["endDate"] = (event.recurrence.last + dt.timedelta(days=moved)).isoformat()
        return changed | times | {"recurrence": shown}
    return changed | times


def _moved(rule: Recurrence, moved: int, day: dt.date) -> JsonObject:
    """The same kind of pattern, so many days later."""
    pattern: JsonObject = rule.view()["pattern"]
    if rule.type == "weekly":
        pattern["daysOfWeek"] = [ENUMS["dayOfWeek"][(ENUMS["dayOfWeek"].index(name) + moved) % 7] for name in rule.days]
    elif rule.type != "daily":
        pattern = forms.pattern(rule.type, day) | {"interval": rule.interval}
    return pattern


def _split(desk: Desk, item: Item, changed: JsonObject) -> None:
    """The new half first: if it is refused, the old series is still whole."""
    event, day = item.event, item.day
    rule = event.recurrence
    if rule is None or day is None:
        return
    view = rule.view()
    limits = view["range"] | {"startDate": day.isoformat()}
    if rule.count:
        before = len(recurrence.between(rule, rule.first, day - dt.timedelta(days=1)))
        limits["numberOfOccurrences"] = rule.count - before
    whole = _as_body(event, day) | {"recurrence": {"pattern": view["pattern"], "range": limits}}
    wanted = whole | changed
    if "start" in changed:
        start = dt.datetime.fromisoformat(changed["start"]["dateTime"]).date()
        moved = (start - day).days
        if moved:
            wanted["recurrence"] = {
                "pattern": _moved(rule, moved, start),
                "range": limits | {"startDate": start.isoformat()},
            }
    desk.create(properties.check("event", wanted), event.calendar)
    _end_before(desk, event, day)


def _end_before(desk: Desk, event: Event, day: dt.date) -> None:
    if event.recurrence is None:
        return
    view = event.recurrence.view()
    last = (day - dt.timedelta(days=1)).isoformat()
    limits = view["range"] | {"type": "endDate", "endDate": last}
    _write(desk, Item(event), {"recurrence": {"pattern": view["pattern"], "range": limits}})


def _as_body(event: Event, day: dt.date) -> JsonObject:
    """A series as the body that would create it, beginning on a day."""
    kept, span = event.fields, event.span.on(day)
    names = (
        "subject",
        "importance",
        "sensitivity",
        "showAs",
        "isReminderOn",
        "reminderMinutesBeforeStart",
        "categories",
    )
    return {
        **{name: kept[name] for name in names},
        "body": {"contentType": "html", "content": kept["body"]},
        "location": {"displayName": kept["location"]["displayName"]},
        "attendees": [{"emailAddress": one["emailAddress"], "type": one["type"]} for one in kept["attendees"]],
        "isAllDay": span.all_day,
        "start": {"dateTime": span.start.isoformat(), "timeZone": span.start_zone},
        "end": {"dateTime": span.end.isoformat(), "timeZone": span.end_zone},
    }


def _first(event: Event) -> dt.date | None:
    rule = event.recurrence
    return next((day for day in recurrence.days_of(rule) if day not in event.cancelled), None) if rule else None
