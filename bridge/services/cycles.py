"""What the cycles of a pair have done, to be seen before one of them is undone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from bridge.errors import UsageError
from bridge.services import words
from bridge.services.context import Context
from bridge.store import audit, calendars, history, journal, objects, pairs
from bridge.store.journal import Cycle
from bridge.sync.ledger import Kind, Winner

PAGE = 20

UNDONE = "cycle.undone"
"""What the audit calls it when a cycle, or a part of it, was taken back."""

What = Literal["created", "changed", "deleted"]
Where = Literal["here", "there"]

_WHAT: Mapping[Kind, What] = {"create": "created", "update": "changed", "delete": "deleted"}
_WHERE: Mapping[Winner, Where] = {"hub": "here", "remote": "there"}


@dataclass(frozen=True, slots=True)
class Told:
    """One cycle that did something. ``finished_at`` None: it is under way, or its process died. ``undone_at`` None: it is not.

    ``partly_undone``: some of it was taken back, and the rest was not.
    """

    cycle: int
    started_at: dt.datetime
    finished_at: dt.datetime | None
    did: str
    undone_at: dt.datetime | None
    partly_undone: bool = False


@dataclass(frozen=True, slots=True)
class Deed:
    """What a cycle did to one event on one side; of what was deleted ``title`` is the one that it had."""

    uid: str
    title: str
    what: What
    where: Where


def latest(context: Context, pair_id: int, *, limit: int = PAGE) -> list[Told]:
    """The cycles that did something, newest first. Raises NotFound, UsageError."""
    if limit < 1:
        raise UsageError("a page has at least one entry")
    with context.database.read() as conn:
        pair = pairs.get(conn, pair_id)
        found = journal.latest(conn, pair_id, limit=limit)
        tally = journal.tally(conn, pair_id, [each.number for each in found])
        calendar = calendars.by_id(conn, pair.calendar_id)
        undos = audit.details(conn, calendar.principal_id if calendar else None, UNDONE)
    touched = {detail["cycle"] for detail in undos if detail.get("pair") == pair_id}
    return [_told(each, tally[each.number], touched=each.number in touched) for each in found]


def _told(cycle: Cycle, tally: Mapping[tuple[Winner, Kind], int], *, touched: bool) -> Told:
    parts = [
        f"{tally[side, kind]} {what} {where}"
        for side, where in _WHERE.items()
        for kind, what in _WHAT.items()
        if (side, kind) in tally
    ]
    conflicts = cycle.counts.get("conflicts", 0)
    parts += [f"{conflicts} in conflict"] if conflicts else []
    partly = touched and cycle.undone_at is None
    return Told(cycle.number, cycle.started_at, cycle.finished_at, ", ".join(parts), cycle.undone_at, partly)


def deeds(context: Context, pair_id: int, number: int) -> list[Deed]:
    """What one cycle did, by UID. What was decided but not sent yet is among it. Raises NotFound."""
    with context.database.read() as conn:
        pair = pairs.get(conn, pair_id)
        journal.cycle(conn, pair_id, number)
        return [
            Deed(each.uid, title_of(conn, pair.calendar_id, each.uid), _WHAT[each.kind], _WHERE[each.side])
            for each in journal.entries(conn, pair_id, number)
        ]


def title_of(conn: Connection, calendar_id: int, uid: str) -> str:
    """The title that an object has, or had when it was last there."""
    stored = objects.by_uid(conn, calendar_id, uid)
    if stored is not None:
        return words.title(stored.data)
    return next(filter(None, (words.title(each.data) for each in history.of_object(conn, calendar_id, uid))), "")
