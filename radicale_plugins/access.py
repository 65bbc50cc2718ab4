"""What the person who asks may do with a calendar and what is in it: the one place that knows, for every method.

A home is its owner's alone (``rights``), so whoever gets here is in their own home. What stands there is theirs, or it is
somebody else's calendar that was shared with them (``store.shares``): then its ``access`` says how far they may go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from bridge.errors import InvalidCalendarData
from bridge.ical import objects as ical
from bridge.ical.itip import parts
from bridge.policy.access import Access, Deed, may
from bridge.store import calendars, shares
from bridge.store.calendars import Calendar
from radicale_plugins import dav

if TYPE_CHECKING:
    from radicale_plugins.request import Place, Request

READ = ("D:read", "D:read-acl", "D:read-current-user-privilege-set")
DESCRIBE = "D:write-properties"
WRITE = ("D:write", "D:write-content", DESCRIBE, "D:bind", "D:unbind")
FREE_BUSY = "C:read-free-busy"
SPEAK = "C:schedule-send"

_DEEDS = {
    DESCRIBE: Deed.DESCRIBE,
    "D:write-content": Deed.WRITE,
    "D:bind": Deed.WRITE,
    "D:unbind": Deed.WRITE,
    SPEAK: Deed.SPEAK,
}


def find(conn: sa.Connection, place: Place) -> Calendar | None:
    """The calendar that the place is or lies in, as it is seen there. One's own costs no more than if nothing were shared."""
    if place.deeper:
        return None
    return calendars.get(conn, place.owner, place.slug) or shares.at(conn, place.owner, place.slug)


def of_calendar(access: Access) -> tuple[str, ...]:
    """The privileges on a calendar (current-user-privilege-set, acl)."""
    if may(access, Deed.WRITE):
        return (*READ, *WRITE, FREE_BUSY)
    return (*READ, DESCRIBE, FREE_BUSY) if may(access, Deed.READ) else ()


def of_object(access: Access) -> tuple[str, ...]:
    if may(access, Deed.WRITE):
        return (*READ, *WRITE[:3])
    return READ if may(access, Deed.READ) else ()


def require(request: Request, calendar: Calendar, place: Place, privilege: str) -> None:
    """Raises dav.Refusal 403 that names the privilege, and of what it would have to be (RFC 3744 §7.1.1)."""
    if not may(calendar.access, _DEEDS[privilege]):
        of = place.path if privilege == "D:write-content" else place.calendar
        raise dav.Refusal(dav.need_privileges(request.url(of), privilege))


def require_voice(request: Request, calendar: Calendar, place: Place, *versions: bytes | None) -> None:
    """Raises dav.Refusal 403 if one of the versions asks somebody to a meeting, and that is not theirs to say (``Deed.SPEAK``).

    The calendar's owner is who invites and calls off, here or at a provider, so nobody is mailed because of others.
    """
    if not may(calendar.access, Deed.SPEAK) and any(map(_asks_somebody, versions)):
        require(request, calendar, place, SPEAK)


def _asks_somebody(data: bytes | None) -> bool:
    if data is None or b"ATTENDEE" not in data.upper():
        return False
    try:
        obj = ical.parse(data)
    except InvalidCalendarData:
        return True  # what cannot be read is not to be meddled with
    return any(each.first("ATTENDEE") is not None for each in parts.components(obj))
