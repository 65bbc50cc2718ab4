"""Accounts: a reconnect finds the old row, and with it everything that hangs on it (R15)."""

import pytest
import sqlalchemy as sa

from bridge.errors import NeedsReconnect, NotFound
from bridge.store import accounts, tables
from bridge.store.grants import Grants


def _add(conn, vault, owner, now, **changed):
    values = {
        "principal_id": owner.id,
        "provider": "google",
        "sandbox": False,
        "subject": "1234",
        "email": "alice@gmail.example",
        "grant": "refresh-1",
    }
    return accounts.add(conn, vault, **values | changed, now=now)


def test_an_account_reads_back_and_its_grant_is_sealed(database, alice, account, vault, t0):
    with database.read() as conn:
        assert accounts.by_id(conn, account.id) == account
        assert accounts.of_principal(conn, alice.id) == [account]
        assert accounts.every(conn) == [account]
        assert accounts.by_id(conn, account.id + 1) is None
        stored = conn.scalar(sa.select(tables.accounts.c.grant))
    assert b"refresh" not in stored
    assert vault.open(stored) == "refresh-1"
    assert Grants(database, vault, account.id, now=lambda: t0).load() == "refresh-1"
    assert (account.subject, account.email, account.needs_reconnect) == ("1234", "alice@gmail.example", False)


def test_reconnecting_finds_the_old_row_with_its_pairs(database, alice, account, vault, calendar, make_pair, t0):
    pair = make_pair(calendar)
    with database.write() as conn:
        accounts.needs_reconnect(conn, account.id)
        assert accounts.by_id(conn, account.id).needs_reconnect
    with database.write() as conn:
        again = _add(conn, vault, alice, t0, email="new@gmail.example", grant="refresh-2")
    assert again.id == account.id
    assert (again.email, again.needs_reconnect) == ("new@gmail.example", False)
    assert Grants(database, vault, account.id, now=lambda: t0).load() == "refresh-2"
    with database.read() as conn:
        assert conn.scalars(sa.select(tables.pairs.c.id)).all() == [pair]


def test_disconnecting_forgets_the_grant_and_keeps_the_pairs(database, alice, account, vault, calendar, make_pair, t0):
    pair = make_pair(calendar)
    with database.write() as conn:
        accounts.disconnect(conn, account.id)
    with pytest.raises(NeedsReconnect):
        Grants(database, vault, account.id, now=lambda: t0).load()
    with pytest.raises(NeedsReconnect):
        Grants(database, vault, account.id, now=lambda: t0).exchange(lambda grant: grant)
    with database.write() as conn:
        assert accounts.by_id(conn, account.id).needs_reconnect
        assert _add(conn, vault, alice, t0, grant="refresh-2").id == account.id
        assert conn.scalars(sa.select(tables.pairs.c.id)).all() == [pair]
    assert Grants(database, vault, account.id, now=lambda: t0).load() == "refresh-2"


def test_another_subject_service_or_sandbox_is_another_account(database, alice, account, vault, t0):
    with database.write() as conn:
        others = [
            _add(conn, vault, alice, t0, **changed).id
            for changed in ({"subject": "9"}, {"provider": "microsoft"}, {"sandbox": True})
        ]
    assert len({account.id, *others}) == 4


def test_removing_takes_everything_along(database, account, vault, calendar, make_pair, t0):
    make_pair(calendar)
    with database.write() as conn:
        accounts.remove(conn, account.id)
    with database.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(tables.pairs)) == 0
    with pytest.raises(NotFound):
        Grants(database, vault, account.id, now=lambda: t0).load()
    for call in (accounts.remove, accounts.disconnect, accounts.needs_reconnect):
        with pytest.raises(NotFound), database.write() as conn:
            call(conn, account.id)
