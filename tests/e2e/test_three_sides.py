"""The main job: whatever is done on one side is on the other two, and then there is quiet.

The hub runs as people run it (``caldav-bridge serve``: web and worker), the phone is the real ``caldav`` client, Google and
Graph are the simulated services over HTTP, connected by their OAuth pages. One hub for all stories: each begins where the one
before it has left an empty calendar.
"""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from tests.contracts.bench import Typed
from tests.e2e import worlds
from tests.e2e.dates import MONDAY, ZONE
from tests.support.hub import wait_for

SIDES = ("caldav", "google", "graph")


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with worlds.opened(tmp_path_factory.mktemp("world")) as opened:
        yield opened


@pytest.fixture
def world(running):
    yield running
    running.sandbox.google.deliveries.drop(0)
    running.sandbox.microsoft.deliveries.drop(0)
    running.clear()


def at(day, hour, minute=0):
    """A wall-clock time ``day`` days after the Monday."""
    return dt.datetime.combine(MONDAY + dt.timedelta(days=day), dt.time(hour, minute))


def shown(start, end, title):
    if isinstance(start, dt.datetime):
        start, end = (
            value.replace(tzinfo=ZoneInfo(ZONE)).astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ") for value in (start, end)
        )
        return start, end, title
    return start.isoformat(), end.isoformat(), title


def weekly(title, count, *, first=0, hour=9):
    """Every week, the same wall-clock time on both sides of a DST change."""
    return {week: shown(at(first + 7 * week, hour), at(first + 7 * week, hour + 1), title) for week in range(count)}


@pytest.mark.parametrize("acting", SIDES)
def test_what_is_done_on_one_side_is_on_the_other_two(world, acting):
    side = world.sides[acting]

    # a single event
    single = side.add(Typed("Dentist", at(1, 10), at(1, 11), zone=ZONE))
    expected = {"single": shown(at(1, 10), at(1, 11), "Dentist")}
    world.shows(expected)

    # a weekly series across a change of the clocks
    series = side.add(Typed("Stand-up", at(0, 9), at(0, 10), zone=ZONE, rule="FREQ=WEEKLY;COUNT=40"))
    expected |= weekly("Stand-up", 40)
    assert len({one[0][9:] for one in weekly("Stand-up", 40).values()}) == 2, "the series must cross a DST change"
    world.shows(expected)

    # one moved, one cancelled occurrence
    side.move_occurrence(series, at(14, 9), at(15, 14), at(15, 15))
    expected[2] = shown(at(15, 14), at(15, 15), "Stand-up")
    world.shows(expected)
    side.remove_occurrence(series, at(28, 9))
    del expected[4]
    world.shows(expected)

    # an all-day event
    day = MONDAY + dt.timedelta(days=3)
    all_day = side.add(Typed("Holiday", day, day + dt.timedelta(days=2), zone=None))
    expected["all-day"] = shown(day, day + dt.timedelta(days=2), "Holiday")
    world.shows(expected)

    # edits: title, time, one occurrence
    side.retitle(single, "Dentist (moved)")
    expected["single"] = shown(at(1, 10), at(1, 11), "Dentist (moved)")
    world.shows(expected)
    side.reschedule(single, at(2, 15, 30), at(2, 16))
    expected["single"] = shown(at(2, 15, 30), at(2, 16), "Dentist (moved)")
    world.shows(expected)
    side.retitle_occurrence(series, at(35, 9), "Stand-up with guests")
    expected[5] = (*expected[5][:2], "Stand-up with guests")
    world.shows(expected)

    # deletions
    side.remove(all_day)
    del expected["all-day"]
    world.shows(expected)
    side.remove(single)
    del expected["single"]
    world.shows(expected)
    side.remove(series)
    world.settle({})

    assert world.mails() == 0


def test_a_change_made_elsewhere_to_what_a_phone_wrote_comes_back_to_the_phone(world):
    phone, google, graph = (world.sides[name] for name in SIDES)
    phone.add(Typed("Lunch", at(1, 12), at(1, 13), zone=ZONE))
    world.shows({0: shown(at(1, 12), at(1, 13), "Lunch")})
    google.retitle(google.find("Lunch"), "Lunch with Kim")
    world.shows({0: shown(at(1, 12), at(1, 13), "Lunch with Kim")})
    graph.reschedule(graph.find("Lunch with Kim"), at(1, 13), at(1, 14))
    world.shows({0: shown(at(1, 13), at(1, 14), "Lunch with Kim")})
    phone.remove(phone.find("Lunch with Kim"))
    world.settle({})
    assert world.mails() == 0


def test_edits_of_different_fields_on_two_sides_at_once_both_stay(world):
    phone, google, graph = (world.sides[name] for name in SIDES)
    phone.add(Typed("Review", at(1, 12), at(1, 13), zone=ZONE))
    world.shows({0: shown(at(1, 12), at(1, 13), "Review")})
    google.retitle(google.find("Review"), "Review of the plan")
    graph.reschedule(graph.find("Review"), at(2, 8), at(2, 9))
    world.settle({0: shown(at(2, 8), at(2, 9), "Review of the plan")})


def test_r30_webhooks_lost_are_made_good_by_the_safety_poll(world):
    world.sandbox.google.deliveries.drop(1000)
    world.sandbox.microsoft.deliveries.drop(1000)
    world.sides["google"].add(Typed("Unheard", at(1, 10), at(1, 11), zone=ZONE))
    for _ in range(2):  # from Google to the hub, and from the hub to Outlook
        world.hub.command("sync", "now")
    wait_for(lambda: world.seen("graph") == [shown(at(1, 10), at(1, 11), "Unheard")])
