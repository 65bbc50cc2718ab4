"""R16, R22: what a cycle will do is said before, event by event; saying it writes nothing, and the cycle does just that."""

import pytest

from bridge.errors import NotFound, Throttled, UsageError
from bridge.ical import edit
from bridge.services import previewing, syncing
from bridge.store import accounts, journal, objects, pairs
from tests.support.owners import context_of
from tests.support.worlds import Crash, World, at, retitled, tea


@pytest.fixture
def world_on_each(database):
    return World(database)


def preview(world, side):
    with previewing.previewed(context_of(world), side.pair) as foreseen:
        return foreseen.held, sorted(foreseen.rows, key=lambda row: (row.title, row.where, row.what))


def told(world, side):
    return [(row.title, row.what, row.where, row.fields, row.why) for row in preview(world, side)[1]]


def test_everything_that_may_happen_is_told_before(world_on_each):
    world = world_on_each
    side = world.pair()
    world.settle()
    for number in range(5):
        world.put(f"e{number}", tea(f"event {number}", day=2 + number))
    world.settle()
    side.calendar.edit(side.id_of("event 0"), at(retitled(tea(), "theirs"), 15))
    side.calendar.remove(side.id_of("event 1"))
    side.calendar.add(tea("new there"))
    world.edit("e2", lambda fields: at(fields, 20))
    world.delete("e3")
    world.put("new", tea("new here"))
    world.edit("e4", lambda fields: retitled(fields, "event 4 here"))
    world.clock.pass_by(minutes=1)
    side.calendar.edit(side.id_of("event 4"), retitled(tea(day=6), "event 4 there"))
    writes, stored = side.calendar.writes, {uid: each.etag for uid, each in world.stored().items()}
    expected = [
        ("event 0", "change", "here", ("time", "title"), ""),
        ("event 1", "delete", "here", (), ""),
        ("event 2", "change", "there", ("time",), ""),
        ("event 3", "delete", "there", (), ""),
    ]
    found = told(world, side)
    assert found[:4] == expected
    assert [(title, what, where) for title, what, where, _, _ in found[5:] if title.startswith("new")] == [
        ("new here", "create", "there"),
        ("new there", "create", "here"),
    ]
    (conflict,) = [row for row in found if row[1] == "conflict"]
    assert (conflict[3], conflict[4].endswith("'s version stands")) == (("title",), True)
    assert told(world, side) == found  # looking changes nothing
    assert (side.calendar.writes, {uid: each.etag for uid, each in world.stored().items()}) == (writes, stored)


def test_the_cycle_that_follows_does_what_was_said(world_on_each):
    world = world_on_each
    side = world.pair()
    world.settle()
    for number in range(4):
        world.put(f"e{number}", tea(f"event {number}", day=2 + number))
    world.settle()
    side.calendar.edit(side.id_of("event 0"), retitled(tea(), "theirs"))
    side.calendar.remove(side.id_of("event 1"))
    world.delete("e2")
    world.edit("e3", lambda fields: at(fields, 20))
    side.calendar.add(tea("new there"))
    rows = {(row.uid, row.where, row.what) for row in preview(world, side)[1]}
    world.cycle(side)
    with world.database.read() as conn:
        number = journal.latest(conn, side.pair, limit=1)[0].number
        done = journal.entries(conn, side.pair, number)
    where = {"hub": "here", "remote": "there"}
    assert {(each.uid, where[each.side], previewing.KINDS[each.kind]) for each in done} == rows


def test_a_first_sync_is_told_before(world):
    world.put("old", tea("only here"))
    world.put("both", tea("on both", day=4))
    side = world.pair()
    side.calendar.add(tea("on both", day=4))
    side.calendar.add(tea("only there", day=5))
    assert told(world, side) == [
        ("on both", "link", "both", (), ""),
        ("only here", "create", "there", (), ""),
        ("only there", "create", "here", (), ""),
    ]
    assert world.state(side).phase == "pairing"
    assert side.titles() == ["on both", "only there"]


def test_r6_what_the_guard_would_hold_is_said(world):
    side = world.pair()
    world.settle()
    for number in range(20):
        world.put(f"{number}", tea(f"event {number}"))
    world.settle()
    for number in range(12):
        world.delete(f"{number}")
    held, rows = preview(world, side)
    assert (held["remote"], held["hub"], held["links"]) == (12, 0, 20)
    assert len(rows) == 12
    assert world.state(side).parked is None
    assert world.cycle(side).parked == held


def test_what_waits_for_the_service_is_told_too(world):
    side = world.pair()
    world.settle()
    world.put("tea", tea())
    side.calendar.fail("create", Throttled("later"))
    with pytest.raises(Throttled):
        world.cycle(side)
    assert told(world, side) == [("Tea", "create", "there", (), previewing.UNSENT)]
    world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    assert [row[:3] for row in told(world, side)] == [("Coffee", "create", "there")]
    world.settle()
    assert side.titles() == ["Coffee"]
    assert told(world, side) == []


@pytest.mark.parametrize(
    ("direction", "left"),
    [
        ("pull", ("only here", "leave", "there", (), "this pair only pulls")),
        ("push", ("only there", "leave", "here", (), "this pair only pushes")),
    ],
)
def test_what_a_direction_leaves_alone_is_said(world, direction, left):
    side = world.pair(direction=direction)
    world.settle()
    world.put("tea", tea("only here"))
    side.calendar.add(tea("only there"))
    assert left in told(world, side)


def test_r32_what_is_left_alone_is_said_with_the_reason(world):
    side = world.pair()
    world.settle()
    side.calendar.add(tea("good"))
    with world.database.write() as conn:
        data = edit.compose(tea("odd"), uid="odd", now=world.clock()).replace(b"DTSTART", b"X-DTSTART")
        objects.put(conn, world.calendar, "odd.ics", data, actor="device:1", now=world.clock())
    good, odd = told(world, side)
    assert good[:3] == ("good", "create", "here")
    assert odd[:3] == ("odd", "leave", "both")
    assert odd[4]


def test_looking_is_no_cycle(world):
    side = world.pair()
    world.settle()
    before = world.state(side)
    preview(world, side)
    assert world.state(side) == before


def test_somebody_who_wakes_the_pair_meanwhile_is_heard(world):
    side = world.pair()
    world.settle()
    with world.database.write() as conn:
        assert pairs.claim(conn, side.pair, owner="w", now=world.clock(), lease=syncing.lease_of(context_of(world)))
        pairs.finish(conn, side.pair, owner="w", now=world.clock(), news=False)
    assert world.state(side).due_at > world.clock()
    with previewing.previewed(context_of(world), side.pair):
        world.put("tea", tea())
    assert world.state(side).due_at <= world.clock()


def test_a_pair_that_is_being_synced_is_left_to_it(world):
    side = world.pair()
    world.ledger(side)
    before = world.state(side)
    with (
        pytest.raises(UsageError, match="is being synced right now"),
        previewing.previewed(context_of(world), side.pair),
    ):
        pass
    assert world.state(side) == before


def test_nobody_else_runs_a_cycle_meanwhile_and_it_is_free_afterwards_whatever_happens(world):
    side = world.pair()
    context = context_of(world)

    def watched():
        with previewing.previewed(context, side.pair):
            assert "right now by another process" in syncing.run_now(context, side.pair).error
            raise Crash

    with pytest.raises(Crash):
        watched()
    assert syncing.run_now(context, side.pair).error is None


def test_r28_r33_a_service_that_cannot_be_asked_is_told_in_plain_words_and_noted(world):
    side = world.pair()
    side.calendar.fail("page", Throttled("later"), times=99)
    for _ in range(20):
        with (
            pytest.raises(UsageError, match="asks us to slow down"),
            previewing.previewed(context_of(world), side.pair),
        ):
            pass
        with world.database.read() as conn:
            (account,) = accounts.every(conn)
        if account.closed_until is not None:
            break
    assert account.strains
    assert world.state(side).lease_owner is None


def test_there_is_no_such_pair(world):
    with pytest.raises(NotFound, match="no pair 9"), previewing.previewed(context_of(world), 9):
        pass
