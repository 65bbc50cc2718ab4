"""The owner's no to a parked plan (``sync.refusal``), with every worker kept off meanwhile."""

from __future__ import annotations

import uuid

from bridge.errors import NotFound, ProviderError, UsageError
from bridge.services import syncing
from bridge.services.context import Context
from bridge.store import audit, calendars, notices, pairs
from bridge.sync import refusal
from bridge.sync.refusal import Refusal


def refuse(context: Context, pair_id: int, *, actor: str = "cli") -> Refusal:
    """Let nothing of the parked plan happen; the next sync makes it anew, without what was refused.

    Raises NotFound where nothing is parked, and UsageError in plain words: it is being synced, or its service does not answer,
    which has to be asked for what may be there still. Nothing has changed then.
    """
    owner, now = f"refusal:{uuid.uuid4().hex[:8]}", context.now()
    with context.database.write() as conn:
        if pairs.get(conn, pair_id).parked is None:
            raise _nothing(pair_id)
        pair = pairs.borrow(conn, pair_id, owner=owner, now=now, lease=syncing.lease_of(context))
    if pair is None:
        raise UsageError(f"pair {pair_id} is being synced right now by another process; say it again in a moment")
    done: Refusal | None = None
    try:
        remote, account = syncing.open_remote(context, pair_id)
        with syncing.noting_trouble(context, account):
            done = refusal.refuse(syncing.ledger_of(context, pair_id, owner), remote, now=context.now)
    except ProviderError as failure:
        raise UsageError(f"pair {pair_id}: {syncing.in_plain_words(context, pair_id, failure)}") from failure
    finally:
        due = {"due_at": context.now(), "idle": 0} if done is not None and not pair.manual else {}
        with context.database.write() as conn:
            pairs.give_back(conn, pair_id, owner=owner, **due)
    if done is None:
        raise _nothing(pair_id)
    with context.database.write() as conn:
        notices.clear(conn, "parked", f"pair:{pair_id}", now=context.now())
        calendar = calendars.by_id(conn, pair.calendar_id)
        counts = {name: len(getattr(done, name)) for name in Refusal.__slots__}
        audit.record(
            conn,
            "pair.refused",
            actor=actor,
            principal_id=calendar.principal_id if calendar else None,
            detail={"pair": pair_id, **counts},
            now=context.now(),
        )
    return done


def _nothing(pair_id: int) -> NotFound:
    return NotFound(f"pair {pair_id} has no parked plan")
