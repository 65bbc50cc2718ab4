"""The text of a feed made into calendar objects, one for each event or series (RFC 5545 §3.4, §3.6).

Pure. A feed is whole or it is nothing: what does not begin and end as a calendar raises, for half a listing must not look like
a complete one (R5, R7). Within that, anything is taken: what is wrong with one event is found when that one is read (R32).

Which components are one object, where producers break the rules about UIDs:

- one UID, one component without RECURRENCE-ID: the rule; overrides belong to it;
- several of these with the same DTSTART: versions of one event, the newest counts (SEQUENCE, LAST-MODIFIED, the later in the text);
- several with different DTSTARTs: an event each, known by UID and start; overrides belong to the only one that recurs;
- no UID: an event each, known by start and title, so a new title looks like a new event;
- an override whose series is not in the feed (Google shows an invitation to one meeting so): an event of its own.
"""

from __future__ import annotations

import codecs
import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bridge.errors import InvalidCalendarData
from bridge.ical import lines, text, times, values
from bridge.ical.lines import Line
from bridge.ical.objects import Component

LONGEST_UID = 1000
"""A longer one names nothing in the hub; its event gets another."""

_FOLD = re.compile(rb"(?:\r+\n?|\n)[ \t]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_COLOR = re.compile(r"(#[0-9a-fA-F]{6})(?:[0-9a-fA-F]{2})?")
_STAMPS = frozenset({"DTSTAMP", "CREATED", "LAST-MODIFIED"})
"""Many producers write the time of the request here: no reason to call an event changed."""


@dataclass(frozen=True, slots=True)
class FeedObject:
    """One event or series. ``ics`` is a VCALENDAR with the time zones it names; ``version`` tells two states of it apart.

    ``uid`` is the feed's, or "" where that does not name this event alone.
    """

    id: str
    uid: str
    ics: str
    version: str


@dataclass(frozen=True, slots=True)
class Feed:
    """``name``, ``zone`` (IANA) and ``color`` (#rrggbb) are "" where it does not say; ``refresh`` is how often to come."""

    objects: Mapping[str, FeedObject]
    name: str = ""
    zone: str = ""
    color: str = ""
    refresh: dt.timedelta | None = None


@dataclass(frozen=True, slots=True)
class _Event:
    """A VEVENT and the time zones of the calendar it stands in."""

    component: Component
    zones: Mapping[str, Component]
    place: int

    def value(self, name: str) -> str:
        line = self.component.first(name)
        return line.value.strip() if line else ""

    @property
    def uid(self) -> str:
        return text.unescape(self.value("UID")).strip()

    @property
    def start(self) -> str:
        line = self.component.first("DTSTART")
        return f"{line.param('TZID')} {line.value.strip()}" if line else ""

    @property
    def original(self) -> str:
        line = self.component.first("RECURRENCE-ID")
        return f"{line.param('TZID')} {line.value.strip()}" if line else ""

    @property
    def recurs(self) -> bool:
        return bool(self.component.first("RRULE") or self.component.first("RDATE"))

    @property
    def age(self) -> tuple[int, str, int]:
        sequence = self.value("SEQUENCE")
        number = int(sequence) if sequence.isascii() and sequence.isdigit() and len(sequence) < 10 else 0
        return number, self.value("LAST-MODIFIED") or self.value("DTSTAMP"), self.place


def read(body: bytes, charset: str = "") -> Feed:
    """Raises InvalidCalendarData, in plain words, for what is not a complete iCalendar stream."""
    if not body.strip():
        raise InvalidCalendarData("valid-calendar-data", "it is empty")
    calendars = list(_calendars(lines.read(decode(body, charset))))
    events: list[_Event] = []
    for calendar in calendars:
        zones = {
            text.unescape(line.value).strip(): each
            for each in calendar.components("VTIMEZONE")
            if (line := each.first("TZID"))
        }
        events += [_Event(each, zones, len(events) + n) for n, each in enumerate(calendar.components("VEVENT"))]
    found = (_object(*each) for each in _sorted_out(events))
    return _about(calendars[0], {each.id: each for each in found})


def decode(body: bytes, charset: str) -> str:
    """By its byte order mark, else as declared, else UTF-8 (RFC 5545 §3.1.4), else as Windows writes the West.

    Folds are undone first: they may stand in the middle of a character. Control characters are no text (§3.1).
    """
    mark, encoding = next(((mark, name) for mark, name in _BOMS if body.startswith(mark)), (b"", ""))
    if encoding.startswith(("utf-16", "utf-32")):
        return _CONTROL.sub("", body.decode(encoding, "replace"))
    plain = _FOLD.sub(b"", body[len(mark) :])
    for name in filter(None, (encoding, charset, "utf-8")):
        try:
            return _CONTROL.sub("", plain.decode(name))
        except (UnicodeError, LookupError):
            continue
    return _CONTROL.sub("", plain.decode("cp1252", "replace"))


def _calendars(content: Iterable[Line]) -> Iterator[Component]:
    """The VCALENDARs of a stream (§3.4); what a web server adds behind the last one is not ours."""
    open_: list[tuple[str, Line, list[Line | Component]]] = []
    seen = False
    for line in content:
        kind = line.value.strip().upper() if line.name in ("BEGIN", "END") else ""
        if line.name == "BEGIN" and (open_ or kind == "VCALENDAR"):
            open_.append((kind, line, []))
        elif line.name == "END" and open_:
            if open_[-1][0] != kind:
                raise InvalidCalendarData("valid-calendar-data", f"it is garbled: END:{kind[:40]} ends nothing")
            _, begin, children = open_.pop()
            component = Component(kind, begin, tuple(children), line)
            if open_:
                open_[-1][2].append(component)
            else:
                seen = True
                yield component
        elif open_:
            open_[-1][2].append(line)
        elif not seen and line.raw.strip():
            page = line.raw.lstrip().startswith("<")
            what = (
                "a web page, perhaps one to sign in, instead of a calendar"
                if page
                else "something else than a calendar"
            )
            raise InvalidCalendarData("valid-calendar-data", f"it is {what}")
    if open_:
        raise InvalidCalendarData("valid-calendar-data", "it breaks off before its end")
    if not seen:
        raise InvalidCalendarData("valid-calendar-data", "it is empty")


def _about(calendar: Component, objects: Mapping[str, FeedObject]) -> Feed:
    """What the feed says of itself (RFC 7986, and the properties that were there before it)."""
    name = _first(calendar, "NAME", "X-WR-CALNAME")
    zone = _first(calendar, "X-WR-TIMEZONE", "TIMEZONE-ID")
    color = _COLOR.fullmatch(_first(calendar, "X-APPLE-CALENDAR-COLOR", "COLOR"))
    refresh = values.duration(_first(calendar, "REFRESH-INTERVAL", "X-PUBLISHED-TTL"))
    return Feed(
        objects,
        name=" ".join(text.normal(name).split())[:255],
        zone=(times.resolve_zone(zone, None) or "") if zone else "",
        color=color[1].lower() if color else "",
        refresh=refresh.total if refresh and refresh.total > dt.timedelta() else None,
    )


def _first(calendar: Component, *names: str) -> str:
    found = (line for name in names for line in calendar.every(name))
    return next((text.unescape(line.value).strip() for line in found if line.value.strip()), "")


def _sorted_out(events: Sequence[_Event]) -> Iterator[tuple[tuple[str, ...], str, list[_Event]]]:
    """(what it is known by, its UID, its components): see the head of this module."""
    by_uid: dict[str, list[_Event]] = {}
    for event in events:
        by_uid.setdefault(event.uid, []).append(event)
    for event in _newest(by_uid.pop("", []), lambda each: f"{each.start} {each.value('SUMMARY')}"):
        yield ("", event.start, event.value("SUMMARY")), "", [event]
    for uid, group in by_uid.items():
        masters = _newest([each for each in group if not each.original], lambda each: each.start)
        overrides = _newest([each for each in group if each.original], lambda each: each.original)
        series = masters if len(masters) == 1 else [each for each in masters if each.recurs]
        owner = series[0] if len(series) == 1 else None
        for master in masters:
            own = [master, *overrides] if master is owner else [master]
            alone = len(masters) == 1
            yield (uid,) if alone else (uid, master.start), uid if alone else "", own
        if owner is None:
            for override in overrides:
                yield (uid, "", override.original), "", [override]


def _newest(events: Iterable[_Event], name: Callable[[_Event], str]) -> list[_Event]:
    """Of those with the same name the one that was written last, by name: the order in the feed means nothing."""
    best: dict[str, _Event] = {}
    for event in events:
        known = best.setdefault(name(event), event)
        if event.age > known.age:
            best[name(event)] = event
    return [best[each] for each in sorted(best)]


def _object(known_by: tuple[str, ...], uid: str, components: Sequence[_Event]) -> FeedObject:
    """Its UID becomes our id: one that is missing, or shared, would not make an object (RFC 4791 §4.1)."""
    id = hashlib.sha256(json.dumps(known_by).encode()).hexdigest()[:24]
    without = {"UID", "RECURRENCE-ID"} if len(components) == 1 else {"UID"}
    body: list[str] = []
    wanted: dict[str, Component] = {}
    for each in components:
        body += _text(each.component, without, f"UID:{id}")
        wanted |= {name: each.zones[name] for name in _tzids(each.component) if name in each.zones}
    zones = [line for name in sorted(wanted) for line in _text(wanted[name])]
    ics = ["BEGIN:VCALENDAR", "VERSION:2.0", *zones, *body, "END:VCALENDAR", ""]
    lasting = [line for line in ics if re.split("[;:]", line, maxsplit=1)[0].upper() not in _STAMPS]
    return FeedObject(
        id=id,
        uid=uid if len(uid) <= LONGEST_UID else "",
        ics="\r\n".join(ics),
        version=hashlib.sha256("\n".join(lasting).encode()).hexdigest()[:16],
    )


def _text(component: Component, without: Collection[str] = (), *more: str) -> Iterator[str]:
    """Its logical lines, ``more`` before them; what is no content line is left out."""
    yield f"BEGIN:{component.name}"
    yield from more
    for child in component.children:
        if isinstance(child, Component):
            yield from _text(child)
        elif child.name and child.name not in without:
            yield f"{child.head}:{child.value}"
    yield f"END:{component.name}"


def _tzids(component: Component) -> Iterator[str]:
    for child in component.children:
        if isinstance(child, Component):
            yield from _tzids(child)
        elif tzid := child.param("TZID"):
            yield tzid
