"""What a feed tells of one object. Pure.

It is decided before a line is written (R41): of what is only to be seen as busy nothing else is ever looked at. Nobody is
named in a way that a program would take for an invitation (R1).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator

from bridge.errors import Unmappable
from bridge.ical import edit, objects, values, view, words
from bridge.ical.draft import Draft
from bridge.ical.fields import EventFields, ObjectFields
from bridge.ical.lines import Line
from bridge.ical.objects import CalendarObject, Component
from bridge.store.objects import StoredObject
from bridge.sync.projection import Level, Projection, Redaction

Told = tuple[CalendarObject, Component]
"""A component, and the object whose time zones it names."""

_EOL = "\r\n"
_SECOND = dt.timedelta(seconds=1)
_COUNTED_FROM = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
_HIDDEN_CLASSES = ("PRIVATE", "CONFIDENTIAL")
_REDACTED = tuple(Redaction("class", name, "busy") for name in _HIDDEN_CLASSES)
_DROPPED = frozenset({"ATTENDEE", "ORGANIZER", "X-MS-OLK-SENDER", "REQUEST-STATUS"})
_DROPPED_PREFIXES = ("X-MOZ-", "X-EVOLUTION-", "X-CALENDARSERVER-", "X-CALDAV-")
_DROPPED_PARTS = ("VALARM", "PARTICIPANT")
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
    **dict.fromkeys(("PRIORITY", "PERCENT-COMPLETE"), re.compile(r"\d{1,9}")),
    "GEO": re.compile(r"[+-]?\d+(?:\.\d+)?;[+-]?\d+(?:\.\d+)?"),
}
_ONCE = frozenset(
    {
        "UID", "DTSTART", "DTEND", "DUE", "DURATION", "RECURRENCE-ID", "SUMMARY", "DESCRIPTION", "LOCATION", "STATUS", "TRANSP",
        "CLASS", "GEO", "PRIORITY", "URL", "SEQUENCE", "CREATED", "COMPLETED", "PERCENT-COMPLETE", "RRULE", "DTSTAMP",
        "LAST-MODIFIED",
    }
)  # fmt: skip


def tell(stored: StoredObject, level: Level, secret: str) -> list[Told]:
    """Nothing where there is nothing to be told: a to-do, or free time, to who sees busy times.

    ``secret`` hides UIDs where not all is told: two readers cannot compare. Raises InvalidCalendarData, Unmappable and
    ValueError where it cannot be known what may be told.
    """
    obj = objects.parse(stored.data)
    return [
        (of, _stamped(component, stored)) for of, component in _told(obj, stored, Projection(level, _REDACTED), secret)
    ]


def _told(obj: CalendarObject, stored: StoredObject, shown: Projection, secret: str) -> Iterator[Told]:
    if obj.component not in ("VEVENT", "VTODO") or (obj.component == "VTODO" and shown.level != "full"):
        return
    components = list(obj.calendar.components(obj.component))
    strict = list(filter(_is_strict, components))
    try:
        whole = [(obj.uid, view.read(obj))] if obj.master is not None else _strays(obj)
        levels = {shown.level_of(fields) for _, fields in whole}
    except Unmappable:
        if (
            shown.level != "full"
            or not strict
            or any(words.classification(each) in _HIDDEN_CLASSES for each in components)
        ):
            raise
        yield from ((obj, _plain(each)) for each in strict)  # of what we do not understand, what a reader may
        return
    if levels == {"full"} and len(strict) == len(components):
        yield from ((obj, _plain(each)) for each in strict)
        return
    for uid, fields in whole:
        level = shown.level_of(fields)
        if level == "busy" and not _makes_busy(fields):
            continue
        name = uid if level == "full" else hashlib.sha256(f"{secret}\0{uid}".encode()).hexdigest()[:32]
        made = objects.parse(edit.compose(shown.show(fields), uid=name, now=stored.modified_at))
        yield from ((made, _without(each, "CREATED")) for each in made.calendar.components(obj.component))


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


def _makes_busy(whole: ObjectFields) -> bool:
    """Whether any of it does: a series of free days may have one that is not."""
    return any(
        isinstance(each, EventFields) and each.transp == "OPAQUE" and each.status != "CANCELLED"
        for each in (whole.master, *whole.overrides.values())
    )


def _plain(component: Component) -> Component:
    """As it is kept, without people, alarms and files: those of this server nobody else may read, and those inside are large."""
    draft = Draft(component, _EOL)
    own = [child for child in component.children if isinstance(child, Line)]
    gone = [line for line in own if line.name in _DROPPED or line.name.startswith(_DROPPED_PREFIXES)]
    gone += [line for line in own if line.name in ("ATTACH", "IMAGE") and _is_file(line)]
    draft.remove(*gone, *(part for name in _DROPPED_PARTS for part in draft.components(name)))
    return draft.component()


def _is_file(line: Line) -> bool:
    inside = line.param("VALUE").upper() == "BINARY" or line.param("ENCODING").upper() == "BASE64"
    return inside or line.value.lower().startswith("data:") or bool(line.param("MANAGED-ID"))


def _without(component: Component, name: str) -> Component:
    draft = Draft(component, _EOL)
    draft.drop(name)
    return draft.component()


def _stamped(component: Component, stored: StoredObject) -> Component:
    """Google applies a change only when these move (CLIENTS 1.9), and takes none that seems older than what it has.

    A device may count its own SEQUENCE anew, and what is taken back from history has the one it had: so it is the second of
    the change here, which goes on whatever happens.
    """
    changed_at = stored.modified_at.astimezone(dt.UTC).replace(microsecond=0)
    stamp = values.write_moment(changed_at, utc=True)
    draft = Draft(component, _EOL)
    draft.set("DTSTAMP", stamp, after=("UID",))
    draft.set("LAST-MODIFIED", stamp, after=("DTSTAMP",))
    draft.set("SEQUENCE", str(max(0, (changed_at - _COUNTED_FROM) // _SECOND)), after=("LAST-MODIFIED",))
    return draft.component()
