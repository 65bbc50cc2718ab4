"""A scheduling message as it comes: an object with a METHOD, which a calendar would not take (RFC 5546 §1.4)."""

from __future__ import annotations

from bridge.errors import InvalidCalendarData
from bridge.ical import lines, objects
from bridge.ical.objects import CalendarObject


def read(data: bytes) -> tuple[str, CalendarObject]:
    """The METHOD, in capitals, and the object without it. Raises InvalidCalendarData; also where there is no METHOD."""
    try:
        content = list(lines.read(data.decode("utf-8", "surrogateescape")))
    except UnicodeError as error:
        raise InvalidCalendarData("valid-calendar-data", "not UTF-8") from error
    method = next((line for line in content if line.name == "METHOD"), None)
    if method is None:
        raise InvalidCalendarData("valid-calendar-data", "no METHOD")
    kept = "".join(line.raw for line in content if line is not method)
    return method.value.strip().upper(), objects.parse(kept.encode("utf-8", "surrogateescape"))
