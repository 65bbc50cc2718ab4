"""When somebody is busy: the answer to a free-busy-query (RFC 4791 §7.10)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from bridge.errors import InvalidCalendarData, Unmappable
from bridge.ical import availability as availabilities
from bridge.ical import lines, recurrence, timing, values, view
from bridge.ical import objects as ical
from bridge.ical.lines import Line
from bridge.store.objects import StoredObject
from radicale_plugins.occurrences import Range, instants

_EOL = "\r\n"
Period = tuple[dt.datetime, dt.datetime]


def text(
    stored: Iterable[StoredObject],
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
    for each in stored:
        for kind, period in _periods(each, within, floating, own):
            clipped = (max(period[0], start), min(period[1], end))
            if clipped[0] < clipped[1]:
                busy.setdefault(kind, []).append(clipped)
    for kind, period in _unavailable(availability, start, end, floating):
        busy.setdefault(kind, []).append(period)
    content = [("BEGIN", "VCALENDAR"), ("VERSION", "2.0"), ("PRODID", "-//caldav-bridge//EN")]
    content += [("METHOD", method)] if method else []
    content += [("BEGIN", "VFREEBUSY")]
    content += [("DTSTAMP", _utc(now)), ("DTSTART", _utc(start)), ("DTEND", _utc(end))]
    parts = [lines.write(name, value, eol=_EOL).raw for name, value in content]
    parts += (lines.rewrite(line, line.value, eol=_EOL).raw for line in heading)
    for kind, periods in sorted(busy.items()):
        for period in _merged(periods):
            value = f"{_utc(period[0])}/{_utc(period[1])}"
            parts.append(lines.write("FREEBUSY", value, [("FBTYPE", kind)], eol=_EOL).raw)
    parts += (lines.write("END", name, eol=_EOL).raw for name in ("VFREEBUSY", "VCALENDAR"))
    return "".join(parts).encode()


def _unavailable(data: str, start: dt.datetime, end: dt.datetime, floating: dt.tzinfo) -> list[tuple[str, Period]]:
    try:
        return availabilities.taken(data, start, end, floating=floating) if data else []
    except (InvalidCalendarData, OverflowError):
        return []


def _periods(stored: StoredObject, within: Range, floating: dt.tzinfo, own: str) -> Iterator[tuple[str, Period]]:
    """Its opaque instances, of an override without its master too (D-10)."""
    if stored.component != "VEVENT":
        return
    try:
        obj = ical.parse(stored.data)
        if obj.master is None:
            zones = timing.Zones.of(obj)
            found = [view.event(each, zones) for each in obj.overrides if timing.read(each, zones)]
        else:
            instances = recurrence.instances(view.read(obj), within.from_(), within.to(), floating=floating)
            found = [instance.fields for instance in instances]
        periods = [(each, instants(each.when, floating)) for each in found]
    except (InvalidCalendarData, Unmappable, OverflowError):
        # when it recurs nobody can tell; that it says nothing is the lesser lie
        return
    for fields, period in periods:
        answer = next((each.partstat for each in fields.attendees if each.address == own), "")
        if fields.transp == "OPAQUE" and fields.status != "CANCELLED" and answer != "DECLINED":
            kind = "BUSY-TENTATIVE" if "TENTATIVE" in (fields.status, answer) else "BUSY"
            yield kind, period


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
