"""The first sync, and who is who: links, duplicates, copies."""

from dataclasses import replace

import pytest

from bridge.store import links
from tests.support.worlds import retitled, tea


def test_r16_what_is_on_both_sides_already_is_linked_by_its_uid(world_on_each):
    world = world_on_each
    side = world.pair()
    world.put("same@example", tea())
    side.calendar.add(tea(), uid="same@example")
    report = world.cycle(side)
    assert report.idle
    assert world.titles() == side.titles() == ["Tea"]
    assert report.linked == 1


def test_r16_else_by_time_title_and_recurrence(world):
    side = world.pair()
    for day in (2, 3, 4):
        world.put(f"hub-{day}", tea("Tea ", day=day))
        side.calendar.add(tea("tea", day=day))
    report = world.cycle(side)
    assert report.linked == 3
    world.settle()
    assert len(world.hub()) == len(side.calendar.objects()) == 3


def test_r16_what_is_ambiguous_is_neither_guessed_nor_doubled(world_on_each):
    world = world_on_each
    side = world.pair()
    world.put("a", tea())
    world.put("b", tea())
    world.put("other", tea("other"))
    side.calendar.add(tea())
    world.settle()
    assert world.titles() == ["Tea", "Tea", "other"]
    assert side.titles() == ["Tea", "other"]
    with world.database.read() as conn:
        waiting = links.quarantined(conn, side.pair)
    assert len(waiting) == 3
    assert all("look alike" in link.quarantine for link in waiting)


def test_r16_what_differs_is_united(world):
    side = world.pair()
    world.put("same", replace(tea(), master=replace(tea().master, location="Kitchen")))
    side.calendar.add(replace(tea(), master=replace(tea().master, description="with milk")), uid="same")
    world.settle()
    (here,), (there,) = world.hub().values(), side.calendar.objects().values()
    assert here == there
    assert (here.master.location, here.master.description) == ("Kitchen", "with milk")


def test_r8_pairing_never_deletes(world):
    side = world.pair()
    ids = [side.calendar.add(tea(f"event {number}")) for number in range(3)]
    world.put("mine", tea("mine"))
    # what is deleted while the first listing is under way
    original = side.calendar.request

    def request(method):
        if method == "create":
            side.calendar.remove(ids[0])
            world.delete(world.uid_of("event 1"))
            side.calendar.request = original
        return original(method)

    side.calendar.request = request
    world.cycle(side)
    world.settle()
    assert world.titles() == side.titles() == ["event 2", "mine"]


def test_r8_a_remote_that_is_suddenly_empty_empties_nothing(world):
    """Another calendar under the same id: everything would go, so the owner is asked."""
    side = world.pair()
    for number in range(12):
        world.put(f"{number}", tea(f"event {number:02}"))
    world.settle()
    for id in list(side.calendar.objects()):
        side.calendar.remove(id)
    side.calendar.forget_cursors()
    report = world.cycle(side)
    assert report.parked is not None
    assert len(world.hub()) == 12


def test_r15_a_pair_made_anew_finds_its_events_again(world_on_each):
    world = world_on_each
    from bridge.store import pairs

    side = world.pair()
    for number in range(5):
        world.put(f"{number}", tea(f"event {number}"))
        side.calendar.add(tea(f"theirs {number}"))
    world.settle()
    writes, titles = side.calendar.writes, world.titles()
    with world.database.write() as conn:
        old = pairs.get(conn, side.pair)
        pairs.remove(conn, side.pair)
        made = pairs.add(
            conn, calendar_id=old.calendar_id, remote_calendar_id=old.remote_calendar_id, now=world.clock()
        )
    side.pair = made.id
    world.settle()
    assert side.calendar.writes == writes
    assert world.titles() == side.titles() == titles


def test_r9_a_copy_that_carries_our_marker_is_a_new_event(world):
    side = world.pair()
    world.put("tea", tea())
    world.settle()
    original = side.id_of("Tea")
    key = side.calendar.kept[original].key
    copy = side.calendar.make(tea("Copy"), uid=None, key=key).id
    world.settle()
    assert world.titles() == side.titles() == ["Copy", "Tea"]
    side.calendar.remove(copy)
    world.settle()
    assert world.titles() == side.titles() == ["Tea"]


def test_r9_a_copy_with_the_very_same_uid_is_a_new_event(world):
    side = world.pair()
    side.calendar.add(tea(), uid="tea")
    world.settle()
    side.calendar.add(tea("Copy"), uid="tea")
    world.settle()
    assert world.titles() == side.titles() == ["Copy", "Tea"]
    world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    world.settle()
    assert side.titles() == ["Coffee", "Copy"]


@pytest.mark.parametrize("count", [250])
def test_a_first_sync_in_several_batches(world, count):
    side = world.pair()
    for number in range(count):
        side.calendar.add(tea(f"theirs {number}"))
    report = world.cycle(side)
    assert report.hub_writes == report.linked == count
    assert world.cycle(side).rounds == 0
    other = world.pair()
    report = world.cycle(other)
    assert report.remote_writes == count
    assert world.cycle(other).idle
