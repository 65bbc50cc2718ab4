"""Open intents: one a link, those that were never tried first."""

import datetime as dt

import pytest

from bridge.store import outbox
from bridge.sync.ledger import Intent
from tests.support.worlds import retitled, tea


@pytest.fixture
def pair(calendar, make_pair):
    return make_pair(calendar)


@pytest.fixture
def conn(database, pair):  # opened last: SQLite has one writer
    with database.write() as conn:
        yield conn


def test_an_intent_is_kept_whole_and_replaced_by_the_next(conn, pair, t0):
    first = Intent("a", "create", tea(rule="FREQ=DAILY"), tea("hub"), attempts=2, not_before=t0)
    outbox.save(conn, pair, [first], now=t0)
    assert outbox.by_uid(conn, pair, ["a", "b"]) == {"a": first}
    second = Intent("a", "update", retitled(tea(), "Coffee"), tea())
    outbox.save(conn, pair, [second, Intent("b", "delete")], now=t0)
    assert outbox.by_uid(conn, pair, ["a", "b"]) == {"a": second, "b": Intent("b", "delete")}
    assert outbox.count(conn, pair) == 2
    outbox.drop(conn, pair, ["a", "b"])
    assert outbox.count(conn, pair) == 0


def test_r32_what_failed_before_comes_last_and_not_before_its_time(conn, pair, t0):
    soon = t0 + dt.timedelta(minutes=1)
    intents = [Intent("a", "delete", attempts=2), Intent("b", "delete", attempts=1, not_before=soon)]
    outbox.save(conn, pair, intents, now=t0)
    outbox.save(conn, pair, [Intent("z", "delete")], now=soon)
    assert outbox.due(conn, pair, t0) == ["z", "a"]
    assert outbox.due(conn, pair, soon) == ["z", "b", "a"]


def test_r33_what_belongs_to_a_first_sync_comes_last_or_not_at_all(conn, pair, t0):
    intents = [Intent("a", "create", tea(), tea(), backfill=True), Intent("b", "update", tea(), tea(), attempts=1)]
    outbox.save(conn, pair, [*intents, Intent("c", "delete")], now=t0)
    assert outbox.by_uid(conn, pair, ["a"])["a"].backfill
    assert outbox.due(conn, pair, t0) == ["c", "b", "a"]
    assert outbox.due(conn, pair, t0, backfill=False) == ["c", "b"]
