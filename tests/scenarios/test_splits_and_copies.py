"""What people do in Google's and Outlook's own pages: "this and following" (R10), "all events", and copy and paste (R9)."""

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import pytest

from bridge.sandbox.google import series_edits as google_edits
from bridge.sandbox.graph import forms
from bridge.sandbox.graph import series_edits as graph_edits
from tests.e2e.dates import FROM, TO, ZONE
from tests.support.bridged import PERSON, at, event, shown

SCOPES = ("this", "following", "all")
ACTS = ("time", "title", "delete")
DAY = 35
"""The occurrence that is clicked on, days after the first."""


def seed(story):
    """A weekly series with a moved occurrence before and behind the one that is clicked on, and a cancelled one."""
    story.phone.put("s", event("Stand-up", at(0, 9), at(0, 10), "RRULE:FREQ=WEEKLY;COUNT=30"))
    story.cycle("google")
    id = story.google.find("Stand-up")
    story.google.move_occurrence(id, at(14, 9), at(15, 11), at(15, 12))
    story.google.move_occurrence(id, at(56, 9), at(57, 11), at(57, 12))
    story.google.remove_occurrence(id, at(70, 9))
    story.settle()


def in_google(story, scope, act):
    moment = at(DAY, 9).replace(tzinfo=ZoneInfo(ZONE)).astimezone(dt.UTC)
    id = f"{story.google.find('Stand-up')}_{moment:%Y%m%dT%H%M%SZ}"
    with story.sandbox.google.transaction():
        writer = story.sandbox.google.writer(PERSON)
        if act == "delete":
            google_edits.delete(writer, id, scope)
        elif act == "title":
            google_edits.edit(writer, id, {"summary": "Standing"}, scope)
        else:
            times = {
                name: {"dateTime": at(DAY + 1, hour).isoformat(), "timeZone": ZONE, "date": None}
                for name, hour in (("start", 13), ("end", 14))
            }
            google_edits.edit(writer, id, times, scope)


def in_outlook(story, scope, act):
    microsoft = story.sandbox.microsoft
    id = story.graph._occurrence(story.graph.find("Stand-up"), at(DAY, 9))
    with microsoft.lock:
        desk, item = microsoft.desk(PERSON), microsoft.item(PERSON, id)
        if act == "delete":
            graph_edits.delete(desk, item, scope)
            return
        form = {name: str(value) for name, value in forms.shown(item).items() if value is not None}
        form = {name: value for name, value in form.items() if value not in ("False", "")}
        if act == "title":
            form["subject"] = "Standing"
        else:
            day = at(DAY + 1, 0).date().isoformat()
            form |= {"first": day, "last": day, "from": "13:00", "to": "14:00"}
        graph_edits.edit(desk, item, form, scope)


@pytest.mark.parametrize(("scope", "act"), list(itertools.product(SCOPES, ACTS)))
@pytest.mark.parametrize("where", [in_google, in_outlook])
def test_r10_this_following_all(story, where, scope, act):
    seed(story)
    before = len(story.phone.shows(FROM, TO))
    where(story, scope, act)
    there = (story.google if where is in_google else story.graph).shows(FROM, TO)
    for _ in range(2):
        for provider in story.pairs:
            story.cycle(provider)
    writes = story.writes()
    story.settle(there)
    assert story.writes() == writes, "a fixed point in two cycles"
    if act != "delete":
        assert before - 1 <= len(there) <= before + 1


def test_r9_davmail_522_a_copy_made_in_outlook_is_one_more_event(story):
    """Outlook copies our marks along, and the transaction id with them."""
    story.phone.put("a", event("Tea", at(1, 9), at(1, 10)))
    story.settle()
    copied = story.sandbox.microsoft.copy(PERSON, story.graph.find("Tea"))
    story.graph.reschedule(copied, at(2, 9), at(2, 10))
    story.settle([shown(at(1, 9), at(1, 10), "Tea"), shown(at(2, 9), at(2, 10), "Tea")])
    story.graph.remove(copied)
    story.settle([shown(at(1, 9), at(1, 10), "Tea")])


def test_r9_the_original_of_a_copy_is_deleted_and_the_copy_stays(story):
    story.phone.put("a", event("Tea", at(1, 9), at(1, 10)))
    story.settle()
    original = story.graph.find("Tea")
    story.sandbox.microsoft.copy(PERSON, original)
    story.graph.remove(original)
    story.settle([shown(at(1, 9), at(1, 10), "Tea")])


def test_r9_a_copy_of_a_series_in_outlook(story):
    story.phone.put("s", event("Stand-up", at(0, 9), at(0, 10), "RRULE:FREQ=WEEKLY;COUNT=10"))
    story.settle()
    story.sandbox.microsoft.copy(PERSON, story.graph.find("Stand-up"))
    story.settle([shown(at(7 * week, 9), at(7 * week, 10), "Stand-up") for week in range(10)] * 2)


def test_r9_a_copy_in_google_with_its_extended_properties(story):
    story.phone.put("a", event("Tea", at(1, 9), at(1, 10)))
    story.settle()
    original = story.google._call("GET", f"/{story.google.find('Tea')}")
    kept = {name: original[name] for name in ("summary", "start", "end", "extendedProperties") if name in original}
    story.google._call("POST", "", json=kept)
    story.settle([shown(at(1, 9), at(1, 10), "Tea")] * 2)


def test_r9_a_phone_duplicates_an_event_under_a_new_uid(story):
    story.phone.put("a", event("Tea", at(1, 9), at(1, 10)))
    story.settle()
    story.phone.put("b", event("Tea", at(1, 9), at(1, 10)))
    story.settle([shown(at(1, 9), at(1, 10), "Tea")] * 2)


def test_r10_a_series_is_cut_though_the_half_that_follows_has_been_called_off(story):
    """Outlook has no series without occurrences: nothing is to be awaited there."""
    story.phone.put("a", event("Choir", at(1, 9), at(1, 10), "RRULE:FREQ=WEEKLY;COUNT=4"))
    story.settle()
    last = at(22, 9)
    until = (last - dt.timedelta(days=1)).strftime("%Y%m%dT%H%M%SZ")
    story.phone.put("a", event("Choir", at(1, 9), at(1, 10), f"RRULE:FREQ=WEEKLY;UNTIL={until}"))
    exdate = f"EXDATE;TZID={ZONE}:{last:%Y%m%dT%H%M%S}"
    story.phone.put("b", event("Choir", last, at(22, 10), "RRULE:FREQ=WEEKLY;COUNT=1", exdate))
    for _ in range(3):
        story.cycle("google")
        story.cycle("microsoft")
        story.pass_by(minutes=2)
    story.settle([shown(at(day, 9), at(day, 10), "Choir") for day in (1, 8, 15)])
