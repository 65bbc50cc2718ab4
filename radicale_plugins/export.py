"""A whole calendar as one iCalendar text: what a GET of a collection gives."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.ical import lines, pieces, text
from bridge.store.calendars import Calendar

_EOL = "\r\n"


def calendar(collection: Calendar, texts: Iterable[bytes]) -> bytes:
    """All objects in one VCALENDAR, each component as it was PUT; a time zone that several objects bring stands once.

    Zones that differ under one TZID cannot be told apart in one text: the first is kept, as every exporter does.
    """
    zones: dict[str, bytes] = {}
    components: list[bytes] = []
    for each in pieces.cut(texts):
        for tzid, zone in each.zones.items():
            zones.setdefault(tzid, zone)
        components.append(each.components)
    end = f"END:VCALENDAR{_EOL}".encode()
    return b"".join([_head(collection), *zones.values(), *components, end])


def _head(collection: Calendar) -> bytes:
    name = collection.properties.get("D:displayname")
    description = collection.properties.get("C:calendar-description")
    head = [("BEGIN", "VCALENDAR"), ("VERSION", "2.0"), ("PRODID", "-//caldav-bridge//EN"), ("CALSCALE", "GREGORIAN")]
    head += [("X-WR-CALNAME", text.escape(name))] if isinstance(name, str) and name else []
    head += [("X-WR-CALDESC", text.escape(description))] if isinstance(description, str) and description else []
    return "".join(lines.write(key, value, eol=_EOL).raw for key, value in head).encode()
