"""To-dos: what a VTODO says, and one thing of it changed."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import Unmappable
from bridge.ical import edit, normal, objects, spans, view
from bridge.ical.fields import ObjectFields, Span, TodoFields, diff, from_json, patch, to_json
from tests.support import calendar_fields as some

LAWS = settings(max_examples=60, deadline=None)
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
BERLIN = "Europe/Berlin"


def vtodo(*lines):
    head = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//a phone//EN",
        "BEGIN:VTODO",
        "UID:u",
        "DTSTAMP:20260101T000000Z",
    ]
    return "\r\n".join([*head, *lines, "END:VTODO", "END:VCALENDAR", ""]).encode()


def seen(data):
    return view.read(objects.parse(data)).todo


def wall(text):
    return dt.datetime.fromisoformat(text)


def changed(data, **news):
    return edit.apply(data, {("", name): value for name, value in news.items()}, now=NOW)


def lines_of(data):
    return data.decode().split("\r\n")


def test_everything_a_vtodo_says():
    data = vtodo(
        "SUMMARY:Bread\\, butter", "DESCRIPTION:From the baker", "LOCATION:Town", "STATUS:IN-PROCESS",
        "PERCENT-COMPLETE:40", "PRIORITY:1", "CLASS:PRIVATE", "CATEGORIES:Home,Food", "URL:https://example.org/",
        "DTSTART;TZID=Europe/Berlin:20260302T080000", "DUE;TZID=Europe/Berlin:20260302T180000", "RRULE:FREQ=WEEKLY",
        "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "END:VALARM",
        "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER;RELATED=END:-PT1H", "END:VALARM",
        "BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER;VALUE=DATE-TIME:20260301T070000Z", "END:VALARM",
    )  # fmt: skip
    assert seen(data) == TodoFields(
        Span((wall("2026-03-02T08:00"), BERLIN), (wall("2026-03-02T18:00"), BERLIN)),
        summary="Bread, butter",
        description="From the baker",
        location="Town",
        status="IN-PROCESS",
        percent=40,
        priority=1,
        classification="PRIVATE",
        categories=("Home", "Food"),
        url="https://example.org/",
        rules=("RRULE:FREQ=WEEKLY",),
        alarms=(
            (wall("2026-03-01T07:00"), "UTC"),
            (wall("2026-03-02T07:45"), BERLIN),
            (wall("2026-03-02T17:00"), BERLIN),
        ),
    )


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], Span()),
        (["DUE;VALUE=DATE:20260302"], Span(None, (dt.date(2026, 3, 2), None))),
        (["DTSTART:20260302T080000Z", "DURATION:PT2H"], Span(*((wall(f"2026-03-02T{h}:00"), "UTC") for h in ("08", "10")))),
        (["DTSTART:20260302T080000Z", "DUE:20260301T080000Z"], Span(None, (wall("2026-03-01T08:00"), "UTC"))),
        (
            ["DTSTART;VALUE=DATE:20260302", "DUE:20260303T080000"],
            Span((wall("2026-03-02T00:00"), None), (wall("2026-03-03T08:00"), None)),
        ),
        (["DTSTART:20260302T080000", "DUE;VALUE=DATE:20260303"], Span((dt.date(2026, 3, 2), None), (dt.date(2026, 3, 3), None))),
        (["DUE:soon"], Span()),
    ],
)  # fmt: skip
def test_when_it_is_due(lines, expected):
    assert seen(vtodo(*lines)).when == expected


def test_x65_completed_is_an_instant_whatever_it_is_written_in():
    assert seen(vtodo("COMPLETED:20260302T080000Z")).completed == wall("2026-03-02T08:00+00:00")
    assert seen(vtodo("COMPLETED;VALUE=DATE:20260302")).completed == wall("2026-03-02T00:00+00:00")
    assert seen(vtodo("COMPLETED;TZID=Europe/Berlin:20260302T080000")).completed == wall("2026-03-02T07:00+00:00")


@pytest.mark.parametrize("said", ["101", "-1", "many", "1000000", "٣"])
def test_x66_a_percentage_that_is_none(said):
    assert seen(vtodo(f"PERCENT-COMPLETE:{said}")).percent in (0, 100)


def test_a_tick_touches_what_says_so_alone():
    data = vtodo(
        "X-APPLE-SORT-ORDER:7", "SUMMARY:Bread", "STATUS:NEEDS-ACTION", "DUE;TZID=Europe/Berlin:20260302T180000"
    )
    done = changed(data, status="COMPLETED", completed=NOW, percent=100)
    gone, come = set(lines_of(data)) - set(lines_of(done)), set(lines_of(done)) - set(lines_of(data))
    assert gone == {"STATUS:NEEDS-ACTION", "DTSTAMP:20260101T000000Z"}
    assert come == {
        "STATUS:COMPLETED", "COMPLETED:20260301T120000Z", "PERCENT-COMPLETE:100",
        "DTSTAMP:20260301T120000Z", "LAST-MODIFIED:20260301T120000Z",
    }  # fmt: skip
    undone = changed(done, status="NEEDS-ACTION", completed=None, percent=0)
    assert seen(undone) == seen(data)


def test_x70_an_alarm_that_is_relative_goes_on_to_be_so():
    data = vtodo(
        "DUE;TZID=Europe/Berlin:20260302T180000",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER;RELATED=END:-PT1H",
        "END:VALARM",
    )
    later = changed(data, when=Span(None, (wall("2026-03-05T18:00"), BERLIN)))
    assert "TRIGGER;RELATED=END:-PT1H" in lines_of(later)
    assert seen(later).alarms == ((wall("2026-03-05T17:00"), BERLIN),)


def test_x70_an_alarm_at_another_moment_is_written_in_utc():
    data = vtodo(
        "DUE;TZID=Europe/Berlin:20260302T180000", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT1H", "END:VALARM"
    )
    other = changed(data, alarms=((wall("2026-03-02T09:00"), BERLIN),))
    assert "TRIGGER;VALUE=DATE-TIME:20260302T080000Z" in lines_of(other)
    assert seen(other).alarms == ((wall("2026-03-02T08:00"), "UTC"),)
    assert "BEGIN:VALARM" not in lines_of(changed(other, alarms=()))


def test_x70_one_that_floats_is_written_by_the_time_it_is_due():
    data = vtodo("DUE:20260302T180000")
    assert "TRIGGER;RELATED=END:-PT1H" in lines_of(changed(data, alarms=((wall("2026-03-02T17:00"), None),)))


def test_x07_a_duration_stays_one_where_it_says_when_it_is_due():
    data = vtodo("DTSTART:20260302T080000Z", "DURATION:PT2H")
    moved = Span(*((wall(f"2026-03-09T{hour}:00"), "UTC") for hour in ("08", "10")))
    assert lines_of(changed(data, when=moved))[6:8] == ["DTSTART:20260309T080000Z", "DURATION:PT2H"]
    longer = Span((wall("2026-03-09T08:00"), "UTC"), (wall("2026-03-09T12:00"), "UTC"))
    assert "DUE:20260309T120000Z" in lines_of(changed(data, when=longer))
    assert "DURATION:PT2H" not in lines_of(changed(data, when=longer))


def test_an_occurrence_that_a_client_has_written_down_stays():
    data = vtodo("SUMMARY:Bread", "DTSTART:20260302T080000Z", "RRULE:FREQ=DAILY").replace(
        b"END:VCALENDAR",
        b"BEGIN:VTODO\r\nUID:u\r\nRECURRENCE-ID:20260303T080000Z\r\nSTATUS:COMPLETED\r\nEND:VTODO\r\nEND:VCALENDAR",
    )
    assert changed(data, summary="Rolls").count(b"RECURRENCE-ID:20260303T080000Z\r\nSTATUS:COMPLETED") == 1


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        ((dt.date(2026, 3, 2), None), (dt.date(2026, 3, 9), None)),
        ((wall("2026-03-02T18:00"), BERLIN), (wall("2026-03-09T18:00"), BERLIN)),
        ((wall("2026-03-01T23:30"), "UTC"), (wall("2026-03-08T23:30"), "UTC")),  # half past midnight in Berlin
        ((wall("2026-03-02T18:00"), None), (wall("2026-03-09T18:00"), None)),
        (None, (dt.date(2026, 3, 9), None)),
    ],
)
def test_x62_another_day_at_the_time_of_day_that_it_has(due, expected):
    assert spans.due_on(Span(None, due), dt.date(2026, 3, 9), BERLIN).due == expected


def test_x62_in_summer_it_is_the_same_hour_on_the_clock():
    due = (wall("2026-03-02T17:00"), "UTC")  # 18 h in Berlin
    assert spans.due_on(Span(None, due), dt.date(2026, 4, 6), BERLIN).due == (wall("2026-04-06T16:00"), "UTC")


def test_x63_a_beginning_moves_along_where_it_would_be_behind_the_end():
    when = Span((wall("2026-03-02T08:00"), BERLIN), (wall("2026-03-04T18:00"), BERLIN))
    assert spans.due_on(when, dt.date(2026, 3, 3), BERLIN).start == when.start
    assert spans.due_on(when, dt.date(2026, 3, 1), BERLIN).start == (wall("2026-02-27T08:00"), BERLIN)
    assert spans.due_on(when, None, BERLIN) == Span(when.start)
    assert spans.begins_on(when, dt.date(2026, 3, 3), BERLIN).start == (wall("2026-03-03T08:00"), BERLIN)
    assert spans.begins_on(when, None, BERLIN) == Span(None, when.due)


def test_an_event_is_no_to_do():
    event, todo = (view.read(objects.parse(each)) for each in (EVENT, vtodo()))
    with pytest.raises(Unmappable, match="not a to-do"):
        _ = event.todo
    with pytest.raises(Unmappable, match="not an event"):
        _ = todo.event
    with pytest.raises(Unmappable):
        diff(todo, event)


EVENT = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTART:20260302T080000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"


@given(some.todos())
@LAWS
def test_what_is_composed_reads_back(now, fields):
    data = edit.compose(ObjectFields(fields), uid="u@example.org", now=now)
    assert seen(data) == fields
    assert from_json(to_json(ObjectFields(fields))) == ObjectFields(fields)
    assert normal.todo(fields) == fields


@given(some.todos(), st.integers(0, 1 << 30))
@LAWS
def test_an_empty_change_returns_the_same_bytes(now, refold, fields, seed):
    data = refold(edit.compose(ObjectFields(fields), uid="u", now=now), seed)
    assert edit.apply(data, {}, now=now) == data
    assert edit.apply(data, diff(ObjectFields(fields), view.read(objects.parse(data))), now=now) == data


@given(some.todos(), some.todos(), st.sets(st.sampled_from(sorted(each for each in TodoFields.__slots__))))
@LAWS
def test_a_view_holds_what_was_applied(now, base, other, names):
    data = edit.compose(ObjectFields(base), uid="u", now=now)
    change = {path: value for path, value in diff(ObjectFields(base), ObjectFields(other)).items() if path[1] in names}
    assert seen(edit.apply(data, change, now=now)) == normal.todo(patch(ObjectFields(base), change).todo)


@given(some.todos(), some.todos(), some.todos())
@LAWS
def test_applies_compose(now, one, two, three):
    one, two, three = (ObjectFields(each) for each in (one, two, three))
    at_two = edit.apply(edit.compose(one, uid="u", now=now), diff(one, two), now=now)
    assert seen(edit.apply(at_two, diff(two, three), now=now)) == three.todo


@given(some.spans, some.moments)
@LAWS
def test_spans_are_normal_whatever_day_they_are_put_on(when, at):
    for moved in (spans.due_on(when, at.date(), BERLIN), spans.begins_on(when, at.date(), BERLIN)):
        assert spans.normal(moved) == moved
    assert spans.day(spans.due_on(when, at.date(), BERLIN).due, BERLIN) == at.date()


def test_x71_a_parent_is_named_by_its_uid_and_nobody_is_their_own():
    lines = ("RELATED-TO;RELTYPE=SIBLING:s", "RELATED-TO:u", "RELATED-TO;RELTYPE=PARENT:p", "RELATED-TO:q")
    data = vtodo(*lines)
    assert seen(data).parent == "p"
    assert seen(changed(data, parent="r")).parent == "r"
    assert "RELATED-TO;RELTYPE=PARENT:r" in lines_of(changed(data, parent="r"))
    assert "RELATED-TO;RELTYPE=SIBLING:s" in lines_of(changed(data, parent=""))
    assert seen(changed(data, parent="")).parent == ""
    assert seen(vtodo("RELATED-TO:u")).parent == ""


def test_a_to_do_keeps_what_no_field_tells_of():
    data = vtodo("SUMMARY:Bread", "RELATED-TO:parent", "X-APPLE-SORT-ORDER:7", "ATTACH:https://example.org/")
    fields = view.read(objects.parse(data))
    other = edit.apply(data, diff(fields, replace(fields, master=replace(fields.todo, priority=5))), now=NOW)
    assert set(lines_of(data)) - set(lines_of(other)) == {"DTSTAMP:20260101T000000Z"}
