"""From a calendar object to its neutral fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, cast

from bridge.errors import Unmappable
from bridge.ical import alarms, attendees, normal, onward, others, readable, timing, todo, words
from bridge.ical.fields import EventFields, ObjectFields, ShowAs
from bridge.ical.lines import Line
from bridge.ical.objects import CalendarObject, Component
from bridge.ical.timing import Zones

Status = Literal["", "CONFIRMED", "TENTATIVE", "CANCELLED"]

SHOWN_AS = "X-MICROSOFT-CDO-BUSYSTATUS"
CONFERENCES = ("CONFERENCE", "X-GOOGLE-CONFERENCE")


def read(obj: CalendarObject) -> ObjectFields:
    """The full neutral view of an event, a series or a to-do.

    An instance that is excluded, or whose override has STATUS:CANCELLED (X-18), is cancelled; an exclusion wins over an
    override, because it takes the instance out of the recurrence set (RFC 5545 §3.8.5.1).

    Raises Unmappable where there is no view: neither VEVENT nor VTODO, overrides without a master, no readable DTSTART of an
    event, an override for all earlier instances.
    """
    if obj.component == "VTODO" and obj.master is not None:
        return ObjectFields(todo.read(obj.master, Zones.of(obj)))
    return _read(obj, event)


def outline(obj: CalendarObject) -> ObjectFields:
    """An event or a series as ``read`` has it, but of each component only when it takes place and for whom that time is taken
    (``taking``): for those who ask nothing else, of many objects. Raises what ``read`` raises, and Unmappable for a to-do.
    """
    return _read(obj, taking)


def _read(obj: CalendarObject, describe: Callable[[Component, Zones], EventFields]) -> ObjectFields:
    if obj.component not in ("VEVENT", "VTODO"):
        raise Unmappable(f"a {obj.component}, not an event")
    if obj.master is None:
        raise Unmappable("only single instances of a series that is not here")
    if obj.component == "VTODO":
        raise Unmappable("a to-do")
    zones = Zones.of(obj)
    master = describe(obj.master, zones)
    cancelled = set(timing.excluded(obj.master, zones, master.when))
    overrides: dict[str, EventFields] = {}
    for component in obj.overrides:
        key = identity(component, zones, master)
        overrides[key] = describe(component, zones)
    cancelled.update(normal.called_off(overrides))
    return ObjectFields(
        master,
        normal.rules(obj.master, zones),
        {key: found for key, found in overrides.items() if key not in cancelled},
        frozenset(cancelled),
    )


def strays(obj: CalendarObject) -> dict[str, EventFields]:
    """What stands in an object without a master, by key: single instances of a series that is not here (D-10).

    It is what an invitation to one of them leaves in a calendar. Keys have the form of the instance's own start. Which later
    instances a range would change only the series could tell. Raises Unmappable as ``read`` does.
    """
    if obj.component != "VEVENT" or obj.master is not None:
        raise Unmappable("an object with a master, or no event")
    zones = Zones.of(obj)
    found = ((event(component, zones), component) for component in obj.overrides)
    return {onward.anchor(identity(component, zones, fields)): fields for fields, component in found}


def identity(override: Component, zones: Zones, master: EventFields) -> str:
    """The key of an override, with the mark of one that holds for all later instances, too (``onward``)."""
    reach = timing.reach(override)
    if reach == "THISANDPRIOR":  # of RFC 2445, and given up since: who writes it means nobody knows what by it
        raise Unmappable("an override for this and all earlier instances")
    key = timing.identity(override, zones, master.when)
    if key is None:
        raise Unmappable("a RECURRENCE-ID that cannot be read")
    return onward.named(key) if reach else key


def event(component: Component, zones: Zones) -> EventFields:
    """One component's fields."""
    when = timing.read(component, zones)
    if when is None:
        raise Unmappable("no DTSTART that can be read")
    transparent = words.word(component, "TRANSP") == "TRANSPARENT"
    return EventFields(
        when,
        summary=words.prose(component, "SUMMARY"),
        description=words.prose(component, "DESCRIPTION"),
        location=words.prose(component, "LOCATION"),
        status=_status(words.word(component, "STATUS")),
        transp="TRANSPARENT" if transparent else "OPAQUE",
        show_as="" if transparent else _show_as(words.word(component, SHOWN_AS)),
        classification=words.classification(component),
        reminders=alarms.reminders(component),
        categories=words.categories(component),
        priority=words.priority(component),
        url=words.url(component),
        conference=normal.conference(line.value) if (line := conference(component)) else "",
        others=others.read(component, line),
        organizer=attendees.organizer(component),
        attendees=attendees.attendees(component),
        color=readable.value("COLOR", component.every("COLOR")),
        geo=readable.value("GEO", component.every("GEO")),
    )


def taking(component: Component, zones: Zones) -> EventFields:
    """One component's time, whether it is taken, and the answers of those asked to come; all else is left out."""
    when = timing.read(component, zones)
    if when is None:
        raise Unmappable("no DTSTART that can be read")
    return EventFields(
        when,
        status=_status(words.word(component, "STATUS")),
        transp="TRANSPARENT" if words.word(component, "TRANSP") == "TRANSPARENT" else "OPAQUE",
        attendees=attendees.attendees(component),
    )


def conference(component: Component) -> Line | None:
    """The line that says where to join: CONFERENCE, or what Google's own CalDAV calls it."""
    lines = (line for name in CONFERENCES for line in component.every(name))
    return next((line for line in lines if normal.conference(line.value)), None)


def _status(word: str) -> Status:
    return cast("Status", word) if word in ("CONFIRMED", "TENTATIVE", "CANCELLED") else ""


def _show_as(word: str) -> ShowAs:
    return cast("ShowAs", word) if word in ("TENTATIVE", "OOF", "WORKINGELSEWHERE") else ""
