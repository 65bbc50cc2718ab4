"""Our own creation whose answer is lost, and which cannot be read for a while: it is still ours, and still one (R12, R32)."""

from dataclasses import replace

import pytest

from bridge.errors import Unmappable, Unreachable
from bridge.providers.memory import MemoryLens
from bridge.store import links
from tests.support.worlds import retitled, tea
from tests.sync.test_cycle import quarantined
from tests.sync.test_merge import overridden


class Blinking:
    """A lens that reads nothing while ``closed``."""

    def __init__(self):
        self._lens, self.closed = MemoryLens(), False

    def __getattr__(self, name):
        return getattr(self._lens, name)

    def read(self, items):
        if self.closed:
            raise Unmappable("cannot be read")
        return self._lens.read(items)


@pytest.fixture
def lens():
    return Blinking()


@pytest.fixture
def side(world, lens):
    """A weekly series with a moved and a cancelled occurrence was created; nobody heard of it, and what was listed was not read."""
    side = world.pair(lens=lens)
    world.settle()
    fields = overridden(tea("Choir", rule="FREQ=WEEKLY;COUNT=4"), "20260309T080000Z", summary="MINE")
    world.put("choir", replace(fields, cancelled=frozenset({"20260316T080000Z"})))
    side.calendar.fail("create", Unreachable("lost"), after_effect=True)
    with pytest.raises(Unreachable):
        world.cycle(side)
    lens.closed = True
    world.cycle(side)
    assert list(quarantined(world, side).values()) == ["cannot be read"]
    return side


def whole(world, side, title="Choir"):
    world.clock.pass_by(hours=1)
    world.settle()
    (here,), (there,) = world.hub().values(), side.calendar.objects().values()
    assert list(world.hub()) == ["choir"]
    assert here == there
    assert here.master.summary == title
    assert [event.summary for event in here.overrides.values()] == ["MINE"]
    assert here.cancelled == {"20260316T080000Z"}
    assert (quarantined(world, side), world.rows(links.links)) == ({}, 1)


def test_r12_found_by_its_key_and_not_read(world, side, lens):
    world.clock.pass_by(minutes=2)
    world.cycle(side)
    assert list(quarantined(world, side)) == ["choir"]
    lens.closed = False
    whole(world, side)


def test_r12_what_was_half_made_is_completed(world, side, lens):
    """Its occurrences had not been written when the answer was lost."""
    (id,) = side.calendar.objects()
    side.calendar.edit(id, replace(side.calendar.objects()[id], overrides={}, cancelled=frozenset()))
    world.clock.pass_by(minutes=2)
    world.cycle(side)
    lens.closed = False
    whole(world, side)


def test_r12_told_of_again_and_read(world, side, lens):
    lens.closed = False
    (id,) = side.calendar.objects()
    side.calendar.edit(id, retitled(side.calendar.objects()[id], "Chorus"))
    world.cycle(side)
    whole(world, side, "Chorus")


def test_r12_created_again_where_the_search_lags(world, side, lens, monkeypatch):
    """The key is taken, and the service answers with what is there."""
    lens.closed = False
    with monkeypatch.context() as patched:
        patched.setattr(type(side.remote), "find", lambda *_: ())
        world.clock.pass_by(minutes=2)
        world.cycle(side)
    whole(world, side)
