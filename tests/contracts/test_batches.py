"""Creating many at once: what is true of one creation is true of each, whatever becomes of the others (R12, R32, R33)."""

import datetime as dt
from dataclasses import replace

import pytest

from bridge.errors import DuplicateKey, Refused, Throttled, Unreachable
from bridge.ical.fields import EventFields, ObjectFields, When
from bridge.sync.ports import New
from tests.contracts.bench import Mirror, wall
from tests.contracts.test_writing import KINDS, single

START = wall("2026-03-02 12:00")
HOUR = dt.timedelta(hours=1)
COUNT = 8


def key(number):
    return f"{number:032}"


def new(number, fields=None):
    return New(fields or single(f"Meeting {number}"), key(number), f"{number}@hub.example")


def several(count=COUNT):
    return [new(number) for number in range(count)]


def titles(count=COUNT):
    return sorted(f"Meeting {number}" for number in range(count))


def made(bench, wanted, outcomes):
    """What a caller does about each outcome; the objects in order."""
    found = []
    for each, outcome in zip(wanted, outcomes, strict=True):
        if outcome is None or isinstance(outcome, DuplicateKey | Unreachable):
            outcome = bench.remote.create(each.fields, key=each.key, uid=each.uid)  # noqa: PLW2901
        found.append(bench.remote.lens.read(outcome))
    return found


def daily(summary, **more):
    start = wall("2026-03-02 09:00")
    return ObjectFields(
        EventFields(When(start, start + HOUR, "Europe/Vienna"), summary), ("RRULE:FREQ=DAILY;COUNT=10",), **more
    )


def test_what_each_is_answered_is_what_was_meant(batches):
    wanted = [new(number, fields) for number, fields in enumerate(KINDS.values())]
    outcomes = batches.remote.create_many(wanted)
    found = [batches.remote.lens.read(outcome) for outcome in outcomes]
    assert [each.fields for each in found] == [batches.remote.lens.view(each.fields) for each in wanted]
    assert [each.creation_key for each in found] == [each.key for each in wanted]
    assert batches.mails() == 0


def test_what_was_created_is_listed_as_answered(batches, now):
    wanted = [new(number, fields) for number, fields in enumerate(KINDS.values())]
    found = made(batches, wanted, batches.remote.create_many(wanted))
    mirror = Mirror(batches.remote, now)
    mirror.follow()
    assert {id: (each.version, each.fields) for id, each in mirror.objects().items()} == {
        each.id: (each.version, each.fields) for each in found
    }


def test_as_many_as_fit(batches):
    wanted = several(batches.remote.batch_size)
    outcomes = batches.remote.create_many(wanted)
    assert len({batches.remote.lens.read(outcome).id for outcome in outcomes}) == len(wanted)
    assert batches.titles() == titles(len(wanted))
    assert batches.writes() == len(wanted)


def test_series_of_every_kind(batches):
    moved = When(wall("2026-03-05 15:00"), wall("2026-03-05 16:00"), "Europe/Vienna")
    override = EventFields(moved, "Moved")
    wanted = [
        new(0, daily("Plain")),
        new(1, daily("Cancelled", cancelled=frozenset({"20260304T080000Z"}))),
        new(2, daily("Changed", overrides={"20260305T080000Z": override})),
        new(3),
        new(4, daily("Both", cancelled=frozenset({"20260304T080000Z"}), overrides={"20260305T080000Z": override})),
    ]
    found = made(batches, wanted, batches.remote.create_many(wanted))
    assert [each.fields for each in found] == [batches.remote.lens.view(each.fields) for each in wanted]
    assert batches.titles() == ["Both", "Cancelled", "Changed", "Meeting 3", "Plain"]
    assert batches.mails() == 0


@pytest.mark.parametrize("number", [1, 4, COUNT])
def test_r32_one_that_is_refused_says_nothing_of_the_others(batches, number):
    batches.strike_creation(number, "refused")
    outcomes = batches.remote.create_many(several())
    assert isinstance(outcomes[number - 1], Refused)
    for each, outcome in zip(several(), outcomes, strict=True):
        if each.key != key(number - 1):
            assert batches.remote.lens.read(outcome).fields == batches.remote.lens.view(each.fields)
    assert batches.titles() == [title for title in titles() if title != f"Meeting {number - 1}"]


@pytest.mark.parametrize("number", [1, 4, COUNT])
def test_r33_one_that_is_throttled_was_not_carried_out(batches, number):
    batches.strike_creation(number, "busy")
    try:
        outcomes = batches.remote.create_many(several())
    except Throttled as error:  # what comes behind it was not sent
        outcomes = [error] * COUNT
    throttled = [each for each in outcomes if isinstance(each, Throttled)]
    assert throttled[0].retry_after == 7
    assert isinstance(outcomes[number - 1], Throttled)
    assert len(batches.titles()) == COUNT - len(throttled)
    batches.wait_over()
    made(batches, several(), outcomes)
    assert batches.titles() == titles()


@pytest.mark.parametrize("kind", ["down", "answer lost"])
@pytest.mark.parametrize("number", [1, 4, COUNT])
def test_r12_one_of_which_nobody_knows(batches, number, kind):
    batches.strike_creation(number, kind)
    outcomes = batches.remote.create_many(several())
    assert isinstance(outcomes[number - 1], Unreachable)
    assert not isinstance(outcomes[number - 1], Throttled)
    found = made(batches, several(), outcomes)
    assert batches.titles() == titles()
    assert [each.fields for each in found] == [batches.remote.lens.view(each.fields) for each in several()]


def test_r12_a_key_that_was_used_before_makes_no_second_one(batches):
    first = batches.remote.lens.read(batches.remote.create(single("Meeting 3"), key=key(3), uid="3@hub.example"))
    outcomes = batches.remote.create_many(several())
    found = made(batches, several(), outcomes)
    assert found[3].id == first.id
    assert batches.titles() == titles()


@pytest.mark.parametrize("kind", ["down", "answer lost"])
def test_r12_a_batch_whose_answer_is_lost_is_finished_singly(batches, kind):
    with batches.trouble(kind), pytest.raises(Unreachable):
        batches.remote.create_many(several())
    found = made(batches, several(), [None] * COUNT)
    assert batches.titles() == titles()
    assert [each.fields for each in found] == [batches.remote.lens.view(each.fields) for each in several()]


def test_r33_a_service_that_is_busy_carries_out_nothing(batches):
    with batches.trouble("busy"), pytest.raises(Throttled) as caught:
        batches.remote.create_many(several())
    assert caught.value.retry_after == 7
    assert batches.titles() == []


def test_doing_it_again_makes_no_second_ones(batches):
    first = made(batches, several(), batches.remote.create_many(several()))
    again = made(batches, several(), batches.remote.create_many(several()))
    assert [each.id for each in again] == [each.id for each in first]
    assert batches.titles() == titles()


def test_errors_and_logs_tell_no_contents(batches, caplog):
    caplog.set_level("DEBUG")
    wanted = [replace(each, fields=single("Canary 4711")) for each in several()]
    for number, kind in enumerate(("refused", "busy", "down", "answer lost")):
        batches.strike_creation(number + 1, kind)
    for outcome in batches.remote.create_many(wanted):
        if isinstance(outcome, Exception):
            assert "Canary" not in f"{outcome!r} {outcome.args}"
    assert "Canary" not in caplog.text
