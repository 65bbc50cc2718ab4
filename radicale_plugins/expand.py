"""Calendar data inside an XML answer: as it is stored, or expanded into instances (RFC 4791 §9.6)."""

from __future__ import annotations

import datetime as dt
import re

from bridge.errors import InvalidCalendarData, Unmappable
from bridge.ical import lines, recurrence, times, values, view
from bridge.ical import objects as ical
from bridge.ical.fields import When
from bridge.ical.lines import Line
from bridge.ical.objects import Component
from bridge.ical.recurrence import Instance
from radicale_plugins.occurrences import Range

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


def expand(data: bytes, within: Range, *, floating: dt.tzinfo) -> str | None:
    """The object's instances in the range, each a component of its own in UTC and without a rule (RFC 4791 §9.6.5).

    None: it has none there. What cannot be expanded (a to-do, an override without its master: D-10) is given as stored.
    """
    try:
        obj = ical.parse(data)
        fields = view.read(obj)
        found = recurrence.instances(fields, within.from_(), within.to(), floating=floating)
    except (InvalidCalendarData, Unmappable):
        return as_text(data)
    if not found:
        return None
    recurring = bool(fields.recurrence or fields.overrides or fields.cancelled)
    master = obj.master
    overrides = {_key(each, obj): each for each in obj.overrides}
    eol = lines.ending(obj.calendar.begin)
    parts = [obj.calendar.begin.raw]
    parts += (child.raw for child in obj.calendar.children if isinstance(child, Line))
    for instance in found:
        component = overrides.get(instance.key, master)
        if component is not None:
            parts.append(_instance(component, instance, recurring=recurring, eol=eol))
    parts.append(obj.calendar.end.raw)
    return as_text("".join(parts).encode("utf-8", "surrogateescape"))


def _key(override: Component, obj: ical.CalendarObject) -> str:
    line = override.first("RECURRENCE-ID")
    moment = None if line is None else values.moment(line.value)
    if line is None or moment is None:
        return ""
    if not isinstance(moment.value, dt.datetime):
        return times.instance_key(moment.value)
    tzid = line.param("TZID")
    zone = "UTC" if moment.utc else times.resolve_zone(tzid, obj.timezones.get(tzid)) if tzid else None
    if zone is None:
        return times.instance_key(moment.value)
    return times.instance_key(times.instant(moment.value, zone, floating=dt.UTC))


def _instance(component: Component, instance: Instance, *, recurring: bool, eol: str) -> str:
    kept = [
        child.raw if isinstance(child, Line) else "".join(child.raws())
        for child in component.children
        if isinstance(child, Component) or child.name not in _OF_THE_SERIES
    ]
    stamps = [_stamp("DTSTART", instance.when, instance.when.start, instance.when.zone, eol)]
    if instance.when.end > instance.when.start or instance.when.end_zone:
        stamps.append(
            _stamp("DTEND", instance.when, instance.when.end, instance.when.end_zone or instance.when.zone, eol)
        )
    if recurring:
        params = [("VALUE", "DATE")] if "T" not in instance.key else []
        stamps.append(lines.write("RECURRENCE-ID", instance.key, params, eol=eol).raw)
    return "".join((component.begin.raw, *stamps, *kept, component.end.raw))


def _stamp(name: str, when: When, value: dt.date | dt.datetime, zone: str | None, eol: str) -> str:
    if when.all_day:
        return lines.write(name, values.write_moment(value), [("VALUE", "DATE")], eol=eol).raw
    if zone is None:
        return lines.write(name, values.write_moment(value), eol=eol).raw
    at = times.instant(value, zone, floating=dt.UTC)
    return lines.write(name, values.write_moment(at.replace(tzinfo=None), utc=True), eol=eol).raw
