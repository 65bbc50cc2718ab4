"""Who looks after the calendars of somebody else, in that person's home (CalendarServer's proxies)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import sqlalchemy as sa

from bridge.policy.access import GIVEN, Access
from bridge.store.dialects import insert
from bridge.store.tables import delegates as table
from bridge.store.tables import principals

_owners = principals.alias("owners")
_ALL = (
    sa.select(_owners.c.name.label("owner"), principals.c.name.label("delegate"), table.c.access)
    .select_from(table)
    .join(_owners, _owners.c.id == table.c.principal_id)
    .join(principals, principals.c.id == table.c.delegate_id)
)
_LEVEL = _ALL.where(_owners.c.name == sa.bindparam("owner"), principals.c.name == sa.bindparam("delegate"))


def level(conn: sa.Connection, owner: str, delegate: str) -> Access:
    """How far the delegate may go in that home."""
    row = conn.execute(_LEVEL, {"owner": owner, "delegate": delegate}).first()
    return Access.NONE if row is None else GIVEN[row.access]


def of(conn: sa.Connection, owner: str) -> dict[str, Access]:
    """This person's delegates, by name."""
    rows = conn.execute(_ALL.where(_owners.c.name == owner).order_by(principals.c.name))
    return {row.delegate: GIVEN[row.access] for row in rows}


def owners_of(conn: sa.Connection, delegate: str) -> dict[str, Access]:
    """Whose calendars this person looks after, by name."""
    rows = conn.execute(_ALL.where(principals.c.name == delegate).order_by(_owners.c.name))
    return {row.owner: GIVEN[row.access] for row in rows}


def change(conn: sa.Connection, principal_id: int, wanted: Mapping[int, str | None], *, now: dt.datetime) -> list[int]:
    """Give these people, by id, that access; None: none any more. All others stay. Returns for whom that is something new."""
    changed = []
    for delegate_id, access in sorted(wanted.items()):
        one = table.c.principal_id == principal_id, table.c.delegate_id == delegate_id
        if access == conn.scalar(sa.select(table.c.access).where(*one)):
            continue
        if access is None:
            conn.execute(sa.delete(table).where(*one))
        else:
            row = {"principal_id": principal_id, "delegate_id": delegate_id, "access": access, "created_at": now}
            conn.execute(
                insert(conn, table)
                .values(**row)
                .on_conflict_do_update(index_elements=["principal_id", "delegate_id"], set_={"access": access})
            )
        changed.append(delegate_id)
    return changed
