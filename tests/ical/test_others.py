"""What no field tells of, carried as it is written between those who keep texts (X-40)."""

import datetime as dt

import pytest

from bridge.ical import edit, objects, others, view
from bridge.ical.fields import MASTER

NOW = dt.datetime(2026, 4, 1, 12, tzinfo=dt.UTC)


def event(*lines):
    head = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN", "BEGIN:VEVENT", "UID:u", "DTSTAMP:20260101T000000Z")
    return "\r\n".join([*head, "DTSTART:20260302T090000Z", *lines, "END:VEVENT", "END:VCALENDAR", ""]).encode()


def seen(data):
    return view.read(objects.parse(data)).master.others


def test_properties_are_read_unfolded_and_in_one_order():
    assert seen(event("X-OURS;P=1:two", " words", "CONTACT:Robin")) == ("CONTACT:Robin", "X-OURS;P=1:twowords")


@pytest.mark.parametrize(
    "line",
    [
        "ATTENDEE:mailto:robin@example.com",
        "ORGANIZER:mailto:robin@example.com",
        "REQUEST-STATUS:2.0;Success",
        "SUMMARY:Tea",
        "COLOR:Turquoise",
        "GEO;X-P=1:48.20;16.3",
        "X-MOZ-LASTACK:20260302T090000Z",
        'X-CALENDARSERVER-ATTENDEE-COMMENT;X-CALENDARSERVER-ATTENDEE-REF="mailto:robin@example.com":Late',
        "X-WHEN;TZID=Own:20260302T090000",
        "CONFERENCE:https://meet.example.com/tea",
        f"ATTACH;ENCODING=BASE64;VALUE=BINARY:{'A' * 5000}",
        "no property",
    ],
)
def test_what_is_told_otherwise_is_of_one_client_or_large_is_not_among_them(line):
    assert seen(event(line)) == ()


def test_a_second_conference_is():
    assert seen(event("CONFERENCE:https://meet.example.com/tea", "CONFERENCE:tel:+431234")) == (
        "CONFERENCE:tel:+431234",
    )


def test_only_what_differs_is_written():
    data = event("CONTACT:Robin", "X-MOZ-LASTACK:20260302T090000Z", "x-ours;p=1:Stays", "SUMMARY:Tea")
    out = edit.apply(data, {(MASTER, "others"): ("COMMENT:Bring cups", "x-ours;p=1:Stays")}, now=NOW)
    assert b"CONTACT" not in out
    assert b"x-ours;p=1:Stays\r\n" in out
    assert b"X-MOZ-LASTACK" in out
    assert b"COMMENT:Bring cups\r\n" in out
    assert seen(out) == ("COMMENT:Bring cups", "x-ours;p=1:Stays")


@pytest.mark.parametrize(
    "evil", ["X:1\r\nATTENDEE:mailto:robin@example.com", "BEGIN:VALARM", "ATTENDEE:mailto:a@b.c", "bad"]
)
def test_no_line_can_be_smuggled_in(evil):
    assert others.normal([evil]) == ()
    assert edit.apply(event(), {(MASTER, "others"): (evil,)}, now=NOW) == event()
