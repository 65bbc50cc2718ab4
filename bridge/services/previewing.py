"""What the next cycle of a pair would do, event by event and in words, before anything of it is done (R16, R22)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from bridge.errors import ProviderError, UsageError
from bridge.ical.fields import MASTER, diff
from bridge.services import syncing, words
from bridge.services.context import Context
from bridge.store import pairs
from bridge.store.side import PairLedger
from bridge.sync import cases, engine, parts
from bridge.sync.ledger import Direction, Intent
from bridge.sync.plan import Case, HubDelete, HubPut, Step
from bridge.sync.ports import Lens
from bridge.sync.session import batches

What = Literal["create", "change", "delete", "link", "conflict", "leave"]
Where = Literal["here", "there", "both"]

KINDS: Mapping[str, What] = {"create": "create", "update": "change", "delete": "delete"}

UNSENT = "decided earlier, not sent yet"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that would happen to one event. ``fields`` names what would change, or is in conflict, in words.

    ``where`` is the side that would be written to. ``invites``: guests would be sent an invitation. ``why`` is said of what is
    left alone, of conflicts, and of what does not come from this plan. ``when`` is its beginning as it is now.
    """

    what: What
    where: Where
    uid: str
    title: str
    fields: tuple[str, ...] = ()
    invites: bool = False
    why: str = ""
    when: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """``held`` is what the guard would ask the owner (figures and UIDs), so that none of ``rows`` would be done before the yes.

    ``asked``: a sync has asked just that already, and the yes can be given.
    ``rows`` come as they are planned: a first sync has tens of thousands. They tell of one round; what an answer of the service
    leads to is not known before it is given.
    """

    pair: int
    held: Mapping[str, Any] | None
    asked: bool
    rows: Iterator[Row]


@contextmanager
def previewed(context: Context, pair_id: int) -> Iterator[Preview]:
    """Read what is new at the remote and plan it, with every worker kept off meanwhile; neither side is written to.

    The pair stays due when it was. Raises NotFound, and UsageError in plain words: it is being synced, or its service does
    not answer.
    """
    owner = f"preview:{uuid.uuid4().hex[:8]}"
    with context.database.write() as conn:
        pair = pairs.borrow(conn, pair_id, owner=owner, now=context.now(), lease=syncing.lease_of(context))
    if pair is None:
        raise UsageError(f"pair {pair_id} is being synced right now by another process; say it again in a moment")
    try:
        ledger = syncing.ledger_of(context, pair_id, owner)
        try:
            remote, account = syncing.open_remote(context, pair_id)
            with syncing.noting_trouble(context, account):
                foreseen = engine.preview(ledger, remote, now=context.now)
        except ProviderError as failure:
            raise UsageError(f"pair {pair_id}: {syncing.in_plain_words(context, pair_id, failure)}") from failure
        asked = foreseen.held is not None and foreseen.held == pair.parked
        rows = _all_rows(context, ledger, remote.lens, foreseen.steps, pair.direction)
        yield Preview(pair_id, foreseen.held, asked, rows)
    finally:
        with context.database.write() as conn:
            pairs.give_back(conn, pair_id, owner=owner)


def _all_rows(
    context: Context, ledger: PairLedger, lens: Lens, steps: Iterator[Step], direction: Direction
) -> Iterator[Row]:
    """What is planned, and then what was planned before and waits for the service."""
    planned: set[str] = set()
    for step in steps:
        planned.add(step.case.uid)
        yield from _rows(step, direction)
    with ledger.reading() as memory:
        open_ones = [uid for uid in memory.intents(context.now()) if uid not in planned]
    for uids in batches(open_ones):
        for step in _unsent(ledger, lens, uids):
            yield from _rows(step, direction, why=UNSENT)


def _unsent(ledger: PairLedger, lens: Lens, uids: list[str]) -> Iterator[Step]:
    """Open intents, as the steps that they were."""
    with ledger.reading() as memory:
        intents, links, hub = memory.intents_of(uids), memory.links(uids), parts.hub_objects(memory, uids, lens)
        replicas = memory.replicas([link.remote_id for link in links.values() if link.remote_id])
        homes, buried = memory.homes(uids), memory.buried([uid for uid in uids if uid not in hub])
    for uid, intent in intents.items():
        link = links.get(uid)
        replica = replicas.get(link.remote_id) if link is not None and link.remote_id else None
        remote = cases.read(replica, lens).remote if replica is not None else None
        case = Case(uid, link, hub.get(uid), remote, buried=buried.get(uid), home=homes.get(uid, False))
        yield Step(case, link, intent=intent)


def _rows(step: Step, direction: Direction, *, why: str = "") -> Iterator[Row]:
    for row in _told(step, direction, why):
        yield replace(row, when=_when(step))


def _told(step: Step, direction: Direction, why: str) -> Iterator[Row]:
    uid, title = step.case.uid, _title(step)
    for conflict in step.conflicts:
        stands = "waits for your word" if conflict.winner == "ask" else f"the {conflict.winner}'s version stands"
        yield Row("conflict", "both", uid, title, words.fields({**conflict.hub, **conflict.remote}), why=stands)
    if step.hub is not None:
        yield Row(_what(step.hub), "here", uid, title, _changed_here(step.case, step.hub), why=why)
    if step.intent is not None:
        fields = _changed_there(step.case, step.intent)
        yield Row(KINDS[step.intent.kind], "there", uid, title, fields, step.mails, why)
    if step.link is not None and step.link.quarantine is not None:
        yield Row("leave", "both", uid, title, why=step.link.quarantine)
    elif step.hub is None and step.intent is None:
        yield from _untouched(step, direction, title)


def _untouched(step: Step, direction: Direction, title: str) -> Iterator[Row]:
    """Nothing is written, which is worth a word if the two have just been found to be one, or if they stay different."""
    case, link = step.case, step.link
    if case.hub is None and case.remote is None:
        return
    if case.hub is not None and case.remote is not None:
        if link is not None and link.remote_base is not None and (case.link is None or case.link.remote_base is None):
            yield Row("link", "both", case.uid, title)
    elif step.deferred:
        yield Row("leave", "both", case.uid, title, why="a first sync deletes nothing")
    elif direction == "pull":
        yield Row("leave", "there", case.uid, title, why="this pair only pulls")
    elif direction == "push":
        yield Row("leave", "here", case.uid, title, why="this pair only pushes")


def _title(step: Step) -> str:
    case = step.case
    if case.hub is not None:
        return words.title(case.hub.data)
    if isinstance(step.hub, HubPut):
        return words.title(step.hub.data)
    if case.remote is not None:
        return words.one_line(case.remote.fields.master.summary)
    return words.title(case.buried)


def _when(step: Step) -> str:
    case = step.case
    if case.hub is not None:
        return words.begins(case.hub.data)
    if isinstance(step.hub, HubPut):
        return words.begins(step.hub.data)
    if case.remote is not None:
        return words.start(case.remote.fields.master.when)
    return words.begins(case.buried)


def _what(operation: HubPut | HubDelete) -> What:
    if isinstance(operation, HubDelete):
        return "delete"
    return "create" if operation.href is None else "change"


def _changed_here(case: Case, operation: HubPut | HubDelete) -> tuple[str, ...]:
    if isinstance(operation, HubDelete) or operation.href is None or case.hub is None:
        return ()
    return words.changed(case.hub.data, operation.data)


def _changed_there(case: Case, intent: Intent) -> tuple[str, ...]:
    if intent.kind != "update" or intent.target is None or case.remote is None:
        return ()
    return words.fields(diff(case.remote.fields, intent.target) or {(MASTER, "aside"): None})
