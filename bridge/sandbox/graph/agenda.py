"""What a person sees of their calendars: the items of a month, by day."""

from __future__ import annotations

import calendar as months
import datetime as dt
from dataclasses import dataclass

from bridge.sandbox.graph import views, zones
from bridge.sandbox.graph.events import Item
from bridge.sandbox.graph.views import Reader

_HUES = ("#0f6cbd", "#498205", "#ca5010", "#881798", "#038387", "#c239b3")


@dataclass(frozen=True, slots=True)
class Shown:
    """An item on the page, in the mailbox's zone. ``last`` is the last day it touches."""

    id: str
    title: str
    place: str
    time: str
    first: dt.date
    last: dt.date
    hue: str
    recurring: bool
    tentative: bool
    foreign: bool


def month_of(reader: Reader, first: dt.date) -> dict[dt.date, list[Shown]]:
    """Every day of the weeks that a month touches, with its items in order."""
    zone = reader.box.person.zone
    weeks = months.Calendar().monthdatescalendar(first.year, first.month)
    days: dict[dt.date, list[Shown]] = {day: [] for week in weeks for day in week}
    # A day of slack on each side: all-day events keep their dates, in whatever zone they were made.
    low = zones.to_instant(dt.datetime.combine(weeks[0][0], dt.time()), zone) - dt.timedelta(days=1)
    high = zones.to_instant(dt.datetime.combine(weeks[-1][-1], dt.time()), zone) + dt.timedelta(days=2)
    for event in reader.box.in_calendar(None):
        found = event.days(low, high) if event.recurrence else [None] if event.touches(low, high) else []
        for shown in (_shown(reader, Item(event, day), zone) for day in found):
            for offset in range((shown.last - shown.first).days + 1):
                day = shown.first + dt.timedelta(days=offset)
                if day in days:
                    days[day].append(shown)
    for each in days.values():
        each.sort(key=lambda shown: (shown.time, shown.title))
    return days


def _shown(reader: Reader, item: Item, zone: str) -> Shown:
    span, kept = item.span, item.fields
    if span.all_day:
        start, end = span.start, span.end
    else:
        start, end = zones.wall_in(span.starts_at, zone), zones.wall_in(span.ends_at, zone)
    last = max(start, end - dt.timedelta(seconds=1)).date()
    return Shown(
        id=reader.id_of(item),
        title=kept["subject"] or "(No subject)",
        place=kept["location"]["displayName"],
        time="" if span.all_day else f"{start:%H:%M}",
        first=start.date(),
        last=last,
        hue=_HUES[(item.event.calendar - 1) % len(_HUES)],
        recurring=views.type_of(item) != "singleInstance",
        tentative=kept["showAs"] in ("tentative", "free"),
        foreign=not item.event.own,
    )
