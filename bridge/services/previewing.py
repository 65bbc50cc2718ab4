"""What the next sync of a pair would do, told without doing it (R22): read what is new, plan it, write to neither side."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

from bridge.errors import LeaseLost, NotFound, UsageError
from bridge.ical.fields import diff
from bridge.services import syncing, words
from bridge.services.context import Context
from bridge.store import pairs
from bridge.store.side import PairLedger
from bridge.sync import engine
from bridge.sync.plan import HubDelete, HubPut, Step

Act = Literal["create", "change", "delete", "ask", "leave alone"]
Side = Literal["hub", "remote", ""]


@dataclass(frozen=True, slots=True)
class Foretold:
    """One thing that would happen to one event. ``side`` is where; "" where nothing would be written.

    ``fields`` names what would change, in words; ``reason`` says why something is left alone. ``mails``: guests would be invited.
    """

    uid: str
    title: str
    side: Side
    act: Act
    fields: tuple[str, ...] = ()
    reason: str = ""
    mails: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """``held`` is what the guard would ask the owner before any of it is done. ``rows`` come while they are planned."""

    rows: Iterator[Foretold]
    held: Mapping[str, Any] | None


@contextmanager
def preview(context: Context, pair_id: int) -> Iterator[Preview]:
    """Open a preview. The pair is claimed as long as it is read, so that nobody syncs it meanwhile; its schedule stays.

    Raises NotFound, UsageError while another process syncs it, and what a sync raises.
    """
    owner = f"preview:{uuid.uuid4().hex[:8]}"
    with context.database.write() as conn:
        due = pairs.get(conn, pair_id).due_at or context.now()
        if pairs.claim(conn, pair_id, owner=owner, now=context.now(), lease=syncing.lease(context)) is None:
            raise UsageError(f"pair {pair_id} is being synced right now by another process; try again in a moment")
    try:
        remote = syncing.opened(context, pair_id)
        ledger = PairLedger(context.database, pair_id, owner, syncing.lease(context), context.now)
        foreseen = engine.preview(ledger, remote, now=context.now)
        yield Preview((row for step in foreseen.steps for row in _rows(step)), foreseen.held)
    finally:
        with suppress(LeaseLost, NotFound), context.database.write() as conn:
            pairs.postpone(conn, pair_id, owner=owner, until=due)


def _rows(step: Step) -> Iterator[Foretold]:
    uid, title = step.case.uid, _title(step)
    if isinstance(step.hub, HubDelete):
        yield Foretold(uid, title, "hub", "delete")
    elif isinstance(step.hub, HubPut):
        known = step.case.hub
        fields = words.differences(known.data, step.hub.data) if known is not None else ()
        yield Foretold(uid, title, "hub", "change" if known is not None else "create", fields)
    if step.intent is not None:
        remote, target = step.case.remote, step.intent.target
        act: Act = "change" if step.intent.kind == "update" else step.intent.kind
        changed = words.changed(diff(remote.fields, target)) if remote and target and act == "change" else ()
        yield Foretold(uid, title, "remote", act, changed, mails=step.mails)
    if step.hub is None and step.intent is None and step.link is not None and step.link.quarantine:
        asked = any(conflict.winner == "ask" for conflict in step.conflicts)
        yield Foretold(uid, title, "", "ask" if asked else "leave alone", reason=step.link.quarantine)


def _title(step: Step) -> str:
    case = step.case
    if case.hub is not None:
        return words.title(case.hub.data)
    return case.remote.fields.master.summary if case.remote is not None else words.title(case.buried)
