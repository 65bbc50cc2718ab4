"""How a pair is, in the words and figures an admin sees (R28)."""

import datetime as dt

import pytest

from bridge.services import pairing, status
from bridge.store import accounts, conflicts, pairs
from bridge.store.side import PairLedger
from bridge.sync.ledger import Conflict
from tests.support.house import EMAIL

API = r"^/google/calendar/v3/calendars/"


def only(house):
    (found,) = status.every(house.context)
    return found


@pytest.fixture
def pair(house):
    return house.connect().pair_id


def parked(house, pair, summary):
    with house.context.database.write() as conn:
        pairs.claim(conn, pair, owner="w", now=house.context.now(), lease=dt.timedelta(minutes=1))
    with PairLedger(house.context.database, pair, "w", dt.timedelta(minutes=1), house.context.now).writing() as writing:
        writing.park(summary)
    with house.context.database.write() as conn:
        pairs.finish(conn, pair, owner="w", now=house.context.now())


def test_without_pairs_there_is_nothing_to_say(house):
    assert status.every(house.context) == []


def test_before_its_first_cycle_a_pair_has_no_age(house, pair):
    found = only(house)
    assert (found.pair, found.here, found.there) == (pair, "alex/calendar", f"google {EMAIL}: {EMAIL}")
    assert (found.state, found.last_success, found.lag_seconds, found.links) == ("first sync", None, None, 0)


def test_the_lag_is_the_age_of_the_last_success(house, pair):
    house.sandbox.google.seed(EMAIL, 4)
    house.cycle(pair)
    succeeded = house.context.now()
    assert (only(house).state, only(house).lag_seconds, only(house).links) == ("ok", 0, 4)
    house.pass_by(seconds=90)
    assert only(house).lag_seconds == 90
    house.sandbox.faults.inject(path=API, status=503, times=100)
    house.pass_by(seconds=30)
    house.cycle(pair)
    failing = only(house)
    assert (failing.state, failing.last_success, failing.lag_seconds) == ("failing", succeeded, 120)
    assert "cannot be reached" in failing.last_error


def test_a_first_sync_that_fails_is_failing(house, pair):
    house.sandbox.faults.inject(path=API, status=503, times=100)
    house.cycle(pair)
    assert (only(house).state, only(house).lag_seconds) == ("failing", None)


def test_a_disconnected_account_needs_its_person_whatever_else_is(house, pair):
    house.sandbox.faults.inject(path=API, status=503, times=100)
    house.cycle(pair)
    with house.context.database.write() as conn:
        accounts.disconnect(conn, house.read(accounts.every)[0].id)
    assert only(house).state == "needs reconnect"


def test_r6_a_parked_plan_waits_for_its_owner_until_she_has_agreed(house, pair):
    house.sandbox.google.seed(EMAIL, 2)
    house.cycle(pair)
    parked(house, pair, {"deletions": 200})
    assert only(house).state == "waits for approval"
    with house.context.database.write() as conn:
        pairs.approve(conn, pair, now=house.context.now())
    assert only(house).state == "ok"


def test_conflicts_are_counted_until_resolved(house, pair):
    with house.context.database.write() as conn:
        conflicts.record(conn, pair, [Conflict("u", "hub")], now=house.context.now())
    assert only(house).conflicts == 1
    with house.context.database.write() as conn:
        conflicts.resolve(conn, house.read(conflicts.unresolved, pair)[0].id, now=house.context.now())
    assert only(house).conflicts == 0


def test_r32_what_is_left_alone_is_named_with_its_reason(house, pair):
    """One event that the service refuses: the rest go on, and it stands in the report."""
    house.cycle(pair)
    google, graph = pair, house.connect("microsoft").pair_id
    house.add("microsoft", "Refused at Google")
    house.add("microsoft", "Taken")
    assert house.cycle(graph).hub_writes == 2
    body = {"error": {"code": 400, "errors": [{"domain": "global", "reason": "invalid"}]}}
    house.sandbox.faults.inject(method="POST", path=r"/events\b", status=400, body=body, times=1)
    assert house.cycle(google).error is None
    found = next(one for one in status.every(house.context) if one.pair == google)
    assert (found.state, found.waiting, len(found.quarantined)) == ("ok", 0, 1)
    assert found.quarantined[0]["uid"] in {one.uid for one in house.objects()}
    assert found.quarantined[0]["reason"]


def test_writes_without_an_answer_are_counted_as_waiting(house, pair):
    house.cycle(pair)
    graph = house.connect("microsoft").pair_id
    house.add("microsoft", "On its way")
    house.cycle(graph)
    house.sandbox.faults.inject(method="POST", path=r"/events\b", status=503, times=100)
    house.cycle(pair)
    assert next(one for one in status.every(house.context) if one.pair == pair).waiting == 1


def test_every_pair_of_everybody_is_shown(house, pair):
    house.connect("microsoft")
    assert len(status.every(house.context)) == len(pairing.every(house.context)) == 2
