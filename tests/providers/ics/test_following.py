"""What a page shows of a feed that has changed, and what it does not call deleted (R5, R26)."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import CursorLost
from bridge.providers.ics import following, reading
from bridge.providers.ics.following import Position, Shown, Validators
from tests.support.feeds import event, feed

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
AFTER = Position(Validators('"1"', ""), "digest")


def objects(*events):
    return reading.read(feed(*events)).objects


def follow(cursor, shown, *, size=500, now=NOW):
    """All pages until the end: (ids shown, ids removed, the cursor)."""
    items, removals = [], []
    while True:
        page = following.next_page(Position.from_cursor(cursor), shown, AFTER, size=size, now=now)
        items += [each.id for each in page.items]
        removals += [each.id for each in page.removals]
        assert all(each.certain for each in page.removals)
        cursor = page.cursor
        if not page.more:
            return items, removals, cursor
        assert not removals, "absence counts at the end only"


def day(uid, date, title="Match", more=""):
    return event(uid, f"2026{date}T120000Z", title, more)


def ids(*events):
    return list(objects(*events))


@pytest.mark.parametrize("size", [1, 2, 500])
def test_a_change_shows_what_is_new_changed_and_gone(size):
    before = [day("kept", "0701"), day("changed", "0702"), day("gone", "0703")]
    _, _, cursor = follow(None, objects(*before), size=size)
    after = [day("kept", "0701"), day("changed", "0702", "Moved"), day("new", "0704")]
    items, removals, cursor = follow(cursor, objects(*after), size=size)
    assert sorted(items) == sorted(ids(*after[1:]))
    assert removals == ids(before[2])
    assert follow(cursor, objects(*after)) == ([], [], cursor)


def test_r26_what_falls_off_the_past_end_of_a_window_is_released():
    """A club shows the last four weeks and what is to come."""
    weeks = [day(f"{month:02}{date:02}", f"{month:02}{date:02}") for month in (4, 5, 6) for date in (3, 10, 17, 24)]
    _, _, cursor = follow(None, objects(*weeks), now=dt.datetime(2026, 5, 1, tzinfo=dt.UTC))
    for first in range(1, 7):
        _, removals, cursor = follow(cursor, objects(*weeks[first:]))
        assert removals == [], weeks[first]


def test_a_past_event_that_goes_from_among_others_is_deleted():
    past = [day("a", "0401"), day("b", "0402"), day("c", "0403")]
    _, _, cursor = follow(None, objects(*past))
    _, removals, _ = follow(cursor, objects(past[0], past[2]))
    assert removals == ids(past[1])


def test_an_event_to_come_that_goes_is_deleted_even_if_it_was_the_first():
    _, _, cursor = follow(None, objects(day("a", "0602"), day("b", "0702")))
    _, removals, _ = follow(cursor, objects(day("b", "0702")))
    assert removals == ids(day("a", "0602"))


def test_r26_the_last_event_of_a_window_is_released_too():
    """A season ends, and the feed shows nothing any more."""
    _, _, cursor = follow(None, objects(day("a", "0501"), day("b", "0601", "Today")))
    _, removals, cursor = follow(cursor, objects(), now=NOW + dt.timedelta(days=1))
    assert removals == []
    assert follow(cursor, objects()) == ([], [], cursor)


def test_an_empty_feed_deletes_what_was_to_come():
    """It is legal. Where it is many, the guard asks (R6)."""
    coming = [day("a", "0701"), day("b", "0702")]
    _, _, cursor = follow(None, objects(*coming))
    _, removals, _ = follow(cursor, objects())
    assert sorted(removals) == sorted(ids(*coming))


def test_r26_a_long_event_that_leaves_a_window_by_start_is_released():
    """It ended after a short one that is still shown, but it began before it."""
    long = "UID:long\nDTSTAMP:20260101T000000Z\nDTSTART:20260501T080000Z\nDTEND:20260520T080000Z"
    _, _, cursor = follow(None, objects(long, day("short", "0505")))
    _, removals, _ = follow(cursor, objects(day("short", "0505")))
    assert removals == []


def test_r26_a_series_that_has_ended_is_released_and_an_endless_one_is_deleted():
    ended = day("ended", "0401", "Course", "RRULE:FREQ=WEEKLY;COUNT=4")
    endless = day("endless", "0401", "Standup", "RRULE:FREQ=WEEKLY")
    _, _, cursor = follow(None, objects(ended, endless, day("b", "0515")))
    _, removals, _ = follow(cursor, objects(day("b", "0515")))
    assert removals == ids(endless)


def test_an_old_series_that_is_still_shown_does_not_hold_the_window_open():
    """Outlook shows a window of single events, but series whole, from their first day."""
    series = day("series", "0101", "Standup", "RRULE:FREQ=WEEKLY")
    _, _, cursor = follow(None, objects(series, day("a", "0501"), day("b", "0515")))
    _, removals, _ = follow(cursor, objects(series, day("b", "0515")))
    assert removals == []


@pytest.mark.parametrize(
    "until", ["RRULE:FREQ=DAILY;UNTIL=20260531T120000Z", "RRULE:FREQ=DAILY;COUNT=9", "RRULE:FREQ=DAILY;UNTIL=20260531"]
)
def test_r26_a_series_is_released_right_after_its_last_occurrence(until):
    series = day("series", "0523", "Course", until)
    _, _, cursor = follow(None, objects(series, day("b", "0615")))
    at = dt.datetime(2026, 5, 31, 13, 5, tzinfo=dt.UTC)
    assert follow(cursor, objects(day("b", "0615")), now=at)[1] == []
    assert follow(cursor, objects(day("b", "0615")), now=at - dt.timedelta(days=2))[1] == ids(series)


def test_r26_what_is_to_come_only_drops_a_match_at_its_kick_off():
    _, _, cursor = follow(None, objects(day("a", "0601"), day("b", "0615")))
    kick_off = dt.datetime(2026, 6, 1, 12, 1, tzinfo=dt.UTC)
    assert follow(cursor, objects(day("b", "0615")), now=kick_off)[1] == []
    assert follow(cursor, objects(day("b", "0615")), now=kick_off - dt.timedelta(minutes=2))[1] == ids(day("a", "0601"))


def test_r26_a_day_is_released_when_it_is_over_where_the_feed_is_made():
    """Midnight in Vienna is 22:00 in UTC."""
    today = "UID:day\nDTSTAMP:20260101T000000Z\nDTSTART;VALUE=DATE:20260601"
    _, _, cursor = follow(None, objects(today, day("b", "0615")))
    assert follow(cursor, objects(day("b", "0615")), now=dt.datetime(2026, 6, 1, 22, 5, tzinfo=dt.UTC))[1] == []


def test_what_was_released_may_come_back():
    shown = [day("a", "0501"), day("b", "0515")]
    _, _, cursor = follow(None, objects(*shown))
    _, _, cursor = follow(cursor, objects(shown[1]))
    items, removals, _ = follow(cursor, objects(*shown))
    assert (items, removals) == (ids(shown[0]), [])


def test_what_cannot_be_read_is_never_taken_for_past():
    bad = "UID:bad\nDTSTAMP:20260101T000000Z\nDTSTART:tomorrow"
    _, _, cursor = follow(None, objects(bad, day("b", "0515")))
    _, removals, _ = follow(cursor, objects(day("b", "0515")))
    assert removals == ids(bad)


@pytest.mark.parametrize(
    "cursor",
    ["", "nonsense", "[]", "null", "7", "{}", '{"v":2}', '{"v":1,"etag":"","last_modified":"","digest":"","shown":[]}'],
)
def test_what_is_no_cursor_of_ours_is_a_lost_one(cursor):
    with pytest.raises(CursorLost):
        Position.from_cursor(cursor)


_SHOWN = st.builds(Shown, st.text(max_size=3), st.none() | st.integers(0, 10**8), st.none() | st.integers(0, 10**8))


@given(
    st.builds(
        Position,
        st.builds(Validators, st.text(), st.text()),
        st.text(),
        st.dictionaries(st.text(max_size=4), _SHOWN, max_size=5),
    )
)
def test_a_cursor_is_read_back_as_it_was_written(position):
    assert Position.from_cursor(position.to_cursor()) == position


@given(st.dictionaries(st.text("ab", max_size=3), _SHOWN), st.lists(_SHOWN), st.integers(0, 10**8))
def test_r26_nothing_is_released_that_is_not_over(missing, there, minutes):
    now = dt.datetime.fromtimestamp(minutes * 60, dt.UTC)
    for id in following.released(missing, there, now=now):
        start, end = missing[id].start, missing[id].end
        assert end <= minutes or (start <= minutes and end - start <= 24 * 60)
