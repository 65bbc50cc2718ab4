"""R35: what had to give way is kept until its owner has seen it."""

import pytest

from bridge.errors import NotFound
from bridge.ical.fields import MASTER
from bridge.store import conflicts
from bridge.sync.ledger import Conflict
from tests.support.worlds import tea


def test_a_conflict_is_listed_until_it_is_resolved(database, calendar, make_pair, t0):
    pair = make_pair(calendar)
    lost = {(MASTER, "when"): tea().master.when, (MASTER, "summary"): "Tea", (MASTER, "deleted"): True}
    with database.write() as conn:
        conflicts.record(conn, pair, [Conflict("a", "hub", {}, lost), Conflict("b", "ask", lost, {})], now=t0)
        first, second = conflicts.unresolved(conn, pair)
        assert (first.uid, first.winner, first.hub, first.remote, first.at) == ("a", "hub", {}, lost, t0)
        assert (second.winner, second.hub) == ("ask", lost)
        assert conflicts.get(conn, second.id) == second
        conflicts.resolve(conn, first.id, now=t0)
        assert conflicts.unresolved(conn, pair) == [second]
        with pytest.raises(NotFound):
            conflicts.resolve(conn, second.id + 99, now=t0)
