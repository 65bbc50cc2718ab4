"""What a sync has done, and how its owner takes it back (R6, R35).

Undoing gives the hub's objects back the state that they had before; the normal plan then carries that to all sides, guard
included. Nothing is ever written to a service here. What somebody has changed since is left alone and told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Connection

from bridge.errors import NotFound, UsageError
from bridge.services import words
from bridge.services.context import Context
from bridge.services.history import put_back
from bridge.store import audit, calendars, changes, history, journal, links, objects, pairs
from bridge.store.history import Version
from bridge.store.journal import Cycle
from bridge.store.objects import StoredObject
from bridge.store.pairs import Pair
from bridge.sync import guard
from bridge.sync.ledger import Done

AT_ONCE = 50
"""Objects that are written in one transaction."""

Act = Literal["restore", "delete", "leave", "done"]


@dataclass(frozen=True, slots=True)
class Entry:
    """What one cycle did to one object, on one side."""

    uid: str
    title: str
    side: str
    what: str


@dataclass(frozen=True, slots=True)
class Undoing:
    """What undoing means for one object. "done": it is as it was before already. ``reason`` says why one is left."""

    uid: str
    title: str
    act: Act
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Undone:
    """``waits``: so many deletions that the next sync will ask its owner first (``pair approve``)."""

    steps: tuple[Undoing, ...]
    waits: bool


def cycles(context: Context, pair_id: int, *, limit: int = 20) -> list[Cycle]:
    """The pair's cycles that did something, newest first. Raises NotFound."""
    with context.database.read() as conn:
        pairs.get(conn, pair_id)
        return journal.latest(conn, pair_id, limit=limit)


def entries(context: Context, pair_id: int, number: int) -> list[Entry]:
    """What one cycle did. Raises NotFound."""
    with context.database.read() as conn:
        pair = pairs.get(conn, pair_id)
        journal.cycle(conn, pair_id, number)
        return [
            Entry(each.uid, _title(history.of_object(conn, pair.calendar_id, each.uid)), each.side, each.kind)
            for each in journal.entries(conn, pair_id, number)
        ]


def foresee(context: Context, pair_id: int, number: int, *, uid: str | None = None, force: bool = False) -> Undone:
    """What ``undo`` would do. Raises NotFound, and UsageError where it was done already."""
    with context.database.read() as conn:
        pair, cycle, touched = _read(conn, pair_id, number, uid)
        steps = tuple(_step(conn, pair, cycle, done, force=force)[0] for done in touched.values())
        return Undone(steps, _waits(conn, pair, steps))


def undo(
    context: Context,
    pair_id: int,
    number: int,
    *,
    uid: str | None = None,
    force: bool = False,
    actor: str = "cli",
) -> Undone:
    """Give the objects of a cycle (or only ``uid``) back the state that they had before it.

    ``force`` also where they have been changed since; every version stays in the history. May be interrupted: said again, it
    goes on. Raises NotFound, and UsageError where it was done already.
    """
    with context.database.read() as conn:
        pair, cycle, touched = _read(conn, pair_id, number, uid)
    steps: list[Undoing] = []
    uids = sorted(touched)
    for first in range(0, len(uids), AT_ONCE):
        part = uids[first : first + AT_ONCE]
        with context.database.write() as conn:
            changes.lock(conn, pair.calendar_id)
            steps += [_undo_one(conn, context, pair, cycle, touched[each], force=force, actor=actor) for each in part]
    with context.database.write() as conn:
        now = context.now()
        if uid is None:
            journal.undone(conn, pair_id, number, now=now)
        calendar = calendars.by_id(conn, pair.calendar_id)
        audit.record(
            conn,
            "cycle.undone",
            actor=actor,
            principal_id=calendar.principal_id if calendar else None,
            detail={
                "pair": pair_id,
                "cycle": number,
                "objects": sum(each.act in ("restore", "delete") for each in steps),
            },
            now=now,
        )
        return Undone(tuple(steps), _waits(conn, pair, steps))


def _read(
    conn: Connection, pair_id: int, number: int, uid: str | None
) -> tuple[Pair, Cycle, Mapping[str, Sequence[Done]]]:
    pair, cycle = pairs.get(conn, pair_id), journal.cycle(conn, pair_id, number)
    if cycle.undone_at is not None:
        raise UsageError(f"cycle {number} of pair {pair_id} was undone at {cycle.undone_at:%Y-%m-%d %H:%M} UTC already")
    touched: dict[str, list[Done]] = {}
    for each in journal.entries(conn, pair_id, number):
        if uid in (None, each.uid):
            touched.setdefault(each.uid, []).append(each)
    if not touched:
        raise NotFound(
            f"cycle {number} of pair {pair_id} did nothing to {uid!r}; see: caldav-bridge sync log {pair_id} {number}"
        )
    if cycle.finished_at is None:
        cycle = replace(cycle, finished_at=journal.last_entry(conn, pair_id, number))
    return pair, cycle, touched


def _step(
    conn: Connection, pair: Pair, cycle: Cycle, done: Sequence[Done], *, force: bool
) -> tuple[Undoing, StoredObject | None, Version | None]:
    """What to do about one object, what it is now, and the version to go back to."""
    uid = done[0].uid
    kept = history.of_object(conn, pair.calendar_id, uid)
    present = objects.by_uid(conn, pair.calendar_id, uid)
    title = _title(kept)
    undo_to = min(each.undo_to for each in done)
    before = next((version for version in kept if version.revision <= undo_to), None)
    wanted = None if before is None or before.data is None else before

    def left(reason: str) -> tuple[Undoing, StoredObject | None, Version | None]:
        return Undoing(uid, title, "leave", reason), present, wanted

    if all(each.side == "remote" and each.kind == "create" for each in done):
        return left("it was only copied to the other side; delete it there or here, or say what that side is shown")
    existed = any(each.kind != "create" for each in done)
    if before is None and existed:
        return left("the history does not reach back to what it was before")
    if (present.data if present else None) == (wanted.data if wanted else None):
        return Undoing(uid, title, "done"), present, wanted
    since = [version for version in kept if cycle.finished_at is not None and version.at > cycle.finished_at]
    if since and not force:
        who, at = words.actor(conn, since[-1].actor), since[-1].at
        return left(f"changed since by {who} at {at:%Y-%m-%d %H:%M} UTC; --force, or: caldav-bridge history restore")
    return Undoing(uid, title, "restore" if wanted is not None else "delete"), present, wanted


def _undo_one(
    conn: Connection, context: Context, pair: Pair, cycle: Cycle, done: Sequence[Done], *, force: bool, actor: str
) -> Undoing:
    step, present, wanted = _step(conn, pair, cycle, done, force=force)
    now = context.now()
    if step.act == "restore" and wanted is not None and wanted.data is not None:
        put_back(conn, wanted, wanted.data, present, actor=actor, now=now)
    elif step.act == "delete" and present is not None:
        objects.delete(conn, pair.calendar_id, present.href, actor=actor, now=now, expected=present.etag)
    return step


def _waits(conn: Connection, pair: Pair, steps: Sequence[Undoing]) -> bool:
    """Whether the guard of this pair will hold the deletions back; those of others decide for themselves."""
    deletions = sum(step.act == "delete" for step in steps)
    return deletions > guard.allowance(links.count(conn, pair.id))


def _title(kept: Sequence[Version]) -> str:
    return next((words.title(version.data) for version in kept if version.data is not None), "")


def in_words(cycle: Cycle) -> str:
    """Its figures: "2 written here, 3 there, 1 linked"."""
    counts = cycle.counts
    told = [
        f"{counts.get(name, 0)} {word}"
        for name, word in (
            ("hub_writes", "written here"),
            ("remote_writes", "written there"),
            ("linked", "linked"),
            ("conflicts", "conflicts"),
            ("quarantined", "left alone"),
        )
        if counts.get(name)
    ]
    return ", ".join(told) or (
        "under way, or cut off" if cycle.finished_at is None else "planned, and sent by a later one"
    )
