"""R10: "this and following" is one compound step; the old half is not cut before the new one stands."""

import contextlib
import dataclasses
import datetime as dt

from bridge.errors import Refused, Unreachable
from bridge.ical.fields import ObjectFields, When
from tests.support.worlds import tea

WEEKLY = "FREQ=WEEKLY;COUNT=8"


def moved(fields, *, days, hours=0):
    start = fields.master.when.start + dt.timedelta(days=days, hours=hours)
    when = When(start, start + dt.timedelta(hours=1), fields.master.when.zone)
    return dataclasses.replace(fields.master, when=when)


def split_on_the_phone(world):
    """The last four weeks an hour later, as phones do it: two UIDs, the cut written first."""
    world.put("s", tea("Stand-up", rule=WEEKLY))
    side = world.pair()
    world.settle()
    world.edit("s", lambda fields: dataclasses.replace(fields, recurrence=("RRULE:FREQ=WEEKLY;COUNT=4",)))
    world.put("s2", ObjectFields(moved(tea("Stand-up"), days=28, hours=1), ("RRULE:FREQ=WEEKLY;COUNT=4",)))
    return side


def rules(side):
    return sorted(fields.recurrence[0] for fields in side.calendar.objects().values())


def test_r10_both_halves_arrive_in_one_cycle(world_on_each):
    world = world_on_each
    side = split_on_the_phone(world)
    world.cycle(side)
    assert rules(side) == ["RRULE:FREQ=WEEKLY;COUNT=4"] * 2
    world.settle()


def test_r10_the_old_half_stays_whole_while_the_new_one_cannot_be_made(world):
    side = split_on_the_phone(world)
    side.calendar.fail("create", Refused("no", status=400), times=1)
    world.cycle(side)
    assert rules(side) == [f"RRULE:{WEEKLY}"]
    for _ in range(2):
        world.clock.pass_by(hours=1)
        world.settle()
    assert rules(side) == ["RRULE:FREQ=WEEKLY;COUNT=4"] * 2


def test_r10_nor_while_nobody_knows_whether_it_was_made(world):
    side = split_on_the_phone(world)
    side.calendar.fail("create", Unreachable("timeout"), after_effect=True)
    with contextlib.suppress(Unreachable):
        world.cycle(side)
    assert f"RRULE:{WEEKLY}" in rules(side)
    for _ in range(2):
        world.clock.pass_by(hours=1)
        world.settle()
    assert rules(side) == ["RRULE:FREQ=WEEKLY;COUNT=4"] * 2


def test_r10_whoever_only_shortens_a_series_waits_for_nothing(world):
    world.put("s", tea("Stand-up", rule=WEEKLY))
    side = world.pair()
    world.settle()
    world.edit("s", lambda fields: dataclasses.replace(fields, recurrence=("RRULE:FREQ=WEEKLY;COUNT=4",)))
    world.put("t", tea("Something else", day=30))
    side.calendar.fail("create", Refused("no", status=400), times=1)
    world.cycle(side)
    assert rules(side) == ["RRULE:FREQ=WEEKLY;COUNT=4"]


def test_r32_a_rule_that_cannot_be_followed_holds_up_nobody(world):
    """Edited in the hub together with a new series, it might be one that was cut."""
    side = world.pair()
    world.put("odd", tea("Odd", rule=WEEKLY))
    world.settle()
    unreadable = ("RRULE:FREQ=WEEKLY;RSCALE=HEBREW;COUNT=3",)
    world.edit("odd", lambda fields: dataclasses.replace(fields, recurrence=unreadable))
    world.put("new", tea("New", rule="FREQ=DAILY;COUNT=3", day=20))
    world.cycle(side)
    assert "New" in side.titles()
    assert world.titles() == ["New", "Odd"]
