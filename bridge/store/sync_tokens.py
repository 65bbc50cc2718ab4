"""How a calendar's state is named in a sync token (RFC 6578 §3.1)."""

from __future__ import annotations

from bridge.store.calendars import Calendar

PREFIX = "http://radicale.org/ns/sync/"
"""A sync token is a URI (RFC 6578 §6.2); Evolution takes one for a token only if it holds ":" or "/"."""


def of(calendar: Calendar) -> str:
    """The id is part of it: a calendar made anew under an old name is another one."""
    return f"{PREFIX}{calendar.id}-{calendar.revision}"
