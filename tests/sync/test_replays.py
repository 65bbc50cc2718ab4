"""A service that tells late what was there once (M-27): what has gone does not come back for that."""

from dataclasses import replace

import pytest

from tests.support.worlds import retitled, tea


class Replaying:
    """The remote, whose next page begins with what it was told to replay."""

    replays = True

    def __init__(self, remote):
        self._remote = remote
        self.old = []

    def __getattr__(self, name):
        return getattr(self._remote, name)

    def page(self, cursor, *, now):
        page, old = self._remote.page(cursor, now=now), self.old
        self.old = []
        return replace(page, items=[*old, *page.items])


@pytest.fixture
def side(world):
    side = world.pair()
    side.remote = Replaying(side.remote)
    return side


@pytest.mark.parametrize("made", ["here", "there"])
@pytest.mark.parametrize("deleted", ["here", "there"])
def test_m27_what_has_been_deleted_is_not_made_again_by_a_late_word_of_it(world, side, made, deleted):
    if made == "here":
        world.put("tea", tea())
    else:
        side.calendar.add(tea(), uid="tea")
    world.settle()
    id = side.id_of("Tea")
    old = side.calendar.alive(id).item
    if deleted == "here":
        world.delete("tea")
    else:
        side.calendar.remove(id)
    world.settle()
    side.remote.old = [old]
    world.cycle(side)
    world.settle()
    assert world.titles() == side.titles() == []


def test_m27_what_was_brought_back_there_is_there_again(world, side):
    """The same event: its owner has taken it out of the bin."""
    side.calendar.add(tea(), uid="tea")
    world.settle()
    id = side.id_of("Tea")
    world.delete("tea")
    world.settle()
    assert side.titles() == []
    kept = side.calendar.kept[id]
    kept.fields = retitled(tea(), "Tea again")
    side.calendar.changes += 1
    kept.changed = side.calendar.changes
    world.settle()
    assert world.titles() == side.titles() == ["Tea again"]
