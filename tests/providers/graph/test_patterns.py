"""RRULE ↔ patternedRecurrence, row by row (MAPPING section 3) and by generated rules."""

import datetime as dt
from itertools import islice

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import Unmappable
from bridge.ical.fields import When
from bridge.providers.graph import patterns as patterns_
from bridge.providers.graph.patterns import to_recurrence
from bridge.providers.graph.rules import DAYS, INDEXES, depends_on_counting, first_occurrence, to_lines

VIENNA = "Europe/Vienna"
MONDAY = dt.datetime.fromisoformat("2026-03-02 09:00")
HOUR = dt.timedelta(hours=1)


def wall(text):
    return dt.datetime.fromisoformat(text)


def at(start=MONDAY, zone=VIENNA):
    return When(start, start + HOUR, zone)


def days(start):
    return When(start, start + dt.timedelta(days=1))


def pattern(rule, when=None):
    return to_recurrence([f"RRULE:{rule}"], when or at())["pattern"]


def canonical(rule, when=None):
    when = when or at()
    return to_lines(to_recurrence([f"RRULE:{rule}"], when), when)[0].removeprefix("RRULE:")


def reason(rule, when=None):
    with pytest.raises(Unmappable) as caught:
        to_recurrence([f"RRULE:{rule}"], when or at())
    return str(caught.value)


def test_rule_01_daily():
    assert pattern("FREQ=DAILY;INTERVAL=3") == {"type": "daily", "interval": 3}


def test_rule_02_daily_on_weekdays_is_weekly():
    assert pattern("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR") == {
        "type": "weekly",
        "interval": 1,
        "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
        "firstDayOfWeek": "monday",
    }


@pytest.mark.parametrize(
    "rule",
    ["FREQ=DAILY;BYMONTH=3", "FREQ=DAILY;BYMONTHDAY=2", "FREQ=DAILY;INTERVAL=2;BYDAY=MO,WE", "FREQ=DAILY;BYDAY=1MO"],
)
def test_rule_03_restricted_daily_rules_are_refused(rule):
    assert "daily" in reason(rule)


def test_r34_rule_04_weekly_always_says_where_the_week_starts():
    """RFC 5545's default is monday, Graph's sunday (R34)."""
    assert pattern("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU")["firstDayOfWeek"] == "monday"
    assert pattern("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU")["firstDayOfWeek"] == "sunday"
    assert canonical("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU") == "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=MO,SU"


def test_rule_05_weekly_without_days_is_the_weekday_of_the_start():
    assert pattern("FREQ=WEEKLY")["daysOfWeek"] == ["monday"]
    assert canonical("FREQ=WEEKLY") == "FREQ=WEEKLY;BYDAY=MO"


@pytest.mark.parametrize(
    "rule", ["FREQ=WEEKLY;BYDAY=MO;BYMONTH=3", "FREQ=WEEKLY;BYDAY=1MO", "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=1"]
)
def test_restricted_weekly_rules_are_refused(rule):
    assert "weekly" in reason(rule)


def test_rule_06_monthly_by_day():
    assert pattern("FREQ=MONTHLY;BYMONTHDAY=2") == {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 2}


@pytest.mark.parametrize("day", [29, 30, 31])
def test_rule_07_days_that_some_months_lack_are_refused(day):
    assert "shorter months" in reason(f"FREQ=MONTHLY;BYMONTHDAY={day}", at(wall(f"2026-03-{day:02} 09:00")))


@pytest.mark.parametrize(("listed", "day"), [("28,29", 29), ("28,29,30", 30), ("28,29,30,31", 31)])
def test_rule_07_but_clamping_can_be_said(listed, day):
    start = at(wall(f"2026-03-{day:02} 09:00"))
    assert pattern(f"FREQ=MONTHLY;BYMONTHDAY={listed};BYSETPOS=-1", start)["dayOfMonth"] == day


def test_rule_08_the_last_day_is_day_31():
    last = at(wall("2026-02-28 09:00"))
    assert pattern("FREQ=MONTHLY;BYMONTHDAY=-1", last)["dayOfMonth"] == 31
    assert canonical("FREQ=MONTHLY;BYMONTHDAY=-1", last) == "FREQ=MONTHLY;BYMONTHDAY=-1"


@pytest.mark.parametrize("listed", ["-2", "2,9", "2;BYSETPOS=1"])
def test_rule_09_other_days_of_the_month_are_refused(listed):
    assert reason(f"FREQ=MONTHLY;BYMONTHDAY={listed}")


def test_rule_10_monthly_without_days_is_the_day_of_the_start():
    assert canonical("FREQ=MONTHLY") == "FREQ=MONTHLY;BYMONTHDAY=2"
    assert reason("FREQ=MONTHLY", at(wall("2026-03-31 09:00")))


@pytest.mark.parametrize(("code", "start", "index"), [("1MO", 2, "first"), ("4MO", 23, "fourth"), ("-1MO", 30, "last")])
def test_rule_11_the_nth_weekday(code, start, index):
    assert pattern(f"FREQ=MONTHLY;BYDAY={code}", at(wall(f"2026-03-{start:02} 09:00"))) == {
        "type": "relativeMonthly",
        "interval": 1,
        "daysOfWeek": ["monday"],
        "index": index,
    }


@pytest.mark.parametrize("codes", ["5MO", "-2MO", "1MO,3MO", "MO", "1MO,1TU", "1MO;BYMONTHDAY=2", "1MO;BYSETPOS=1"])
def test_rule_12_other_weekdays_of_a_month_are_refused(codes):
    """ "Fifth" is not "last"."""
    assert reason(f"FREQ=MONTHLY;BYDAY={codes}")


def test_rule_13_the_first_or_last_of_several_weekdays():
    rule = "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"
    found = pattern(rule, at(wall("2026-03-31 09:00")))
    assert (found["index"], len(found["daysOfWeek"])) == ("last", 5)
    assert canonical(rule, at(wall("2026-03-31 09:00"))) == rule
    assert canonical("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1") == "FREQ=MONTHLY;BYDAY=1MO"


def test_rule_13_what_graph_leaves_open_is_marked_to_be_read_back():
    when = at(wall("2026-03-03 09:00"))
    assert depends_on_counting(to_recurrence(["RRULE:FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=2"], when))
    assert not depends_on_counting(to_recurrence(["RRULE:FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1"], at()))


@pytest.mark.parametrize("rule", ["FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=5", "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1,2"])
def test_rule_14_other_positions_are_refused(rule):
    assert reason(rule)


def test_rule_15_16_a_day_of_the_year():
    expected = {"type": "absoluteYearly", "interval": 1, "dayOfMonth": 2, "month": 3}
    assert pattern("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=2") == pattern("FREQ=YEARLY") == expected
    assert canonical("FREQ=YEARLY") == "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=2"
    august = at(wall("2026-08-31 09:00"))
    assert canonical("FREQ=YEARLY;BYMONTH=8;BYMONTHDAY=-1", august) == "FREQ=YEARLY;BYMONTH=8;BYMONTHDAY=31"


def test_rule_15_16_the_29th_of_february_is_refused():
    leap = at(wall("2028-02-29 09:00"))
    assert "years" in reason("FREQ=YEARLY", leap)
    assert "years" in reason("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", leap)
    assert canonical("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", leap) == "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1"


def test_rule_17_a_weekday_of_the_year():
    assert pattern("FREQ=YEARLY;BYMONTH=3;BYDAY=1MO") == {
        "type": "relativeYearly",
        "interval": 1,
        "daysOfWeek": ["monday"],
        "index": "first",
        "month": 3,
    }
    assert canonical("FREQ=YEARLY;BYMONTH=3;BYDAY=1MO") == "FREQ=YEARLY;BYMONTH=3;BYDAY=1MO"


def test_rule_18_evenly_spread_months_are_monthly():
    assert canonical("FREQ=YEARLY;BYMONTH=3,6,9,12;BYMONTHDAY=2") == "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=2"
    assert reason("FREQ=YEARLY;BYMONTH=3,4,9")
    assert reason("FREQ=YEARLY;INTERVAL=2;BYMONTH=3,9")
    assert reason("FREQ=YEARLY;BYMONTH=3,9;BYDAY=MO;BYSETPOS=1"), (
        "the first Monday of the year, not of each of the two months"
    )
    assert reason("FREQ=YEARLY;BYMONTH=1,4,7,10;BYMONTHDAY=2"), "it starts in a month that is not among them"


@pytest.mark.parametrize("part", ["BYDAY=9MO", "BYWEEKNO=10", "BYYEARDAY=61", "BYMONTHDAY=2"])
def test_rule_19_yearly_rules_without_a_month_are_refused(part):
    assert reason(f"FREQ=YEARLY;{part}")


def test_rule_20_monthly_in_some_months_is_refused():
    assert "some months" in reason("FREQ=MONTHLY;BYMONTH=3,4;BYMONTHDAY=2")


@pytest.mark.parametrize(
    "rule", ["FREQ=HOURLY", "FREQ=MINUTELY", "FREQ=SECONDLY", "FREQ=DAILY;BYHOUR=9,15", "FREQ=DAILY;RSCALE=HEBREW"]
)
def test_rule_21_finer_rules_are_refused(rule):
    assert reason(rule)


@pytest.mark.parametrize("said", [";RSCALE=GREGORIAN;SKIP=OMIT", ";X-NOBODY=1", ";INTERVAL=1", ";;"])
def test_what_says_nothing_in_a_rule_is_left_out(said):
    assert to_recurrence([f"RRULE:FREQ=DAILY;COUNT=3{said}"], at()) == to_recurrence(["RRULE:FREQ=DAILY;COUNT=3"], at())


@pytest.mark.parametrize("count", ["0", "-3"])
def test_a_count_below_one_is_one_for_the_start_counts(count):
    assert to_recurrence([f"RRULE:FREQ=DAILY;COUNT={count}"], at())["range"]["numberOfOccurrences"] == 1


def test_rule_23_beyond_what_outlook_counts_to_the_series_ends_on_a_day():
    when = at()
    range_ = to_recurrence(["RRULE:FREQ=DAILY;COUNT=1000"], when)["range"]
    assert (range_["type"], range_["endDate"]) == ("endDate", f"{when.start.date() + dt.timedelta(days=999)}")
    with pytest.raises(Unmappable, match="that far"):
        to_recurrence(["RRULE:FREQ=DAILY;COUNT=100000"], when)


def test_rule_22_long_intervals_are_refused():
    assert "99" in reason("FREQ=DAILY;INTERVAL=100")
    assert pattern("FREQ=DAILY;INTERVAL=99")["interval"] == 99


def test_rule_23_count_is_numbered():
    assert to_recurrence(["RRULE:FREQ=DAILY;COUNT=5"], at())["range"] == {
        "startDate": "2026-03-02",
        "type": "numbered",
        "numberOfOccurrences": 5,
    }


@pytest.mark.parametrize("until", ["20260319T080000Z", "20260322T225959Z", "20260319", "20260320T070000"])
def test_rule_24_until_is_the_day_of_the_last_instance_and_back(until):
    when = at(wall("2026-03-05 09:00"))
    recurrence = to_recurrence([f"RRULE:FREQ=WEEKLY;UNTIL={until}"], when)
    assert recurrence["range"] == {"startDate": "2026-03-05", "type": "endDate", "endDate": "2026-03-19"}
    assert to_lines(recurrence, when) == ("RRULE:FREQ=WEEKLY;BYDAY=TH;UNTIL=20260319T080000Z",)


def test_rule_24_an_until_just_before_an_instance_excludes_it():
    when = at(wall("2026-03-05 09:00"))
    recurrence = to_recurrence(["RRULE:FREQ=WEEKLY;UNTIL=20260319T075959Z"], when)
    assert recurrence["range"]["endDate"] == "2026-03-12"


def test_rule_24_the_local_date_counts():
    """23:30 in New York is the next day in UTC."""
    late = at(wall("2026-03-05 23:30"), "America/New_York")
    recurrence = to_recurrence(["RRULE:FREQ=DAILY;UNTIL=20260308T043000Z"], late)
    assert recurrence["range"]["endDate"] == "2026-03-07"
    assert to_lines(recurrence, late) == ("RRULE:FREQ=DAILY;UNTIL=20260308T043000Z",)


def test_rule_24_all_day():
    when = days(dt.date(2026, 3, 2))
    recurrence = to_recurrence(["RRULE:FREQ=DAILY;INTERVAL=2;UNTIL=20260307"], when)
    assert recurrence["range"]["endDate"] == "2026-03-06"
    assert to_lines(recurrence, when) == ("RRULE:FREQ=DAILY;INTERVAL=2;UNTIL=20260306",)


def test_rule_25_no_end():
    assert to_recurrence(["RRULE:FREQ=DAILY"], at())["range"] == {"startDate": "2026-03-02", "type": "noEnd"}


@pytest.mark.parametrize(
    "rule", ["FREQ=WEEKLY;BYDAY=TU", "FREQ=MONTHLY;BYDAY=2MO", "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=2"]
)
def test_rule_26_a_start_beside_the_rule_is_refused(rule):
    assert "first occurrence" in reason(rule)


@pytest.mark.parametrize(
    "lines",
    [
        ["RRULE:FREQ=DAILY", "RDATE:20260401T090000"],
        ["RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"],
        ["RDATE:20260401T090000"],
        ["RRULE:FREQ=DAILY", "EXRULE:FREQ=WEEKLY"],
    ],
)
def test_rule_28_more_than_one_rule_is_refused(lines):
    with pytest.raises(Unmappable):
        to_recurrence(lines, at())


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "FREQ=",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=x",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=DAILY;UNTIL=soon",
        "FREQ=DAILY;UNTIL=20250101T000000Z",
        "FREQ=DAILY;UNTIL=99991231T235959Z",
        "FREQ=DAILY;COUNT=2;UNTIL=20260401",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=DAILY;WKST=XX",
    ],
)
def test_rule_29_what_cannot_be_read_is_refused_and_never_guessed(rule):
    assert reason(rule)


def test_m43_echoed_fields_that_the_type_does_not_use_are_ignored():
    echoed = {
        "pattern": {
            "type": "daily",
            "interval": 2,
            "month": 0,
            "dayOfMonth": 0,
            "daysOfWeek": [],
            "firstDayOfWeek": "sunday",
            "index": "first",
        },
        "range": {"type": "noEnd", "startDate": "2026-03-02", "endDate": "0001-01-01", "numberOfOccurrences": 0},
    }
    assert to_lines(echoed, at()) == ("RRULE:FREQ=DAILY;INTERVAL=2",)


def test_m45_a_series_begins_at_its_first_match():
    tuesdays = {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"], "firstDayOfWeek": "sunday"},
        "range": {"type": "noEnd", "startDate": "2026-03-02"},
    }
    assert first_occurrence(tuesdays, MONDAY) == wall("2026-03-03 09:00")
    assert first_occurrence(tuesdays, dt.date(2026, 3, 2)) == dt.date(2026, 3, 3)


def test_an_unknown_pattern_type_is_refused():
    with pytest.raises(Unmappable):
        to_lines({"pattern": {"type": "lunar", "interval": 1}, "range": {"type": "noEnd"}}, at())


# --- generated ---------------------------------------------------------------------------------------------------

intervals = st.integers(1, 5)
weekdays = st.lists(st.sampled_from(list(DAYS.values())), min_size=1, max_size=7, unique=True).map(
    lambda names: [name for name in DAYS.values() if name in names]
)
months = st.integers(1, 12)
LENGTHS = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
patterns = st.one_of(
    st.fixed_dictionaries({"type": st.just("daily"), "interval": intervals}),
    st.fixed_dictionaries(
        {
            "type": st.just("weekly"),
            "interval": intervals,
            "daysOfWeek": weekdays,
            "firstDayOfWeek": st.sampled_from(list(DAYS.values())),
        }
    ),
    st.fixed_dictionaries(
        {"type": st.just("absoluteMonthly"), "interval": intervals, "dayOfMonth": st.integers(1, 31)}
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("relativeMonthly"),
            "interval": intervals,
            "daysOfWeek": weekdays,
            "index": st.sampled_from(list(INDEXES.values())),
        }
    ),
    months.flatmap(
        lambda month: st.fixed_dictionaries(
            {
                "type": st.just("absoluteYearly"),
                "interval": intervals,
                "dayOfMonth": st.integers(1, LENGTHS.get(month, 31)),
                "month": st.just(month),
            }
        )
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("relativeYearly"),
            "interval": intervals,
            "daysOfWeek": weekdays,
            "index": st.sampled_from(list(INDEXES.values())),
            "month": months,
        }
    ),
)
starts = st.datetimes(wall("2024-01-01 00:00"), wall("2030-01-01 00:00")).map(
    lambda start: start.replace(second=0, microsecond=0)
)
zones = st.sampled_from([VIENNA, "America/New_York", "Pacific/Kiritimati", "Asia/Kolkata", "UTC"])


def held(pattern, start, zone, end):
    """A pattern and range as Graph would hold them, and where the series starts."""
    start = first_occurrence({"pattern": pattern}, start)
    kind, length = end
    limits = {"type": kind, "startDate": start.date().isoformat()}
    if kind == "numbered":
        limits["numberOfOccurrences"] = 1 + length // 50
    if kind == "endDate":
        limits["endDate"] = (start.date() + dt.timedelta(days=length)).isoformat()
    return {"pattern": pattern, "range": limits}, at(start, zone)


ends = st.tuples(st.sampled_from(["noEnd", "numbered", "endDate"]), st.integers(0, 2000))


@settings(max_examples=150, deadline=None)
@given(st.builds(held, patterns, starts, zones, ends))
def test_pattern_to_rule_to_pattern_is_the_same_pattern(series):
    recurrence, when = series
    again = to_recurrence(to_lines(recurrence, when), when)
    assert again["pattern"] == recurrence["pattern"]
    assert again["range"]["type"] == recurrence["range"]["type"]
    assert again["range"].get("numberOfOccurrences") == recurrence["range"].get("numberOfOccurrences")
    assert to_lines(again, when) == to_lines(recurrence, when)


def expanded(rule, start):
    """The first instances, in UTC; of an endless rule those until 2045, or counting takes minutes."""
    bounded = rule if "COUNT" in rule or "UNTIL" in rule else f"{rule};UNTIL=20450101T000000Z"
    return list(islice(rrulestr(bounded, dtstart=start.replace(tzinfo=dt.UTC)), 40))


numbers = st.integers(-31, 31).filter(bool)
codes = st.tuples(st.sampled_from(["", "", "1", "2", "4", "5", "-1", "-2"]), st.sampled_from(list(DAYS))).map("".join)
parts = st.fixed_dictionaries(
    {"FREQ": st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])},
    optional={
        "INTERVAL": st.integers(1, 4).map(str),
        "WKST": st.sampled_from(["MO", "SU", "WE"]),
        "BYDAY": st.lists(codes, min_size=1, max_size=3, unique=True).map(",".join),
        "BYMONTHDAY": st.one_of(
            st.sampled_from(["28,29", "28,29,30", "-1"]),
            st.lists(numbers, min_size=1, max_size=2).map(lambda n: ",".join(map(str, n))),
        ),
        "BYMONTH": st.one_of(
            st.sampled_from(["1,4,7,10", "6,12"]),
            st.lists(months, min_size=1, max_size=2).map(lambda n: ",".join(map(str, n))),
        ),
        "BYSETPOS": st.sampled_from(["1", "2", "-1", "-2"]),
    },
)


@settings(max_examples=400, deadline=None)
@given(parts, starts, st.sampled_from(["", ";COUNT=7", ";UNTIL=20310607T120000Z"]))
def test_a_rule_is_expanded_alike_or_refused(found, start, end):
    """R-29: never a nearby rule. The start is moved onto the rule, or nearly all would be refused for R-26."""
    rule = "RRULE:" + ";".join(f"{name}={value}" for name, value in found.items())
    try:
        expressible = patterns_._pattern(patterns_._parse(rule), at(start, "UTC"))
    except Unmappable:
        return  # expanding it could take dateutil to the year 9999
    first = first_occurrence({"pattern": expressible}, start)
    when = at(first, "UTC")
    recurrence = to_recurrence([rule + end], when)
    assert recurrence["pattern"] == expressible
    assert expanded(to_lines(recurrence, when)[0], first) == expanded(rule + end, first)
