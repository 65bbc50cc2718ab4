"""What a cycle has the database do follows from what has changed, however much there is (not timed: see ``tests.support.work``)."""

import pytest

from bridge.store.session import connect
from tests.support import work
from tests.support.databases import lay
from tests.support.worlds import World, retitled, tea

FEW, MANY = 40, 800
MOST = 1.25
"""Times the work in a small calendar: indexes grow a little, too."""


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """Two calendars at rest, each mirrored with two others, and what there was to do for each event."""
    made = []
    with work.counted() as counted:
        for size in (FEW, MANY):
            folder = tmp_path_factory.mktemp("world") / "data"
            lay(folder)
            world = World(connect(f"sqlite:///{folder / 'bridge.db'}"))
            one = world.pair()
            world.pair()
            for number in range(size):
                if number % 2:
                    world.put(f"{number}", tea(f"Tea {number}", day=1 + number % 28))
                else:
                    one.calendar.add(tea(f"Tea {number}", day=1 + number % 28), uid=f"{number}")
            spent = counted.of(world.settle)
            world.clock.pass_by(hours=2)  # before deletions the guard counts what was deleted within an hour
            made.append((world, counted, spent / size))
        yield made
        for world, _, _ in made:
            world.database.close()


def nothing(world):
    pass


def edit(world):
    world.edit("5", lambda fields: retitled(fields, "Edited"))


def edit_there(world):
    calendar = world.sides[0].calendar
    calendar.edit(world.sides[0].id_of("Tea 7"), retitled(tea("Tea 7", day=8), "Edited there"))


def add(world):
    world.put("new", tea("New"))


def add_there(world):
    world.sides[0].calendar.add(tea("New there"), uid="there")


def delete(world):
    world.delete("9")


def delete_there(world):
    world.sides[0].calendar.remove(world.sides[0].id_of("Tea 11"))


@pytest.mark.parametrize("change", [nothing, edit, edit_there, add, add_there, delete, delete_there])
def test_a_cycle_costs_what_has_changed(worlds, change):
    few, many = (_spent(world, counted, change) for world, counted, _ in worlds)
    assert few > 0
    assert many <= MOST * few, (few, many)


def _spent(world, counted, change):
    change(world)
    spent = counted.of(world.settle)
    assert counted.of(world.settle) <= spent
    return spent


def test_a_first_sync_costs_the_same_for_each_event(worlds):
    few, many = (each for _, _, each in worlds)
    assert many <= MOST * few, (few, many)
