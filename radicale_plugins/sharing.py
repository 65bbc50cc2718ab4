"""What is told of a calendar that several people see (CalendarServer's sharing): whose it is, and who else has it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from typing import Any

from bridge.policy.access import Access
from bridge.store import delegates, principals, shares
from bridge.store.calendars import Calendar
from bridge.store.shares import Share
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
            yield from ((each.sharee, each.access, False) for each in shares.of_calendar(conn, calendar.id))
        if not place.href:  # of each object it would be asked anew
            yield from ((name, level, True) for name, level in delegates.of(conn, calendar.owner).items())


def invite(calendar: Calendar, request: Request) -> ET.Element | None:
    """CS:invite: the owner, and whom it is shared with. Where people do not see each other, others see only themselves in it."""
    if calendar.share_id is None and not calendar.is_shared:
        return None
    with request.database.read() as conn:
        owner = principals.by_id(conn, calendar.principal_id)
        everyone = shares.of_calendar(conn, calendar.id)
    if owner is None:
        return None
    seen = [each for each in everyone if calendar.share_id in (None, each.id) or request.directory]
    organizer = dav.element(
        "CS:organizer", dav.href(request.url(f"/{owner.name}/")), _common_name(owner.name, owner.properties)
    )
    return dav.element("CS:invite", organizer, *(_user(each, request) for each in seen))


def _user(share: Share, request: Request) -> ET.Element:
    level = "CS:read-write" if share.access >= Access.WRITE else "CS:read"
    return dav.element(
        "CS:user",
        dav.href(request.url(f"/{share.sharee}/")),
        _common_name(share.sharee, share.properties_of_sharee),
        dav.element("CS:access", dav.element(level)),
        dav.element("CS:invite-noresponse" if share.accepted_at is None else "CS:invite-accepted"),
    )


def _common_name(name: str, properties: Mapping[str, Any]) -> ET.Element:
    return dav.element("CS:common-name", content=principals.called(name, properties))
