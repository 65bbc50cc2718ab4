"""A feed's text: calendars as one iCalendar stream for anybody who has the address. Pure.

Google leaves out a whole feed for one line that is not by the book, and takes no more than a megabyte. So every line is
folded anew, and the text is as wide a window as there is room for.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bridge.errors import InvalidCalendarData, Unmappable
from bridge.ical import colors, edit, lines, text, times, tzdefine, vtimezone
from bridge.ical.draft import Draft
from bridge.ical.lines import Line
from bridge.ical.objects import CalendarObject, Component
from bridge.services import disclosing
from bridge.services.disclosing import Told
from bridge.store.objects import StoredObject
from bridge.sync.projection import Level

VERSION = 2
"""Of this module's output: it is part of a feed's ETag, so that a change here is one for those who read."""

_EOL = "\r\n"
_FRESH = "PT1H"
_RGB = re.compile(r"#?([0-9a-fA-F]{6})(?:[0-9a-fA-F]{2})?")


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the events. ``zone`` is an IANA name, "" if there is none; ``color`` is #rrggbb, or ""."""

    name: str
    zone: str = ""
    color: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """Aware instants; ``until`` is not in it any more."""

    since: dt.datetime
    until: dt.datetime

    def touches(self, stored: StoredObject) -> bool:
        """By an object's bounds alone, as ``objects.in_range`` reckons."""
        first, last = stored.first_at, stored.last_at
        if first is None:
            return True
        return first < self.until and (last is None or last > self.since or first == last >= self.since)


@dataclass(frozen=True, slots=True)
class Published:
    """``window`` is the number of the one there was room for; ``left_out`` are objects that cannot be read, or are too large."""

    text: bytes
    window: int
    left_out: int


@dataclass(slots=True)
class _Zones:
    """The zones that the feed defines: IANA's by their names, others under names that no two of them share (D-01)."""

    since: int
    defined: dict[str, bytes] = field(default_factory=dict)

    def name_for(self, obj: CalendarObject, tzid: str) -> str:
        component = obj.timezones.get(tzid)
        iana = times.resolve_zone(tzid, component)
        if iana is not None:
            if iana not in self.defined:
                self.defined[iana] = _text(tzdefine.define(iana, self.since, _EOL))
            return iana
        if component is None or vtimezone.read(component) is None:  # what defines nothing spoils a whole feed elsewhere
            return tzid
        name, count = tzid, 1
        while self.defined.get(name) not in (None, _text(_renamed(component, name))):
            count += 1
            name = f"{tzid}-{count}"
        self.defined[name] = _text(_renamed(component, name))
        return name


_Mark = tuple[int, int]


@dataclass(slots=True)
class _Sheet:
    """What has been written of the objects and of the zones they need; ``room`` bytes more there may be, of ``whole``."""

    whole: int
    room: int
    zones: _Zones
    parts: dict[int, bytes] = field(default_factory=dict)

    def mark(self) -> _Mark:
        return len(self.parts), len(self.zones.defined)

    def back_to(self, mark: _Mark) -> None:
        """Forget all that was written since. The room is not measured again: this comes last."""
        self.parts = dict(itertools.islice(self.parts.items(), mark[0]))
        self.zones.defined = dict(itertools.islice(self.zones.defined.items(), mark[1]))

    def write(self, place: int, told: Sequence[Told]) -> bool:
        """False where there is no room for it; then nothing has changed."""
        mark = self.mark()
        own = b"".join(_text(_zoned(of, each, self.zones)) for of, each in told)
        new = itertools.islice(self.zones.defined.values(), mark[1], None)
        size = len(own) + sum(map(len, new))
        if size > self.room:
            self.back_to(mark)
            return False
        self.room -= size
        self.parts[place] = own
        return True

    def never_fits(self, told: Sequence[Told]) -> bool:
        return sum(len(_text(each)) for _, each in told) > self.whole

    def text(self) -> bytes:
        return b"".join([*self.zones.defined.values(), *(self.parts[place] for place in sorted(self.parts))])


def render(
    stored: Sequence[StoredObject],
    heading: Heading,
    *,
    level: Level,
    secret: str,
    windows: Sequence[Window],
    largest: int,
) -> Published:
    """The feed, of at most ``largest`` bytes: of ``windows``, each within the one before it, the widest there is room for.

    It begins with what lies in the narrowest and goes outwards, so no more is read than goes in. ``stored`` are the objects of
    the first. One that cannot be read is left out (R32), and so is what even the narrowest has no room for. A UID stands once:
    of two objects that share it, in two calendars, the first that tells anything is shown. ``secret`` hides UIDs where not
    all is told.
    """
    head, end = _head(heading), f"END:VCALENDAR{_EOL}".encode()
    room = largest - len(head) - len(end)
    sheet = _Sheet(room, room, _Zones(windows[0].since.year))
    seen: set[str] = set()
    narrowest, reached, left_out = len(windows) - 1, 0, 0
    within = [max(n for n, window in enumerate(windows) if n == 0 or window.touches(each)) for each in stored]
    inside_out = sorted(range(len(stored)), key=lambda place: (-within[place], place))
    for window, group in itertools.groupby(inside_out, key=lambda place: within[place]):
        mark = sheet.mark()
        for place in group:
            uid = stored[place].uid
            try:
                told = [] if uid in seen else disclosing.tell(stored[place], level, secret)
                fits = not told or sheet.write(place, told)
            except (InvalidCalendarData, Unmappable, ArithmeticError, ValueError):
                left_out += 1
                continue
            if fits:
                seen.update([uid] if told else [])
            elif window == narrowest or sheet.never_fits(told):
                left_out += 1
            else:
                reached = window + 1
                break
        if reached:
            sheet.back_to(mark)
            break
    return Published(b"".join([head, sheet.text(), end]), reached, left_out)


def _head(heading: Heading) -> bytes:
    content = [("BEGIN", "VCALENDAR"), ("VERSION", "2.0"), ("PRODID", edit.PRODID), ("CALSCALE", "GREGORIAN")]
    content += [("METHOD", "PUBLISH"), ("NAME", text.escape(heading.name)), ("X-WR-CALNAME", text.escape(heading.name))]
    content += [("X-WR-TIMEZONE", heading.zone)] if heading.zone else []
    if color := _RGB.fullmatch(heading.color.strip()):
        content += [("COLOR", colors.named(color[1].lower())), ("X-APPLE-CALENDAR-COLOR", f"#{color[1].upper()}")]
    content += [("X-PUBLISHED-TTL", _FRESH)]
    written = [lines.write(name, value, eol=_EOL) for name, value in content]
    written.append(lines.write("REFRESH-INTERVAL", _FRESH, [("VALUE", "DURATION")], eol=_EOL))
    return "".join(line.raw for line in written).encode()


def _text(component: Component) -> bytes:
    return "".join(_lines(component)).encode()


def _lines(component: Component) -> Iterator[str]:
    """Each line by the book, however a device has folded and ended it; what is no content line is left out."""
    yield f"BEGIN:{component.name}{_EOL}"
    for child in component.children:
        if isinstance(child, Component):
            yield from _lines(child)
        elif child.name:
            yield lines.folded(child, _EOL)
    yield f"END:{component.name}{_EOL}"


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
