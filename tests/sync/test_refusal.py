"""R1, R6: the owner's no. Nothing goes, nothing is made twice, and nobody is mailed."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from bridge.store import links as stored
from bridge.store.history import prune
from bridge.sync import refusal
from bridge.sync.refusal import FOREIGN, UNTOLD
from tests.support.worlds import Boundaries, Crash, CrashingLedger, CrashingRemote, release, retitled, tea
from tests.sync.test_guests import ANN, BOB, SELF, with_guests
from tests.sync.test_parking import COUNT, approve, filled

ALL = [f"event {number:02}" for number in range(COUNT)]
DOOMED = range(12)


def refuse(world, side, *, boundaries=None):
    ledger, remote = world.ledger(side), side.remote
    if boundaries is not None:
        ledger, remote = CrashingLedger(ledger, boundaries), CrashingRemote(remote, boundaries)
    try:
        return refusal.refuse(ledger, remote, now=world.clock)
    finally:
        with world.database.write() as conn:
            release(conn, side.pair, owner="worker", now=world.clock())


def delete(world, side, where, numbers=DOOMED):
    for number in numbers:
        if where == "hub":
            world.delete(f"{number:02}")
        else:
            side.calendar.remove(side.id_of(f"event {number:02}"))
    if where == "listing":
        side.calendar.forget_cursors()


def links(world, side):
    with world.database.read() as conn:
        return stored.by_uid(conn, side.pair, stored.every_uid(conn, side.pair))


@pytest.mark.parametrize("where", ["hub", "remote", "listing"])
def test_r6_what_is_refused_comes_back_where_it_was_deleted_and_stays_where_it_was_not(world_on_each, where):
    world = world_on_each
    side = filled(world)
    delete(world, side, where)
    world.edit("19", lambda fields: retitled(fields, "edited"))
    assert world.cycle(side).parked
    done = refuse(world, side)
    doomed = [f"{number:02}" for number in DOOMED]
    assert (sorted(done.back_here), sorted(done.made_there)) == ((doomed, []) if where == "hub" else ([], doomed))
    assert (done.only_here, done.quiet, done.unsent) == ([], [], [])
    world.settle()
    assert world.titles() == side.titles() == sorted([*ALL[:-1], "edited"])
    assert world.state(side).parked is None
    creations = side.calendar.requests["create"]
    assert creations == COUNT + (0 if where == "hub" else len(doomed))
    world.settle()
    assert side.calendar.requests["create"] == creations


def test_r26_what_only_was_not_listed_is_not_made_a_second_time(world):
    side = filled(world)
    delete(world, side, "listing")
    ids = sorted(side.calendar.objects())[:5]
    with unlisted(side, ids):
        assert world.cycle(side).parked
        done = refuse(world, side)
    assert len(done.made_there) == len(DOOMED)
    world.settle()
    assert world.titles() == side.titles() == ALL


@contextmanager
def unlisted(side, ids):
    """The service leaves these out of its listings, though they are there."""
    remote = side.remote

    class Forgetful(type(remote)):
        def page(self, cursor, *, now):
            found = super().page(cursor, now=now)
            return replace(found, items=[each for each in found.items if each.id not in ids])

    side.remote = Forgetful(remote.calendar, remote.lens)
    try:
        yield
    finally:
        side.remote = remote


def test_nothing_parked_nothing_to_refuse(world):
    side = filled(world)
    assert refuse(world, side) is None


def test_a_yes_that_was_not_carried_out_yet_can_still_become_a_no(world):
    side = filled(world)
    delete(world, side, "hub")
    assert world.cycle(side).parked
    approve(world, side)
    assert len(refuse(world, side).back_here) == 12
    world.settle()
    assert world.titles() == side.titles() == ALL
    assert not world.state(side).approved


def test_r6_a_refusal_that_dies_anywhere_has_refused_everything_or_nothing(world):
    side = filled(world)
    delete(world, side, "listing")
    assert world.cycle(side).parked
    died = 0
    while True:
        died += 1
        try:
            refuse(world, side, boundaries=Boundaries(die_at=died))
        except Crash:
            report = world.cycle(side)
            if world.state(side).parked is None:
                break  # it was through, but nobody had heard of it
            assert report.parked
            assert report.idle
            assert len(world.hub()) == COUNT
        else:
            break
    world.settle()
    assert died >= 4  # before the transaction, in it, and behind it, and not at all
    assert world.titles() == side.titles() == ALL


def test_r8_on_a_pair_that_pulls_what_is_gone_there_stays_here_and_nothing_is_written_there(world):
    side = world.pair(direction="pull")
    for title in ALL:
        side.calendar.add(tea(title))
    world.settle()
    for title in ALL[:12]:
        side.calendar.remove(side.id_of(title))
    assert world.cycle(side).parked
    done = refuse(world, side)
    assert len(done.only_here) == 12
    world.settle()
    assert world.titles() == ALL
    assert side.titles() == ALL[12:]
    assert side.calendar.writes == 0


def test_where_history_does_not_reach_the_remote_tells_how_it_was(world):
    side = filled(world)
    delete(world, side, "hub")
    assert world.cycle(side).parked
    with world.database.write() as conn:
        world.clock.pass_by(seconds=5)
        prune(conn, world.clock())
    assert len(refuse(world, side).back_here) == 12
    world.settle()
    assert world.titles() == side.titles() == ALL


# --- guests


def party(number, *guests, organizer="alice@example.org"):
    return with_guests(tea(f"event {number:02}", day=20), *guests, organizer=organizer)


def hosted(world, *, count=12, organizer="alice@example.org"):
    """At home at the first of two remotes, with Ann as their guest."""
    home, copy = world.pair(), world.pair()
    world.settle()
    for number in range(count):
        world.put(f"{number:02}", party(number, SELF, ANN, organizer=organizer))
        world.settle()
    assert len(home.calendar.mails) == (count if organizer == "alice@example.org" else 0)
    return home, copy


@pytest.mark.parametrize("where", ["hub", "remote"])
def test_r1_what_comes_back_tells_no_guest_even_at_home(world, where):
    home, copy = hosted(world)
    mails = list(home.calendar.mails)
    delete(world, home, where)
    assert world.cycle(home).parked
    refuse(world, home)
    world.settle()
    assert home.calendar.mails == mails
    assert copy.calendar.mails == []
    assert home.titles() == copy.titles() == world.titles() == ALL[:12]
    assert all(len(fields.master.attendees) == 2 for fields in world.hub().values())
    world.edit("00", lambda fields: with_guests(fields, *fields.master.attendees, BOB))
    world.settle()
    assert set(home.calendar.mails[len(mails) :]) <= {"bob@example.net", "ann@example.net"} - (
        {"ann@example.net"} if where == "remote" else set()
    )


def test_r1_a_home_that_has_called_them_off_already_makes_them_again_without_a_word(world):
    """Its plan was let through, the other pair's is refused: what comes back here goes home, and invites nobody anew."""
    home, copy = hosted(world)
    delete(world, home, "hub")
    assert world.cycle(home).parked
    assert world.cycle(copy).parked
    approve(world, home)
    world.cycle(home)
    assert home.titles() == []
    mails = list(home.calendar.mails)
    assert len(refuse(world, copy).back_here) == 12
    world.settle()
    assert home.titles() == copy.titles() == world.titles() == ALL[:12]
    assert home.calendar.mails == mails


def test_r3_someone_elses_meetings_are_kept_here_and_not_made_anew(world):
    home, _ = world.pair(), world.pair()
    world.settle()
    boss = "boss@example.net"
    for number in range(12):
        fields = party(number, SELF, ANN, organizer=boss)
        home.calendar.add(fields, organized_elsewhere=True)
    world.settle()
    for id in list(home.calendar.objects()):
        home.calendar.remove(id)
    assert world.cycle(home).parked
    done = refuse(world, home)
    assert len(done.only_here) == 12
    world.settle()
    assert len(world.hub()) == 12
    assert home.calendar.objects() == {}
    assert home.calendar.mails == []
    assert {link.quarantine for link in links(world, home).values()} == {FOREIGN}


def test_r1_a_flood_of_invitations_that_is_refused_is_sent_without_telling_anybody(world):
    home, copy = world.pair(), world.pair()
    world.settle()
    for number in range(12):
        world.put(f"{number:02}", party(number, SELF, ANN))
    assert world.cycle(home).parked["mails"] == 12
    assert len(refuse(world, home).quiet) == 12
    world.settle()
    assert home.titles() == copy.titles() == ALL[:12]
    assert home.calendar.mails == copy.calendar.mails == []
    world.edit("00", lambda fields: with_guests(fields, *fields.master.attendees, BOB))
    world.settle()
    assert home.calendar.mails == ["bob@example.net"]


def test_r1_guests_added_to_many_at_once_are_not_told_and_the_rest_of_the_edit_goes_out(world):
    home, _ = world.pair(), world.pair()
    world.settle()
    for number in range(12):
        world.put(f"{number:02}", tea(f"event {number:02}", day=20))
    world.settle()
    for number in range(12):
        world.edit(
            f"{number:02}",
            lambda fields: with_guests(retitled(fields, f"{fields.master.summary}!"), SELF, ANN),
        )
    assert world.cycle(home).parked["mails"] == 12
    done = refuse(world, home)
    assert (len(done.quiet), done.unsent) == (12, [])
    world.settle()
    assert home.titles() == [f"{title}!" for title in ALL[:12]]
    assert home.calendar.mails == []
    assert all(not fields.master.attendees for fields in home.calendar.objects().values())
    assert UNTOLD not in {link.quarantine for link in links(world, home).values()}


def test_a_few_invitations_beside_refused_deletions_go_out(world):
    """They are what its owner has just done, and were not what the guard asked about."""
    home = filled(world)
    delete(world, home, "hub")
    world.put("party", party(77, SELF, ANN))
    assert world.cycle(home).parked
    refuse(world, home)
    world.settle()
    assert home.calendar.mails == ["ann@example.net"]
    assert len(world.hub()) == COUNT + 1
