"""Whose word counts, and where events made here are at home."""

import pytest

from bridge.errors import NotFound, UsageError
from bridge.services import conflicts, precedence
from bridge.store import audit, calendars, links
from bridge.sync.plan import ASKED
from tests.support.owners import context_of
from tests.support.worlds import retitled, tea


def calendar(world):
    with world.database.read() as conn:
        return calendars.by_id(conn, world.calendar)


def truth(world, whose):
    return precedence.set_truth(context_of(world), "alice/calendar", str(whose))


def clash(world, side, here, there):
    world.edit("tea", lambda fields: retitled(fields, here))
    side.calendar.edit(side.id_of("Tea"), retitled(tea(), there))


@pytest.mark.parametrize(("rule", "stands"), [("hub", "here"), ("pair", "there"), ("newest", "there")])
def test_the_truth_decides_the_next_clash(world, rule, stands):
    side = world.pair()
    world.put("tea", tea())
    world.settle()
    assert truth(world, side.pair if rule == "pair" else rule) == (f"pair:{side.pair}" if rule == "pair" else rule)
    clash(world, side, "here", "there")
    world.settle()
    assert world.titles() == side.titles() == [stands]


def test_one_pairs_remote_is_the_truth_for_the_other_pairs_too(world):
    right, other = world.pair(), world.pair()
    world.put("tea", tea())
    world.settle()
    truth(world, right.pair)
    clash(world, other, "here", "there")
    world.settle()
    assert world.titles() == right.titles() == other.titles() == ["here"]
    right.calendar.edit(right.id_of("here"), retitled(tea(), "right"))
    world.edit("tea", lambda fields: retitled(fields, "wrong"))
    world.settle()
    assert world.titles() == right.titles() == other.titles() == ["right"]


def test_what_was_asked_is_decided_once_nobody_asks_any_more(world):
    side = world.pair(policy="ask")
    world.put("tea", tea())
    world.settle()
    clash(world, side, "here", "there")
    world.settle()
    with world.database.read() as conn:
        assert [each.quarantine for each in links.quarantined(conn, side.pair)] == [ASKED]
    truth(world, "hub")
    world.settle()
    assert world.titles() == side.titles() == ["here"]
    (decided,) = conflicts.unresolved(context_of(world))
    assert decided.winner == "hub"
    with world.database.read() as conn:
        assert audit.of_principal(conn, world.principal)[0].detail == {"calendar": world.calendar, "value": "hub"}


def test_home_is_a_pair_that_writes_or_the_first_one(world):
    world.pair(direction="pull")
    second = world.pair()
    context = context_of(world)
    assert precedence.set_home(context, "alice/calendar", str(second.pair)) == second.pair
    assert calendar(world).home_pair_id == second.pair
    assert precedence.set_home(context, "alice/calendar", "auto") is None
    assert calendar(world).home_pair_id is None


@pytest.mark.parametrize(
    ("name", "whose", "kind", "words"),
    [
        ("alice/calendar", "oldest", UsageError, "newest, hub, ask or the number"),
        ("alice/calendar", "7", NotFound, "no pair 7"),
        ("alice/calendar", "2", UsageError, "only pushes"),
        ("alice/work", "hub", NotFound, "no calendar alice/work"),
        ("alice", "hub", UsageError, "USER/CALENDAR"),
    ],
)
def test_a_truth_that_cannot_be_is_refused(world, name, whose, kind, words):
    world.pair()
    world.pair(direction="push")
    with pytest.raises(kind, match=words):
        precedence.set_truth(context_of(world), name, whose)
    assert calendar(world).truth == "newest"


@pytest.mark.parametrize(
    ("home", "kind", "words"),
    [
        ("2", UsageError, "no event can be at home"),
        ("7", NotFound, "no pair 7"),
        ("hub", UsageError, "auto or the number"),
    ],
)
def test_a_home_that_cannot_be_is_refused(world, home, kind, words):
    world.pair()
    world.pair(direction="pull")
    with pytest.raises(kind, match=words):
        precedence.set_home(context_of(world), "alice/calendar", home)


def test_a_pair_of_another_calendar_is_none_of_its_business(world):
    side = world.pair()
    with world.database.write() as conn:
        calendars.create(conn, world.principal, "work", properties={}, now=world.clock())
    for call in (precedence.set_truth, precedence.set_home):
        with pytest.raises(NotFound, match="alice/work has no pair"):
            call(context_of(world), "alice/work", str(side.pair))
