"""What a cycle did is taken back through the hub, and nothing that anybody has made since is lost by it (R6, R22, R35)."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from bridge.errors import NotFound, Throttled, UsageError
from bridge.services import cycles, housekeeping, pairing, undoing
from bridge.store import audit, history, journal, objects, pairs
from bridge.sync.ledger import Done
from bridge.sync.projection import Projection
from tests.support.owners import context_of
from tests.support.worlds import Crash, World, at, retitled, tea

SERIES = tea("Yoga", rule="FREQ=WEEKLY;COUNT=6")


@pytest.fixture
def world_on_each(database):
    return World(database)


def told(undo):
    return sorted((item.title, item.what, item.fields, item.why) for item in undo.items)


def last(world, side):
    """The number of the pair's latest cycle that did something."""
    with world.database.read() as conn:
        return journal.latest(conn, side.pair, limit=1)[0].number


def foresee(world, side, number=None, **how):
    return undoing.foresee(context_of(world), side.pair, number or last(world, side), **how)


def undo(world, side, number=None, **how):
    return undoing.undo(context_of(world), side.pair, number or last(world, side), **how)


def bytes_of(world):
    return {uid: each.data for uid, each in world.stored().items()}


def at_rest(world):
    """Every remote has what the hub has, once, and nothing more is written."""
    world.settle()
    writes = [side.calendar.writes for side in world.sides]
    world.settle()
    assert [side.calendar.writes for side in world.sides] == writes
    for side in world.sides:
        assert side.titles() == world.titles()


@pytest.fixture
def filled(world_on_each):
    """Five events and a series, made on the phone after two remotes had been paired."""
    world = world_on_each
    world.pair(), world.pair()
    world.settle()
    for number in range(5):
        world.put(f"e{number}", tea(f"event {number}", day=2 + number))
    world.put("yoga", SERIES)
    moved = {"20260309T080000Z": at(tea("Yoga, moved", day=9), 18).master}
    world.edit("yoga", lambda fields: replace(fields, overrides=moved))
    world.settle()
    return world


def test_r35_pulled_deletions_come_back_byte_for_byte_and_once(filled):
    world, (google, outlook) = filled, filled.sides
    before = bytes_of(world)
    for title in ("event 0", "event 1", "Yoga"):
        google.calendar.remove(google.id_of(title))
    world.settle()
    assert world.titles() == google.titles() == outlook.titles() == ["event 2", "event 3", "event 4"]
    foreseen = foresee(world, google)
    assert [(item.title, item.what) for item in foreseen.items] == [
        ("event 0", "restore"),
        ("event 1", "restore"),
        ("Yoga", "restore"),
    ]
    assert len(world.titles()) == 3  # nothing is done yet
    assert undo(world, google).items == foreseen.items
    at_rest(world)
    assert bytes_of(world) == before
    with world.database.read() as conn:
        version = history.of_object(conn, world.calendar, "yoga")[0]
    assert version.actor == "cli"


def test_r35_pulled_edits_are_taken_back_and_stay_in_the_history(filled):
    world, (google, _) = filled, filled.sides
    before = bytes_of(world)
    google.calendar.edit(google.id_of("event 0"), at(retitled(tea(), "spoilt"), 17))
    yoga = google.calendar.objects()[google.id_of("Yoga")]
    google.calendar.edit(google.id_of("Yoga"), replace(yoga, cancelled=frozenset({"20260316T080000Z"})))
    world.settle()
    spoilt = bytes_of(world)
    assert spoilt != before
    assert told(foresee(world, google)) == [
        ("Yoga", "change", ("occurrence on 2026-03-16",), ""),
        ("spoilt", "change", ("time", "title"), ""),
    ]
    undo(world, google)
    at_rest(world)
    assert bytes_of(world) == before
    with world.database.read() as conn:
        assert spoilt["e0"] in {version.data for version in history.of_object(conn, world.calendar, "e0")}


def test_pushed_edits_and_deletions_are_taken_back(filled):
    world, (google, _) = filled, filled.sides
    before = bytes_of(world)
    world.edit("e0", lambda fields: retitled(fields, "by mistake"))
    world.edit("e0", lambda fields: at(fields, 20))
    world.delete("e1")
    world.delete("yoga")
    world.settle()
    assert told(undo(world, google)) == [
        ("Yoga", "restore", (), ""),
        ("by mistake", "change", ("time", "title"), ""),
        ("event 1", "restore", (), ""),
    ]
    at_rest(world)
    assert bytes_of(world) == before


def test_a_mixed_cycle_is_undone_on_both_sides(filled):
    world, (google, _) = filled, filled.sides
    before = bytes_of(world)
    google.calendar.remove(google.id_of("event 0"))
    google.calendar.edit(google.id_of("event 1"), retitled(tea(day=3), "theirs"))
    google.calendar.add(tea("made there"))
    world.edit("e2", lambda fields: retitled(fields, "ours"))
    world.delete("e3")
    world.put("new", tea("made here"))
    world.edit("e4", lambda fields: retitled(fields, "title from here"))
    google.calendar.edit(google.id_of("event 4"), at(tea("event 4", day=6), 16))  # merged: time there, title here
    world.cycle(google)
    number = last(world, google)
    world.settle()
    assert cycles.latest(context_of(world), google.pair)[0].did == (
        "1 created here, 2 changed here, 1 deleted here, 1 created there, 2 changed there, 1 deleted there"
    )
    assert [what for _, what, _, _ in told(undo(world, google, number))] == [
        "restore", "restore", "delete", "delete", "change", "change", "change",
    ]  # fmt: skip
    at_rest(world)
    assert bytes_of(world) == before


def test_one_event_only(filled):
    world, (google, _) = filled, filled.sides
    for title in ("event 0", "event 1"):
        google.calendar.remove(google.id_of(title))
    world.settle()
    number = last(world, google)
    assert told(undo(world, google, number, uid="e0")) == [("event 0", "restore", (), "")]
    at_rest(world)
    assert "event 0" in world.titles()
    assert "event 1" not in world.titles()
    assert told(undo(world, google, number, uid="e0")) == [("event 0", "none", (), undoing.SO_ALREADY)]
    assert sorted(what for _, what, _, _ in told(undo(world, google, number))) == ["none", "restore"]
    at_rest(world)
    assert "event 1" in world.titles()
    with pytest.raises(NotFound, match="did nothing to 'yoga'"):
        undo(world, google, number, uid="yoga")


def test_undoing_twice_says_that_it_is_undone(filled):
    world, (google, _) = filled, filled.sides
    google.calendar.remove(google.id_of("event 0"))
    world.settle()
    number = last(world, google)
    undo(world, google, number)
    at_rest(world)
    state = bytes_of(world)
    for again in (foresee, undo):
        with pytest.raises(UsageError, match=f"cycle {number} of pair {google.pair} is undone already"):
            again(world, google, number)
    assert bytes_of(world) == state
    with world.database.read() as conn:
        newest = audit.of_principal(conn, world.principal, limit=1)[0]
    detail = {"pair": google.pair, "cycle": number, "objects": 1}
    assert (newest.action, newest.actor, newest.detail) == ("cycle.undone", "cli", detail)


def test_an_undo_is_itself_undone(filled):
    world, (google, _) = filled, filled.sides
    google.calendar.remove(google.id_of("event 0"))
    world.settle()
    after = bytes_of(world)
    undo(world, google)
    world.settle()
    undo(world, google)
    at_rest(world)
    assert bytes_of(world) == after


@pytest.mark.parametrize("synced", [True, False])
def test_r35_what_was_changed_since_is_left_alone_unless_forced(filled, synced):
    world, (google, _) = filled, filled.sides
    for number in (0, 1):
        google.calendar.edit(google.id_of(f"event {number}"), retitled(tea(day=2 + number), f"theirs {number}"))
    world.settle()
    number = last(world, google)
    world.edit("e0", lambda fields: at(fields, 20))
    if synced:
        world.settle()
    assert told(undo(world, google, number)) == [
        ("theirs 0", "leave", (), undoing.SINCE),
        ("theirs 1", "change", ("title",), ""),
    ]
    world.settle()
    assert world.titles() == ["Yoga", "event 1", "event 2", "event 3", "event 4", "theirs 0"]
    # not all of it could be undone, so it may still be said
    assert [item.what for item in foresee(world, google, number).items] == ["leave", "none"]
    undo(world, google, number, force=True)
    at_rest(world)
    assert "event 0" in world.titles()


def test_r35_a_pushed_edit_that_was_edited_again_is_left_alone(filled):
    world, (google, outlook) = filled, filled.sides
    world.edit("e0", lambda fields: retitled(fields, "first"))
    world.edit("e1", lambda fields: retitled(fields, "first too"))
    world.delete("e2")
    world.cycle(google)
    number = last(world, google)
    world.edit("e0", lambda fields: retitled(fields, "second"))  # no pair has planned it yet
    world.settle()
    outlook.calendar.edit(outlook.id_of("first too"), retitled(tea(day=3), "from the other side"))
    world.put("e2", tea("made anew"))
    world.settle()
    assert told(undo(world, google, number)) == [
        ("from the other side", "leave", (), undoing.SINCE),
        ("made anew", "leave", (), undoing.SINCE),
        ("second", "leave", (), undoing.SINCE),
    ]
    at_rest(world)


def test_a_first_sync_takes_nothing_away_that_was_there_before(world_on_each):
    world = world_on_each
    world.put("old", tea("here before"))
    side = world.pair()
    side.calendar.add(tea("there before", day=4))
    side.calendar.add(tea("on both sides", day=5))
    world.put("both", tea("on both sides", day=5))
    world.settle()
    number = last(world, side)
    found = {title: (what, why) for title, what, _, why in told(foresee(world, side, number))}
    assert found["here before"] == ("leave", undoing.ONE_SIDED)
    assert found["there before"] == ("delete", "")
    assert found.get("on both sides", ("leave", ""))[0] == "leave"
    undo(world, side, number, uid="old")
    at_rest(world)
    assert len(world.titles()) == 3


def test_what_another_pair_had_brought_is_not_deleted_at_its_origin(filled):
    world, (google, outlook) = filled, filled.sides
    google.calendar.add(tea("made in Google"))
    world.settle()
    assert told(undo(world, outlook)) == [("made in Google", "leave", (), undoing.NOT_OURS)]
    at_rest(world)
    assert "made in Google" in google.titles()
    assert told(undo(world, google)) == [("made in Google", "delete", (), "")]
    at_rest(world)
    assert "made in Google" not in outlook.titles()


def test_r22_copies_that_alone_were_written_cannot_be_undone_by_the_hub(filled):
    """What a pair shows was changed: all its copies were, and nothing here."""
    world, (_, outlook) = filled, filled.sides
    pairing.change(context_of(world), outlook.pair, projection=Projection("busy"))
    world.settle()
    assert outlook.titles() == ["Busy"] * 6
    writes, before = outlook.calendar.writes, bytes_of(world)
    done = undo(world, outlook)
    assert {(item.what, item.why) for item in done.items} == {("leave", undoing.ONE_SIDED)}
    assert done.acts == []
    world.settle()
    assert (outlook.calendar.writes, bytes_of(world)) == (writes, before)
    with world.database.read() as conn:
        assert journal.cycle(conn, outlook.pair, last(world, outlook)).undone_at is None


def test_what_history_has_forgotten_is_not_taken_for_what_never_was(world):
    side = world.pair()
    world.settle()
    world.put("tea", tea())
    world.settle()
    world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    world.clock.pass_by(hours=3)
    world.settle()  # the remote was told three hours later
    number = last(world, side)
    days = context_of(world).settings.sync.history_days
    world.clock.pass_by(days=days, hours=-1)
    housekeeping.run(context_of(world))
    assert told(undo(world, side, number)) == [("Coffee", "leave", (), undoing.LOST)]
    at_rest(world)
    assert world.titles() == ["Coffee"]


def test_r6_an_undo_of_too_much_is_parked_like_any_plan_and_says_so_before(world_on_each):
    world = world_on_each
    side, other = world.pair(), world.pair()
    world.settle()
    for number in range(12):
        side.calendar.add(tea(f"event {number:02}"))
    world.settle()
    foreseen = foresee(world, side)
    assert foreseen.parks == (side.pair, other.pair)
    undo(world, side)
    assert world.titles() == []
    for each in world.sides:
        assert world.cycle(each).parked["remote"] == 12
        assert len(each.titles()) == 12
        with world.database.write() as conn:
            pairs.approve(conn, each.pair, now=world.clock())
    at_rest(world)
    assert side.titles() == []


def test_few_deletions_pass(world):
    side = world.pair()
    world.settle()
    for number in range(10):
        side.calendar.add(tea(f"event {number:02}"))
    world.settle()
    assert foresee(world, side).parks == ()


def test_guests_are_mentioned_before(filled):
    world, (google, _) = filled, filled.sides
    with world.database.write() as conn:
        stored = objects.by_uid(conn, world.calendar, "e0")
        data = stored.data.replace(b"END:VEVENT", b"ATTENDEE:mailto:guest@example.net\r\nEND:VEVENT")
        objects.put(conn, world.calendar, stored.href, data, actor="device:1", now=world.clock())
    world.settle()
    assert [item.guests for item in foresee(world, google).items] == [True]


class Dying:
    """A database whose owner's process dies at some transaction: before its commit, or right behind it."""

    def __init__(self, database, *, behind):
        self._database, self._behind = database, behind

    def __getattr__(self, name):
        return getattr(self._database, name)

    @contextmanager
    def write(self):
        with self._database.write() as conn:
            yield conn
            if not self._behind:
                raise Crash
        raise Crash


@pytest.mark.parametrize("behind", [False, True])
def test_a_crash_in_the_middle_is_all_or_nothing(filled, behind):
    world, (google, _) = filled, filled.sides
    before = bytes_of(world)
    for title in ("event 0", "event 1"):
        google.calendar.remove(google.id_of(title))
    world.settle()
    after, number = bytes_of(world), last(world, google)
    context = replace(context_of(world), database=Dying(world.database, behind=behind))
    with pytest.raises(Crash):
        undoing.undo(context, google.pair, number)
    assert bytes_of(world) == (before if behind else after)
    if not behind:
        undo(world, google, number)
    at_rest(world)
    assert bytes_of(world) == before
    with pytest.raises(UsageError, match="is undone already"):
        undo(world, google, number)


def test_a_cycle_under_way_is_not_undone(filled):
    world, (google, _) = filled, filled.sides
    google.calendar.remove(google.id_of("event 0"))
    ledger = world.ledger(google)
    with ledger.writing() as memory:
        memory.journal([Done("e0", "hub", "delete", memory.hub_revision())])
    with pytest.raises(UsageError, match="is under way"):
        foresee(world, google)
    world.clock.pass_by(minutes=10)  # its process has died
    assert told(foresee(world, google)) == [("event 0", "leave", (), undoing.ONE_SIDED)]


def test_what_there_is_not(filled):
    world, (google, _) = filled, filled.sides
    with pytest.raises(NotFound, match="has no cycle 999"):
        undo(world, google, 999)
    with pytest.raises(NotFound, match="no pair 77"):
        undoing.foresee(context_of(world), 77, 1)


def test_what_arrived_in_both_accounts_is_not_deleted_for_having_been_found_there(filled):
    """The same invitation in two mailboxes, say: neither cycle that found its twin has made it."""
    world, (google, outlook) = filled, filled.sides
    google.calendar.add(tea("Concert", day=20), uid="concert@elsewhere")
    outlook.calendar.add(tea("Concert", day=20, location="Vienna"), uid="concert@elsewhere")
    world.cycle(google)
    brought = last(world, google)
    world.settle()
    assert world.hub()["concert@elsewhere"].master.location == "Vienna"
    found = last(world, outlook)
    done = undo(world, outlook, found)
    assert "delete" not in {item.what for item in done.items}
    world.settle()
    assert "Concert" in world.titles()
    assert "Concert" in google.titles()
    assert [item.what for item in undo(world, google, brought, force=True).items] == ["delete"]
    at_rest(world)
    assert "Concert" not in world.titles()


def test_what_was_made_and_changed_within_one_cycle_goes_again(filled):
    world, (google, _) = filled, filled.sides
    world.put("new", tea("new"))

    class Busy:
        """The phone goes on while the remote is written to."""

        def __init__(self, remote):
            self._remote, self._edited = remote, False

        def __getattr__(self, name):
            return getattr(self._remote, name)

        def inviting(self):
            return self

        def create(self, *args, **kwargs):
            items = self._remote.create(*args, **kwargs)
            if not self._edited:
                self._edited = True
                world.edit("new", lambda fields: retitled(fields, "newer"))
            return items

    world.cycle(google, remote=Busy(google.remote))
    assert "newer" in google.titles()
    number = last(world, google)
    assert cycles.latest(context_of(world), google.pair, limit=1)[0].did == "1 created there"
    assert told(undo(world, google, number)) == [("newer", "delete", (), "")]
    at_rest(world)
    assert "newer" not in google.titles()


def test_a_pair_that_only_pulls_keeps_its_remote_as_it_is(world):
    side = world.pair(direction="pull")
    world.settle()
    id = side.calendar.add(tea("theirs"))
    world.settle()
    side.calendar.edit(id, retitled(tea(), "theirs, edited"))
    world.settle()
    writes = side.calendar.writes
    assert told(undo(world, side)) == [("theirs, edited", "change", ("title",), "")]
    world.settle()
    assert (world.titles(), side.titles(), side.calendar.writes) == (["theirs"], ["theirs, edited"], writes)


class Interrupted:
    """A database to whose calendar something happens between what is read and what is written."""

    def __init__(self, database, happens):
        self._database, self._happens = database, happens

    def __getattr__(self, name):
        return getattr(self._database, name)

    @contextmanager
    def write(self):
        self._happens()
        with self._database.write() as conn:
            yield conn


@pytest.mark.parametrize("what", ["edit", "undo", "cycle"])
def test_r36_what_happens_between_the_look_and_the_write_is_seen(filled, what):
    world, (google, _) = filled, filled.sides
    for number in (0, 1):
        google.calendar.edit(google.id_of(f"event {number}"), retitled(tea(day=2 + number), f"theirs {number}"))
    world.settle()
    number = last(world, google)

    def happens():
        if what == "edit":
            world.edit("e0", lambda fields: at(fields, 20))
        elif what == "undo":
            undo(world, google, number)
        else:
            google.calendar.edit(google.id_of("theirs 0"), at(retitled(tea(), "theirs 0"), 20))
            world.cycle(google)

    context = replace(context_of(world), database=Interrupted(world.database, happens))
    if what == "undo":
        with pytest.raises(UsageError, match="is undone already"):
            undoing.undo(context, google.pair, number)
    else:
        done = undoing.undo(context, google.pair, number)
        assert [item.what for item in done.items] == ["leave", "change"]
        assert world.hub()["e0"].master.when.start.hour == 20
    at_rest(world)


def test_what_a_first_sync_found_on_both_sides_is_not_deleted_on_either(world_on_each):
    """The phone has brought its copy when the account was connected already, so it is younger than the pair."""
    world = world_on_each
    side = world.pair()
    side.calendar.add(tea("Tea"))
    world.put("tea", tea("Tea", location="Vienna"))
    world.settle()
    assert [fields.master.location for fields in side.calendar.objects().values()] == ["Vienna"]
    assert told(undo(world, side)) == [("Tea", "leave", (), undoing.UNITED)]
    at_rest(world)
    assert world.titles() == ["Tea"]


def test_r35_a_change_that_the_remote_is_not_told_of_is_a_change_all_the_same(filled):
    world, (google, _) = filled, filled.sides
    world.edit("e0", lambda fields: retitled(fields, "pushed"))
    world.settle()
    with world.database.write() as conn:
        stored = objects.by_uid(conn, world.calendar, "e0")
        data = stored.data.replace(b"END:VEVENT", b"X-MOZ-LASTACK:1\r\nEND:VEVENT")
        objects.put(conn, world.calendar, stored.href, data, actor="device:1", now=world.clock())
    world.settle()
    assert told(undo(world, google)) == [("pushed", "leave", (), undoing.SINCE)]
    assert world.stored()["e0"].data == data


@pytest.mark.parametrize("told_later", [False, True])
def test_r35_what_came_while_the_cycle_was_sending_was_not_carried_by_it(filled, told_later):
    """The phone is faster: it writes while the service answers that it will not have the first edit now."""
    world, (google, _) = filled, filled.sides
    world.edit("e0", lambda fields: retitled(fields, "first"))

    class Slow(type(google.remote)):
        def inviting(self):
            return self

        def update(self, current, target):
            world.edit("e0", lambda fields: retitled(fields, "second"))
            raise Throttled("later")

    with pytest.raises(Throttled):
        world.cycle(google, remote=Slow(google.calendar, google.remote.lens))
    number = last(world, google)
    if told_later:
        world.settle()
    assert told(undo(world, google, number)) == [("second", "leave", (), undoing.SINCE)]
    at_rest(world)
    assert "second" in google.titles()
