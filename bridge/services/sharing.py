"""Sharing a calendar with somebody else of this server: what its owner's word does."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.errors import NotFound, UsageError
from bridge.policy.access import GIVEN, Access
from bridge.services.naming import calendar_named, name_of, nobody
from bridge.store import audit, calendars, principals, shares
from bridge.store.audit import Detail
from bridge.store.calendars import Calendar
from bridge.store.principals import Principal
from bridge.store.session import Database
from bridge.store.shares import Share

LEVELS = {level: name for name, level in GIVEN.items()}


@dataclass(frozen=True, slots=True)
class Shared:
    """A calendar of somebody, and one of those who see it, too."""

    calendar: Calendar
    share: Share


def add(database: Database, name: str, sharee: str, access: str, *, actor: str = "cli", now: dt.datetime) -> Shared:
    """Share ``name`` (USER/CALENDAR), or change what somebody may do who has it. Raises UsageError and NotFound."""
    if access not in GIVEN:
        raise UsageError(f"a calendar is shared to {' or to '.join(GIVEN)}, not to {access!r}")
    with database.write() as conn:
        calendar = calendar_named(conn, name)
        return Shared(calendar, give(conn, calendar, _person(conn, sharee), access, actor=actor, now=now))


def give(
    conn: sa.Connection, calendar: Calendar, sharee: Principal, access: str, *, actor: str, now: dt.datetime
) -> Share:
    """Raises UsageError."""
    if calendar.slug.startswith("."):
        raise UsageError(f"{name_of(calendar)} is the server's own and cannot be shared")
    if sharee.id == calendar.principal_id:
        raise UsageError(f"{name_of(calendar)} is {sharee.name}'s already")
    before = shares.of(conn, calendar.id, sharee.id)
    there = shares.members(conn, sharee.name)
    share = shares.add(
        conn,
        calendar.id,
        sharee.id,
        access=access,
        slug=_slug(calendar, {each.slug for each in there}),
        properties=_told_apart(conn, calendar, [_title(each) for each in there]),
        now=now,
    )
    if before is None or before.access is not share.access:
        detail: Detail = {"calendar": calendar.id, "with": sharee.id, "access": access}
        audit.record(conn, "share.add", actor=actor, now=now, principal_id=calendar.principal_id, detail=detail)
    return share


def remove(database: Database, name: str, sharee: str, *, actor: str = "cli", now: dt.datetime) -> Calendar:
    """Take it back, from the next request on. Raises NotFound."""
    with database.write() as conn:
        calendar = calendar_named(conn, name)
        if not take(conn, calendar, _person(conn, sharee), actor=actor, now=now):
            raise NotFound(f"{name_of(calendar)} is not shared with {sharee}; see: caldav-bridge share list")
    return calendar


def take(conn: sa.Connection, calendar: Calendar, sharee: Principal, *, actor: str, now: dt.datetime) -> bool:
    """False: they did not have it."""
    if not shares.remove(conn, calendar.id, sharee.id, now=now):
        return False
    detail = {"calendar": calendar.id, "with": sharee.id}
    audit.record(conn, "share.remove", actor=actor, now=now, principal_id=calendar.principal_id, detail=detail)
    return True


def every(database: Database, user: str | None = None) -> list[Shared]:
    """What is shared, by all or by one person and with them. Raises NotFound."""
    with database.read() as conn:
        if user is not None:
            _person(conn, user)
        owned = [each for person in principals.every(conn) for each in calendars.of_principal(conn, person.name)]
        found = [Shared(each, share) for each in owned if each.is_shared for share in shares.of_calendar(conn, each.id)]
    return [each for each in found if user in (None, each.calendar.owner, each.share.sharee)]


def _person(conn: sa.Connection, name: str) -> Principal:
    person = principals.by_name(conn, name)
    if person is None:
        raise nobody(name)
    return person


def _slug(calendar: Calendar, taken: set[str]) -> str:
    """As its owner calls it, or with the owner's name where the home has one of that name."""
    first, second = calendar.slug[:200], f"{calendar.slug[:100]}-{calendar.owner}"
    names = (first, second, *(f"{second}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def _title(calendar: Calendar) -> str:
    """What devices show: of one without a name the end of its address."""
    title = calendar.properties.get("D:displayname")
    return (title.strip() if isinstance(title, str) else "") or calendar.slug


def _told_apart(conn: sa.Connection, calendar: Calendar, titles: list[str]) -> dict[str, str]:
    """Everybody has a "Calendar": another one says whose it is."""
    title = _title(calendar)
    if title not in titles:
        return {}
    owner = principals.by_id(conn, calendar.principal_id)
    whose = calendar.owner if owner is None else principals.called(owner.name, owner.properties)
    return {"D:displayname": f"{title} ({whose})"}


def access_named(level: Access) -> str:
    """As ``add`` takes it."""
    return LEVELS[level]
