"""Delegation (CalendarServer's caldav-proxy): two groups in each home, of those who may read and of those who may write.

Who is in one is a principal's group-membership, and whose calendars one looks after its calendar-proxy-…-for. A home's owner sets
a group's members by PROPPATCH, as macOS does.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

import sqlalchemy as sa

from bridge.policy.access import GIVEN, Access
from bridge.services import delegating
from bridge.store import delegates, principals
from radicale_plugins import addressees, dav
from radicale_plugins.request import NOT_FOUND, PROXIES, Place, Request

MEMBERS = f"{dav.D}group-member-set"


def members(place: Place, request: Request) -> list[str]:
    """The paths of those who are in a group. Who is in it themselves is told of nobody else."""
    level = GIVEN[PROXIES[place.slug]]
    with request.database.read() as conn:
        found = delegates.of(conn, place.owner)
    told = [name for name, each in found.items() if each is level and request.user in (place.owner, name)]
    return [f"/{name}/" for name in told]


def owners(person: str, level: Access, request: Request) -> list[str]:
    """The homes that a person looks after; nobody else's business."""
    if person != request.user:
        return []
    with request.database.read() as conn:
        return [f"/{name}/" for name, each in delegates.owners_of(conn, person).items() if each is level]


def groups_of(person: str, request: Request) -> list[str]:
    """The groups that a person is in."""
    slugs = {GIVEN[access]: slug for slug, access in PROXIES.items()}
    return [f"{path}{slugs[level]}/" for level in slugs for path in owners(person, level, request)]


def set_members(request: Request, element: ET.Element | None) -> bool:
    """Make these and no others the group's members; None: nobody. False: one of them is nobody of this server.

    Whoever was in the other group is in this one now. Raises dav.Refusal 404.
    """
    access = PROXIES[request.place.slug]
    hrefs = [] if element is None else [each.text or "" for each in element.findall(f"{dav.D}href")]
    with request.write() as conn:
        owner = principals.by_name(conn, request.place.owner)
        if owner is None:
            raise dav.Refusal(NOT_FOUND)
        found = [_person(request, conn, each) for each in hrefs]
        if None in found or owner.id in found:
            return False
        wanted: dict[int, str | None] = {}
        for name, level in delegates.of(conn, owner.name).items():
            known = principals.by_name(conn, name)
            if known is not None and level is GIVEN[access]:
                wanted[known.id] = None
        wanted |= {each: access for each in found if each is not None}
        delegating.change(conn, owner, wanted, actor=request.actor, now=request.now())
    return True


def _person(request: Request, conn: sa.Connection, href: str) -> int | None:
    """Where people do not see each other, nobody is found who is no delegate already."""
    person = addressees.find(request, conn, href)
    if person is None or not (request.directory or delegates.level(conn, request.place.owner, person.name)):
        return None
    return person.id
