"""How a pair is, in the words and figures an admin sees (R28)."""

import datetime as dt

import pytest

from bridge.cli.status import _in_words
from bridge.services import pairing, questions, status
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
    assert (only(house).state, only(house).command) == ("waits for approval", f"caldav-bridge pair approve {pair}")
    assert f"caldav-bridge sync preview {pair}" in _in_words(only(house))
    with house.context.database.write() as conn:
        pairs.approve(conn, pair, now=house.context.now())
    assert (only(house).state, only(house).command) == ("ok", None)


def test_r28_a_pair_that_is_synced_only_when_told_to_does_not_go_on_by_itself(house, pair):
    house.cycle(pair)
    house.sandbox.faults.inject(path=API, status=503, times=1000)
    assert "the sync goes on by itself" in house.cycle(pair).error
    pairing.change(house.context, pair, how_often="manual")
    again = f"the service cannot be reached (HTTP 503); try again later: caldav-bridge sync now {pair}"
    assert (only(house).state, only(house).trouble) == ("failing", again), (
        "its terms are others than when that was noted"
    )
    assert house.cycle(pair).error == again
    shown = _in_words(only(house))
    assert "by itself" not in shown
    assert shown.count(f"caldav-bridge sync now {pair}") == 1
    while house.account(1).closed_until is None:
        house.cycle(pair)
    assert only(house).state == "paused"
    assert "by itself" not in _in_words(only(house))
    assert house.cycle(pair).error.endswith(f"; then try again: caldav-bridge sync now {pair}")


def test_a_question_is_named_as_its_own_command_names_it(house, pair):
    for _ in range(2):
        house.add("google", "Tea")
    google, graph = pair, house.connect("microsoft").pair_id
    house.cycle(google)
    for title in ("Tea", "Tea"):
        house.add("microsoft", title)
    house.cycle(graph)
    found = next(one for one in status.every(house.context) if one.pair == graph)
    asked = questions.unanswered(house.context, graph)
    names = {each.id for question in asked for each in (*question.here, *question.there)}
    assert {each.id for each in found.quarantined} == names
    assert len(names) == 4
    assert {(each.title, each.command) for each in found.quarantined} == {
        ("Tea", f"caldav-bridge pair questions {graph}")
    }
    (line,) = [line for line in _in_words(found).splitlines() if "left alone" in line]
    assert line.startswith("  left alone: Tea (4 events): several events look alike")
    with house.context.database.write() as conn:
        accounts.disconnect(conn, house.read(accounts.every)[1].id)
    assert {each.id for one in status.every(house.context) for each in one.quarantined} == names


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
    (left,) = found.quarantined
    assert left.title in {"Refused at Google", "Taken"}
    assert left.uid == left.id
    assert left.uid in {one.uid for one in house.objects()}
    assert left.reason
    assert left.command is None
    assert f"left alone: {left.title}: {left.reason}\n" in f"{_in_words(found)}\n"


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
