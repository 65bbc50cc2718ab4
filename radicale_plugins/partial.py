"""Calendar data in part: chosen components and properties, and of a series only what matters (RFC 4791 §9.6)."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from bridge.errors import InvalidCalendarData, Unmappable
from bridge.ical import lines, recurrence, timing, view
from bridge.ical import objects as ical
from bridge.ical.lines import Line
from bridge.ical.objects import CalendarObject, Component
from bridge.ical.unrolled import standing
from radicale_plugins import dav
from radicale_plugins.eventlike import as_event
from radicale_plugins.filters import InvalidFilter
from radicale_plugins.occurrences import Range, overlaps

_COMP, _PROP = f"{dav.C}comp", f"{dav.C}prop"
_ALL_COMPS, _ALL_PROPS = f"{dav.C}allcomp", f"{dav.C}allprop"


def check(wish: ET.Element) -> None:
    """Raises InvalidFilter for a choice that is none: names are missing, or it begins elsewhere than with VCALENDAR."""
    if wish.get("name", "").upper() != "VCALENDAR":
        raise InvalidFilter("supported-calendar-data", "a choice begins with the comp VCALENDAR")
    for element in wish.iter():
        if element.tag not in (_COMP, _PROP, _ALL_COMPS, _ALL_PROPS):
            raise InvalidFilter("supported-calendar-data", "a choice holds comp, prop, allcomp and allprop")
        if element.tag in (_COMP, _PROP) and not element.get("name"):
            raise InvalidFilter("supported-calendar-data", "a comp and a prop have a name")


def choose(data: bytes, wish: ET.Element) -> bytes:
    """The chosen components with the chosen properties, each line as it is stored.

    A comp that chooses nothing means all that is in it: so the RFC's own example (§7.8.1) has its VTIMEZONE.
    """
    try:
        calendar = ical.parse(data).calendar
    except InvalidCalendarData:
        return data
    return "".join(_chosen(calendar, wish)).encode("utf-8", "surrogateescape")


def _chosen(component: Component, wish: ET.Element) -> Iterator[str]:
    if not len(wish):
        yield from component.raws()
        return
    names = {each.get("name", "").upper(): each for each in wish.findall(_PROP)}
    inner = {each.get("name", "").upper(): each for each in wish.findall(_COMP)}
    every_property, every_component = (wish.find(tag) is not None for tag in (_ALL_PROPS, _ALL_COMPS))
    yield component.begin.raw
    for child in component.children:
        if isinstance(child, Component):
            if child.name in inner:
                yield from _chosen(child, inner[child.name])
            elif every_component:
                yield from child.raws()
        elif every_property or child.name in names:
            is_bare = child.name in names and names[child.name].get("novalue", "no").lower() == "yes"
            yield f"{child.name}:{lines.ending(child)}" if is_bare else child.raw
    yield component.end.raw


def limit(data: bytes, within: Range, *, floating: dt.tzinfo) -> bytes:
    """The series and those overrides that matter in the range (RFC 4791 §9.6.6): they are in it, or would be without
    being overridden, or hold for later instances too.
    """
    try:
        obj = ical.parse(data)
        dropped = set(_elsewhere(obj, within, floating)) if obj.master is not None else set()
    except (InvalidCalendarData, Unmappable, OverflowError):
        return data
    if not dropped:
        return data
    parts = [obj.calendar.begin.raw]
    for number, child in enumerate(obj.calendar.children):
        if isinstance(child, Line):
            parts.append(child.raw)
        elif number not in dropped:
            parts += child.raws()
    parts.append(obj.calendar.end.raw)
    return "".join(parts).encode("utf-8", "surrogateescape")


def _elsewhere(obj: CalendarObject, within: Range, floating: dt.tzinfo) -> Iterator[int]:
    """The places, among the calendar's children, of overrides that do not matter."""
    like = as_event(obj)
    fields, zones = standing(view.outline(like)), timing.Zones.of(like)
    places = [number for number, child in enumerate(obj.calendar.children) if child in obj.overrides]
    for number, override in zip(places, like.overrides, strict=True):
        if timing.reach(override):
            continue
        when = timing.read(override, zones)
        key = timing.identity(override, zones, fields.event.when)
        if when is None or key is None or overlaps(when, within, floating):
            continue
        try:
            if overlaps(recurrence.regular(fields, key), within, floating):
                continue
        except ValueError:
            continue
        yield number
