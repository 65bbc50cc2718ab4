"""Where a reader of a task list stands (G-103): nothing falls in between, and a list at rest is asked for nothing."""

import datetime as dt

import pytest

from bridge.errors import CursorLost
from bridge.providers.google.todo_cursor import LISTED_ANEW, OVERLAP, SETTLED, Position

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
THERE = dt.datetime(2031, 7, 1, 3, tzinfo=dt.UTC)
"""The service's clock is another one; what it says counts."""
MINUTE = dt.timedelta(minutes=1)


def listed(*changes, took=dt.timedelta()):
    return Position.of(None, now=NOW).behind(list(changes), None, now=NOW + took)


def resumed(position, now):
    return Position.of(position.dump(), now=now)


def test_a_listing_asks_for_everything():
    at = Position.of(None, now=NOW)
    assert at.listing
    assert at.since is None


def test_g103_the_next_round_begins_before_what_was_seen():
    at = resumed(listed(THERE - MINUTE, THERE, THERE - 9 * MINUTE), NOW + MINUTE)
    assert not at.listing
    assert at.since == THERE - OVERLAP


def test_g103_and_earlier_by_as_much_as_the_listing_took():
    """What was edited behind the reader's back is not later than the last change that was seen, less that time."""
    assert listed(THERE, took=40 * MINUTE).since == THERE - 40 * MINUTE - OVERLAP


def test_g103_a_listing_cut_short_is_resumed_with_its_time_running():
    first = Position.of(None, now=NOW).behind([THERE], "more", now=NOW)
    again = resumed(first, NOW + 90 * MINUTE)
    assert again.listing
    assert again.page == "more"
    end = again.behind([THERE - MINUTE], None, now=NOW + 90 * MINUTE)
    assert end.since == THERE - 90 * MINUTE - OVERLAP


def test_r4_a_list_at_rest_is_asked_for_nothing_and_its_cursor_stands_still():
    at = listed(THERE)
    soon = resumed(at, NOW + MINUTE).behind([THERE], None, now=NOW + MINUTE)
    assert soon == at
    later = resumed(soon, NOW + SETTLED).behind([THERE], None, now=NOW + SETTLED)
    assert later.since > THERE
    latest = resumed(later, NOW + 60 * MINUTE).behind([], None, now=NOW + 60 * MINUTE)
    assert latest.dump() == later.dump()


def test_g103_a_change_is_overlapped_anew():
    at = listed(THERE)
    rested = resumed(at, NOW + SETTLED).behind([], None, now=NOW + SETTLED)
    at = resumed(rested, NOW + 60 * MINUTE).behind([THERE + 50 * MINUTE], None, now=NOW + 60 * MINUTE)
    assert at.since == THERE + 50 * MINUTE - OVERLAP


def test_an_empty_list_is_asked_for_everything_until_there_is_something():
    at = listed()
    assert resumed(at, NOW + SETTLED).behind([], None, now=NOW + SETTLED) == at
    assert at.since is None


def test_g103_once_a_day_everything_is_listed_anew():
    at = listed(THERE)
    resumed(at, NOW + LISTED_ANEW - MINUTE)
    for now in (NOW + LISTED_ANEW, NOW - LISTED_ANEW):
        with pytest.raises(CursorLost):
            resumed(at, now)


def test_a_round_that_goes_on_is_not_cut_off_for_that():
    at = resumed(listed(THERE), NOW + LISTED_ANEW - MINUTE).behind([], "more", now=NOW + LISTED_ANEW - MINUTE)
    assert resumed(at, NOW + 2 * LISTED_ANEW).page == "more"


@pytest.mark.parametrize("cursor", ["", "{}", "[]", "null", '{"listed": 7}', '{"listed": "today"}', "nonsense"])
def test_what_is_no_cursor_is_a_lost_one(cursor):
    with pytest.raises(CursorLost):
        Position.of(cursor, now=NOW)


def test_a_clock_that_was_put_back_shortens_nothing():
    at = Position.of(None, now=NOW).behind([THERE], None, now=NOW - 60 * MINUTE)
    assert at.since == THERE - OVERLAP
