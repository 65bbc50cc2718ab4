"""What is told of a calendar that several people see (CalendarServer's sharing): whose it is, and who else has it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator

from bridge.policy.access import Access, Deed, may
from bridge.store import calendars, delegates, principals, shares, unknown_sharees
from bridge.store.calendars import Calendar
from bridge.store.shares import Share
from bridge.store.unknown_sharees import UnknownSharee
from radicale_plugins import dav
from radicale_plugins.request import Place, Request


def resource_type(calendar: Calendar) -> str | None:
    """What is said of it beside that it is a calendar."""
    if calendar.share_id is not None:
        return "CS:shared"
    return "CS:shared-owner" if calendar.is_shared else None


def everybody(calendar: Calendar | None, place: Place, request: Request) -> Iterator[tuple[str, Access, bool]]:
    """Who may do how much with it, and whether as a delegate: an owner is told all of it, others of the owner and themselves."""
    if calendar is None:
        yield place.owner, Access.OWNER, False
        return
    yield calendar.owner, Access.OWNER, False
    if calendar.access < Access.OWNER:
        yield request.user, calendar.access, calendar.share_id is None
        return
    with request.database.read() as conn:
        if calendar.is_shared:
            having = (each for each in shares.of_calendar(conn, calendar.id) if each.status == "accepted")
            yield from ((each.sharee, each.access, False) for each in having)
        if not place.href:  # of each object it would be asked anew
            yield from ((name, level, True) for name, level in delegates.of(conn, calendar.owner).items())


def invite(calendar: Calendar, request: Request) -> ET.Element | None:
    """CS:invite: the owner, and whom it is shared with.

    Its owner sees what each has answered, others only who has it, too; where people do not see each other, only themselves.
    """
    if calendar.share_id is None and not calendar.is_shared:
        return None
    is_owners = may(calendar.access, Deed.OWN)
    with request.database.read() as conn:
        owner = principals.by_id(conn, calendar.principal_id)
        everyone = shares.of_calendar(conn, calendar.id)
        unknown = unknown_sharees.of_calendar(conn, calendar.id) if is_owners else []
    if owner is None:
        return None
    if not is_owners:
        having = (each for each in everyone if each.status == "accepted")
        everyone = [each for each in having if each.id == calendar.share_id or request.directory]
    called = principals.called(owner.name, owner.properties)
    organizer = dav.element("CS:organizer", dav.href(request.url(f"/{owner.name}/")), common_name(called))
    return dav.element("CS:invite", organizer, *(_user(each, request) for each in everyone), *map(_nobody, unknown))


def _user(share: Share, request: Request) -> ET.Element:
    summary = (dav.element("CS:summary", content=share.summary),) if share.summary else ()
    return dav.element(
        "CS:user",
        dav.href(request.url(f"/{share.sharee}/")),
        common_name(principals.called(share.sharee, share.properties_of_sharee)),
        dav.element(f"CS:invite-{share.status}"),
        access(share.access),
        *summary,
    )


def _nobody(unknown: UnknownSharee) -> ET.Element:
    named = (common_name(unknown.common_name),) if unknown.common_name else ()
    return dav.element(
        "CS:user", dav.href(unknown.address), *named, dav.element("CS:invite-invalid"), access(unknown.access)
    )


def common_name(name: str) -> ET.Element:
    return dav.element("CS:common-name", content=name)


def access(level: Access) -> ET.Element:
    return dav.element("CS:access", dav.element("CS:read-write" if may(level, Deed.WRITE) else "CS:read"))


def allowed_modes(calendar: Calendar, request: Request) -> ET.Element | None:
    """CS:allowed-sharing-modes: by it Apple offers to share a calendar."""
    if not request.directory or not may(calendar.access, Deed.OWN):
        return None
    return dav.element("CS:allowed-sharing-modes", dav.element("CS:can-be-shared"))


def shared_url(calendar: Calendar, request: Request) -> ET.Element | None:
    """CS:shared-url: where somebody else's calendar stands in its owner's home."""
    if calendar.share_id is None:
        return None
    with request.database.read() as conn:
        owners = calendars.by_id(conn, calendar.id)
    if owners is None:
        return None
    return dav.element("CS:shared-url", dav.href(request.url(f"/{owners.owner}/{owners.slug}/")))
