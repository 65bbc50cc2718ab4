"""The lens, and what is an event at all."""

import datetime as dt
import random
import uuid

import pytest
from hypothesis import given, settings

from bridge.errors import Unmappable
from bridge.ical import edit, view
from bridge.ical.fields import diff
from bridge.ical.objects import parse
from bridge.providers.caldav import cursor, etags
from bridge.providers.caldav.cursor import Cursor
from bridge.providers.caldav.mapping import CaldavLens, creation_key, is_event, item, unreadable
from tests.support import calendar_fields as some

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
EVENT = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTART:20260302T120000Z\r\n{}END:VEVENT\r\nEND:VCALENDAR\r\n"
LENS = CaldavLens(frozenset({"alex@example.com"}))


def event(*lines):
    return item("/alex/work/a.ics", '"1"', EVENT.format("".join(f"{line}\r\n" for line in lines)))


@given(some.objects())
@settings(max_examples=150, deadline=None)
def test_the_laws_of_the_port(fields):
    """view∘view = view; what is read is in normal form already (R20, R21)."""
    seen = LENS.view(fields)
    assert LENS.view(seen) == seen
    data = edit.compose(seen, uid="u", now=NOW).decode()
    read = LENS.read([item("/a/b.ics", '"1"', data)])
    assert read.fields == seen
    assert LENS.view(read.fields) == read.fields
    assert diff(read.fields, view.read(parse(data.encode()))) == {}


@given(some.objects())
@settings(max_examples=50, deadline=None)
def test_line_ends_that_xml_takes_away_change_nothing(fields):
    data = edit.compose(LENS.view(fields), uid="u", now=NOW).decode()
    assert item("/a/b.ics", '"1"', data.replace("\r\n", "\n")) == item("/a/b.ics", '"1"', data)


def test_a_created_object_is_known_by_its_name():
    assert creation_key("/alex/work/0123456789abcdefghijklmnopqrstuv.ics") == "0123456789abcdefghijklmnopqrstuv"
    assert creation_key("/alex/work/5aac7c9e-51f8-410f-a434-3cef257528f1.ics") == ""


@pytest.mark.parametrize(
    ("lines", "elsewhere"),
    [
        ([], False),
        (["ORGANIZER:mailto:Alex@Example.com", "ATTENDEE:mailto:bob@example.com"], False),
        (["ORGANIZER;CN=Bob:MAILTO:bob@example.com", "ATTENDEE:mailto:alex@example.com"], True),
    ],
)
def test_r03_someone_elses_meeting_is_told_apart(lines, elsewhere):
    assert LENS.read([event(*lines)]).organized_elsewhere is elsewhere
    assert not CaldavLens().read([event(*lines)]).organized_elsewhere  # no addresses, so nobody there sends invitations


def test_when_it_was_written_last():
    read = LENS.read([event("DTSTAMP:20260101T000000Z", "LAST-MODIFIED:20260201T000000Z")])
    assert read.updated == dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
    assert LENS.read([event()]).updated.year == 1970


@pytest.mark.parametrize("kind", ["VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"])
def test_tasks_and_journals_are_no_events(kind):
    assert not is_event(item("/a/b.ics", '"1"', EVENT.format("").replace("VEVENT", kind)))


def test_an_event_that_speaks_of_tasks_is_one():
    assert is_event(event("DESCRIPTION:BEGIN:VTODO"))


@pytest.mark.parametrize(
    "made",
    [
        item("/a/b.ics", '"1"', "hello"),
        item("/a/b.ics", '"1"', EVENT.format("")[:-20]),
        item("/a/b.ics", '"1"', EVENT.format("SUMMARY:\x00\r\n")),
        item("/a/b.ics", '"1"', EVENT.format("METHOD:PUBLISH\r\n").replace("UID:u\r\n", "")),
        unreadable("/a/b.ics", '"1"'),
    ],
)
def test_r32_what_cannot_be_read_is_that_ones_trouble(made):
    assert is_event(made)
    with pytest.raises(Unmappable):
        LENS.read([made])


@pytest.mark.parametrize("etag", ['"abc"', 'W/"abc"', "abc", ' "abc" '])
def test_r36_one_version_however_its_etag_is_spelt(etag):
    assert etags.opaque(etag) == "abc"
    assert etags.header(etag) == '"abc"'


def test_an_end_that_is_folded_is_no_missing_one():
    folded = EVENT.format("").replace("END:VCALENDAR", "E\r\n ND:VCAL\r\n\tENDAR")
    assert LENS.read([item("/alex/work/a.ics", '"1"', folded)]).uid == "u"


def test_without_an_etag_the_text_tells_versions_apart():
    one, other = item("/a/b.ics", "", EVENT.format("")), item("/a/b.ics", "", EVENT.format("SUMMARY:x\r\n"))
    assert one.version != other.version
    assert one == item("/a/b.ics", "", EVENT.format(""))


def test_a_cursor_comes_back_as_it_was():
    for made in (
        Cursor(),
        Cursor("urn:a", "c", None, ("a.ics", "/b/ü%20.ics"), more=True, listing=True),
        Cursor(ctag="c", known={"a.ics": cursor.digest("1"), "b.ics": "-"}, todo=("b.ics",)),
        Cursor(known={}),
    ):
        assert cursor.parse(made.text()) == made


def test_a_cursor_of_a_large_calendar_stays_small():
    """5000 objects with names and ETags as servers make them: about 40 octets each, written only when something changed."""
    chance = random.Random(4711)
    names = [f"{uuid.UUID(int=chance.getrandbits(128))}.ics" for _ in range(5000)]
    text = Cursor(ctag="c", known={name: cursor.digest(name) for name in names}).text()
    assert len(text) < 250_000


def test_r20_the_order_of_a_rules_parts_is_no_change():
    one, other = (
        view.read(parse(EVENT.format(f"RRULE:{rule}\r\n").encode()))
        for rule in ("FREQ=MONTHLY;BYDAY=2WE;UNTIL=20350509T103000Z", "UNTIL=20350509T103000Z;FREQ=MONTHLY;BYDAY=2WE")
    )
    lens = CaldavLens(frozenset())
    assert lens.view(one) == lens.view(other)
    assert lens.view(one).recurrence[0].startswith("RRULE:FREQ=MONTHLY;")
