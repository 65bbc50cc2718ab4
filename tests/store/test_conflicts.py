"""R35: what had to give way is kept until its owner has seen it."""

import pytest

from bridge.errors import NotFound
from bridge.ical.fields import MASTER
from bridge.store import conflicts, links
from bridge.sync.ledger import Conflict, Link
from bridge.sync.plan import ASKED
from tests.support.worlds import tea


def test_a_conflict_is_listed_until_it_is_resolved(database, calendar, make_pair, t0):
    pair = make_pair(calendar)
    lost = {(MASTER, "when"): tea().master.when, (MASTER, "summary"): "Tea", (MASTER, "deleted"): True}
    with database.write() as conn:
        links.save(conn, pair, [Link("b", quarantine=ASKED)])
        conflicts.record(conn, pair, [Conflict("a", "hub", {}, lost), Conflict("b", "ask", lost, {})], now=t0)
        first, second = conflicts.unresolved(conn, pair)
        assert (first.uid, first.winner, first.hub, first.remote, first.at) == ("a", "hub", {}, lost, t0)
        assert (second.winner, second.hub) == ("ask", lost)
        assert conflicts.get(conn, second.id) == second
        conflicts.resolve(conn, first.id, now=t0)
        assert conflicts.unresolved(conn, pair) == [second]
        with pytest.raises(NotFound):
            conflicts.resolve(conn, second.id + 99, now=t0)


def test_a_question_is_one_while_its_object_waits_and_only_as_it_was_asked_last(database, calendar, make_pair, t0):
    pair, here, there = make_pair(calendar), {(MASTER, "summary"): "here"}, {(MASTER, "summary"): "there"}
    with database.write() as conn:
        links.save(conn, pair, [Link("a", quarantine=ASKED), Link("b")])
        for _ in range(2):
            conflicts.record(conn, pair, [Conflict("a", "ask", here, there), Conflict("b", "ask", here, there)], now=t0)
        (last,) = conflicts.unresolved(conn, pair)
        assert (last.uid, last.id) == ("a", 3)
        links.save(conn, pair, [Link("a")])
        assert conflicts.unresolved(conn, pair) == []


@pytest.mark.parametrize(("came_since", "told"), [("there", []), ("news", ["hub"])])
def test_r35_what_was_answered_is_no_news_but_what_came_since_is(database, calendar, make_pair, t0, came_since, told):
    pair, here, there = make_pair(calendar), {(MASTER, "summary"): "here"}, {(MASTER, "summary"): "there"}
    with database.write() as conn:
        links.save(conn, pair, [Link("a", quarantine=ASKED)])
        conflicts.record(conn, pair, [Conflict("a", "ask", here, there)], now=t0)
        (asked,) = conflicts.unresolved(conn, pair)
        conflicts.resolve(conn, asked.id, now=t0)
        conflicts.record(conn, pair, [Conflict("a", "hub", here, {(MASTER, "summary"): came_since})], now=t0)
        assert [each.winner for each in conflicts.unresolved(conn, pair)] == told
        conflicts.record(conn, pair, [Conflict("a", "hub", here, there)], now=t0)
        assert len(conflicts.unresolved(conn, pair)) == len(told) + 1
