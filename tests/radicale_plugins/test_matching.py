"""Objects that are looked for by UID are found by the index of UIDs, and they are those that a look at each would find."""

import itertools
import xml.etree.ElementTree as ET

import pytest

from bridge.services import principals
from bridge.store import calendars, objects
from radicale_plugins import dav, filters
from radicale_plugins.filters import COLLATIONS, Query
from radicale_plugins.matching import matching

UIDS = (
    "abc",
    "ABC",
    "x-abc-y",
    "éß",
    "ÉSS",
    "a b",
    " padded ",
    "a,b\\;c",
    "040000008200E00074C5B7101A82E008" * 3,
    "ab",
)
WANTED = ("abc", "ABC", "É", "ss", "ß", " padded ", "padded", "a b", " ", "a,b\\;c", "", "08040000", "none")


@pytest.fixture
def calendar(database, clock, event):
    principals.add(database, "alice", "alice@example.org", now=clock())
    with database.write() as conn:
        calendar = calendars.get(conn, "alice", "calendar").id
        for number, uid in enumerate(UIDS):
            text = uid.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")
            data = event("UID-HERE").decode().replace("UID:UID-HERE", f"UID:{text}").encode()
            objects.put(conn, calendar, f"{number}.ics", data, actor="x", now=clock())
    return calendar


def looked_for(*tests):
    """A query for events whose UID meets all these conditions."""
    root = ET.Element(f"{dav.C}comp-filter", name="VCALENDAR")
    inner = ET.SubElement(root, f"{dav.C}comp-filter", name="VEVENT")
    for wanted, attributes in tests:
        of_uid = ET.SubElement(inner, f"{dav.C}prop-filter", name="uid")
        ET.SubElement(of_uid, f"{dav.C}text-match", attributes).text = wanted
    outer = ET.Element(f"{dav.C}filter")
    outer.append(root)
    return Query([outer], floating=filters.dt.UTC)


@pytest.mark.parametrize("kind", ["contains", "equals", "starts-with", "ends-with"])
@pytest.mark.parametrize("collation", [*COLLATIONS, "default"])
def test_by_uid_as_by_looking_at_each(database, calendar, collation, kind):
    found = 0
    for wanted, negate in itertools.product(WANTED, ("no", "yes")):
        asked = looked_for((wanted, {"collation": collation, "match-type": kind, "negate-condition": negate}))
        assert asked.is_of_uids == (negate == "no")
        with database.read() as conn:
            expected = [each.href for each in objects.every(conn, calendar) if asked.matches(each)]
            assert [each.href for each in matching(conn, calendar, asked)] == expected
        found += len(expected)
    assert found


def test_all_conditions_count(database, calendar):
    asked = looked_for(("abc", {}), ("x-", {}), ("nothing", {"negate-condition": "yes"}))
    with database.read() as conn:
        assert [each.uid for each in matching(conn, calendar, asked)] == ["x-abc-y"]


def test_nothing_is_read_but_what_may_match(database, calendar, monkeypatch):
    read = []
    parse = filters.ical.parse
    monkeypatch.setattr(filters.ical, "parse", lambda data: read.append(data) or parse(data))
    with database.read() as conn:
        assert [each.uid for each in matching(conn, calendar, looked_for(("x-abc", {})))] == ["x-abc-y"]
    assert len(read) == 1
