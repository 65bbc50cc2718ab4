# ruff: noqa: DTZ001 - wall-clock times are naive here
"""The lens of Google Tasks (MAPPING.md X-60…X-72) and the laws every lens obeys (R20, R21)."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import Unmappable
from bridge.ical import edit, objects, view
from bridge.ical.fields import EventFields, ObjectFields, Span, TodoFields, When, diff, patch
from bridge.providers.google.todo_mapping import LONGEST_NOTES, LONGEST_TITLE, GoogleTodoLens, item
from bridge.sync.ports import Nests
from tests.support.calendar_fields import texts, todos

VIENNA = GoogleTodoLens("Europe/Vienna")
NOON = dt.datetime(2026, 3, 16, 12)
AT = dt.datetime(2026, 3, 16, 11, 12, 13, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 3, 20, tzinfo=dt.UTC)


def task(**more):
    return {
        "kind": "tasks#task",
        "id": "abc",
        "etag": '"7"',
        "title": "Bread",
        "status": "needsAction",
        "updated": "2026-03-01T11:00:00.123Z",
        "position": "00000000000000000001",
        "links": [],
        **more,
    }


def read(**more):
    return VIENNA.read([item(task(**more))])


def seen(**fields):
    return VIENNA.view(ObjectFields(TodoFields(**fields))).todo


def restored(hub, **change):
    """The hub's to-do after a change that was made at Google."""
    fields = ObjectFields(hub)
    told = VIENNA.restore({("", name): value for name, value in change.items()}, fields)
    return patch(fields, told).todo


def due(year, month, day):
    return Span(None, (dt.date(year, month, day), None))


# --- the laws


@given(todos())
def test_r21_what_is_seen_is_seen_alike(todo):
    once = VIENNA.view(ObjectFields(todo))
    assert VIENNA.view(once) == once


resources = st.fixed_dictionaries(
    {},
    optional={
        "title": texts,
        "notes": texts,
        "status": st.sampled_from(["needsAction", "completed"]),
        "due": st.sampled_from(["2026-03-16T00:00:00.000Z", "2026-12-31T00:00:00Z", "never"]),
        "completed": st.sampled_from(["2026-03-16T11:12:13.456Z", "2026-03-16T23:59:59+02:00", "never"]),
        "hidden": st.booleans(),
        "parent": st.just("xyz"),
    },
)


@given(resources)
def test_r21_what_is_read_is_in_the_form_that_is_seen(resource):
    fields = read(**resource).fields
    assert VIENNA.view(fields) == fields


@given(todos(), todos())
def test_a_remote_change_laid_upon_the_hub_is_seen_as_it_was_made(hub, other):
    """But for what has gone on to its next occurrence, which is the hub's word (X-69)."""
    hub = replace(hub, rules=())
    before, after = (VIENNA.view(ObjectFields(each)) for each in (hub, other))
    told = patch(ObjectFields(hub), VIENNA.restore(diff(before, after), ObjectFields(hub)))
    shown = VIENNA.view(told).todo
    if after.todo.completed is None or hub.status == "CANCELLED":  # it keeps, or never had, a time of its own
        assert replace(shown, completed=None) == replace(after.todo, completed=None)
    else:
        assert shown == after.todo


@given(todos())
def test_s05_what_google_cannot_hold_is_the_hubs(hub):
    told = restored(hub, summary="Rolls", when=due(2026, 5, 1))
    kept = ("location", "classification", "categories", "priority", "url", "rules", "alarms", "parent", "percent")
    assert all(getattr(told, name) == getattr(hub, name) for name in (*kept, "status", "completed"))


@given(todos())
def test_r38_a_change_that_says_what_is_there_changes_no_byte(hub):
    data = edit.compose(ObjectFields(hub), uid="u", now=NOW)
    full = view.read(objects.parse(data))
    seen_there = VIENNA.view(full)
    change = {
        ("", name): getattr(seen_there.todo, name) for name in ("summary", "description", "when", "status", "completed")
    }
    assert edit.apply(data, VIENNA.restore(change, full), now=NOW) == data


# --- row by row


def test_x60_nothing_of_ours_comes_with_a_task():
    found = read()
    assert (found.id, found.uid, found.creation_key, found.version) == ("abc", "", "", '"7"')
    assert found.updated == dt.datetime(2026, 3, 1, 11, 0, 0, 123000, dt.UTC)
    assert not found.organized_elsewhere


def test_x61_a_text_that_is_cut_there_stays_whole_here():
    title, notes = "t" * 1500, "n" * 9000
    hub = TodoFields(summary=title, description=notes)
    there = VIENNA.view(ObjectFields(hub)).todo
    assert (len(there.summary), len(there.description)) == (LONGEST_TITLE, LONGEST_NOTES)
    assert restored(hub, summary=there.summary, description=there.description) == hub
    assert restored(hub, description="short") == replace(hub, description="short")


def test_x61_a_title_is_one_line_there():
    hub = TodoFields(summary="Bread\nand butter")
    assert seen(summary=hub.summary).summary == "Bread and butter"
    assert restored(hub, summary="Bread and butter") == hub
    assert restored(hub, summary="Bread").summary == "Bread"


@pytest.mark.parametrize(
    ("place", "day"),
    [
        ((dt.date(2026, 3, 16), None), 16),
        ((NOON, "Europe/Vienna"), 16),
        ((NOON.replace(hour=23), "America/New_York"), 16),
        ((NOON.replace(hour=23, minute=30), "UTC"), 17),
        ((NOON, None), 16),
    ],
)
def test_x62_a_day_is_all_there_is_and_the_time_of_day_stays_here(place, day):
    hub = TodoFields(Span(None, place))
    assert seen(when=hub.when).when == due(2026, 3, day)
    assert restored(hub, when=due(2026, 3, day)) == hub
    later = restored(hub, when=due(2026, 3, day + 3))
    at, zone = place
    assert later.when == Span(None, (at + dt.timedelta(days=3), zone))
    assert restored(hub, when=Span()).when == Span()


def test_x62_a_day_given_there_is_a_day_here():
    assert restored(TodoFields(), when=due(2026, 3, 16)).when == due(2026, 3, 16)


def test_x63_a_start_is_not_there_and_stays_here():
    hub = TodoFields(Span((NOON, "Europe/Vienna"), (NOON, "Europe/Vienna")))
    assert seen(when=hub.when).when == due(2026, 3, 16)
    assert restored(hub, when=due(2026, 3, 20)).when.start == hub.when.start
    assert restored(hub, when=Span()).when == Span(hub.when.start)
    assert seen(when=Span((NOON, None), None)).when == Span()


@pytest.mark.parametrize(
    ("fields", "there"),
    [
        ({}, "NEEDS-ACTION"),
        ({"status": "NEEDS-ACTION"}, "NEEDS-ACTION"),
        ({"status": "IN-PROCESS", "percent": 100}, "NEEDS-ACTION"),
        ({"status": "NEEDS-ACTION", "completed": AT}, "NEEDS-ACTION"),
        ({"status": "COMPLETED"}, "COMPLETED"),
        ({"status": "CANCELLED"}, "COMPLETED"),
        ({"percent": 100}, "COMPLETED"),
        ({"completed": AT}, "COMPLETED"),
        ({"percent": 99}, "NEEDS-ACTION"),
    ],
)
def test_x64_a_task_is_done_or_not_and_the_finer_word_stays(fields, there):
    hub = TodoFields(**fields)
    assert seen(**fields).status == there
    assert restored(hub, status=there) == hub
    other = "NEEDS-ACTION" if there == "COMPLETED" else "COMPLETED"
    assert (
        seen(**{name: getattr(restored(hub, status=other), name) for name in ("status", "completed", "percent")}).status
        == other
    )


def test_x64_what_was_cancelled_stays_so_while_it_is_done_there():
    hub = TodoFields(status="CANCELLED")
    assert restored(hub, completed=AT, summary="Rolls") == replace(hub, summary="Rolls")
    assert restored(hub, status="NEEDS-ACTION").status == "NEEDS-ACTION"


def test_x65_the_time_of_completion_is_the_one_of_whoever_completed_it():
    hub = TodoFields(status="COMPLETED", completed=AT)
    assert read(status="completed", completed="2026-03-16T11:12:13.987Z").fields.todo.completed == AT
    assert restored(hub, completed=AT) == hub
    assert restored(TodoFields(), status="COMPLETED", completed=AT) == hub
    assert restored(hub, status="NEEDS-ACTION", completed=None) == TodoFields(status="NEEDS-ACTION")
    assert read(status="needsAction", completed="2026-03-16T11:12:13Z").fields.todo.completed is None


def test_x65_a_time_comes_to_nothing_that_is_not_done_here():
    """Reopened here while its time was changed there, and the two were merged."""
    hub = TodoFields(status="IN-PROCESS")
    assert restored(hub, completed=AT) == hub


def test_x66_percent_follows_where_there_is_one():
    assert restored(TodoFields(percent=40), status="COMPLETED", completed=AT).percent == 100
    assert restored(TodoFields(), status="COMPLETED", completed=AT).percent == 0
    assert restored(TodoFields(percent=100), status="NEEDS-ACTION").percent == 0
    assert restored(TodoFields(status="COMPLETED", percent=40), status="NEEDS-ACTION").percent == 40


@pytest.mark.parametrize(
    ("row", "fields"),
    [
        ("x67", {"priority": 1}),
        ("x68", {"categories": ("Home",)}),
        ("x70", {"alarms": ((NOON, "UTC"),)}),
        ("x72", {"url": "https://example.org/"}),
    ],
)
def test_x67_x68_x70_x72_what_a_task_does_not_have(row, fields):
    assert seen(**fields) == seen()


def test_x71_which_task_it_is_a_part_of_is_said_by_the_services_id():
    assert isinstance(VIENNA, Nests)
    assert read(parent="xyz").fields.todo.parent == seen(parent="xyz").parent == "xyz"
    assert restored(TodoFields(parent="abc"), parent="").parent == ""
    assert restored(TodoFields(parent="abc"), summary="Bread").parent == "abc"


def test_x69_done_there_is_one_occurrence_done():
    hub = TodoFields(
        Span((NOON, "Europe/Vienna"), (NOON.replace(hour=13), "Europe/Vienna")),
        summary="Bins",
        status="IN-PROCESS",
        percent=50,
        rules=("RRULE:FREQ=WEEKLY;COUNT=2",),
    )
    week = dt.timedelta(days=7)
    then = restored(hub, status="COMPLETED", completed=AT, summary="The bins")
    assert then == TodoFields(
        Span((NOON + week, "Europe/Vienna"), (NOON.replace(hour=13) + week, "Europe/Vienna")),
        summary="The bins",
        status="NEEDS-ACTION",
        rules=("RRULE:FREQ=WEEKLY;COUNT=1",),
    )
    last = restored(then, status="COMPLETED", completed=AT)
    assert last == replace(then, status="COMPLETED", completed=AT)


def test_x69_another_day_given_with_it_counts_first():
    hub = TodoFields(due(2026, 3, 16), rules=("RRULE:FREQ=WEEKLY",))
    assert restored(hub, status="COMPLETED", when=due(2026, 3, 18)).when == due(2026, 3, 25)


def test_x69_what_is_done_here_is_done_there():
    """Phones move it on themselves; what a phone has completed as a whole is completed."""
    assert seen(status="COMPLETED", rules=("RRULE:FREQ=WEEKLY",)).status == "COMPLETED"


def test_an_event_is_no_to_do():
    event = ObjectFields(EventFields(When(NOON, NOON, "Europe/Vienna")))
    with pytest.raises(Unmappable):
        VIENNA.view(event)
    with pytest.raises(Unmappable):
        VIENNA.read([])


def test_a_task_without_an_etag_is_its_own_version():
    one, same, other = (item(task(etag=None, title=title)).version for title in ("Bread", "Bread", "Rolls"))
    assert one == same != other
