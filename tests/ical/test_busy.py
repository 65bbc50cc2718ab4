"""Bounds for the index: never narrower than any instance, never an error."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.ical import busy, edit, objects, recurrence, times
from tests.support import calendar_fields as some


def bounds(*content, kind="VEVENT", more=""):
    text = (
        "\n".join(["BEGIN:VCALENDAR", f"BEGIN:{kind}", "UID:u", *content, f"END:{kind}"]) + f"\n{more}END:VCALENDAR\n"
    )
    found = busy.bounds(objects.parse(text.encode()))
    return tuple(each and each.strftime("%Y%m%dT%H%MZ") for each in found)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (["DTSTART:20260101T090000Z", "DTEND:20260101T100000Z"], ("20260101T0900Z", "20260101T1000Z")),
        (["DTSTART;TZID=Europe/Berlin:20260101T090000"], ("20260101T0800Z", "20260101T0800Z")),
        (["DTSTART:20260101"], ("20251231T1000Z", "20260102T1200Z")),
        (["DTSTART:20260101T090000"], ("20251231T1900Z", "20260101T2100Z")),
        (["DTSTART:20260101T090000Z", "RRULE:FREQ=DAILY"], ("20260101T0900Z", None)),
        (
            ["DTSTART:20260101T090000Z", "RRULE:FREQ=DAILY;COUNT=3", "DURATION:PT1H"],
            ("20260101T0900Z", "20260103T1000Z"),
        ),
        (["DTSTART:20260101T090000Z", "RRULE:FREQ=DAILY;COUNT=99999"], ("20260101T0900Z", None)),
        (["DTSTART:20260101T090000Z", "RDATE:20250101T090000Z,20270101T090000Z"], ("20250101T0900Z", "20270101T0900Z")),
        (["DTSTART:20260101T090000Z", "RRULE:FREQ=DAILY;UNTIL=20260105T090000Z"], ("20260101T0900Z", "20260106T0900Z")),
        # what cannot be read may match anything
        (["SUMMARY:no start"], (None, None)),
        (["DTSTART:soon"], (None, None)),
        (["DTSTART:20260101T090000Z", "RRULE:FREQ=OFTEN"], (None, None)),
        (["DTSTART:20260101T090000Z", "RRULE:FREQ=DAILY;RSCALE=HEBREW"], (None, None)),
    ],
)
def test_events(content, expected):
    assert bounds(*content) == expected


def test_overrides_widen_the_bounds():
    more = "BEGIN:VEVENT\nUID:u\nRECURRENCE-ID:20260102T090000Z\nDTSTART:20300101T090000Z\nEND:VEVENT\n"
    assert bounds("DTSTART:20260101T090000Z", "RRULE:FREQ=DAILY;COUNT=2", more=more) == (
        "20260101T0900Z",
        "20300101T0900Z",
    )
    alone = "RECURRENCE-ID:20260102T090000Z", "DTSTART:20260103T090000Z"
    assert bounds(*alone) == ("20260103T0900Z", "20260103T0900Z")


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [  # the tables of RFC 4791 §9.9
        ("VTODO", ["DTSTART:20260101T090000Z", "DUE:20260102T090000Z"], ("20260101T0900Z", "20260102T0900Z")),
        ("VTODO", ["DTSTART:20260102T090000Z", "DUE:20260101T090000Z"], ("20260101T0900Z", "20260102T0900Z")),
        ("VTODO", ["DTSTART:20260101T090000Z", "DURATION:P1D"], ("20260101T0900Z", "20260102T0900Z")),
        ("VTODO", ["DTSTART:20260101T090000Z"], ("20260101T0900Z", "20260101T0900Z")),
        ("VTODO", ["DUE;VALUE=DATE:20260101"], ("20251231T1000Z", "20260102T1200Z")),
        ("VTODO", ["DUE:20260101T090000Z", "RRULE:FREQ=WEEKLY"], ("20260101T0900Z", None)),
        ("VTODO", ["CREATED:20260101T090000Z", "COMPLETED:20260102T090000Z"], ("20260101T0900Z", "20260102T0900Z")),
        ("VTODO", ["COMPLETED:20260102T090000Z"], ("20260102T0900Z", "20260102T0900Z")),
        ("VTODO", ["CREATED:20260101T090000Z"], ("20260101T0900Z", None)),
        ("VTODO", ["SUMMARY:whenever"], (None, None)),
        ("VJOURNAL", ["DTSTART;VALUE=DATE:20260101"], ("20251231T1000Z", "20260102T1200Z")),
        ("VJOURNAL", ["SUMMARY:undated"], (None, None)),
        ("VFREEBUSY", ["DTSTART:20260101T000000Z", "DTEND:20260108T000000Z"], ("20260101T0000Z", "20260108T0000Z")),
        (
            "VFREEBUSY",
            ["FREEBUSY:20260102T090000Z/PT1H,20260103T090000Z/20260103T110000Z"],
            ("20260102T0900Z", "20260103T1100Z"),
        ),
        ("VFREEBUSY", [], (None, None)),
        ("VAVAILABILITY", ["DTSTART:20260101T000000Z"], (None, None)),
        ("X-THING", ["DTSTART:20260101T000000Z"], (None, None)),
    ],
)
def test_other_components(kind, content, expected):
    assert bounds(*content, kind=kind) == expected


@given(some.objects(), st.sampled_from(["Etc/GMT+12", "Pacific/Kiritimati", "America/St_Johns"]))
@settings(max_examples=40, deadline=None)
def test_every_instance_lies_within_the_bounds_wherever_one_looks_from(now, fields, viewer):
    first, last = busy.bounds(objects.parse(edit.compose(fields, uid="u", now=now)))
    floating = ZoneInfo(viewer)
    window = dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.datetime(2029, 1, 1, tzinfo=dt.UTC)
    for each in recurrence.instances(fields, *window, floating=floating):
        assert first <= times.instant(each.when.start, each.when.zone, floating=floating)
        ends = times.instant(each.when.end, each.when.end_zone or each.when.zone, floating=floating)
        assert last is None or ends <= last


NASTY = [
    "DTSTART:00010101T000000Z",
    "DTSTART:99991231T235959Z",
    "DTSTART:99991231",
    "DTSTART:00010101",
    "DTEND:20260101T090000Z",
    "DURATION:P999999999W",
    "DURATION:-P1D",
    "RRULE:FREQ=YEARLY;UNTIL=99991231T235959Z",
    "RRULE:FREQ=DAILY;COUNT=0",
    "RRULE:FREQ=SECONDLY;COUNT=9999999999999",
    "RDATE:99991231T235959Z",
    "RDATE;VALUE=PERIOD:20260101T090000Z/P9999999W",
    "RRULE:",
    "EXDATE:",
    "DTSTART;TZID=:20260101T090000",
    "DUE:99991231",
    "COMPLETED:00010101T000000Z",
    "RRULE:FREQ=WEEKLY;COUNT=2",
    "FREEBUSY:99991231T235959Z/P1D",
    "RECURRENCE-ID:00010101",
]


@given(st.lists(st.sampled_from(NASTY), max_size=4), st.sampled_from(["VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"]))
@settings(max_examples=120, deadline=None)
def test_it_never_raises(content, kind):
    text = "\n".join(["BEGIN:VCALENDAR", f"BEGIN:{kind}", "UID:u", *content, f"END:{kind}", "END:VCALENDAR", ""])
    first, last = busy.bounds(objects.parse(text.encode()))
    assert first is None or last is None or first <= last
