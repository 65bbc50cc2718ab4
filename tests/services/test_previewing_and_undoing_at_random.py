"""Whatever people do on three sides: a cycle does what was previewed, undo loses nothing, and all sides come to rest (R12, R35)."""

import random

import pytest

from bridge.errors import UsageError
from bridge.services import previewing, undoing
from bridge.store import history, journal
from tests.support.owners import context_of
from tests.support.worlds import at, retitled, tea

WHERE = {"hub": "here", "remote": "there"}


class People:
    """They do anything, anywhere, by the dice."""

    def __init__(self, world, dice):
        self.world, self.dice, self.count = world, dice, 0

    def act(self):
        self.count += 1
        fields = tea(f"made {self.count}", day=self.dice.randint(1, 28), hour=self.dice.randint(6, 20))
        where = self.dice.choice([self.world, *self.world.sides])
        if where is self.world:
            self._on_the_phone(fields)
        else:
            self._at(where.calendar, fields)

    def _change(self, fields):
        return (
            retitled(fields, f"named {self.count}")
            if self.dice.random() < 0.6
            else at(fields, self.dice.randint(6, 20))
        )

    def _on_the_phone(self, fields):
        uids = sorted(self.world.stored())
        what = self.dice.choice(["put", "edit", "delete"])
        if what == "put" or not uids:
            self.world.put(f"u{self.count}", fields)
        elif what == "edit":
            self.world.edit(self.dice.choice(uids), self._change)
        else:
            self.world.delete(self.dice.choice(uids))

    def _at(self, calendar, fields):
        held = calendar.objects()
        what = self.dice.choice(["add", "edit", "remove"])
        if what == "add" or not held:
            calendar.add(fields)
            return
        id = self.dice.choice(sorted(held))
        if what == "edit":
            calendar.edit(id, self._change(held[id]))
        else:
            calendar.remove(id)


def previewed(world, side):
    with previewing.previewed(context_of(world), side.pair) as foreseen:
        return {(row.uid, row.where, row.what) for row in foreseen.rows if row.what in previewing.KINDS.values()}


def journaled(world, side, *, after):
    with world.database.read() as conn:
        found = [each for each in journal.latest(conn, side.pair, limit=1) if each.number > after]
        return {
            (one.uid, WHERE[one.side], previewing.KINDS[one.kind])
            for each in found
            for one in journal.entries(conn, side.pair, each.number)
        }


def undo_something(world, dice):
    side = dice.choice(world.sides)
    with world.database.read() as conn:
        numbers = [each.number for each in journal.latest(conn, side.pair, limit=4)]
    if not numbers:
        return
    force = dice.random() < 0.5
    try:
        done = undoing.undo(context_of(world), side.pair, dice.choice(numbers), force=force)
    except UsageError as error:
        assert "undone already" in str(error)  # noqa: PT017 - the dice may choose the same cycle twice
        return
    gone = {item.uid for item in done.items if item.what == "delete"}
    assert gone.isdisjoint(world.stored())


@pytest.mark.parametrize("seed", range(12))
def test_r12_r35_previews_are_true_and_undo_loses_and_doubles_nothing(world, seed):
    dice = random.Random(seed)
    world.pair(), world.pair()
    people = People(world, dice)
    world.settle()
    ever = set()
    for _ in range(8):
        for _ in range(dice.randint(1, 4)):
            people.act()
            ever |= {each.data for each in world.stored().values()}
        for side in world.sides:
            before = world.state(side).cycles
            expected = previewed(world, side)
            world.cycle(side)
            assert journaled(world, side, after=before) == expected
        if dice.random() < 0.5:
            undo_something(world, dice)
        ever |= {each.data for each in world.stored().values()}
        world.clock.pass_by(hours=2)
    world.settle()
    for side in world.sides:
        assert side.titles() == world.titles()
    with world.database.read() as conn:
        kept = {version.data for version in history.recent(conn, world.calendar, limit=10_000)}
    assert ever <= kept
