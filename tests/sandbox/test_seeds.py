"""What the simulated calendars are filled with: enough, all different, around today."""

import datetime as dt

import pytest

from bridge.sandbox.seeds import seeds

TODAY = dt.date(2026, 3, 12)


def day(value):
    return value.date() if isinstance(value, dt.datetime) else value


@pytest.mark.parametrize("count", [1, 22, 40, 2000, 20_000])
def test_no_two_titles_alike_not_even_between_the_lives(count):
    titles = [seed.title for life in ("private", "work") for seed in seeds(life, count, TODAY)]
    assert len(set(titles)) == len(titles) == 2 * count


@pytest.mark.parametrize("life", ["private", "work"])
def test_a_demo_has_something_on_this_week_and_next(life):
    monday = TODAY - dt.timedelta(days=TODAY.weekday())
    weeks = [(day(seed.start) - monday).days // 7 for seed in seeds(life, 40, TODAY)]
    assert weeks.count(0) >= 5
    assert weeks.count(1) >= 4
    assert min(weeks) < 0
    assert max(weeks) >= 3


@pytest.mark.parametrize("life", ["private", "work"])
def test_every_kind_of_event_is_there_and_each_ends_after_it_begins(life):
    made = list(seeds(life, 2000, TODAY))
    assert all(seed.start < seed.end for seed in made)
    assert sum(seed.all_day for seed in made) > 100
    assert sum(seed.weeks > 1 for seed in made) > 50
    assert sum(seed.reminder is not None for seed in made) > 100
    assert max(abs((day(seed.start) - TODAY).days) for seed in made) < 400
