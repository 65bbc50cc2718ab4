"""A service that asks for patience, on the simulated services: what is asked of it then, and what the owner is told (R33)."""

import datetime as dt
import threading

import pytest

from bridge.cli.status import _in_words
from bridge.errors import Paced, Throttled
from bridge.policy import circuit
from bridge.services import connecting, pushes, status, syncing
from bridge.store import accounts, pairs

GOOGLE = r"^/google/calendar/v3/"
GRAPH = r"^/microsoft/v1\.0/"


def refusal(reason):
    return {"error": {"code": 403, "errors": [{"domain": "usageLimits", "reason": reason}]}}


@pytest.fixture
def synced(house):
    """``synced(provider, count)``: so many pairs of one account, all synced once."""

    def connect(provider, count=1):
        made = [house.connect(provider).pair_id]
        made += house.more_pairs(provider, count - 1)
        for pair in made:
            assert house.cycle(pair).error is None
        for service in house.services.values():
            service.meter.reset()
        return made

    return connect


def work(house):
    """Everything that is due now, as a worker would do it, one after the other."""
    done = []
    while claimed := syncing.claim_due(house.context, owner="w", limit=1):
        done += [syncing.run(house.context, pair, owner="w") for pair in claimed]
    return done


def shown(house, pair):
    return next(one for one in status.every(house.context) if one.pair == pair)


def test_r33_quota_exceeded_opens_the_circuit_and_is_shown(house, synced):
    first, second = synced("google", 2)
    began = house.context.now()
    house.add("google", "Waits")
    house.sandbox.faults.inject(
        path=GOOGLE, status=403, body=refusal("quotaExceeded"), headers={"Retry-After": "7200"}, times=1
    )
    assert house.cycle(first).error == "the service asks us to slow down; the sync goes on by itself"
    asked = house.sandbox.google.meter.requests

    # neither the other pair nor a person who will not wait asks for anything
    house.pass_by(minutes=119)
    assert work(house) == []
    until = f"{began + dt.timedelta(hours=2):%Y-%m-%d %H:%M}"
    words = f"paused until {until} UTC: Google says the calendar quota is used up; everything goes on by itself"
    assert [house.cycle(pair).error for pair in (first, second)] == [words, words]
    assert house.sandbox.google.meter.requests == asked
    for pair in (first, second):
        found = shown(house, pair)
        assert (found.state, found.paused_until) == ("paused", began + dt.timedelta(hours=2))
        assert found.paused_because == "Google says the calendar quota is used up"
        assert words in _in_words(found)
    assert house.pair(second).failures == 0, "it has done nothing wrong"

    house.pass_by(minutes=1)
    done = work(house)
    assert {one.pair for one in done} == {first, second}
    assert [one.error for one in done] == [None, None]
    assert len(house.objects()) == 1
    assert [one.state for one in status.every(house.context)] == ["ok", "ok"]
    assert shown(house, first).paused_because is None


def test_r33_quota_exceeded_without_a_time_is_an_hour(house, synced):
    (pair,) = synced("google")
    house.sandbox.faults.inject(path=GOOGLE, status=403, body=refusal("quotaExceeded"), times=1)
    house.cycle(pair)
    assert shown(house, pair).paused_until == house.context.now() + dt.timedelta(hours=1)


def test_r33_what_one_pair_is_told_holds_for_all_of_the_account(house, synced):
    """Retry-After: 600, said to one of three; after that time they go on one by one."""
    made = synced("microsoft", 3)
    throttled = {"error": {"code": "TooManyRequests"}}
    house.sandbox.faults.inject(path=GRAPH, status=429, body=throttled, headers={"Retry-After": "600"}, times=1)
    house.pass_by(minutes=6)
    first = work(house)
    assert [bool(one.error) for one in first] == [True], "the others were not even begun"
    asked = house.sandbox.microsoft.meter.requests
    house.pass_by(seconds=599)
    assert work(house) == []
    assert house.sandbox.microsoft.meter.requests == asked
    house.pass_by(seconds=1)
    assert len(syncing.claim_due(house.context, owner="probe", limit=9)) == 1
    assert syncing.claim_due(house.context, owner="other", limit=9) == []
    (probe,) = [pair.id for pair in house.read(pairs.every) if pair.lease_owner == "probe"]
    assert syncing.run(house.context, probe, owner="probe").error is None
    assert sorted(one.pair for one in work(house)) == sorted({*made} - {probe})


def test_r33_rate_limits_in_a_row_open_it_ever_longer(house, synced):
    pair, *_ = synced("google", 2)
    house.sandbox.faults.inject(path=GOOGLE, status=429, body=refusal("rateLimitExceeded"), times=1000)
    paused = []
    for _ in range(6):
        house.cycle(pair)
        until = shown(house, pair).paused_until
        paused.append(0 if until is None else (until - house.context.now()) // dt.timedelta(minutes=1))
        house.pass_by(minutes=paused[-1])
    assert paused == [0, 0, 1, 2, 4, 8]
    house.sandbox.faults.clear()
    assert house.cycle(pair).error is None
    assert house.read(accounts.every)[0].strains == 0


def test_r33_a_service_that_is_down_is_left_alone_by_all_pairs_of_the_account(house, synced):
    made = synced("google", 6)
    house.sandbox.faults.inject(path=GOOGLE, status=503, times=1000)
    house.pass_by(minutes=6)
    assert len(work(house)) == circuit.UNREACHABLE, "the sixth is not even begun"
    assert {shown(house, pair).state for pair in made} == {"paused"}
    assert shown(house, made[0]).paused_because == "Google cannot be reached (HTTP 503)"
    house.sandbox.faults.clear()
    house.pass_by(minutes=1)
    assert all(one.error is None for one in work(house))
    assert {one.state for one in status.every(house.context)} <= {"ok", "failing"}
    house.pass_by(minutes=6)
    work(house)
    assert {one.state for one in status.every(house.context)} == {"ok"}


def test_r28_a_dead_grant_is_no_strain_and_costs_no_request(house, synced):
    first, second = synced("google", 2)
    house.sandbox.google.kill_grants()
    assert "connect it again" in house.cycle(first).error
    account = house.read(accounts.every)[0]
    assert (account.needs_reconnect, account.strains, account.closed_until) == (True, 0, None)
    house.sandbox.google.meter.reset()
    house.pass_by(hours=9)
    assert work(house) == []
    assert "connect it again" in house.cycle(second).error
    assert not pushes.ensure(house.context, second)
    assert house.sandbox.google.meter.requests == 0
    house.connect("google")
    done = work(house)
    assert {one.pair for one in done} == {first, second}
    assert not any(one.error for one in done)


def test_one_calendar_that_fails_does_not_stop_the_others(house, synced):
    bad, good = synced("google", 2)
    house.sandbox.faults.inject(path=GOOGLE + r"calendars/alex", status=503, times=1000)
    for _ in range(8):
        assert house.cycle(bad).error
        assert house.cycle(good).error is None
    assert house.read(accounts.every)[0].closed_until is None


def test_r33_no_notifications_are_asked_for_while_it_is_paused(reachable):
    pair = reachable.connect("google").pair_id
    account = reachable.read(accounts.every)[0]
    with reachable.context.database.write() as conn:
        accounts.strain(conn, account.id, refused=True, retry_after=60, reason="-", now=reachable.context.now())
    before = reachable.sandbox.google.meter.requests
    assert not pushes.ensure(reachable.context, pair)
    assert reachable.sandbox.google.meter.requests == before


@pytest.mark.parametrize(("provider", "path"), [("google", "/watch"), ("microsoft", "/subscriptions")])
def test_r33_what_is_said_to_a_request_for_notifications_holds_for_the_cycles(reachable, provider, path):
    pair = reachable.connect(provider).pair_id
    reachable.sandbox.faults.inject(path=path, status=429, headers={"Retry-After": "900"}, times=1)
    with pytest.raises(Throttled):
        pushes.ensure(reachable.context, pair)
    assert shown(reachable, pair).paused_until == reachable.context.now() + dt.timedelta(seconds=900)
    assert work(reachable) == []


def test_r33_a_cycle_stops_at_once_when_another_was_told_to_wait(house, synced):
    """Two cycles of one account in one process: what one is told, the other heeds before its next request."""
    (pair,) = synced("google")
    account = house.read(accounts.every)[0]
    one, other = (connecting.sign_in(house.context, account) for _ in range(2))
    house.sandbox.faults.inject(
        path=GOOGLE, status=403, body=refusal("rateLimitExceeded"), headers={"Retry-After": "60"}, times=1
    )
    with pytest.raises(Throttled):
        one.calendars()
    asked = house.sandbox.google.meter.requests
    with pytest.raises(Paced) as early:
        other.calendars()
    assert early.value.retry_after == 60
    outcome = house.cycle(pair)
    assert "no faster than its service allows" in outcome.error
    assert house.sandbox.google.meter.requests == asked
    left = house.pair(pair)
    assert (left.failures, left.last_error) == (0, None), "it was not its turn, and that is all"
    assert left.due_at == house.context.now() + dt.timedelta(seconds=60)
    assert house.read(accounts.every)[0].strains == 0
    house.pass_by(seconds=60)
    assert other.calendars()


def test_m77_twelve_askers_of_one_mailbox_are_four_at_once(house, synced):
    synced("microsoft")
    account = house.read(accounts.every)[0]
    house.sandbox.faults.inject(path=GRAPH, delay=0.05, times=1000)
    problems = []

    def ask():
        try:
            connecting.sign_in(house.context, account).calendars()
        except Exception as problem:  # noqa: BLE001 - told below
            problems.append(problem)

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    meter = house.sandbox.microsoft.meter
    assert (problems, meter.refusals) == ([], [])
    assert meter.most_at_once == 4


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_quiet_cycles_are_counted_and_anything_found_begins_anew(house, synced, provider):
    """Neither a replayed delta nor the echo of our own write keeps a pair busy (M-23, M-27, R20)."""
    (pair,) = synced(provider)

    def idle(cycles=1):
        for _ in range(cycles):
            assert house.cycle(pair).error is None
        return house.pair(pair).idle

    assert idle(4) >= 3
    house.add(provider, "Tea")
    assert idle() == 0
    before = idle()
    assert idle(3) == before + 3
    with house.context.database.write() as conn:
        pairs.wake_calendar(conn, house.calendar().id, now=house.context.now())
    assert house.pair(pair).idle == 0
