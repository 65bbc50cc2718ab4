"""Reading: complete listings, pages, what changed since, and a cursor that is lost (R5, R13, R26)."""

import datetime as dt

import pytest

from bridge.errors import CursorLost
from tests.contracts.bench import Mirror, Typed, reads, wall

NOON = wall("2026-03-02 12:00")


def typed(title="Dentist", day=0):
    start = NOON + dt.timedelta(days=day)
    return Typed(title, start, start + dt.timedelta(hours=1))


@pytest.fixture
def mirror(bench, now):
    return Mirror(bench.remote, now)


@reads
def test_an_empty_calendar_lists_nothing_and_gives_a_cursor(bench, mirror):
    mirror.follow()
    assert mirror.objects() == {}
    assert mirror.cursor


@reads
def test_a_complete_listing_holds_every_event_once(bench, mirror):
    ids = [bench.add(typed(f"Meeting {number}", number)) for number in range(7)]
    mirror.follow()
    assert sorted(mirror.objects()) == sorted(ids)
    assert sorted(each.fields.master.summary for each in mirror.objects().values()) == bench.titles()


@reads
def test_a_listing_in_small_pages_is_the_same_listing(bench, mirror, now):
    for number in range(7):
        bench.add(typed(f"Meeting {number}", number))
    mirror.follow()
    bench.page_size(2)
    paged = Mirror(bench.remote, now)
    paged.follow()
    assert paged.pages > mirror.pages
    assert paged.items == mirror.items


@reads
def test_what_happens_while_pages_are_read_is_not_missed(bench, now):
    """The owner goes on while we read (G-32, M-27)."""
    ids = [bench.add(typed(f"Meeting {number}", number)) for number in range(6)]
    bench.page_size(2)
    mirror = Mirror(bench.remote, now)
    first = bench.remote.page(None, now=now)
    assert first.more
    mirror.items, mirror.cursor = {item.id: item for item in first.items}, first.cursor
    for id in ids[:3]:
        bench.retitle(id, f"New {id}")
    bench.remove(ids[3])
    late = bench.add(typed("Late", 9))
    mirror.follow()
    mirror.follow()
    assert sorted(each.fields.master.summary for each in mirror.objects().values()) == bench.titles()
    assert late in mirror.objects()
    assert ids[3] not in mirror.objects()


@reads
def test_a_round_without_changes_names_nothing(bench, mirror):
    bench.add(typed())
    mirror.follow()
    mirror.follow()
    assert mirror.follow() == set()


@reads
def test_an_increment_names_what_is_new_changed_and_gone(bench, mirror):
    kept, changed, gone = (bench.add(typed(title)) for title in ("Kept", "Changed", "Gone"))
    mirror.follow()
    mirror.follow()
    bench.retitle(changed, "Moved to Monday")
    bench.remove(gone)
    new = bench.add(typed("New"))
    named = mirror.follow()
    assert {changed, gone, new} <= named
    assert kept not in named
    assert {id: each.fields.master.summary for id, each in mirror.objects().items()} == {
        kept: "Kept",
        changed: "Moved to Monday",
        new: "New",
    }


@reads
def test_an_older_cursor_still_works(bench, mirror, now):
    """A crash between reading and committing repeats the round (G-34, M-27)."""
    mirror.follow()
    before = mirror.cursor
    id = bench.add(typed())
    assert id in mirror.follow()
    again = Mirror(bench.remote, now)
    again.cursor = before
    assert id in again.follow()


def test_a_forgotten_cursor_is_said_to_be_lost(bench, mirror):
    bench.add(typed())
    mirror.follow()
    bench.forget_cursors()
    if not bench.forgets:
        assert mirror.follow() == set()
        return
    with pytest.raises(CursorLost):
        mirror.follow()


def test_r13_a_cursor_lost_between_two_pages_ends_where_an_unbroken_listing_ends(bench, mirror, now):
    """R13: list anew, and what went meanwhile is simply not there."""
    ids = [bench.add(typed(f"Meeting {number}", number)) for number in range(6)]
    bench.page_size(2)
    page = bench.remote.page(None, now=now)
    bench.remove(ids[0])
    bench.forget_cursors()
    if bench.forgets_listings:
        with pytest.raises(CursorLost):
            bench.remote.page(page.cursor, now=now)
    else:  # this listing comes to its end; it is the next round that has nowhere to go on from
        mirror.items, mirror.cursor = {item.id: item for item in page.items}, page.cursor
        mirror.follow()
        if bench.forgets:
            with pytest.raises(CursorLost):
                mirror.follow()
            mirror = Mirror(bench.remote, now)
    mirror.follow()
    assert sorted(mirror.objects()) == sorted(ids[1:])


@reads
def test_nonsense_for_a_cursor_is_a_lost_cursor(bench, now):
    with pytest.raises(CursorLost):
        bench.remote.page("nonsense", now=now)


@reads
def test_what_get_says_is_what_the_listing_says(bench, mirror):
    series = bench.add(Typed("Standup", NOON, NOON + dt.timedelta(minutes=15), rule="FREQ=DAILY;COUNT=5"))
    bench.remove_occurrence(series, NOON + dt.timedelta(days=1))
    bench.retitle_occurrence(series, NOON + dt.timedelta(days=2), "Retro")
    mirror.follow()
    got = bench.remote.lens.read(bench.remote.get(series))
    listed = mirror.objects()[series]
    assert got.fields == listed.fields
    assert (got.id, got.version, got.uid) == (listed.id, listed.version, listed.uid)
