"""R1, R2, R3: the merge of guests, guest by guest, and who is told of it."""

import dataclasses

import pytest

from bridge.errors import Throttled, Unreachable
from bridge.ical.fields import Attendee
from bridge.store import homes, links, objects, pairs
from tests.support.worlds import at, retitled, tea
from tests.sync.test_merge import overridden

ANN, BOB, EVE = (Attendee(f"{name}@example.net") for name in ("ann", "bob", "eve"))
SELF = Attendee("alice@example.org", "Alice", partstat="ACCEPTED")


def with_guests(fields, *guests, organizer="alice@example.org"):
    master = dataclasses.replace(fields.master, attendees=tuple(sorted(guests)), organizer=organizer if guests else "")
    return dataclasses.replace(fields, master=master)


def answered(guest, partstat):
    return dataclasses.replace(guest, partstat=partstat)


def guests(fields):
    return {each.address.partition("@")[0]: each.partstat for each in fields.master.attendees}


def at_home(world):
    """One event with Ann as its guest, at home at the first of two remotes."""
    home, copy = world.pair(), world.pair()
    world.settle()
    world.put("a", with_guests(tea("Party", day=20), SELF, ANN))
    world.settle()
    return home, copy


def only(side):
    ((id, fields),) = side.calendar.objects().items()
    return id, fields


def test_r1_the_home_invites_and_the_copy_knows_of_nobody(world_on_each):
    world = world_on_each
    home, copy = at_home(world)
    assert guests(only(home)[1]) == {"ann": "NEEDS-ACTION"}
    assert guests(only(copy)[1]) == {}
    assert home.calendar.mails == ["ann@example.net"]
    assert copy.calendar.mails == []
    with world.database.read() as conn:
        assert homes.of(conn, world.calendar, ["a"]) == {"a": home.pair}


def test_r1_answers_come_home_and_guests_of_both_sides_are_kept(world):
    home, copy = at_home(world)
    id, fields = only(home)
    home.calendar.edit(id, with_guests(fields, answered(ANN, "ACCEPTED"), BOB))
    world.edit("a", lambda old: with_guests(old, *old.master.attendees, EVE))
    world.settle()
    assert guests(only(home)[1]) == {"ann": "ACCEPTED", "bob": "NEEDS-ACTION", "eve": "NEEDS-ACTION"}
    assert guests(world.hub()["a"]) == {
        "alice": "ACCEPTED",
        "ann": "ACCEPTED",
        "bob": "NEEDS-ACTION",
        "eve": "NEEDS-ACTION",
    }
    assert guests(only(copy)[1]) == {}


def test_r3_what_a_phone_says_for_others_goes_nowhere(world):
    home, _ = at_home(world)
    world.edit("a", lambda old: with_guests(old, SELF, answered(ANN, "DECLINED")))
    writes = home.calendar.writes
    world.settle()
    assert home.calendar.writes == writes


def test_r2_a_first_sync_tells_nobody(world):
    world.put("a", with_guests(tea("Party", day=20), ANN))
    home = world.pair()
    world.settle()
    assert home.calendar.mails == []
    assert guests(only(home)[1]) == {}
    assert guests(world.hub()["a"]) == {"ann": "NEEDS-ACTION"}


def test_r2_what_is_over_invites_nobody(world):
    home = world.pair()
    world.settle()
    world.clock.pass_by(days=60)
    world.put("a", with_guests(tea("Party", day=20), ANN))
    world.settle()
    assert home.calendar.mails == []


@pytest.mark.parametrize("organizer", ["boss@example.com"])
def test_r1_nobody_is_invited_to_someone_elses_meeting(world, organizer):
    home = world.pair()
    world.settle()
    world.put("a", with_guests(tea("Party", day=20), ANN, organizer=organizer))
    world.settle()
    assert home.calendar.mails == []
    assert guests(only(home)[1]) == {}


def test_r3_a_meeting_called_off_at_home_while_it_was_edited_here_invites_nobody_anew(world):
    home, _ = at_home(world)
    sent = len(home.calendar.mails)
    home.calendar.remove(only(home)[0])
    world.edit("a", lambda fields: retitled(fields, "Party, really"))
    world.settle()
    assert home.titles() == ["Party, really"]
    assert len(home.calendar.mails) == sent


def test_r1_when_the_home_is_gone_nobody_is_invited_by_another(world):
    home, copy = at_home(world)
    with world.database.write() as conn:
        pairs.remove(conn, home.pair)
    world.sides.remove(home)
    world.edit("a", lambda fields: retitled(with_guests(fields, ANN, BOB), "Party on"))
    world.settle()
    assert copy.titles() == ["Party on"]
    assert copy.calendar.mails == []
    assert guests(only(copy)[1]) == {}


def test_r2_a_first_sync_that_is_held_up_and_overtaken_by_an_edit_invites_nobody(world):
    """What it was to create is planned anew when the first sync is over: that makes no invitation of it."""
    world.put("a", with_guests(tea("Party", day=20), SELF, ANN))
    home = world.pair()
    home.calendar.fail("create", Throttled("later", retry_after=30))
    with pytest.raises(Throttled):
        world.cycle(home)
    assert world.state(home).phase == "steady"
    world.edit("a", lambda fields: retitled(fields, "Party, really"))
    world.clock.pass_by(minutes=10)
    world.settle()
    assert home.titles() == ["Party, really"]
    assert home.calendar.mails == []
    world.edit("a", lambda fields: with_guests(fields, *fields.master.attendees, BOB))
    world.settle()
    assert home.calendar.mails == ["bob@example.net"]


@pytest.mark.parametrize("error", [Unreachable("timeout"), Throttled("later", retry_after=30)])
def test_r1_what_is_deleted_before_its_invitation_went_out_invites_nobody(world, error):
    home = world.pair()
    world.settle()
    home.calendar.fail("create", error)
    world.put("a", with_guests(tea("Party", day=20), SELF, ANN))
    with pytest.raises(type(error)):
        world.cycle(home)
    world.delete("a")
    world.clock.pass_by(minutes=10)
    world.settle()
    assert home.calendar.mails == []
    assert home.calendar.requests["create"] == 1
    assert home.calendar.objects() == {}


@pytest.mark.parametrize("error", [Unreachable("timeout"), Throttled("later", retry_after=30)])
def test_r3_a_deletion_taken_back_before_it_went_out_cancels_nothing(world, error):
    home = world.pair()
    world.settle()
    world.put("a", with_guests(tea("Party", day=20), SELF, ANN))
    world.settle()
    (id, _), data = only(home), world.stored()["a"].data
    home.calendar.fail("delete", error)
    world.delete("a")
    with pytest.raises(type(error)):
        world.cycle(home)
    with world.database.write() as conn:
        objects.put(conn, world.calendar, "a.ics", data, actor="device:1", now=world.clock())
    world.clock.pass_by(minutes=10)
    world.settle()
    assert only(home)[0] == id
    assert home.calendar.mails == ["ann@example.net"]


def test_r1_an_edit_taken_back_before_it_went_out_tells_nobody(world):
    home, _ = at_home(world)
    home.calendar.fail("update", Throttled("later", retry_after=30))
    world.edit("a", lambda old: retitled(old, "Funeral"))
    with pytest.raises(Throttled):
        world.cycle(home)
    world.edit("a", lambda old: retitled(old, "Party"))
    world.clock.pass_by(minutes=10)
    world.settle()
    assert home.calendar.mails == ["ann@example.net"]


def test_r1_a_guest_who_is_taken_off_before_the_invitation_went_out_hears_nothing(world):
    home = world.pair()
    world.settle()
    home.calendar.fail("create", Unreachable("timeout"))
    world.put("a", with_guests(tea("Party", day=20), SELF, ANN, BOB))
    with pytest.raises(Unreachable):
        world.cycle(home)
    world.edit("a", lambda old: with_guests(old, SELF, ANN))
    world.clock.pass_by(minutes=10)
    world.settle()
    assert home.calendar.mails == ["ann@example.net"]
    assert guests(only(home)[1]) == {"ann": "NEEDS-ACTION"}


def test_r1_guests_of_both_sides_are_told_though_the_first_answer_is_lost(world):
    home = world.pair()
    world.settle()
    world.put("a", with_guests(tea("Party", day=20), ANN))
    world.settle()
    id, fields = only(home)
    home.calendar.edit(id, with_guests(fields, ANN, BOB))
    world.edit("a", lambda old: with_guests(old, ANN, EVE))
    home.calendar.fail("update", Unreachable("timeout"))
    with pytest.raises(Unreachable):
        world.cycle(home)
    world.edit("a", lambda old: retitled(old, "Feast"))
    world.clock.pass_by(minutes=10)
    world.settle()
    for there in (only(home)[1], world.hub()["a"]):
        assert there.master.summary == "Feast"
        assert set(guests(there)) == {"ann", "bob", "eve"}


def test_r1_guests_are_added_there_while_an_occurrence_is_edited_here(world):
    """The occurrence has no words of its own there yet: it gets its guests with the rest of itself."""
    home = world.pair()
    world.settle()
    world.put("a", tea("Party", rule="FREQ=WEEKLY;COUNT=6"))
    world.settle()
    id, fields = only(home)
    home.calendar.edit(id, with_guests(fields, ANN))
    world.edit("a", lambda old: overridden(old, "20260309T080000Z", summary="Cake"))
    world.settle()
    _, after = only(home)
    for there in (after, world.hub()["a"]):
        assert guests(there) == {"ann": "NEEDS-ACTION"}
        assert there.overrides["20260309T080000Z"].summary == "Cake"
        assert [each.address for each in there.overrides["20260309T080000Z"].attendees] == ["ann@example.net"]


def test_r1_a_series_moved_there_takes_its_edited_occurrence_along_and_its_guests_too(world):
    home = world.pair()
    world.settle()
    world.put("a", tea("Party", rule="FREQ=WEEKLY;COUNT=6"))
    world.settle()
    id, fields = only(home)
    world.edit("a", lambda old: overridden(old, "20260309T080000Z", summary="Cake"))
    world.clock.pass_by(minutes=1)
    home.calendar.edit(id, with_guests(at(fields, 15), ANN))
    world.settle()
    _, after = only(home)
    for there in (after, world.hub()["a"]):
        assert guests(there) == {"ann": "NEEDS-ACTION"}
        assert there.overrides == {}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_r1_the_later_half_of_a_split_meeting_is_at_home_where_its_first_half_is(world, order):
    """Made on the phone, it would have the first account's calendar as its home, which would invite everybody anew."""
    default, home = world.pair(), world.pair()
    world.settle()
    home.calendar.add(with_guests(tea("Party", rule="FREQ=WEEKLY;COUNT=6"), ANN))
    world.settle()
    (uid,) = world.hub()
    ended = "RRULE:FREQ=WEEKLY;UNTIL=20260315T080000Z"
    world.edit(uid, lambda old: dataclasses.replace(old, recurrence=(ended,)))
    world.put("later", with_guests(tea("Party", rule="FREQ=WEEKLY;COUNT=4", day=16), ANN))
    for number in order:
        world.cycle((default, home)[number])
    world.settle()
    assert default.calendar.mails == []
    assert default.titles() == home.titles() == ["Party", "Party"]
    assert {each.master.attendees for each in default.calendar.objects().values()} == {()}
    assert all(guests(each) == {"ann": "NEEDS-ACTION"} for each in home.calendar.objects().values())
    with world.database.read() as conn:
        assert homes.of(conn, world.calendar, [uid, "later"]) == {uid: home.pair, "later": home.pair}


def test_r1_the_later_half_that_another_home_has_made_stays_its_own(world):
    """The series is at home at the second remote; at the first one somebody splits its copy, and invites to the later half."""
    first, second = world.pair(), world.pair()
    world.settle()
    second.calendar.add(tea("Party", rule="FREQ=WEEKLY;COUNT=6"))
    world.settle()
    id, fields = only(first)
    first.calendar.edit(id, dataclasses.replace(fields, recurrence=("RRULE:FREQ=WEEKLY;UNTIL=20260315T080000Z",)))
    first.calendar.add(with_guests(tea("Party", rule="FREQ=WEEKLY;COUNT=4", day=16), ANN))
    world.settle()
    assert second.calendar.mails == []
    assert {each.master.attendees for each in second.calendar.objects().values()} == {()}
    assert sorted(len(each.master.attendees) for each in world.hub().values()) == [0, 1]


def test_r10_a_series_deleted_here_with_an_instance_of_its_own_comes_back_with_the_guests_that_it_got_there(world):
    """The instance was changed here and deleted with its series before the home heard of it; meanwhile that invited somebody."""
    home = world.pair()
    world.settle()
    world.put("a", tea("Party", rule="FREQ=WEEKLY;COUNT=4"))
    world.settle()
    world.edit("a", lambda old: overridden(old, "20260309T080000Z", summary="Cake"))
    world.delete("a")
    id, fields = only(home)
    home.calendar.edit(id, with_guests(fields, BOB))
    world.settle()
    assert guests(world.hub()["a"]) == {"bob": "NEEDS-ACTION"}
    assert [each.summary for each in world.hub()["a"].overrides.values()] == ["Cake"]
    assert [each.summary for each in only(home)[1].overrides.values()] == ["Cake"]
    with world.database.read() as conn:
        assert not links.quarantined(conn, home.pair)
