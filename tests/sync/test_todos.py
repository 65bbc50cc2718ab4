"""To-dos go the way of events; which is a part of which is named by each side in its own words (X-71)."""

from dataclasses import replace

import pytest

from bridge.errors import Unreachable
from bridge.ical.fields import ObjectFields, Span, TodoFields
from bridge.providers.memory import MemoryTodoLens
from bridge.store.tables import conflicts, outbox
from bridge.sync.identity import derived_uid
from tests.support.worlds import Boundaries, retitled, tea
from tests.sync.test_crash import boundaries_of


@pytest.fixture
def side(world):
    return world.pair(lens=MemoryTodoLens())


class LikeGoogle(MemoryTodoLens):
    """No UID comes with a to-do (G-106)."""

    def read(self, items):
        return replace(MemoryTodoLens.read(self, items), uid="")


def todo(title, **fields):
    return ObjectFields(TodoFields(Span(), title, **fields))


def changed(fields, **news):
    return replace(fields, master=replace(fields.todo, **news))


def parents(side):
    """By title, the title of its parent at the service."""
    there = side.calendar.objects()
    return {
        each.todo.summary: there[each.todo.parent].todo.summary if each.todo.parent else "" for each in there.values()
    }


def parents_here(world):
    hub = world.hub()
    return {each.todo.summary: hub[each.todo.parent].todo.summary if each.todo.parent else "" for each in hub.values()}


FAMILY = {"Pack": "", "Socks": "Pack", "Hats": "Pack"}


def test_a_to_do_is_everywhere_and_so_is_its_end(world, side):
    world.put("bread", todo("Bread"))
    side.calendar.add(todo("Milk"))
    world.settle()
    assert side.titles() == world.titles() == ["Bread", "Milk"]
    world.edit("bread", lambda fields: changed(fields, status="COMPLETED", percent=100))
    side.calendar.edit(side.id_of("Milk"), todo("Milk", status="IN-PROCESS"))
    world.settle()
    assert side.calendar.objects()[side.id_of("Bread")].todo.status == "COMPLETED"
    assert world.hub()[world.uid_of("Milk")].todo.status == "IN-PROCESS"
    world.delete("bread")
    side.calendar.remove(side.id_of("Milk"))
    world.settle()
    assert side.titles() == world.titles() == []


def test_an_event_in_a_list_of_to_dos_is_nothing_to_it(world, side):
    world.put("tea", tea())
    world.put("bread", todo("Bread"))
    world.settle()
    assert side.titles() == ["Bread"]
    world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    world.delete("tea")
    world.settle()
    assert side.titles() == ["Bread"]


def test_r35_both_sides_change_the_same(world, side):
    world.put("bread", todo("Bread"))
    world.settle()
    world.edit("bread", lambda fields: changed(fields, summary="Rolls"))
    world.clock.pass_by(minutes=1)
    side.calendar.edit(side.id_of("Bread"), todo("Cake"))
    world.settle()
    assert side.titles() == world.titles() == ["Cake"]
    assert world.rows(conflicts) == 1


def test_x71_what_is_a_part_here_is_a_part_there(world, side):
    world.put("socks", todo("Socks", parent="pack"))
    world.put("pack", todo("Pack"))
    world.put("hats", todo("Hats", parent="pack"))
    world.settle()
    assert parents(side) == parents_here(world) == FAMILY


def test_x71_what_is_a_part_there_is_a_part_here(world, side):
    pack = side.calendar.add(todo("Pack"))
    for title in ("Socks", "Hats"):
        side.calendar.add(todo(title, parent=pack))
    world.settle()
    assert parents(side) == parents_here(world) == FAMILY


def test_x71_a_part_goes_to_another_parent_on_either_side(world, side):
    for title in ("Pack", "Cook", "Socks"):
        world.put(title.lower(), todo(title, parent="pack" if title == "Socks" else ""))
    world.settle()
    world.edit("socks", lambda fields: changed(fields, parent="cook"))
    world.settle()
    assert parents(side)["Socks"] == "Cook"
    socks, pack = side.id_of("Socks"), side.id_of("Pack")
    side.calendar.edit(socks, changed(side.calendar.objects()[socks], parent=pack))
    world.settle()
    assert parents_here(world)["Socks"] == "Pack"
    side.calendar.edit(socks, changed(side.calendar.objects()[socks], parent=""))
    world.settle()
    assert parents_here(world)["Socks"] == ""


def test_x71_a_parent_that_is_not_there_is_left_out_and_does_not_come_back(world, side):
    world.put("socks", todo("Socks", parent="nowhere"))
    world.settle()
    assert parents(side) == {"Socks": ""}
    assert world.hub()["socks"].todo.parent == "nowhere"
    side.calendar.edit(side.id_of("Socks"), todo("Warm socks"))
    world.settle()
    assert world.hub()["socks"].todo == todo("Warm socks", parent="nowhere").todo


def test_x71_a_parent_that_goes_leaves_its_parts(world, side):
    world.put("pack", todo("Pack"))
    world.put("socks", todo("Socks", parent="pack"))
    world.settle()
    world.delete("pack")
    world.settle()
    assert side.titles() == world.titles() == ["Socks"]


def test_x71_two_that_are_parts_of_each_other_come_to_rest(world, side):
    world.put("hen", todo("Hen", parent="egg"))
    world.put("egg", todo("Egg", parent="hen"))
    world.settle()
    assert side.titles() == ["Egg", "Hen"]


def test_x71_a_conflict_about_a_parent_names_it_as_the_hub_does(world, side):
    for title in ("Pack", "Cook", "Wash", "Socks"):
        world.put(title.lower(), todo(title, parent="pack" if title == "Socks" else ""))
    world.settle()
    world.edit("socks", lambda fields: changed(fields, parent="cook"))
    world.clock.pass_by(minutes=1)
    socks, wash = side.id_of("Socks"), side.id_of("Wash")
    side.calendar.edit(socks, changed(side.calendar.objects()[socks], parent=wash))
    world.settle()
    assert parents(side)["Socks"] == parents_here(world)["Socks"] == "Wash"
    with world.database.read() as conn:
        row = conn.execute(conflicts.select()).one()
    assert "cook" in str(row.hub)
    assert "wash" in str(row.remote)
    assert wash not in str(row.remote)


def test_x71_a_parent_of_the_service_is_found_under_the_uid_that_pairing_gives_it(world):
    world.put("pack", todo("Pack"))
    side = world.pair(lens=MemoryTodoLens())
    pack = side.calendar.add(todo("Pack"))
    side.calendar.add(todo("Socks", parent=pack))
    world.settle()
    assert parents_here(world) == {"Pack": "", "Socks": "Pack"}
    assert world.uid_of("Pack") == "pack"


def test_x71_what_the_service_tells_of_later_is_named_as_it_will_be(world):
    """The part is read a cycle before its parent."""
    side = world.pair(lens=LikeGoogle())
    world.settle()
    socks = side.calendar.add(todo("Socks", parent="m2"))
    world.cycle(side)
    assert world.hub()[world.uid_of("Socks")].todo.parent == derived_uid(world.state_key(side), "m2")
    assert side.calendar.add(todo("Pack")) == "m2"
    world.settle()
    assert parents_here(world) == parents(side) == {"Pack": "", "Socks": "Pack"}
    assert side.calendar.objects()[socks].todo.parent == "m2"


def test_x71_a_part_whose_parent_does_not_arrive_waits_without_writing(world, side):
    world.settle()
    world.put("pack", todo("Pack"))
    side.calendar.fail("create", Unreachable("timeout"), times=1)
    with pytest.raises(Unreachable):
        world.cycle(side)
    world.put("socks", todo("Socks", parent="pack"))
    world.cycle(side)
    writes = side.calendar.writes
    world.cycle(side)
    assert side.calendar.writes == writes
    world.clock.pass_by(minutes=10)
    world.settle()
    assert parents(side) == {"Pack": "", "Socks": "Pack"}


def test_r12_x71_dying_at_any_boundary(world, side, copies, tmp_path):
    world.put("pack", todo("Pack"))
    side.calendar.add(todo("Cook"))
    world.settle()
    world.put("socks", todo("Socks", parent="pack"))
    world.put("trip", todo("Trip"))
    world.edit("pack", lambda fields: changed(fields, parent="trip"))
    side.calendar.add(todo("Peel", parent=side.id_of("Cook")))
    make = copies(world, tmp_path / "hub" / "bridge.db")
    whole = {"Pack": "Trip", "Socks": "Pack", "Trip": "", "Cook": "", "Peel": "Cook"}
    for boundary in boundaries_of(make):
        again = make()
        assert again.dying_cycle(again.sides[0], Boundaries(boundary))
        again.clock.pass_by(minutes=10)
        again.settle()
        assert parents_here(again) == parents(again.sides[0]) == whole, boundary
        assert again.rows(outbox) == 0


def test_r10_what_comes_back_here_goes_back_to_where_it_came_from(world):
    """Its UID was made of its id there; the echo of its deletion there comes in the same moment as the object does here."""
    first, second = world.pair(lens=LikeGoogle()), world.pair(lens=LikeGoogle())
    first.calendar.add(todo("Milk"))
    world.settle()
    world.delete(world.uid_of("Milk"))
    world.cycle(first)
    assert first.titles() == []
    milk = second.id_of("Milk")
    second.calendar.edit(milk, changed(second.calendar.objects()[milk], priority=1))
    world.cycle(second)
    assert world.titles() == ["Milk"]
    world.settle()
    assert first.titles() == second.titles() == world.titles() == ["Milk"]


def test_x71_a_parent_and_its_part_are_made_anew_together(world, side):
    """Both were deleted there, and edited here: the part comes below what its parent has become."""
    world.put("pack", todo("Pack"))
    world.put("socks", todo("Socks", parent="pack"))
    world.settle()
    for title in ("Pack", "Socks"):
        side.calendar.remove(side.id_of(title))
        world.edit(title.lower(), lambda fields: changed(fields, priority=1))
    world.settle()
    assert parents(side) == parents_here(world) == {"Pack": "", "Socks": "Pack"}
