"""From a calendar object to its neutral fields."""

from __future__ import annotations

from typing import Literal, cast

from bridge.errors import Unmappable
from bridge.ical import alarms, text, timing, values
from bridge.ical.fields import EventFields, ObjectFields
from bridge.ical.lines import Line
from bridge.ical.objects import CalendarObject, Component
from bridge.ical.timing import Zones

Status = Literal["", "CONFIRMED", "TENTATIVE", "CANCELLED"]
Classification = Literal["", "PUBLIC", "PRIVATE", "CONFIDENTIAL"]
RECURRENCE = ("RRULE", "RDATE", "EXRULE")


def read(obj: CalendarObject) -> ObjectFields:
    """The full neutral view of an event or a series.

    An instance that is excluded, or whose override has STATUS:CANCELLED (X-18), is cancelled; an exclusion wins over an
    override, because it takes the instance out of the recurrence set (RFC 5545 §3.8.5.1).

    Raises Unmappable where there is no view: not a VEVENT, overrides without a master, no readable DTSTART, an override
    for THISANDFUTURE.
    """
    if obj.component != "VEVENT":
        raise Unmappable(f"a {obj.component}, not an event")
    if obj.master is None:
        raise Unmappable("only single instances of a series that is not here")
    zones = Zones.of(obj)
    master = event(obj.master, zones)
    cancelled = set(timing.excluded(obj.master, zones, master.when))
    overrides: dict[str, EventFields] = {}
    for component in obj.overrides:
        key = identity(component, zones, master)
        found = event(component, zones)
        overrides[key] = found
    cancelled.update(key for key, found in overrides.items() if found.status == "CANCELLED")
    return ObjectFields(
        master,
        tuple(rule(line, zones) for line in obj.master.children if isinstance(line, Line) and line.name in RECURRENCE),
        {key: found for key, found in overrides.items() if key not in cancelled},
        frozenset(cancelled),
    )


def identity(override: Component, zones: Zones, master: EventFields) -> str:
    """The key of an override."""
    line = override.first("RECURRENCE-ID")
    if line and line.param("RANGE").upper() == "THISANDFUTURE":
        raise Unmappable("an override for this and all later instances")
    key = timing.identity(override, zones, master.when)
    if key is None:
        raise Unmappable("a RECURRENCE-ID that cannot be read")
    return key


def event(component: Component, zones: Zones) -> EventFields:
    """One component's fields."""
    when = timing.read(component, zones)
    if when is None:
        raise Unmappable("no DTSTART that can be read")
    return EventFields(
        when,
        summary=_text(component, "SUMMARY"),
        description=_text(component, "DESCRIPTION"),
        location=_text(component, "LOCATION"),
        status=_status(_token(component, "STATUS")),
        transp="TRANSPARENT" if _token(component, "TRANSP") == "TRANSPARENT" else "OPAQUE",
        classification=_classification(_token(component, "CLASS")),
        reminders=alarms.reminders(component),
        categories=text.labels(item for line in component.every("CATEGORIES") for item in text.split(line.value)),
        priority=_priority(_token(component, "PRIORITY")),
        url=text.normal(_token(component, "URL", upper=False)),
    )


def _text(component: Component, name: str) -> str:
    line = component.first(name)
    return text.normal(text.unescape(line.value)) if line else ""


def _token(component: Component, name: str, *, upper: bool = True) -> str:
    line = component.first(name)
    if line is None:
        return ""
    value = line.value.strip()
    return value.upper() if upper else value


def _status(token: str) -> Status:
    return cast("Status", token) if token in ("CONFIRMED", "TENTATIVE", "CANCELLED") else ""


def _classification(token: str) -> Classification:
    """An unknown class is to be treated as PRIVATE (RFC 5545 §3.8.1.3)."""
    return cast("Classification", token) if token in ("", "PUBLIC", "CONFIDENTIAL") else "PRIVATE"


def _priority(token: str) -> int:
    return int(token) if token in "0123456789" and token else 0


def rule(line: Line, zones: Zones) -> str:
    """An RRULE, RDATE or EXRULE as it stands in ``ObjectFields.recurrence``: unfolded, its zone an IANA name or UTC."""
    value = line.value.strip().upper()
    if line.name != "RDATE":
        return f"{line.name}:{value}"
    kind = f";VALUE={line.param('VALUE').upper()}" if line.param("VALUE") else ""
    tzid = line.param("TZID")
    if not tzid:
        return f"RDATE{kind}:{value}"
    if name := zones.name(tzid):
        return f"RDATE{kind};TZID={name}:{value}"
    return f"RDATE{kind}:" + ",".join(
        "/".join(_utc(part, line, zones) for part in text.split("/")) for text in value.split(",")
    )


def _utc(value: str, line: Line, zones: Zones) -> str:
    """A time in a zone that has no IANA name, as the instant; a DURATION and what cannot be read as it stands."""
    place = zones.place(line, value)
    return values.write_moment(place[0], utc=place[1] == "UTC") if place else value
