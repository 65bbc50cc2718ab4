"""Complete listings: cut anywhere, lost anywhere, and what is missing from them."""

from dataclasses import replace

import pytest

from bridge.errors import CursorLost, Unreachable
from bridge.providers.memory import MemoryRemote
from bridge.store.tables import inbox
from tests.support.worlds import at, retitled, tea

EVENTS = 9


def filled(world, **screws):
    """Nine events on both sides, read in pages of two."""
    side = world.pair(page_size=2, **screws)
    for number in range(EVENTS):
        side.calendar.add(tea(f"event {number}"))
    world.settle()
    return side


def everything(*, but=()):
    return [f"event {number}" for number in range(EVENTS) if number not in but]


@pytest.mark.parametrize("cut", range(5))
def test_r5_a_listing_cut_at_any_page_deletes_nothing(world, cut):
    side = filled(world)
    side.calendar.forget_cursors()
    page, pages = side.calendar.request, []

    def request(method):
        pages.append(method)
        # the first page only tells that the cursor is lost; a cut one is asked for thrice
        if len(pages) in range(cut + 2, cut + 5):
            raise Unreachable("cut")
        return page(method)

    side.calendar.request = request
    with pytest.raises(Unreachable):
        world.cycle(side)
    side.calendar.request = page
    assert world.titles() == side.titles() == everything()
    world.settle()
    assert world.titles() == side.titles() == everything()


@pytest.mark.parametrize("times", [1, 2])
def test_r5_a_page_without_an_answer_is_asked_for_again(world, times):
    side = filled(world)
    side.calendar.forget_cursors()
    side.calendar.fail("page", Unreachable("lost"), times=times)
    report = world.cycle(side)
    assert (report.listings, report.hub_writes, report.remote_writes) == (1, 0, 0)
    assert world.titles() == side.titles() == everything()


def test_r5_what_a_whole_listing_leaves_out_is_looked_after_before_it_is_deleted(world):
    class Forgetful(MemoryRemote):
        def page(self, cursor, *, now):
            page = super().page(cursor, now=now)
            return replace(page, items=tuple(item for item in page.items if item.series != forgotten))

    side = filled(world)
    forgotten = side.id_of("event 4")
    side.calendar.forget_cursors()
    world.cycle(side, remote=Forgetful(side.calendar))
    assert side.calendar.requests["get"] == 1
    assert world.titles() == side.titles() == everything()
    world.settle()


@pytest.mark.parametrize("cut", range(1, 5))
def test_r13_deletions_and_edits_while_a_listing_is_cut_and_taken_up_again(world, cut):
    side = filled(world)
    side.calendar.remove(side.id_of("event 3"))
    side.calendar.edit(side.id_of("event 5"), at(tea("event 5"), 15))
    side.calendar.forget_cursors()
    side.calendar.fail("page", Unreachable("cut"), times=3 * cut)
    for _ in range(cut):
        with pytest.raises(Unreachable):
            world.cycle(side)
    world.settle()
    assert world.titles() == side.titles() == everything(but=(3,))
    assert world.hub()[world.uid_of("event 5")] == at(tea("event 5"), 15)
    assert world.rows(inbox) == EVENTS - 1


@pytest.mark.parametrize("lost_behind", range(1, 6))
def test_r13_r14_a_cursor_lost_between_any_two_pages_ends_like_an_unbroken_run(world, lost_behind):
    side = filled(world)
    side.calendar.remove(side.id_of("event 0"))
    side.calendar.forget_cursors()
    request, pages = side.calendar.request, []

    def losing(method):
        pages.append(method)
        if len(pages) == lost_behind + 1:
            side.calendar.forget_cursors()
        return request(method)

    side.calendar.request = losing
    try:
        world.cycle(side)
    except CursorLost:
        assert world.titles() == everything()
    world.settle()
    assert world.titles() == side.titles() == everything(but=(0,))


def test_r13_what_was_deleted_while_the_cursor_was_lost_is_deleted(world_on_each):
    world = world_on_each
    side = filled(world)
    side.calendar.remove(side.id_of("event 3"))
    side.calendar.forget_cursors()
    report = world.cycle(side)
    assert report.listings == 1
    assert world.titles() == everything(but=(3,))
    assert side.calendar.requests["get"] == 1


def test_r13_a_complete_listing_anew_writes_nothing(world_on_each):
    world = world_on_each
    side = filled(world)
    writes, growth = side.calendar.writes, world.growth()
    side.calendar.forget_cursors()
    assert world.cycle(side).idle
    assert side.calendar.writes == writes
    assert world.growth() == growth


def test_r26_what_left_the_window_is_not_deleted(world_on_each):
    world = world_on_each
    side = filled(world)
    side.calendar.leave_window(side.id_of("event 4"))
    world.settle()
    assert world.titles() == side.titles() == everything()
    world.edit(world.uid_of("event 4"), lambda fields: retitled(fields, "event X"))
    world.settle()
    assert "event X" in side.titles()
    assert world.rows(inbox) == EVENTS


def test_r26_however_many_leave_the_window(world):
    side = filled(world)
    for title in everything():
        side.calendar.leave_window(side.id_of(title))
    world.settle()
    assert world.titles() == side.titles() == everything()
