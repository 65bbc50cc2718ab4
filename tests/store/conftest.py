"""A person with a calendar, on SQLite and on PostgreSQL; small events to put into it."""

import datetime as dt

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from bridge.store import accounts, calendars, principals, remote_calendars, tables
from bridge.store.vault import Vault
from bridge.sync.ports import RemoteCalendar

T0 = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def t0():
    """When everything begins."""
    return T0


@pytest.fixture
def key():
    """What the vault seals with."""
    return Fernet.generate_key().decode()


@pytest.fixture
def vault(key):
    return Vault([key])


@pytest.fixture
def event():
    """Make a single event's bytes: ``start`` and ``end`` in UTC as RFC 5545 writes them."""

    def make(uid, summary="Tea", *, start="20260329T090000Z", end="20260329T100000Z", component="VEVENT"):
        times = f"DTSTART:{start}\r\nDTEND:{end}\r\n" if start else ""
        return (
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n"
            f"BEGIN:{component}\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\n{times}SUMMARY:{summary}\r\nEND:{component}\r\n"
            "END:VCALENDAR\r\n"
        ).encode()

    return make


@pytest.fixture
def alice(database):
    with database.write() as conn:
        return principals.add(conn, "alice", "alice@example.org", now=T0)


@pytest.fixture
def calendar(database, alice):
    """Its id: the calendar alice/calendar, at revision 0."""
    with database.write() as conn:
        return calendars.create(conn, alice.id, "calendar", properties={"tag": "VCALENDAR"}, now=T0).id


@pytest.fixture
def account(database, alice, vault):
    with database.write() as conn:
        return accounts.add(
            conn,
            vault,
            principal_id=alice.id,
            provider="google",
            sandbox=False,
            subject="1234",
            email="alice@gmail.example",
            grant="refresh-1",
            now=T0,
        )


@pytest.fixture
def make_pair(database, account):
    """Pair a calendar with a new remote one; returns the pair's id. ``values`` are columns of its row."""

    def make(calendar_id, **values):
        with database.write() as conn:
            name = f"remote {conn.scalar(sa.select(sa.func.count()).select_from(tables.pairs))}"
            listed = [known.calendar for known in remote_calendars.of_account(conn, account.id)]
            listed.append(RemoteCalendar(id=name, name=name, writable=True, primary=False))
            known = {one.calendar.id: one.id for one in remote_calendars.remember(conn, account.id, listed)}
            row = {"interval_seconds": 300, "realtime": True, "created_at": T0, **values}
            return conn.scalar(
                sa.insert(tables.pairs)
                .values(calendar_id=calendar_id, remote_calendar_id=known[name], **row)
                .returning(tables.pairs.c.id)
            )

    return make


@pytest.fixture
def pair_due(database):
    """When a pair is due."""

    def due_at(pair_id):
        with database.read() as conn:
            return conn.scalar(sa.select(tables.pairs.c.due_at).where(tables.pairs.c.id == pair_id))

    return due_at
