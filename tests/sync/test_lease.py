"""Fencing: a worker whose pair was taken over writes nothing any more."""

import datetime as dt

import pytest

from bridge.errors import LeaseLost
from bridge.store import pairs
from bridge.sync import engine
from tests.support.worlds import LEASE, release, tea


def test_a_worker_that_lost_its_lease_cannot_commit(world_on_each):
    world = world_on_each
    side = world.pair()
    side.calendar.add(tea())
    slow = world.ledger(side, owner="slow")
    world.clock.pass_by(minutes=6)
    quick = world.ledger(side, owner="quick")
    with pytest.raises(LeaseLost):
        engine.cycle(slow, side.remote, now=world.clock)
    assert world.titles() == []
    engine.cycle(quick, side.remote, now=world.clock)
    assert world.titles() == ["Tea"]


def test_a_lease_lost_in_the_middle_makes_nothing_twice(world_on_each):
    world = world_on_each
    side = world.pair()
    world.put("a", tea("a"))
    world.put("b", tea("b"))
    original, taken = side.calendar.request, []

    def request(method):
        if method == "create" and not taken:
            taken.append(True)
            world.clock.pass_by(minutes=6)
            quick = world.ledger(side, owner="quick")
            engine.cycle(quick, side.remote, now=world.clock)
        return original(method)

    slow = world.ledger(side, owner="slow")
    side.calendar.request = request
    with pytest.raises(LeaseLost):
        engine.cycle(slow, side.remote, now=world.clock)
    with world.database.write() as conn:
        release(conn, side.pair, owner="quick", now=world.clock())
    world.settle()
    assert side.titles() == world.titles() == ["a", "b"]


def test_a_long_cycle_keeps_its_lease(world):
    """Every transaction prolongs it."""
    side = world.pair(page_size=1)
    for number in range(10):
        side.calendar.add(tea(f"{number}"))
    original = side.calendar.request

    def request(method):
        world.clock.pass_by(minutes=3)
        with world.database.write() as conn:
            assert pairs.claim(conn, side.pair, owner="other", now=world.clock(), lease=LEASE) is None
        return original(method)

    side.calendar.request = request
    assert world.cycle(side).hub_writes == 10
    assert dt.timedelta(minutes=25) < world.clock.time - world.state(side).created_at


def test_a_worker_whose_pair_was_removed_writes_nothing_more(world_on_each):
    world = world_on_each
    side = world.pair()
    world.put("a", tea("a"))
    world.put("b", tea("b"))
    original = side.calendar.request

    def request(method):
        answer = original(method)
        if method == "create":
            with world.database.write() as conn:
                pairs.remove(conn, side.pair)
        return answer

    side.calendar.request = request
    with pytest.raises(LeaseLost):
        engine.cycle(world.ledger(side), side.remote, now=world.clock)
    assert side.calendar.requests["create"] == 1
    assert world.titles() == ["a", "b"]
