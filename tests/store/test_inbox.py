"""The replica of a remote calendar: news, removals, generations."""

import datetime as dt

import pytest

from bridge.store import inbox, links
from bridge.sync.ledger import Link, Replica
from bridge.sync.ports import RemoteItem, Removal


def item(id, version="1", series=None, **payload):
    return RemoteItem(id, series or id, version, payload)


@pytest.fixture
def pair(calendar, make_pair):
    return make_pair(calendar)


@pytest.fixture
def conn(database, pair):  # opened last: SQLite has one writer
    with database.write() as conn:
        yield conn


def take(conn, pair, *items, generation=1):
    inbox.keep(conn, pair, items, generation=generation)


def test_news_are_pending_until_they_are_settled(conn, pair):
    take(conn, pair, item("a"), item("b", title="Tea"))
    assert inbox.pending(conn, pair) == ["a", "b"]
    inbox.settle(conn, pair, ["a", "b"])
    assert inbox.pending(conn, pair) == []
    assert inbox.replicas(conn, pair, ["b", "c"]) == {"b": Replica("b", (item("b", title="Tea"),))}


def test_r20_a_known_version_is_no_news(conn, pair):
    take(conn, pair, item("a"))
    inbox.settle(conn, pair, ["a"])
    take(conn, pair, item("a"), generation=2)
    assert inbox.pending(conn, pair) == []
    take(conn, pair, item("a", "2"))
    assert inbox.pending(conn, pair) == ["a"]
    take(conn, pair, item("a", "2"))
    assert inbox.pending(conn, pair) == ["a"]


def test_m27_an_item_that_comes_twice_counts_as_it_came_last(conn, pair):
    take(conn, pair, item("a", "1", title="old"), item("a", "2", title="new"))
    assert inbox.replicas(conn, pair, ["a"])["a"].items == (item("a", "2", title="new"),)


def test_a_series_is_one_object_of_several_items(conn, pair):
    take(conn, pair, item("m"), item("m_1", series="m"), item("m_2", series="m"))
    inbox.settle(conn, pair, ["m"])
    take(conn, pair, item("m_2", "2", series="m"))
    assert inbox.pending(conn, pair) == ["m"]
    assert [each.id for each in inbox.replicas(conn, pair, ["m"])["m"].items] == ["m", "m_1", "m_2"]


def test_a_removal_stays_until_it_is_settled_and_takes_its_exceptions_along(conn, pair):
    take(conn, pair, item("m"), item("m_1", series="m"), item("other"))
    inbox.settle(conn, pair, ["m", "other"])
    inbox.take_removals(conn, pair, [Removal("m")])
    assert inbox.pending(conn, pair) == ["m"]
    assert inbox.replicas(conn, pair, ["m"]) == {"m": Replica("m", removed=True)}
    inbox.settle(conn, pair, ["m"])
    assert list(inbox.replicas(conn, pair, ["m", "other"])) == ["other"]


def test_m23_a_removal_of_the_unknown_leaves_no_trace(conn, pair):
    inbox.take_removals(conn, pair, [Removal("never seen")])
    assert inbox.pending(conn, pair) == []


def test_r26_a_doubtful_removal_of_a_linked_object_waits_for_somebody_to_look(conn, pair):
    take(conn, pair, item("linked"), item("not linked"))
    links.save(conn, pair, [Link("uid", remote_id="linked")])
    inbox.settle(conn, pair, ["linked", "not linked"])
    inbox.take_removals(conn, pair, [Removal("linked", certain=False), Removal("not linked", certain=False)])
    assert inbox.pending(conn, pair) == ["not linked"]
    assert inbox.removed(conn, pair, certain=False) == ["linked"]
    inbox.refresh(conn, pair, "linked", [item("linked", "1")], generation=1, pending=True)
    assert inbox.removed(conn, pair, certain=False) == []
    assert "linked" in inbox.pending(conn, pair)
    inbox.remove(conn, pair, "linked", generation=1)
    assert inbox.removed(conn, pair, certain=True) == ["linked"]
    assert "linked" in inbox.pending(conn, pair)


def test_what_comes_back_is_news_whatever_its_version(conn, pair):
    take(conn, pair, item("a"))
    inbox.settle(conn, pair, ["a"])
    inbox.take_removals(conn, pair, [Removal("a")])
    take(conn, pair, item("a"))
    assert inbox.pending(conn, pair) == ["a"]
    assert inbox.replicas(conn, pair, ["a"]) == {"a": Replica("a", (item("a"),))}


def test_r13_the_sweep_marks_what_a_listing_has_not_shown(conn, pair):
    take(conn, pair, item("seen"), item("missing"), item("m"), item("m_1", series="m"), item("m_2", series="m"))
    links.save(conn, pair, [Link("uid", remote_id="missing")])
    inbox.settle(conn, pair, ["seen", "missing", "m"])
    take(conn, pair, item("seen"), item("m"), item("m_1", series="m"), generation=2)
    assert inbox.pending(conn, pair) == []
    inbox.sweep(conn, pair, generation=2)
    assert inbox.removed(conn, pair, certain=False) == ["missing"]
    assert inbox.pending(conn, pair) == ["m"]  # an exception of it is one no more
    assert [each.id for each in inbox.replicas(conn, pair, ["m"])["m"].items] == ["m", "m_1"]


def test_two_pairs_do_not_see_each_others_items(conn, pair):
    take(conn, pair, item("a"))
    assert inbox.pending(conn, pair + 1) == []
    assert inbox.replicas(conn, pair + 1, ["a"]) == {}


def test_many_at_once(conn, pair):
    take(conn, pair, *(item(f"{number:05}") for number in range(1200)))
    names = inbox.pending(conn, pair)
    assert len(names) == len(inbox.replicas(conn, pair, names)) == 1200
    inbox.settle(conn, pair, names)
    assert inbox.pending(conn, pair) == []


def test_g66_a_page_that_shows_a_series_whole_drops_the_exceptions_it_has_not_shown(conn, pair):
    take(conn, pair, item("m"), item("m_1", series="m"), item("m_2", series="m"), item("n"), item("n_1", series="n"))
    inbox.settle(conn, pair, ["m", "n"])
    shown = [item("m"), item("m_2", series="m"), item("n"), item("n_1", series="n")]
    inbox.keep(conn, pair, shown, generation=1)
    inbox.complete(conn, pair, {"m", "n"}, shown)
    assert inbox.pending(conn, pair) == ["m"]
    assert {each.id for each in inbox.replicas(conn, pair, ["m"])["m"].items} == {"m", "m_2"}


def test_m27_a_state_from_before_the_known_one_is_a_replay_and_no_news(conn, pair):
    early, late = (dt.datetime(2026, 3, 1, 9, second, tzinfo=dt.UTC) for second in (1, 2))
    take(conn, pair, RemoteItem("a", "a", "2", {"title": "new"}, late))
    inbox.settle(conn, pair, ["a"])
    take(conn, pair, RemoteItem("a", "a", "1", {"title": "old"}, early), generation=2)
    assert inbox.pending(conn, pair) == []
    assert inbox.replicas(conn, pair, ["a"])["a"].items[0].payload == {"title": "new"}
    inbox.sweep(conn, pair, generation=2)  # it was shown all the same
    assert inbox.pending(conn, pair) == []
    take(conn, pair, RemoteItem("a", "a", "3", {"title": "same second"}, late), generation=2)
    assert inbox.pending(conn, pair) == ["a"]


def test_m26_what_we_deleted_ourselves_is_known_until_the_service_has_said_so(conn, pair):
    take(conn, pair, item("a"), item("a_1", series="a"))
    inbox.bury(conn, pair, "a", generation=1)
    assert inbox.pending(conn, pair) == []
    assert inbox.unknown(conn, pair, {"a", "b"}) == {"b"}
    inbox.take_removals(conn, pair, [Removal("a", certain=False)])
    inbox.settle(conn, pair, inbox.pending(conn, pair))
    assert inbox.unknown(conn, pair, {"a"}) == {"a"}


def test_a_listing_sweeps_the_marks_of_what_we_deleted(conn, pair):
    take(conn, pair, item("a"))
    inbox.bury(conn, pair, "a", generation=1)
    inbox.sweep(conn, pair, generation=2)
    assert inbox.unknown(conn, pair, {"a"}) == {"a"}
    assert inbox.pending(conn, pair) == []


def test_what_was_settled_can_be_news_again(conn, pair):
    take(conn, pair, item("a"), item("b"))
    inbox.settle(conn, pair, ["a", "b"])
    inbox.plan_again(conn, pair, ["a", "unknown"])
    assert inbox.pending(conn, pair) == ["a"]
