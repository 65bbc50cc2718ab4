"""The journal names what each cycle did, once an object and side, and from where on it would be undone."""

import datetime as dt

import pytest

from bridge.store import journal
from bridge.sync.ledger import Done
from tests.support.worlds import BEGIN, World

LATER = BEGIN + dt.timedelta(minutes=1)


@pytest.fixture
def world(database):
    return World(database)


def test_of_one_object_and_side_the_last_is_kept_and_where_the_first_began(world):
    pair = world.pair().pair
    with world.database.write() as conn:
        journal.note(conn, pair, 1, [Done("a", "hub", "update", 4), Done("b", "remote", "create", 4)], now=BEGIN)
        journal.note(conn, pair, 1, [Done("a", "hub", "delete", 6), Done("b", "remote", "update", 6)], now=LATER)
        found = journal.entries(conn, pair, 1)
    assert [(each.uid, each.kind, each.undo_to, each.at) for each in found] == [
        ("a", "delete", 4, LATER),
        ("b", "create", 4, LATER),  # what was created and then updated was created
    ]


def test_it_counts_by_side_and_kind(world):
    pair = world.pair().pair
    with world.database.write() as conn:
        for number in (1, 2):
            entries = [Done(f"{number}{n}", "remote", "create", 0) for n in range(number)]
            journal.note(conn, pair, number, [*entries, Done("x", "hub", "delete", 0)], now=BEGIN)
        assert journal.tally(conn, pair, [1, 2, 3]) == {
            1: {("remote", "create"): 1, ("hub", "delete"): 1},
            2: {("remote", "create"): 2, ("hub", "delete"): 1},
            3: {},
        }


def test_it_knows_what_the_remote_was_told_later(world):
    pair, other = world.pair().pair, world.pair().pair
    with world.database.write() as conn:
        journal.note(conn, pair, 1, [Done("a", "remote", "update", 3)], now=BEGIN)
        journal.note(conn, pair, 2, [Done("a", "remote", "update", 5), Done("b", "hub", "update", 5)], now=BEGIN)
        journal.note(conn, pair, 3, [Done("a", "remote", "update", 7)], now=BEGIN)
        journal.note(conn, other, 4, [Done("c", "remote", "update", 9)], now=BEGIN)
        assert journal.told_since(conn, pair, 1) == {"a": 5}
        assert journal.told_since(conn, pair, 3) == {}
