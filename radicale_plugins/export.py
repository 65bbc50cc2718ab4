"""A whole calendar as one iCalendar text: what a GET of a collection gives."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.errors import InvalidCalendarData
from bridge.ical import lines, text
from bridge.ical import objects as ical
from bridge.store.calendars import Calendar
from bridge.store.objects import StoredObject

_EOL = "\r\n"


def calendar(collection: Calendar, stored: Iterable[StoredObject]) -> bytes:
    """All objects in one VCALENDAR, each component as it was PUT; a time zone that several objects bring stands once.

    Zones that differ under one TZID cannot be told apart in one text: the first is kept, as every exporter does.
    """
    name = collection.properties.get("D:displayname")
    description = collection.properties.get("C:calendar-description")
    head = [("VERSION", "2.0"), ("PRODID", "-//caldav-bridge//EN"), ("CALSCALE", "GREGORIAN")]
    head += [("X-WR-CALNAME", text.escape(name))] if isinstance(name, str) and name else []
    head += [("X-WR-CALDESC", text.escape(description))] if isinstance(description, str) and description else []
    zones: dict[str, str] = {}
    components: list[str] = []
    for each in stored:
        try:
            obj = ical.parse(each.data)
        except InvalidCalendarData:  # one bad object does not spoil the rest (R32)
            continue
        for tzid, zone in obj.timezones.items():
            zones.setdefault(tzid, "".join(zone.raws()))
        components += ("".join(part.raws()) for part in obj.calendar.components() if part.name != "VTIMEZONE")
    start = "".join(lines.write(key, value, eol=_EOL).raw for key, value in head)
    body = "".join(part if part.endswith("\n") else part + _EOL for part in (*zones.values(), *components))
    whole = f"BEGIN:VCALENDAR{_EOL}{start}{body}END:VCALENDAR{_EOL}"
    return whole.encode("utf-8", "surrogateescape")
