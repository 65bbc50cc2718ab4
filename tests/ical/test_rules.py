# ruff: noqa: DTZ001 - wall-clock times are naive here
"""Rules that are reckoned here are those that dateutil would find."""

import datetime as dt

import pytest
from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.ical import rules

DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
moments = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2030, 1, 1)).map(lambda at: at.replace(microsecond=0))


def found(rule, since, until):
    return list(rule.occurrences(since=since, until=until, instant=lambda at: at.replace(tzinfo=dt.UTC)))


@given(
    start=moments,
    since=moments,
    length=st.integers(0, 1500),
    interval=st.integers(1, 9),
    week_start=st.sampled_from(["", *DAYS]),
    days=st.sets(st.sampled_from(DAYS)),
    end=st.sampled_from(["", ";COUNT=7", ";UNTIL=20100301T120000Z"]),
    freq=st.sampled_from(["DAILY", "WEEKLY"]),
)
@settings(max_examples=400, deadline=None)
def test_days_and_weeks(start, since, length, interval, week_start, days, end, freq):
    value = f"FREQ={freq};INTERVAL={interval}{end}"
    if week_start:
        value += f";WKST={week_start}"
    if days and freq == "WEEKLY":
        value += ";BYDAY=" + ",".join(sorted(days))
    until = since + dt.timedelta(days=length, hours=3)
    by_dateutil = rrule.rrulestr(value.replace("T120000Z", "T120000"), dtstart=start).between(since, until, inc=True)
    begins = (
        [start]
        if since <= start <= until and (not rules.parse(value, start).until or start <= dt.datetime(2010, 3, 1, 12))
        else []
    )
    if not end.startswith(";COUNT"):  # which counts DTSTART here, as RFC 5545 has it
        assert [at for at in found(rules.parse(value, start), since, until) if at >= since] == sorted(
            {*by_dateutil, *begins}
        )
    elif not days:
        assert [at for at in found(rules.parse(value, start), since, until) if at >= since] == by_dateutil


@pytest.mark.parametrize("start", [dt.date(2026, 6, 1), dt.datetime(2026, 6, 1)])
def test_what_is_remembered_is_what_was_asked_for(start):
    for value in ("FREQ=DAILY", "FREQ=DAILY;" + "X-A=B;" * 50, "FREQ=DAILY"):
        rule = rules.parse(value, start)
        assert (rule.start, rule.by) == (dt.datetime(2026, 6, 1), {})
    timed = rules.parse("FREQ=DAILY;BYHOUR=9", dt.datetime(2026, 6, 1)).by
    assert (timed, rules.parse("FREQ=DAILY;BYHOUR=9", dt.date(2026, 6, 1)).by) == ({"byhour": [9]}, {})
