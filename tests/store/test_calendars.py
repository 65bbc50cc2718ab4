"""Calendar collections."""

import datetime as dt

import pytest

from bridge.errors import AlreadyExists, NotFound, UsageError
from bridge.store import calendars, changes, history, objects, principals

LATER = dt.timedelta(hours=1)


def test_a_calendar_is_found_by_its_path(database, alice, t0):
    with database.write() as conn:
        made = calendars.create(conn, alice.id, "Ärger & Co.", properties={"D:displayname": "Ä"}, now=t0)
    assert made == calendars.Calendar(
        made.id, alice.id, "alice", "Ärger & Co.", {"D:displayname": "Ä"}, 0, 0, t0, truth="newest", home_pair_id=None
    )
    with database.read() as conn:
        assert calendars.get(conn, "alice", "Ärger & Co.") == made
        assert calendars.by_id(conn, made.id) == made
        assert calendars.of_principal(conn, "alice") == [made]
        assert calendars.get(conn, "alice", "ärger & co.") is None
        assert calendars.get(conn, "bob", "Ärger & Co.") is None
        assert calendars.by_id(conn, made.id + 1) is None
        assert calendars.of_principal(conn, "bob") == []


def test_a_name_is_taken_once_for_each_person(database, alice, calendar, t0):
    with pytest.raises(AlreadyExists), database.write() as conn:
        calendars.create(conn, alice.id, "calendar", properties={}, now=t0)
    with database.write() as conn:
        bob = principals.add(conn, "bob", "bob@example.org", now=t0)
        calendars.create(conn, bob.id, "calendar", properties={}, now=t0)


def test_an_impossible_name_is_refused(database, alice, t0):
    for slug in ("", "a/b", ".hidden", "..", "a\0b", "a\nb", "x" * 256):
        with pytest.raises(UsageError), database.write() as conn:
            calendars.create(conn, alice.id, slug, properties={}, now=t0)


def test_new_properties_are_a_new_revision_and_the_same_ones_are_not(database, calendar, t0):
    with database.write() as conn:
        calendars.set_properties(conn, calendar, {"D:displayname": "Tea"}, actor="device:1", now=t0 + LATER)
    with database.write() as conn:
        calendars.set_properties(conn, calendar, {"D:displayname": "Tea"}, actor="device:1", now=t0 + 2 * LATER)
    with database.read() as conn:
        stored = calendars.by_id(conn, calendar)
        assert (stored.properties, stored.revision, stored.modified_at) == ({"D:displayname": "Tea"}, 1, t0 + LATER)
        assert changes.since(conn, calendar, 0) == []
    with pytest.raises(NotFound), database.write() as conn:
        calendars.set_properties(conn, 4711, {}, actor="cli", now=t0)


def test_deleting_takes_everything_along_and_nothing_else(database, alice, calendar, event, make_pair, t0):
    with database.write() as conn:
        other = calendars.create(conn, alice.id, "other", properties={}, now=t0).id
        for one in (calendar, other):
            objects.put(conn, one, "a.ics", event("a"), actor="cli", now=t0)
    make_pair(calendar)
    with database.write() as conn:
        calendars.delete(conn, calendar, now=t0)
    with database.read() as conn:
        assert calendars.by_id(conn, calendar) is None
        assert history.of_object(conn, calendar, "a") == []
        assert not calendars.is_bridged(conn, calendar)
        assert len(objects.hrefs(conn, other)) == 1
    with pytest.raises(NotFound), database.write() as conn:
        calendars.delete(conn, calendar, now=t0)


def test_the_id_of_a_deleted_calendar_is_never_given_again(database, alice, calendar, t0):
    """A sync token names the id: one of the old calendar must not fit the new one's revisions."""
    with database.write() as conn:
        calendars.delete(conn, calendar, now=t0)
    with database.write() as conn:
        assert calendars.create(conn, alice.id, "calendar", properties={}, now=t0).id > calendar


def test_a_calendar_is_bridged_while_it_has_a_pair(database, calendar, make_pair):
    with database.read() as conn:
        assert not calendars.is_bridged(conn, calendar)
    make_pair(calendar)
    with database.read() as conn:
        assert calendars.is_bridged(conn, calendar)
