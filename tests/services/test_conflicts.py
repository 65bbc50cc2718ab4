"""R35: both versions are shown side by side, and the one that gave way is put back in one step."""

from dataclasses import replace

import pytest

from bridge.errors import NotFound, UsageError
from bridge.services import conflicts, history, pairing
from bridge.services.conflicts import Difference
from bridge.store import audit, links
from bridge.store import conflicts as recorded
from bridge.sync.plan import ASKED
from bridge.sync.projection import Projection
from tests.support.owners import context_of
from tests.support.worlds import at, retitled, tea
from tests.sync.test_guests import ANN, SELF, with_guests
from tests.sync.test_merge import overridden

HERE = "alice/calendar"


def noted(fields, **values):
    return replace(fields, master=replace(fields.master, **values))


@pytest.fixture
def clash(world):
    """Both sides give the same tea another title, and the remote is the later one."""

    def clash(policy="newest", **terms):
        side = world.pair(policy=policy, **terms)
        world.put("tea", tea())
        world.settle()
        world.edit("tea", lambda fields: retitled(fields, "here"))
        side.calendar.edit(side.id_of("Tea"), retitled(tea(), "there"))
        world.settle()
        return side

    return clash


def unresolved(world, name=None):
    return conflicts.unresolved(context_of(world), name)


def resolve(world, conflict, take=None, **how):
    return conflicts.resolve(context_of(world), conflict.id, take=take, **how)


def test_both_versions_stand_side_by_side(world, clash):
    side = clash()
    (found,) = unresolved(world)
    assert (found.pair, found.calendar, found.uid, found.title, found.winner) == (
        side.pair, HERE, "tea", "there", "remote",
    )  # fmt: skip
    assert found.differences == (Difference("title", "here", "there"),)
    assert unresolved(world, HERE) == [found]
    with pytest.raises(NotFound):
        unresolved(world, "alice/work")


@pytest.mark.parametrize(("policy", "stands", "gave_way"), [("remote", "there", "here"), ("hub", "here", "there")])
def test_r35_the_loser_is_put_back_on_all_sides(world, clash, policy, stands, gave_way):
    side = clash(policy)
    other = world.pair()
    world.settle()
    assert world.titles() == side.titles() == other.titles() == [stands]
    (found,) = unresolved(world)
    assert resolve(world, found, "hub" if gave_way == "here" else "remote") == "taken"
    world.settle()
    assert world.titles() == side.titles() == other.titles() == [gave_way]
    assert unresolved(world) == []
    assert history.of_object(context_of(world), HERE, "tea")[0].who == "command line"
    with world.database.read() as conn:
        newest = audit.of_principal(conn, world.principal)[0]
    assert newest.detail == {"conflict": found.id, "pair": side.pair, "outcome": "taken"}


def test_only_what_gave_way_is_put_back(world, clash):
    clash()
    world.edit("tea", lambda fields: noted(fields, location="Kitchen"))
    world.settle()
    (found,) = unresolved(world)
    assert resolve(world, found, "hub") == "taken"
    world.settle()
    assert world.hub()["tea"] == noted(tea("here"), location="Kitchen")


@pytest.mark.parametrize("take", [None, "remote"])
def test_what_is_accepted_leaves_the_list_and_writes_nothing(world, clash, take):
    side = clash()
    (found,) = unresolved(world)
    writes, before = side.calendar.writes, world.stored()
    assert resolve(world, found, take) == "kept"
    world.settle()
    assert (unresolved(world), world.stored(), side.calendar.writes) == ([], before, writes)


def test_r35_a_newer_value_is_not_overwritten_unless_forced(world, clash):
    clash()
    world.edit("tea", lambda fields: retitled(fields, "newer"))
    world.settle()
    (found,) = unresolved(world)
    with pytest.raises(UsageError, match="changed again"):
        resolve(world, found, "hub")
    assert world.titles() == ["newer"]
    assert [each.id for each in unresolved(world)] == [found.id]
    assert resolve(world, found, "hub", force=True) == "taken"
    world.settle()
    assert world.titles() == ["here"]
    context = context_of(world)
    assert "newer" in [each.title for each in history.of_object(context, HERE, "tea")]


def test_what_says_so_already_is_settled(world, clash):
    side = clash()
    world.edit("tea", lambda fields: retitled(fields, "here"))
    world.settle()
    (found,) = unresolved(world)
    before = world.stored()
    assert resolve(world, found, "hub") == "already so"
    assert (world.stored(), unresolved(world)) == (before, [])
    assert side.titles() == ["here"]


def test_a_second_word_is_refused(world, clash):
    clash()
    (found,) = unresolved(world)
    resolve(world, found, "hub")
    for take in ("hub", "remote", None):
        with pytest.raises(UsageError, match="settled already"):
            resolve(world, found, take)
    with pytest.raises(NotFound):
        conflicts.resolve(context_of(world), 99, take=None)


def test_what_has_been_deleted_since_is_told(world, clash):
    clash()
    (found,) = unresolved(world)
    world.delete("tea")
    world.settle()
    (still,) = unresolved(world)
    assert still.title == "there"
    with pytest.raises(UsageError, match="history restore"):
        resolve(world, found, "hub")
    assert resolve(world, found) == "kept"


def test_a_moved_series_and_its_occurrences(world):
    """The whole schedule clashes at once (R10); putting it back names the instances by what they are now."""
    side = world.pair(policy="hub")
    series = tea(rule="FREQ=DAILY;COUNT=5")
    world.put("tea", series)
    world.settle()
    world.edit("tea", lambda fields: at(fields, 12))
    side.calendar.edit(side.id_of("Tea"), at(series, 17))
    world.settle()
    (found,) = unresolved(world)
    assert found.differences == (
        Difference("time", "2026-03-02 12:00 to 13:00 Europe/Vienna", "2026-03-02 17:00 to 18:00 Europe/Vienna"),
    )
    assert resolve(world, found, "remote") == "taken"
    world.settle()
    assert world.hub()["tea"] == side.calendar.objects()[side.id_of("Tea")] == at(series, 17)


def test_values_that_have_no_place_any_more_are_told(world):
    side = world.pair(policy="hub")
    series = tea(rule="FREQ=DAILY;COUNT=5")
    key = "20260304T080000Z"
    override = at(tea("Tea", day=4), 11).master
    world.put("tea", replace(series, overrides={key: override}))
    world.settle()
    (id,) = side.calendar.objects()
    world.edit("tea", lambda fields: replace(fields, overrides={key: replace(override, summary="here")}))
    side.calendar.edit(id, replace(series, overrides={key: replace(override, summary="there")}))
    world.settle()
    (found,) = unresolved(world)
    assert found.differences == (Difference("title on 2026-03-04", "here", "there"),)
    world.edit("tea", lambda fields: replace(fields, overrides={}))
    world.settle()
    with pytest.raises(UsageError, match="no place in it"):
        resolve(world, found, "remote", force=True)


def test_r3_someone_elses_meeting_is_not_ours_to_change(world):
    side = world.pair()
    side.calendar.add(tea(), uid="tea", organized_elsewhere=True)
    world.settle()
    world.edit("tea", lambda fields: retitled(fields, "mine"))
    world.settle()
    (found,) = unresolved(world)
    assert found.differences == (Difference("title", "mine", "Tea"),)
    with pytest.raises(UsageError, match="only its organiser"):
        resolve(world, found, "hub")
    assert world.titles() == side.titles() == ["Tea"]


# --- where the owner is asked


@pytest.mark.parametrize(("take", "stands"), [("hub", "here"), ("remote", "there")])
def test_r35_who_is_asked_decides_and_both_sides_wait_for_it(world, clash, take, stands):
    side = clash("ask")
    assert (world.titles(), side.titles()) == (["here"], ["there"])
    (found,) = unresolved(world)
    assert (found.winner, found.differences) == ("ask", (Difference("title", "here", "there"),))
    assert resolve(world, found, take) == "answered"
    assert unresolved(world) == []
    world.settle()
    assert world.titles() == side.titles() == [stands]
    assert unresolved(world) == []
    with world.database.read() as conn:
        assert links.quarantined(conn, side.pair) == []
    with pytest.raises(UsageError, match="settled already"):
        resolve(world, found, take)


def test_a_question_has_nothing_to_keep(world, clash):
    clash("ask")
    (found,) = unresolved(world)
    with pytest.raises(UsageError, match="take hub or remote"):
        resolve(world, found)
    assert unresolved(world) == [found]


def test_asked_again_it_is_one_question_with_what_stands_now(world, clash):
    side = clash("ask")
    (first,) = unresolved(world)
    world.edit("tea", lambda fields: retitled(fields, "here, too"))
    world.settle()
    (second,) = unresolved(world)
    assert second.differences == (Difference("title", "here, too", "there"),)
    with pytest.raises(UsageError, match="settled already"):
        resolve(world, first, "hub")
    resolve(world, second, "hub")
    world.settle()
    assert side.titles() == ["here, too"]


def test_r35_what_came_after_the_answer_is_not_lost_in_silence(world, clash):
    side = clash("ask")
    (found,) = unresolved(world)
    resolve(world, found, "remote")
    world.edit("tea", lambda fields: retitled(fields, "newer"))
    world.settle()
    assert world.titles() == side.titles() == ["there"]
    (told,) = unresolved(world)
    assert (told.winner, told.differences) == ("remote", (Difference("title", "newer", "there"),))
    assert resolve(world, told, "hub") == "taken"
    world.settle()
    assert world.titles() == side.titles() == ["newer"]


def test_a_question_that_has_gone_away_is_none(world, clash):
    side = clash("ask")
    world.edit("tea", lambda fields: retitled(fields, "there"))
    world.settle()
    assert unresolved(world) == []
    assert side.titles() == ["there"]
    with world.database.read() as conn:
        assert recorded.unresolved(conn, side.pair) == []


def test_the_rest_of_the_calendar_goes_on_meanwhile(world, clash):
    side = clash("ask")
    world.put("other", tea("other"))
    world.settle()
    assert side.titles() == ["other", "there"]
    with world.database.read() as conn:
        assert [each.quarantine for each in links.quarantined(conn, side.pair)] == [ASKED]


@pytest.fixture
def moved_there(world, monkeypatch):
    """A series whose rule both sides have changed; there, an occurrence was moved as well."""

    def moved_there(side, fields, **terms):
        world.settle()
        if terms:
            pairing.change(context_of(world), side.pair, **terms)
        world.put("a", fields)
        world.settle()
        ((id, there),) = side.calendar.objects().items()
        event = overridden(there, MOVED).overrides[MOVED]
        when = replace(event.when, start=event.when.start.replace(hour=13), end=event.when.end.replace(hour=14))
        moved = replace(there, overrides={MOVED: replace(event, when=when)})
        side.calendar.edit(id, replace(moved, recurrence=("RRULE:FREQ=DAILY;COUNT=8",)))
        world.edit("a", lambda old: replace(old, recurrence=("RRULE:FREQ=DAILY;COUNT=7",)))
        world.settle()
        monkeypatch.setattr(conflicts, "lens_of", lambda *_: side.remote.lens)
        (found,) = unresolved(world)
        return found

    return moved_there


MOVED = "20260304T080000Z"
DAILY = "FREQ=DAILY;COUNT=9"


def test_r41_the_version_of_a_copy_that_may_see_less_takes_no_word_from_the_origin(world, moved_there):
    world.pair()
    copy = world.pair()
    found = moved_there(copy, tea("Therapy", rule=DAILY, description="SECRET"), projection=Projection("busy"))
    resolve(world, found, take="remote" if found.winner == "hub" else "hub")
    world.settle()
    event = world.hub()["a"].overrides[MOVED]
    assert (event.summary, event.description, event.when.start.hour) == ("Therapy", "SECRET", 13)


def test_r1_the_version_of_the_home_takes_no_guest_off(world, moved_there):
    home = world.pair()
    found = moved_there(home, with_guests(tea("Party", rule=DAILY), SELF, ANN))
    assert found.winner == "hub"
    resolve(world, found, take="remote")
    world.settle()
    ((_, there),) = home.calendar.objects().items()
    assert there.overrides[MOVED].when.start.hour == 13
    assert [each.address for each in there.overrides[MOVED].attendees] == ["ann@example.net"]
