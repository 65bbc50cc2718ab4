"""Calendars that others see in their own homes: the same objects and the same revision, under a name of their own.

There is one calendar, and no copy. Whoever it is shared with has a path to it (``slug``) and may call and colour it as they
like; what they have not set is as the owner has it, as far as that concerns others (``_OF_ALL``).

Who was asked and has not said yes has a row, too, but neither a path nor anything to see: every way in asks for ``accepted_at``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import sqlalchemy as sa

from bridge.errors import AlreadyExists
from bridge.policy.access import GIVEN, Access
from bridge.store import calendars, changes, principals, push_subscriptions
from bridge.store.calendars import Calendar
from bridge.store.prepared import Prepared
from bridge.store.push_subscriptions import Watched
from bridge.store.tables import calendars as calendars_table
from bridge.store.tables import principals as people
from bridge.store.tables import shares as table

_OF_ALL = frozenset(
    {
        "tag", calendars.COMPONENT_SET, "D:displayname", "C:calendar-description", "C:calendar-timezone", "CS:source",
        "ICAL:calendar-color",
    }
)  # fmt: skip
"""What of the owner's properties others see until they set their own. The rest (order, default alarms …) is the owner's."""

_TRANSPARENT = (
    '<schedule-calendar-transp xmlns="urn:ietf:params:xml:ns:caldav"><transparent/></schedule-calendar-transp>'
)
_UNASKED = {"C:schedule-calendar-transp": {"xml": _TRANSPARENT}}
"""Somebody else's appointments make nobody busy who has not said so."""


Status = Literal["noresponse", "accepted", "declined"]
"""What the sharee has said, in the words of CalendarServer's sharing."""


@dataclass(frozen=True, slots=True)
class Share:
    """``sharee`` is the name of whom it is shared with, ``slug`` what it is called in their home; None: it is not there.

    ``summary`` is what its owner calls it to them.
    """

    id: int
    calendar_id: int
    principal_id: int
    sharee: str
    email: str
    properties_of_sharee: Mapping[str, Any]
    access: Access
    slug: str | None
    accepted_at: dt.datetime | None
    declined_at: dt.datetime | None
    summary: str

    @property
    def status(self) -> Status:
        if self.accepted_at is not None:
            return "accepted"
        return "noresponse" if self.declined_at is None else "declined"


_SHARE: sa.Select[Any] = sa.select(
    table.c.id,
    table.c.calendar_id,
    table.c.principal_id,
    people.c.name,
    people.c.email,
    people.c.properties,
    table.c.access,
    table.c.slug,
    table.c.accepted_at,
    table.c.declined_at,
    table.c.summary,
).join(people, people.c.id == table.c.principal_id)

_sharees = people.alias("sharees")
SEEN = (
    calendars.SELECT.add_columns(
        table.c.id.label("share_id"),
        table.c.access,
        table.c.slug.label("own_slug"),
        table.c.properties.label("own_properties"),
    )
    .join(table, table.c.calendar_id == calendars_table.c.id)
    .join(_sharees, _sharees.c.id == table.c.principal_id)
    .where(_sharees.c.name == sa.bindparam("home"), table.c.accepted_at.is_not(None))
)
"""What others have shared with one."""
_AT = Prepared(SEEN.where(table.c.slug == sa.bindparam("slug")))
OWN = calendars.SELECT.add_columns(
    sa.cast(sa.null(), sa.BigInteger).label("share_id"),
    sa.cast(sa.null(), sa.String).label("access"),
    sa.cast(sa.null(), sa.String).label("own_slug"),
    sa.cast(sa.null(), sa.JSON).label("own_properties"),
).where(people.c.name == sa.bindparam("home"))
"""All that one has, the inbox too, in the columns of ``SEEN``."""
_both = sa.union_all(OWN.where(~calendars_table.c.slug.startswith(".")), SEEN).subquery("members")
_MEMBERS = Prepared(sa.select(_both).order_by(_both.c.share_id.is_not(None), _both.c.share_id, _both.c.id))
_WIDTH = len(calendars.SELECT.selected_columns)


def members(conn: sa.Connection, home: str) -> list[Calendar]:
    """What a home shows: its own calendars in the order they were made, then those of others."""
    return [calendar(row) for row in _MEMBERS.rows(conn, {"home": home})]


def at(conn: sa.Connection, home: str, slug: str) -> Calendar | None:
    """The calendar of somebody else that is called so in this home."""
    row = _AT.first(conn, {"home": home, "slug": slug})
    return None if row is None else calendar(row)


def calendar(row: Sequence[Any]) -> Calendar:
    """Of a row in the columns of ``SEEN``, as its types have them."""
    made = Calendar(*row[:_WIDTH])
    share_id, access, own_slug, own_properties = row[_WIDTH:]
    if share_id is None:
        return made
    return replace(
        made,
        slug=own_slug,
        properties=seen(made.properties, own_properties),
        access=GIVEN[access],
        share_id=share_id,
    )


def seen(owners: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The properties as the sharee sees them."""
    return {name: value for name, value in {**_given(owners), **own}.items() if value is not None}


def _own(owners: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What the sharee must have of their own to see what is wanted: the reverse of ``seen``."""
    given = _given(owners)
    different = {name: value for name, value in wanted.items() if given.get(name) != value}
    return {**different, **{name: None for name in given if name not in wanted}}


def _given(owners: Mapping[str, Any]) -> dict[str, Any]:
    return {**_UNASKED, **{name: value for name, value in owners.items() if name.removeprefix("@") in _OF_ALL}}


# --- made and undone -----------------------------------------------------------------------------------------------


def add(
    conn: sa.Connection,
    calendar_id: int,
    principal_id: int,
    *,
    access: str,
    slug: str,
    properties: Mapping[str, Any],
    now: dt.datetime,
) -> Share:
    """Share a calendar, or give other rights to one who has it. Accepted at once. Raises AlreadyExists for a slug that is taken."""
    share = invite(conn, calendar_id, principal_id, access=access, now=now)
    if share.accepted_at is not None:
        return share
    return accept(conn, share, slug=slug, properties=properties, now=now)


def invite(
    conn: sa.Connection,
    calendar_id: int,
    principal_id: int,
    *,
    access: str,
    now: dt.datetime,
    summary: str | None = None,
) -> Share:
    """Ask somebody, once more if they have declined; or give other rights to one who has it. A ``summary`` of None stays."""
    principals.lock(conn, principal_id)
    known = of(conn, calendar_id, principal_id)
    values: dict[str, Any] = {"access": access} if summary is None else {"access": access, "summary": summary}
    if known is None:
        made = {"calendar_id": calendar_id, "principal_id": principal_id, "properties": {}, "created_at": now}
        conn.execute(sa.insert(table).values(**made, **values))
    else:
        conn.execute(sa.update(table).where(table.c.id == known.id).values(**values, declined_at=None))
        if known.accepted_at is not None and known.access is not GIVEN[access]:
            push_subscriptions.mark_home(conn, principal_id, now=now, properties_at=1)
    return _one(conn, calendar_id, principal_id)


def accept(conn: sa.Connection, share: Share, *, slug: str, properties: Mapping[str, Any], now: dt.datetime) -> Share:
    """It stands in the sharee's home from now on. Raises AlreadyExists for a slug that is taken there."""
    principals.lock(conn, share.principal_id)  # nobody makes a calendar of that name in this home meanwhile
    taken = sa.union_all(
        sa.select(calendars_table.c.id).where(
            calendars_table.c.principal_id == share.principal_id, calendars_table.c.slug == slug
        ),
        sa.select(table.c.id).where(table.c.principal_id == share.principal_id, table.c.slug == slug),
    )
    if conn.execute(taken).first() is not None:
        raise AlreadyExists(f"there is a calendar {slug!r} in this home already")
    seen_as = {"slug": slug, "properties": dict(properties), "accepted_at": now, "declined_at": None}
    conn.execute(sa.update(table).where(table.c.id == share.id).values(seen_as))
    push_subscriptions.mark_home(conn, share.principal_id, now=now)
    return _one(conn, share.calendar_id, share.principal_id)


def decline(conn: sa.Connection, share: Share, *, now: dt.datetime) -> Share:
    """It is gone from their home if it was there, and its owner sees that they do not want it."""
    nothing: dict[str, Any] = {"slug": None, "properties": {}, "accepted_at": None, "declined_at": now}
    conn.execute(sa.update(table).where(table.c.id == share.id).values(nothing))
    if share.accepted_at is not None:
        _lose_sight(conn, share.calendar_id, share.principal_id, now=now)
    return _one(conn, share.calendar_id, share.principal_id)


def remove(conn: sa.Connection, calendar_id: int, principal_id: int, *, now: dt.datetime) -> bool:
    """It is gone from their home, and their devices are told nothing of it any more. False: they were not even asked."""
    gone = sa.delete(table).where(table.c.calendar_id == calendar_id, table.c.principal_id == principal_id)
    rows = conn.execute(gone.returning(table.c.accepted_at)).all()
    if any(accepted_at is not None for (accepted_at,) in rows):
        _lose_sight(conn, calendar_id, principal_id, now=now)
    return bool(rows)


def _lose_sight(conn: sa.Connection, calendar_id: int, principal_id: int, *, now: dt.datetime) -> None:
    push_subscriptions.remove_from(conn, principal_id, Watched("calendar", calendar_id))
    push_subscriptions.mark_home(conn, principal_id, now=now)


def hold(conn: sa.Connection, share_id: int) -> bool:
    """Let nobody take it back until the transaction ends. False: it was taken back already."""
    accepted = table.c.id == share_id, table.c.accepted_at.is_not(None)
    query = sa.select(table.c.id).where(*accepted).with_for_update(read=True)
    return conn.scalar(query) is not None


def describe(
    conn: sa.Connection, calendar: Calendar, properties: Mapping[str, Any], *, actor: str, now: dt.datetime
) -> None:
    """Replace all properties as the sharee sees them, and nobody else's. ``calendar`` is what ``at`` gave.

    The calendar's revision is bumped: the sharee's other devices look at nothing else (see ``calendars.set_properties``).
    """
    changes.lock(conn, calendar.id)
    owners = calendars.by_id(conn, calendar.id)
    before = sa.select(table.c.properties).where(table.c.id == calendar.share_id)
    own = _own({} if owners is None else owners.properties, properties)
    if conn.scalar(before) == own:
        return
    changes.bump(conn, calendar.id, actor=actor, now=now, properties=True)
    row = sa.update(table).where(table.c.id == calendar.share_id).values(properties=own).returning(table.c.principal_id)
    principal_id = conn.scalar(row)
    if principal_id is not None:
        push_subscriptions.mark_home(conn, principal_id, now=now, properties_at=1)


# --- to be seen ----------------------------------------------------------------------------------------------------


def of(conn: sa.Connection, calendar_id: int, principal_id: int) -> Share | None:
    row = conn.execute(_SHARE.where(table.c.calendar_id == calendar_id, table.c.principal_id == principal_id)).first()
    return None if row is None else _share(row)


def by_id(conn: sa.Connection, share_id: int) -> Share | None:
    row = conn.execute(_SHARE.where(table.c.id == share_id)).first()
    return None if row is None else _share(row)


def of_calendar(conn: sa.Connection, calendar_id: int) -> list[Share]:
    """Whom it is shared with and who was asked, by name."""
    rows = conn.execute(_SHARE.where(table.c.calendar_id == calendar_id).order_by(people.c.name))
    return [_share(row) for row in rows]


def _one(conn: sa.Connection, calendar_id: int, principal_id: int) -> Share:
    here = table.c.calendar_id == calendar_id, table.c.principal_id == principal_id
    return _share(conn.execute(_SHARE.where(*here)).one())


def _share(row: sa.Row[Any]) -> Share:
    return Share(
        row.id, row.calendar_id, row.principal_id, row.name, row.email, row.properties, GIVEN[row.access], row.slug,
        row.accepted_at, row.declined_at, row.summary,
    )  # fmt: skip
