"""Running cycles: what is claimed, what a failure is called in plain words, and when the pair is due again."""

import datetime as dt
import logging

import httpx
import pytest
import structlog

from bridge.errors import NotFound
from bridge.services import connecting, removing, status, syncing
from bridge.store import accounts, pairs, remote_calendars
from bridge.store.side import PairLedger
from bridge.sync import engine
from tests.support import simulated_graph
from tests.support.house import EMAIL

API = r"^/google/calendar/v3/calendars/"
BUSY = {"error": {"code": 403, "errors": [{"domain": "usageLimits", "reason": "rateLimitExceeded"}]}}


@pytest.fixture
def pair(house):
    """Synced once: what follows is a cycle of a pair at rest."""
    pair_id = house.connect().pair_id
    assert house.cycle(pair_id).error is None
    return pair_id


def waits(house, pair_id):
    """Seconds until the pair is due."""
    return (house.pair(pair_id).due_at - house.context.now()).total_seconds()


def test_a_cycle_tells_what_it_did(house):
    pair_id = house.connect().pair_id
    house.sandbox.google.seed(EMAIL, 7)
    outcome = house.cycle(pair_id)
    assert (outcome.pair, outcome.hub_writes, outcome.remote_writes, outcome.linked) == (pair_id, 7, 0, 7)
    assert (outcome.error, outcome.parked, outcome.conflicts, outcome.quarantined) == (None, False, 0, 0)
    assert house.quiet(pair_id)
    done = house.pair(pair_id)
    assert (done.lease_owner, done.failures, done.last_success_at) == (None, 0, house.context.now())
    assert waits(house, pair_id) == house.context.settings.sync.interval_seconds * 2 / 5, "nobody would tell us"


def test_what_is_due_is_claimed_once_the_longest_due_first(house):
    google = house.connect("google").pair_id
    house.pass_by(seconds=1)
    graph = house.connect("microsoft").pair_id
    assert syncing.claim_due(house.context, owner="a", limit=1) == [google]
    assert syncing.claim_due(house.context, owner="b", limit=5) == [graph]
    assert syncing.claim_due(house.context, owner="c", limit=5) == []


def test_a_pair_that_is_being_synced_is_not_synced_beside(house, pair):
    house.pass_by(hours=1)
    syncing.claim_due(house.context, owner="worker", limit=1)
    outcome = house.cycle(pair)
    assert "right now" in outcome.error
    assert house.pair(pair).lease_owner == "worker"


def test_there_is_no_cycle_of_a_pair_that_is_not_there(house):
    with pytest.raises(NotFound):
        house.cycle(99)


def test_unreachable_is_told_and_tried_again_ever_more_slowly(house, pair):
    house.sandbox.faults.inject(path=API, status=503, times=1000)
    delays = []
    for _ in range(10):
        outcome = house.cycle(pair)
        assert outcome.error == "the service cannot be reached (HTTP 503); the sync goes on by itself"
        delays.append(waits(house, pair))
        if len(delays) == 4:
            assert [one.state for one in status.every(house.context)] == ["failing"]
        house.pass_by(seconds=delays[-1])
    assert delays == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    house.sandbox.faults.clear()
    assert house.quiet(pair)
    assert [(one.state, one.last_error) for one in status.every(house.context)] == [("ok", None)]


def test_a_connection_that_breaks_is_unreachable(house, pair):
    house.sandbox.faults.inject(path=API, drop=True, times=1000)
    assert house.cycle(pair).error == "the service cannot be reached; the sync goes on by itself"


@pytest.mark.parametrize(("asked", "waited"), [("7", 30), ("600", 600), ("7200", 7200)])
def test_r33_a_service_that_asks_for_patience_gets_it(house, pair, asked, waited):
    house.sandbox.faults.inject(path=API, status=403, body=BUSY, headers={"Retry-After": asked}, times=1000)
    assert house.cycle(pair).error == "the service asks us to slow down; the sync goes on by itself"
    assert waits(house, pair) == waited
    house.pass_by(seconds=waited - 1)
    assert syncing.claim_due(house.context, owner="w", limit=1) == []
    house.pass_by(seconds=1)
    assert syncing.claim_due(house.context, owner="w", limit=1) == [pair]


def test_r33_a_notification_does_not_cut_the_wait_short(house, pair):
    house.sandbox.faults.inject(path=API, status=403, body=BUSY, headers={"Retry-After": "600"}, times=1000)
    house.cycle(pair)
    with house.context.database.write() as conn:
        pairs.wake(conn, pair, now=house.context.now())
    assert waits(house, pair) == 600


def test_r28_only_a_dead_grant_asks_for_the_person(house, pair):
    account = house.read(accounts.every)[0]
    house.sandbox.google.expire_tokens()
    house.sandbox.faults.inject(path="^/google/token", status=503, times=1000)
    assert "cannot be reached" in house.cycle(pair).error
    assert not house.account(account.id).needs_reconnect
    house.sandbox.faults.clear()
    house.sandbox.google.kill_grants()
    words = "the account's consent has ended; connect it again: caldav-bridge account connect alex google --sandbox"
    assert house.cycle(pair).error == words
    assert house.account(account.id).needs_reconnect


def test_a_service_that_refuses_even_a_fresh_token_asks_for_the_person(house, pair):
    house.sandbox.faults.inject(path=API, status=401, body={"error": {"code": 401}}, times=1000)
    assert "connect it again" in house.cycle(pair).error
    assert [one.state for one in status.every(house.context)] == ["needs reconnect"]


def test_r28_a_reconnect_beside_a_failing_cycle_counts(house, pair, monkeypatch):
    """The person is quicker than the cycle that fails on her old grant: her account stays connected."""
    account = house.read(accounts.every)[0]
    house.sandbox.google.kill_grants()
    cycle = engine.cycle

    def cycle_then_reconnect(*args, **kwargs):
        try:
            cycle(*args, **kwargs)
        finally:
            house.connect()

    monkeypatch.setattr(engine, "cycle", cycle_then_reconnect)
    assert "connect it again" in house.cycle(pair).error
    assert not house.account(account.id).needs_reconnect


def test_a_refusal_of_the_whole_calendar_is_told(house, pair):
    body = {"error": {"code": 403, "errors": [{"domain": "calendar", "reason": "requiredAccessLevel"}]}}
    house.sandbox.faults.inject(path=API, status=403, body=body, times=1000)
    assert house.cycle(pair).error == "the service refused the calendar (HTTP 403) requiredAccessLevel"


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_a_calendar_that_is_gone_is_told_with_the_way_out(house, provider):
    account = house.connect(provider).account
    (lost,) = house.more_pairs(provider, 1)
    assert house.cycle(lost).error is None
    known = house.read(remote_calendars.by_id, house.pair(lost).remote_calendar_id)
    if provider == "google":
        token, base = house.sandbox.google.token(EMAIL, client_id="hands"), "google/calendar/v3/calendars"
    else:
        token = simulated_graph.tokens(house.sandbox.microsoft)["access_token"]
        base = "microsoft/v1.0/me/calendars"
    url = f"{house.sandbox.url}/{base}/{known.calendar.id}"
    assert httpx.delete(url, headers={"Authorization": f"Bearer {token}"}).status_code == 204
    error = house.cycle(lost).error
    assert error.startswith("the service refused the calendar (HTTP 4")
    assert "caldav-bridge calendar list alex --refresh" in error
    assert f"caldav-bridge pair remove {lost}" in error
    assert "Traceback" not in error
    ((gone, pair),) = connecting.vanished(house.context, account)
    assert (gone.id, pair.id) == (known.id, lost)
    removing.remove_pair(house.context, lost)
    assert connecting.vanished(house.context, account) == []
    assert known.id not in [one.id for one in house.read(remote_calendars.of_account, account.id)]


def test_a_defect_of_ours_stops_one_pair_not_the_worker(house, pair, monkeypatch):
    """Any exception: the lease is given back, the owner is told without a traceback, and it is tried again later."""

    def broken(*_args, **_kwargs):
        raise ZeroDivisionError("SUMMARY:Secret plan")

    monkeypatch.setattr(engine, "cycle", broken)
    outcome = house.cycle(pair)
    assert outcome.error == "an error in caldav-bridge itself; the log has the details"
    held = house.pair(pair)
    assert (held.lease_owner, held.failures, held.last_error) == (None, 1, outcome.error)
    assert waits(house, pair) == 30
    monkeypatch.undo()
    assert house.quiet(pair)


def test_whoever_has_lost_the_lease_writes_nothing_and_takes_nothing_back(house, pair):
    house.add("google", "Tea")
    house.pass_by(hours=1)
    assert syncing.claim_due(house.context, owner="slow", limit=1) == [pair]
    house.pass_by(minutes=5)
    assert syncing.claim_due(house.context, owner="quick", limit=1) == [pair]
    outcome = syncing.run(house.context, pair, owner="slow")
    assert outcome.error == "another worker has taken it over"
    assert house.objects() == []
    held = house.pair(pair)
    assert (held.lease_owner, held.failures) == ("quick", 0)
    assert syncing.run(house.context, pair, owner="quick").hub_writes == 1


@pytest.mark.parametrize("ending", ["well", "badly"])
def test_a_lease_lost_after_the_last_write_is_told_like_any_other(house, pair, monkeypatch, ending):
    """Between the cycle's last statement and the note of its outcome somebody else takes the pair over."""
    cycle = engine.cycle

    def cycle_then_lose(*args, **kwargs):
        cycle(*args, **kwargs)
        house.pass_by(minutes=5)
        assert syncing.claim_due(house.context, owner="quick", limit=1) == [pair]
        if ending == "badly":
            raise ZeroDivisionError

    house.pass_by(hours=1)
    syncing.claim_due(house.context, owner="slow", limit=1)
    monkeypatch.setattr(engine, "cycle", cycle_then_lose)
    assert syncing.run(house.context, pair, owner="slow").error == "another worker has taken it over"
    assert house.pair(pair).lease_owner == "quick"


def test_a_pair_removed_while_it_is_synced_is_told(house, pair, monkeypatch):
    cycle = engine.cycle

    def cycle_then_remove(*args, **kwargs):
        cycle(*args, **kwargs)
        with house.context.database.write() as conn:
            pairs.remove(conn, pair)

    monkeypatch.setattr(engine, "cycle", cycle_then_remove)
    assert house.cycle(pair).error == "the pair has been removed"


def test_a_cycle_keeps_its_lease_as_long_as_it_gives_signs_of_life(house, pair):
    ledger = PairLedger(house.context.database, pair, "w", dt.timedelta(seconds=60), house.context.now)
    house.pass_by(hours=1)
    syncing.claim_due(house.context, owner="w", limit=1)
    for _ in range(5):
        house.pass_by(seconds=50)
        with ledger.writing():
            pass
    assert syncing.claim_due(house.context, owner="other", limit=1) == []


def test_the_log_names_no_event_and_no_token(house, capsys):
    """R41: ids and counts only, whatever goes wrong."""
    logging.getLogger().setLevel(logging.DEBUG)
    structlog.reset_defaults()
    pair_id = house.connect().pair_id
    house.add("google", "Canary")
    house.cycle(pair_id)
    house.sandbox.faults.inject(path=API, status=400, body={"error": {"message": "Canary"}}, times=5)
    house.cycle(pair_id)
    house.sandbox.google.kill_grants()
    house.cycle(pair_id)
    printed = capsys.readouterr()
    said = printed.out + printed.err
    assert "cycle ended early" in said
    assert "Canary" not in said
    assert EMAIL not in said
