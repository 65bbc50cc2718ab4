"""Creations by batches: every answer is noted, whatever becomes of the others, and nothing is created twice (R12)."""

from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from bridge.errors import DuplicateKey, NeedsReconnect, Refused, Throttled, Unmappable, Unreachable, VersionMismatch
from bridge.providers.memory import MemoryRemote
from bridge.store import links, outbox
from bridge.sync import engine
from tests.support.worlds import Boundaries, release, retitled, tea


def filled(world, count, **screws):
    """So many events wait in the hub for their first sync."""
    side = world.pair(**screws)
    for number in range(count):
        world.put(f"{number:03}", tea(f"event {number:03}"))
    return side


def everything(count, *, but=()):
    return [f"event {number:03}" for number in range(count) if number not in but]


def waiting(world, side):
    """What is in the outbox: (uid, attempts, whether it has to wait)."""
    with world.database.read() as conn:
        uids = [f"{number:03}" for number in range(100)]
        intents = outbox.by_uid(conn, side.pair, uids)
    return [(uid, each.attempts, each.not_before is not None) for uid, each in sorted(intents.items())]


def quarantined(world, side):
    with world.database.read() as conn:
        return {link.uid: link.quarantine for link in links.quarantined(conn, side.pair)}


def at_rest(world, side, titles):
    world.clock.pass_by(minutes=10)
    world.settle()
    assert world.titles() == side.titles() == titles
    assert world.rows(outbox.outbox) == 0


def test_a_first_sync_takes_a_request_a_batch(world_on_each):
    world = world_on_each
    side = filled(world, 50, batch_size=20)
    report = world.cycle(side)
    assert (report.remote_writes, report.linked) == (50, 50)
    assert side.calendar.requests["create_many"] == 3
    assert side.calendar.requests["find"] == 0
    assert side.titles() == everything(50)
    writes = side.calendar.writes
    world.settle()
    assert side.calendar.writes == writes


def test_a_few_are_created_singly(world):
    side = filled(world, 2)
    world.cycle(side)
    assert (side.calendar.requests["create"], side.calendar.requests["create_many"]) == (2, 0)


@dataclass
class Plain:
    """A remote without batches."""

    remote: MemoryRemote

    def __getattr__(self, name):
        if name in ("create_many", "batch_size"):
            raise AttributeError(name)
        return getattr(self.remote, name)


def test_a_remote_without_batches_gets_every_creation_singly(world):
    side = filled(world, 60)
    world.cycle(side, remote=Plain(side.remote))
    assert (side.calendar.requests["create"], side.calendar.requests["create_many"]) == (60, 0)
    assert side.titles() == everything(60)


class Counting:
    """A ledger that counts its transactions."""

    def __init__(self, ledger):
        self.ledger, self.transactions = ledger, 0
        self.reading = ledger.reading

    @contextmanager
    def writing(self):
        self.transactions += 1
        with self.ledger.writing() as memory:
            yield memory


def test_a_batch_is_two_transactions_however_many_it_creates(world):
    few, many = [], []
    for counts, batch in ((few, 10), (many, 30)):
        side = filled(world, 30, batch_size=batch)
        ledger = Counting(world.ledger(side))
        world.cycle(side, ledger=ledger)
        counts.append(ledger.transactions)
    assert few[0] - many[0] == 4  # three batches, and one


# --- what may become of a batch


@pytest.mark.parametrize("after_effect", [False, True])
def test_r12_the_answer_to_a_batch_is_lost(world_on_each, after_effect):
    world = world_on_each
    side = filled(world, 25, batch_size=10)
    side.calendar.fail("create_many", Unreachable("timeout"), after_effect=after_effect)
    world.cycle(side)
    assert waiting(world, side) == []
    assert side.titles() == everything(25)
    assert side.calendar.requests["find"] == 10, "of each that may be there it is asked, behind the rest"
    at_rest(world, side, everything(25))


@pytest.mark.parametrize("after_effect", [False, True])
def test_r12_no_answer_to_any_batch(world_on_each, after_effect):
    world = world_on_each
    side = filled(world, 45, batch_size=10)
    side.calendar.fail("create_many", Unreachable("timeout"), times=3, after_effect=after_effect)
    with pytest.raises(Unreachable):
        world.cycle(side)
    assert waiting(world, side)[:30] == [(f"{number:03}", 1, True) for number in range(30)]
    assert waiting(world, side)[30:] == [(f"{number:03}", 0, False) for number in range(30, 45)]
    at_rest(world, side, everything(45))


def test_r12_a_lost_batch_is_asked_for_where_the_listing_does_not_show_it(world):
    """The service's listing lags behind: of each that may be there it is asked, and only what is not is created."""

    class Lagging(MemoryRemote):
        def page(self, cursor, *, now):
            return replace(super().page(cursor, now=now), items=(), cursor=cursor)

    side = filled(world, 4)
    side.calendar.fail("create_many", Unreachable("timeout"), after_effect=True)
    with pytest.raises(Unreachable):
        world.cycle(side)
    side.calendar.remove(side.id_of("event 002"))
    world.clock.pass_by(minutes=10)
    created = side.calendar.requests["create"]
    world.cycle(side, remote=Lagging(side.calendar))
    assert side.calendar.requests["find"] == 4
    assert side.calendar.requests["create"] == created + 1  # which says that its owner has deleted it
    at_rest(world, side, everything(4, but=[2]))


@pytest.mark.parametrize(
    ("error", "attempts", "later"),
    [(Throttled("busy", retry_after=7), 0, False), (NeedsReconnect("dead"), 0, False)],
)
def test_a_part_that_was_not_carried_out_is_put_back_and_the_rest_noted(world_on_each, error, attempts, later):
    world = world_on_each
    side = filled(world, 25, batch_size=10)
    side.calendar.fail("create", error)
    with pytest.raises(type(error)) as caught:
        world.cycle(side)
    assert caught.value is error
    assert side.titles() == everything(10, but=[0])
    assert waiting(world, side)[0] == ("000", attempts, later)
    assert len(waiting(world, side)) == 16
    found = side.calendar.requests["find"]
    at_rest(world, side, everything(25))
    assert side.calendar.requests["find"] == found + attempts  # what was not sent need not be asked for


@pytest.mark.parametrize("after_effect", [False, True])
def test_r12_a_part_without_an_answer_is_asked_for_behind_the_rest(world_on_each, after_effect):
    world = world_on_each
    side = filled(world, 25, batch_size=10)
    side.calendar.fail("create", Unreachable("down"), after_effect=after_effect)
    world.cycle(side)
    assert (waiting(world, side), side.titles()) == ([], everything(25))
    assert side.calendar.requests["find"] == 1
    at_rest(world, side, everything(25))


def test_r33_of_several_troubles_the_longest_wait_counts(world):
    side = filled(world, 5)
    for wait in (None, 30, 7):
        side.calendar.fail("create", Throttled("busy", retry_after=wait))
    side.calendar.fail("create", Unreachable("down"))
    with pytest.raises(Throttled) as caught:
        world.cycle(side)
    assert caught.value.retry_after == 30
    at_rest(world, side, everything(5))


def test_r33_a_short_wait_is_no_reason_to_end_a_first_sync(world_on_each):
    """The account's pace waits it out before the next request; what was not carried out goes behind the rest."""
    world = world_on_each
    side = filled(world, 45)
    side.calendar.fail("create", Throttled("busy", retry_after=1), times=2)
    assert world.cycle(side).remote_writes == 45
    assert side.titles() == everything(45)
    assert waiting(world, side) == []


def test_r33_who_is_always_asked_for_patience_stops(world):
    side = filled(world, 45)
    side.calendar.fail("create", Throttled("busy", retry_after=1), times=1000)
    with pytest.raises(Throttled):
        world.cycle(side)
    assert side.titles() == []
    assert {(attempts, later) for _, attempts, later in waiting(world, side)} == {(0, False)}


def test_a_whole_batch_that_is_throttled_counts_as_never_sent(world):
    side = filled(world, 5)
    side.calendar.fail("create_many", Throttled("busy", retry_after=7))
    with pytest.raises(Throttled):
        world.cycle(side)
    assert waiting(world, side) == [(f"{number:03}", 0, False) for number in range(5)]
    at_rest(world, side, everything(5))
    assert side.calendar.requests["find"] == 0


@pytest.mark.parametrize("error", [Refused("no", status=400), Unmappable("cannot be shown")])
def test_r32_one_refused_in_the_middle_is_left_alone_and_not_sent_twice(world_on_each, error):
    world = world_on_each
    side = filled(world, 6)
    _third(side, error)
    world.cycle(side)
    assert side.titles() == everything(6, but=[2])
    assert quarantined(world, side) == {"002": str(error)}
    assert side.calendar.requests["create"] == 6
    at_rest(world, side, everything(6))


def test_r12_a_key_that_is_taken_is_taken_up(world):
    side = filled(world, 6)
    _third(side, DuplicateKey("taken", status=409), after_effect=True)
    world.cycle(side)
    assert side.titles() == everything(6)
    at_rest(world, side, everything(6))


@pytest.mark.parametrize("after_effect", [False, True])
def test_r36_a_part_that_somebody_wrote_into_holds_up_nobody(world, after_effect):
    side = filled(world, 6)
    _third(side, VersionMismatch("in between", status=412), after_effect=after_effect)
    world.cycle(side)
    assert side.titles() == everything(6, but=[] if after_effect else [2])
    at_rest(world, side, everything(6))


def test_r32_a_provider_that_stumbles_over_a_batch_gets_them_singly(world):
    side = filled(world, 6)
    side.calendar.fail("create_many", RuntimeError("a defect"), after_effect=True)
    world.cycle(side)
    assert side.titles() == everything(6)
    at_rest(world, side, everything(6))


def test_r32_an_answer_that_cannot_be_read_is_this_objects_trouble(world):
    class Odd(MemoryRemote):
        def create_many(self, wanted):
            return [[], *super().create_many(wanted)[1:]]

    side = filled(world, 5)
    world.cycle(side, remote=Odd(side.calendar))
    assert list(quarantined(world, side)) == ["000"]
    assert side.titles() == everything(5)
    world.clock.pass_by(minutes=10)
    at_rest(world, side, everything(5))


def _third(side, error, *, after_effect=False):
    """Two parts pass, the third meets this."""
    part, seen = side.calendar.request, []

    @contextmanager
    def request(method):
        seen.append(method)
        if seen.count("create") == 3 and method == "create":
            side.calendar.fail("create", error, after_effect=after_effect)
        with part(method):
            yield

    side.calendar.request = request


def test_r12_dying_at_any_boundary_of_a_first_sync_in_batches(world, copies, tmp_path):
    """Also between two parts of a batch, before and behind the one transaction that notes its answers."""
    filled(world, 8, batch_size=4)
    make = copies(world, tmp_path / "hub" / "bridge.db")
    whole, boundaries = make(), Boundaries()
    assert not whole.dying_cycle(whole.sides[0], boundaries)
    assert whole.sides[0].calendar.requests["create_many"] == 8  # part by part, to die in between
    for boundary in range(1, boundaries.count + 1):
        again = make()
        assert again.dying_cycle(again.sides[0], Boundaries(boundary))
        at_rest(again, again.sides[0], everything(8))
        assert len(again.sides[0].calendar.kept) == 8, boundary


def test_r12_dying_again_and_again_in_a_first_sync_in_batches(world_on_each):
    world = world_on_each
    side = filled(world, 9, batch_size=4)
    died = 0
    while world.dying_cycle(side, Boundaries(died + 1)):
        died += 1
        world.clock.pass_by(minutes=10)
    assert died > 3
    at_rest(world, side, everything(9))
    assert len(side.calendar.kept) == 9


# --- what a person does meanwhile


@dataclass(frozen=True)
class Meanwhile(MemoryRemote):
    """Lets something happen while the n-th batch is under way."""

    happens: dict = None

    def create_many(self, wanted):
        outcomes = super().create_many(wanted)
        number = self.calendar.requests["create_many"]
        if number in (self.happens or {}):
            self.happens[number]()
        return outcomes


def order(side):
    """The titles in the order in which the service got their last version."""
    kept = sorted(side.calendar.kept.values(), key=lambda each: each.changed)
    return [each.fields.master.summary for each in kept if each.fields is not None]


def running(world, side, **happens):
    """A first sync during which this happens, by the number of the batch."""
    numbered = {int(name.removeprefix("in_batch_")): doing for name, doing in happens.items()}
    report = engine.cycle(
        world.ledger(side), Meanwhile(side.calendar, side.remote.lens, happens=numbered), now=world.clock
    )
    with world.database.write() as conn:
        release(conn, side.pair, owner="worker", now=world.clock())
    return report


def test_r33_an_edit_goes_ahead_of_a_running_first_sync(world_on_each):
    world = world_on_each
    side = filled(world, 50, batch_size=10)
    running(world, side, in_batch_2=lambda: world.edit("003", lambda fields: retitled(fields, "edited by a person")))
    assert order(side).index("edited by a person") == 19  # right behind the batch that was under way
    assert len(side.titles()) == 50
    world.settle()
    assert world.titles() == side.titles()


def test_r33_a_new_event_goes_ahead_of_a_running_first_sync(world):
    side = filled(world, 50, batch_size=10)
    running(world, side, in_batch_1=lambda: world.put("new", tea("new")))
    assert order(side).index("new") <= 20
    world.settle()
    assert world.titles() == side.titles()
    assert len(side.titles()) == 51


def test_r33_an_event_that_is_still_to_be_created_is_created_as_it_was_edited_and_at_once(world):
    side = filled(world, 50, batch_size=10)
    running(world, side, in_batch_1=lambda: world.edit("049", lambda fields: retitled(fields, "edited by a person")))
    assert order(side).index("edited by a person") <= 20
    assert (side.calendar.requests["create"], side.calendar.requests["update"]) == (50, 0)
    world.settle()
    assert world.titles() == side.titles()


def test_r33_an_event_that_is_deleted_before_its_turn_is_never_created(world):
    side = filled(world, 50, batch_size=10)
    running(world, side, in_batch_1=lambda: world.delete("049"))
    assert side.calendar.requests["create"] == 49
    world.settle()
    assert world.titles() == side.titles() == everything(49)


def test_r33_a_deletion_goes_ahead_of_a_running_first_sync(world):
    side = filled(world, 50, batch_size=10)
    deleted = []

    def happens():
        world.delete("003")
        deleted.append(len(side.calendar.objects()))

    running(world, side, in_batch_2=happens)
    assert "event 003" not in side.titles()
    assert side.calendar.kept["m4"].changed == deleted[0] + 1  # the very next write
    world.settle()
    assert world.titles() == side.titles() == everything(50, but=[3])


def test_r33_a_person_who_never_stops_editing_does_not_hold_up_the_first_sync(world):
    side = filled(world, 60, batch_size=10)

    def edit(number):
        return lambda: world.edit("003", lambda fields: retitled(fields, f"version {number}"))

    running(world, side, **{f"in_batch_{number}": edit(number) for number in range(1, 10)})
    assert len(side.titles()) == 60
    world.settle()
    assert world.titles() == side.titles()
    assert f"version {side.calendar.requests['create_many']}" in side.titles()


def test_r33_after_a_pause_the_edit_comes_first_and_the_other_side_is_read_before_the_rest(world):
    side = filled(world, 30, batch_size=10)
    side.calendar.fail("create_many", Throttled("busy", retry_after=7))
    with pytest.raises(Throttled):
        world.cycle(side)
    world.put("new", tea("new"))
    theirs = side.calendar.add(tea("theirs"), uid="theirs")
    requests = []
    part = side.calendar.request

    @contextmanager
    def request(method):
        requests.append(method)
        with part(method):
            yield

    side.calendar.request = request
    world.cycle(side)
    assert requests.index("page") < requests.index("create_many")
    assert order(side).index("new") <= 10
    assert side.calendar.objects()[theirs].master.summary == "theirs"
    world.settle()
    assert world.titles() == side.titles()
    assert len(world.titles()) == 32


def test_r33_a_crowd_that_another_pair_brings_is_a_first_sync_too_and_an_edit_is_none(world):
    """The pair has been at rest for long; then another account fills the hub."""
    side = filled(world, 3)
    world.settle()
    for number in range(250):
        world.put(f"other{number:03}", tea(f"other {number:03}"))
    side.calendar.fail("create_many", Throttled("busy"))
    with pytest.raises(Throttled):
        world.cycle(side)
    world.edit("001", lambda fields: retitled(fields, "edited by a person"))
    with world.database.read() as conn:
        assert outbox.due(conn, side.pair, world.clock(), backfill=False) == []
    world.cycle(side)
    assert order(side).index("edited by a person") <= 2 + 20
    world.settle()
    assert world.titles() == side.titles()
