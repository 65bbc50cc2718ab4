"""When somebody is busy: the answer to a free-busy-query (RFC 4791 §7.10)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from bridge.errors import InvalidCalendarData, Unmappable
from bridge.ical import lines, recurrence, times, values, view
from bridge.ical import objects as ical
from bridge.ical.fields import When
from bridge.store.objects import StoredObject
from radicale_plugins.occurrences import Range

_EOL = "\r\n"
Period = tuple[dt.datetime, dt.datetime]


def text(stored: Iterable[StoredObject], within: Range, *, floating: dt.tzinfo, now: dt.datetime) -> bytes:
    """A VFREEBUSY in UTC over the range; free time is what it does not name (D-13)."""
    start, end = within.from_(), within.to()
    busy: dict[str, list[Period]] = {}
    for each in stored:
        for kind, period in _periods(each, start, end, floating):
            clipped = (max(period[0], start), min(period[1], end))
            if clipped[0] < clipped[1]:
                busy.setdefault(kind, []).append(clipped)
    content = [("BEGIN", "VCALENDAR"), ("VERSION", "2.0"), ("PRODID", "-//caldav-bridge//EN"), ("BEGIN", "VFREEBUSY")]
    content += [("DTSTAMP", _utc(now)), ("DTSTART", _utc(start)), ("DTEND", _utc(end))]
    parts = [lines.write(name, value, eol=_EOL).raw for name, value in content]
    for kind, periods in sorted(busy.items()):
        for period in _merged(periods):
            value = f"{_utc(period[0])}/{_utc(period[1])}"
            parts.append(lines.write("FREEBUSY", value, [("FBTYPE", kind)], eol=_EOL).raw)
    parts += (lines.write("END", name, eol=_EOL).raw for name in ("VFREEBUSY", "VCALENDAR"))
    return "".join(parts).encode()


def _periods(
    stored: StoredObject, start: dt.datetime, end: dt.datetime, floating: dt.tzinfo
) -> Iterator[tuple[str, Period]]:
    """Its opaque instances. Of an object without a neutral view (D-10) its bounds, unless it is transparent or cancelled."""
    if stored.component != "VEVENT":
        return
    try:
        obj = ical.parse(stored.data)
    except InvalidCalendarData:
        return
    try:
        instances = recurrence.instances(view.read(obj), start, end, floating=floating)
    except Unmappable:
        for each in obj.overrides:
            marks = {line.value.strip().upper() for name in ("TRANSP", "STATUS") for line in each.every(name)}
            if stored.first_at and stored.last_at and not marks & {"TRANSPARENT", "CANCELLED"}:
                yield "BUSY", (stored.first_at, stored.last_at)
                return
        return
    for instance in instances:
        fields = instance.fields
        if fields.transp == "OPAQUE" and fields.status != "CANCELLED":
            yield "BUSY-TENTATIVE" if fields.status == "TENTATIVE" else "BUSY", _instants(instance.when, floating)


def _instants(when: When, floating: dt.tzinfo) -> Period:
    return (
        times.instant(when.start, when.zone, floating=floating),
        times.instant(when.end, when.end_zone or when.zone, floating=floating),
    )


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
