"""People: names that can stand in every path, and a home that phones find in order."""

import datetime as dt

import pytest

from bridge.errors import AlreadyExists, UsageError
from bridge.services import passwords, principals
from bridge.store import calendars
from bridge.store import principals as stored

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def test_a_new_person_has_a_calendar_and_a_list_of_tasks(database):
    alice = principals.add(database, "alice", "alice@example.org", now=NOW)
    with database.read() as conn:
        home = {each.slug: each.properties for each in calendars.of_principal(conn, "alice")}
        assert stored.by_name(conn, "alice") == alice
    assert home == {
        "calendar": {"tag": "VCALENDAR", "D:displayname": "Calendar", "C:supported-calendar-component-set": "VEVENT"},
        "tasks": {"tag": "VCALENDAR", "D:displayname": "Tasks", "C:supported-calendar-component-set": "VTODO"},
    }


def test_the_portal_password_is_hashed_slowly(sqlite_database):
    alice = principals.add(sqlite_database, "alice", "alice@example.org", password="correct horse", now=NOW)
    assert alice.password_hash is not None
    assert alice.password_hash.startswith("$argon2id$")
    assert passwords.verify(alice.password_hash, "correct horse")
    assert not passwords.verify(alice.password_hash, "battery staple")


def test_a_name_is_taken_once(sqlite_database):
    principals.add(sqlite_database, "alice", "alice@example.org", now=NOW)
    with pytest.raises(AlreadyExists):
        principals.add(sqlite_database, "alice", "other@example.org", now=NOW)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Alice",
        "älice",
        ".well-known",
        "a/b",
        "a b",
        "alice-",
        "-alice",
        "a" * 65,
        "a\n",
        *sorted(principals.RESERVED),
    ],
)
def test_names_that_cannot_be_a_path_are_refused(sqlite_database, name):
    with pytest.raises(UsageError):
        principals.add(sqlite_database, name, "alice@example.org", now=NOW)


@pytest.mark.parametrize("name", ["a", "7", "alice", "alice.b-c_d", "a" * 64])
def test_names_that_can(sqlite_database, name):
    assert principals.add(sqlite_database, name, "a@example.org", now=NOW).name == name


@pytest.mark.parametrize(
    "email", ["", "alice", "@example.org", "alice@", "a b@example.org", "a@b@c", "a@b\r\nX: y", "a" * 321 + "@b"]
)
def test_what_cannot_stand_in_a_mailto_address_is_refused(sqlite_database, email):
    with pytest.raises(UsageError):
        principals.add(sqlite_database, "alice", email, now=NOW)
    with sqlite_database.read() as conn:
        assert stored.every(conn) == []
