"""Feeds as rows: who may be read under which address, and what ends one."""

import datetime as dt

import pytest
import sqlalchemy as sa

from bridge.errors import AlreadyExists
from bridge.store import calendars, feeds, tables

LATER = dt.timedelta(hours=1)


@pytest.fixture
def work(database, alice, t0):
    with database.write() as conn:
        return calendars.create(conn, alice.id, "work", properties={"tag": "VCALENDAR"}, now=t0).id


@pytest.fixture
def make(database, alice, t0):
    def add(name, *calendar_ids, digest=None):
        with database.write() as conn:
            return feeds.add(
                conn, alice.id, name, digest or f"digest of {name}", calendar_ids, hint="abcdef", shows="busy",
                past_days=90, future_days=730, now=t0,
            )  # fmt: skip

    return add


def test_a_feed_reads_back(database, alice, calendar, work, make, t0):
    made = make("tea", work, calendar)
    assert made == feeds.Feed(
        made.id, alice.id, "tea", "digest of tea", "busy", 90, 730, t0, None, None, None, "abcdef", None, 0
    )
    with database.read() as conn:
        assert feeds.by_digest(conn, "digest of tea") == made
        assert feeds.by_digest(conn, "digest of coffee") is None
        assert feeds.of_principal(conn, alice.id) == [made]
        assert [each.slug for each in feeds.calendars_of(conn, made.id)] == ["work", "calendar"]
    with pytest.raises(AlreadyExists):
        make("tea", calendar, digest="another")


def test_an_address_that_was_good_once_is_known(database, make, calendar, t0):
    made = make("tea", calendar)
    with database.write() as conn:
        feeds.set_digest(conn, made, "another", hint="ghijkl", now=t0 + LATER)
    with database.read() as conn:
        now = feeds.by_digest(conn, "another")
        assert (now.hint, now.changed_at) == ("ghijkl", t0 + LATER)
        assert [feeds.is_former(conn, each) for each in ("digest of tea", "another", "none")] == [True, False, False]
    with database.write() as conn:
        feeds.delete(conn, made.id, "another", now=t0)
        feeds.delete(conn, made.id, "another", now=t0)
    with database.read() as conn:
        assert feeds.is_former(conn, "another")
        assert feeds.by_digest(conn, "another") is None


def test_who_came_last(database, make, calendar, t0):
    made = make("tea", calendar)
    with database.write() as conn:
        feeds.fetched(conn, made.id, agent="Google\0" + "x" * 400, narrowed=[30, 365], left_out=2, now=t0)
    with database.read() as conn:
        seen = feeds.by_digest(conn, made.digest)
    assert (seen.fetched_at, seen.agent, seen.narrowed, seen.left_out) == (t0, "Google" + "x" * 249, [30, 365], 2)


def test_a_calendar_that_goes_ends_feeds_of_nothing_else(database, make, calendar, work, t0):
    make("alone", calendar)
    both, other = make("both", calendar, work), make("other", work)
    with database.write() as conn:
        calendars.delete(conn, calendar, now=t0 + LATER)
    with database.read() as conn:
        assert feeds.by_digest(conn, "digest of alone") is None
        assert feeds.is_former(conn, "digest of alone")
        assert [each.slug for each in feeds.calendars_of(conn, both.id)] == ["work"]
        assert feeds.by_digest(conn, both.digest).changed_at == t0 + LATER
        assert feeds.by_digest(conn, other.digest) == other


def test_nothing_of_a_person_who_goes_can_be_read(database, alice, make, calendar, work):
    made = make("both", calendar, work)
    with database.write() as conn:
        conn.execute(sa.delete(tables.principals).where(tables.principals.c.id == alice.id))
    with database.read() as conn:
        assert feeds.by_digest(conn, made.digest) is None
        for table in (tables.feeds, tables.feed_calendars):
            assert conn.execute(sa.select(table)).all() == []
