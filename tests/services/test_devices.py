"""Device passwords: who gets in, who does not, and that guessing does not pay."""

import datetime as dt
import re

import pytest

from bridge.errors import AlreadyExists, NotFound, UsageError
from bridge.services import devices, passwords, principals
from bridge.store import devices as stored

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
HOME, ELSEWHERE = "203.0.113.9", "198.51.100.7"


@pytest.fixture
def hub(sqlite_database):
    principals.add(sqlite_database, "alice", "Alice@example.org", now=NOW)
    return sqlite_database


@pytest.fixture
def sign_in(hub):
    def attempt(login, password, *, address=HOME, agent="iOS/18", now=NOW, **limits):
        return devices.authenticate(hub, login, password, address=address, agent=agent, now=now, **limits)

    return attempt


def of_alice(database, *, revoked=False):
    with database.read() as conn:
        return {each.label: each for each in stored.of_principal(conn, 1, revoked=revoked)}


def test_a_device_signs_in_on_both_databases(database):
    principals.add(database, "alice", "alice@example.org", now=NOW)
    made = devices.add(database, "alice", "Phone", now=NOW)
    found = devices.authenticate(database, "alice", made.password, address=HOME, agent="iOS/18", now=NOW)
    assert (found.principal, found.device) == ("alice", made.id)
    assert devices.authenticate(database, "alice", "wrong-password", address=HOME, agent="", now=NOW) is None
    phone = of_alice(database)["Phone"]
    assert (phone.last_used_at, phone.last_address, phone.last_agent) == (NOW, HOME, "iOS/18")


def test_a_generated_password_has_120_bits_and_is_easy_to_type(hub, sign_in):
    made = devices.add(hub, "alice", "Phone", now=NOW)
    assert re.fullmatch(r"(?:[a-z2-9]{4}-){5}[a-z2-9]{4}", made.password)
    assert len({passwords.generate() for _ in range(200)}) == 200
    assert sign_in("alice", made.password.replace("-", "").capitalize()) is not None
    assert sign_in("alice", f" {made.password.replace('-', ' ')} ") is not None


def test_only_hashes_are_kept(hub):
    made = devices.add(hub, "alice", "Phone", now=NOW)
    taken = devices.add(hub, "alice", "Old phone", password="hunter2hunter2", now=NOW)
    kept = of_alice(hub)
    assert made.password not in kept["Phone"].password_hash
    assert kept["Phone"].password_hash.startswith("hmac-sha256$")
    assert taken.password not in kept["Old phone"].password_hash
    assert kept["Old phone"].password_hash.startswith("$argon2id$")


def test_two_hashes_of_one_password_differ():
    assert passwords.hash_generated("same") != passwords.hash_generated("same")


@pytest.mark.parametrize("login", ["alice", "ALICE", "alice@example.org", "Alice%40Example.org", " alice "])
def test_name_or_mail_address_as_phones_send_them(hub, sign_in, login):
    made = devices.add(hub, "alice", "Phone", now=NOW)
    found = sign_in(login, made.password)
    assert (found.principal, found.device) == ("alice", made.id)


def test_every_device_has_its_own_password(hub, sign_in):
    made = [devices.add(hub, "alice", label, now=NOW) for label in ("Phone", "Tablet")]
    made.append(devices.add(hub, "alice", "Old", password="hunter2hunter2", now=NOW))
    assert [sign_in("alice", each.password).device for each in made] == [each.id for each in made]


def test_a_password_of_somebody_else_does_not_fit(hub, sign_in):
    principals.add(hub, "bob", "bob@example.org", now=NOW)
    made = devices.add(hub, "bob", "Phone", now=NOW)
    assert sign_in("alice", made.password) is None


def test_a_revoked_device_is_out_at_once_even_if_it_was_seen_a_second_ago(hub, sign_in):
    fast = devices.add(hub, "alice", "Phone", now=NOW)
    slow = devices.add(hub, "alice", "Old", password="hunter2hunter2", now=NOW)
    assert sign_in("alice", fast.password)
    assert sign_in("alice", slow.password)
    devices.revoke(hub, "alice", "Phone", now=NOW)
    devices.revoke(hub, "alice", "Old", now=NOW)
    assert sign_in("alice", fast.password) is None
    assert sign_in("alice", slow.password) is None


def test_labels(hub):
    devices.add(hub, "alice", "Phone", now=NOW)
    with pytest.raises(AlreadyExists):
        devices.add(hub, "alice", "Phone", now=NOW)
    with pytest.raises(NotFound):
        devices.add(hub, "nobody", "Phone", now=NOW)
    with pytest.raises(NotFound):
        devices.revoke(hub, "alice", "Tablet", now=NOW)
    for label in ("", "  ", "a" * 101, "a\nb"):
        with pytest.raises(UsageError):
            devices.add(hub, "alice", label, now=NOW)
    with pytest.raises(UsageError):
        devices.add(hub, "alice", "Old", password="short", now=NOW)


def count_argon2(monkeypatch):
    calls = []
    genuine = passwords._argon2.__class__.verify

    def verify(self, password_hash, password):
        calls.append(password)
        return genuine(self, password_hash, password)

    monkeypatch.setattr(passwords._argon2.__class__, "verify", verify)
    return calls


def test_a_failure_costs_one_argon2_whoever_was_named(hub, sign_in, monkeypatch):
    principals.add(hub, "bob", "bob@example.org", now=NOW)
    devices.add(hub, "alice", "Phone", now=NOW)
    devices.add(hub, "bob", "Old", password="hunter2hunter2", now=NOW)
    calls = count_argon2(monkeypatch)
    for login in ("alice", "bob", "nobody", "nobody@example.org"):
        assert sign_in(login, "not it at all") is None
        assert len(calls) == 1, login
        calls.clear()


def test_a_burst_of_requests_costs_one_argon2_a_minute(hub, sign_in, monkeypatch):
    devices.add(hub, "alice", "Old", password="hunter2hunter2", now=NOW)
    calls = count_argon2(monkeypatch)
    for second in range(0, 60, 10):
        assert sign_in("alice", "hunter2hunter2", now=NOW + dt.timedelta(seconds=second))
    assert len(calls) == 1
    assert sign_in("alice", "hunter2hunter2", now=NOW + dt.timedelta(seconds=60))
    assert len(calls) == 2


def test_a_generated_password_never_costs_argon2(hub, sign_in, monkeypatch):
    devices.add(hub, "alice", "Old", password="hunter2hunter2", now=NOW)
    made = devices.add(hub, "alice", "Phone", now=NOW)
    calls = count_argon2(monkeypatch)
    assert sign_in("alice", made.password)
    assert calls == []


def test_last_use_is_written_once_a_minute(hub, sign_in):
    made = devices.add(hub, "alice", "Phone", now=NOW)
    for second in (0, 30, 59):
        sign_in("alice", made.password, now=NOW + dt.timedelta(seconds=second))
        assert of_alice(hub)["Phone"].last_used_at == NOW
    sign_in("alice", made.password, now=NOW + dt.timedelta(seconds=61), agent="x" * 1000)
    phone = of_alice(hub)["Phone"]
    assert phone.last_used_at == NOW + dt.timedelta(seconds=61)
    assert phone.last_agent == "x" * 255


def fail(sign_in, times, login="alice", **kwargs):
    for n in range(times):
        assert sign_in(login, f"guess number {n}", **kwargs) is None


def test_after_too_many_failures_even_the_right_password_waits(hub, sign_in):
    made = devices.add(hub, "alice", "Phone", now=NOW)
    fail(sign_in, 9)
    assert sign_in("alice", made.password)  # clears the count
    fail(sign_in, 10)
    assert sign_in("alice", made.password) is None
    assert sign_in("alice", made.password, now=NOW + dt.timedelta(seconds=299)) is None
    assert sign_in("alice", made.password, now=NOW + dt.timedelta(seconds=301))


def test_the_limits_are_arguments(hub, sign_in):
    made = devices.add(hub, "alice", "Phone", now=NOW)
    fail(sign_in, 2, max_failures=2, block_seconds=10)
    assert sign_in("alice", made.password, max_failures=2, block_seconds=10) is None
    assert sign_in("alice", made.password, now=NOW + dt.timedelta(seconds=11))


def test_a_stranger_cannot_lock_the_owner_out(hub, sign_in):
    made = devices.add(hub, "alice", "Phone", now=NOW)
    fail(sign_in, 60, address=ELSEWHERE)
    assert sign_in("alice", made.password, address=ELSEWHERE) is None
    assert sign_in("alice", made.password, address=HOME)


def test_nor_can_many_strangers(hub, sign_in):
    generated = devices.add(hub, "alice", "Phone", now=NOW)
    chosen = devices.add(hub, "alice", "Old", password="hunter2hunter2", now=NOW)
    assert sign_in("alice", chosen.password, address=HOME)
    for n in range(20):
        fail(sign_in, 5, address=f"198.51.100.{n}")
    later = NOW + dt.timedelta(minutes=2)
    assert sign_in("alice", generated.password, address="192.0.2.1", now=later)  # nobody guesses 120 bits
    assert sign_in("alice", chosen.password, address=HOME, now=later)  # known there
    assert sign_in("alice", chosen.password, address="192.0.2.2", now=later) is None  # a guess like any other


def test_an_address_that_tries_many_accounts_waits(hub, sign_in):
    made = devices.add(hub, "alice", "Phone", now=NOW)
    for n in range(50):
        fail(sign_in, 1, login=f"user{n}")
    assert sign_in("alice", made.password) is None
    assert sign_in("alice", made.password, address=ELSEWHERE)


def test_an_ipv6_customer_is_one_address(hub, sign_in):
    made = devices.add(hub, "alice", "Phone", now=NOW)
    for n in range(10):
        fail(sign_in, 1, address=f"2001:db8:1:2::{n:x}")
    assert sign_in("alice", made.password, address="2001:db8:1:2:ffff::1") is None
    assert sign_in("alice", made.password, address="2001:db8:1:3::1")


def test_a_phone_with_a_revoked_password_does_not_lock_its_siblings_out(hub, sign_in):
    old, new = (devices.add(hub, "alice", label, now=NOW) for label in ("Old phone", "New phone"))
    devices.revoke(hub, "alice", "Old phone", now=NOW)
    for _ in range(30):
        assert sign_in("alice", old.password) is None
    assert sign_in("alice", new.password)
