"""A list on the phone and in Microsoft To Do: what repeats, wherever it is ticked off (X-69, M-89), and what is only there."""

import datetime as dt

import pytest

from tests.support import listed

BEGIN = dt.datetime(2035, 3, 4, 12, tzinfo=dt.UTC)
START, DUE = "DTSTART;TZID=Europe/Berlin:20350305T080000", "DUE;TZID=Europe/Berlin:20350305T180000"
TITLE = "Water the plants"


@pytest.fixture
def story(sandbox, tmp_path):
    with listed.opened(sandbox, tmp_path, lists=("microsoft",), now=BEGIN) as opened:
        yield opened


def states(story):
    """(done, recurs, day it is due) of each on the phone; To Do has the same."""
    found = sorted(
        (str(each.get("STATUS")) == "COMPLETED", "RRULE" in each, str(each.decoded("DUE"))[:10])
        for each in story.phone.todos().values()
    )
    there = sorted((each["status"] == "completed", "recurrence" in each) for each in story.graph.all())
    assert there == [(done, recurs) for done, recurs, _ in found]
    return found


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("links", [True, False])
def test_m89_what_is_ticked_off_there_is_done_once_and_to_come_once(story, new, links):
    story.sandbox.microsoft.configure({"todo_next_is_new": new, "todo_next_keeps_links": links})
    story.phone.put("water", f"SUMMARY:{TITLE}", START, DUE, "RRULE:FREQ=WEEKLY", "X-OWN:7")
    story.rest()
    story.graph.tick(TITLE)
    story.rest()
    assert states(story) == [(False, True, "2035-03-12"), (True, False, "2035-03-05")]
    assert "X-OWN:7" in story.phone.stored()["water"]
    assert story.quarantined() == {}


def test_x69_the_phone_moves_it_on(story):
    story.phone.put("water", f"SUMMARY:{TITLE}", START, DUE, "RRULE:FREQ=WEEKLY;COUNT=3")
    story.rest()
    story.phone.edit("water", "20350305", "20350312")
    story.phone.edit("water", "COUNT=3", "COUNT=2")
    story.rest()
    assert states(story) == [(False, True, "2035-03-12")]
    assert story.graph.due(TITLE) == "2035-03-12"
    assert story.graph.task(TITLE)["recurrence"]["range"]["numberOfOccurrences"] == 2


def test_x69_the_phone_completes_all_of_it(story):
    story.phone.put("water", f"SUMMARY:{TITLE}", START, DUE, "RRULE:FREQ=WEEKLY", "STATUS:NEEDS-ACTION")
    story.rest()
    story.phone.edit("water", "STATUS:NEEDS-ACTION", "STATUS:COMPLETED")
    story.rest()
    assert story.graph.titles() == [TITLE]
    assert story.graph.done(TITLE)
    assert story.phone.says(TITLE, "RRULE") == ["RRULE:FREQ=WEEKLY"]
    story.graph.edit(TITLE, status="notStarted")
    story.rest()
    assert states(story) == [(False, True, "2035-03-05")]


def test_x69_what_cannot_repeat_there_moves_on_here_and_is_open_there_again(story):
    rule = "RRULE:FREQ=MONTHLY;BYMONTHDAY=5,20;COUNT=2"
    story.phone.put("water", f"SUMMARY:{TITLE}", START, DUE, rule)
    story.rest()
    assert "recurrence" not in story.graph.task(TITLE)
    story.graph.tick(TITLE)
    story.rest()
    assert (story.graph.due(TITLE), story.graph.done(TITLE)) == ("2035-03-20", False)
    assert story.phone.says(TITLE, "DUE", "RRULE") == [
        "DUE;TZID=Europe/Berlin:20350320T180000",
        "RRULE:FREQ=MONTHLY;BYMONTHDAY=5,20;COUNT=1",
    ]
    story.graph.tick(TITLE)
    story.rest()
    assert story.graph.done(TITLE)
    assert story.phone.says(TITLE, "STATUS") == ["STATUS:COMPLETED"]
    assert story.graph.titles() == story.phone.titles() == [TITLE]


def test_x69_what_was_made_there_repeats_here(story):
    weekly = {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "sunday"}
    story.graph.add(
        TITLE,
        dueDateTime={"dateTime": "2035-03-05T00:00:00", "timeZone": "Europe/Berlin"},
        recurrence={"pattern": weekly, "range": {"type": "noEnd", "startDate": "2035-03-05"}},
    )
    story.rest()
    assert sorted(story.phone.says(TITLE, "DTSTART", "DUE", "RRULE")) == [
        "DTSTART;VALUE=DATE:20350305",
        "DUE;VALUE=DATE:20350305",
        "RRULE:FREQ=WEEKLY;WKST=SU;BYDAY=MO",
    ]


def test_x70_an_alarm_goes_along_and_comes_back(story):
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER;RELATED=END:-PT1H\r\nEND:VALARM"
    story.phone.put("bread", "SUMMARY:Bread", DUE, alarm)
    story.rest()
    task = story.graph.task("Bread")
    assert (task["isReminderOn"], task["reminderDateTime"]["dateTime"][:16]) == (True, "2035-03-05T17:00")
    story.graph.edit("Bread", dueDateTime={"dateTime": "2035-03-06T00:00:00", "timeZone": "Europe/Berlin"})
    story.rest()
    assert "TRIGGER;RELATED=END:-PT1H" in story.phone.stored()["bread"]
    assert story.graph.task("Bread")["reminderDateTime"]["dateTime"][:16] == "2035-03-06T17:00"
    story.graph.edit("Bread", isReminderOn=False)
    story.rest()
    assert "VALARM" not in story.phone.stored()["bread"]


def test_r4_nothing_is_written_when_nothing_has_happened(story):
    story.phone.put("plain", "SUMMARY:Plain")
    story.phone.put("untitled", "DESCRIPTION:Notes")
    story.phone.put("long", f"SUMMARY:{'T' * 300}", DUE, "PRIORITY:3", "CATEGORIES:b,a")
    story.phone.put("done", "SUMMARY:Done", "STATUS:COMPLETED", "COMPLETED:20350304T101112Z")
    story.phone.put("water", f"SUMMARY:{TITLE}", START, DUE, "RRULE:FREQ=WEEKLY;UNTIL=20350601T000000Z")
    story.rest()
    meter, before = story.sandbox.microsoft.meter, story.phone.stored()
    writes = meter.writes
    for _ in range(4):
        story.pass_by(hours=7)
        story.cycle("microsoft")
    assert meter.writes == writes
    assert story.phone.stored() == before
