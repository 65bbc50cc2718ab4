"""Pairs: a hub calendar and a remote calendar that are kept alike. They are the queue, too (DESIGN §2).

A worker claims what is due by a lease. While it works, ``due_at`` equals ``lease_until``: if it dies, the pair falls due
again by itself; if somebody wakes the pair meanwhile, ``due_at`` differs and the wake survives the cycle's end.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from bridge.errors import AlreadyExists, LeaseLost, NotFound
from bridge.policy import polling
from bridge.store.tables import accounts, channels, inbox, outbox, pairs, remote_calendars
from bridge.sync.ledger import Direction

FIRST_RETRY = dt.timedelta(seconds=30)
LAST_RETRY = dt.timedelta(hours=1)
LATE = dt.timedelta(minutes=2)
"""Whoever has been due for so long waits no longer behind pairs that were just woken."""


@dataclass(frozen=True, slots=True)
class Pair:
    id: int
    calendar_id: int
    remote_calendar_id: int
    direction: Direction
    interval_seconds: int | None
    realtime: bool
    phase: str
    hub_cursor: int
    remote_cursor: str | None
    generation: int
    listing: bool
    parked: Mapping[str, Any] | None
    approved: bool
    due_at: dt.datetime | None
    lease_owner: str | None
    lease_until: dt.datetime | None
    failures: int
    last_attempt_at: dt.datetime | None
    last_success_at: dt.datetime | None
    last_error: str | None
    created_at: dt.datetime
    projection: Mapping[str, Any] | None
    invitations: bool
    cycles: int
    idle: int
    audited_at: dt.datetime | None
    divergences: int | None

    @property
    def manual(self) -> bool:
        """Whether it is synced only when told to: nothing about it goes on by itself."""
        return self.interval_seconds is None and not self.realtime


def _pair(row: sa.RowMapping) -> Pair:
    return Pair(**row)


def add(
    conn: sa.Connection,
    *,
    calendar_id: int,
    remote_calendar_id: int,
    direction: Direction = "both",
    interval_seconds: int | None = 300,
    realtime: bool = True,
    now: dt.datetime,
) -> Pair:
    """A new pair, due at once unless it is manual. Raises AlreadyExists: two pairs on one remote chase each other (R19)."""
    if of_remote_calendar(conn, remote_calendar_id) is not None:
        raise AlreadyExists("this remote calendar is paired already")
    manual = interval_seconds is None and not realtime
    row = (
        conn.execute(
            sa.insert(pairs)
            .values(
                calendar_id=calendar_id,
                remote_calendar_id=remote_calendar_id,
                direction=direction,
                interval_seconds=interval_seconds,
                realtime=realtime,
                due_at=None if manual else now,
                created_at=now,
            )
            .returning(*pairs.c)
        )
        .mappings()
        .one()
    )
    return _pair(row)


_BY_ID = sa.select(pairs).where(pairs.c.id == sa.bindparam("id"))  # built once: every step of a cycle begins with it


def get(conn: sa.Connection, pair_id: int) -> Pair:
    """Raises NotFound."""
    row = conn.execute(_BY_ID, {"id": pair_id}).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no pair {pair_id}")
    return _pair(row)


def every(conn: sa.Connection) -> list[Pair]:
    """In the order they were made."""
    return [_pair(row) for row in conn.execute(sa.select(pairs).order_by(pairs.c.id)).mappings()]


def of_calendar(conn: sa.Connection, calendar_id: int) -> list[Pair]:
    query = sa.select(pairs).where(pairs.c.calendar_id == calendar_id).order_by(pairs.c.id)
    return [_pair(row) for row in conn.execute(query).mappings()]


def of_remote_calendar(conn: sa.Connection, remote_calendar_id: int) -> Pair | None:
    row = (
        conn.execute(sa.select(pairs).where(pairs.c.remote_calendar_id == remote_calendar_id)).mappings().one_or_none()
    )
    return None if row is None else _pair(row)


def remove(conn: sa.Connection, pair_id: int) -> None:
    """Forget the pair and its memory; the events stay on both sides. Raises NotFound."""
    if conn.execute(sa.delete(pairs).where(pairs.c.id == pair_id)).rowcount == 0:
        raise NotFound(f"there is no pair {pair_id}")


# --- the queue -----------------------------------------------------------------------------------------------------


def claim_due(
    conn: sa.Connection,
    *,
    owner: str,
    now: dt.datetime,
    lease: dt.timedelta,
    limit: int,
    cycles: Mapping[str, int] | None = None,
    filling: bool | None = None,
) -> list[Pair]:
    """Take up to ``limit`` pairs whose time has come: those with news first, then the longest due. Nobody waits for anybody.

    Of one account no more than ``cycles`` (by provider; others have no limit) are at work at once, in all processes together;
    none while its circuit is open or it needs its person, and one when the circuit has just been open (R33). ``filling``
    chooses pairs that are being filled (see ``_filling``), or the others; None: both.
    """
    due = (
        sa.select(pairs.c.id)
        # said again, for a row that somebody else has taken since the candidates were looked up
        .where(pairs.c.due_at <= now, _free(now), pairs.c.id.in_(_candidates(now, cycles or {}, filling)))
        .order_by(_rank(now), pairs.c.due_at, pairs.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return _claim(conn, pairs.c.id.in_(due.scalar_subquery()), owner=owner, now=now, lease=lease)


def any_due(
    conn: sa.Connection, now: dt.datetime, *, cycles: Mapping[str, int] | None = None, filling: bool | None = None
) -> bool:
    """True if ``claim_due`` would find something: one read that begins at the due ones, for the many ticks that find none."""
    return conn.execute(_candidates(now, cycles or {}, filling).limit(1)).first() is not None


def _candidates(now: dt.datetime, cycles: Mapping[str, int], filling: bool | None) -> sa.Select[tuple[int]]:
    """The due pairs that their accounts have room for."""
    at_work, theirs = pairs.alias("at_work"), remote_calendars.alias("theirs")
    busy = (
        sa.select(sa.func.count())
        .select_from(at_work.join(theirs, theirs.c.id == at_work.c.remote_calendar_id))
        .where(
            theirs.c.account_id == accounts.c.id,
            at_work.c.lease_owner.is_not(None),
            at_work.c.lease_until > _instant(now),
        )
        .correlate(accounts)
        .scalar_subquery()
    )
    room = sa.case(
        (accounts.c.closed_until.is_not(None), 1),
        *((accounts.c.provider == name, most) for name, most in cycles.items()),
        else_=1 << 30,
    )
    turn = sa.func.row_number().over(partition_by=accounts.c.id, order_by=[_rank(now), pairs.c.due_at, pairs.c.id])
    chosen = [_filling() if filling else ~_filling()] if filling is not None else []
    ready = (
        sa.select(pairs.c.id, turn.label("turn"), (room - busy).label("room"))
        .select_from(
            pairs.join(remote_calendars, remote_calendars.c.id == pairs.c.remote_calendar_id).join(
                accounts, accounts.c.id == remote_calendars.c.account_id
            )
        )
        .where(
            pairs.c.due_at <= now,
            _free(now),
            ~accounts.c.needs_reconnect,
            sa.or_(accounts.c.closed_until.is_(None), accounts.c.closed_until <= now),
            *chosen,
        )
        .subquery("ready")
    )
    return sa.select(ready.c.id).where(ready.c.turn <= ready.c.room)


def _rank(now: dt.datetime) -> sa.ColumnElement[int]:
    """Pairs that something has just happened to go before those that are only looked after, which are not put off for long."""
    return sa.case((sa.or_(pairs.c.idle == 0, pairs.c.due_at <= now - LATE), 0), else_=1)


def _filling() -> sa.ColumnElement[bool]:
    """A first sync, a complete listing or its many writes: that may take minutes, and nobody waits for a single event of it."""
    backfill = sa.exists().where(outbox.c.pair_id == pairs.c.id, outbox.c.backfill)
    return sa.or_(pairs.c.phase == "pairing", pairs.c.listing, backfill)


def claim(conn: sa.Connection, pair_id: int, *, owner: str, now: dt.datetime, lease: dt.timedelta) -> Pair | None:
    """Take this one, due or not. None while another worker has it. Raises NotFound."""
    taken = _claim(conn, sa.and_(pairs.c.id == pair_id, _free(now)), owner=owner, now=now, lease=lease)
    if not taken:
        get(conn, pair_id)
        return None
    return taken[0]


def borrow(conn: sa.Connection, pair_id: int, *, owner: str, now: dt.datetime, lease: dt.timedelta) -> Pair | None:
    """Keep others off while somebody only looks: that is no cycle, and the pair stays due when it was due.

    None while a worker has it. Raises NotFound. ``give_back`` ends it, or the end of the lease does.
    """
    taken = sa.update(pairs).where(pairs.c.id == pair_id, _free(now)).values(lease_owner=owner, lease_until=now + lease)
    row = conn.execute(taken.returning(*pairs.c)).mappings().one_or_none()
    if row is None:
        get(conn, pair_id)
        return None
    return _pair(row)


def give_back(conn: sa.Connection, pair_id: int, *, owner: str, **outcome: Any) -> None:
    """What was borrowed; ``outcome`` is what to note of it. Once somebody else has it, or it is gone, nothing is changed."""
    mine = sa.update(pairs).where(pairs.c.id == pair_id, pairs.c.lease_owner == owner)
    conn.execute(mine.values(lease_owner=None, lease_until=None, **outcome))


def hold(conn: sa.Connection, pair_id: int, *, now: dt.datetime) -> Pair | None:
    """Keep every worker off this pair until the transaction ends, also one that was given up for dead. None while one has it.

    So its owner's word cannot fall between what a cycle has read and what it writes. Raises NotFound.
    """
    kept = sa.update(pairs).where(pairs.c.id == pair_id, _free(now)).values(lease_owner=None, lease_until=None)
    row = conn.execute(kept.returning(*pairs.c)).mappings().one_or_none()
    if row is None:
        get(conn, pair_id)
        return None
    return _pair(row)


def _free(now: dt.datetime) -> sa.ColumnElement[bool]:
    return sa.or_(pairs.c.lease_owner.is_(None), pairs.c.lease_until <= now)


def _claim(
    conn: sa.Connection, which: sa.ColumnElement[bool], *, owner: str, now: dt.datetime, lease: dt.timedelta
) -> list[Pair]:
    until = now + lease
    rows = conn.execute(
        sa.update(pairs)
        .where(which)
        .values(lease_owner=owner, lease_until=until, due_at=until, last_attempt_at=now, cycles=pairs.c.cycles + 1)
        .returning(*pairs.c)
    )
    return sorted((_pair(row) for row in rows.mappings()), key=lambda pair: pair.id)


def renew(conn: sa.Connection, pair_id: int, *, owner: str, now: dt.datetime, lease: dt.timedelta) -> Pair:
    """Prolong the lease, and hold the pair's row until the transaction ends: the fence before every write (R8).

    Raises LeaseLost once another worker has taken over; an expired lease that nobody has taken is still good.
    """
    until = now + lease
    renewed = conn.execute(
        sa.update(pairs)
        .where(pairs.c.id == pair_id, pairs.c.lease_owner == owner)
        .values(
            lease_until=until,
            due_at=sa.case((pairs.c.due_at == pairs.c.lease_until, _instant(until)), else_=pairs.c.due_at),
        )
        .returning(*pairs.c)
    )
    row = renewed.mappings().one_or_none()
    if row is None:
        raise LeaseLost(f"pair {pair_id} is no longer {owner}'s")
    return _pair(row)


def _instant(at: dt.datetime) -> sa.BindParameter[dt.datetime]:
    return sa.literal(at, pairs.c.due_at.type)


def finish(
    conn: sa.Connection,
    pair_id: int,
    *,
    owner: str,
    now: dt.datetime,
    error: str | None = None,
    retry_after: float | None = None,
    news: bool | None = None,
    progressed: bool = False,
) -> None:
    """Give the lease back and say when the pair is due next. ``error`` is in plain words, ``retry_after`` in seconds.

    After a success it is due at its interval, before it if an intent waits to be sent again, or at once if it was woken
    meanwhile; in real time and without notifications sooner or later than that, as it found ``news`` or none
    (``polling.pause``; None: nobody has looked). After a failure it waits, each time twice as long, and never shorter than
    the service asked for; a cycle that ``progressed`` before it failed begins the count anew, and waits as long as the
    service says, if it says it. Raises LeaseLost.
    """
    pair = _held(conn, pair_id, owner)
    woken = _woken(pair)
    outcome: dict[str, Any]
    if error is None:
        idle = pair.idle if news is None else 0 if news else pair.idle + 1
        outcome = {
            "failures": 0,
            "last_success_at": now,
            "last_error": None,
            "idle": idle,
            "due_at": woken or _next(conn, pair, idle if news is not None else None, now),
        }
    else:
        failures = 0 if progressed else pair.failures
        own = dt.timedelta() if progressed and retry_after else backoff(failures)
        wait = max(own, dt.timedelta(seconds=retry_after or 0))
        outcome = {
            "failures": failures + 1,
            "last_error": error,
            "due_at": None if pair.manual else now + wait,
        }
    _give_back(conn, pair, outcome)


def postpone(conn: sa.Connection, pair_id: int, *, owner: str, until: dt.datetime) -> None:
    """Give the lease back for a cycle that was not its turn: no success and no failure, due again then. Raises LeaseLost.

    A manual pair was asked for by a person, who is told; it does not come back by itself.
    """
    pair = _held(conn, pair_id, owner)
    _give_back(conn, pair, {"due_at": None if pair.manual else until})


def _held(conn: sa.Connection, pair_id: int, owner: str) -> Pair:
    # locked, or a wake between this look and the write below would be lost
    locked = sa.select(pairs).where(pairs.c.id == pair_id).with_for_update(key_share=True)
    row = conn.execute(locked).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no pair {pair_id}")
    pair = _pair(row)
    if pair.lease_owner != owner:
        raise LeaseLost(f"pair {pair_id} is no longer {owner}'s")
    return pair


def _woken(pair: Pair) -> dt.datetime | None:
    return pair.due_at if pair.due_at != pair.lease_until else None


def _next(conn: sa.Connection, pair: Pair, idle: int | None, now: dt.datetime) -> dt.datetime | None:
    if pair.interval_seconds is None:
        return None
    late = sa.and_(outbox.c.pair_id == pair.id, outbox.c.not_before > now)
    waiting = conn.scalar(sa.select(sa.func.min(outbox.c.not_before)).where(late))
    look = now + _pause(conn, pair, dt.timedelta(seconds=pair.interval_seconds), idle, now)
    return look if waiting is None else min(look, waiting)


def _pause(conn: sa.Connection, pair: Pair, interval: dt.timedelta, idle: int | None, now: dt.datetime) -> dt.timedelta:
    if not pair.realtime or idle is None:  # whoever said every twenty minutes gets every twenty minutes
        return interval
    alive = sa.select(channels.c.id).where(channels.c.pair_id == pair.id, channels.c.expires_at > now).limit(1)
    return polling.pause(interval, idle, told=conn.execute(alive).first() is not None)


def _give_back(conn: sa.Connection, pair: Pair, outcome: Mapping[str, Any]) -> None:
    conn.execute(
        sa.update(pairs)
        .where(pairs.c.id == pair.id, pairs.c.lease_owner == pair.lease_owner)
        .values(lease_owner=None, lease_until=None, **outcome)
    )


def backoff(failures: int) -> dt.timedelta:
    """How long to wait after that many failures before this one: 30 s, 1 min, 2 min … 1 h."""
    return min(FIRST_RETRY * (1 << min(failures, 16)), LAST_RETRY)


def wake(conn: sa.Connection, pair_id: int, *, now: dt.datetime) -> None:
    """Something may have changed: due at once, unless the pair waits for its interval or after a failure (R30, R33)."""
    conn.execute(_WAKE, {"id_": pair_id, "now_": now})


def wake_calendar(conn: sa.Connection, calendar_id: int, *, now: dt.datetime, but: int | None = None) -> None:
    """The hub's calendar has changed: wake its pairs, but for the one that did it."""
    conn.execute(_WAKE_CALENDAR, {"calendar": calendar_id, "but": but or 0, "now_": now})


def revive_account(conn: sa.Connection, account_id: int, *, now: dt.datetime) -> None:
    """The account was connected (again): what failed for want of consent is tried at once (R15), but for manual pairs."""
    of_account = sa.select(remote_calendars.c.id).where(remote_calendars.c.account_id == account_id)
    manual = sa.and_(pairs.c.interval_seconds.is_(None), ~pairs.c.realtime)
    conn.execute(
        sa.update(pairs)
        .where(pairs.c.remote_calendar_id.in_(of_account), pairs.c.failures > 0)
        .values(failures=0, last_error=None, idle=0, due_at=sa.case((manual, pairs.c.due_at), else_=_instant(now)))
    )


def without_fresh_channel(conn: sa.Connection, now: dt.datetime) -> list[int]:
    """Real-time pairs that have no channel, or none still in the first half of its life (R30)."""
    fresh = sa.select(channels.c.pair_id).where(
        channels.c.created_at + channels.c.expires_at > _instant(now) + _instant(now)
    )
    query = sa.select(pairs.c.id).where(pairs.c.realtime, pairs.c.id.not_in(fresh)).order_by(pairs.c.id)
    return list(conn.execute(query).scalars())


def _wake(*which: sa.ColumnElement[bool]) -> sa.Update:
    """One that is due already is told that there is news (``idle``), so it goes first; what is told again changes no row."""
    now = sa.bindparam("now_", type_=pairs.c.due_at.type)
    later = sa.or_(pairs.c.due_at.is_(None), pairs.c.due_at > now)
    patient = sa.and_(pairs.c.failures > 0, pairs.c.lease_owner.is_(None))  # it waits after a failure
    return (
        sa.update(pairs)
        .where(*which, pairs.c.realtime, ~patient, sa.or_(later, pairs.c.idle > 0))
        .values(idle=0, due_at=sa.case((later, now), else_=pairs.c.due_at))
    )


# Built once: every write wakes its calendar's pairs.
_WAKE = _wake(pairs.c.id == sa.bindparam("id_"))
_WAKE_CALENDAR = _wake(pairs.c.calendar_id == sa.bindparam("calendar"), pairs.c.id != sa.bindparam("but"))


# --- the owner's word ----------------------------------------------------------------------------------------------


def approve(conn: sa.Connection, pair_id: int, *, now: dt.datetime) -> None:
    """The owner has seen the parked plan and wants it done; the next cycle does it. Raises NotFound if none is parked."""
    done = conn.execute(
        sa.update(pairs)
        .where(pairs.c.id == pair_id, pairs.c.parked.is_not(None))
        .values(approved=True, due_at=now, idle=0)
    )
    if done.rowcount == 0:
        raise NotFound(f"pair {pair_id} has no parked plan")


def set_terms(
    conn: sa.Connection,
    pair_id: int,
    *,
    direction: Direction,
    interval_seconds: int | None,
    realtime: bool,
    projection: Mapping[str, Any] | None,
    invitations: bool,
    now: dt.datetime,
) -> Pair:
    """Change how the pair is kept. Raises NotFound.

    In another direction everything is planned anew against the bases: what was passed over until now is a diff, and nothing
    that both sides agree on is written (R22).
    """
    turned = get(conn, pair_id).direction != direction
    if turned:
        conn.execute(sa.update(inbox).where(inbox.c.pair_id == pair_id).values(pending=True))
    row = (
        conn.execute(
            sa.update(pairs)
            .where(pairs.c.id == pair_id)
            .values(
                direction=cast("str", direction),
                interval_seconds=interval_seconds,
                realtime=realtime,
                projection=projection,
                invitations=invitations,
                idle=0,
                due_at=None if interval_seconds is None and not realtime else now,
                **({"hub_cursor": 0} if turned else {}),
            )
            .returning(*pairs.c)
        )
        .mappings()
        .one()
    )
    return _pair(row)


def stop(conn: sa.Connection, pair_id: int) -> None:
    """Whoever is at work on it knows other terms, and writes nothing any more (LeaseLost)."""
    conn.execute(sa.update(pairs).where(pairs.c.id == pair_id).values(lease_owner=None, lease_until=None))
