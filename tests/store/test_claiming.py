"""Whose turn it is: what an account allows, who goes first, and what is not asked at all (R33, M-77)."""

import datetime as dt
import threading

import pytest
import sqlalchemy as sa

from bridge.store import accounts, outbox, pairs, tables
from bridge.sync.ledger import Intent

LEASE = dt.timedelta(minutes=5)
TWO = {"google": 2}


def minutes(count):
    return dt.timedelta(minutes=count)


@pytest.fixture
def claim(database, t0):
    def take(*, now=t0, limit=9, owner="w", **terms):
        with database.read() as conn:
            foreseen = pairs.any_due(conn, now, **terms)
        with database.write() as conn:
            taken = pairs.claim_due(conn, owner=owner, now=now, lease=LEASE, limit=limit, **terms)
        assert bool(taken) == foreseen
        return [pair.id for pair in taken]

    return take


@pytest.fixture
def steady(calendar, make_pair, t0):
    """A pair at rest, due now; ``values`` as of its row."""

    def make(**values):
        return make_pair(calendar, **{"phase": "steady", "listing": False, "idle": 3, "due_at": t0, **values})

    return make


def set_account(database, account, **values):
    with database.write() as conn:
        conn.execute(sa.update(tables.accounts).where(tables.accounts.c.id == account.id).values(values))


def finish(database, pair, now, **outcome):
    with database.write() as conn:
        pairs.finish(conn, pair, owner="w", now=now, **outcome)


def test_m77_no_more_cycles_of_an_account_than_it_allows(database, steady, claim, t0):
    first, second, third, fourth = (steady(due_at=t0 - minutes(age)) for age in (4, 3, 2, 1))
    assert claim(cycles=TWO, limit=1) == [first]
    assert claim(cycles=TWO) == [second]
    assert claim(cycles=TWO) == []
    finish(database, first, t0)
    assert claim(cycles=TWO) == [third]
    assert claim(cycles={"microsoft": 2}) == [fourth], "another provider's limit"


def test_a_worker_that_died_takes_no_place_for_ever(steady, claim, t0):
    for _ in range(3):
        steady()
    assert len(claim(cycles=TWO, owner="dead")) == 2
    assert len(claim(cycles=TWO)) == 0
    assert len(claim(cycles=TWO, now=t0 + LEASE)) == 2


def test_m77_workers_that_look_at_once_do_not_exceed_it(database, steady, claim):
    made = [steady() for _ in range(8)]
    taken, start = [], threading.Barrier(4)

    def look(owner):
        start.wait()
        for _ in range(5):
            taken.extend(claim_quietly(database, owner))

    def claim_quietly(database, owner):
        with database.write() as conn:
            now = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
            return [pair.id for pair in pairs.claim_due(conn, owner=owner, now=now, lease=LEASE, limit=3, cycles=TWO)]

    threads = [threading.Thread(target=look, args=[f"w{number}"]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 2
    assert set(taken) < set(made)


def test_r33_while_the_circuit_is_open_nothing_is_asked_then_one_at_a_time(database, account, steady, claim, t0):
    pairs_ = [steady() for _ in range(3)]
    set_account(database, account, closed_until=t0 + minutes(60), closed_reason="the quota is used up", strains=1)
    assert claim(now=t0 + minutes(59)) == []
    probe = claim(now=t0 + minutes(60))
    assert len(probe) == 1
    assert claim(now=t0 + minutes(60)) == [], "one cycle tries whether it is over"
    with database.write() as conn:
        accounts.relieve(conn, account.id, now=t0 + minutes(61))
        pairs.finish(conn, probe[0], owner="w", now=t0 + minutes(61))
    assert sorted([*probe, *claim(now=t0 + minutes(61))]) == sorted(pairs_)


def test_r28_a_dead_grant_costs_nothing(database, account, steady, claim, vault, alice, t0):
    pair = steady()
    with database.write() as conn:
        accounts.needs_reconnect(conn, account.id)
    assert claim() == []
    with database.write() as conn:
        accounts.add(
            conn,
            vault,
            principal_id=alice.id,
            provider="google",
            sandbox=False,
            subject="1234",
            email="alice@gmail.example",
            grant="refresh-2",
            now=t0,
        )
    assert claim() == [pair]


def test_r33_what_was_just_changed_goes_before_what_is_only_looked_after(database, steady, claim, t0):
    looked_after = steady(due_at=t0 - minutes(1))
    late = steady(due_at=t0 - minutes(3))
    woken = steady(due_at=t0 + minutes(5))
    told_again = steady(due_at=t0 - minutes(1))
    with database.write() as conn:
        pairs.wake(conn, woken, now=t0)
        pairs.wake(conn, told_again, now=t0)
    order = [claim(limit=1)[0] for _ in range(4)]
    assert order == [late, told_again, woken, looked_after], "nor is anybody put off for long"


def test_r33_filling_a_pair_is_told_from_keeping_it(database, calendar, make_pair, steady, claim, t0):
    keeping, first = steady(), make_pair(calendar, due_at=t0)
    anew, sending = steady(listing=True), steady()
    with database.write() as conn:
        outbox.save(conn, sending, [Intent("a", "create", backfill=True), Intent("b", "update")], now=t0)
        outbox.save(conn, keeping, [Intent("a", "create")], now=t0)
    assert claim(filling=False) == [keeping]
    assert claim(filling=True) == [first, anew, sending]
    assert claim(filling=None) == []


def test_a_flood_of_notices_changes_a_row_once(database, steady, t0):
    pair = steady(due_at=t0 - minutes(1))
    with database.write() as conn:
        changed = [conn.execute(pairs._WAKE, {"id_": pair, "now_": t0}).rowcount for _ in range(3)]
    assert changed == [1, 0, 0]


# --- when it comes again


def due_in(pair_due, pair, now):
    return (pair_due(pair) - now).total_seconds()


def test_without_notifications_it_is_looked_after_as_it_is_used(database, steady, claim, pair_due, t0):
    pair, pauses = steady(), []
    for news in [True] + [False] * 29 + [True]:
        assert claim() == [pair]
        finish(database, pair, t0, news=news)
        pauses.append(due_in(pair_due, pair, t0))
        with database.write() as conn:
            conn.execute(sa.update(tables.pairs).values(due_at=t0))
    assert pauses == [60, 120, 180, 240, *[300] * 24, 600, 600, 60]


def test_a_wake_ends_a_long_quiet(database, steady, claim, pair_due, t0):
    pair = steady(idle=500, due_at=t0 + minutes(9))
    with database.write() as conn:
        pairs.wake(conn, pair, now=t0)
    assert claim() == [pair]
    finish(database, pair, t0, news=False)
    assert due_in(pair_due, pair, t0) == 120


@pytest.mark.parametrize("news", [True, False])
def test_r30_beside_notifications_the_safety_poll_keeps_its_interval(database, steady, claim, pair_due, t0, news):
    pair = steady(idle=500)
    with database.write() as conn:
        conn.execute(
            sa.insert(tables.channels).values(
                id="c", pair_id=pair, resource="", secret="s", created_at=t0, expires_at=t0 + minutes(60)
            )
        )
    claim()
    finish(database, pair, t0, news=news)
    assert due_in(pair_due, pair, t0) == 300
    claim(now=t0 + minutes(61))
    finish(database, pair, t0 + minutes(61), news=news)
    assert due_in(pair_due, pair, t0 + minutes(61)) == (60 if news else 1200), "the channel has ended"


@pytest.mark.parametrize("news", [True, False])
def test_who_said_how_often_gets_that(database, steady, claim, pair_due, t0, news):
    pair = steady(idle=500, realtime=False, interval_seconds=1200)
    claim()
    finish(database, pair, t0, news=news)
    assert due_in(pair_due, pair, t0) == 1200


def test_a_cycle_that_was_not_its_turn_is_neither_success_nor_failure(database, steady, claim, pair_due, t0):
    pair = steady(failures=2, last_error="down", last_success_at=t0 - minutes(9))
    claim()
    with database.write() as conn:
        pairs.postpone(conn, pair, owner="w", until=t0 + minutes(7))
        left = pairs.get(conn, pair)
    assert (left.due_at, left.failures, left.last_error) == (t0 + minutes(7), 2, "down")
    assert (left.last_success_at, left.lease_owner) == (t0 - minutes(9), None)
