"""Homes: which pair carries an object's guests to its provider (R1)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import sqlalchemy as sa

from bridge.store import links
from bridge.store import pairs as all_pairs
from bridge.store.dialects import insert
from bridge.store.links import in_chunks
from bridge.store.tables import calendars, homes, pairs
from bridge.sync.ledger import Link


def of(conn: sa.Connection, calendar_id: int, uids: Collection[str]) -> dict[str, int]:
    """The pair of each object whose home is settled."""
    found: dict[str, int] = {}
    for chunk in in_chunks(sorted(uids)):
        query = sa.select(homes.c.uid, homes.c.pair_id).where(
            homes.c.calendar_id == calendar_id, homes.c.uid.in_(chunk)
        )
        found |= {row.uid: row.pair_id for row in conn.execute(query)}
    return found


def at(conn: sa.Connection, pair_id: int) -> list[str]:
    """UIDs of what is at home at this pair."""
    return list(conn.scalars(sa.select(homes.c.uid).where(homes.c.pair_id == pair_id).order_by(homes.c.uid)))


def settle(conn: sa.Connection, calendar_id: int, pair_id: int, uids: Collection[str]) -> None:
    """This pair is their home from now on, but for those that have one."""
    rows = [{"calendar_id": calendar_id, "pair_id": pair_id, "uid": uid} for uid in sorted(uids)]
    if rows:
        conn.execute(insert(conn, homes).on_conflict_do_nothing(), rows)


_CHOSEN = sa.select(calendars.c.home_pair_id).where(calendars.c.id == sa.bindparam("calendar_id")).scalar_subquery()
_DEFAULT = (  # built once: every look at a pair's state asks for it
    sa.select(pairs.c.id)
    .where(pairs.c.calendar_id == sa.bindparam("calendar_id"), pairs.c.direction != "pull")
    .order_by((pairs.c.id == sa.func.coalesce(_CHOSEN, 0)).desc(), pairs.c.id)
    .limit(1)
)


def default(conn: sa.Connection, calendar_id: int) -> int | None:
    """The home of what is made in the hub: the pair that was chosen, else the first that may be written."""
    found = conn.scalar(_DEFAULT, {"calendar_id": calendar_id})
    return None if found is None else int(found)


def hush(conn: sa.Connection, calendar_id: int, uids: Collection[str], *, but: int) -> None:
    """The guests of these were told by the pair ``but``: another one that has yet to make its copy tells nobody (R1, R2).

    What a pair has made already is at home nowhere by itself (``sync.cases``); what it has not would be taken for an event made
    just now. A first sync tells nobody anyway, and one that only pulls makes no copy. The calendar is locked.
    """
    for other in all_pairs.of_calendar(conn, calendar_id):
        if other.id == but or other.direction == "pull":
            continue
        known = links.by_uid(conn, other.id, uids).values()
        quiet = [replace(link, decision="hub") for link in known if link.remote_base is None and link.decision is None]
        if other.phase == "steady":
            fresh = set(uids).intersection(links.unlinked(conn, other.id, calendar_id))
            quiet += [Link(uid, dirty=True, decision="hub") for uid in sorted(fresh)]
        if quiet:
            all_pairs.stop(conn, other.id)  # what its worker has just planned knows nothing of this
            links.save(conn, other.id, quiet)
