"""Devices: each with a password of its own, revocable."""

import datetime as dt

import pytest

from bridge.errors import AlreadyExists, NotFound, UsageError
from bridge.store import devices

LATER = dt.timedelta(days=1)


@pytest.fixture
def phone(database, alice, t0):
    with database.write() as conn:
        return devices.add(conn, alice.id, "Alice's phone", "hash", now=t0)


def test_a_device_reads_back(database, alice, phone, t0):
    assert phone == devices.Device(phone.id, alice.id, "Alice's phone", "hash", t0, None, None, None, None)
    with database.read() as conn:
        assert devices.by_id(conn, phone.id) == phone
        assert devices.of_principal(conn, alice.id) == [phone]
        assert devices.by_id(conn, phone.id + 1) is None
        assert devices.of_principal(conn, alice.id + 1) == []


def test_a_label_is_taken_once(database, alice, phone, t0):
    with pytest.raises(AlreadyExists), database.write() as conn:
        devices.add(conn, alice.id, "Alice's phone", "other", now=t0)
    with database.read() as conn:
        assert devices.by_id(conn, phone.id) == phone


def test_a_revoked_device_may_not_sign_in_and_may_come_back(database, alice, phone, t0):
    with database.write() as conn:
        devices.used(conn, phone.id, now=t0, address="203.0.113.9", agent="DAVx5")
        devices.revoke(conn, phone.id, now=t0 + LATER)
        devices.revoke(conn, phone.id, now=t0 + 2 * LATER)  # it has been so since the first time
    with database.read() as conn:
        assert devices.of_principal(conn, alice.id) == []
        assert [one.revoked_at for one in devices.of_principal(conn, alice.id, revoked=True)] == [t0 + LATER]
    with database.write() as conn:
        back = devices.add(conn, alice.id, "Alice's phone", "new hash", now=t0 + 3 * LATER)
    assert back == devices.Device(
        phone.id, alice.id, "Alice's phone", "new hash", t0 + 3 * LATER, None, None, None, None
    )
    with pytest.raises(NotFound), database.write() as conn:
        devices.revoke(conn, 4711, now=t0)


def test_its_last_use_is_noted(database, phone, t0):
    with database.write() as conn:
        devices.used(conn, phone.id, now=t0, address="2001:db8::1", agent="iOS/\0" + "x" * 300)
    with database.read() as conn:
        used = devices.by_id(conn, phone.id)
    assert (used.last_used_at, used.last_address) == (t0, "2001:db8::1")
    assert used.last_agent == "iOS/" + "x" * 251


def test_an_impossible_label_is_refused(database, alice, t0):
    for label in ("", "x" * 101, "a\nb"):
        with pytest.raises(UsageError), database.write() as conn:
            devices.add(conn, alice.id, label, "hash", now=t0)
