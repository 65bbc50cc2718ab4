"""The queue of pairs: who gets what, when it is due again, and that no one works twice."""

import datetime as dt

import pytest

from bridge.errors import AlreadyExists, LeaseLost, NotFound
from bridge.store import outbox, pairs, remote_calendars
from bridge.sync.ledger import Intent
from bridge.sync.ports import RemoteCalendar

LEASE = dt.timedelta(minutes=5)


def minutes(count):
    return dt.timedelta(minutes=count)


@pytest.fixture
def pair(calendar, make_pair, t0):
    return make_pair(calendar, due_at=t0)


def act(database, what, *args, **kwargs):
    with database.write() as conn:
        return what(conn, *args, **kwargs)


def test_r19_a_remote_calendar_has_one_pair(database, calendar, account, t0):
    with database.write() as conn:
        (remote,) = remote_calendars.remember(
            conn, account.id, [RemoteCalendar(id="r", name="R", writable=True, primary=True)]
        )
        made = pairs.add(conn, calendar_id=calendar, remote_calendar_id=remote.id, now=t0)
        assert (made.direction, made.phase, made.due_at, made.listing) == ("both", "pairing", t0, True)
        assert pairs.of_remote_calendar(conn, remote.id) == pairs.get(conn, made.id) == made
        assert pairs.of_calendar(conn, calendar) == pairs.every(conn) == [made]
        with pytest.raises(AlreadyExists):
            pairs.add(conn, calendar_id=calendar, remote_calendar_id=remote.id, now=t0)
        pairs.remove(conn, made.id)
        assert pairs.of_remote_calendar(conn, remote.id) is None
        with pytest.raises(NotFound):
            pairs.get(conn, made.id)
        with pytest.raises(NotFound):
            pairs.remove(conn, made.id)


def test_due_pairs_are_claimed_once_the_longest_due_first(database, calendar, make_pair, t0):
    late, now_due, later = (make_pair(calendar, due_at=t0 + minutes(m)) for m in (-9, 0, 9))
    first = act(database, pairs.claim_due, owner="a", now=t0, lease=LEASE, limit=1)
    second = act(database, pairs.claim_due, owner="b", now=t0, lease=LEASE, limit=9)
    assert [each.id for each in first] == [late]
    assert [each.id for each in second] == [now_due]
    assert act(database, pairs.claim_due, owner="c", now=t0, lease=LEASE, limit=9) == []
    assert [
        each.id for each in act(database, pairs.claim_due, owner="c", now=t0 + minutes(10), lease=LEASE, limit=9)
    ] == [
        late,
        now_due,
        later,
    ]


def test_a_pair_may_be_claimed_by_name_but_not_from_another_worker(database, pair, t0):
    assert act(database, pairs.claim, pair, owner="a", now=t0, lease=LEASE).lease_owner == "a"
    assert act(database, pairs.claim, pair, owner="b", now=t0 + minutes(4), lease=LEASE) is None
    assert act(database, pairs.claim, pair, owner="b", now=t0 + minutes(5), lease=LEASE).lease_owner == "b"
    with pytest.raises(NotFound):
        act(database, pairs.claim, pair + 99, owner="a", now=t0, lease=LEASE)


def test_a_lease_is_renewed_by_its_owner_alone(database, pair, pair_due, t0):
    act(database, pairs.claim, pair, owner="a", now=t0, lease=LEASE)
    act(database, pairs.renew, pair, owner="a", now=t0 + minutes(4), lease=LEASE)
    assert pair_due(pair) == t0 + minutes(9)
    assert act(database, pairs.claim, pair, owner="b", now=t0 + minutes(6), lease=LEASE) is None
    act(database, pairs.claim, pair, owner="b", now=t0 + minutes(9), lease=LEASE)
    with pytest.raises(LeaseLost):
        act(database, pairs.renew, pair, owner="a", now=t0 + minutes(9), lease=LEASE)
    with pytest.raises(LeaseLost):
        act(database, pairs.finish, pair, owner="a", now=t0 + minutes(9))


def test_a_success_makes_it_due_at_its_interval(database, pair, t0):
    act(database, pairs.claim, pair, owner="a", now=t0, lease=LEASE)
    act(database, pairs.finish, pair, owner="a", now=t0 + minutes(1))
    done = act(database, pairs.get, pair)
    assert (done.due_at, done.last_success_at, done.last_attempt_at) == (t0 + minutes(6), t0 + minutes(1), t0)
    assert (done.lease_owner, done.lease_until, done.failures, done.last_error) == (None, None, 0, None)


def test_a_wake_during_the_cycle_is_not_lost(database, pair, pair_due, t0):
    act(database, pairs.claim, pair, owner="a", now=t0, lease=LEASE)
    act(database, pairs.wake, pair, now=t0 + minutes(1))
    act(database, pairs.renew, pair, owner="a", now=t0 + minutes(2), lease=LEASE)
    act(database, pairs.finish, pair, owner="a", now=t0 + minutes(3))
    assert pair_due(pair) == t0 + minutes(1)


def test_failures_wait_longer_each_time_and_no_wake_shortens_that(database, pair, pair_due, t0):
    now, waits = t0, []
    for _ in range(9):
        assert act(database, pairs.claim_due, owner="a", now=now, lease=LEASE, limit=1)
        act(database, pairs.finish, pair, owner="a", now=now, error="the service does not answer")
        act(database, pairs.wake, pair, now=now)
        waits.append((pair_due(pair) - now).total_seconds())
        now = pair_due(pair)
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert act(database, pairs.get, pair).last_error == "the service does not answer"
    act(database, pairs.claim, pair, owner="a", now=now, lease=LEASE)
    act(database, pairs.finish, pair, owner="a", now=now)
    assert act(database, pairs.get, pair).failures == 0


def test_a_wake_while_it_tries_again_is_not_lost(database, pair, pair_due, t0):
    act(database, pairs.claim, pair, owner="a", now=t0, lease=LEASE)
    act(database, pairs.finish, pair, owner="a", now=t0, error="down")
    act(database, pairs.claim, pair, owner="a", now=t0 + minutes(1), lease=LEASE)
    act(database, pairs.wake, pair, now=t0 + minutes(2))
    act(database, pairs.finish, pair, owner="a", now=t0 + minutes(3))
    assert pair_due(pair) == t0 + minutes(2)


def test_r33_the_services_own_time_to_wait_is_kept(database, pair, pair_due, t0):
    act(database, pairs.claim, pair, owner="a", now=t0, lease=LEASE)
    act(database, pairs.finish, pair, owner="a", now=t0, error="slow down", retry_after=900)
    assert pair_due(pair) == t0 + minutes(15)


def test_a_failure_behind_some_progress_waits_like_a_first_one(database, pair, pair_due, t0):
    for _ in range(4):
        act(database, pairs.claim, pair, owner="a", now=t0, lease=LEASE)
        act(database, pairs.finish, pair, owner="a", now=t0, error="no answer", progressed=True)
    assert (pair_due(pair) - t0).total_seconds() == 30
    act(database, pairs.claim, pair, owner="a", now=t0, lease=LEASE)
    act(database, pairs.finish, pair, owner="a", now=t0, error="slow down", retry_after=2, progressed=True)
    assert (pair_due(pair) - t0).total_seconds() == 2


def test_a_pair_is_due_when_what_waits_in_its_outbox_is(database, pair, pair_due, t0):
    act(database, outbox.save, pair, [Intent("a", "delete", not_before=t0 + minutes(2))], now=t0)
    act(database, pairs.claim, pair, owner="a", now=t0, lease=LEASE)
    act(database, pairs.finish, pair, owner="a", now=t0 + minutes(1))
    assert pair_due(pair) == t0 + minutes(2)
    act(database, pairs.claim, pair, owner="a", now=t0 + minutes(2), lease=LEASE)
    act(database, pairs.finish, pair, owner="a", now=t0 + minutes(3))
    assert pair_due(pair) == t0 + minutes(8), "what is late already was this cycle's business"


def test_a_manual_pair_is_due_only_when_somebody_says_so(database, calendar, make_pair, pair_due, t0):
    pair = make_pair(calendar, interval_seconds=None, realtime=False)
    act(database, pairs.wake, pair, now=t0)
    act(database, pairs.wake_calendar, calendar, now=t0)
    assert pair_due(pair) is None
    act(database, pairs.claim, pair, owner="a", now=t0, lease=LEASE)
    act(database, pairs.finish, pair, owner="a", now=t0)
    assert pair_due(pair) is None


def test_a_worker_that_died_leaves_its_pair_due(database, pair, t0):
    act(database, pairs.claim, pair, owner="dead", now=t0, lease=LEASE)
    assert act(database, pairs.claim_due, owner="b", now=t0 + minutes(4), lease=LEASE, limit=1) == []
    assert act(database, pairs.claim_due, owner="b", now=t0 + minutes(5), lease=LEASE, limit=1)


def test_a_change_wakes_the_calendars_other_pairs(database, calendar, make_pair, pair_due, t0):
    one, other = make_pair(calendar, due_at=t0 + minutes(5)), make_pair(calendar, due_at=t0 + minutes(5))
    act(database, pairs.wake_calendar, calendar, now=t0, but=one)
    assert (pair_due(one), pair_due(other)) == (t0 + minutes(5), t0)


def test_r6_only_a_parked_plan_can_be_approved(database, calendar, make_pair, t0):
    plain, parked = make_pair(calendar), make_pair(calendar, parked={"hub": 12, "remote": 0})
    with pytest.raises(NotFound):
        act(database, pairs.approve, plain, now=t0)
    act(database, pairs.approve, parked, now=t0)
    assert act(database, pairs.get, parked).approved


def test_the_terms_of_a_pair_can_be_changed(database, pair, t0):
    changed = act(
        database,
        pairs.set_terms,
        pair,
        direction="pull",
        interval_seconds=None,
        realtime=False,
        projection=None,
        invitations=True,
        now=t0,
    )
    assert (changed.direction, changed.interval_seconds) == ("pull", None)
    assert changed.due_at is None
    with pytest.raises(NotFound):
        act(
            database,
            pairs.set_terms,
            pair + 99,
            direction="both",
            interval_seconds=1,
            realtime=True,
            projection=None,
            invitations=True,
            now=t0,
        )


def test_its_owners_word_waits_for_a_worker_but_not_for_one_that_died(database, pair, pair_due, t0):
    assert act(database, pairs.hold, pair, now=t0).id == pair
    act(database, pairs.claim, pair, owner="a", now=t0, lease=LEASE)
    assert act(database, pairs.hold, pair, now=t0 + minutes(4)) is None
    act(database, pairs.renew, pair, owner="a", now=t0 + minutes(4), lease=LEASE)
    assert act(database, pairs.hold, pair, now=t0 + minutes(9)).lease_owner is None
    with pytest.raises(LeaseLost):
        act(database, pairs.renew, pair, owner="a", now=t0 + minutes(9), lease=LEASE)
    assert pair_due(pair) == t0 + minutes(9)
    with pytest.raises(NotFound):
        act(database, pairs.hold, pair + 99, now=t0)
