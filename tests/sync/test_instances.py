"""One occurrence, or two of the same series, edited in two places at once: nobody's edit is lost (R11, R35, R36)."""

from dataclasses import replace

from bridge.ical.fields import diff, patch
from bridge.providers.memory import MemoryRemote
from tests.support.worlds import tea
from tests.sync.test_merge import overridden

SERIES = tea(rule="FREQ=WEEKLY;COUNT=6")
SECOND, THIRD = "20260309T080000Z", "20260316T080000Z"


class ApartRemote(MemoryRemote):
    """Its instances have versions of their own, as Google's have: an edit of one keeps nobody from writing another."""

    def update(self, current, target):
        now = self.calendar.objects()[current.id]
        self.calendar.edit(current.id, patch(now, diff(current.fields, target)))
        return self.get(current.id)


def test_both_sides_edit_the_same_occurrence_in_different_fields(world):
    side = world.pair()
    world.put("tea", SERIES)
    world.settle()
    world.edit("tea", lambda fields: overridden(fields, SECOND, summary="Cake"))
    side.calendar.edit(side.id_of("Tea"), overridden(SERIES, SECOND, location="Room 5"))
    world.settle()
    both = overridden(SERIES, SECOND, summary="Cake", location="Room 5")
    assert world.hub()["tea"] == both
    assert list(side.calendar.objects().values()) == [both]


def test_three_places_edit_the_same_occurrence_in_different_fields(world):
    first, second = world.pair(), world.pair()
    world.put("tea", SERIES)
    world.settle()
    world.edit("tea", lambda fields: overridden(fields, SECOND, summary="Cake"))
    first.calendar.edit(first.id_of("Tea"), overridden(SERIES, SECOND, location="Room 5"))
    second.calendar.edit(second.id_of("Tea"), overridden(SERIES, SECOND, description="with cream"))
    world.settle()
    every = overridden(SERIES, SECOND, summary="Cake", location="Room 5", description="with cream")
    assert world.hub()["tea"] == every
    for side in (first, second):
        assert list(side.calendar.objects().values()) == [every]


def test_r36_an_occurrence_edited_there_while_another_one_is_written_comes_to_the_hub(world):
    """The answer to our write shows both: the other one is no echo."""
    side = world.pair()
    side.remote = ApartRemote(side.calendar, side.remote.lens)
    world.put("tea", SERIES)
    world.settle()
    world.edit("tea", lambda fields: overridden(fields, SECOND, summary="Cake"))
    ledger, engaged = world.ledger(side), side.remote.page

    def page(cursor, *, now):
        """Read; and behind the reading, before we write, somebody edits."""
        answer = engaged(cursor, now=now)
        if not answer.more:
            side.calendar.edit(side.id_of("Tea"), overridden(SERIES, THIRD, summary="Biscuits"))
        return answer

    world.cycle(side, remote=_Reading(side.remote, page), ledger=ledger)
    world.settle()
    both = replace(overridden(overridden(SERIES, SECOND, summary="Cake"), THIRD, summary="Biscuits"))
    assert world.hub()["tea"] == both
    assert list(side.calendar.objects().values()) == [both]


class _Reading:
    def __init__(self, remote, page):
        self._remote, self.page = remote, page

    def __getattr__(self, name):
        return getattr(self._remote, name)
