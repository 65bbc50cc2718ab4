"""What objects bring into one text together: their time zones, and their other components to the byte. Pure.

To read an object as a tree takes a hundred times what it takes to cut it. What stands around its components, the zones above
all, is the same in nearly all objects of a calendar and is read once; the components are only looked over, line by line.
Whatever is not plainly what ``objects.parse`` accepts is left to that.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from bridge.errors import InvalidCalendarData
from bridge.ical import objects
from bridge.ical.objects import CalendarObject, Component

_Frame = Callable[[bytes, bytes, bytes], Mapping[str, bytes] | None]

_EOL = b"\r\n"
_MOST_FRAMES = 64
"""Kept in mind at a time: a calendar has as many as it has zones, times the programs that have written into it."""

_LONGEST_FRAME = 32_768
"""Bytes. A longer one is not worth the room."""


class Pieces(NamedTuple):
    """``zones`` by TZID, and all ``components`` but those, in their order. Everything ends with a line end."""

    zones: Mapping[str, bytes]
    components: bytes


def cut(texts: Iterable[bytes]) -> Iterator[Pieces]:
    """What each brings. One that cannot be read is left out (R32)."""
    frame = functools.lru_cache(_MOST_FRAMES)(_zones_around)
    for data in texts:
        pieces = _plain(data, frame) or _read(data)
        if pieces is not None:
            yield pieces


# No control characters, and no CR but at a line's end. Within a line everything is possessive; of the repetitions of lines no
# two can take the same one. So nothing here backtracks for long.
_TEXT = rb"[^\x00-\x08\x0a-\x1f\x7f]*+"
_REST = rb"%b\r?+\n(?:[ \t]%b\r?+\n)*+" % (_TEXT, _TEXT)
_END = rb"\r?+\n(?![ \t])"
_NAME = rb"[A-Za-z0-9-]++[:;]"
_LINE = rb"(?:(?!(?i:BEGIN|END)[:;])%b%b)" % (_NAME, _REST)
_OTHER_LINE = rb"(?:(?!(?i:BEGIN|END|UID|RECURRENCE-ID)[:;])%b%b)" % (_NAME, _REST)
_SOME = rb"%(line)b*(?:(RECURRENCE-ID[:;]%(rest)b)%(line)b*)?" % {b"line": _OTHER_LINE, b"rest": _REST}
_UID = rb"UID:([!-\[\]-~]%b)" % _REST  # it begins with what is neither blank nor an escape, so there is one
_WITHIN = rb"BEGIN:(?!VCALENDAR)([A-Z-]++)%(end)b%(line)b*END:\4%(end)b" % {b"end": _END, b"line": _LINE}


def _one(kind: bytes) -> re.Pattern[bytes]:
    """A component of this kind with one UID, and with none inside but flat ones, such as alarms."""
    inside = rb"%b%b%b(?:%b%b*)*" % (_SOME, _UID, _SOME, _WITHIN, _OTHER_LINE)
    return re.compile(rb"BEGIN:%b%b%bEND:%b%b" % (kind, _END, inside, kind, _END))


_FIRST = re.compile(rb"\nBEGIN:(VEVENT|VTODO|VJOURNAL)\r?\n")
_ONE = {kind: _one(kind) for kind in (b"VEVENT", b"VTODO", b"VJOURNAL")}


def _plain(data: bytes, frame: _Frame) -> Pieces | None:
    """The pieces of an object whose components stand side by side in lines that say at once what they are, else None."""
    first = _FIRST.search(data)
    if first is None:
        return None
    kind, start = first[1], first.start(1) - len(b"BEGIN:")
    one = _ONE[kind]
    found = one.match(data, start)
    if found is None:
        return None
    uid, masters, end = found[2], 0, start
    while found is not None:
        if found[2] != uid:
            return None
        masters += found[1] is None and found[3] is None
        end = found.end()
        found = one.match(data, end)
    components = data[start:end]
    if masters > 1 or len(data) - len(components) > _LONGEST_FRAME or not _is_utf8(components):
        return None
    zones = frame(kind, data[:start], data[end:])
    return None if zones is None else Pieces(zones, components)


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:  # it may be good yet, if a fold parts a character
        return False
    return True


def _zones_around(kind: bytes, before: bytes, after: bytes) -> Mapping[str, bytes] | None:
    """The zones of an object that has this around its components of this ``kind``, if it is good and has no others."""
    try:
        obj = objects.parse(before + b"BEGIN:%b\r\nUID:1\r\nEND:%b\r\n" % (kind, kind) + after)
    except InvalidCalendarData:
        return None
    others = [each.name.encode() for each in obj.calendar.components() if each.name != "VTIMEZONE"]
    return _zones(obj) if others == [kind] else None


def _read(data: bytes) -> Pieces | None:
    try:
        obj = objects.parse(data)
    except InvalidCalendarData:
        return None
    others = (_text(each) for each in obj.calendar.components() if each.name != "VTIMEZONE")
    return Pieces(_zones(obj), b"".join(others))


def _zones(obj: CalendarObject) -> Mapping[str, bytes]:
    return {tzid: _text(zone) for tzid, zone in obj.timezones.items()}


def _text(component: Component) -> bytes:
    raw = "".join(component.raws()).encode("utf-8", "surrogateescape")
    return raw if raw.endswith(b"\n") else raw + _EOL
