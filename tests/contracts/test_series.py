"""Series: moved and cancelled occurrences, from both sides, named by their original start (R11, R23)."""

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from bridge.errors import VersionMismatch
from bridge.ical import recurrence
from bridge.ical.fields import EventFields, ObjectFields, When
from tests.contracts.bench import Mirror, Typed, reads, wall

KEY = "0123456789abcdefghijklmnopqrstuv"
UID = "series-hub@example.com"
VIENNA = "Europe/Vienna"
START = wall("2026-03-16 09:00")  # a Monday; the clocks change on the 29th
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
WEEK = dt.timedelta(weeks=1)
SPAN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2028, 1, 1, tzinfo=dt.UTC)
WEEKLY = "RRULE:FREQ=WEEKLY;COUNT=6"

# keys of the six: 08:00 UTC until the clocks change, 07:00 UTC afterwards
KEYS = [
    f"2026{day}T0{hour}0000Z"
    for day, hour in zip(("0316", "0323", "0330", "0406", "0413", "0420"), (8, 8, 7, 7, 7, 7), strict=True)
]


def at(number, *, title="Standup", by=dt.timedelta(0)):
    start = START + number * WEEK + by
    return EventFields(When(start, start + HOUR, VIENNA), summary=title)


def series(*, overrides=None, cancelled=(), rule=WEEKLY, master=None):
    return ObjectFields(master or at(0), (rule,), overrides or {}, frozenset(cancelled))


def days(*, overrides=None, cancelled=()):
    first = dt.date(2026, 3, 27)
    master = EventFields(When(first, first + DAY), summary="On call")
    return ObjectFields(master, ("RRULE:FREQ=DAILY;COUNT=5",), overrides or {}, frozenset(cancelled))


def create(bench, fields):
    return bench.remote.lens.read(bench.remote.create(fields, key=KEY, uid=UID))


def update(bench, current, target):
    return bench.remote.lens.read(bench.remote.update(current, target))


def get(bench, id):
    return bench.remote.lens.read(bench.remote.get(id))


def typed(**more):
    return Typed("Standup", START, START + HOUR, VIENNA, **({"rule": "FREQ=WEEKLY;COUNT=6"} | more))


def expected(fields):
    """What our own expansion of these fields says, in the bench's form."""
    seen = []
    for each in recurrence.instances(fields, *SPAN, floating=ZoneInfo(VIENNA)):
        start = each.when.start
        if each.when.all_day:
            seen.append((start.isoformat(), each.fields.summary))
        else:
            moment = start.replace(tzinfo=ZoneInfo(each.when.zone)).astimezone(dt.UTC)
            seen.append((f"{moment:%Y%m%dT%H%M%SZ}", each.fields.summary))
    return sorted(seen)


def assert_same(bench, made, meant):
    """The answer, a later look and the service's own expansion all say what was meant."""
    assert made.fields == bench.remote.lens.view(meant)
    assert get(bench, made.id).fields == made.fields
    assert bench.occurrences(made.id, *SPAN) == expected(meant)
    assert bench.mails() == 0


SHAPES = {
    "plain": series(),
    "endless": series(rule="RRULE:FREQ=WEEKLY;BYDAY=MO"),
    "until": series(rule="RRULE:FREQ=WEEKLY;UNTIL=20260413T070000Z"),
    "moved": series(overrides={KEYS[2]: at(2, by=3 * HOUR)}),
    "renamed": series(overrides={KEYS[1]: at(1, title="Review")}),
    "cancelled": series(cancelled=[KEYS[3]]),
    "moved, renamed and cancelled": series(
        overrides={KEYS[2]: at(2, by=3 * HOUR), KEYS[4]: at(4, title="Review", by=DAY)}, cancelled=[KEYS[1], KEYS[3]]
    ),
    "the first is cancelled": series(cancelled=[KEYS[0]]),
    "the first is moved": series(overrides={KEYS[0]: at(0, by=HOUR)}),
    "all-day": days(),
    "all-day, one renamed, one cancelled": days(
        overrides={"20260329": EventFields(When(dt.date(2026, 3, 29), dt.date(2026, 3, 30)), summary="Swapped")},
        cancelled=["20260330"],
    ),
    "UTC": series(
        master=EventFields(When(START, START + HOUR, "UTC"), summary="Standup"),
        cancelled=["20260330T090000Z"],
    ),
}


@pytest.fixture(params=SHAPES)
def shape(request):
    return SHAPES[request.param]


def test_a_series_is_created_with_all_that_became_of_it(bench, shape, now):
    made = create(bench, shape)
    assert_same(bench, made, shape)
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    assert {id: each.fields for id, each in mirror.objects().items()} == {made.id: made.fields}


def test_a_replayed_creation_finishes_the_same_series(bench, shape):
    first = create(bench, shape)
    second = create(bench, shape)
    assert second.id == first.id
    assert_same(bench, second, shape)


@pytest.mark.parametrize("before", SHAPES)
def test_no_difference_asks_nothing(bench, before):
    made = create(bench, SHAPES[before])
    requests = bench.requests()
    assert update(bench, made, SHAPES[before]).version == made.version
    assert bench.requests() == requests


def test_a_floating_series_takes_place_in_the_calendars_zone(bench):
    """X-04: unless the service can hold it as it is."""
    floating = ObjectFields(
        EventFields(When(START, START + HOUR), summary="Standup"), (WEEKLY,), {}, frozenset({"20260330T090000"})
    )
    made = create(bench, floating)
    assert made.fields == bench.remote.lens.view(floating)
    assert made.fields.master.when.zone in (None, bench.calendar.zone)
    assert len(bench.occurrences(made.id, *SPAN)) == 5


STEPS = {
    "one is moved": (series(), series(overrides={KEYS[2]: at(2, by=3 * HOUR)})),
    "it is moved again": (
        series(overrides={KEYS[2]: at(2, by=3 * HOUR)}),
        series(overrides={KEYS[2]: at(2, by=4 * HOUR)}),
    ),
    "it is moved back": (series(overrides={KEYS[2]: at(2, by=3 * HOUR)}), series()),
    "it is cancelled": (series(overrides={KEYS[2]: at(2, by=3 * HOUR)}), series(cancelled=[KEYS[2]])),
    "one is cancelled": (series(), series(cancelled=[KEYS[3]])),
    "another is cancelled": (series(cancelled=[KEYS[3]]), series(cancelled=[KEYS[3], KEYS[4]])),
    "one is renamed, another stays moved": (
        series(overrides={KEYS[2]: at(2, by=HOUR)}),
        series(overrides={KEYS[2]: at(2, by=HOUR), KEYS[4]: at(4, title="Review")}),
    ),
    "the series is renamed": (series(), series(master=at(0, title="Daily"))),
    "the series is renamed, the moved one is not": (
        series(overrides={KEYS[2]: at(2, by=HOUR)}),
        series(master=at(0, title="Daily"), overrides={KEYS[2]: at(2, by=HOUR)}),
    ),
    "the series is renamed, the moved one too": (
        series(overrides={KEYS[2]: at(2, by=HOUR)}),
        series(master=at(0, title="Daily"), overrides={KEYS[2]: at(2, title="Daily", by=HOUR)}),
    ),
    "it goes on longer": (series(), series(rule="RRULE:FREQ=WEEKLY;COUNT=8")),
    "it goes on longer, with what became of it": (
        series(overrides={KEYS[2]: at(2, by=HOUR)}, cancelled=[KEYS[1]]),
        series(rule="RRULE:FREQ=WEEKLY;COUNT=8", overrides={KEYS[2]: at(2, by=HOUR)}, cancelled=[KEYS[1]]),
    ),
    "it ends sooner": (
        series(overrides={KEYS[1]: at(1, by=HOUR), KEYS[5]: at(5, by=HOUR)}),
        series(rule="RRULE:FREQ=WEEKLY;COUNT=4", overrides={KEYS[1]: at(1, by=HOUR)}),
    ),
    "another day of the week": (
        series(),
        series(rule="RRULE:FREQ=WEEKLY;COUNT=6", master=at(0, by=DAY)),
    ),
    "an hour later, with what became of it": (
        series(overrides={KEYS[2]: at(2, by=3 * HOUR)}, cancelled=[KEYS[1]]),
        series(
            master=at(0, by=HOUR),
            overrides={KEYS[2].replace("T07", "T08"): at(2, by=3 * HOUR)},
            cancelled=[KEYS[1].replace("T08", "T09")],
        ),
    ),
    "a single event becomes a series": (
        ObjectFields(at(0)),
        series(overrides={KEYS[2]: at(2, by=HOUR)}, cancelled=[KEYS[1]]),
    ),
    "a series becomes a single event": (series(overrides={KEYS[2]: at(2, by=HOUR)}), ObjectFields(at(0))),
    "an all-day one is cancelled": (days(), days(cancelled=["20260329"])),
    "an all-day series becomes timed": (
        days(cancelled=["20260329"]),
        series(cancelled=[KEYS[1]]),
    ),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_series_is_brought_to_its_target_in_place(bench, step, now):
    before, target = STEPS[step]
    made = create(bench, before)
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    after = update(bench, made, target)
    assert after.id == made.id
    assert_same(bench, after, target)
    mirror.follow()
    assert {id: each.fields for id, each in mirror.objects().items()} == {after.id: after.fields}


def test_one_occurrence_costs_one_write(bench):
    made = create(bench, series())
    writes = bench.writes()
    update(bench, made, series(overrides={KEYS[2]: at(2, by=3 * HOUR)}))
    assert bench.writes() == writes + 1


def test_a_cancelled_occurrence_takes_place_again(bench):
    """Where the service can undo it; the one that cannot says so before it has changed anything."""
    made = create(bench, series(cancelled=[KEYS[1], KEYS[3]]))
    if not bench.revives:
        with pytest.raises(bench.refusal):
            bench.remote.update(made, series(cancelled=[KEYS[3]]))
        assert get(bench, made.id).fields == made.fields
        return
    after = update(bench, made, series(cancelled=[KEYS[3]]))
    assert_same(bench, after, series(cancelled=[KEYS[3]]))


@reads
def test_r11_what_the_owner_does_to_single_occurrences_is_read(bench, now):
    id = bench.add(typed())
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    assert mirror.objects()[id].fields == bench.remote.lens.view(series())
    bench.move_occurrence(id, START + 2 * WEEK, START + 2 * WEEK + 3 * HOUR, START + 2 * WEEK + 4 * HOUR)
    bench.retitle_occurrence(id, START + 4 * WEEK, "Review")
    bench.remove_occurrence(id, START + WEEK)
    assert mirror.follow() == {id}
    meant = series(
        overrides={KEYS[2]: at(2, by=3 * HOUR), KEYS[4]: at(4, title="Review")},
        cancelled=[KEYS[1]],
    )
    assert mirror.objects()[id].fields == bench.remote.lens.view(meant)
    assert get(bench, id).fields == mirror.objects()[id].fields
    assert bench.occurrences(id, *SPAN) == expected(meant)


def test_an_occurrence_the_owner_has_cancelled_takes_place_again(bench):
    id = bench.add(typed())
    bench.remove_occurrence(id, START + WEEK)
    current = get(bench, id)
    if not bench.revives:
        with pytest.raises(bench.refusal):
            bench.remote.update(current, series())
        return
    assert_same(bench, update(bench, current, series()), series())


def test_r11_an_occurrence_the_owner_moved_is_moved_again_and_cancelled(bench):
    id = bench.add(typed())
    bench.move_occurrence(id, START + 2 * WEEK, START + 2 * WEEK + HOUR, START + 2 * WEEK + 2 * HOUR)
    moved = series(overrides={KEYS[2]: at(2, by=2 * HOUR)})
    current = update(bench, get(bench, id), moved)
    assert_same(bench, current, moved)
    assert_same(bench, update(bench, current, series(cancelled=[KEYS[2]])), series(cancelled=[KEYS[2]]))


def test_the_owner_changes_the_rule(bench, now):
    """Whatever becomes of the exceptions (G-66, M-51): what follows from the pages is what the service shows."""
    made = create(bench, series(overrides={KEYS[2]: at(2, by=HOUR)}, cancelled=[KEYS[1]]))
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    bench.change_rule(made.id, "FREQ=WEEKLY;COUNT=8")
    mirror.follow()
    followed = mirror.objects()[made.id].fields
    assert followed == get(bench, made.id).fields
    assert followed.recurrence == bench.remote.lens.view(series(rule="RRULE:FREQ=WEEKLY;COUNT=8")).recurrence
    assert expected(followed) == bench.occurrences(made.id, *SPAN)


def test_the_owner_moves_the_whole_series(bench, now):
    made = create(bench, series(overrides={KEYS[2]: at(2, by=HOUR)}, cancelled=[KEYS[1]]))
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    bench.reschedule(made.id, START + HOUR, START + 2 * HOUR)
    mirror.follow()
    followed = mirror.objects()[made.id].fields
    assert followed == get(bench, made.id).fields
    assert expected(followed) == bench.occurrences(made.id, *SPAN)


def test_r36_an_occurrence_changed_meanwhile_is_not_overwritten(bench):
    """The series itself may look untouched; its occurrence has a version of its own (R36)."""
    stale = create(bench, series(overrides={KEYS[2]: at(2, by=HOUR)}))
    bench.retitle_occurrence(stale.id, START + 2 * WEEK, "By hand")
    with pytest.raises(VersionMismatch):
        bench.remote.update(stale, series(overrides={KEYS[2]: at(2, by=2 * HOUR)}))
    assert get(bench, stale.id).fields.overrides[KEYS[2]].summary == "By hand"


def test_a_regular_occurrence_changed_meanwhile_is_not_overwritten(bench):
    stale = create(bench, series())
    bench.retitle_occurrence(stale.id, START + 2 * WEEK, "By hand")
    with pytest.raises(VersionMismatch):
        bench.remote.update(stale, series(cancelled=[KEYS[2]]))
    assert get(bench, stale.id).fields.overrides[KEYS[2]].summary == "By hand"


def test_a_series_whose_occurrence_was_edited_is_not_deleted(bench):
    stale = create(bench, series())
    bench.retitle_occurrence(stale.id, START + 2 * WEEK, "By hand")
    with pytest.raises(VersionMismatch):
        bench.remote.delete(stale)
    assert bench.titles() == ["Standup"]


def test_a_deleted_series_leaves_nothing(bench, now):
    made = create(bench, series(overrides={KEYS[2]: at(2, by=HOUR)}, cancelled=[KEYS[1]]))
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    bench.remote.delete(made)
    mirror.follow()
    assert mirror.objects() == {}
    assert bench.titles() == []
    assert bench.mails() == 0
    bench.remote.delete(made)


@reads
def test_the_owner_deletes_the_series(bench, now):
    id = bench.add(typed())
    bench.remove_occurrence(id, START + WEEK)
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    bench.remove(id)
    assert id in mirror.follow()
    assert mirror.objects() == {}


def test_r23_both_edges_of_summer_time_keep_the_wall_clock(bench):
    """R23: nine o'clock stays nine o'clock, in spring and in autumn."""
    first = wall("2026-03-23 09:00")
    master = EventFields(When(first, first + HOUR, VIENNA), summary="Standup")
    fields = series(master=master, rule="RRULE:FREQ=WEEKLY;COUNT=34")
    made = create(bench, fields)
    shown = bench.occurrences(made.id, *SPAN)
    assert shown == expected(fields)
    assert {start[-7:-5] for start, _ in shown} == {"07", "08"}
    assert all(replace(each.when).start.hour == 9 for each in recurrence.instances(made.fields, *SPAN, floating=dt.UTC))
