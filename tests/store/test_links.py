"""Links survive the way through the database whole."""

import datetime as dt
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from bridge.ical.fields import EventFields, ObjectFields, Reminder, When
from bridge.store import inbox, links, objects, outbox, tables
from bridge.sync.ledger import Intent, Link

WHEN = When(dt.datetime(2026, 3, 2, 9), dt.datetime(2026, 3, 2, 10), "Europe/Vienna")  # noqa: DTZ001 - wall-clock time
EVENT = EventFields(WHEN, "Tea", reminders=(Reminder(5),), categories=("Drinks",))
SERIES = ObjectFields(EVENT, ("RRULE:FREQ=DAILY",), {"20260303T080000Z": EVENT}, frozenset({"20260304T080000Z"}))


@pytest.fixture
def pair(calendar, make_pair):
    return make_pair(calendar)


@pytest.fixture
def conn(database, pair):  # opened last: SQLite has one writer
    with database.write() as conn:
        yield conn


def test_a_link_is_kept_with_both_bases(conn, pair, t0):
    whole = Link("uid", "remote", "key", "7", SERIES, SERIES, dirty=True, quarantine="why", attempts=3, retry_at=t0)
    links.save(conn, pair, [whole, Link("bare")])
    assert links.by_uid(conn, pair, ["uid", "bare", "none"]) == {"uid": whole, "bare": Link("bare")}
    assert links.by_remote_id(conn, pair, ["remote"]) == {"remote": whole}
    assert links.by_creation_key(conn, pair, ["key"]) == {"key": whole}
    assert links.quarantined(conn, pair) == [whole]
    links.save(conn, pair, [replace(whole, quarantine=None, hub_base=None)])
    assert links.by_uid(conn, pair, ["uid"])["uid"] == replace(whole, quarantine=None, hub_base=None)
    links.drop(conn, pair, ["uid"])
    assert links.by_uid(conn, pair, ["uid"]) == {}


def test_only_what_both_sides_agreed_on_counts(conn, pair):
    links.save(conn, pair, [Link("a", "1", hub_base=SERIES, remote_base=SERIES), Link("b", creation_key="k")])
    assert links.count(conn, pair) == 1


def test_what_is_to_be_planned_again(conn, pair, t0):
    later = t0 + dt.timedelta(minutes=5)
    links.save(
        conn,
        pair,
        [
            Link("calm"),
            Link("dirty", dirty=True),
            Link("patient", dirty=True, quarantine="why", retry_at=later),
            Link("for its owner", quarantine="why"),
            Link("being created", dirty=True, creation_key="k"),
        ],
    )
    outbox.save(conn, pair, [Intent("being created", "create", SERIES, SERIES)], now=t0)
    assert links.to_plan_again(conn, pair, t0) == ["dirty"]
    assert links.to_plan_again(conn, pair, later) == ["dirty", "patient"]


def test_work_is_found_by_what_changed_not_by_reading_everything(sqlite_database):
    """A calm calendar of ten thousand events costs no more than one of ten: SQLite takes the partial indexes."""
    for query in (
        sa.select(tables.links.c.uid).where(tables.links.c.pair_id == 1, links.DIRTY),
        sa.select(tables.inbox.c.series).where(tables.inbox.c.pair_id == 1, inbox.PENDING),
    ):
        text = str(query.compile(compile_kwargs={"literal_binds": True}, dialect=sqlite.dialect()))
        with sqlite_database.read() as conn:
            plan = str(conn.execute(sa.text(f"EXPLAIN QUERY PLAN {text}")).all())
        assert "ix_links_dirty" in plan or "ix_inbox_pending" in plan


def test_the_hubs_events_without_a_link_and_links_without_an_object(conn, calendar, pair, event, t0):
    for uid in ("linked", "new"):
        objects.put(conn, calendar, f"{uid}.ics", event(uid), actor="device:1", now=t0)
    objects.put(conn, calendar, "todo.ics", event("todo", component="VTODO", start=""), actor="device:1", now=t0)
    links.save(conn, pair, [Link(uid, uid, hub_base=SERIES, remote_base=SERIES) for uid in ("linked", "orphan")])
    assert links.unlinked(conn, pair, calendar) == ["new"]
    assert links.orphaned(conn, pair, calendar) == ["orphan"]
