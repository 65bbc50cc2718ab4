"""A feed's text: calendars as one iCalendar stream for anybody who has the address. Pure.

What it tells is decided before a line is written (R41): of what is only to be seen as busy nothing else is ever looked at.
Nobody is named in a way that a program would take for an invitation (R1).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bridge.errors import InvalidCalendarData, Unmappable
from bridge.ical import edit, lines, objects, text, times, tzdefine, values, view, vtimezone
from bridge.ical.draft import Draft
from bridge.ical.fields import EventFields, ObjectFields
from bridge.ical.lines import Line
from bridge.ical.objects import CalendarObject, Component
from bridge.store.objects import StoredObject
from bridge.sync.projection import Level, Projection, Redaction

VERSION = 1
"""Of this module's output: it is part of a feed's ETag, so that a change here is one for those who read."""

_EOL = "\r\n"
_FRESH = "PT1H"
_HIDDEN_CLASSES = ("PRIVATE", "CONFIDENTIAL")
_DROPPED = frozenset({"ATTENDEE", "ORGANIZER", "DTSTAMP", "LAST-MODIFIED", "X-MS-OLK-SENDER", "REQUEST-STATUS"})
_END = re.compile(r"\r*\n|\r+")
_MOMENT = r"\d{8}(?:T\d{6}Z?)?"
_LENGTH = r"[+-]?P(?:\d+W|(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+S)?)?)"
_FORMS = {
    **dict.fromkeys(
        ("DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "COMPLETED", "CREATED", "EXDATE"),
        re.compile(rf"{_MOMENT}(?:,{_MOMENT})*"),
    ),
    "RDATE": re.compile(rf"{_MOMENT}(?:/(?:{_MOMENT}|{_LENGTH}))?(?:,{_MOMENT}(?:/(?:{_MOMENT}|{_LENGTH}))?)*"),
    "DURATION": re.compile(_LENGTH),
    **dict.fromkeys(("RRULE", "EXRULE"), re.compile(r"(?=.*FREQ=)[A-Z-]+=[A-Z0-9,+-]+(?:;[A-Z-]+=[A-Z0-9,+-]+)*")),
    **dict.fromkeys(("SEQUENCE", "PRIORITY", "PERCENT-COMPLETE"), re.compile(r"\d{1,9}")),
    "GEO": re.compile(r"[+-]?\d+(?:\.\d+)?;[+-]?\d+(?:\.\d+)?"),
}
_ONCE = frozenset(
    {
        "UID", "DTSTART", "DTEND", "DUE", "DURATION", "RECURRENCE-ID", "SUMMARY", "DESCRIPTION", "LOCATION", "STATUS", "TRANSP",
        "CLASS", "GEO", "PRIORITY", "URL", "SEQUENCE", "CREATED", "COMPLETED", "PERCENT-COMPLETE", "RRULE",
    }
)  # fmt: skip
_DROPPED_PREFIXES = ("X-MOZ-", "X-EVOLUTION-", "X-CALENDARSERVER-", "X-CALDAV-")


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the events. ``zone`` is an IANA name, "" if there is none."""

    name: str
    zone: str = ""
    color: str = ""


@dataclass(slots=True)
class _Zones:
    """The zones that the feed defines: IANA's by their names, others under names that no two of them share (D-01)."""

    since: int
    defined: dict[str, Component] = field(default_factory=dict)

    def name_for(self, obj: CalendarObject, tzid: str) -> str:
        component = obj.timezones.get(tzid)
        iana = times.resolve_zone(tzid, component)
        if iana is not None:
            if iana not in self.defined:
                self.defined[iana] = tzdefine.define(iana, self.since, _EOL)
            return iana
        if component is None or vtimezone.read(component) is None:  # what defines nothing spoils a whole feed elsewhere
            return tzid
        name, count = tzid, 1
        while name in self.defined and list(self.defined[name].raws()) != list(_renamed(component, name).raws()):
            count += 1
            name = f"{tzid}-{count}"
        self.defined[name] = _renamed(component, name)
        return name


def render(stored: Iterable[StoredObject], heading: Heading, *, level: Level, secret: str, since: dt.datetime) -> bytes:
    """The feed. ``stored`` are its objects; one that cannot be read is left out (R32). ``since`` is where its window begins.

    A UID stands once: of two objects that share it, in two calendars, the first is shown. ``secret`` hides UIDs where only
    titles or busy times are told.
    """
    rules = tuple(Redaction("class", name, "busy") for name in _HIDDEN_CLASSES)
    shown = Projection(level, rules)
    zones = _Zones(since.year)
    seen: set[str] = set()
    parts: list[Component] = []
    for each in stored:
        if each.uid in seen:
            continue
        seen.add(each.uid)
        try:
            obj = objects.parse(each.data)
            found = [_zoned(of, component, zones) for of, component in _components(obj, each, shown, secret)]
        except (InvalidCalendarData, Unmappable, OverflowError):
            continue
        parts += found
    head = [("VERSION", "2.0"), ("PRODID", edit.PRODID), ("CALSCALE", "GREGORIAN"), ("METHOD", "PUBLISH")]
    head += [("NAME", text.escape(heading.name)), ("X-WR-CALNAME", text.escape(heading.name))]
    head += [("X-WR-TIMEZONE", heading.zone)] if heading.zone else []
    head += [("X-APPLE-CALENDAR-COLOR", heading.color)] if heading.color else []
    head += [("X-PUBLISHED-TTL", _FRESH)]
    begin = [lines.write(name, value, eol=_EOL).raw for name, value in [("BEGIN", "VCALENDAR"), *head]]
    begin.append(lines.write("REFRESH-INTERVAL", _FRESH, [("VALUE", "DURATION")], eol=_EOL).raw)
    body = [raw for each in (*zones.defined.values(), *parts) for raw in each.raws()]
    whole = "".join([*begin, *map(_ended, body), f"END:VCALENDAR{_EOL}"])
    return whole.encode("utf-8", "surrogateescape")


def _ended(raw: str) -> str:
    """With line ends as the standard has them: Google drops a whole feed for others."""
    return _END.sub(_EOL, raw) if _END.search(raw) else raw + _EOL


_Found = tuple[CalendarObject, Component]


def _components(obj: CalendarObject, stored: StoredObject, shown: Projection, secret: str) -> Iterator[_Found]:
    """What is told of one object. Raises Unmappable where it cannot be known what that would be."""
    if obj.component not in ("VEVENT", "VTODO") or (obj.component == "VTODO" and shown.level != "full"):
        return
    try:
        whole = [(obj.uid, view.read(obj))] if obj.master is not None else _strays(obj)
        levels = {shown.level_of(fields) for _, fields in whole}
    except Unmappable:
        if shown.level != "full" or any(
            _class(each) in _HIDDEN_CLASSES for each in obj.calendar.components(obj.component)
        ):
            raise
        whole, levels = [], {"full"}
    if levels == {"full"} and all(map(_is_strict, obj.calendar.components(obj.component))):
        yield from ((obj, _plain(each, stored)) for each in obj.calendar.components(obj.component))
        return
    for uid, fields in whole:
        level = shown.level_of(fields)
        if isinstance(fields.master, EventFields) and level == "busy" and not _makes_busy(fields.master):
            continue
        name = uid if level == "full" else hashlib.sha256(f"{secret}\0{uid}".encode()).hexdigest()[:32]
        made = objects.parse(edit.compose(shown.show(fields), uid=name, now=stored.modified_at))
        yield from ((made, each) for each in made.calendar.components(obj.component))


def _is_strict(component: Component) -> bool:
    """Whether a strict reader takes it: for one odd value Google leaves out the whole feed, so that is told in our own words."""
    own = [child for child in component.children if isinstance(child, Line)]
    names = [line.name for line in own if line.name in _ONCE]
    odd = (
        line for line in own if not line.name or ((form := _FORMS.get(line.name)) and not form.fullmatch(line.value))
    )
    is_whole = component.name != "VEVENT" or "DTSTART" in names
    return is_whole and len(set(names)) == len(names) and next(odd, None) is None


def _strays(obj: CalendarObject) -> list[tuple[str, ObjectFields]]:
    return [(f"{obj.uid} {key}", ObjectFields(fields)) for key, fields in sorted(view.strays(obj).items())]


def _class(component: Component) -> str:
    line = component.first("CLASS")
    return line.value.strip().upper() if line else ""


def _makes_busy(event: EventFields) -> bool:
    return event.transp == "OPAQUE" and event.status != "CANCELLED"


def _plain(component: Component, stored: StoredObject) -> Component:
    """As it is kept, without people, alarms and files of this server; its stamps move whenever it does (CLIENTS 1.9)."""
    draft = Draft(component, _EOL)
    own = [child for child in component.children if isinstance(child, Line)]
    gone = [line for line in own if line.name in _DROPPED or line.name.startswith(_DROPPED_PREFIXES)]
    gone += [line for line in own if line.name == "ATTACH" and line.param("MANAGED-ID")]
    draft.remove(*gone, *draft.components("VALARM"))
    stamp = values.write_moment(stored.modified_at.astimezone(dt.UTC).replace(microsecond=0), utc=True)
    draft.set("DTSTAMP", stamp, after=("UID",))
    draft.set("LAST-MODIFIED", stamp, after=("DTSTAMP",))
    return draft.component()


def _zoned(obj: CalendarObject, component: Component, zones: _Zones) -> Component:
    """With its TZIDs as the feed defines them."""
    children: list[Line | Component] = []
    for child in component.children:
        if isinstance(child, Component):
            children.append(_zoned(obj, child, zones))
        elif tzid := child.param("TZID"):
            name = zones.name_for(obj, tzid)
            changed = name != tzid
            children.append(lines.rewrite(child, child.value, params=[("TZID", name)], eol=_EOL) if changed else child)
        else:
            children.append(child)
    return Component(component.name, component.begin, tuple(children), component.end)


def _renamed(component: Component, name: str) -> Component:
    draft = Draft(component, _EOL)
    draft.set("TZID", text.escape(name))
    return draft.component()
