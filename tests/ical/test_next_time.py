# ruff: noqa: DTZ001 - wall-clock times are naive here
"""A to-do that recurs moves on when one of its occurrences is done (X-69)."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import Unmappable
from bridge.ical import normal
from bridge.ical.fields import Span, TodoFields
from bridge.ical.next_time import moved_on
from tests.support.calendar_fields import todos

VIENNA = "Europe/Vienna"


def day(number, month=3):
    return (dt.date(2026, month, number), None)


def clock(number, hour, minute=0, zone=VIENNA, month=3):
    return (dt.datetime(2026, month, number, hour, minute), zone)


@pytest.mark.parametrize(
    ("when", "rule", "then", "left"),
    [
        (Span(None, day(16)), "FREQ=WEEKLY", Span(None, day(23)), "FREQ=WEEKLY"),
        (Span(day(14), day(16)), "FREQ=WEEKLY", Span(day(21), day(23)), "FREQ=WEEKLY"),
        (Span(day(16), None), "FREQ=DAILY;INTERVAL=3", Span(day(19), None), "FREQ=DAILY;INTERVAL=3"),
        (Span(None, day(16)), "FREQ=WEEKLY;COUNT=3", Span(None, day(23)), "FREQ=WEEKLY;COUNT=2"),
        (Span(None, day(31)), "FREQ=MONTHLY;COUNT=2;WKST=SU", Span(None, day(31, 5)), "FREQ=MONTHLY;COUNT=1;WKST=SU"),
        (Span(None, day(16)), "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE", Span(None, day(18)), None),
        (Span(None, day(18)), "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE", Span(None, day(30)), None),
        (Span(None, day(17)), "FREQ=WEEKLY;BYDAY=MO", Span(None, day(23)), None),
        (Span(None, day(16)), "FREQ=WEEKLY;UNTIL=20260323", Span(None, day(23)), None),
        (Span(clock(23, 8), clock(23, 9)), "FREQ=WEEKLY", Span(clock(30, 8), clock(30, 9)), None),
        (
            Span(clock(23, 8), clock(23, 8, zone="UTC")),
            "FREQ=WEEKLY",
            Span(clock(30, 8), clock(30, 7, zone="UTC")),
            None,
        ),
        (Span(None, clock(16, 9, zone=None)), "FREQ=DAILY", Span(None, clock(17, 9, zone=None)), None),
        (
            Span(None, clock(16, 9)),
            "FREQ=DAILY;UNTIL=20260317T080000Z",
            Span(None, clock(17, 9)),
            "FREQ=DAILY;UNTIL=20260317T080000Z",
        ),
    ],
)
def test_x69_the_next_occurrence(when, rule, then, left):
    found = moved_on(TodoFields(when, rules=(f"RRULE:{rule}",)))
    assert found == TodoFields(then, rules=(f"RRULE:{left or rule}",))


@pytest.mark.parametrize(
    ("when", "rules"),
    [
        (Span(None, day(16)), ()),
        (Span(), ("RRULE:FREQ=DAILY",)),
        (Span(None, day(16)), ("RRULE:FREQ=WEEKLY;COUNT=1",)),
        (Span(None, day(16)), ("RRULE:FREQ=WEEKLY;UNTIL=20260322",)),
        (Span(None, clock(16, 9)), ("RRULE:FREQ=DAILY;UNTIL=20260317T075959Z",)),
    ],
)
def test_x69_the_last_occurrence_is_the_end_of_it(when, rules):
    assert moved_on(TodoFields(when, rules=rules)) is None


def test_r23_a_time_that_one_day_does_not_have_is_back_on_the_next():
    todo = TodoFields(Span(None, clock(28, 2, 30)), rules=("RRULE:FREQ=DAILY",))
    in_the_gap = moved_on(todo)
    assert in_the_gap.when == Span(None, clock(29, 2, 30))
    assert moved_on(in_the_gap).when == Span(None, clock(30, 2, 30))


def test_x69_alarms_move_with_it():
    todo = TodoFields(
        Span(None, clock(23, 9)), rules=("RRULE:FREQ=WEEKLY",), alarms=(clock(23, 7, zone="UTC"), clock(22, 9))
    )
    assert set(moved_on(todo).alarms) == {clock(30, 6, zone="UTC"), clock(29, 9)}


def test_x69_what_recurs_by_more_than_a_rule_is_left_alone():
    for more in ("RDATE;VALUE=DATE:20260501", "RRULE:FREQ=DAILY", "EXRULE:FREQ=MONTHLY"):
        with pytest.raises(Unmappable):
            moved_on(TodoFields(Span(None, day(16)), rules=("RRULE:FREQ=WEEKLY", more)))
    with pytest.raises(Unmappable):
        moved_on(TodoFields(Span(None, day(16)), rules=("RDATE;VALUE=DATE:20260501",)))


@given(todos(), st.integers(1, 4))
def test_x69_it_moves_on_as_often_as_its_count_says(todo, count):
    todo = normal.todo(
        TodoFields(todo.when, todo.summary, rules=(f"RRULE:FREQ=WEEKLY;COUNT={count}",), alarms=todo.alarms)
    )
    times = 0
    while (following := moved_on(todo)) is not None:
        assert normal.todo(following) == following
        base, after = (each.when.start or each.when.due for each in (todo, following))
        assert after[0] - base[0] == dt.timedelta(days=7)
        todo, times = following, times + 1
    assert times == (count - 1 if todo.when != Span() else 0)
