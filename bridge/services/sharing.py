"""Sharing a calendar with somebody else of this server at once: what the admin's word does, and what all ways of sharing do."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.errors import NotFound, UsageError
from bridge.policy.access import GIVEN, Access
from bridge.services import sharing_news
from bridge.services.naming import calendar_named, name_of, nobody, title_of
from bridge.store import audit, calendars, changes, principals, shares
from bridge.store.audit import Detail
from bridge.store.calendars import Calendar
from bridge.store.principals import Principal
from bridge.store.session import Database
from bridge.store.shares import Share

LEVELS = {level: name for name, level in GIVEN.items()}


@dataclass(frozen=True, slots=True)
class Shared:
    """A calendar of somebody, and one of those who see it, too, or were asked."""

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
    """Accepted at once, whatever the sharee has said so far. Raises UsageError."""
    require_shareable(calendar, sharee)
    hold(conn, calendar, sharee.id)
    before = shares.of(conn, calendar.id, sharee.id)
    slug, properties = place(conn, calendar, sharee)
    share = shares.add(conn, calendar.id, sharee.id, access=access, slug=slug, properties=properties, now=now)
    if before is None or (before.access, before.accepted_at) != (share.access, share.accepted_at):
        if before is not None:
            tell = sharing_news.settled if before.accepted_at is None else sharing_news.invited
            tell(conn, calendar, share, now=now)
        changes.bump(conn, calendar.id, actor=actor, now=now, properties=True)
        detail: Detail = {"calendar": calendar.id, "with": sharee.id, "access": access}
        audit.record(conn, "share.add", actor=actor, now=now, principal_id=calendar.principal_id, detail=detail)
    return share


def require_shareable(calendar: Calendar, sharee: Principal) -> None:
    """Raises UsageError."""
    if calendar.slug.startswith("."):
        raise UsageError(f"{name_of(calendar)} is the server's own and cannot be shared")
    if sharee.id == calendar.principal_id:
        raise UsageError(f"{name_of(calendar)} is {sharee.name}'s already")


def hold(conn: sa.Connection, calendar: Calendar, *sharees: int) -> None:
    """Let nobody else share this calendar, or change what these people's homes hold, until the transaction ends.

    Whatever is done with shares begins so. Its owner, too, for they may be told of it, and may be sharing with one of these now.
    """
    changes.lock(conn, calendar.id)
    principals.lock(conn, calendar.principal_id, *sharees)


def place(conn: sa.Connection, calendar: Calendar, sharee: Principal) -> tuple[str, dict[str, str]]:
    """What the calendar is called in the sharee's home: its slug, and properties by which it is told from what they have."""
    there = shares.members(conn, sharee.name)
    slug = _slug(calendar, {each.slug for each in there})
    return slug, _told_apart(conn, calendar, [title_of(each) for each in there])


def remove(database: Database, name: str, sharee: str, *, actor: str = "cli", now: dt.datetime) -> Calendar:
    """Take it back, from the next request on. Raises NotFound."""
    with database.write() as conn:
        calendar = calendar_named(conn, name)
        if not take(conn, calendar, _person(conn, sharee), actor=actor, now=now):
            raise NotFound(f"{name_of(calendar)} is not shared with {sharee}; see: caldav-bridge share list")
    return calendar


def take(conn: sa.Connection, calendar: Calendar, sharee: Principal, *, actor: str, now: dt.datetime) -> bool:
    """False: they did not have it, and were not asked."""
    hold(conn, calendar, sharee.id)
    share = shares.of(conn, calendar.id, sharee.id)
    if share is None:
        return False
    shares.remove(conn, calendar.id, sharee.id, now=now)
    sharing_news.taken(conn, calendar, share, now=now)
    changes.bump(conn, calendar.id, actor=actor, now=now, properties=True)
    detail = {"calendar": calendar.id, "with": sharee.id}
    audit.record(conn, "share.remove", actor=actor, now=now, principal_id=calendar.principal_id, detail=detail)
    return True


def delete(conn: sa.Connection, calendar: Calendar, *, now: dt.datetime) -> None:
    """Delete a calendar for all who have it, and tell them that it is gone. Asks nobody: see ``calendars.is_bridged``."""
    given = shares.of_calendar(conn, calendar.id)
    hold(conn, calendar, *(share.principal_id for share in given))
    for share in given:
        sharing_news.taken(conn, calendar, share, now=now)
    calendars.delete(conn, calendar.id, now=now)


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


def _told_apart(conn: sa.Connection, calendar: Calendar, titles: list[str]) -> dict[str, str]:
    """Everybody has a "Calendar": another one says whose it is."""
    title = title_of(calendar)
    if title not in titles:
        return {}
    owner = principals.by_id(conn, calendar.principal_id)
    whose = calendar.owner if owner is None else principals.called(owner.name, owner.properties)
    return {"D:displayname": f"{title} ({whose})"}


def access_named(level: Access) -> str:
    """As ``add`` takes it."""
    return LEVELS[level]
