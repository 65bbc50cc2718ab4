"""What the metrics show, read from the database when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.services import noticing
from bridge.services.context import Context
from bridge.store import figures, notices, push_subscriptions


@dataclass(frozen=True, slots=True)
class PairGauges:
    """``age_seconds`` is of the last success, or of the pair itself where there was none; ``divergences`` None: never compared."""

    pair: int
    age_seconds: float
    stale: bool
    parked: bool
    divergences: int | None
    compared_age_seconds: float | None
    links: int
    quarantined: int
    waiting: int
    conflicts: int


@dataclass(frozen=True, slots=True)
class Gauges:
    pairs: tuple[PairGauges, ...]
    notices: Mapping[str, int]
    paused_accounts: int
    push_subscriptions: int
    push_failing: int


def read(context: Context) -> Gauges:
    """One snapshot, in as many questions as there are figures, however many pairs there are."""
    now = context.now()
    with context.database.read() as conn:
        known = figures.of_pairs(conn)
        ids = [pair.id for pair in known]
        links, quarantined = figures.linked(conn, ids), figures.quarantined(conn, ids)
        waiting, conflicts = figures.waiting(conn, ids), figures.conflicting(conn, ids)
        raised = notices.open_by_kind(conn)
        paused = figures.paused_accounts(conn, now)
        told, failing = push_subscriptions.counted(conn, now)
    return Gauges(
        tuple(
            PairGauges(
                pair=pair.id,
                age_seconds=(now - (pair.last_success_at or pair.created_at)).total_seconds(),
                stale=noticing.is_late(context, pair, manual=pair.manual),
                parked=pair.parked is not None and not pair.approved,
                divergences=pair.divergences,
                compared_age_seconds=(now - pair.audited_at).total_seconds() if pair.audited_at else None,
                links=links.get(pair.id, 0),
                quarantined=quarantined.get(pair.id, 0),
                waiting=waiting.get(pair.id, 0),
                conflicts=conflicts.get(pair.id, 0),
            )
            for pair in known
        ),
        {kind: raised.get(kind, 0) for kind in (*noticing.KINDS, *sorted(raised.keys() - set(noticing.KINDS)))},
        paused,
        told,
        failing,
    )
