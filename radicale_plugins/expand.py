"""Calendar data inside an XML answer: as it is stored, or expanded into instances (RFC 4791 §9.6)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from bridge.errors import InvalidCalendarData, Unmappable
from bridge.ical import lines, recurrence, times, timing, values, view
from bridge.ical import objects as ical
from bridge.ical.fields import When
from bridge.ical.lines import Line
from bridge.ical.objects import CalendarObject, Component
from bridge.ical.unrolled import standing
from radicale_plugins.eventlike import END, as_event
from radicale_plugins.occurrences import Range, overlaps

_OF_THE_SERIES = frozenset({"RRULE", "RDATE", "EXRULE", "EXDATE", "DTSTART", "DTEND", "DURATION", "RECURRENCE-ID"})
_NOT_XML = re.compile("[\ufffe\uffff\ud800-\udfff]")


def as_text(data: bytes) -> str:
    """The stored bytes as XML can carry them. Only a fold in the middle of a character's bytes is moved."""
    try:
        content = data.decode()
    except UnicodeDecodeError:
        content = data.decode("utf-8", "surrogateescape")
        try:
            refolded = (lines.rewrite(line, line.value, eol=lines.ending(line)) if line.name else line
                        for line in lines.read(content))  # fmt: skip
            content = "".join(line.raw for line in refolded)
        except UnicodeError:
            pass
    return _NOT_XML.sub("\ufffd", content)


def expand(data: bytes, within: Range, *, floating: dt.tzinfo) -> bytes | None:
    """The object's instances in the range, each a component of its own in UTC and without a rule (RFC 4791 §9.6.5).

    None: it has none there. What cannot be expanded (a to-do without a start, a rule in another calendar's terms) is given
    as stored.
    """
    try:
        obj = ical.parse(data)
        found = list(_instances(as_event(obj), within, floating))
    except (InvalidCalendarData, Unmappable, OverflowError):
        return data
    if not found:
        return None
    eol = lines.ending(obj.calendar.begin)
    parts = [obj.calendar.begin.raw]
    parts += (child.raw for child in obj.calendar.children if isinstance(child, Line))
    parts += (_component(component, key, when, END.get(obj.component), eol) for component, key, when in found)
    parts.append(obj.calendar.end.raw)
    return "".join(parts).encode("utf-8", "surrogateescape")


def _instances(obj: CalendarObject, within: Range, floating: dt.tzinfo) -> Iterator[tuple[Component, str | None, When]]:
    """Each with the component it is described by and, of a series, its key. Overrides without a master count too (D-10)."""
    zones = timing.Zones.of(obj)
    if obj.component == "VEVENT" and obj.master is None:
        for component in obj.overrides:
            when = timing.read(component, zones)
            if when is not None and overlaps(when, within, floating):
                yield component, timing.identity(component, zones, when), when
        return
    fields = standing(view.outline(obj))
    overrides = {view.identity(each, zones, fields.event): each for each in obj.overrides}
    is_series = bool(fields.recurrence or fields.overrides or fields.cancelled)
    for each in recurrence.placed(fields, within.from_(), within.to(), floating=floating):
        described = overrides.get(each.by) or obj.master
        if described is not None:
            yield described, each.key if is_series else None, each.when


def _component(component: Component, key: str | None, when: When, end: str | None, eol: str) -> str:
    kept = [
        child.raw if isinstance(child, Line) else "".join(child.raws())
        for child in component.children
        if isinstance(child, Component) or child.name not in _OF_THE_SERIES
    ]
    stamps = [_stamp("DTSTART", when, when.start, when.zone, eol)]
    if end == "DTEND":
        lasts = when.end > when.start or when.end_zone is not None
    else:  # a to-do has an end only if it says so
        lasts = any(component.first(name) is not None for name in ("DTEND", "DURATION"))
    if end is not None and lasts:
        stamps.append(_stamp(end, when, when.end, when.end_zone or when.zone, eol))
    if key is not None:
        params = [] if "T" in key else [("VALUE", "DATE")]
        stamps.append(lines.write("RECURRENCE-ID", key, params, eol=eol).raw)
    return "".join((component.begin.raw, *stamps, *kept, component.end.raw))


def _stamp(name: str, when: When, value: dt.date | dt.datetime, zone: str | None, eol: str) -> str:
    if when.all_day:
        return lines.write(name, values.write_moment(value), [("VALUE", "DATE")], eol=eol).raw
    if zone is None:
        return lines.write(name, values.write_moment(value), eol=eol).raw
    at = times.instant(value, zone, floating=dt.UTC)
    return lines.write(name, values.write_moment(at.replace(tzinfo=None), utc=True), eol=eol).raw
