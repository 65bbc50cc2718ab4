"""What the answer to a poll is made of: the device that asks, whether it may, and the rows that are told of. One statement.

Whoever has kept an answer beside this knows with one read whether it would be the same again.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bridge.store import devices, shares
from bridge.store.calendars import Calendar
from bridge.store.prepared import Prepared, Rows
from bridge.store.session import Database
from bridge.store.tables import calendars as calendars_table
from bridge.store.tables import devices as devices_table
from bridge.store.tables import instant
from bridge.store.tables import principals as people
from bridge.store.tables import shares as shares_table


@dataclass(frozen=True, slots=True)
class Asked:
    """A device of ``home``'s owner, signed in from an address, about a calendar they see there, or with ``slug`` "" about all.

    ``here`` and ``there`` are the subjects that may have to wait (``store.login_failures``); ``key`` is of the password that it
    signed in with (``store.devices.key_of``).
    """

    device: int
    key: str
    home: str
    here: str
    there: str
    slug: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """``rows`` are to be compared and nothing else; there are none if the device may not sign in."""

    last_used_at: dt.datetime | None
    rows: tuple[Any, ...]

    @property
    def who(self) -> tuple[Any, ...]:
        """What of it is the device's and its owner's: the same, and it is they who signed in before."""
        who: tuple[Any, ...] = self.rows[0][:_WHO]
        return who


def read(database: Database, asked: Asked, *, now: dt.datetime) -> Evidence | None:
    """None: the device may not sign in as things are, there is no such calendar, or the database is not to be reached."""
    return _evidence(asked, database.glance(*_question(asked, now)))


def within(conn: sa.Connection, asked: Asked, *, now: dt.datetime) -> Evidence | None:
    """The same, as it is in a snapshot: an answer that is made of it says just what these rows say."""
    statement, parameters = _question(asked, now)
    return _evidence(asked, statement.untyped(conn, parameters))


def calendar(conn: sa.Connection, asked: Asked, seen: Evidence) -> Calendar | None:
    """The one that was asked about, of the rows that are read already. None: it was about a home."""
    if not asked.slug or len(seen.rows) != 1:
        return None
    return shares.calendar(_OF_CALENDAR.written(conn.dialect).typed(seen.rows[0][_WHO:], begin=_WHO + 1))


def _question(asked: Asked, now: dt.datetime) -> tuple[Prepared, dict[str, Any]]:
    parameters = {
        "device": asked.device, "home": asked.home, "here": asked.here, "there": asked.there, "slug": asked.slug,
        "now": now,
    }  # fmt: skip
    return (_OF_CALENDAR if asked.slug else _OF_HOME), parameters


def _evidence(asked: Asked, rows: Rows | None) -> Evidence | None:
    if not rows:
        return None
    used, password_hash, *_ = rows[0]
    if devices.key_of(password_hash) != asked.key:
        return None  # it has another password meanwhile
    return Evidence(None if used is None else instant(used), tuple(row[1:] for row in rows))


_WHO = 1 + len(people.c)
_OWN, _SEEN = shares.OWN, shares.SEEN
_HOME = sa.union_all(_OWN, _SEEN)
"""The scheduling inbox is told of, too."""
_CALENDAR = sa.union_all(
    _OWN.where(calendars_table.c.slug == sa.bindparam("slug")),
    _SEEN.where(shares_table.c.slug == sa.bindparam("slug")),
)


def _statement(told: sa.CompoundSelect[Any], *, may_be_empty: bool) -> Prepared:
    """Of a calendar that is not there there is no evidence; a home may well have none."""
    rows = told.subquery("told")
    return Prepared(
        sa.select(devices_table.c.last_used_at, devices_table.c.password_hash, people, rows)
        .select_from(devices_table.join(people).join(rows, sa.true(), isouter=may_be_empty))
        .where(
            devices_table.c.id == sa.bindparam("device"),
            people.c.name == sa.bindparam("home"),
            devices_table.c.revoked_at.is_(None),
            ~devices.WAITS,
        )
        .order_by(rows.c.share_id, rows.c.id)
    )


_OF_CALENDAR, _OF_HOME = _statement(_CALENDAR, may_be_empty=False), _statement(_HOME, may_be_empty=True)
