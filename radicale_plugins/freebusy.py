"""When somebody is busy: the answer to a free-busy-query (RFC 4791 §7.10)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import sqlalchemy as sa

from bridge.errors import InvalidCalendarData, Unmappable
from bridge.ical import availability as availabilities
from bridge.ical import lines, recurrence, timing, unrolled, values, view
from bridge.ical import objects as ical
from bridge.ical.lines import Line
from bridge.store import objects, occurrences
from bridge.store.objects import StoredObject
from bridge.store.tables import instant, micros
from radicale_plugins.occurrences import Range

_EOL = "\r\n"
Period = tuple[int, int]
"""In microseconds since 1970, as the index has them: a month may hold hundreds."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The time that the events of some calendars take: what the index knows, and those of which only their text can tell."""

    listed: list[occurrences.Taken]
    unsure: list[StoredObject]


def taken(
    conn: sa.Connection, calendars: Iterable[int], within: Range, *, floating: dt.tzinfo, masked: str = ""
) -> Taken:
    """``masked`` is the UID of an event that does not count."""
    found = Taken([], [])
    for calendar_id in calendars:
        hidden = objects.by_uid(conn, calendar_id, masked) if masked else None
        but = "" if hidden is None else hidden.href
        listed, unsure = occurrences.taken(conn, calendar_id, within.from_(), within.to(), floating=floating, but=but)
        found.listed.extend(listed)
        found.unsure.extend(objects.many(conn, calendar_id, unsure))
    return found


def text(
    events: Taken,
    within: Range,
    *,
    floating: dt.tzinfo,
    now: dt.datetime,
    method: str = "",
    heading: Iterable[Line] = (),
    own: str = "",
    availability: str = "",
) -> bytes:
    """A VFREEBUSY in UTC over the range; free time is what it does not name (D-13).

    A message has a ``method`` and says in its ``heading`` who asked whom. ``own`` is the address of whoever is busy: what they
    have declined leaves them free, and what they may come to keeps them so far. ``availability`` is what they say of when they
    are to be had at all (RFC 7953).
    """
    start, end = within.from_(), within.to()
    busy: dict[str, list[Period]] = {}
    first, last = micros(start), micros(end)
    for each in chain(events.listed, (one for stored in events.unsure for one in _read(stored, within, floating))):
        answer = each.answers.get(own, "") if each.answers else ""
        clipped = (max(each.start, first), min(each.end, last))
        if answer != "DECLINED" and clipped[0] < clipped[1]:
            busy.setdefault("BUSY-TENTATIVE" if answer == "TENTATIVE" else each.kind, []).append(clipped)
    for kind, (begins, ends) in _unavailable(availability, start, end, floating):
        busy.setdefault(kind, []).append((micros(begins), micros(ends)))
    content = [("BEGIN", "VCALENDAR"), ("VERSION", "2.0"), ("PRODID", "-//caldav-bridge//EN")]
    content += [("METHOD", method)] if method else []
    content += [("BEGIN", "VFREEBUSY")]
    content += [("DTSTAMP", _utc(now)), ("DTSTART", _utc(start)), ("DTEND", _utc(end))]
    parts = [lines.write(name, value, eol=_EOL).raw for name, value in content]
    parts += (lines.rewrite(line, line.value, eol=_EOL).raw for line in heading)
    for kind, periods in sorted(busy.items()):
        for period in _merged(periods):
            value = "/".join(_utc(instant(each)) for each in period)
            parts.append(lines.write("FREEBUSY", value, [("FBTYPE", kind)], eol=_EOL).raw)
    parts += (lines.write("END", name, eol=_EOL).raw for name in ("VFREEBUSY", "VCALENDAR"))
    return "".join(parts).encode()


def _unavailable(
    data: str, start: dt.datetime, end: dt.datetime, floating: dt.tzinfo
) -> list[tuple[str, tuple[dt.datetime, dt.datetime]]]:
    try:
        return availabilities.taken(data, start, end, floating=floating) if data else []
    except (InvalidCalendarData, OverflowError):
        return []


def _read(stored: StoredObject, within: Range, floating: dt.tzinfo) -> Iterator[occurrences.Taken]:
    """Its opaque instances, of an override without its master too (D-10)."""
    try:
        obj = ical.parse(stored.data)
        if obj.master is None:
            zones = timing.Zones.of(obj)
            events = [view.taking(each, zones) for each in obj.overrides if timing.read(each, zones)]
            found = [(*recurrence.instants(each.when, floating), each) for each in events]
        else:
            placed = recurrence.placed(view.outline(obj), within.from_(), within.to(), floating=floating)
            found = [(each.start, each.end, each.event) for each in placed]
    except (InvalidCalendarData, Unmappable, OverflowError):
        # when it recurs nobody can tell; that it says nothing is the lesser lie
        return
    for start, end, event in found:
        if kind := unrolled.kind(event):
            begins, ends = micros(start), micros(end)
            yield occurrences.Taken(begins, ends, kind, dict(unrolled.answers(event)))


def _merged(periods: list[Period]) -> list[Period]:
    merged: list[Period] = []
    for start, end in sorted(periods):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _utc(at: dt.datetime) -> str:
    return values.write_moment(at.astimezone(dt.UTC).replace(tzinfo=None), utc=True)
