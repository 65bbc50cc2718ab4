"""A service that keeps nothing of ours with what we create (G-106): a creation without an answer is known by its content."""

from dataclasses import dataclass, replace

import pytest

from bridge.errors import Unreachable
from bridge.providers.memory import MemoryLens, MemoryRemote
from bridge.store.tables import outbox
from bridge.sync.ports import KeepsNoMark, SupportsBatches
from tests.support.worlds import Boundaries, CrashingRemote, retitled, tea
from tests.sync.test_crash import boundaries_of


@dataclass(frozen=True, slots=True)
class UnmarkedLens(MemoryLens):
    def read(self, items):
        return replace(MemoryLens.read(self, items), uid="", creation_key="")


@dataclass
class UnmarkedRemote:
    """The reference provider, as one without keys, UIDs and batches."""

    inner: MemoryRemote

    def __getattr__(self, name):
        if name in ("page", "get", "update", "delete", "lens", "calendar"):
            return getattr(self.inner, name)
        raise AttributeError(name)

    def find(self, key):
        return ()

    def create(self, fields, *, key, uid):
        with self.calendar.request("create"):
            return (self.calendar.make(self.lens.view(fields), uid=None, key="").item,)

    def alike(self, fields):
        with self.calendar.request("alike"):
            kept = [each for each in self.calendar.kept.values() if each.fields == fields]
            return [(each.item,) for each in reversed(kept)]


class CrashingUnmarked(CrashingRemote):
    batch_size = 0

    def alike(self, fields):
        return self.__getattr__("alike")(fields)


CrashingUnmarked.create_many = None


def unmarked(world, **screws):
    side = world.pair(lens=UnmarkedLens(), **screws)
    side.remote = UnmarkedRemote(side.remote)
    assert isinstance(side.remote, KeepsNoMark)
    assert not isinstance(side.remote, SupportsBatches)
    return side


def test_r12_a_creation_whose_answer_was_lost_is_found_by_what_it_says(world):
    side = unmarked(world)
    world.put("tea", tea())
    side.calendar.fail("create", Unreachable("timeout"), after_effect=True)
    with pytest.raises(Unreachable):
        world.cycle(side)
    world.clock.pass_by(minutes=10)
    world.settle()
    assert side.titles() == world.titles() == ["Tea"]


def test_r12_it_is_found_by_its_reader_before_it_is_sent_again(world):
    """The next page tells of it, as of anything that is new there."""
    side = unmarked(world)
    world.settle()
    world.put("tea", tea())
    side.calendar.fail("create", Unreachable("timeout"), after_effect=True)
    with pytest.raises(Unreachable):
        world.cycle(side)
    world.settle()
    assert side.titles() == world.titles() == ["Tea"]
    assert side.calendar.requests["alike"] == 0


def test_r12_what_did_not_arrive_is_created(world):
    side = unmarked(world)
    world.put("tea", tea())
    side.calendar.fail("create", Unreachable("timeout"))
    with pytest.raises(Unreachable):
        world.cycle(side)
    world.clock.pass_by(minutes=10)
    world.settle()
    assert side.titles() == world.titles() == ["Tea"]


def test_r12_two_of_the_same_are_two(world):
    """Its owner has typed the very same there, and here are two of them: nothing is taken for something else."""
    side = unmarked(world)
    world.settle()
    world.put("one", tea())
    world.put("two", tea())
    side.calendar.add(tea())
    side.calendar.fail("create", Unreachable("timeout"), after_effect=True, times=2)
    with pytest.raises(Unreachable):
        world.cycle(side)
    world.clock.pass_by(minutes=10)
    world.settle()
    assert side.titles() == world.titles() == ["Tea"] * 3


def test_r12_an_edit_behind_a_lost_answer_is_told(world):
    side = unmarked(world)
    world.put("tea", tea())
    side.calendar.fail("create", Unreachable("timeout"), after_effect=True)
    with pytest.raises(Unreachable):
        world.cycle(side)
    world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    world.clock.pass_by(minutes=10)
    world.settle()
    assert side.titles() == world.titles() == ["Coffee"]


def test_r12_dying_at_any_boundary_doubles_nothing(world, copies, tmp_path):
    side = unmarked(world, page_size=2)
    for title in ("edited here", "deleted here", "deleted there"):
        world.put(title.replace(" ", "-"), tea(title))
    world.settle()
    world.edit("edited-here", lambda fields: retitled(fields, "new here"))
    world.delete("deleted-here")
    side.calendar.remove(side.id_of("deleted there"))
    for number in range(3):
        world.put(f"made-{number}", tea(f"made {number}"))
        side.calendar.add(tea(f"made there {number}"))
    make = copies(world, tmp_path / "hub" / "bridge.db")
    whole = sorted(["new here", *(f"made {n}" for n in range(3)), *(f"made there {n}" for n in range(3))])
    every = boundaries_of(make, crashing=CrashingUnmarked)
    assert len(every) > 20
    for boundary in every:
        again = make()
        assert again.dying_cycle(again.sides[0], Boundaries(boundary), crashing=CrashingUnmarked)
        again.clock.pass_by(minutes=10)
        again.settle()
        assert again.titles() == whole, boundary
        assert again.sides[0].titles() == whole, boundary
        assert again.rows(outbox) == 0
