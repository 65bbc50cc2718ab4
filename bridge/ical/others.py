"""Properties that no field of their own tells of (X-40), as they are written: for a side that keeps whole texts, as we do.

What belongs to one client alone, what is large, and what leans on a time zone's definition stays where it was written.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.ical import lines, readable
from bridge.ical.draft import Draft
from bridge.ical.lines import Line
from bridge.ical.objects import Component

TOLD = frozenset(
    {
        *("UID", "DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE"),
        *("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "RRULE", "RDATE", "EXRULE", "EXDATE"),
        *("SUMMARY", "DESCRIPTION", "LOCATION", "CATEGORIES", "PRIORITY", "URL", "X-GOOGLE-CONFERENCE"),
        *("STATUS", "TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS", "CLASS", "ORGANIZER", "ATTENDEE"),
    }
)
"""Properties that fields tell of, or that each side has of its own (X-01, X-31 … X-33)."""

_OF_ONE_CLIENT = ("X-MOZ-", "X-CALENDARSERVER-")
"""What a client has done about an alarm; what guests have said to a server that schedules, with their addresses."""

LONGEST = 4096
"""Characters of all of them together: what is more (a picture) is not carried from one calendar to another."""


def read(component: Component, conference: Line | None) -> tuple[str, ...]:
    """Unfolded and sorted; ``conference`` is the line of which the field of that name tells."""
    found = {f"{line.head}:{line.value}" for line in _of(component) if line is not conference}
    return normal(found)


def normal(said: Sequence[str] | set[str]) -> tuple[str, ...]:
    parsed = {
        text for text in said if "\n" not in text and "\r" not in text and _is_other(next(lines.read(text), None))
    }
    return tuple(sorted(parsed)) if sum(map(len, parsed)) <= LONGEST else ()


def write(draft: Draft, before: Sequence[str], after: Sequence[str]) -> None:
    """``before`` is what ``read`` has seen of the draft: other lines stay."""
    gone = set(before) - set(after)
    draft.remove(*(line for line in _of(draft.component()) if f"{line.head}:{line.value}" in gone))
    for text in sorted(set(after) - set(before)):
        new = next(lines.read(text))
        draft.insert(lines.rewrite(new, new.value, eol=draft.eol))


def _of(component: Component) -> list[Line]:
    return [child for child in component.children if isinstance(child, Line) and _is_other(child)]


def _is_other(line: Line | None) -> bool:
    if line is None or not line.name or line.name in TOLD or line.name in ("REQUEST-STATUS", "BEGIN", "END"):
        return False
    if readable.told(line):
        return False
    return not line.name.startswith(_OF_ONE_CLIENT) and not line.param("TZID")
