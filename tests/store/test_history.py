"""Versions: kept for the retention time, counted from when they were replaced."""

import datetime as dt

import pytest

from bridge.store import history, objects

DAY = dt.timedelta(days=1)


@pytest.fixture
def edit(database, calendar, event, t0):
    def edit(day, uid, summary):
        with database.write() as conn:
            if summary is None:
                objects.delete(conn, calendar, uid, actor="device:1", now=t0 + day * DAY)
            else:
                objects.put(conn, calendar, uid, event(uid, summary), actor="device:1", now=t0 + day * DAY)

    return edit


@pytest.fixture
def prune(database, t0):
    def prune(day):
        with database.write() as conn:
            return history.prune(conn, t0 + day * DAY)

    return prune


@pytest.fixture
def kept(database, calendar, event):
    """The summaries of an object's versions, newest first; None is a deletion."""

    def kept(uid):
        with database.read() as conn:
            versions = history.of_object(conn, calendar, uid)
        names = {event(uid, name): name for name in ("one", "two", "three")} | {None: None}
        return [names[version.data] for version in versions]

    return kept


def test_the_present_version_stays_however_old(edit, prune, kept):
    edit(0, "a", "one")
    assert prune(1000) == 0
    assert kept("a") == ["one"]


def test_an_old_event_that_was_deleted_lately_can_be_restored(edit, prune, kept):
    """Pruned by its own age alone, the only version worth restoring would be gone before the mistake was made."""
    edit(0, "a", "one")
    assert prune(729 - 365) == 0
    edit(730, "a", None)
    assert prune(731 - 365) == 0
    assert kept("a") == [None, "one"]
    assert prune(731) == 2
    assert kept("a") == []


def test_replaced_versions_go_when_their_time_is_over(edit, prune, kept):
    edit(0, "a", "one")
    edit(10, "a", "two")
    edit(20, "a", "three")
    edit(5, "b", "one")
    assert prune(9) == 0
    assert prune(11) == 1
    assert kept("a") == ["three", "two"]
    assert prune(21) == 1
    assert kept("a") == ["three"]
    assert kept("b") == ["one"]


def test_a_deletion_does_not_outlive_what_it_deleted(edit, prune, kept):
    edit(0, "a", "one")
    edit(1, "a", None)
    edit(2, "a", "two")
    assert prune(3) == 2
    assert kept("a") == ["two"]


def test_what_one_transaction_did(database, calendar, edit):
    edit(0, "b", "one")
    edit(1, "a", "one")
    with database.read() as conn:
        assert [version.href for version in history.at_revision(conn, calendar, 2)] == ["a"]
        assert history.at_revision(conn, calendar, 3) == []


def test_lately_is_newest_first_and_whole_transactions(database, calendar, event, edit, t0):
    edit(0, "a", "one")
    edit(1, "a", "two")
    with database.write() as conn:
        for uid in ("b", "c", "d"):
            objects.put(conn, calendar, uid, event(uid), actor="device:1", now=t0 + 2 * DAY)

    def recent(**terms):
        with database.read() as conn:
            return [(version.revision, version.href) for version in history.recent(conn, calendar, **terms)]

    assert recent(limit=1) == recent(limit=3) == [(3, "b"), (3, "c"), (3, "d")]
    assert recent(limit=4) == [(3, "b"), (3, "c"), (3, "d"), (2, "a")]
    assert recent(limit=9, before=3) == [(2, "a"), (1, "a")]
    assert recent(limit=9, since=t0 + DAY, before=3) == [(2, "a")]
    assert recent(limit=9, before=1) == []


def test_what_a_version_replaced(database, calendar, edit):
    edit(0, "a", "one")
    edit(1, "a", None)
    edit(2, "a", "two")
    with database.read() as conn:
        newest, deletion, first = history.of_object(conn, calendar, "a")
        assert history.replaced_by(conn, newest) == deletion
        assert history.replaced_by(conn, deletion) == first
        assert history.replaced_by(conn, first) is None


def test_uids_are_found_by_how_they_begin_letter_by_letter(database, calendar, edit):
    for uid in ("tea-1", "tea-2", "TEA-3", "t%a-4", "tea"):
        edit(0, uid, "one")
    edit(1, "tea-1", "two")
    with database.read() as conn:
        assert history.beginning(conn, calendar, "tea-", limit=9) == ["tea-1", "tea-2"]
        assert history.beginning(conn, calendar, "tea-", limit=1) == ["tea-1"]
        assert history.beginning(conn, calendar, "t%", limit=9) == ["t%a-4"]
        assert history.beginning(conn, calendar + 1, "tea", limit=9) == []
