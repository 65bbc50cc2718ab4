"""How people name a calendar: USER/CALENDAR, its path."""

from __future__ import annotations

from sqlalchemy import Connection

from bridge.errors import NotFound, UsageError
from bridge.store import calendars
from bridge.store.calendars import Calendar


def calendar_named(conn: Connection, name: str) -> Calendar:
    """Raises UsageError for what is no such name, NotFound."""
    owner, _, slug = name.strip("/").partition("/")
    if not slug:
        raise UsageError(f"name the calendar here as USER/CALENDAR, for instance alice/calendar, not {name!r}")
    calendar = calendars.get(conn, owner, slug)
    if calendar is None:
        raise NotFound(f"there is no calendar {owner}/{slug}; see: caldav-bridge calendar list {owner}")
    return calendar


def nobody(name: str) -> NotFound:
    """That there is no such person, and how to add one."""
    return NotFound(f"there is no user {name!r}; add one with: caldav-bridge user add {name} --email …")


def name_of(calendar: Calendar) -> str:
    return f"{calendar.owner}/{calendar.slug}"
