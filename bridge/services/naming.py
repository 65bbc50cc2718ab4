"""How people name a calendar (USER/CALENDAR, its path; its title), and an event (its UID, or as much of it as is enough)."""

from __future__ import annotations

from collections.abc import Collection

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


def title_of(calendar: Calendar) -> str:
    """What it is called on devices: one without a name by the end of its address."""
    title = calendar.properties.get("D:displayname")
    return (title.strip() if isinstance(title, str) else "") or calendar.slug


def whole_uid(given: str, known: Collection[str]) -> str | None:
    """The UID that was meant: it, or the only one that begins so; None: there is none. Raises UsageError if there are several.

    Outlook's have 112 characters, of which many begin alike.
    """
    if given in known or not given:
        return given if given in known else None
    found = [uid for uid in known if uid.startswith(given)]
    if len(found) > 1:
        raise UsageError(f"several events have a UID that begins with {given!r}: give more of it")
    return found[0] if found else None
