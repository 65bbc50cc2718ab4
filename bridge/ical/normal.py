"""The normal form of neutral fields: what ``view.read`` shows of an object, and so what ``edit.apply`` can write.

``view.read(x) == normal.fields(view.read(x))``. Fields that come from elsewhere, a provider's answer or a person's input,
are brought into it before they are written; a base in this form compares equal to what is read back (R20, R21).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from bridge.errors import Unmappable
from bridge.ical import alarms, attendees, colors, geo, lines, onward, others, spans, text, times, timing, values
from bridge.ical.fields import EventFields, ObjectFields, Place, TodoFields, When
from bridge.ical.lines import Line
from bridge.ical.objects import Component
from bridge.ical.timing import Zones

RULES = ("RRULE", "RDATE", "EXRULE")
_NO_ZONES = Zones({})
_WEB = re.compile(r"https?://[^\s<>\"]{1,2000}", re.IGNORECASE)


def fields(what: ObjectFields) -> ObjectFields:
    """Idempotent. Keys that no instance of this master can have are dropped; a cancelled override is a cancelled instance."""
    if isinstance(what.master, TodoFields):
        return ObjectFields(todo(what.master))
    master = event(what.event)
    overrides = {
        key: event(each) for key, each in what.overrides.items() if timing.conforms(onward.anchor(key), master.when)
    }
    cancelled = {key for key in what.cancelled if timing.conforms(key, master.when)}
    cancelled.update(called_off(overrides))
    return ObjectFields(
        master,
        tuple(rule(content(each), _NO_ZONES) for each in what.recurrence),
        {key: each for key, each in overrides.items() if key not in cancelled},
        frozenset(cancelled),
    )


def called_off(overrides: Mapping[str, EventFields]) -> Iterator[str]:
    """The instances that a single override cancels (X-18); one for all later instances says more than that, and stays."""
    return (key for key, each in overrides.items() if each.status == "CANCELLED" and not onward.is_one(key))


def event(what: EventFields) -> EventFields:
    return replace(
        what,
        when=when(what.when),
        summary=text.normal(what.summary),
        description=text.normal(what.description),
        location=text.normal(what.location),
        show_as="" if what.transp == "TRANSPARENT" else what.show_as,
        reminders=tuple(sorted(set(what.reminders))),
        categories=text.labels(what.categories),
        priority=what.priority if 0 <= what.priority <= 9 else 0,
        url=text.normal(what.url).replace("\n", "").strip(),
        conference=conference(what.conference),
        others=others.normal(what.others),
        organizer=attendees.address(what.organizer),
        attendees=attendees.normal(what.attendees),
        color=colors.name(what.color),
        geo=geo.normal(what.geo),
        aside=None,
    )


def todo(what: TodoFields) -> TodoFields:
    return replace(
        what,
        when=spans.normal(what.when),
        summary=text.normal(what.summary),
        description=text.normal(what.description),
        location=text.normal(what.location),
        completed=what.completed.astimezone(dt.UTC).replace(microsecond=0) if what.completed else None,
        percent=what.percent if 0 <= what.percent <= 100 else 0,
        categories=text.labels(what.categories),
        priority=what.priority if 0 <= what.priority <= 9 else 0,
        url=text.normal(what.url).replace("\n", "").strip(),
        rules=tuple(rule(content(each), _NO_ZONES) for each in what.rules),
        alarms=alarms.in_order(what.alarms),
        parent=text.normal(what.parent).replace("\n", "").strip(),
    )


def moment(place: Place) -> dt.datetime:
    """A place as an instant; a floating one is taken for UTC."""
    return times.instant(*place, floating=dt.UTC)


def conference(value: str) -> str:
    """An address that people's devices can open; anything else names no conference here."""
    value = value.strip()
    return value if _WEB.fullmatch(value) else ""


def when(what: When) -> When:
    """Whole seconds, canonical zones, an end that is not before the start."""
    start, end = what.start, what.end
    if not isinstance(start, dt.datetime) or not isinstance(end, dt.datetime):
        return timing.between(start, None, end, None)
    zone = times.canonical_zone(what.zone) if what.zone else None
    end_zone = times.canonical_zone(what.end_zone) if what.end_zone else zone
    return timing.between(start.replace(microsecond=0, fold=0), zone, end.replace(microsecond=0, fold=0), end_zone)


def content(rule_text: str) -> Line:
    """A line of ``ObjectFields.recurrence``; it may come from a service, so a line break in it must not begin another line."""
    line = next(lines.read(text.normal(rule_text).replace("\n", "")), None)
    if line is None or line.name not in RULES:
        raise Unmappable("a recurrence line that is neither RRULE nor RDATE nor EXRULE")
    return line


def rules(component: Component, zones: Zones) -> tuple[str, ...]:
    """A component's RRULE, RDATE and EXRULE lines, as they stand in ``ObjectFields.recurrence``."""
    children = (line for line in component.children if isinstance(line, Line) and line.name in RULES)
    return tuple(rule(line, zones) for line in children)


def rule(line: Line, zones: Zones) -> str:
    """An RRULE, RDATE or EXRULE as it stands in ``ObjectFields.recurrence``: unfolded, its zone an IANA name or UTC."""
    value = "".join(line.value.upper().split())
    if line.name != "RDATE":
        return f"{line.name}:{value}"
    kind = f";VALUE={line.param('VALUE').upper()}" if line.param("VALUE") else ""
    tzid = line.param("TZID")
    if not tzid:
        return f"RDATE{kind}:{value}"
    if (name := zones.name(tzid)) and name != "UTC":
        return f"RDATE{kind};TZID={name}:{value}"
    return f"RDATE{kind}:" + ",".join(
        "/".join(_utc(part, line, zones) for part in one.split("/")) for one in value.split(",")
    )


def _utc(value: str, line: Line, zones: Zones) -> str:
    """A time in a zone that has no IANA name, as the instant; a DURATION and what cannot be read as it stands."""
    place = zones.place(line, value)
    return values.write_moment(place[0], utc=place[1] == "UTC") if place else value
