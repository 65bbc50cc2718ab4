"""New terms of a pair hold at once: for what waits for the service, and for what is being sent (R1, R22, R41)."""

import pytest

from bridge.errors import LeaseLost, Throttled
from bridge.services import pairing
from bridge.sync.projection import Projection
from tests.support.owners import context_of
from tests.support.worlds import retitled, tea
from tests.sync.test_guests import ANN, SELF, with_guests

BUSY = Projection("busy")


@pytest.fixture
def home_and_copy(world):
    pairs = world.pair(), world.pair()
    world.settle()
    return pairs


def held_up(world, side, method):
    """A cycle whose write the service does not take now."""
    side.calendar.fail(method, Throttled("later", retry_after=30))
    with pytest.raises(Throttled):
        world.cycle(side)


def told(side):
    """Every title that reaches the service from now on."""
    titles = []

    def rewrite(event):
        titles.append(event.summary)
        return event

    side.calendar.rewrite = rewrite
    return titles


def come_to_rest(world):
    world.clock.pass_by(minutes=10)
    world.settle()


def test_r41_what_is_still_to_be_created_is_created_as_it_may_be_seen(world, home_and_copy):
    home, copy = home_and_copy
    world.put("a", tea("SECRET", day=20))
    world.cycle(home)
    held_up(world, copy, "create")
    pairing.change(context_of(world), copy.pair, projection=BUSY)
    titles = told(copy)
    come_to_rest(world)
    assert set(titles) == {"Busy"}
    assert copy.titles() == ["Busy"]


def test_r41_an_update_that_waits_tells_no_more_than_may_be_seen(world, home_and_copy):
    home, copy = home_and_copy
    world.put("a", tea("Tea", day=20))
    world.settle()
    world.edit("a", lambda old: retitled(old, "SECRET"))
    world.cycle(home)
    held_up(world, copy, "update")
    pairing.change(context_of(world), copy.pair, projection=BUSY)
    titles = told(copy)
    come_to_rest(world)
    assert "SECRET" not in titles
    assert copy.titles() == ["Busy"]


def test_r1_no_invitation_goes_out_once_there_are_to_be_none(world, home_and_copy):
    home, _ = home_and_copy
    world.put("a", with_guests(tea("Party", day=20), SELF, ANN))
    held_up(world, home, "create")
    pairing.change(context_of(world), home.pair, invitations=False)
    come_to_rest(world)
    assert home.calendar.mails == []
    assert home.titles() == ["Party"]


def test_r22_a_pair_that_only_pulls_deletes_nothing_there_any_more(world, home_and_copy):
    home, _ = home_and_copy
    world.put("a", tea("Tea", day=20))
    world.settle()
    world.delete("a")
    held_up(world, home, "delete")
    pairing.change(context_of(world), home.pair, direction="pull")
    come_to_rest(world)
    assert home.titles() == ["Tea"]


def test_r41_what_is_being_sent_meanwhile_is_hidden_behind_it(world, home_and_copy):
    home, copy = home_and_copy
    for number in range(6):
        world.put(f"u{number}", tea(f"SECRET {number}", day=3 + number))
    world.cycle(home)
    create_many, changed = copy.remote.create_many, []

    class Slow(type(copy.remote)):
        def create_many(self, wanted):
            if not changed:
                changed.append(pairing.change(context_of(world), copy.pair, projection=BUSY))
            return create_many(wanted)

    with pytest.raises(LeaseLost):
        world.cycle(copy, remote=Slow(copy.calendar, copy.remote.lens))
    come_to_rest(world)
    assert set(copy.titles()) == {"Busy"}
