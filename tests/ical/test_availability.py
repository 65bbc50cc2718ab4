"""VAVAILABILITY (RFC 7953): what is left free, and what is not."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from bridge.errors import InvalidCalendarData
from bridge.ical import availability

MONDAY = dt.datetime(2026, 3, 9, tzinfo=dt.UTC)
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


def hours(*available, head=()):
    """An availability with those AVAILABLE parts, each a list of lines."""
    parts = [
        line
        for number, each in enumerate(available)
        for line in ("BEGIN:AVAILABLE", f"UID:a{number}", "DTSTAMP:20260101T000000Z", *each, "END:AVAILABLE")
    ]
    return ["BEGIN:VAVAILABILITY", "UID:v", "DTSTAMP:20260101T000000Z", *head, *parts, "END:VAVAILABILITY"]


def text(*availabilities):
    inner = (line for each in availabilities for line in each)
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//t//EN", *inner, "END:VCALENDAR", ""])


OFFICE = ("DTSTART:20260302T090000Z", "DTEND:20260302T170000Z", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR")


def taken(data, start=MONDAY, end=MONDAY + DAY, floating=dt.UTC):
    found = sorted(availability.taken(data, start, end, floating=floating), key=lambda each: each[1])
    return [(kind, (begins - start) / HOUR, (ends - start) / HOUR) for kind, (begins, ends) in found]


def test_outside_of_office_hours_nobody_is_to_be_had():
    assert taken(text(hours(OFFICE))) == [("BUSY-UNAVAILABLE", 0, 9), ("BUSY-UNAVAILABLE", 17, 24)]
    assert taken(text(hours(OFFICE)), MONDAY + 5 * DAY, MONDAY + 6 * DAY) == [("BUSY-UNAVAILABLE", 0, 24)]


def test_parts_that_meet_or_overlap_are_one():
    morning = ("DTSTART:20260309T080000Z", "DTEND:20260309T120000Z")
    later = ("DTSTART:20260309T110000Z", "DURATION:PT2H")
    assert taken(text(hours(morning, later))) == [("BUSY-UNAVAILABLE", 0, 8), ("BUSY-UNAVAILABLE", 13, 24)]


def test_a_part_that_reaches_over_the_edge():
    night = ("DTSTART:20260308T200000Z", "DTEND:20260309T060000Z")
    assert taken(text(hours(night))) == [("BUSY-UNAVAILABLE", 6, 24)]


def test_nothing_is_said_outside_of_its_own_time():
    head = ("DTSTART:20260309T060000Z", "DTEND:20260309T200000Z", "BUSYTYPE:BUSY")
    assert taken(text(hours(OFFICE, head=head))) == [("BUSY", 6, 9), ("BUSY", 17, 20)]
    assert taken(text(hours(OFFICE, head=head)), MONDAY + DAY, MONDAY + 2 * DAY) == []


def test_of_two_the_one_with_the_higher_priority_counts():
    away = hours(head=("DTSTART:20260309T100000Z", "DTEND:20260309T120000Z", "PRIORITY:1", "BUSYTYPE:BUSY"))
    expected = [("BUSY-UNAVAILABLE", 0, 9), ("BUSY", 10, 12), ("BUSY-UNAVAILABLE", 17, 24)]
    assert taken(text(hours(OFFICE), away)) == expected
    assert taken(text(away, hours(OFFICE))) == expected


def test_hours_without_a_zone_are_those_of_the_calendar():
    local = tuple(line.replace("Z", "") if "0000Z" in line else line for line in OFFICE)
    assert taken(text(hours(local)), floating=ZoneInfo("Asia/Tokyo")) == [("BUSY-UNAVAILABLE", 8, 24)]


def test_what_cannot_be_reckoned_leaves_nothing_free():
    odd = ("DTSTART:20260302T090000Z", "DTEND:20260302T170000Z", "RRULE:RSCALE=HEBREW;FREQ=DAILY")
    assert taken(text(hours(odd))) == [("BUSY-UNAVAILABLE", 0, 24)]


@pytest.mark.parametrize(
    "data", ["", "nonsense", text(["BEGIN:VEVENT", "UID:x", "DTSTART:20260101T000000Z", "END:VEVENT"])]
)
def test_what_is_none(data):
    with pytest.raises(InvalidCalendarData):
        availability.check(data)
    availability.check(text(hours(OFFICE)))
