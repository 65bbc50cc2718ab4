"""Sharing by invitation (CalendarServer's sharing): an owner asks, the other says yes or no, and each is told of the other's word.

Who is nobody here is written down as such for the owner to see. Nobody is mailed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.errors import NotFound, UsageError
from bridge.services import sharing, sharing_news
from bridge.services.naming import title_of
from bridge.store import audit, calendars, changes, shares, unknown_sharees
from bridge.store.audit import Detail
from bridge.store.calendars import Calendar
from bridge.store.principals import Principal
from bridge.store.shares import Share

MOST_SHAREES = 100
"""More people than this are no circle, but a mistake."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What an owner wants for one other. ``sharee`` None: the ``address`` is nobody's. ``access`` None: to have it no more."""

    address: str
    sharee: Principal | None
    access: str | None
    common_name: str = ""
    summary: str = ""


def change(conn: sa.Connection, calendar: Calendar, wishes: Sequence[Wish], *, actor: str, now: dt.datetime) -> None:
    """Do what the owner wants, all of it or nothing. What is so already changes nothing and is not told. Raises UsageError."""
    sharing.hold(conn, calendar, *(each.sharee.id for each in wishes if each.sharee is not None))
    changed = [_grant(conn, calendar, wish, actor=actor, now=now) for wish in _last_words(wishes)]
    there = len(shares.of_calendar(conn, calendar.id)) + len(unknown_sharees.of_calendar(conn, calendar.id))
    if there > MOST_SHAREES and any(wish.access is not None for wish in wishes):
        raise UsageError(f"a calendar is shared with at most {MOST_SHAREES} people")
    if any(changed):
        changes.bump(conn, calendar.id, actor=actor, now=now, properties=True)


def _last_words(wishes: Sequence[Wish]) -> list[Wish]:
    """One for each person. To be taken away and given anew is to be given anew, as some clients say it: it costs no answer."""
    last: dict[int | str, Wish] = {}
    for wish in wishes:
        key = wish.address if wish.sharee is None else wish.sharee.id
        if wish.access is not None or key not in last:
            last[key] = wish
    return list(last.values())


def _grant(conn: sa.Connection, calendar: Calendar, wish: Wish, *, actor: str, now: dt.datetime) -> bool:
    """False: it was so already."""
    if wish.sharee is None:
        return _note_unknown(conn, calendar, wish, actor=actor, now=now)
    unknown = unknown_sharees.remove(conn, calendar.id, wish.address)  # they were nobody then
    if wish.access is None:
        return sharing.take(conn, calendar, wish.sharee, actor=actor, now=now) or unknown
    sharing.require_shareable(calendar, wish.sharee)
    before = shares.of(conn, calendar.id, wish.sharee.id)
    if before is not None and before.status != "declined" and _is_so(before, wish):
        return unknown  # whoever has declined is asked once more
    share = shares.invite(conn, calendar.id, wish.sharee.id, access=wish.access, summary=wish.summary or None, now=now)
    sharing_news.invited(conn, calendar, share, now=now)
    _record(conn, "share.invite", calendar, {"with": wish.sharee.id, "access": wish.access}, actor=actor, now=now)
    return True


def _is_so(share: Share, wish: Wish) -> bool:
    return sharing.access_named(share.access) == wish.access and wish.summary in ("", share.summary)


def _note_unknown(conn: sa.Connection, calendar: Calendar, wish: Wish, *, actor: str, now: dt.datetime) -> bool:
    if wish.access is None:
        return unknown_sharees.remove(conn, calendar.id, wish.address)
    address, name = wish.address, wish.common_name
    if not unknown_sharees.put(conn, calendar.id, address, common_name=name, access=wish.access, now=now):
        return False
    # an address is no identifier, so the record has none
    _record(conn, "share.unknown", calendar, {"access": wish.access}, actor=actor, now=now)
    return True


def accept(
    conn: sa.Connection, calendar: Calendar, sharee: Principal, *, summary: str, actor: str, now: dt.datetime
) -> Share:
    """It stands in the sharee's home, called ``summary`` if that is another name than its owner's. Once more changes nothing.

    Raises NotFound where they were not asked, or not any more.
    """
    share = _asked(conn, calendar, sharee)
    if share.accepted_at is not None:
        return share
    slug, properties = sharing.place(conn, calendar, sharee)
    if summary not in ("", title_of(calendar)):
        properties["D:displayname"] = summary
    share = shares.accept(conn, share, slug=slug, properties=properties, now=now)
    _answered(conn, "share.accept", calendar, share, summary, actor=actor, now=now)
    return share


def decline(conn: sa.Connection, calendar: Calendar, sharee: Principal, *, actor: str, now: dt.datetime) -> None:
    """They do not want it, or not any more: nothing of it is deleted. Once more changes nothing. Raises NotFound."""
    before = _asked(conn, calendar, sharee)
    if before.status == "declined":
        return
    share = shares.decline(conn, before, now=now)
    action = "share.decline" if before.accepted_at is None else "share.leave"
    _answered(conn, action, calendar, share, "", actor=actor, now=now)


def _asked(conn: sa.Connection, calendar: Calendar, sharee: Principal) -> Share:
    sharing.hold(conn, calendar, sharee.id)
    share = shares.of(conn, calendar.id, sharee.id)
    if share is None:
        raise NotFound("this calendar is not shared with you any more")
    return share


def _answered(
    conn: sa.Connection, action: str, calendar: Calendar, share: Share, summary: str, *, actor: str, now: dt.datetime
) -> None:
    sharing_news.answered(conn, calendar, share, summary, now=now)
    changes.bump(conn, calendar.id, actor=actor, now=now, properties=True)
    _record(conn, action, calendar, {"with": share.principal_id}, actor=actor, now=now)


def invitation(conn: sa.Connection, share_id: int, sharee: Principal) -> Calendar:
    """The calendar that somebody was asked to share, as its owner has it. Raises NotFound."""
    share = shares.by_id(conn, share_id)
    calendar = None if share is None or share.principal_id != sharee.id else calendars.by_id(conn, share.calendar_id)
    if calendar is None:
        raise NotFound("there is no such invitation any more")
    return calendar


def _record(
    conn: sa.Connection, action: str, calendar: Calendar, detail: Detail, *, actor: str, now: dt.datetime
) -> None:
    audit.record(
        conn,
        action,
        actor=actor,
        now=now,
        principal_id=calendar.principal_id,
        detail={"calendar": calendar.id, **detail},
    )
