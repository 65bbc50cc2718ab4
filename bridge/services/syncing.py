"""Running cycles: a pair is claimed, its remote opened, one cycle run, and its outcome noted in plain words."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog

from bridge.errors import (
    BridgeError,
    Gone,
    LeaseLost,
    NeedsReconnect,
    NotFound,
    Paced,
    QuotaUsedUp,
    Refused,
    Throttled,
    Unreachable,
    Unreadable,
)
from bridge.services import advice, connecting
from bridge.services.context import Context
from bridge.services.providers import DIRECT
from bridge.store import accounts, calendars, journal, pairs, remote_calendars
from bridge.store.accounts import Account
from bridge.store.side import PairLedger
from bridge.sync import engine
from bridge.sync.ports import Remote
from bridge.sync.report import Report

log = structlog.get_logger(__name__)

CYCLES = {"microsoft": 2}
"""Cycles of one account at once, in all processes together. Others are limited by their rate alone.

A cycle asks one thing at a time, and Microsoft takes four requests at once (M-77): with two, a first sync does not hold up the
edits of the account's other calendars, and there is room for a batch, a renewed subscription and a person who looks on.
"""

BY_ITSELF = "the sync goes on by itself"

_NO_SUCH_CALENDAR = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
"""What services answer for a calendar that was deleted; Microsoft says that its id is malformed."""

_SERVICES = {"google": "Google", "microsoft": "Microsoft"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one cycle did. ``error`` is None, or why it ended early, in plain words."""

    pair: int
    hub_writes: int = 0
    remote_writes: int = 0
    linked: int = 0
    conflicts: int = 0
    quarantined: int = 0
    parked: bool = False
    seconds: float = 0.0
    error: str | None = None


def claim_due(context: Context, *, owner: str, limit: int, filling: bool | None = None) -> list[int]:
    """Take up to ``limit`` due pairs for this worker. Costs one read while nothing is due.

    ``filling``: only those that may take minutes, first syncs above all; False: only the others; None: both.
    """
    now = context.now()
    with context.database.read() as conn:
        if not pairs.any_due(conn, now, cycles=CYCLES, filling=filling):
            return []
    with context.database.write() as conn:
        claimed = pairs.claim_due(
            conn, owner=owner, now=now, lease=lease_of(context), limit=limit, cycles=CYCLES, filling=filling
        )
    return [pair.id for pair in claimed]


def run_now(context: Context, pair_id: int) -> Outcome:
    """Claim this pair and run it here. Raises NotFound."""
    owner = f"cli:{uuid.uuid4().hex[:8]}"
    with context.database.write() as conn:
        claimed = pairs.claim(conn, pair_id, owner=owner, now=context.now(), lease=lease_of(context))
    if claimed is None:
        return Outcome(pair_id, error="it is being synced right now by another process")
    return run(context, pair_id, owner=owner)


def run(context: Context, pair_id: int, *, owner: str) -> Outcome:
    """Run one cycle of a claimed pair. Whatever happens, the lease is given back and the outcome noted and returned."""
    started = context.now()
    report = Report()
    error: str | None = None
    wait: float | None = None
    postponed: dt.datetime | None = None
    try:
        remote, account = open_remote(context, pair_id)
        with noting_trouble(context, account):
            try:
                engine.cycle(ledger_of(context, pair_id, owner), remote, now=context.now, report=report)
            except Unreachable as failure:
                if report.progressed and not isinstance(failure, Paced):
                    _relieve(context, account)  # what was served in between ends the row of failures
                raise
        _relieve(context, account)
    except Paced as early:
        error = in_plain_words(context, pair_id, early)
        postponed = context.now() + dt.timedelta(seconds=early.retry_after or 0)
    except BridgeError as failure:
        error = in_plain_words(context, pair_id, failure)
        wait = failure.retry_after if isinstance(failure, Throttled) else None
        log.warning("cycle ended early", pair=pair_id, error=type(failure).__name__, **_facts(failure))
    except Exception:
        # a defect of ours: this pair waits and the others go on; the traceback is for us, the words are for its owner
        error = "an error in caldav-bridge itself; the log has the details"
        log.exception("cycle failed", pair=pair_id)
    try:
        with context.database.write() as conn:
            if postponed is not None:
                pairs.postpone(conn, pair_id, owner=owner, until=postponed)
            else:
                now = context.now()
                pairs.finish(
                    conn,
                    pair_id,
                    owner=owner,
                    now=now,
                    error=error,
                    retry_after=wait,
                    news=_news(report),
                    progressed=report.progressed,
                )
            journal.finish(conn, pair_id, pairs.get(conn, pair_id).cycles, report.counts(), now=context.now())
    except LeaseLost:
        log.warning("another worker has taken the pair over", pair=pair_id)
        error = "another worker has taken it over"
    except NotFound:
        error = "the pair has been removed"
    outcome = _outcome(context, pair_id, report, started, error)
    if error is None and not report.idle:
        log.info("synced", pair=pair_id, hub_writes=report.hub_writes, remote_writes=report.remote_writes)
    return outcome


@contextmanager
def noting_trouble(context: Context, account: Account) -> Iterator[None]:
    """What the service refuses meanwhile is noted with the account, whoever asked (R28, R33)."""
    try:
        yield
    except NeedsReconnect as refused:
        # a grant that would not renew was noted with itself, unless the person has reconnected meanwhile (Grants)
        if refused.status == HTTPStatus.UNAUTHORIZED:
            with context.database.write() as conn:
                accounts.needs_reconnect(conn, account.id)
        raise
    except Unreachable as failure:
        strain(context, account, failure)
        raise


def in_plain_words(context: Context, pair_id: int, failure: BridgeError) -> str:
    """For the owner of a pair: what happened and what to do; never an event's content."""
    match failure:
        case NeedsReconnect():
            return _ended(context, pair_id)
        case Unreadable():
            return f"{failure}; nothing was changed, and {_onward(context, pair_id)}"
        case Paced():
            return str(failure)
        case Throttled():
            return f"the service asks us to slow down; {_onward(context, pair_id)}"
        case Unreachable():
            return f"the service cannot be reached{_status(failure.status)}; {_onward(context, pair_id)}"
        case Refused() | Gone():
            refused = f"the service refused the calendar{_status(failure.status)} {failure.code}".rstrip()
            return f"{refused}{_way_out(context, pair_id, failure.status)}"
    return " ".join(str(failure).split()) or type(failure).__name__


def _ended(context: Context, pair_id: int) -> str:
    try:
        command, account = advice.reconnect_pair(context, pair_id)
    except NotFound as gone:
        return str(gone)
    what = (
        "the server takes the account's password no more"
        if account.provider in DIRECT
        else "the account's consent has ended"
    )
    return f"{what}; connect it again: {command}"


def _onward(context: Context, pair_id: int) -> str:
    """What comes next after a failure that passes: a pair that is synced only when told to does not come back (R28)."""
    with context.database.read() as conn, suppress(NotFound):
        if pairs.get(conn, pair_id).manual:
            return by_hand(pair_id)
    return BY_ITSELF


def by_hand(pair_id: int) -> str:
    return f"try again later: {advice.sync(pair_id)}"


def _way_out(context: Context, pair_id: int, status: int) -> str:
    """Where it may be that the calendar is no more: nothing else would ever end that."""
    if status not in _NO_SUCH_CALENDAR:
        return ""
    with context.database.read() as conn:
        try:
            calendar = calendars.by_id(conn, pairs.get(conn, pair_id).calendar_id)
        except NotFound:
            return ""
    owner = calendar.owner if calendar else "USER"
    return (
        f"; is it still there? See: caldav-bridge calendar list {owner} --refresh. If it is gone:"
        f" caldav-bridge pair remove {pair_id}, which deletes nothing"
    )


def _status(status: int) -> str:
    return f" (HTTP {status})" if status else ""


def _facts(failure: BridgeError) -> dict[str, Any]:
    return {"status": getattr(failure, "status", 0), "code": getattr(failure, "code", "")}


def paused(until: dt.datetime, reason: str | None, pair_id: int, *, manual: bool) -> str:
    """For the owner of an account whose circuit is open: until when, and why."""
    onward = f"then try again: {advice.sync(pair_id)}" if manual else "everything goes on by itself"
    return f"paused until {until:%Y-%m-%d %H:%M} UTC: {reason}; {onward}"


def _relieve(context: Context, account: Account) -> None:
    if account.strains or account.closed_until is not None:
        with context.database.write() as conn:
            accounts.relieve(conn, account.id, now=context.now())


def strain(context: Context, account: Account, failure: Unreachable) -> None:
    """The service would not, or could not, serve the account: at some point all its pairs leave it alone (R33)."""
    if isinstance(failure, Paced):
        return  # we have not asked it
    service = _SERVICES.get(account.provider, "the server")
    match failure:
        case QuotaUsedUp():
            reason = f"{service} says the calendar quota is used up"
        case Throttled():
            reason = f"{service} asks us to slow down"
        case Unreadable():
            reason = str(failure)
        case _:
            reason = f"{service} cannot be reached{_status(failure.status)}"
    refused = isinstance(failure, Throttled)
    wait = failure.retry_after if isinstance(failure, Throttled) else None
    with context.database.write() as conn:
        until = accounts.strain(conn, account.id, refused=refused, retry_after=wait, reason=reason, now=context.now())
    if until is not None:
        log.warning("account paused", account=account.id, until=until.isoformat(), **_facts(failure))


def _news(report: Report) -> bool:
    """Whether the cycle found anything to do. A plan that waits for its owner is no news."""
    return not report.idle or (report.rounds > 0 and report.parked is None)


def open_remote(context: Context, pair_id: int) -> tuple[Remote, Account]:
    """The pair's remote calendar, signed in. Raises NotFound; NeedsReconnect and Paced where the account is to be left alone."""
    now = context.now()
    with context.database.read() as conn:
        pair = pairs.get(conn, pair_id)
        calendar = remote_calendars.by_id(conn, pair.remote_calendar_id)
        account = accounts.by_id(conn, calendar.account_id) if calendar else None
    if calendar is None or account is None:
        raise NotFound("its account or remote calendar is gone")
    if account.needs_reconnect:
        raise NeedsReconnect("the account waits for its person")
    if account.closed_until is not None and account.rests(now):
        words = paused(account.closed_until, account.closed_reason, pair_id, manual=pair.manual)
        raise Paced(words, retry_after=(account.closed_until - now).total_seconds())
    return connecting.sign_in(context, account).remote(calendar.calendar), account


def ledger_of(context: Context, pair_id: int, owner: str) -> PairLedger:
    """The memory of a pair that ``owner`` has claimed."""
    return PairLedger(context.database, pair_id, owner, lease_of(context), context.now)


def lease_of(context: Context) -> dt.timedelta:
    return dt.timedelta(seconds=context.settings.sync.lease_seconds)


def _outcome(context: Context, pair_id: int, report: Report, started: dt.datetime, error: str | None) -> Outcome:
    return Outcome(
        pair=pair_id,
        hub_writes=report.hub_writes,
        remote_writes=report.remote_writes,
        linked=report.linked,
        conflicts=report.conflicts,
        quarantined=report.quarantined,
        parked=report.parked is not None,
        seconds=(context.now() - started).total_seconds(),
        error=error,
    )
