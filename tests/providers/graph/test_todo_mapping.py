# ruff: noqa: DTZ001 - wall-clock times are naive here
"""The lens of Microsoft To Do (MAPPING.md X-60…X-72) and the laws every lens obeys (R20, R21)."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import Unmappable
from bridge.ical import edit, objects, view
from bridge.ical.fields import EventFields, ObjectFields, Span, TodoFields, When, diff, patch
from bridge.providers.graph.mapping import item
from bridge.providers.graph.todo_mapping import GraphTodoLens
from tests.support.calendar_fields import texts, todos

KEY = "0123456789abcdefghijklmnopqrstuv"
BERLIN = GraphTodoLens("Europe/Berlin")
ZONES = ["Europe/Berlin", "America/New_York", "Pacific/Auckland", "Pacific/Kiritimati", "Asia/Kolkata", "UTC"]
lenses = st.sampled_from(ZONES).map(GraphTodoLens)
AT = dt.datetime(2026, 3, 16, 11, 12, 13, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 3, 20, tzinfo=dt.UTC)
MONDAY = dt.date(2026, 3, 16)
WEEK = dt.timedelta(days=7)
WEEKLY = "RRULE:FREQ=WEEKLY;BYDAY=MO"


def task(**more):
    return {"id": "abc", "@odata.etag": 'W/"7"', "title": "Bread", "status": "notStarted", **more}


def at(text, zone="UTC"):
    return {"dateTime": f"{text}.0000000", "timeZone": zone}


def read(lens=BERLIN, **more):
    return lens.read([item(task(**more))])


def told(**more):
    return read(**more).fields.todo


def seen(**fields):
    return BERLIN.view(ObjectFields(TodoFields(**fields))).todo


def restored(hub, **change):
    """The hub's to-do after a change that was made in To Do."""
    fields = ObjectFields(hub)
    return patch(fields, BERLIN.restore({("", name): value for name, value in change.items()}, fields)).todo


def due(day):
    return Span(None, (day, None))


def both(day):
    return Span((day, None), (day, None))


def timed(day=16, hour=18, zone="Europe/Berlin"):
    return Span(None, (dt.datetime(2026, 3, day, hour), zone))


# --- the laws


@given(lenses, todos())
def test_r21_what_is_seen_is_seen_alike(lens, todo):
    once = lens.view(ObjectFields(todo))
    assert lens.view(once) == once


def _pattern(kind, **more):
    unused = {"month": 0, "dayOfMonth": 0, "firstDayOfWeek": "sunday", "index": "first"}
    return {**unused, "type": kind, "interval": 2, **more}


days = st.sampled_from(["2026-03-16T00:00:00", "2026-12-30T23:00:00", "2026-07-01T10:00:00", "never"]).map(at)
recurrences = st.fixed_dictionaries(
    {
        "pattern": st.sampled_from(
            [
                _pattern("daily"),
                _pattern("weekly", daysOfWeek=["monday", "wednesday"]),
                _pattern("absoluteMonthly", dayOfMonth=31),
                _pattern("relativeMonthly", daysOfWeek=["friday"], index="last"),
                _pattern("absoluteYearly", dayOfMonth=29, month=2),
                _pattern("hourly"),
            ]
        ),
        "range": st.sampled_from(
            [
                {"type": "noEnd", "startDate": "2026-01-05", "endDate": "0001-01-01", "numberOfOccurrences": 0},
                {"type": "endDate", "startDate": "2026-01-05", "endDate": "2027-02-01", "numberOfOccurrences": 0},
                {"type": "numbered", "startDate": "2026-01-05", "endDate": "0001-01-01", "numberOfOccurrences": 30},
            ]
        ),
    }
)
resources = st.fixed_dictionaries(
    {},
    optional={
        "title": texts,
        "body": st.builds(dict, content=texts, contentType=st.sampled_from(["text", "html"])),
        "status": st.sampled_from(["notStarted", "inProgress", "completed", "waitingOnOthers", "deferred"]),
        "dueDateTime": days,
        "startDateTime": days,
        "completedDateTime": days,
        "reminderDateTime": days,
        "isReminderOn": st.booleans(),
        "importance": st.sampled_from(["low", "normal", "high"]),
        "categories": st.lists(texts, max_size=2),
        "recurrence": st.none() | recurrences,
    },
)


@given(lenses, resources)
def test_r21_what_is_read_is_in_the_form_that_is_seen(lens, resource):
    fields = read(lens, **resource).fields
    assert lens.view(fields) == fields


@given(lenses, todos(), todos())
def test_r20_what_was_sent_is_read_as_it_was_meant(lens, one, other):
    """A task made, and changed, and read again: as a service that keeps what it is told would answer."""
    before, after = (lens.view(ObjectFields(each)) for each in (one, other))
    resource = lens.new_task(before, key=KEY, uid="hub")
    made = lens.read([item(task(**{name: value for name, value in resource.items() if value is not None}))])
    assert made.fields == before
    assert (made.creation_key, made.uid) == (KEY, "hub")
    changes = lens.patch(before, after)
    if changes.get("status", resource["status"]) != "completed":
        resource.pop("completedDateTime", None)
    assert bool(changes) or before == after or before.todo.completed != after.todo.completed
    now = {name: value for name, value in {**resource, **changes}.items() if value is not None}
    fields = lens.read([item(task(**now))]).fields
    if after.todo.status == "COMPLETED" and after.todo.completed is None:
        fields, after = (replace(each, master=replace(each.todo, completed=None)) for each in (fields, after))
    assert fields == after
    assert lens.patch(after, after) == {}


@given(lenses, todos(), todos())
def test_a_remote_change_laid_upon_the_hub_is_seen_as_it_was_made(lens, hub, other):
    """But for what has gone on to its next occurrence, which is the hub's word (X-69)."""
    hub, other = replace(hub, rules=()), replace(other, rules=())
    before, after = (lens.view(ObjectFields(each)) for each in (hub, other))
    news = patch(ObjectFields(hub), lens.restore(diff(before, after), ObjectFields(hub)))
    shown = lens.view(news).todo
    if after.todo.completed is None or hub.status == "CANCELLED":  # it keeps, or never had, a time of its own
        shown, after = replace(shown, completed=None), ObjectFields(replace(after.todo, completed=None))
    if shown.when != after.todo.when:  # the hub's times of day may let an end go before the other
        assert shown.when.due == after.todo.when.due
        assert None in (shown.when.start, after.todo.when.start)
    assert replace(shown, when=after.todo.when) == after.todo


@given(todos())
def test_s05_what_to_do_cannot_hold_is_the_hubs(hub):
    news = restored(hub, summary="Rolls")
    assert news == replace(hub, summary="Rolls")


@given(lenses, todos())
def test_r38_a_change_that_says_what_is_there_changes_no_byte(lens, hub):
    data = edit.compose(ObjectFields(hub), uid="u", now=NOW)
    full = view.read(objects.parse(data))
    there = lens.view(full).todo
    names = ("summary", "description", "when", "status", "completed", "priority", "categories", "alarms", "rules")
    change = {("", name): getattr(there, name) for name in names}
    assert edit.apply(data, lens.restore(change, full), now=NOW) == data


# --- row by row


def test_an_event_is_nothing_to_it():
    with pytest.raises(Unmappable):
        BERLIN.view(ObjectFields(EventFields(When(MONDAY, MONDAY + WEEK))))


@pytest.mark.parametrize(
    ("links", "mark"),
    [
        ([{"applicationName": "caldav-bridge", "externalId": f"{KEY} a uid"}], (KEY, "a uid")),
        ([{"applicationName": "caldav-bridge", "externalId": KEY}], (KEY, "")),
        ([{"applicationName": "Outlook"}, {"applicationName": "caldav-bridge", "externalId": f"{KEY} u"}], (KEY, "u")),
        ([{"applicationName": "Other", "externalId": f"{KEY} u"}], ("", "")),
        ([{"applicationName": "caldav-bridge", "externalId": "something else"}], ("", "")),
        ([], ("", "")),
    ],
)
def test_x60_a_task_is_known_by_its_link_if_it_is_ours(links, mark):
    found = read(linkedResources=links)
    assert (found.creation_key, found.uid) == mark


@pytest.mark.parametrize("uid", ["u" * 201, "", "a\nb", " a", "a\x07"])
def test_x60_an_odd_uid_is_left_out_and_the_key_is_not(uid):
    body = BERLIN.new_task(BERLIN.view(ObjectFields(TodoFields(summary="Bread"))), key=KEY, uid=uid)
    assert body["linkedResources"] == [
        {"applicationName": "caldav-bridge", "displayName": "caldav-bridge", "externalId": KEY}
    ]


def test_x61_a_text_that_was_cut_there_stays_whole_until_it_is_edited_there():
    hub = TodoFields(summary="T" * 300 + "\nend", description="Notes ")
    assert seen(summary=hub.summary).summary == "T" * 255
    assert restored(hub, summary="T" * 255) == hub
    assert restored(hub, summary="Short").summary == "Short"
    assert restored(hub, description="Notes") == hub
    assert restored(hub, description="Others").description == "Others"


def test_what_has_no_title_has_a_stand_in_there_and_none_here():
    assert seen().summary == "(no title)"
    assert restored(TodoFields(), summary="(no title)").summary == ""


def test_html_is_read_as_text():
    assert told(body={"contentType": "html", "content": "<p>Rye</p><p>Wheat</p>"}).description == "Rye\nWheat"


@pytest.mark.parametrize(
    ("zone", "said", "day"),
    [
        ("Europe/Berlin", at("2026-03-15T23:00:00"), MONDAY),  # Berlin's midnight, told in UTC
        ("Europe/Berlin", at("2026-07-12T22:00:00"), dt.date(2026, 7, 13)),
        ("America/New_York", at("2026-03-16T04:00:00"), MONDAY),
        ("America/New_York", at("2026-03-16T00:00:00"), MONDAY),  # midnight in UTC, whoever's day it is (M-86)
        ("Pacific/Auckland", at("2026-03-15T11:00:00"), MONDAY),
        ("Pacific/Auckland", at("2026-03-16T00:00:00"), MONDAY),
        ("Pacific/Kiritimati", at("2026-03-15T10:00:00"), MONDAY),
        ("Europe/Berlin", at("2026-03-15T15:00:00"), MONDAY),  # typed in Tokyo
        ("Europe/Berlin", at("2026-03-16T07:00:00"), MONDAY),  # typed in Los Angeles
        ("Europe/Berlin", at("2026-03-16T00:00:00", "Pacific Standard Time"), MONDAY),
    ],
)
def test_m86_the_day_is_the_one_that_was_meant(zone, said, day):
    assert read(GraphTodoLens(zone), dueDateTime=said).fields.todo.when.due == (day, None)


def test_x62_a_day_is_said_in_the_mailboxs_zone():
    body = BERLIN.patch(BERLIN.view(ObjectFields(TodoFields())), BERLIN.view(ObjectFields(TodoFields(timed()))))
    assert body == {"dueDateTime": at("2026-03-16T00:00:00", "W. Europe Standard Time")}


@pytest.mark.parametrize(
    ("hub", "day"),
    [
        (timed(), 16),
        (timed(hour=23, zone="America/New_York"), 16),
        (timed(hour=23, zone="UTC"), 17),
        (timed(zone=None), 16),
    ],
)
def test_x62_the_time_of_day_is_the_hubs(hub, day):
    shown = seen(when=hub).when
    assert shown == due(dt.date(2026, 3, day))
    assert restored(TodoFields(hub), when=shown).when == hub
    later = restored(TodoFields(hub), when=due(shown.due[0] + WEEK)).when
    assert later.due == (hub.due[0] + WEEK, hub.due[1])
    assert restored(TodoFields(hub), when=Span()).when == Span()


def test_x63_the_day_on_which_it_begins():
    hub = TodoFields(Span((dt.datetime(2026, 3, 14, 8), "Europe/Berlin"), timed().due))
    assert seen(when=hub.when).when == Span((dt.date(2026, 3, 14), None), (MONDAY, None))
    moved = restored(hub, when=Span((dt.date(2026, 3, 15), None), (MONDAY, None)))
    assert moved.when == Span((dt.datetime(2026, 3, 15, 8), "Europe/Berlin"), timed().due)
    body = BERLIN.patch(BERLIN.view(ObjectFields(hub)), BERLIN.view(ObjectFields(moved)))
    assert body == {"startDateTime": at("2026-03-15T00:00:00", "W. Europe Standard Time")}
    assert told(startDateTime=at("2026-03-15T23:00:00")).when.start == (MONDAY, None)


def test_x63_days_of_times_in_utc_are_those_of_the_mailbox():
    new_york = GraphTodoLens("America/New_York")
    midnight = (dt.datetime(2026, 3, 16), "UTC")
    for hub, wanted in (
        (Span(None, midnight), both(MONDAY)),
        (Span(midnight), Span((dt.date(2026, 3, 15), None), (MONDAY, None))),
    ):
        fields = ObjectFields(TodoFields(hub))
        news = patch(fields, new_york.restore({("", "when"): wanted}, fields))
        assert new_york.view(news).todo.when == wanted


def test_x63_what_is_due_before_it_began_begins_as_much_earlier():
    hub = TodoFields(Span((dt.datetime(2026, 3, 14, 8), "Europe/Berlin"), timed().due))
    moved = restored(hub, when=Span(None, (dt.date(2026, 3, 9), None))).when
    assert moved == Span((dt.datetime(2026, 3, 7, 8), "Europe/Berlin"), timed(9).due)


def test_x63_what_begins_at_a_later_hour_than_it_is_due_begins_then():
    hub = TodoFields(Span((dt.datetime(2026, 3, 14, 20), "Europe/Berlin"), timed().due))
    moved = restored(hub, when=both(dt.date(2026, 3, 14))).when
    assert moved == Span(timed(14).due, timed(14).due)


@pytest.mark.parametrize("status", ["waitingOnOthers", "deferred"])
def test_x64_what_waits_stays_waiting_when_something_else_changes(status):
    current = read(status=status).fields
    assert current.todo.status == "NEEDS-ACTION"
    target = replace(current, master=replace(current.todo, summary="Rolls"))
    assert BERLIN.patch(current, target) == {"title": "Rolls"}
    done = replace(current, master=replace(current.todo, status="COMPLETED"))
    assert BERLIN.patch(current, done) == {"status": "completed"}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"status": ""}, "NEEDS-ACTION"),
        ({"status": "NEEDS-ACTION", "percent": 100}, "NEEDS-ACTION"),
        ({"status": "IN-PROCESS"}, "IN-PROCESS"),
        ({"status": "COMPLETED"}, "COMPLETED"),
        ({"status": "CANCELLED"}, "COMPLETED"),
        ({"percent": 100}, "COMPLETED"),
        ({"completed": AT}, "COMPLETED"),
    ],
)
def test_x64_which_status_is_which(fields, status):
    assert seen(**fields).status == status
    assert restored(TodoFields(**fields), status=status) == TodoFields(**fields)


def test_x65_a_time_of_completion_stays_while_its_day_does():
    hub = TodoFields(status="COMPLETED", completed=AT)
    day = AT.replace(hour=0, minute=0, second=0)
    assert seen(status="COMPLETED", completed=AT).completed == day
    assert restored(hub, completed=day) == hub
    assert restored(hub, completed=day + WEEK).completed == day + WEEK
    assert told(status="completed", completedDateTime=at("2026-03-16T00:00:00")).completed == day


def test_x66_a_percentage_goes_along():
    done = restored(TodoFields(percent=40), status="COMPLETED", completed=AT)
    assert (done.status, done.completed, done.percent) == ("COMPLETED", AT, 100)
    assert restored(TodoFields(), status="COMPLETED").percent == 0
    again = restored(done, status="NEEDS-ACTION", completed=None)
    assert (again.status, again.completed, again.percent) == ("NEEDS-ACTION", None, 0)


def test_x67_the_number_of_the_priority_is_the_hubs():
    assert [seen(priority=number).priority for number in (0, 3, 5, 7)] == [0, 1, 0, 9]
    assert restored(TodoFields(priority=3), priority=1).priority == 3
    assert restored(TodoFields(priority=3), priority=9).priority == 9
    assert told(importance="high").priority == 1


def test_x68_the_order_of_the_categories_is_the_hubs():
    assert restored(TodoFields(categories=("b", "a")), categories=("a", "b")).categories == ("b", "a")
    assert restored(TodoFields(categories=("b", "a")), categories=("a",)).categories == ("a",)


def test_x69_a_rule_is_that_of_the_due_date():
    fields = TodoFields(both(MONDAY), rules=("RRULE:FREQ=WEEKLY",))
    assert seen(when=fields.when, rules=fields.rules).rules == (WEEKLY,)
    body = BERLIN.patch(BERLIN.view(ObjectFields(TodoFields())), BERLIN.view(ObjectFields(fields)))
    assert body["recurrence"]["range"] == {
        "type": "noEnd",
        "startDate": "2026-03-16",
        "recurrenceTimeZone": "W. Europe Standard Time",
    }
    assert restored(fields, rules=(WEEKLY,)).rules == ("RRULE:FREQ=WEEKLY",)
    assert restored(fields, rules=()).rules == ()


def test_x69_what_is_due_on_another_day_than_its_rule_says_keeps_its_rule():
    """Someone has put one occurrence off."""
    recurrence = {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "monday"},
        "range": {"type": "noEnd", "startDate": "2026-03-02"},
    }
    put_off = told(dueDateTime=at("2026-03-17T00:00:00"), recurrence=recurrence)
    assert put_off.rules == (WEEKLY,)
    hub = TodoFields(both(MONDAY), rules=("RRULE:FREQ=WEEKLY;BYDAY=MO",))
    assert restored(hub, when=put_off.when).rules == hub.rules


def test_x69_what_is_counted_is_what_is_left():
    recurrence = {
        "pattern": {"type": "daily", "interval": 1},
        "range": {"type": "numbered", "startDate": "2026-03-14", "numberOfOccurrences": 5},
    }
    assert told(dueDateTime=at("2026-03-16T00:00:00"), recurrence=recurrence).rules == ("RRULE:FREQ=DAILY;COUNT=3",)


@pytest.mark.parametrize(
    "fields",
    [
        {"when": both(MONDAY), "rules": ("RRULE:FREQ=MONTHLY;BYMONTHDAY=1,15",)},
        {"when": Span((MONDAY, None), (MONDAY + WEEK, None)), "rules": (WEEKLY,)},
        {"when": timed(hour=23, zone="UTC"), "rules": (WEEKLY,)},
    ],
    ids=["no such pattern", "begins earlier", "days of another clock"],
)
def test_x69_a_rule_that_cannot_be_held_stays_here_and_moves_on_here(fields):
    hub = TodoFields(**fields)
    shown = seen(**fields)
    assert shown.rules == ()
    assert shown.when.due is not None
    assert restored(hub, summary="Rolls").rules == hub.rules
    moved = restored(hub, status="COMPLETED", completed=AT)
    assert moved.rules == hub.rules
    assert moved.when.due[0] > hub.when.due[0]
    assert (moved.status, moved.completed) == ("", None)


def test_x69_what_is_done_here_keeps_its_rule_here():
    hub = TodoFields(both(MONDAY), rules=("RRULE:FREQ=WEEKLY",), status="COMPLETED")
    assert restored(hub, summary="Rolls").rules == hub.rules
    assert restored(hub, status="NEEDS-ACTION").rules == hub.rules


def test_m89_what_is_done_there_recurs_no_more():
    hub = TodoFields(both(MONDAY), rules=(WEEKLY,))
    done = restored(hub, status="COMPLETED", completed=AT, rules=())
    assert (done.status, done.rules, done.when) == ("COMPLETED", (), both(MONDAY))


def test_m89_what_is_done_here_makes_no_next_one_there():
    hub = TodoFields(both(MONDAY), rules=(WEEKLY,))
    done = BERLIN.view(ObjectFields(replace(hub, status="COMPLETED")))
    assert BERLIN.patch(BERLIN.view(ObjectFields(hub)), done) == {"status": "completed", "recurrence": None}


def test_x69_an_until_is_a_day_there():
    berlin = Span((dt.datetime(2026, 3, 16, 0, 30), "Europe/Berlin"), (dt.datetime(2026, 3, 16, 9), "Europe/Berlin"))
    for until, last in (("20260329T223000Z", "20260330"), ("20260329T215959Z", "20260323"), ("20260330", "20260330")):
        assert seen(when=berlin, rules=(f"RRULE:FREQ=WEEKLY;UNTIL={until}",)).rules == (
            f"RRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL={last}",
        )


EIGHT, NINE, TEN = ((dt.datetime(2026, 3, 16, hour), "UTC") for hour in (8, 9, 10))


def test_x70_the_first_alarm_is_the_one_there():
    assert seen(alarms=(NINE, EIGHT)).alarms == (EIGHT,)
    assert seen(alarms=((dt.datetime(2026, 3, 16, 8), None),)).alarms == ((dt.datetime(2026, 3, 16, 7), "UTC"),)
    hub = TodoFields(alarms=(EIGHT, NINE))
    assert restored(hub, alarms=(EIGHT,)) == hub
    earlier = (dt.datetime(2026, 3, 16, 7), "UTC")
    assert restored(hub, alarms=(earlier,)).alarms == (earlier, NINE)
    assert restored(hub, alarms=(TEN,)).alarms == (TEN,)
    assert restored(hub, alarms=()).alarms == ()


def test_x70_alarms_that_move_with_a_to_do_stay_its_alarms():
    later = tuple((moment + WEEK, zone) for moment, zone in (EIGHT, NINE))
    moved = restored(TodoFields(due(MONDAY), alarms=(EIGHT, NINE)), when=due(MONDAY + WEEK), alarms=later[:1])
    assert moved.alarms == later


def test_x70_a_reminder_is_said_on_the_mailboxs_clock_and_only_heeded_when_it_is_on():
    body = BERLIN.patch(BERLIN.view(ObjectFields(TodoFields())), BERLIN.view(ObjectFields(TodoFields(alarms=(EIGHT,)))))
    assert body == {"isReminderOn": True, "reminderDateTime": at("2026-03-16T09:00:00", "W. Europe Standard Time")}
    assert told(isReminderOn=True, reminderDateTime=at("2026-03-16T08:00:00")).alarms == (EIGHT,)
    assert told(isReminderOn=False, reminderDateTime=at("2026-03-16T08:00:00")).alarms == ()


@pytest.mark.parametrize("name", ["location", "url", "classification", "parent", "percent"])
def test_x66_x71_x72_what_has_no_place_there_is_not_seen(name):
    value = {"classification": "PRIVATE", "percent": 40}.get(name, "something")
    assert seen(**{name: value}) == seen()
