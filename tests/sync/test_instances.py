"""One occurrence, or two of the same series, edited in two places at once: nobody's edit is lost (R11, R35, R36)."""

from contextlib import suppress
from dataclasses import replace

import pytest

from bridge.errors import Refused, Unreachable
from bridge.ical.fields import diff, patch
from bridge.providers.memory import MemoryRemote
from bridge.store import links
from bridge.store.tables import conflicts
from tests.support.worlds import at, retitled, tea
from tests.sync.test_merge import overridden

SERIES = tea(rule="FREQ=WEEKLY;COUNT=6")
SECOND, THIRD = "20260309T080000Z", "20260316T080000Z"
ANSWERED = {"decision": "hub", "dirty": True, "quarantine": None}


class ApartRemote(MemoryRemote):
    """Its instances have versions of their own, as Google's have: an edit of one keeps nobody from writing another."""

    def update(self, current, target):
        now = self.calendar.objects()[current.id]
        self.calendar.edit(current.id, patch(now, diff(current.fields, target)))
        return self.get(current.id)


def test_both_sides_edit_the_same_occurrence_in_different_fields(world):
    side = world.pair()
    world.put("tea", SERIES)
    world.settle()
    world.edit("tea", lambda fields: overridden(fields, SECOND, summary="Cake"))
    side.calendar.edit(side.id_of("Tea"), overridden(SERIES, SECOND, location="Room 5"))
    world.settle()
    both = overridden(SERIES, SECOND, summary="Cake", location="Room 5")
    assert world.hub()["tea"] == both
    assert list(side.calendar.objects().values()) == [both]


def test_three_places_edit_the_same_occurrence_in_different_fields(world):
    first, second = world.pair(), world.pair()
    world.put("tea", SERIES)
    world.settle()
    world.edit("tea", lambda fields: overridden(fields, SECOND, summary="Cake"))
    first.calendar.edit(first.id_of("Tea"), overridden(SERIES, SECOND, location="Room 5"))
    second.calendar.edit(second.id_of("Tea"), overridden(SERIES, SECOND, description="with cream"))
    world.settle()
    every = overridden(SERIES, SECOND, summary="Cake", location="Room 5", description="with cream")
    assert world.hub()["tea"] == every
    for side in (first, second):
        assert list(side.calendar.objects().values()) == [every]


def test_r36_an_occurrence_edited_there_while_another_one_is_written_comes_to_the_hub(world):
    """The answer to our write shows both: the other one is no echo."""
    side = world.pair()
    side.remote = ApartRemote(side.calendar, side.remote.lens)
    world.put("tea", SERIES)
    world.settle()
    world.edit("tea", lambda fields: overridden(fields, SECOND, summary="Cake"))
    ledger, engaged = world.ledger(side), side.remote.page

    def page(cursor, *, now):
        """Read; and behind the reading, before we write, somebody edits."""
        answer = engaged(cursor, now=now)
        if not answer.more:
            side.calendar.edit(side.id_of("Tea"), overridden(SERIES, THIRD, summary="Biscuits"))
        return answer

    world.cycle(side, remote=_Reading(side.remote, page), ledger=ledger)
    world.settle()
    both = replace(overridden(overridden(SERIES, SECOND, summary="Cake"), THIRD, summary="Biscuits"))
    assert world.hub()["tea"] == both
    assert list(side.calendar.objects().values()) == [both]


class _Reading:
    def __init__(self, remote, page):
        self._remote, self.page = remote, page

    def __getattr__(self, name):
        return getattr(self._remote, name)


class RuleFirst(MemoryRemote):
    """A new rule drops the exceptions, which take requests of their own (M-51): the answer between is lost once."""

    def inviting(self):
        return self

    def update(self, current, target):
        if not self.calendar.requests["update"] and target.recurrence != current.fields.recurrence:
            super().update(current, replace(target, overrides={}, cancelled=frozenset()))
            raise Unreachable("timeout")
        return super().update(current, target)


@pytest.mark.parametrize(
    "with_instance",
    [lambda old: overridden(old, SECOND, summary="Cake"), lambda old: replace(old, cancelled=frozenset({SECOND}))],
    ids=["edited", "cancelled"],
)
def test_r11_r35_an_answer_lost_between_a_new_rule_and_the_instances_loses_none_of_them(world, with_instance):
    side = world.pair()
    side.remote = RuleFirst(side.calendar, side.remote.lens)
    world.put("tea", with_instance(SERIES))
    world.settle()
    longer = with_instance(tea(rule="FREQ=WEEKLY;COUNT=8"))
    world.edit("tea", lambda _: longer)
    with pytest.raises(Unreachable):
        world.cycle(side)
    world.clock.pass_by(minutes=10)
    world.settle()
    assert world.hub()["tea"] == longer
    assert list(side.calendar.objects().values()) == [longer]


def test_r11_r12_an_end_that_moved_along_is_told_though_its_first_answer_is_lost(world):
    """Both sides are told of it: what the hub has is agreed only when the remote has answered."""
    side = world.pair()
    world.put("tea", SERIES)
    world.settle()
    ended = replace(SERIES, recurrence=("RRULE:FREQ=WEEKLY;UNTIL=20260316T080000Z",))
    world.edit("tea", lambda _: ended)
    side.calendar.edit(side.id_of("Tea"), at(SERIES, 11))
    side.calendar.fail("update", Unreachable("timeout"))
    with pytest.raises(Unreachable):
        world.cycle(side)
    world.edit("tea", lambda old: retitled(old, "Cake"))
    world.clock.pass_by(minutes=10)
    world.settle()
    both = retitled(at(replace(SERIES, recurrence=("RRULE:FREQ=WEEKLY;UNTIL=20260316T100000Z",)), 11), "Cake")
    assert world.hub()["tea"] == both
    assert list(side.calendar.objects().values()) == [both]


def test_r11_r12_an_instance_that_gave_way_to_the_hubs_schedule_gives_way_though_the_answer_is_lost(world):
    side = world.pair(policy="hub")
    world.put("tea", SERIES)
    world.settle()
    world.edit("tea", lambda old: replace(old, recurrence=("RRULE:FREQ=WEEKLY;COUNT=8",)))
    there = overridden(SERIES, SECOND, summary="Cake")
    side.calendar.edit(side.id_of("Tea"), replace(there, recurrence=("RRULE:FREQ=WEEKLY;COUNT=5",)))
    side.calendar.fail("update", Unreachable("timeout"))
    with pytest.raises(Unreachable):
        world.cycle(side)
    world.edit("tea", lambda old: retitled(old, "Coffee"))
    world.clock.pass_by(minutes=10)
    world.settle()
    assert list(side.calendar.objects().values()) == list(world.hub().values())
    assert world.hub()["tea"].recurrence == ("RRULE:FREQ=WEEKLY;COUNT=8",)


def gives_way(world, policy):
    """The remote has ended the series before an occurrence that was cancelled here."""
    side = world.pair(policy=policy)
    world.put("tea", SERIES)
    world.settle()
    world.edit("tea", lambda old: replace(old, cancelled=frozenset({THIRD})))
    side.calendar.edit(side.id_of("Tea"), replace(SERIES, recurrence=("RRULE:FREQ=WEEKLY;COUNT=2",)))
    return side


def test_r10_r12_a_schedule_that_gave_way_to_an_instance_of_the_hub_gives_way_though_the_answer_is_lost(world):
    """The hub has not changed the rule: that the remote's is to go back stands in the intent alone, and that is planned anew."""
    side = gives_way(world, "hub")
    side.calendar.fail("update", Unreachable("timeout"))
    with pytest.raises(Unreachable):
        world.cycle(side)
    world.edit("tea", lambda old: retitled(old, "Coffee"))
    world.clock.pass_by(minutes=10)
    world.settle()
    assert list(side.calendar.objects().values()) == list(world.hub().values())
    assert world.hub()["tea"].recurrence == SERIES.recurrence
    assert world.hub()["tea"].cancelled == {THIRD}


def test_r10_r11_an_end_that_moved_along_with_a_series_that_comes_back_is_told(world):
    """Ended here and deleted; moved there meanwhile. The end that goes with it has not been there yet."""
    side = world.pair()
    world.put("tea", SERIES)
    world.settle()
    world.edit("tea", lambda old: replace(old, recurrence=("RRULE:FREQ=WEEKLY;UNTIL=20260316T080000Z",)))
    world.delete("tea")
    side.calendar.edit(side.id_of("Tea"), at(SERIES, 11))
    world.settle()
    assert list(side.calendar.objects().values()) == list(world.hub().values())
    assert world.hub()["tea"].recurrence == ("RRULE:FREQ=WEEKLY;UNTIL=20260316T100000Z",)


@pytest.mark.parametrize("policy", ["hub", "remote", "newest"])
@pytest.mark.parametrize("error", [Unreachable("timeout"), Refused("no", status=400)])
def test_r35_nothing_gives_way_to_an_end_that_moved_along_though_that_is_planned_twice(world, policy, error):
    side = world.pair(policy=policy)
    world.put("tea", SERIES)
    world.settle()
    world.edit("tea", lambda old: at(old, 11))
    side.calendar.edit(side.id_of("Tea"), replace(SERIES, recurrence=("RRULE:FREQ=WEEKLY;UNTIL=20260316T080000Z",)))
    side.calendar.fail("update", error)
    with suppress(Unreachable):
        world.cycle(side)
    world.edit("tea", lambda old: retitled(old, "Cake"))
    world.clock.pass_by(hours=1)
    world.settle()
    both = retitled(at(replace(SERIES, recurrence=("RRULE:FREQ=WEEKLY;UNTIL=20260316T100000Z",)), 11), "Cake")
    assert list(side.calendar.objects().values()) == list(world.hub().values()) == [both]


def test_r35_what_gave_way_is_listed_once_however_often_the_service_refuses_it(world):
    side = gives_way(world, "hub")
    side.calendar.fail("update", Refused("no", status=400), times=1000)
    for _ in range(8):
        world.cycle(side)
        world.clock.pass_by(hours=25)
    assert world.rows(conflicts) == 1


@pytest.mark.parametrize("error", [Unreachable("timeout"), Refused("no", status=400)])
def test_r35_an_answer_holds_until_it_is_done(world, error):
    side = gives_way(world, "ask")
    world.cycle(side)
    with world.database.write() as conn:
        links.save(conn, side.pair, [replace(links.by_uid(conn, side.pair, ["tea"])["tea"], **ANSWERED)])
    side.calendar.fail("update", error)
    with suppress(Unreachable):
        world.cycle(side)
    world.edit("tea", lambda old: retitled(old, "Coffee"))
    world.clock.pass_by(hours=1)
    world.settle()
    assert world.hub()["tea"].recurrence == SERIES.recurrence
    assert list(side.calendar.objects().values()) == list(world.hub().values())


def test_r10_r12_our_own_write_whose_answer_is_lost_is_no_edit_that_beats_a_deletion(world):
    side = world.pair()
    world.put("tea", tea())
    world.settle()
    world.edit("tea", lambda old: retitled(old, "Cake"))
    side.calendar.fail("update", Unreachable("timeout"), after_effect=True)
    with pytest.raises(Unreachable):
        world.cycle(side)
    assert side.titles() == ["Cake"]
    world.delete("tea")
    world.settle()
    assert side.titles() == world.titles() == []
