"""People."""

import pytest

from bridge.errors import AlreadyExists, NotFound, UsageError
from bridge.store import calendars, principals


def test_a_person_is_found_by_id_name_and_address(database, alice, t0):
    assert alice == principals.Principal(alice.id, "alice", "alice@example.org", None, {}, t0)
    with database.write() as conn:
        bob = principals.add(conn, "bob", "Bob@Example.org", now=t0, password_hash="argon")
    with database.read() as conn:
        assert principals.by_id(conn, bob.id) == bob
        assert principals.by_name(conn, "bob") == bob
        assert principals.by_email(conn, "bob@example.ORG") == bob
        assert principals.every(conn) == [alice, bob]
        for nobody in (principals.by_id(conn, 4711), principals.by_name(conn, "Bob"), principals.by_email(conn, "bob")):
            assert nobody is None


def test_an_address_of_two_people_means_neither(database, alice, t0):
    with database.write() as conn:
        principals.add(conn, "twin", alice.email.upper(), now=t0)
        assert principals.by_email(conn, alice.email) is None


def test_a_name_is_taken_once(database, alice, t0):
    with pytest.raises(AlreadyExists), database.write() as conn:
        principals.add(conn, "alice", "other@example.org", now=t0)


def test_an_impossible_name_is_refused(database, t0):
    for name in ("", "a/b", ".well-known", "a\0", "a\nb", "x" * 65):
        with pytest.raises(UsageError), database.write() as conn:
            principals.add(conn, name, "a@example.org", now=t0)
    with pytest.raises(UsageError), database.write() as conn:
        principals.add(conn, "a", "x" * 321, now=t0)


def test_what_can_be_changed(database, alice, t0):
    with database.write() as conn:
        principals.set_email(conn, alice.id, "new@example.org")
        principals.set_password_hash(conn, alice.id, "argon")
        principals.set_properties(conn, alice.id, {"D:displayname": "Alice"}, now=t0)
    with database.read() as conn:
        changed = principals.by_id(conn, alice.id)
    assert (changed.email, changed.password_hash, changed.properties) == (
        "new@example.org",
        "argon",
        {"D:displayname": "Alice"},
    )
    with pytest.raises(NotFound), database.write() as conn:
        principals.set_email(conn, 4711, "x@example.org")


def test_deleting_a_person_takes_everything_along(database, alice, calendar, account):
    with database.write() as conn:
        principals.delete(conn, alice.id)
        assert calendars.by_id(conn, calendar) is None
    with pytest.raises(NotFound), database.write() as conn:
        principals.delete(conn, alice.id)
