"""How each pair is: what an admin wants to know first, in plain words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from bridge.services import pairing
from bridge.services.context import Context
from bridge.store import conflicts, links, outbox


@dataclass(frozen=True, slots=True)
class PairStatus:
    """``lag_seconds`` is the age of the last success (None: never synced): the figure to alert on (R28).

    ``paused_until`` (None: it is not) and ``paused_because`` tell of the account's open circuit (R33).
    ``waiting`` are intents whose answer is still open; ``quarantined`` are single events left alone, with the reasons.
    """

    pair: int
    here: str
    there: str
    direction: str
    state: str
    last_success: dt.datetime | None
    lag_seconds: float | None
    links: int
    conflicts: int
    waiting: int
    quarantined: tuple[dict[str, str], ...]
    last_error: str | None
    paused_until: dt.datetime | None = None
    paused_because: str | None = None


def every(context: Context) -> list[PairStatus]:
    now = context.now()
    found = []
    for one in pairing.every(context):
        pair, rests = one.pair, one.account.rests(now)
        with context.database.read() as conn:
            counted = links.count(conn, pair.id)
            open_conflicts = len(conflicts.unresolved(conn, pair.id))
            waiting = outbox.count(conn, pair.id)
            left_alone = links.quarantined(conn, pair.id)
        found.append(
            PairStatus(
                pair=pair.id,
                here=f"{one.calendar.owner}/{one.calendar.slug}",
                there=f"{one.account.provider} {one.account.email}: {one.remote.calendar.name}",
                direction=pair.direction,
                state=_state(one, rests=rests),
                last_success=pair.last_success_at,
                lag_seconds=None if pair.last_success_at is None else (now - pair.last_success_at).total_seconds(),
                links=counted,
                conflicts=open_conflicts,
                waiting=waiting,
                quarantined=tuple({"uid": link.uid, "reason": link.quarantine or ""} for link in left_alone),
                last_error=pair.last_error,
                paused_until=one.account.closed_until if rests else None,
                paused_because=one.account.closed_reason if rests else None,
            )
        )
    return found


def _state(one: pairing.Bridged, *, rests: bool) -> str:
    if one.account.needs_reconnect:
        return "needs reconnect"
    if rests:
        return "paused"
    if one.pair.parked is not None and not one.pair.approved:
        return "waits for approval"
    if one.pair.last_error:
        return "failing"
    if one.pair.last_success_at is None:
        return "first sync"
    return "ok"
