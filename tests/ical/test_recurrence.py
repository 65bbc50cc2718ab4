# ruff: noqa: DTZ001, DTZ007, E501 - wall-clock times are naive here
"""Recurrence sets: against RFC 5545, and against recurring-ical-events over the bytes we compose (R23)."""

import datetime as dt
import time
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
import recurring_ical_events
from icalendar import Calendar

from bridge.errors import Unmappable
from bridge.ical import edit, recurrence, times
from bridge.ical.fields import EventFields, ObjectFields, When
from bridge.ical.recurrence import instances, keys, normalize, occurs, regular

TOKYO = ZoneInfo("Asia/Tokyo")


def series(start, *rules, zone="America/New_York", length=dt.timedelta(hours=1), **more):
    end = start + length
    return ObjectFields(EventFields(When(start, end, zone if isinstance(start, dt.datetime) else None)), rules, **more)


def span(fields, start, end, floating=dt.UTC):
    return instances(fields, start.replace(tzinfo=dt.UTC), end.replace(tzinfo=dt.UTC), floating=floating)


def starts(fields, limit=40):
    """Local starts of the first instances."""
    found = []
    for key in keys(fields):
        found.append(regular(fields, key).start)
        if len(found) == limit:
            break
    return found


def at(text):
    return [dt.datetime.strptime(each, "%Y%m%dT%H%M") for each in text.split()]


NINE = dt.datetime(1997, 9, 2, 9)


@pytest.mark.parametrize(
    ("start", "rule", "first"),
    [  # the examples of RFC 5545 §3.8.5.3
        (NINE, "FREQ=DAILY;INTERVAL=10;COUNT=5", "19970902T0900 19970912T0900 19970922T0900 19971002T0900 19971012T0900"),
        (NINE, "FREQ=WEEKLY;INTERVAL=2;WKST=SU", "19970902T0900 19970916T0900 19970930T0900 19971014T0900"),
        (NINE, "FREQ=WEEKLY;UNTIL=19970912T000000Z;WKST=SU;BYDAY=TU,TH", "19970902T0900 19970904T0900 19970909T0900 19970911T0900"),
        (dt.datetime(1997, 8, 5, 9), "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "19970805T0900 19970810T0900 19970819T0900 19970824T0900"),
        (dt.datetime(1997, 8, 5, 9), "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "19970805T0900 19970817T0900 19970819T0900 19970831T0900"),
        (dt.datetime(1997, 9, 5, 9), "FREQ=MONTHLY;COUNT=4;BYDAY=1FR", "19970905T0900 19971003T0900 19971107T0900 19971205T0900"),
        (dt.datetime(1997, 9, 22, 9), "FREQ=MONTHLY;COUNT=3;BYDAY=-2MO", "19970922T0900 19971020T0900 19971117T0900"),
        (dt.datetime(1997, 9, 28, 9), "FREQ=MONTHLY;BYMONTHDAY=-3", "19970928T0900 19971029T0900 19971128T0900"),
        (dt.datetime(1997, 9, 30, 9), "FREQ=MONTHLY;COUNT=4;BYMONTHDAY=1,-1", "19970930T0900 19971001T0900 19971031T0900 19971101T0900"),
        (dt.datetime(1997, 1, 1, 9), "FREQ=YEARLY;INTERVAL=3;COUNT=4;BYYEARDAY=1,100,200", "19970101T0900 19970410T0900 19970719T0900 20000101T0900"),
        (dt.datetime(1997, 5, 19, 9), "FREQ=YEARLY;BYDAY=20MO", "19970519T0900 19980518T0900 19990517T0900"),
        (dt.datetime(1997, 5, 12, 9), "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "19970512T0900 19980511T0900 19990517T0900"),
        (dt.datetime(1998, 2, 13, 9), "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "19980213T0900 19980313T0900 19981113T0900 19990813T0900 20001013T0900"),
        (dt.datetime(1996, 11, 5, 9), "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "19961105T0900 20001107T0900 20041102T0900"),
        (dt.datetime(1997, 9, 4, 9), "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "19970904T0900 19971007T0900 19971106T0900"),
        (NINE, "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z", "19970902T0900 19970902T1200 19970902T1500"),
        (NINE, "FREQ=MINUTELY;INTERVAL=90;COUNT=4", "19970902T0900 19970902T1030 19970902T1200 19970902T1330"),
        # what dateutil alone does otherwise
        (dt.datetime(1997, 5, 14, 9), "FREQ=YEARLY;BYWEEKNO=20", "19970514T0900 19980513T0900"),
        (dt.datetime(2026, 1, 7, 9), "FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=1", "20260107T0900 20260112T0900 20260119T0900"),
        (dt.datetime(2026, 1, 7, 9), "FREQ=WEEKLY;BYDAY=MO;COUNT=3", "20260107T0900 20260112T0900 20260119T0900"),
        (dt.datetime(2026, 1, 31, 9), "FREQ=MONTHLY;COUNT=3", "20260131T0900 20260331T0900 20260531T0900"),
        (dt.datetime(2024, 2, 29, 9), "FREQ=YEARLY", "20240229T0900 20280229T0900"),
        # an UNTIL is an instant; a date means all of that day
        (NINE, "FREQ=DAILY;UNTIL=19970904T130000Z", "19970902T0900 19970903T0900 19970904T0900"),
        (NINE, "FREQ=DAILY;UNTIL=19970904T125959Z", "19970902T0900 19970903T0900"),
        (NINE, "FREQ=DAILY;UNTIL=19970904T090000", "19970902T0900 19970903T0900 19970904T0900"),
        (NINE, "FREQ=DAILY;UNTIL=19970904", "19970902T0900 19970903T0900 19970904T0900"),
        (NINE, "FREQ=DAILY;UNTIL=19970901T000000Z", ""),
        (NINE, "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "19970902T0900"),
    ],
)  # fmt: skip
def test_rules(start, rule, first):
    expected = at(first)
    assert starts(series(start, f"RRULE:{rule}"), len(expected) or 1) == expected


def test_all_day_rules_ignore_times_of_day():
    fields = series(
        dt.date(2026, 3, 28), "RRULE:FREQ=DAILY;BYHOUR=9;UNTIL=20260330T215959Z", length=dt.timedelta(days=2)
    )
    assert list(keys(fields)) == ["20260328", "20260329", "20260330"]
    assert regular(fields, "20260329") == When(dt.date(2026, 3, 29), dt.date(2026, 3, 31))


def test_dates_periods_and_exception_rules():
    fields = series(
        dt.datetime(2026, 3, 27, 9),
        "RRULE:FREQ=DAILY;COUNT=4",
        "RRULE:FREQ=WEEKLY;COUNT=2",
        "RDATE;TZID=Europe/Berlin:20260401T150000,20260327T140000",
        "RDATE;VALUE=PERIOD:20260402T130000Z/PT3H,20260403T130000Z/20260403T150000Z",
        "RDATE;VALUE=DATE:20260404",
        "EXRULE:FREQ=DAILY;BYDAY=SA",
    )
    there = list(keys(fields))
    assert there == [
        "20260327T130000Z", "20260329T130000Z", "20260330T130000Z", "20260401T130000Z", "20260402T130000Z",
        "20260403T130000Z", *there[6:],
    ]  # fmt: skip
    assert there[6:] == []  # the 28th and the 4th of April are Saturdays; the daily and the weekly start are one
    assert regular(fields, "20260402T130000Z").end == dt.datetime(2026, 4, 2, 12)
    assert regular(fields, "20260403T130000Z").end == dt.datetime(2026, 4, 3, 11)
    assert occurs(fields, "20260401T130000Z")
    assert not occurs(fields, "20260328T130000Z")
    assert not occurs(fields, "20260327")


PLACES = [
    "Africa/Cairo", "Africa/Casablanca", "America/Asuncion", "America/Havana", "America/Los_Angeles", "America/New_York",
    "America/Nuuk", "America/Santiago", "America/St_Johns", "Asia/Beirut", "Asia/Jerusalem", "Asia/Kolkata",
    "Atlantic/Azores", "Australia/Adelaide", "Australia/Lord_Howe", "Australia/Sydney", "Europe/Berlin", "Europe/Dublin",
    "Europe/Kyiv", "Europe/Lisbon", "Europe/London", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Kiritimati",
]  # fmt: skip
HOURS = [dt.time(0, 0), dt.time(0, 30), dt.time(1, 15), dt.time(2, 0), dt.time(2, 30), dt.time(3, 0), dt.time(23, 45)]


def oracle(data, start, end):
    """recurring-ical-events' starts as UTC instants."""
    found = recurring_ical_events.of(Calendar.from_ical(data)).between(start, end)
    return sorted(event["DTSTART"].dt.astimezone(dt.UTC) for event in found)


@pytest.mark.parametrize(("zone", "viewer"), list(zip(PLACES, PLACES[7:] + PLACES[:7], strict=True)))
def test_r23_instances_across_both_changes_of_the_clock(zone, viewer, now):
    """Wall-clock time stays in the organiser's zone, in gaps and repeated hours too, whoever looks from wherever."""
    start, end = (dt.datetime(y, m, 1, tzinfo=ZoneInfo(viewer)) for y, m in ((2026, 2), (2026, 12)))
    for hour in HOURS:
        fields = series(dt.datetime.combine(dt.date(2026, 1, 30), hour), "RRULE:FREQ=DAILY", zone=zone)
        ours = instances(fields, start, end, floating=ZoneInfo(viewer))
        theirs = oracle(edit.compose(fields, uid="u", now=now), start, end)
        begins = [times.instant(each.when.start, zone, floating=dt.UTC) for each in ours]
        # one that begins before the window and reaches into it is in both
        assert begins == theirs
        assert [each.key for each in ours] == [times.instance_key(moment) for moment in begins]
        for each in ours:
            wall = each.when.start
            shown = times.wall(times.instant(wall, zone, floating=dt.UTC), zone)
            assert wall == shown, "a clock never shows a time in a gap"
            length = times.instant(each.when.end, zone, floating=dt.UTC) - times.instant(wall, zone, floating=dt.UTC)
            assert length in (dt.timedelta(hours=1), dt.timedelta(0)) or wall.hour in (0, 1, 2)
            assert regular(fields, each.key) == each.when


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=WEEKLY;BYDAY=SA,SU;INTERVAL=2;WKST=SU",
        "FREQ=MONTHLY;BYDAY=-1SU;COUNT=30",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU",
        "FREQ=DAILY;INTERVAL=5;UNTIL=20270401T000000Z",
        "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1",
    ],
)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "UTC", "Australia/Lord_Howe"])
def test_moved_and_cancelled_instances_over_two_years(rule, zone, now):
    fields = series(dt.datetime(2026, 3, 29, 2, 30), f"RRULE:{rule}", zone=zone)
    there = [key for key, _ in zip(keys(fields), range(8), strict=False)]
    moved = replace(fields.master, when=When(dt.datetime(2026, 5, 5, 12), dt.datetime(2026, 5, 5, 13), "Asia/Tokyo"))
    fields = replace(fields, overrides={there[3]: moved}, cancelled=frozenset({there[1], there[5]}))
    start, end = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2028, 1, 1, tzinfo=dt.UTC)
    ours = instances(fields, start, end, floating=dt.UTC)
    assert [times.instant(each.when.start, each.when.zone, floating=dt.UTC) for each in ours] == oracle(
        edit.compose(fields, uid="u", now=now), start, end
    )
    assert there[3] in {each.key for each in ours}
    assert not {there[1], there[5]} & {each.key for each in ours}


def test_an_override_is_found_where_it_was_moved_to():
    fields = series(dt.datetime(2026, 3, 1, 9), "RRULE:FREQ=WEEKLY")
    far = replace(fields.master, when=When(dt.datetime(2027, 7, 1, 9), dt.datetime(2027, 7, 1, 10), "UTC"))
    fields = replace(fields, overrides={"20260308T130000Z": far})
    assert [each.key for each in span(fields, dt.datetime(2027, 7, 1), dt.datetime(2027, 7, 2))] == ["20260308T130000Z"]
    assert span(fields, dt.datetime(2026, 3, 8), dt.datetime(2026, 3, 9)) == []


def test_what_is_cancelled_does_not_take_place():
    """X-18"""
    fields = series(dt.datetime(2026, 3, 1, 9), "RRULE:FREQ=DAILY;COUNT=3")
    gone = replace(fields, overrides={"20260302T140000Z": replace(fields.master, status="CANCELLED")})
    assert len(span(gone, dt.datetime(2026, 1, 1), dt.datetime(2027, 1, 1))) == 2
    assert (
        span(
            replace(fields, master=replace(fields.master, status="CANCELLED")),
            dt.datetime(2026, 1, 1),
            dt.datetime(2027, 1, 1),
        )
        == []
    )


@pytest.mark.parametrize(
    ("length", "start", "end", "found"),
    [  # RFC 4791 §9.9: DTSTART is 14:00Z
        (60, "20260301T1500", "20260301T1600", False),
        (60, "20260301T1459", "20260301T1600", True),
        (60, "20260301T1300", "20260301T1400", False),
        (60, "20260301T1300", "20260301T1401", True),
        (0, "20260301T1400", "20260301T1500", True),
        (0, "20260301T1300", "20260301T1400", False),
        (0, "20260301T1401", "20260301T1500", False),
    ],
)
def test_a_window_is_half_open(length, start, end, found):
    fields = series(dt.datetime(2026, 3, 1, 9), length=dt.timedelta(minutes=length))
    assert bool(span(fields, *at(f"{start} {end}"))) is found


def test_all_day_and_floating_are_where_the_viewer_is():
    day = series(dt.date(2026, 3, 29), length=dt.timedelta(days=1))
    nine = series(dt.datetime(2026, 3, 29, 9), zone=None)
    window = at("20260328T1500 20260328T1600")  # 29 March 00:00 to 01:00 in Tokyo
    assert [each.key for each in span(day, *window, floating=TOKYO)] == ["20260329"]
    assert span(day, *window) == []
    assert [each.key for each in span(nine, *at("20260329T0000 20260329T0001"), floating=TOKYO)] == ["20260329T090000"]


def test_lengths_over_a_change_of_the_clock():
    """RFC 5545 §3.8.5.3: the same exact length; but a whole day stays one (X-07)."""
    night = series(dt.datetime(2026, 3, 27, 22), "RRULE:FREQ=DAILY", zone="Europe/Berlin", length=dt.timedelta(hours=8))
    assert regular(night, "20260328T210000Z").end == dt.datetime(2026, 3, 29, 7)
    day = series(dt.datetime(2026, 3, 27, 22), "RRULE:FREQ=DAILY", zone="Europe/Berlin", length=dt.timedelta(days=1))
    assert regular(day, "20260328T210000Z").end == dt.datetime(2026, 3, 29, 22)


def test_normalize():
    fields = series(dt.datetime(2026, 3, 28, 2, 30), "RRULE:FREQ=DAILY;COUNT=5", zone="Europe/Berlin")
    there = list(keys(fields))
    same = replace(fields.master, when=regular(fields, there[1]))
    in_the_gap = replace(
        same, when=When(dt.datetime(2026, 3, 29, 2, 30), dt.datetime(2026, 3, 29, 4, 30), "Europe/Berlin")
    )
    other = replace(same, summary="x")
    strange = replace(
        fields,
        overrides={
            there[1]: same, there[2]: other, there[3]: replace(other, status="CANCELLED"), "20270101T000000Z": other,
            "20260330": other,
        },
        cancelled=frozenset({there[4], "20260328T020000Z", "20260328"}),
    )  # fmt: skip
    assert normalize(strange) == replace(fields, overrides={there[2]: other}, cancelled=frozenset(there[3:5]))
    assert normalize(replace(fields, overrides={there[1]: in_the_gap})) == fields
    assert normalize(normalize(strange)) == normalize(strange)


def test_what_cannot_be_enumerated():
    for rule in (
        "RSCALE=CHINESE;FREQ=YEARLY",
        "FREQ=OFTEN",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=MONTHLY;BYDAY=XX",
        "COUNT=3",
        "FREQ=DAILY;UNTIL=soon",
        "FREQ=DAILY;BYHOUR=99",
    ):
        fields = series(NINE, f"RRULE:{rule}", cancelled=frozenset({"19970903T130000Z"}))
        with pytest.raises(Unmappable):
            list(keys(fields))
        assert normalize(fields) == fields
    with pytest.raises(Unmappable):
        list(keys(series(dt.date(2026, 1, 1), "RRULE:FREQ=HOURLY", length=dt.timedelta(days=1))))
    with pytest.raises(ValueError, match="no instance"):
        regular(series(NINE), "19970902")


@pytest.mark.parametrize(
    "rule",
    ["FREQ=SECONDLY", "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYSETPOS=2", "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
     "FREQ=SECONDLY;BYHOUR=3;BYMONTH=2;BYMONTHDAY=30", "FREQ=SECONDLY;INTERVAL=86399;BYSETPOS=2", "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6", "FREQ=WEEKLY;COUNT=2000000000"],
)  # fmt: skip
def test_a_hostile_rule_takes_no_time(rule):
    fields = series(dt.datetime(1970, 1, 2, 9), f"RRULE:{rule}", zone="Europe/Berlin")
    began = time.process_time()
    span(fields, dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 2))
    assert time.process_time() - began < 10


def test_a_series_is_not_followed_from_its_beginning():
    fields = series(dt.datetime(1990, 1, 1, 9), "RRULE:FREQ=DAILY;INTERVAL=3;BYHOUR=9,17")
    began = time.process_time()
    for year in range(2020, 2030):
        assert len(span(fields, dt.datetime(year, 1, 1), dt.datetime(year, 1, 31))) in (20, 21)
    assert time.process_time() - began < 0.5
    full = {
        times.instance_key(dt.datetime(1990, 1, 1, 9, tzinfo=dt.UTC) + dt.timedelta(days=3 * n)) for n in range(5000)
    }
    utc = series(dt.datetime(1990, 1, 1, 9), "RRULE:FREQ=DAILY;INTERVAL=3", zone="UTC")
    assert {each.key for each in span(utc, dt.datetime(2026, 1, 1), dt.datetime(2027, 1, 1))} == {
        key for key in full if key.startswith("2026")
    }


def test_sub_daily_rules_over_a_gap_name_no_instance_twice():
    fields = series(dt.datetime(2026, 3, 29, 0, 30), "RRULE:FREQ=HOURLY;COUNT=6", zone="Europe/Berlin")
    there = list(keys(fields))
    assert len(there) == len(set(there)) == 5
    assert recurrence.occurs(fields, there[-1])
