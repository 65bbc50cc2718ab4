"""What a service will not take is tried again more and more seldom, and never because of our own trying (R4, R32)."""

import itertools
from dataclasses import replace

import pytest

from bridge.errors import Refused, Unmappable, Unreachable
from bridge.ical.fields import ObjectFields
from tests.support.worlds import retitled, tea
from tests.sync.test_merge import overridden


def refuse_all(side, method, *, touching=False):
    """From now on that method is refused; ``touching``: not before something was written, so that the version is a new one."""
    tries = []

    class Refusing(type(side.remote)):
        def update(self, current, target):
            tries.append(self.calendar.clock())
            if touching:
                self.calendar.edit(current.id, current.fields)
            raise Unmappable("it cannot be brought back")

        def create(self, fields, *, key, uid):
            tries.append(self.calendar.clock())
            raise Refused("no", status=400, code="no")

        def delete(self, current):
            tries.append(self.calendar.clock())
            raise Refused("no", status=400, code="no")

    side.remote = Refusing(side.remote.calendar, side.remote.lens)
    return tries


def test_r4_a_refused_update_that_renewed_the_version_is_not_sent_again_at_once(world):
    side = world.pair()
    world.put("tea", tea())
    world.settle()
    tries = refuse_all(side, "update", touching=True)
    world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    for _ in range(5):
        world.cycle(side)
    assert len(tries) == 1


def test_r4_what_only_left_the_window_is_not_sent_again(world):
    """Somebody has to look after it, and sees what was planned before."""
    side = world.pair()
    world.put("tea", tea())
    world.settle()
    id = side.id_of("Tea")
    tries = refuse_all(side, "update")
    world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    for _ in range(4):
        world.cycle(side)
        side.calendar.leave_window(id)
    assert len(tries) == 1
    assert world.titles() == ["Coffee"]


@pytest.mark.parametrize("method", ["create", "update", "delete"])
def test_r32_what_is_refused_waits_longer_each_time(world, method):
    side = world.pair()
    if method != "create":
        world.put("tea", tea())
        world.settle()
    tries = refuse_all(side, method)
    if method == "create":
        world.put("tea", tea())
    elif method == "update":
        world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    else:
        world.delete("tea")
    for _ in range(200):
        world.cycle(side)
        world.clock.pass_by(minutes=5)
    waits = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert len(tries) < 10
    assert all(later > earlier * 1.5 for earlier, later in itertools.pairwise(waits))


def test_r32_an_edit_of_its_owner_is_sent_at_once_however_long_it_would_have_waited(world):
    side = world.pair()
    world.put("tea", tea())
    world.settle()
    tries = refuse_all(side, "update")
    world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    for _ in range(40):
        world.cycle(side)
        world.clock.pass_by(minutes=5)
    before = len(tries)
    world.edit("tea", lambda fields: retitled(fields, "Cocoa"))
    world.cycle(side)
    assert len(tries) == before + 1


def test_r3_a_phone_changes_one_instance_of_someone_elses_series(world):
    """It is set back, whatever fields an instance has of its own; it used to be an error of ours."""
    side = world.pair()
    series = tea("Board", rule="FREQ=WEEKLY;COUNT=3")
    side.calendar.add(series, uid="board", organized_elsewhere=True)
    world.settle()
    writes = side.calendar.writes
    world.edit("board", lambda fields: overridden(fields, "20260309T080000Z", summary="Bored"))
    world.settle()
    assert world.hub()["board"] == ObjectFields(series.master, series.recurrence)
    assert side.calendar.writes == writes


@pytest.mark.parametrize("error", [Refused("no", status=403), Refused("corrupt", status=400), KeyError("x")])
def test_r32_one_object_that_cannot_be_looked_at_stops_only_itself(world, error):
    """Whether it is gone is in doubt, and stays so."""
    side = world.pair()
    doubtful = side.calendar.add(tea("A"))
    side.calendar.add(tea("B", day=3))
    world.settle()
    side.calendar.leave_window(doubtful)
    side.calendar.fail("get", error, times=3)
    world.put("c", tea("C", day=4))
    world.cycle(side)
    assert side.titles() == ["A", "B", "C"]
    assert world.titles() == ["A", "B", "C"]
    world.settle()
    assert world.titles() == ["A", "B", "C"]


@pytest.mark.parametrize("uid", ["x" * 1500, "x\0y", "x\ud800y"], ids=["long", "NUL", "half a character"])
def test_r32_a_uid_that_no_database_holds_is_given_another(world_on_each, uid):
    world = world_on_each
    side = world.pair()
    side.calendar.add(tea("Odd"), uid=uid)
    side.calendar.add(tea("Short", day=5), uid="y")
    world.settle()
    assert world.titles() == ["Odd", "Short"]
    world.edit(next(each for each in world.hub() if each != "y"), lambda fields: retitled(fields, "Even"))
    world.settle()
    assert side.titles() == ["Even", "Short"]


def test_r33_a_lost_answer_to_a_look_after_one_event_does_not_end_the_cycle(world):
    side = world.pair()
    for number in range(5):
        side.calendar.add(tea(f"Tea {number}", day=3 + number))
    world.settle()
    for id in list(side.calendar.objects()):
        side.calendar.leave_window(id)
    side.calendar.fail("get", Unreachable("timeout"), times=2)
    world.put("c", tea("Cake", day=20))
    world.cycle(side)
    assert "Cake" in side.titles()
    assert len(world.titles()) == 6


def test_r35_an_edit_that_won_and_is_taken_back_before_it_was_told(world):
    """The remote's value had given way to it: so what there is here now still has to be told."""
    side = world.pair(policy="hub")
    world.put("tea", tea())
    world.settle()
    id = side.id_of("Tea")
    side.calendar.edit(id, retitled(side.calendar.objects()[id], "Cocoa"))
    world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    side.calendar.fail("update", Unreachable("no answer"), times=9)
    with pytest.raises(Unreachable):
        world.cycle(side)
    world.edit("tea", lambda fields: retitled(fields, "Tea"))
    side.calendar.faults.clear()
    world.clock.pass_by(hours=1)
    world.settle()
    assert world.titles() == side.titles() == ["Tea"]


def test_r10_a_rule_that_won_and_is_taken_back_before_it_was_told(world):
    side = world.pair(policy="hub")
    world.put("tea", tea(rule="FREQ=DAILY;COUNT=9"))
    world.settle()
    id = side.id_of("Tea")
    there = side.calendar.objects()[id]
    side.calendar.edit(id, replace(there, recurrence=("RRULE:FREQ=DAILY;COUNT=5",)))
    world.edit("tea", lambda fields: replace(fields, recurrence=("RRULE:FREQ=DAILY;COUNT=4",)))
    side.calendar.fail("update", Unreachable("no answer"), times=9)
    with pytest.raises(Unreachable):
        world.cycle(side)
    world.edit("tea", lambda fields: replace(fields, recurrence=("RRULE:FREQ=DAILY;COUNT=9",)))
    side.calendar.faults.clear()
    world.clock.pass_by(hours=1)
    world.settle()
    assert [each.recurrence for each in side.calendar.objects().values()] == [("RRULE:FREQ=DAILY;COUNT=9",)]
