"""One refresher an account, and a new grant is durable before anybody uses it (R29)."""

import datetime as dt
import multiprocessing
import os
import threading

import pytest
import sqlalchemy as sa

from bridge.errors import NeedsReconnect, NotFound, Throttled, UsageError
from bridge.store import accounts, grants, tables
from bridge.store.grants import LEASE, Grants
from bridge.store.session import connect
from bridge.store.vault import Vault
from bridge.sync.ports import TokenStore


@pytest.fixture
def clock(t0):
    class Clock:
        now = t0

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture
def tokens(database, vault, account, clock):
    return Grants(database, vault, account.id, now=clock)


@pytest.fixture
def lease(database, account):
    def lease():
        with database.read() as conn:
            columns = tables.accounts.c.refresh_lease_owner, tables.accounts.c.refresh_lease_until
            return tuple(conn.execute(sa.select(*columns).where(tables.accounts.c.id == account.id)).one())

    return lease


def test_it_is_what_the_providers_ask_for(tokens):
    store: TokenStore = tokens
    assert store.load() == "refresh-1"


def test_the_new_grant_is_stored_before_it_is_returned(tokens, database, vault, account, clock, lease):
    assert tokens.exchange(lambda grant: f"{grant} rotated") == "refresh-1 rotated"
    assert Grants(database, vault, account.id, now=clock).load() == "refresh-1 rotated"
    assert lease() == (None, None)


def test_no_transaction_is_open_during_the_refresh(tokens, database, account, clock):
    def refresh(grant):
        with database.write() as conn:  # on SQLite this would wait for ever
            conn.execute(sa.update(tables.accounts).values(email="other@example.org"))
        return "refresh-2"

    assert tokens.exchange(refresh) == "refresh-2"


def test_r29_two_threads_refresh_once(tokens, database, vault, account, clock):
    """The second one waits, loads what the first has stored, and finds it good."""
    asked = []
    first_is_in = threading.Event()

    def refresh(grant):
        if grant == "refresh-1":
            asked.append(grant)
            first_is_in.set()
            second.start()
            # the other one is polling by now, or comes later: either way it must not get in
            assert not second_done.wait(timeout=0.3)
            return "refresh-2"
        return grant

    second_done = threading.Event()
    results = []

    def again():
        results.append(Grants(database, vault, account.id, now=clock).exchange(refresh))
        second_done.set()

    second = threading.Thread(target=again)
    results.append(tokens.exchange(refresh))
    second.join(timeout=30)
    assert asked == ["refresh-1"]
    assert results == ["refresh-2", "refresh-2"]


def test_many_threads_rotate_one_after_the_other(database, vault, account, clock):
    """Each rotation uses up its predecessor: were one used twice, a service would revoke them all."""
    used = []

    def refresh(grant):
        used.append(grant)
        return f"refresh-{int(grant.split('-')[1]) + 1}"

    def work():
        for _ in range(3):
            Grants(database, vault, account.id, now=clock).exchange(refresh)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert used == [f"refresh-{number}" for number in range(1, 13)]


def _die_during_refresh(url, key, account_id, now):
    opened = connect(url)
    Grants(opened, Vault([key]), account_id, now=lambda: now).exchange(lambda grant: os._exit(7))


def test_r29_a_crash_between_the_response_and_the_commit(database_url, database, tokens, key, account, clock, lease):
    """The process is gone with the new grant in its memory: nobody has used it, the old one is still there, and after the
    lease has run out the next one refreshes from that."""
    process = multiprocessing.get_context("fork").Process(
        target=_die_during_refresh, args=(database_url, key, account.id, clock.now)
    )
    process.start()
    process.join(timeout=60)
    assert process.exitcode == 7
    assert tokens.load() == "refresh-1"
    assert lease()[1] == clock.now + LEASE
    clock.now += LEASE
    assert tokens.exchange(lambda grant: f"{grant} again") == "refresh-1 again"
    assert lease() == (None, None)


def test_while_a_lease_is_held_nobody_else_refreshes(database, account, tokens, clock, monkeypatch):
    """Until it is clear that the other one hangs."""
    from bridge.errors import Unreachable

    monkeypatch.setattr(grants, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(grants, "LEASE", dt.timedelta(seconds=0.02))
    with database.write() as conn:
        conn.execute(
            sa.update(tables.accounts).values(
                refresh_lease_owner="another", refresh_lease_until=clock.now + dt.timedelta(hours=1)
            )
        )
    with pytest.raises(Unreachable):
        tokens.exchange(pytest.fail)


def test_an_error_passes_through_and_gives_the_lease_back(tokens, database, account, lease):
    def refresh(grant):
        raise Throttled("later", retry_after=7)

    with pytest.raises(Throttled):
        tokens.exchange(refresh)
    assert lease() == (None, None)
    assert tokens.load() == "refresh-1"
    with database.read() as conn:
        assert not accounts.by_id(conn, account.id).needs_reconnect  # R28: a 5xx or timeout never means consent


def test_a_dead_grant_is_noted_with_the_account(tokens, database, account, lease):
    def refresh(grant):
        raise NeedsReconnect("invalid_grant", status=400, code="invalid_grant")

    with pytest.raises(NeedsReconnect):
        tokens.exchange(refresh)
    assert lease() == (None, None)
    with database.read() as conn:
        assert accounts.by_id(conn, account.id).needs_reconnect


@pytest.fixture
def reconnect(database, vault, alice, account, clock):
    """The person consents anew, while somebody refreshes the old grant."""

    def reconnect():
        with database.write() as conn:
            accounts.add(
                conn,
                vault,
                principal_id=alice.id,
                provider=account.provider,
                sandbox=account.sandbox,
                subject=account.subject,
                email=account.email,
                grant="consented",
                now=clock.now,
            )

    return reconnect


def test_a_reconnect_during_the_refresh_wins(tokens, reconnect):
    def refresh(grant):
        reconnect()
        return "from the old grant"

    assert tokens.exchange(refresh) == "consented"
    assert tokens.load() == "consented"


def test_a_reconnect_during_a_failing_refresh_stays_connected(tokens, reconnect, database, account):
    def refresh(grant):
        reconnect()
        raise NeedsReconnect("invalid_grant")

    assert tokens.exchange(refresh) == "consented"
    with database.read() as conn:
        assert not accounts.by_id(conn, account.id).needs_reconnect


def test_an_account_that_is_gone(tokens, database, account):
    with database.write() as conn:
        accounts.remove(conn, account.id)
    with pytest.raises(NotFound):
        tokens.exchange(pytest.fail)


def test_the_wrong_vault_key_is_said_and_holds_no_lease(database, account, clock, lease):
    from cryptography.fernet import Fernet

    with pytest.raises(UsageError):
        Grants(database, Vault([Fernet.generate_key().decode()]), account.id, now=clock).exchange(pytest.fail)
    assert lease() == (None, None)
