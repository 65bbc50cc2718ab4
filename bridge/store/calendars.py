"""Calendar collections (RFC 4791 §4.2): their names, properties and revision."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bridge.errors import AlreadyExists, NotFound, UsageError
from bridge.policy.access import Access
from bridge.store import changes, feeds, push_subscriptions
from bridge.store.dialects import insert
from bridge.store.prepared import Prepared
from bridge.store.tables import calendars, pairs, principals, shares, unknown_sharees

COMPONENT_SET = "C:supported-calendar-component-set"
COMPONENTS = ("VEVENT", "VTODO", "VJOURNAL")
"""What a calendar takes whose supported-calendar-component-set was not given (RFC 4791 §5.2.3)."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """``owner`` and ``slug`` are its path. ``revision`` is its ctag; sync tokens below ``floor`` are refused.

    A revision is this calendar's own and begins at 0: a token must name the ``id`` too, which is never given twice.
    ``truth`` says whose word counts where both sides changed the same: ``newest``, ``hub``, ``ask``, or ``pair:N`` for that
    pair's remote. ``home_pair_id`` is the home of events made here; None: the first pair that may be written. ``size`` is
    that of its objects, in bytes. ``is_shared``: others see it, too, or were asked to.

    As somebody else sees it in their home (``store.shares``), it has an ``access`` below its owner's and a ``share_id``;
    ``slug`` and ``properties`` are theirs then, all the rest is its owner's.
    """

    id: int
    principal_id: int
    owner: str
    slug: str
    properties: Mapping[str, Any]
    revision: int
    floor: int
    modified_at: dt.datetime
    truth: str
    home_pair_id: int | None
    size: int = 0
    is_shared: bool = False
    access: Access = Access.OWNER
    share_id: int | None = None


_given, _unknown = shares.alias("given"), unknown_sharees.alias("unknown")
_IS_SHARED = sa.or_(
    sa.exists().where(_given.c.calendar_id == calendars.c.id),
    sa.exists().where(_unknown.c.calendar_id == calendars.c.id),
)
SELECT: sa.Select[Any] = sa.select(
    calendars.c.id,
    calendars.c.principal_id,
    principals.c.name,
    calendars.c.slug,
    calendars.c.properties,
    calendars.c.revision,
    calendars.c.floor,
    calendars.c.modified_at,
    calendars.c.truth,
    calendars.c.home_pair_id,
    calendars.c.size,
    _IS_SHARED.label("is_shared"),
).join(principals, principals.c.id == calendars.c.principal_id)
"""A row is a ``Calendar``."""
# built once: every poll of every phone asks
_BY_PATH = Prepared(SELECT.where(principals.c.name == sa.bindparam("owner"), calendars.c.slug == sa.bindparam("slug")))
_BY_ID = Prepared(SELECT.where(calendars.c.id == sa.bindparam("id")))


def components(properties: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of components a calendar takes."""
    kinds = properties.get(COMPONENT_SET)
    return tuple(kinds.split(",")) if isinstance(kinds, str) and kinds else COMPONENTS


def create(
    conn: sa.Connection, principal_id: int, slug: str, *, properties: Mapping[str, Any], now: dt.datetime
) -> Calendar:
    """Raises AlreadyExists, and UsageError for a slug that cannot be a path segment."""
    if not 0 < len(slug) <= 255 or "/" in slug or slug.startswith(".") or not slug.isprintable():
        raise UsageError("a calendar's path has 1 to 255 printable characters, no slash, and does not begin with a dot")
    calendar_id = conn.scalar(
        insert(conn, calendars)
        .values(
            principal_id=principal_id,
            slug=slug,
            properties=dict(properties),
            revision=0,
            floor=0,
            created_at=now,
            modified_at=now,
        )
        .on_conflict_do_nothing()
        .returning(calendars.c.id)
    )
    if calendar_id is None:
        raise AlreadyExists(f"there is a calendar {slug!r} already")
    # asked after the row was made: whoever shares one into this home meanwhile waits for it (``store.shares.accept``)
    if (
        conn.scalar(sa.select(shares.c.id).where(shares.c.principal_id == principal_id, shares.c.slug == slug))
        is not None
    ):
        conn.execute(sa.delete(calendars).where(calendars.c.id == calendar_id))
        raise AlreadyExists(f"a calendar of somebody else is called {slug!r} in this home already")
    push_subscriptions.mark_home(conn, principal_id, now=now)
    return Calendar(*_BY_ID.rows(conn, {"id": calendar_id})[0])


INBOX = ".inbox"
"""The slug of the collection where scheduling messages arrive. It is nobody's calendar: ``of_principal`` leaves it out."""


def inbox(conn: sa.Connection, principal_id: int, *, now: dt.datetime) -> Calendar:
    """A person's scheduling inbox, which is made when it is first needed."""
    conn.execute(
        insert(conn, calendars)
        .values(
            principal_id=principal_id, slug=INBOX, properties={"tag": "VSCHEDULEINBOX"}, revision=0, floor=0,
            created_at=now, modified_at=now,
        )
        .on_conflict_do_nothing()
    )  # fmt: skip
    row = conn.execute(SELECT.where(calendars.c.principal_id == principal_id, calendars.c.slug == INBOX)).one()
    return Calendar(*row)


def inboxes(conn: sa.Connection) -> list[int]:
    """The ids of everybody's."""
    return list(conn.scalars(sa.select(calendars.c.id).where(calendars.c.slug == INBOX).order_by(calendars.c.id)))


def get(conn: sa.Connection, owner: str, slug: str) -> Calendar | None:
    row = _BY_PATH.first(conn, {"owner": owner, "slug": slug})
    return None if row is None else Calendar(*row)


def by_id(conn: sa.Connection, calendar_id: int) -> Calendar | None:
    row = _BY_ID.first(conn, {"id": calendar_id})
    return None if row is None else Calendar(*row)


def of_principal(conn: sa.Connection, owner: str) -> list[Calendar]:
    """In the order they were made, without what the server keeps for itself (``INBOX``)."""
    mine = principals.c.name == owner, ~calendars.c.slug.startswith(".")
    rows = conn.execute(SELECT.where(*mine).order_by(calendars.c.id))
    return [Calendar(*row) for row in rows]


def used_bytes(conn: sa.Connection, principal_id: int) -> int:
    """What the objects in a person's calendars take up, without their history."""
    total = conn.scalar(sa.select(sa.func.sum(calendars.c.size)).where(calendars.c.principal_id == principal_id))
    return int(total or 0)


def set_properties(
    conn: sa.Connection, calendar_id: int, properties: Mapping[str, Any], *, actor: str, now: dt.datetime
) -> None:
    """Replace all properties. A real change bumps the revision; the same properties again change nothing.

    So ctag and sync token change with a calendar's name or colour, as clients expect that look at nothing else
    (CLIENTS.md), though ``changes.since`` then lists no object. Raises NotFound.
    """
    changes.lock(conn, calendar_id)
    present = sa.select(calendars.c.principal_id, calendars.c.properties).where(calendars.c.id == calendar_id)
    principal_id, before = conn.execute(present).one()
    if before == dict(properties):
        return
    changes.bump(conn, calendar_id, actor=actor, now=now, properties=True)
    for home in (principal_id, *_sharees(conn, calendar_id)):
        push_subscriptions.mark_home(conn, home, now=now, properties_at=1)
    conn.execute(sa.update(calendars).where(calendars.c.id == calendar_id).values(properties=dict(properties)))


def set_truth(conn: sa.Connection, calendar_id: int, truth: str) -> None:
    """Whose word counts from now on: see ``Calendar``. Raises NotFound."""
    if not conn.execute(sa.update(calendars).where(calendars.c.id == calendar_id).values(truth=truth)).rowcount:
        raise NotFound(f"there is no calendar {calendar_id}")


def set_home_pair(conn: sa.Connection, calendar_id: int, pair_id: int | None) -> None:
    """Which pair is the home of events made here; None: the first that may be written. Raises NotFound."""
    changed = sa.update(calendars).where(calendars.c.id == calendar_id).values(home_pair_id=pair_id)
    if not conn.execute(changed).rowcount:
        raise NotFound(f"there is no calendar {calendar_id}")


def delete(conn: sa.Connection, calendar_id: int, *, now: dt.datetime) -> None:
    """With its objects, their history, its pairs, and feeds of nothing else. Asks nobody: see ``is_bridged``. Raises NotFound."""
    feeds.part_with_calendar(conn, calendar_id, now=now)
    sharees = _sharees(conn, calendar_id)
    gone = sa.delete(calendars).where(calendars.c.id == calendar_id).returning(calendars.c.principal_id)
    principal_id = conn.scalar(gone)
    if principal_id is None:
        raise NotFound(f"there is no calendar {calendar_id}")
    for home in (principal_id, *sharees):
        push_subscriptions.mark_home(conn, home, now=now)


def _sharees(conn: sa.Connection, calendar_id: int) -> list[int]:
    """Whose homes show it, too."""
    accepted = shares.c.calendar_id == calendar_id, shares.c.accepted_at.is_not(None)
    return list(conn.scalars(sa.select(shares.c.principal_id).where(*accepted)))


def is_bridged(conn: sa.Connection, calendar_id: int) -> bool:
    """True if a pair exists: then nobody deletes or overwrites it as a whole by DAV (DESIGN §3)."""
    return conn.scalar(sa.select(pairs.c.id).where(pairs.c.calendar_id == calendar_id).limit(1)) is not None
