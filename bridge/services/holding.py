"""A transaction that no cycle can cross: for what an owner says about links, which a cycle reads first and writes later."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection

from bridge.errors import UsageError
from bridge.services.context import Context
from bridge.store import changes, pairs

PATIENCE_SECONDS = 10.0
POLL_SECONDS = 0.1
"""Most cycles take moments; the owner's last answer may just have started one."""


@contextmanager
def held(context: Context, calendar_id: int, pair_ids: Sequence[int]) -> Iterator[Connection]:
    """Write with all these pairs of one calendar at rest. Raises UsageError if one of them stays busy, NotFound.

    Nothing of a cycle that was given up for dead is written afterwards either (LeaseLost). The calendar is locked before its
    pairs, as ``changes.lock`` asks.
    """
    for attempt in range(int(PATIENCE_SECONDS / POLL_SECONDS)):
        if attempt:
            time.sleep(POLL_SECONDS)
        with context.database.write() as conn:
            changes.lock(conn, calendar_id)
            now = context.now()
            if all(pairs.hold(conn, pair_id, now=now) is not None for pair_id in sorted(pair_ids)):
                yield conn
                return
    raise UsageError("a sync of this calendar is under way and takes its time; nothing was changed, say it again later")
