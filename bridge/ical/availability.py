"""When somebody is to be had at all: VAVAILABILITY (RFC 7953), as working hours are said. Pure.

Within an availability's own time all is taken but what its AVAILABLE parts leave free; of two that overlap the one with the higher
priority counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from bridge.errors import InvalidCalendarData, Unmappable
from bridge.ical import lines, objects, recurrence, text, times, values, view
from bridge.ical.lines import Line
from bridge.ical.objects import Component
from bridge.ical.timing import Zones

Period = tuple[dt.datetime, dt.datetime]

_KINDS = frozenset({"BUSY", "BUSY-UNAVAILABLE", "BUSY-TENTATIVE"})
_LOWEST = 10  # a priority of 0 or none is lower than 9 (RFC 7953 §3.1)
_EOL = "\r\n"


def check(data: str) -> None:
    """Raises InvalidCalendarData where it is no availability."""
    if next(_calendar(data).components("VAVAILABILITY"), None) is None:
        raise InvalidCalendarData("valid-calendar-data", "no VAVAILABILITY")


def taken(data: str, start: dt.datetime, end: dt.datetime, *, floating: dt.tzinfo) -> list[tuple[str, Period]]:
    """What is not to be had within [start, end), each with its FBTYPE. ``floating`` is the zone of times without one.

    Raises InvalidCalendarData; an AVAILABLE part that cannot be reckoned leaves nothing free.
    """
    calendar = _calendar(data)
    zones = Zones(
        {text.unescape(tzid.value): each for each in calendar.components("VTIMEZONE") if (tzid := each.first("TZID"))}
    )
    found: list[tuple[str, Period]] = []
    for component in sorted(calendar.components("VAVAILABILITY"), key=_priority, reverse=True):  # the highest last
        own = _own(component, zones, start, end, floating)
        if own[0] >= own[1]:
            continue
        found = [(kind, piece) for kind, period in found for piece in _without(period, own)]
        free = sorted(
            period for each in component.components("AVAILABLE") for period in _free(zones, each, own, floating)
        )
        kind = _word(component, "BUSYTYPE")
        found += ((kind if kind in _KINDS else "BUSY-UNAVAILABLE", piece) for piece in _between(own, free))
    return found


def _calendar(data: str) -> Component:
    return objects.calendar(data.encode("utf-8", "surrogateescape"))


def _word(component: Component, name: str) -> str:
    line = component.first(name)
    return line.value.strip().upper() if line else ""


def _priority(component: Component) -> int:
    word = _word(component, "PRIORITY")
    number = int(word) if word.isascii() and word.isdigit() and len(word) < 3 else 0
    return number or _LOWEST


def _own(component: Component, zones: Zones, start: dt.datetime, end: dt.datetime, floating: dt.tzinfo) -> Period:
    """An availability's own time within the range: without a start or an end it has none on that side."""
    begins = _instant(component.first("DTSTART"), zones, floating) or start
    ends = _instant(component.first("DTEND"), zones, floating)
    length = values.duration(line.value) if (line := component.first("DURATION")) else None
    if ends is None and length is not None:
        ends = begins + length.total
    return max(begins, start), min(ends or end, end)


def _instant(line: Line | None, zones: Zones, floating: dt.tzinfo) -> dt.datetime | None:
    place = None if line is None else zones.place(line, line.value)
    return None if place is None else times.instant(values.midnight(place[0]), place[1], floating=floating)


def _free(zones: Zones, available: Component, own: Period, floating: dt.tzinfo) -> Iterator[Period]:
    """Its instances: it recurs as an event does."""
    children = tuple(child for child in available.children if not isinstance(child, Component))
    begin, end = (lines.write(name, "VEVENT", eol=_EOL) for name in ("BEGIN", "END"))
    defined = "".join(raw for zone in zones.components.values() for raw in zone.raws())
    event = "".join(Component("VEVENT", begin, children, end).raws())
    whole = f"BEGIN:VCALENDAR{_EOL}VERSION:2.0{_EOL}{defined}{event}END:VCALENDAR{_EOL}"
    try:
        fields = view.read(objects.parse(whole.encode("utf-8", "surrogateescape")))
        for instance in recurrence.instances(fields, *own, floating=floating):
            when = instance.when
            yield (
                times.instant(values.midnight(when.start), when.zone, floating=floating),
                times.instant(values.midnight(when.end), when.end_zone or when.zone, floating=floating),
            )
    except (InvalidCalendarData, Unmappable, OverflowError):
        return


def _without(period: Period, gone: Period) -> Iterator[Period]:
    for piece in ((period[0], min(period[1], gone[0])), (max(period[0], gone[1]), period[1])):
        if piece[0] < piece[1]:
            yield piece


def _between(own: Period, free: list[Period]) -> Iterator[Period]:
    """What is left of a time without what is free in it."""
    at = own[0]
    for begins, ends in free:
        if begins > at:
            yield at, min(begins, own[1])
        at = max(at, ends)
        if at >= own[1]:
            return
    yield at, own[1]
