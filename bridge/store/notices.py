"""What needs a person: raised once when it becomes true, cleared when it is true no more (R28).

There is one open notice of a kind and subject. Its row also remembers how telling it went, so that workers share the work.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bridge.store.dialects import insert
from bridge.store.tables import notices

Detail = Mapping[str, int | str]

CLAIMED = dt.timedelta(minutes=10)
"""Who has taken a notice to be sent and died: after so long another one takes it."""

_DELIVERY = "delivery"


@dataclass(frozen=True, slots=True)
class Notice:
    """``principal_id`` is whose matter it is; None: only the admin's. ``detail`` has ids and counts, never contents.

    ``told`` are those whom it has reached ("admin", "person"), after ``tries``.
    """

    id: int
    principal_id: int | None
    kind: str
    subject: str
    detail: Detail
    raised_at: dt.datetime
    sent_at: dt.datetime | None
    cleared_at: dt.datetime | None
    told: frozenset[str]
    tries: int


def raise_(
    conn: sa.Connection, kind: str, subject: str, *, principal_id: int | None, detail: Detail, now: dt.datetime
) -> None:
    """It is true. If it was before, only the detail is brought up to date."""
    held = conn.execute(sa.select(notices).where(_is_open(), _names(kind, subject))).mappings().first()
    if held is None:
        conn.execute(
            insert(conn, notices)
            .values(principal_id=principal_id, kind=kind, subject=subject, detail=dict(detail), raised_at=now)
            .on_conflict_do_nothing(index_elements=["kind", "subject"], index_where=sa.text("cleared_at IS NULL"))
        )
    elif _plain(held["detail"]) != dict(detail):
        _update(conn, held["id"], detail={**detail, **_delivery(held["detail"])})


def clear(conn: sa.Connection, kind: str, subject: str, *, now: dt.datetime) -> None:
    """It is true no more. One that is not open is cleared already."""
    conn.execute(sa.update(notices).where(_is_open(), _names(kind, subject)).values(cleared_at=now))


def open_(conn: sa.Connection, principal_id: int | None = None) -> list[Notice]:
    """Those that are true now, or one person's of them; the oldest first."""
    whose = sa.true() if principal_id is None else notices.c.principal_id == principal_id
    query = sa.select(notices).where(_is_open(), whose).order_by(notices.c.raised_at, notices.c.id)
    return [_notice(row) for row in conn.execute(query).mappings()]


def open_by_kind(conn: sa.Connection) -> dict[str, int]:
    query = sa.select(notices.c.kind, sa.func.count()).where(_is_open()).group_by(notices.c.kind)
    return {row[0]: row[1] for row in conn.execute(query.order_by(notices.c.kind))}


def unsent(conn: sa.Connection, *, now: dt.datetime, limit: int = 50) -> list[Notice]:
    """Take open notices to be sent now: nobody else gets them within CLAIMED, or before ``put_off`` says so."""
    query = (
        sa.select(notices)
        .where(_is_open(), notices.c.sent_at.is_(None))
        .order_by(notices.c.id)
        .with_for_update(skip_locked=True)
    )
    rows = [row for row in conn.execute(query).mappings() if _not_before(row["detail"]) <= now][:limit]
    for row in rows:
        _note_delivery(conn, row, after=now + CLAIMED)
    return [_notice(row) for row in rows]


def sent(conn: sa.Connection, notice_id: int, *, now: dt.datetime) -> None:
    """Everybody knows."""
    _update(conn, notice_id, sent_at=now)


def put_off(conn: sa.Connection, notice_id: int, *, told: Collection[str], until: dt.datetime) -> None:
    """Somebody could not be reached: those that are ``told`` are not told again."""
    row = conn.execute(sa.select(notices).where(notices.c.id == notice_id).with_for_update()).mappings().one_or_none()
    if row is not None:
        tries = _delivery(row["detail"]).get(_DELIVERY, {}).get("tries", 0) + 1
        _note_delivery(conn, row, after=until, told=sorted(told), tries=tries)


def prune(conn: sa.Connection, before: dt.datetime) -> int:
    """Drop what was cleared before. Returns how many went."""
    return conn.execute(sa.delete(notices).where(notices.c.cleared_at < before)).rowcount


def _is_open() -> sa.ColumnElement[bool]:
    return notices.c.cleared_at.is_(None)


def _names(kind: str, subject: str) -> sa.ColumnElement[bool]:
    return sa.and_(notices.c.kind == kind, notices.c.subject == subject)


def _note_delivery(conn: sa.Connection, row: sa.RowMapping, *, after: dt.datetime, **values: Any) -> None:
    delivery = {**_delivery(row["detail"]).get(_DELIVERY, {}), "after": after.isoformat(), **values}
    _update(conn, row["id"], detail={**row["detail"], _DELIVERY: delivery})


def _update(conn: sa.Connection, notice_id: int, **values: Any) -> None:
    conn.execute(sa.update(notices).where(notices.c.id == notice_id).values(values))


def _plain(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in detail.items() if name != _DELIVERY}


def _delivery(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in detail.items() if name == _DELIVERY}


def _not_before(detail: Mapping[str, Any]) -> dt.datetime:
    after = detail.get(_DELIVERY, {}).get("after")
    return dt.datetime.fromisoformat(after) if after else dt.datetime.min.replace(tzinfo=dt.UTC)


def _notice(row: sa.RowMapping) -> Notice:
    delivery = row["detail"].get(_DELIVERY, {})
    return Notice(
        **{**row, "detail": _plain(row["detail"])},
        told=frozenset(delivery.get("told", ())),
        tries=delivery.get("tries", 0),
    )
