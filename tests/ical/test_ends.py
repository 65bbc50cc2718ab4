"""R-24: a rule ends behind the same occurrence, whenever its series is."""

import datetime as dt

import pytest

from bridge.ical import ends
from bridge.ical.fields import When

VIENNA = "Europe/Vienna"
START = dt.datetime.combine(dt.date(2026, 3, 2), dt.time(9))
NINE = When(START, START + dt.timedelta(hours=1), VIENNA)


def shifted(when=NINE, *, zone=VIENNA, **by):
    delta = dt.timedelta(**by)
    return When(when.start + delta, when.end + delta, zone)


@pytest.mark.parametrize(
    ("rule", "now", "expected"),
    [
        ("FREQ=WEEKLY;UNTIL=20260316T080000Z", shifted(hours=1), "FREQ=WEEKLY;UNTIL=20260316T090000Z"),
        ("FREQ=WEEKLY;UNTIL=20260316T080000Z", shifted(hours=-1), "FREQ=WEEKLY;UNTIL=20260316T070000Z"),
        # the day before its start is the last one of an UNTIL that is a second short
        ("FREQ=DAILY;UNTIL=20260316T075959Z", shifted(hours=1), "FREQ=DAILY;UNTIL=20260315T090000Z"),
        ("FREQ=WEEKLY;UNTIL=20260316", shifted(hours=1), "FREQ=WEEKLY;UNTIL=20260316T090000Z"),
        # over the change to summer time
        ("FREQ=WEEKLY;UNTIL=20260330T070000Z", shifted(hours=1), "FREQ=WEEKLY;UNTIL=20260330T080000Z"),
        # the days follow the start, unless the rule names them
        ("FREQ=WEEKLY;UNTIL=20260316T080000Z", shifted(days=1), "FREQ=WEEKLY;UNTIL=20260317T080000Z"),
        ("FREQ=WEEKLY;BYDAY=MO;UNTIL=20260316T080000Z", shifted(days=1), "FREQ=WEEKLY;BYDAY=MO;UNTIL=20260316T080000Z"),
        # another zone, and none
        ("FREQ=WEEKLY;UNTIL=20260316T080000Z", shifted(zone="UTC"), "FREQ=WEEKLY;UNTIL=20260316T090000Z"),
        ("FREQ=WEEKLY;UNTIL=20260316T080000Z", shifted(zone=None), "FREQ=WEEKLY;UNTIL=20260316T090000"),
        # what becomes all-day
        (
            "FREQ=WEEKLY;UNTIL=20260316T080000Z",
            When(dt.date(2026, 3, 2), dt.date(2026, 3, 3)),
            "FREQ=WEEKLY;UNTIL=20260316",
        ),
        # what has no end, or none that can be read
        ("FREQ=WEEKLY;COUNT=3", shifted(hours=1), "FREQ=WEEKLY;COUNT=3"),
        ("FREQ=WEEKLY;UNTIL=soon", shifted(hours=1), "FREQ=WEEKLY;UNTIL=soon"),
    ],
)
def test_an_end_moves_with_its_series(rule, now, expected):
    assert ends.moved([f"RRULE:{rule}"], NINE, now) == (f"RRULE:{expected}",)


def test_an_end_of_days_moves_by_days():
    was, now = (When(dt.date(2026, 3, day), dt.date(2026, 3, day + 1)) for day in (2, 4))
    assert ends.moved(["RRULE:FREQ=DAILY;UNTIL=20260310"], was, now) == ("RRULE:FREQ=DAILY;UNTIL=20260312",)


def test_other_lines_are_left_alone():
    lines = ("RDATE;TZID=Europe/Vienna:20260320T090000", "RRULE:FREQ=DAILY;COUNT=2")
    assert ends.moved(lines, NINE, shifted(hours=1)) == lines
