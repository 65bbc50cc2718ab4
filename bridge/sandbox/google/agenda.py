"""What a person sees of their calendar: the instances of a month, by day."""

from __future__ import annotations

import calendar as months
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bridge.sandbox.google import palette
from bridge.sandbox.google.listing import Query
from bridge.sandbox.google.state import Calendar, Event, Person, State
from bridge.sandbox.google.view import Instance


@dataclass(frozen=True, slots=True)
class Shown:
    """An event on the page, in the person's zone. ``last`` is the last day it touches."""

    calendar_id: str
    id: str
    title: str
    start: dt.date | dt.datetime
    first: dt.date
    last: dt.date
    hue: str
    recurring: bool
    tentative: bool

    @property
    def time(self) -> str:
        """The wall time of its start, empty for all-day."""
        return self.start.strftime("%H:%M") if isinstance(self.start, dt.datetime) else ""


def month_of(state: State, person: Person, first: dt.date) -> dict[dt.date, list[Shown]]:
    """Every day of the weeks that a month touches, with its events in order."""
    weeks = months.Calendar().monthdatescalendar(first.year, first.month)
    days: dict[dt.date, list[Shown]] = {day: [] for week in weeks for day in week}
    zone = ZoneInfo(person.zone)
    low = dt.datetime.combine(weeks[0][0], dt.time(), zone)
    high = dt.datetime.combine(weeks[-1][-1] + dt.timedelta(days=1), dt.time(), zone)
    for entry in person.calendars.values():
        held = state.calendars.get(entry.calendar_id)
        if held is None or entry.deleted:
            continue
        hue = palette.calendar_color(entry.settings["colorId"])
        for shown in _within(held, low, high, zone, hue):
            for offset in range((shown.last - shown.first).days + 1):
                day = shown.first + dt.timedelta(days=offset)
                if day in days:
                    days[day].append(shown)
    for each in days.values():
        each.sort(key=lambda shown: (shown.time, shown.title))
    return days


def _within(held: Calendar, low: dt.datetime, high: dt.datetime, zone: ZoneInfo, hue: str) -> Iterable[Shown]:
    # A day of slack on each side: all-day events have no zone, and the person's may not be the calendar's.
    slack = dt.timedelta(days=1)
    query = Query(held, {"singleEvents": True, "timeMin": low - slack, "timeMax": high + slack}, high)
    return [_shown(held, item, zone, hue) for item in query.items()]


def _shown(held: Calendar, item: Event | Instance, zone: ZoneInfo, hue: str) -> Shown:
    body = item.master.body if isinstance(item, Instance) else item.body
    start: dt.date | dt.datetime
    if item.start.all_day:
        start = first = item.start.value
        last = item.end.value - dt.timedelta(days=1)
    else:
        start = item.start.instant(zone).astimezone(zone)
        end = item.end.instant(zone).astimezone(zone)
        first, last = start.date(), max(start, end - dt.timedelta(seconds=1)).date()
    color = palette.EVENT[int(body["colorId"]) - 1] if "colorId" in body else hue
    recurring = isinstance(item, Instance) or item.master_id is not None
    title = body.get("summary") or "(No title)"
    return Shown(held.id, item.id, title, start, first, last, color, recurring, body["status"] == "tentative")
