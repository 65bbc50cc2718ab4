"""Changing a series as people do: this event, this and following ones, or all (G-61, G-63)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from bridge.sandbox.google import recurrence, series
from bridge.sandbox.google.events import Writer, merge
from bridge.sandbox.google.state import Event
from bridge.sandbox.google.times import Moment
from bridge.sandbox.google.view import Instance

JsonObject = dict[str, Any]
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
THIS, FOLLOWING, ALL = "this", "following", "all"


def edit(writer: Writer, id: str, change: JsonObject, scope: str) -> None:
    """Write ``change`` (a patch) to an instance, to it and all later ones, or to the whole series."""
    item = series.find(writer.calendar, id)
    master, original = _place(writer, item)
    if master is None or original is None or scope == THIS:
        writer.patch(id, change)
    elif scope == ALL or original == master.start:
        writer.patch(master.id, _shifted(master, item, change))
    else:
        _split(writer, master, original, change)


def delete(writer: Writer, id: str, scope: str) -> None:
    """Delete an instance, it and all later ones, or the whole series."""
    master, original = _place(writer, series.find(writer.calendar, id))
    if master is None or original is None or scope == THIS:
        writer.delete(id)
    elif scope == ALL or original == master.start:
        writer.delete(master.id)
    else:
        writer.patch(master.id, {"recurrence": ended(master, original)})


def _place(writer: Writer, item: Event | Instance) -> tuple[Event | None, Moment | None]:
    if isinstance(item, Instance):
        return item.master, item.original
    return writer.calendar.events.get(item.master_id or ""), item.original


def ended(master: Event, original: Moment) -> list[str]:
    """The master's lines with every rule ending before ``original``: an UNTIL in UTC, or a date if all-day (G-63, G-64)."""
    found = []
    for line in master.lines:
        name, _, value = line.partition(":")
        if name == "RRULE":
            parts = [part for part in value.split(";") if part.partition("=")[0] not in ("UNTIL", "COUNT")]
            found.append(f"RRULE:{';'.join([*parts, f'UNTIL={_before(original)}'])}")
        elif name.startswith("RDATE"):
            found.extend(_dates_before(name, value, master.start, original))
        else:
            found.append(line)
    return found


def _before(original: Moment) -> str:
    if original.all_day:
        return (original.value - dt.timedelta(days=1)).strftime("%Y%m%d")
    return (original.instant(dt.UTC) - dt.timedelta(seconds=1)).strftime("%Y%m%dT%H%M%SZ")


def _dates_before(name: str, value: str, start: Moment, original: Moment) -> list[str]:
    kept = [text for text in value.split(",") if _date(name, text, start) < original.instant(dt.UTC)]
    return [f"{name}:{','.join(kept)}"] if kept else []


def _date(name: str, text: str, start: Moment) -> dt.datetime:
    wall = recurrence.dates(f"{name}:{text}", start)[0]
    return wall.replace(tzinfo=ZoneInfo(start.zone or "UTC")).astimezone(dt.UTC)


def _split(writer: Writer, master: Event, original: Moment, change: JsonObject) -> None:
    """End the old series before the instance and begin a new one with it; exceptions from there on are lost (G-63)."""
    regular = Instance(master, original)
    lines = []
    for line in master.lines:
        name, _, value = line.partition(":")
        if name == "RRULE" and "COUNT=" in value:
            earlier = sum(
                1
                for each in recurrence.starts((line,), master.start)
                if each.instant(dt.UTC) < original.instant(dt.UTC)
            )
            parts = dict(part.partition("=")[::2] for part in value.split(";"))
            parts["COUNT"] = str(int(parts["COUNT"]) - earlier)
            lines.append("RRULE:" + ";".join(f"{key}={part}" for key, part in parts.items()))
        elif not name.startswith("RDATE"):
            lines.append(line)
    body = {name: value for name, value in regular.body().items() if name not in ("start", "end")}
    for name, moment in (("start", regular.start), ("end", regular.end)):
        body[name] = {part: text for part, text in moment.stored().items() if part != "fold"}
    body |= {
        "recurrence": rotated(lines, _days_moved(regular, change)),
        "reminders": master.reminders.get(writer.person.email),
    }
    writer.patch(master.id, {"recurrence": ended(master, original)})
    writer.insert(merge(body, change))


def _days_moved(regular: Instance, change: JsonObject) -> int:
    start = change.get("start", {})
    if start.get("dateTime") and not regular.start.all_day:
        return (
            dt.datetime.fromisoformat(start["dateTime"]).date() - _wall(regular.start, start["timeZone"]).date()
        ).days
    if start.get("date") and regular.start.all_day:
        return int((dt.date.fromisoformat(start["date"]) - regular.start.value).days)
    return 0


def _shifted(master: Event, item: Event | Instance, change: JsonObject) -> JsonObject:
    """The change for the whole series: its first instance moves as far as this one did, and gets this one's length."""
    if "start" not in change or "end" not in change:
        return change
    found = dict(change)
    start, end = change["start"], change["end"]
    if start.get("date") and master.start.all_day:
        moved = dt.date.fromisoformat(start["date"]) - item.start.value
        length = dt.date.fromisoformat(end["date"]) - dt.date.fromisoformat(start["date"])
        first = master.start.value + moved
        found["start"] = start | {"date": first.isoformat()}
        found["end"] = end | {"date": (first + length).isoformat()}
        return found | {"recurrence": rotated(master.lines, moved.days)}
    if start.get("date") or master.start.all_day:
        return found  # it becomes all-day, or timed: from the instance that was edited on
    wall = dt.datetime.fromisoformat(start["dateTime"])
    length = dt.datetime.fromisoformat(end["dateTime"]) - wall
    here, base = (_wall(moment, start["timeZone"]) for moment in (item.start, master.start))
    first_wall = base + (wall - here)
    for name, moment in (("start", first_wall), ("end", first_wall + length)):
        found[name] = {"dateTime": moment.isoformat(), "timeZone": start["timeZone"], "date": None}
    return found | {"recurrence": rotated(master.lines, (first_wall.date() - base.date()).days)}


def _wall(moment: Moment, zone: str) -> dt.datetime:
    return moment.instant(dt.UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def rotated(lines: Iterable[str], days: int) -> list[str]:
    """Weekly rules that name weekdays follow a series that moves by some days."""
    found = []
    for line in lines:
        parts = dict(part.partition("=")[::2] for part in line.removeprefix("RRULE:").split(";"))
        if parts.get("FREQ") == "WEEKLY" and "BYDAY" in parts and days % 7:
            parts["BYDAY"] = ",".join(DAYS[(DAYS.index(day) + days) % 7] for day in parts["BYDAY"].split(","))
            found.append("RRULE:" + ";".join(f"{name}={part}" for name, part in parts.items()))
        else:
            found.append(line)
    return found
