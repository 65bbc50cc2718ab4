"""R6: the guard in a cycle. Nothing is partly applied; the owner's yes covers what was shown."""

import pytest

from bridge.store import pairs
from tests.support.worlds import retitled, tea

COUNT = 20


def filled(world):
    side = world.pair()
    for number in range(COUNT):
        world.put(f"{number:02}", tea(f"event {number:02}"))
    world.settle()
    return side


def approve(world, side):
    with world.database.write() as conn:
        pairs.approve(conn, side.pair, now=world.clock())


@pytest.mark.parametrize("where", ["hub", "remote", "listing"])
def test_r6_a_mass_deletion_is_parked_whole_and_done_when_approved(world_on_each, where):
    world = world_on_each
    side = filled(world)
    for number in range(12):
        if where == "hub":
            world.delete(f"{number:02}")
        else:
            side.calendar.remove(side.id_of(f"event {number:02}"))
    if where == "listing":
        side.calendar.forget_cursors()
    world.edit("19", lambda fields: retitled(fields, "edited"))
    report = world.cycle(side)
    assert report.parked is not None
    assert report.parked["hub"] + report.parked["remote"] == 12
    assert report.idle
    assert len(side.calendar.objects() if where == "hub" else world.hub()) == COUNT
    assert "edited" not in side.titles()
    growth = world.growth()
    assert world.cycle(side).parked == report.parked
    assert world.growth() == growth
    approve(world, side)
    world.settle()
    left = sorted([f"event {number:02}" for number in range(12, COUNT - 1)] + ["edited"])
    assert world.titles() == side.titles() == left
    assert world.state(side).parked is None
    assert not world.state(side).approved


def test_r6_ten_pass(world):
    side = filled(world)
    for number in range(10):
        world.delete(f"{number:02}")
    world.settle()
    assert len(side.calendar.objects()) == COUNT - 10


def test_r6_what_comes_back_needs_no_approval(world):
    side = filled(world)
    fields = world.hub()
    for number in range(12):
        world.delete(f"{number:02}")
    assert world.cycle(side).parked
    for number in range(12):
        world.put(f"{number:02}", fields[f"{number:02}"])
    world.settle()
    assert len(world.hub()) == len(side.calendar.objects()) == COUNT
    assert world.state(side).parked is None


def test_r6_an_approval_is_not_good_for_much_more(world):
    side = filled(world)
    for number in range(COUNT, 40):
        world.put(f"{number:02}", tea(f"event {number:02}"))
    world.settle()
    for number in range(12):
        world.delete(f"{number:02}")
    assert world.cycle(side).parked
    approve(world, side)
    for number in range(12, 40):
        world.delete(f"{number:02}")
    assert world.cycle(side).parked["remote"] == 40
    assert len(side.calendar.objects()) == 40


def test_edited_on_the_other_side_is_no_deletion(world):
    side = filled(world)
    for number in range(12):
        world.delete(f"{number:02}")
        id = side.id_of(f"event {number:02}")
        side.calendar.edit(id, tea(f"changed {number:02}"))
    world.settle()
    assert len(world.hub()) == len(side.calendar.objects()) == COUNT


def test_r6_deletions_of_one_hour_count_together(world):
    side = filled(world)
    for number in range(10):
        world.delete(f"{number:02}")
        assert world.cycle(side).parked is None
    world.delete("10")
    assert world.cycle(side).parked is not None
    world.clock.pass_by(hours=1)
    assert world.cycle(side).parked is None
    world.settle()
    assert len(side.calendar.objects()) == COUNT - 11
