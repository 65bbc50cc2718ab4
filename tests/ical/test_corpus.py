"""Every object of ``tests/data`` is read: to the byte, without a stumble, soon; and an edit touches the lines it names alone."""

import datetime as dt
import time

import pytest

from bridge.errors import InvalidCalendarData, Unmappable
from bridge.ical import busy, edit, normal, objects, recurrence, times, view
from bridge.ical.fields import Attendee, Reminder, Span, When, from_json, patch, to_json
from bridge.ical.objects import Component
from tests.support.corpus import ACCEPTED, REFUSED

NOW = dt.datetime(2026, 11, 21, 2, 30, tzinfo=dt.UTC)
SINCE, UNTIL = (dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (2026, 2028))
TITLE = "Another title; with, a \\ and\na second line"
EDITS = [
    {("", "description"): "Something else", ("", "location"): "", ("", "categories"): ("A", "B, c")},
    {("", "reminders"): (Reminder(7),), ("", "attendees"): (Attendee("z@example.org", "Z, the last"),)},
    {("", "when"): When(dt.date(2026, 5, 5), dt.date(2026, 5, 7)), ("", "recurrence"): ("RRULE:FREQ=DAILY;COUNT=3",)},
]
EDITS_OF_TODOS = [
    {
        ("", "description"): "Something else",
        ("", "location"): "",
        ("", "categories"): ("A", "B, c"),
        ("", "priority"): 3,
    },
    {("", "status"): "COMPLETED", ("", "completed"): NOW, ("", "percent"): 100, ("", "url"): "https://example.org/"},
    {("", "status"): "", ("", "completed"): None, ("", "percent"): 0, ("", "classification"): "PRIVATE"},
    {
        ("", "when"): Span(due=(dt.datetime.fromisoformat("2026-05-05T09:00"), "Asia/Tokyo")),
        ("", "alarms"): ((dt.datetime.fromisoformat("2026-05-04T09:00"), "UTC"),),
        ("", "rules"): ("RRULE:FREQ=DAILY;COUNT=3",),
    },
    {("", "when"): Span(), ("", "alarms"): (), ("", "rules"): ()},
]
AN_EDIT_WRITES = ("SUMMARY", "DTSTAMP", "LAST-MODIFIED")
DECIDED_BY_THE_CALENDAR = {"supported-calendar-component", "max-resource-size"}


def test_there_is_a_corpus():
    assert len(ACCEPTED) >= 300
    assert len(REFUSED) >= 40


@pytest.mark.parametrize("data", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_an_object_is_read_and_edited_without_a_stumble(data):
    began = time.process_time()
    obj = objects.parse(data)
    assert obj.to_bytes() == data
    busy.bounds(obj)
    try:
        fields = view.read(obj)
    except Unmappable:
        return
    assert from_json(to_json(fields)) == fields
    try:
        found = recurrence.instances(fields, SINCE, UNTIL, floating=dt.UTC)
        assert [at(each.when) for each in found] == sorted(at(each.when) for each in found)
    except Unmappable:
        pass
    assert edit.apply(data, {}, now=NOW) == data
    edited = edit.apply(data, {("", "summary"): TITLE}, now=NOW)
    again = objects.parse(edited)
    assert view.read(again).master.summary == TITLE
    assert untouched(again) == untouched(obj)
    assert edit.apply(edited, {("", "summary"): TITLE}, now=NOW) == edited
    for change in EDITS_OF_TODOS if obj.component == "VTODO" else EDITS:
        assert view.read(objects.parse(edit.apply(data, change, now=NOW))) == normal.fields(patch(fields, change))
    assert time.process_time() - began < 3


def at(when):
    return times.instant(when.start, when.zone, floating=dt.UTC)


def untouched(obj):
    """All physical lines of the text in their order, without those that an edit of the master's title may write."""
    written = {id(obj.master.first(name)) for name in AN_EDIT_WRITES}

    def walk(component):
        yield component.begin.raw
        for child in component.children:
            if isinstance(child, Component):
                yield from walk(child)
            elif id(child) not in written:
                yield child.raw
        yield component.end.raw

    return [line.raw for line in obj.before], list(walk(obj.calendar)), [line.raw for line in obj.after]


@pytest.mark.parametrize("name", [name for name in REFUSED if name.split("/")[0] not in DECIDED_BY_THE_CALENDAR])
def test_what_is_no_object_is_refused_by_the_reader(name):
    precondition = name.split("/")[0]
    if name.endswith("uid-of-1025-octets"):
        assert not objects.can_be_kept(objects.parse(REFUSED[name]).uid)
        return
    with pytest.raises(InvalidCalendarData) as refused:
        objects.parse(REFUSED[name])
    assert refused.value.precondition == precondition
    assert refused.value.reason


def read(name):
    return view.read(objects.parse(ACCEPTED[name]))


def starts(name):
    return [
        at(each.when).strftime("%Y%m%dT%H%M")
        for each in recurrence.instances(read(name), SINCE, UNTIL, floating=dt.UTC)
    ]


@pytest.mark.parametrize("name", ["rule-lower-case", "rule-with-blanks", "rule-list-with-trailing-comma"])
def test_a_rule_that_is_written_oddly_means_what_it_says(name):
    assert starts(name) == ["20260105T0800", "20260107T0800", "20260112T0800", "20260114T0800"]


@pytest.mark.parametrize(
    "name",
    [
        "rule-month-0", "rule-month-13", "rule-month-13-with-ordinal-day", "rule-month-negative", "rule-monthday-0",
        "rule-monthday-32", "rule-yearday-0", "rule-yearday-367", "rule-week-0", "rule-week-54", "rule-day-0", "rule-day-99",
        "rule-day-54-in-yearly", "rule-day-6-in-a-month", "rule-position-0", "rule-position-367", "rule-hour-24", "rule-second-60",
        "rule-interval-0", "rule-freq-unknown", "rule-empty", "rule-with-byeaster", "rscale-hebrew", "exrule-broken",
        "rule-hourly-of-all-day",
    ],
)  # fmt: skip
def test_a_rule_that_nobody_can_follow_is_kept_and_not_guessed(name):
    with pytest.raises(Unmappable):
        starts(name)


VIENNESE = [
    name
    for name in ACCEPTED
    if name.startswith(("tzid-iana", "tzid-windows", "tzid-lower", "tzid-mozilla-prefix", "tzid-globally", "tzid-citadel"))
    and not name.endswith("prefix-without-vtimezone")
] + [
    "dtstart-value-date-time", "tzid-quoted-with-comma", "tzid-outlook-display-name", "tzid-outlook-display-name-unescaped",
    "tzid-with-quotes", "tzid-with-blanks-around", "tzid-numeric", "tzid-non-ascii", "tzid-made-up-with-vtimezone",
    "tzid-customized-time-zone", "tzid-tzone-microsoft-custom", "tzid-gmt-display-name", "vtimezone-behind-the-event",
    "vtimezone-offset-unsigned", "vtimezone-dtstart-in-1601", "vtimezone-dtstart-in-year-1", "vtimezone-with-lic-location",
    "vtimezone-without-tzid", "vtimezone-contradicts-its-name", "vtimezone-part-incomplete",
]  # fmt: skip


@pytest.mark.parametrize("name", VIENNESE)
def test_r24_nine_in_vienna_is_eight_in_utc_whatever_its_zone_is_called(name):
    assert starts(name) == ["20260310T0800"]


@pytest.mark.parametrize("name", ["vtimezone-rule-broken", "vtimezone-rule-of-month-13", "vtimezone-empty"])
def test_half_a_zone_is_none(name):
    when = read(name).master.when
    assert (when.start.isoformat(), when.zone) == ("2026-03-10T09:00:00", None)


@pytest.mark.parametrize("name", ["override-range-thisandfuture", "override-range-lower-case"])
def test_x02_an_override_for_all_later_instances_moves_them_all(name):
    assert starts(name) == [
        *("20260105T0800", "20260112T0800"),
        *("20260119T1300", "20260126T1300", "20260202T1300", "20260209T1300"),
    ]


def test_x02_an_override_for_all_earlier_instances_has_no_view():
    with pytest.raises(Unmappable):
        read("override-range-thisandprior")


@pytest.mark.parametrize("name", ["until-year-9999", "rdate-year-9999", "dtend-year-9999", "dtstart-year-9999-all-day"])
def test_the_end_of_all_calendars_bounds_an_object(name):
    first, last = busy.bounds(objects.parse(ACCEPTED[name]))
    assert first is not None
    assert (last.year, last.month, last.day) == (9999, 12, 31)
