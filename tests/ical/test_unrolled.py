"""Lists of occurrences: complete where they say so, short, and never an error."""

import datetime as dt
import random

import pytest
from hypothesis import given, settings

from bridge.ical import busy, objects, unrolled, view
from bridge.ical.fields import EventFields
from bridge.ical.unrolled import BEGINNING, FOREVER, UNKNOWN
from tests.ical.test_busy import NASTY
from tests.laws import texts

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def listed(*components, now=NOW, kind="VEVENT", reach=unrolled.WIDE):
    inside = [line for each in components for line in (f"BEGIN:{kind}", "UID:u", *each, f"END:{kind}")]
    obj = objects.parse("\n".join(["BEGIN:VCALENDAR", *inside, "END:VCALENDAR", ""]).encode())
    return unrolled.of(obj, *busy.bounds(obj), now=now, reach=reach)


def starts(*components, **options):
    return [f"{each.start:%Y%m%dT%H%M}" for each in listed(*components, **options).occurrences]


def test_a_single_event_is_listed_for_ever():
    found = listed(["DTSTART:20260601T090000Z", "DURATION:PT1H", "STATUS:TENTATIVE"])
    (one,) = found.occurrences
    assert (found.since, found.until) == (BEGINNING, FOREVER)
    assert (one.start, one.end, one.floating, one.kind) == (
        NOW.replace(hour=9),
        NOW.replace(hour=10),
        False,
        "BUSY-TENTATIVE",
    )


@pytest.mark.parametrize(
    ("line", "kind"),
    [("STATUS:CONFIRMED", "BUSY"), ("STATUS:CANCELLED", None), ("TRANSP:TRANSPARENT", None), ("X-A:b", "BUSY")],
)
def test_whose_time_it_takes(line, kind):
    for rule in ([], ["RRULE:FREQ=DAILY;COUNT=2"]):
        assert {each.kind for each in listed(["DTSTART:20260601T090000Z", line, *rule]).occurrences} == {kind}


def test_answers_that_make_a_difference():
    guests = [
        f"ATTENDEE;PARTSTAT={word}:mailto:{word.lower()}@example.org"
        for word in ("ACCEPTED", "DECLINED", "TENTATIVE", "NEEDS-ACTION")
    ]
    (one,) = listed(["DTSTART:20260601T090000Z", *guests]).occurrences
    assert one.answers == (("declined@example.org", "DECLINED"), ("tentative@example.org", "TENTATIVE"))


def test_times_in_no_zone_are_kept_as_the_clock_shows_them():
    assert [(each.start, each.end, each.floating) for each in listed(["DTSTART;VALUE=DATE:20260601"]).occurrences] == [
        (NOW, NOW + DAY, True)
    ]
    (one,) = listed(["DTSTART:20260601T090000", "DURATION:PT1H"]).occurrences
    assert (one.start, one.floating) == (NOW.replace(hour=9), True)


def test_an_endless_series_is_listed_around_now():
    found = listed(["DTSTART:20200601T090000Z", "RRULE:FREQ=WEEKLY"])
    assert (found.since, found.until) == (NOW - 366 * DAY, NOW + 400 * DAY)
    assert 108 <= len(found.occurrences) <= 110
    assert found.since <= found.occurrences[0].start < found.since + 8 * DAY
    assert found.until - 8 * DAY < found.occurrences[-1].start < found.until


def test_for_somebody_who_waits_it_is_listed_near_now():
    found = listed(["DTSTART:20200601T090000Z", "RRULE:FREQ=WEEKLY"], reach=unrolled.NEAR)
    assert (found.since, found.until) == (NOW - 31 * DAY, NOW + 150 * DAY)
    assert len(listed(["DTSTART:20200601T090000Z", "RRULE:FREQ=DAILY"], reach=unrolled.NEAR).occurrences) <= 61
    ended = listed(["DTSTART:20200601T090000Z", "RRULE:FREQ=WEEKLY;UNTIL=20260501T090000Z"], reach=unrolled.NEAR)
    assert (ended.since, ended.until) == (NOW - 366 * DAY, FOREVER)


def test_a_series_is_complete_where_it_does_not_go():
    begins = listed(["DTSTART:20260501T090000Z", "RRULE:FREQ=WEEKLY"])
    assert (begins.since, begins.until) == (BEGINNING, NOW + 400 * DAY)
    ends = listed(["DTSTART:20100501T090000Z", "RRULE:FREQ=DAILY;UNTIL=20260610T090000Z"])
    assert BEGINNING < ends.since < NOW
    assert ends.until == FOREVER
    short = listed(["DTSTART:20100501T090000Z", "RRULE:FREQ=WEEKLY;COUNT=10"])
    assert (short.since, short.until, len(short.occurrences)) == (BEGINNING, FOREVER, 10)


@pytest.mark.parametrize(
    "often", ["DAILY", "DAILY;BYHOUR=9,14", "WEEKLY;BYDAY=MO,TU,WE,TH,FR", "YEARLY;BYDAY=MO", "MONTHLY"]
)
def test_a_dense_series_has_a_short_window(often):
    found = listed(["DTSTART:20200601T090000Z", f"RRULE:FREQ={often}"])
    assert found.since < NOW < found.until
    assert 25 <= len(found.occurrences) <= 310


@pytest.mark.parametrize(
    "lines",
    [
        ["RRULE:FREQ=HOURLY"],
        ["RRULE:FREQ=DAILY;BYHOUR=1,2,3,4,5"],
        ["RRULE:FREQ=DAILY;RSCALE=HEBREW"],
        ["RRULE:FREQ=OFTEN"],
        ["EXRULE:FREQ=DAILY"],
        ["RRULE:FREQ=DAILY", "EXRULE:FREQ=SECONDLY"],
        ["RDATE:" + ",".join(f"20{n:02}0101T090000Z" for n in range(100)) + ",20260101T090000Z" * 400],
    ],
)
def test_what_is_not_worth_it_is_listed_nowhere(lines):
    assert listed(["DTSTART:20200601T090000Z", *lines]) == UNKNOWN


def test_nothing_is_said_of_what_cannot_be_read():
    assert listed(["SUMMARY:no start"]) == UNKNOWN
    assert listed(["DTSTART:20260601T090000Z"], ["RECURRENCE-ID:20260601T090000Z", "X-A:b"]) == UNKNOWN


def test_overrides_wherever_they_are():
    series = ["DTSTART:20200601T090000Z", "RRULE:FREQ=WEEKLY"]
    away = ["RECURRENCE-ID:20260601T090000Z", "DTSTART:20400601T090000Z"]
    found = starts(series, away)
    assert "20260601T0900" not in found
    assert found[-1] == "20400601T0900"
    near = ["RECURRENCE-ID:20400604T090000Z", "DTSTART:20260603T090000Z"]
    assert "20260603T0900" in starts(series, near)


def test_called_off_occurrences_can_be_found_and_take_no_time():
    found = listed(
        ["DTSTART:20260601T090000Z", "RRULE:FREQ=WEEKLY;COUNT=3"],
        ["RECURRENCE-ID:20260608T090000Z", "DTSTART:20260608T090000Z", "STATUS:CANCELLED"],
    )
    assert [each.kind for each in found.occurrences] == ["BUSY", None, "BUSY"]
    assert len(starts(["DTSTART:20260601T090000Z", "RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE:20260608T090000Z"])) == 2


def test_what_is_no_event_has_no_list_and_needs_none():
    assert listed(["DTSTART:20260601T090000Z"], kind="VTODO") == unrolled.NOTHING


def test_it_never_raises():
    chance = random.Random(1)
    for _ in range(400):
        lines = chance.sample(NASTY, chance.randint(1, 5))
        more = [chance.sample(NASTY, 2)] if chance.random() < 0.3 else []
        try:
            found = listed(lines, *more)
        except objects.InvalidCalendarData:
            continue
        assert len(found.occurrences) <= 610


@given(texts.calendar_objects(onward=True))
@settings(max_examples=60, deadline=None)
def test_an_outline_is_the_view_with_all_else_left_out(written):
    def outlined(event):
        return EventFields(event.when, status=event.status, transp=event.transp, attendees=event.attendees)

    obj = objects.parse(written.data)
    whole, outline = view.read(obj), view.outline(obj)
    assert outline.event == outlined(whole.event)
    assert outline.overrides == {key: outlined(each) for key, each in whole.overrides.items()}
    assert (outline.recurrence, outline.cancelled) == (whole.recurrence, whole.cancelled)
