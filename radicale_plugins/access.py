"""What the person who asks may do with a calendar and what is in it: the one place that knows, for every method.

Whoever gets here is in their own home, or in that of somebody whose delegate they are (``store.delegates``, asked where the
request comes in). What stands in one's own home is one's own, or it is somebody else's calendar that was shared
(``store.shares``). A calendar's ``access`` says how far one may go with it, whichever way one came to it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bridge.errors import InvalidCalendarData
from bridge.ical import objects as ical
from bridge.ical.itip import parts
from bridge.policy.access import Access, Deed, may
from bridge.store import calendars, shares
from bridge.store.calendars import Calendar
from radicale_plugins import dav, home

if TYPE_CHECKING:
    from radicale_plugins.request import Place, Request

READ = ("D:read", "D:read-acl", "D:read-current-user-privilege-set")
DESCRIBE = "D:write-properties"
WRITE = ("D:write", "D:write-content", DESCRIBE, "D:bind", "D:unbind")
FREE_BUSY = "C:read-free-busy"
SPEAK = "C:schedule-send"
SHARE = "D:share"

_DEEDS = {
    DESCRIBE: Deed.DESCRIBE,
    "D:write-content": Deed.WRITE,
    "D:bind": Deed.WRITE,
    "D:unbind": Deed.WRITE,
    SPEAK: Deed.SPEAK,
    SHARE: Deed.OWN,
}


def level(request: Request, owner: str) -> Access:
    """How far one may go in a home, as far as that is known: of others only in the one that is asked for."""
    if owner in ("", request.user):
        return Access.OWNER
    return Access.NONE if request.stranger or owner != request.place.owner else request.level


def find(request: Request, conn: sa.Connection, place: Place) -> Calendar | None:
    """The calendar that the place is or lies in, as it is seen there. One's own costs no more than if nothing were shared."""
    how_far = level(request, place.owner)
    if place.deeper or how_far is Access.NONE:
        return None
    own = calendars.get(conn, place.owner, place.slug)
    if how_far is Access.OWNER:
        return own or shares.at(conn, place.owner, place.slug)
    return None if own is None or own.slug.startswith(".") else replace(own, access=how_far)


def members(request: Request, conn: sa.Connection, owner: str) -> list[Calendar]:
    """The calendars that one sees in a home. A delegate sees none that others have shared with its owner: they meant the owner."""
    how_far = level(request, owner)
    found = home.members(conn, owner)
    if how_far is Access.OWNER:
        return found
    return [replace(each, access=how_far) for each in found if each.share_id is None and how_far]


def of_home(access: Access) -> tuple[str, ...]:
    return (*READ, *WRITE) if may(access, Deed.OWN) else READ


def of_calendar(access: Access, *, as_delegate: bool = False) -> tuple[str, ...]:
    """The privileges on a calendar (current-user-privilege-set, acl). A delegate has no names and colours of their own."""
    if as_delegate:
        return (
            (*READ, "D:write-content", "D:bind", "D:unbind", FREE_BUSY)
            if may(access, Deed.WRITE)
            else (*READ, FREE_BUSY)
        )
    if may(access, Deed.OWN):
        return (*READ, *WRITE, FREE_BUSY, SHARE)
    if may(access, Deed.WRITE):
        return (*READ, *WRITE, FREE_BUSY)
    return (*READ, DESCRIBE, FREE_BUSY) if may(access, Deed.READ) else ()


def of_object(access: Access, *, as_delegate: bool = False) -> tuple[str, ...]:
    if as_delegate and may(access, Deed.WRITE):
        return (*READ, "D:write-content", DESCRIBE)
    if may(access, Deed.WRITE):
        return (*READ, *WRITE[:3])
    return READ if may(access, Deed.READ) else ()


def require(request: Request, calendar: Calendar, place: Place, privilege: str) -> None:
    """Raises dav.Refusal 403 that names the privilege, and of what it would have to be (RFC 3744 §7.1.1).

    A calendar each describes for themselves; what an object's properties say it says to all.
    """
    deed = Deed.WRITE if privilege == DESCRIBE and place.href else _DEEDS[privilege]
    if not may(calendar.access, deed):
        of = place.path if privilege in ("D:write-content", DESCRIBE) else place.calendar
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
