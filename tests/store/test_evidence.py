"""What a poll's answer is made of changes with everything that may change the answer, and with nothing else."""

import datetime as dt
from dataclasses import replace

import pytest

from bridge.store import calendars, devices, evidence, login_failures, objects, principals, shares
from bridge.store.evidence import Asked


@pytest.fixture
def phone(database, alice, t0):
    with database.write() as conn:
        return devices.add(conn, alice.id, "Phone", "hash", now=t0)


class Reader:
    def __init__(self, database):
        self.database = database

    def read(self, asked, *, now):
        return evidence.read(self.database, asked, now=now)


@pytest.fixture
def reader(database):
    return Reader(database)


@pytest.fixture
def of_calendar(phone):
    return Asked(
        phone.id, devices.key_of(phone.password_hash), "alice", "account:alice at address:x", "address:x", "calendar"
    )


@pytest.fixture
def of_home(of_calendar):
    return replace(of_calendar, slug="")


def test_the_same_as_long_as_nothing_happens(database, reader, calendar, of_calendar, of_home, phone, t0):
    for asked in (of_calendar, of_home):
        first = reader.read(asked, now=t0)
        assert first == reader.read(asked, now=t0)
        assert first.last_used_at is None
        with database.write() as conn:
            devices.used(conn, phone.id, now=t0, address="x", agent="y")
        second = reader.read(asked, now=t0)
        assert second.rows == first.rows
        assert second.last_used_at == t0
        with database.write() as conn:
            devices.renew(conn, phone.id, "hash")


def test_another_with_each_change(database, reader, calendar, of_calendar, of_home, phone, alice, t0, event):
    def seen():
        return reader.read(of_calendar, now=t0).rows, reader.read(of_home, now=t0).rows

    told = [seen()]

    def changed(change):
        with database.write() as conn:
            change(conn)
        told.append(seen())
        assert told[-1][0] not in [each[0] for each in told[:-1]]
        assert told[-1][1] not in [each[1] for each in told[:-1]]

    changed(lambda conn: objects.put(conn, calendar, "a.ics", event("a"), actor="x", now=t0))
    changed(lambda conn: objects.delete(conn, calendar, "a.ics", actor="x", now=t0))
    changed(lambda conn: principals.set_email(conn, alice.id, "ali@example.org"))


def test_a_home_is_more_than_one_of_its_calendars(database, reader, calendar, of_calendar, of_home, alice, t0):
    one, home = reader.read(of_calendar, now=t0), reader.read(of_home, now=t0)
    with database.write() as conn:
        calendars.create(conn, alice.id, "work", properties={}, now=t0)
        calendars.inbox(conn, alice.id, now=t0)
    assert reader.read(of_calendar, now=t0) == one
    assert len(reader.read(of_home, now=t0).rows) == len(home.rows) + 2
    assert reader.read(replace(of_calendar, slug=".inbox"), now=t0).rows != one.rows
    assert reader.read(replace(of_calendar, slug="nothing"), now=t0) is None


def test_what_others_share_is_seen_under_its_name_here(database, reader, calendar, of_home, alice, t0):
    with database.write() as conn:
        bob = principals.add(conn, "bob", "bob@example.org", now=t0)
        theirs = calendars.create(conn, bob.id, "calendar", properties={}, now=t0)
        shares.add(conn, theirs.id, alice.id, access="read", slug="of-bob", properties={}, now=t0)
    shared = replace(of_home, slug="of-bob")
    before = reader.read(shared, now=t0), reader.read(of_home, now=t0)
    with database.write() as conn:
        calendars.set_properties(conn, theirs.id, {"D:displayname": "Bob's"}, actor="x", now=t0)
    assert reader.read(shared, now=t0).rows != before[0].rows
    assert reader.read(of_home, now=t0).rows != before[1].rows


@pytest.mark.parametrize("subject", ["account:alice at address:x", "address:x"])
def test_none_who_has_to_wait(database, reader, calendar, of_calendar, t0, subject):
    with database.write() as conn:
        login_failures.record(conn, subject, now=t0, max_failures=1, block_seconds=60)
    assert reader.read(of_calendar, now=t0) is None
    assert reader.read(of_calendar, now=t0 + dt.timedelta(minutes=2)) is not None


def test_none_that_is_revoked_and_none_of_somebody_else(database, reader, calendar, of_calendar, phone, t0):
    with database.write() as conn:
        principals.add(conn, "bob", "bob@example.org", now=t0)
    assert reader.read(replace(of_calendar, home="bob"), now=t0) is None
    with database.write() as conn:
        devices.renew(conn, phone.id, "another")
    assert reader.read(of_calendar, now=t0) is None
    of_calendar = replace(of_calendar, key=devices.key_of("another"))
    assert reader.read(of_calendar, now=t0) is not None
    with database.write() as conn:
        devices.revoke(conn, phone.id, now=t0)
    assert reader.read(of_calendar, now=t0) is None


def test_a_connection_that_broke_is_replaced(reader, calendar, of_calendar, t0):
    assert reader.read(of_calendar, now=t0) is not None
    reader.database._snapshots._idle[-1].cursor.connection.close()
    assert reader.read(of_calendar, now=t0) is None  # ask the long way, which says what is wrong
    assert reader.read(of_calendar, now=t0) is not None


@pytest.mark.parametrize("slug", ["calendar", ".inbox", "of-bob"])
def test_the_calendar_is_in_it_as_it_is_seen_in_this_home(database, calendar, of_calendar, alice, t0, event, slug):
    with database.write() as conn:
        calendars.inbox(conn, alice.id, now=t0)
        bob = principals.add(conn, "bob", "bob@example.org", now=t0)
        theirs = calendars.create(conn, bob.id, "calendar", properties={"D:displayname": "Team", "order": "1"}, now=t0)
        mine = {"ICAL:calendar-color": "#ff0000", "D:displayname": "Of Bob"}
        shares.add(conn, theirs.id, alice.id, access="read", slug="of-bob", properties=mine, now=t0)
        calendars.set_properties(conn, calendar, {"D:displayname": "Mine", "x": {"xml": "<a/>"}}, actor="x", now=t0)
        objects.put(conn, theirs.id, "a.ics", event("a"), actor="x", now=t0 + dt.timedelta(seconds=1))
    asked = replace(of_calendar, slug=slug)
    with database.read() as conn:
        expected = calendars.get(conn, "alice", slug) or shares.at(conn, "alice", slug)
        assert expected is not None
        assert evidence.calendar(conn, asked, evidence.within(conn, asked, now=t0)) == expected


def test_of_a_home_there_is_none(database, calendar, of_home, t0):
    with database.read() as conn:
        seen = evidence.within(conn, of_home, now=t0)
        assert seen is not None
        assert evidence.calendar(conn, of_home, seen) is None
