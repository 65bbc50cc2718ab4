"""A process may die between any two statements: the next cycle converges, nothing lost, nothing twice (R12)."""

import pytest

from bridge.errors import Unreachable, VersionMismatch
from bridge.store.tables import outbox
from tests.support.worlds import Boundaries, at, retitled, tea
from tests.sync.test_merge import overridden


def busy_day(world):
    """Something of every kind waits to be synced on both sides."""
    side = world.pair(page_size=2)
    for title in ("kept", "edited here", "edited there", "edited on both", "deleted here", "deleted there", "beats"):
        world.put(title.replace(" ", "-"), tea(title, rule="FREQ=WEEKLY;COUNT=3"))
    world.settle()
    world.edit("edited-here", lambda fields: retitled(fields, "new here"))
    side.calendar.edit(side.id_of("edited there"), tea("new there"))
    world.edit("edited-on-both", lambda fields: retitled(fields, "merged"))
    both = side.id_of("edited on both")
    side.calendar.edit(both, at(side.calendar.objects()[both], 15))
    world.delete("deleted-here")
    side.calendar.remove(side.id_of("deleted there"))
    side.calendar.remove(side.id_of("beats"))
    world.edit("beats", lambda fields: retitled(fields, "beats the deletion"))
    world.put("created-here", tea("created here"))
    world.put("created-here-too", tea("created here, too"))
    side.calendar.add(tea("created there"), uid="created-there")
    return side


WHOLE = sorted(
    [
        "kept",
        "new here",
        "new there",
        "merged",
        "beats the deletion",
        "created here",
        "created here, too",
        "created there",
    ]
)


def check(world, side):
    world.clock.pass_by(minutes=10)
    world.settle()
    assert world.titles() == WHOLE
    assert side.titles() == WHOLE
    merged = world.hub()[world.uid_of("merged")]
    assert merged.master.when.start.hour == 15
    assert merged == side.calendar.objects()[side.id_of("merged")]
    assert world.rows(outbox) == 0


def boundaries_of(make, **how):
    world, boundaries = make(), Boundaries()
    assert not world.dying_cycle(world.sides[0], boundaries, **how)
    return range(1, boundaries.count + 1)


def test_r12_dying_at_any_boundary_of_a_cycle_loses_nothing_and_doubles_nothing(world, copies, tmp_path):
    busy_day(world)
    make = copies(world, tmp_path / "hub" / "bridge.db")
    every = boundaries_of(make)
    assert len(every) > 40
    for boundary in every:
        again = make()
        assert again.dying_cycle(again.sides[0], Boundaries(boundary))
        check(again, again.sides[0])


def test_r12_dying_again_and_again(world_on_each):
    """Every cycle gets one boundary further than the one before."""
    world = world_on_each
    side = busy_day(world)
    died = 0
    while world.dying_cycle(side, Boundaries(died + 1)):
        died += 1
        world.clock.pass_by(minutes=10)
    assert died > 3
    check(world, side)


def test_r12_dying_at_any_boundary_of_the_first_sync(world, copies, tmp_path):
    side = world.pair(page_size=2)
    world.put("both", tea("both"))
    side.calendar.add(tea("both"), uid="both")
    for number in range(3):
        world.put(f"hub{number}", tea(f"hub {number}"))
        side.calendar.add(tea(f"remote {number}"))
    make = copies(world, tmp_path / "hub" / "bridge.db")
    for boundary in boundaries_of(make):
        again = make()
        assert again.dying_cycle(again.sides[0], Boundaries(boundary))
        again.clock.pass_by(minutes=10)
        again.settle()
        assert again.titles() == again.sides[0].titles()
        assert len(again.titles()) == 7, boundary


def test_r12_a_lost_answer_and_an_edit_of_the_owner_in_between(world):
    """The creation reached the service, its owner edited the event, only then the bridge comes back."""
    side = world.pair()
    world.put("tea", tea(rule="FREQ=WEEKLY;COUNT=3"))
    side.calendar.fail("create", Unreachable("timeout"), after_effect=True)
    with pytest.raises(Unreachable):
        world.cycle(side)
    side.calendar.edit(side.id_of("Tea"), tea("Coffee", rule="FREQ=WEEKLY;COUNT=3"))
    world.edit("tea", lambda fields: at(fields, 11))
    world.clock.pass_by(minutes=10)
    world.settle()
    assert len(side.calendar.objects()) == 1
    assert list(side.calendar.objects().values()) == list(world.hub().values())
    assert list(world.hub().values()) == [at(tea("Coffee", rule="FREQ=WEEKLY;COUNT=3"), 11)]


def test_r12_r35_an_occurrence_that_its_owner_edits_before_a_half_made_series_is_taken_up(world):
    """The series reached the service, one of its instances did not, and another one was edited there."""
    second, third = "20260309T080000Z", "20260316T080000Z"
    side = world.pair()
    world.put("tea", overridden(tea(rule="FREQ=WEEKLY;COUNT=6"), second, summary="Cake"))
    side.calendar.fail("create", Unreachable("timeout"), after_effect=True)
    with pytest.raises(Unreachable):
        world.cycle(side)
    edited = overridden(tea(rule="FREQ=WEEKLY;COUNT=6"), third, summary="Biscuits")
    side.calendar.edit(side.id_of("Tea"), edited)
    world.clock.pass_by(minutes=10)
    world.settle()
    both = overridden(edited, second, summary="Cake")
    assert list(side.calendar.objects().values()) == list(world.hub().values()) == [both]


def test_r12_what_is_edited_while_its_creation_waits_is_told_behind_it(world):
    side = world.pair()
    world.put("tea", tea())
    side.calendar.fail("create", Unreachable("timeout"))
    with pytest.raises(Unreachable):
        world.cycle(side)
    world.edit("tea", lambda fields: at(fields, 11))
    world.cycle(side)
    world.clock.pass_by(minutes=10)
    world.settle()
    assert list(side.calendar.objects().values()) == list(world.hub().values()) == [at(tea(), 11)]


def test_r9_r12_a_copy_of_what_we_have_made_and_not_yet_taken_up_is_one_of_its_own(world):
    """Its owner copied it with all its marks, our key among them."""
    side = world.pair()
    world.put("tea", tea())
    side.calendar.fail("create", Unreachable("timeout"), after_effect=True)
    with pytest.raises(Unreachable):
        world.cycle(side)
    (made,) = side.calendar.kept.values()
    side.calendar.make(made.fields, uid=None, key=made.key)
    world.clock.pass_by(minutes=10)
    world.settle()
    assert world.titles() == side.titles() == ["Tea", "Tea"]


def test_r12_a_lost_answer_and_a_deletion_of_the_owner_in_between(world):
    side = world.pair()
    world.put("tea", tea())
    side.calendar.fail("create", Unreachable("timeout"), after_effect=True)
    with pytest.raises(Unreachable):
        world.cycle(side)
    side.calendar.remove(side.id_of("Tea"))
    world.clock.pass_by(minutes=10)
    world.settle()
    assert (world.titles(), side.titles()) == ([], [])


def test_r12_the_created_object_is_listed_before_its_creation_is_taken_up_again(world):
    side = world.pair()
    world.put("tea", tea())
    side.calendar.fail("create", Unreachable("timeout"), after_effect=True)
    with pytest.raises(Unreachable):
        world.cycle(side)
    world.cycle(side)  # the intent waits a minute, the listing does not
    world.clock.pass_by(minutes=10)
    world.settle()
    assert world.titles() == side.titles() == ["Tea"]


@pytest.mark.parametrize("after_effect", [True, False])
def test_r36_a_creation_that_somebody_wrote_into_holds_up_nobody(world, after_effect):
    """Google's and Graph's series are made in several requests, each of which may answer 412."""
    side = world.pair()
    world.put("tea", tea())
    world.put("cake", tea("Cake"))
    side.calendar.fail("create", VersionMismatch("in between", status=412), after_effect=after_effect)
    world.cycle(side)
    assert len(side.titles()) == 1 + after_effect
    world.clock.pass_by(minutes=10)
    world.settle()
    assert sorted(world.titles()) == sorted(side.titles()) == ["Cake", "Tea"]


@pytest.mark.parametrize("method", ["update", "delete"])
def test_a_lost_answer_to_an_update_or_a_deletion(world, method):
    side = world.pair()
    world.put("tea", tea())
    world.settle()
    if method == "update":
        world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    else:
        world.delete("tea")
    side.calendar.fail(method, Unreachable("timeout"), after_effect=True)
    with pytest.raises(Unreachable):
        world.cycle(side)
    world.clock.pass_by(minutes=10)
    writes = side.calendar.writes
    world.settle()
    assert world.titles() == side.titles() == (["Coffee"] if method == "update" else [])
    assert side.calendar.writes <= writes + 1
