"""Dead properties of objects on both databases: they live exactly as long as their object."""

import pytest
import sqlalchemy as sa

from bridge.store import calendars, changes, object_properties, objects, tables

NOTE = {"{urn:x}note": "ünder 😀", "@{urn:x}note": {"a": "1"}, "{urn:x}tree": {"xml": "<tree/>"}}


@pytest.fixture
def put(database, calendar, t0, event):
    def put(href, title="Tea"):
        with database.write() as conn:
            return objects.put(conn, calendar, href, event(href, title), actor="device:1", now=t0)

    return put


@pytest.fixture
def describe(database, calendar):
    def describe(href, properties):
        with database.write() as conn:
            object_properties.replace(conn, calendar, href, properties)

    return describe


@pytest.fixture
def known(database, calendar):
    def known(*hrefs):
        with database.read() as conn:
            return object_properties.of(conn, calendar, hrefs)

    return known


def test_they_are_kept_and_replaced(put, describe, known):
    put("a.ics")
    put("b.ics")
    describe("a.ics", NOTE)
    assert known("a.ics", "b.ics", "c.ics") == {"a.ics": NOTE}
    assert known("b.ics") == {}
    describe("a.ics", {"D:displayname": "x"})
    assert known("a.ics") == {"a.ics": {"D:displayname": "x"}}
    describe("a.ics", {})
    assert known("a.ics") == {}


def test_one_query_however_many_are_asked_for(put, describe, known):
    put("a.ics")
    describe("a.ics", NOTE)
    assert known(*(f"{number}.ics" for number in range(40_000)), "a.ics") == {"a.ics": NOTE}


def test_a_new_version_keeps_them(put, describe, known):
    put("a.ics")
    describe("a.ics", NOTE)
    put("a.ics", "Coffee")
    assert known("a.ics") == {"a.ics": NOTE}


def test_they_go_with_their_object(database, calendar, put, describe, known, t0):
    put("a.ics")
    describe("a.ics", NOTE)
    with database.write() as conn:
        objects.delete(conn, calendar, "a.ics", actor="device:1", now=t0)
        assert conn.scalar(sa.select(sa.func.count()).select_from(tables.object_properties)) == 0
    put("a.ics")  # another one, or the old one restored
    assert known("a.ics") == {}


def test_they_go_with_their_calendar(database, calendar, put, describe, t0):
    put("a.ics")
    describe("a.ics", NOTE)
    with database.write() as conn:
        calendars.delete(conn, calendar, now=t0)
        assert conn.scalar(sa.select(sa.func.count()).select_from(tables.object_properties)) == 0


def test_there_are_none_without_an_object(describe):
    with pytest.raises(sa.exc.IntegrityError):
        describe("a.ics", NOTE)


def test_they_are_no_change(database, calendar, put, describe):
    """RFC 6578 §3.5.1 asks for members whose entity tag has changed, and no more (decision 0037)."""
    before = put("a.ics")
    describe("a.ics", NOTE)
    with database.read() as conn:
        assert objects.get(conn, calendar, "a.ics") == before
        assert changes.since(conn, calendar, before.revision) == []
        assert calendars.by_id(conn, calendar).revision == before.revision
