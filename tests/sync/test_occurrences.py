"""A service that tells of a deleted occurrence by an id that nobody knows, and of nothing else (M-26)."""

from dataclasses import replace

import pytest

from bridge.sync.ports import Removal
from tests.support.worlds import tea
from tests.sync.test_merge import overridden


class Naming:
    """It says of a changed object only that ``stranger`` was removed, and counts how often its series are read."""

    def __init__(self, remote):
        self._remote, self.stranger, self.asked = remote, None, 0

    def __getattr__(self, name):
        return getattr(self._remote, name)

    def page(self, cursor, *, now):
        page = self._remote.page(cursor, now=now)
        if self.stranger is None:
            return page
        told = Removal(self.stranger, certain=False)
        return replace(page, items=[], removals=[*page.removals, told])

    def behind(self, ids):
        assert ids == [self.stranger]
        self.asked += 1
        return [item for id in self.calendar.objects() for item in self.get(id)], frozenset()


@pytest.fixture
def side(world):
    side = world.pair()
    side.remote = Naming(side.remote)
    return side


def test_m26_an_occurrence_removed_by_its_own_id_is_removed_here(world, side):
    series = tea("Choir", rule="FREQ=WEEKLY;COUNT=4")
    id = side.calendar.add(series)
    world.settle()
    side.calendar.edit(id, replace(series, cancelled=frozenset({"20260309T080000Z"})))
    side.remote.stranger = "an occurrence's"
    world.cycle(side)
    (held,) = world.hub().values()
    assert held.cancelled == {"20260309T080000Z"}
    assert side.remote.asked == 1


def test_the_series_are_not_read_for_what_is_known(world, side):
    id = side.calendar.add(tea("Tea"))
    world.put("here", tea("Cake", day=3))
    world.settle()
    side.calendar.remove(id)
    world.settle()
    world.delete("here")
    world.settle()
    assert world.titles() == side.titles() == []
    assert side.remote.asked == 0


def test_r10_a_series_that_was_edited_there_and_deleted_here_comes_back_without_what_its_new_rule_lacks(world):
    """The phone had moved an occurrence, then deleted the series; meanwhile somebody ended it before that occurrence."""
    side = world.pair()
    world.put("tea", tea(rule="FREQ=WEEKLY;COUNT=6"))
    world.settle()
    ended = tea(rule="FREQ=WEEKLY;UNTIL=20260316T080000Z")
    side.calendar.edit(side.id_of("Tea"), ended)
    world.edit("tea", lambda fields: overridden(fields, "20260330T070000Z", summary="Cake"))
    world.delete("tea")
    world.settle()
    assert world.hub() == {"tea": ended}
    assert list(side.calendar.objects().values()) == [ended]
    assert b"Cake" not in world.stored()["tea"].data
