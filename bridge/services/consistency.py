"""The nightly comparison of both sides of each pair (R42): when it is due, running it, and noting what it found."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from bridge.errors import BridgeError, LeaseLost
from bridge.services import pairing, providers, syncing
from bridge.services.context import Context
from bridge.store import audit, pairs
from bridge.store.pairs import Pair
from bridge.sync import consistency
from bridge.sync.consistency import Findings

log = structlog.get_logger(__name__)

NIGHT = (dt.time(1), dt.time(5))
"""By the clock of the calendar's own zone; each pair has a minute of its own in it."""

SLACK = dt.timedelta(hours=6)
MISSED = dt.timedelta(days=1)
"""A machine that is off at night compares by day, a day late."""

RECORDED = 100
"""Divergent objects of one run that the audit trail names one by one."""

_IDENTIFIER = re.compile(r"[A-Za-z0-9._:@/+-]{1,64}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one comparison found. ``divergences`` is None where there was none to be had; ``error`` says why.

    ``busy``: another process has the pair in hand, and nothing was asked. ``found`` names objects by kind and UID.
    """

    pair: int
    compared: int = 0
    divergences: int | None = None
    kinds: Mapping[str, int] = field(default_factory=dict)
    found: tuple[Mapping[str, str], ...] = ()
    seconds: float = 0.0
    error: str | None = None
    busy: bool = False


def is_due(pair_id: int, zone: str, last: dt.datetime, *, now: dt.datetime, every: dt.timedelta) -> bool:
    """Whether a pair that was compared (or made) at ``last`` is to be compared now. ``every`` below a day knows no night."""
    age = now - last
    if every < dt.timedelta(days=1):
        return age >= every
    if age >= every + MISSED:
        return True
    local = now.astimezone(_zone(zone))
    begins = dt.datetime.combine(local.date(), NIGHT[0]) + dt.timedelta(minutes=_minute(pair_id))
    ends = dt.datetime.combine(local.date(), NIGHT[1])
    return age >= every - SLACK and begins <= local.replace(tzinfo=None) < ends


def _zone(name: str) -> dt.tzinfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return dt.UTC


def _minute(pair_id: int) -> int:
    """A pair's own minute of the night's first three hours: neighbours are far apart, and it is the same every night."""
    return int.from_bytes(hashlib.sha256(str(pair_id).encode()).digest()[:4], "big") % 180


def due(context: Context) -> list[int]:
    """Pairs to compare now, the longest waiting first: at rest, of accounts that answer."""
    every = dt.timedelta(hours=context.settings.sync.audit_hours)
    if not every:
        return []
    now = context.now()
    waiting = [
        (one.pair.audited_at or one.pair.created_at, one.pair.id)
        for one in pairing.every(context)
        if _can(one, now)
        and is_due(
            one.pair.id,
            one.remote.calendar.zone,
            one.pair.audited_at or one.pair.created_at,
            now=now,
            every=every,
        )
    ]
    return [pair_id for _, pair_id in sorted(waiting)]


def _can(one: pairing.Bridged, now: dt.datetime) -> bool:
    pair, account = one.pair, one.account
    resting = pair.phase == "steady" and not pair.listing and not pair.failures and pair.parked is None
    closed = account.closed_until is not None and account.closed_until > now
    return comparable(one) and resting and not account.needs_reconnect and not closed


def comparable(one: pairing.Bridged) -> bool:
    """Not a feed: each sync reads all of it, and what it shows no more may have left its window and has to stay (R26)."""
    return one.account.provider not in providers.FEEDS


def run(context: Context, pair_id: int) -> Outcome:
    """Compare this pair now, under its lease like a cycle. Raises NotFound; what a service does wrong is told in the outcome."""
    owner = f"audit:{uuid.uuid4().hex[:8]}"
    started = context.now()
    if any(one.pair.id == pair_id and not comparable(one) for one in pairing.every(context)):
        return Outcome(pair_id, error="it follows a feed, which every sync compares whole")
    with context.database.write() as conn:
        pair = pairs.borrow(conn, pair_id, owner=owner, now=started, lease=syncing.lease_of(context))
    if pair is None:
        return Outcome(pair_id, error="it is being synced right now by another process", busy=True)
    findings: Findings | None = None
    error: str | None = None
    try:
        remote, account = syncing.open_remote(context, pair_id)
        with syncing.noting_trouble(context, account):
            findings = consistency.examine(syncing.ledger_of(context, pair_id, owner), remote, now=context.now)
        if findings is None:
            error = "it is not at rest: its first sync, a complete listing or a parked plan comes first"
    except LeaseLost:
        error = "another worker has taken it over"
    except BridgeError as failure:
        error = syncing.in_plain_words(context, pair_id, failure)
        log.warning("comparison ended early", pair=pair_id, error=type(failure).__name__)
    except Exception:
        error = "an error in caldav-bridge itself; the log has the details"
        log.exception("comparison failed", pair=pair_id)
    _note(context, pair, owner, findings)
    seconds = (context.now() - started).total_seconds()
    if findings is None:
        return Outcome(pair_id, seconds=seconds, error=error)
    log.info("compared", pair=pair_id, compared=findings.compared, divergences=len(findings.found))
    return Outcome(
        pair_id,
        compared=findings.compared,
        divergences=len(findings.found),
        kinds=findings.kinds,
        found=tuple({"kind": each.kind, "uid": each.uid} for each in findings.found),
        seconds=seconds,
    )


def _note(context: Context, pair: Pair, owner: str, findings: Findings | None) -> None:
    """Give the lease back. What was found wrong makes the pair due, so that a cycle sets it right."""
    now = context.now()
    with context.database.write() as conn:
        if findings is None:
            pairs.give_back(conn, pair.id, owner=owner)
            return
        found = len(findings.found)
        due = {"due_at": now} if found and not pair.manual else {}
        pairs.give_back(conn, pair.id, owner=owner, audited_at=now, divergences=found, **due)
        for kind, uid in [(each.kind, each.uid) for each in findings.found[:RECORDED]]:
            named = uid if _IDENTIFIER.fullmatch(uid) else f"sha256:{hashlib.sha256(uid.encode()).hexdigest()[:32]}"
            detail: dict[str, int | str] = {"pair": pair.id, "kind": kind, "uid": named}
            audit.record(conn, "pair.diverged", actor="audit", now=now, detail=detail)
        if found:
            detail = {"pair": pair.id, "compared": findings.compared, **findings.kinds}
            audit.record(conn, "pair.compared", actor="audit", now=now, detail=detail)
