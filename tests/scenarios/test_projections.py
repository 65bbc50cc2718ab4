"""R41: what a calendar is not shown never reaches its traffic, and never comes back over the origin."""

import pytest

from bridge.services import pairing
from bridge.sync import projection
from tests.support.bridged import at, event, shown

CANARY = "canary-41d7"


def private(title=f"{CANARY} title", *more, day=1):
    return event(
        title,
        at(day, 9),
        at(day, 10),
        f"DESCRIPTION:{CANARY}",
        f"LOCATION:{CANARY}",
        f"URL:https://example.org/{CANARY}",
        f"CATEGORIES:{CANARY}",
        f"ATTENDEE:mailto:{CANARY}@elsewhere.example",
        *more,
    )


def show(story, provider, level, *rules):
    return pairing.change(story.context, story.pairs[provider], projection=projection.read(level, rules))


def everything(story):
    """All that Outlook holds of its calendar, as text."""
    query = "me/events?$top=500&$expand=attachments"
    return story.graph.client.get(query.partition("&")[0]).raise_for_status().text


def at_rest(story):
    story.rest()
    assert story.quarantined() == {}


def test_r41_a_busy_only_calendar_gets_times_and_nothing_else(story):
    show(story, "microsoft", "busy")
    story.phone.put("a", private())
    story.phone.put("b", private(f"{CANARY} weekly", "RRULE:FREQ=WEEKLY;COUNT=3", day=2))
    at_rest(story)
    assert CANARY not in everything(story)
    days = [at(1, 9), at(2, 9), at(9, 9), at(16, 9)]
    assert {start for start, _, title in story.graph.shows(*window()) if title == "Busy"} == {
        shown(each, each, "")[0] for each in days
    }
    assert story.google.find(f"{CANARY} title")


def window():
    from tests.e2e.dates import FROM, TO

    return FROM, TO


def test_r41_what_is_written_over_a_projection_never_comes_back(story):
    show(story, "microsoft", "busy")
    story.phone.put("a", private())
    story.phone.put("b", private(f"{CANARY} weekly", "RRULE:FREQ=WEEKLY;COUNT=3", day=2))
    at_rest(story)
    before = story.phone.stored()
    copy = next(one for one in story.graph._list("me/events") if one["type"] == "singleInstance")
    body = {"subject": "Seen", "body": {"contentType": "text", "content": "Seen"}, "categories": ["Seen"]}
    story.graph.client.patch(f"me/events/{copy['id']}", json=body).raise_for_status()
    at_rest(story)
    assert story.phone.stored() == before
    series = next(one for one in story.graph._list("me/events") if one["type"] == "seriesMaster")
    story.graph.move_occurrence(series["id"], at(9, 9), at(9, 14), at(9, 15))
    at_rest(story)
    stored = story.phone.stored()["b"].replace("\r\n ", "")
    assert f"{at(9, 14):%Y%m%dT%H%M%S}" in stored
    assert "Busy" not in stored
    assert stored.count(f"SUMMARY:{CANARY} weekly") == stored.count(f"DESCRIPTION:{CANARY}") == 2
    assert CANARY not in everything(story)


def test_r41_titles_only(story):
    show(story, "microsoft", "titles")
    story.phone.put("a", private("Lunch"))
    at_rest(story)
    assert story.graph.find("Lunch")
    assert CANARY not in everything(story)


@pytest.mark.parametrize("rule", ["class=PRIVATE:busy", f"category={CANARY}:busy"])
def test_r41_a_rule_hides_some_events_and_shows_the_others(story, rule):
    show(story, "microsoft", "full", rule)
    story.phone.put("a", private(f"{CANARY} title", "CLASS:PRIVATE"))
    story.phone.put("b", event("Open", at(2, 9), at(2, 10), "DESCRIPTION:Seen by all"))
    at_rest(story)
    assert CANARY not in everything(story)
    assert "Seen by all" in everything(story)


def test_r41_an_event_that_becomes_private_is_hidden_at_once(story):
    show(story, "microsoft", "full", "class=PRIVATE:busy")
    story.phone.put("a", private("Open title"))
    at_rest(story)
    assert "Open title" in everything(story)
    story.phone.edit("a", "SUMMARY:Open title", "SUMMARY:Open title\r\nCLASS:PRIVATE")
    at_rest(story)
    assert "Open title" not in everything(story)
    assert CANARY not in everything(story)


def test_r22_another_projection_is_applied_in_place_and_its_size_is_told_before(story):
    story.phone.put("a", private("One"))
    story.phone.put("b", event("Busy", at(2, 9), at(2, 10)))
    at_rest(story)
    ids = {one["id"] for one in story.graph._list("me/events")}
    pair = story.pairs["microsoft"]
    assert pairing.effect(story.context, pair, projection.read("busy")) == (1, 2)
    show(story, "microsoft", "busy")
    at_rest(story)
    assert {one["id"] for one in story.graph._list("me/events")} == ids
    assert CANARY not in everything(story)
    show(story, "microsoft", "full")
    at_rest(story)
    assert "One" in everything(story)
    assert {one["id"] for one in story.graph._list("me/events")} == ids


def test_r41_events_of_the_busy_only_calendar_itself_come_whole(story):
    show(story, "microsoft", "busy")
    body = {
        "subject": "Board",
        "body": {"contentType": "text", "content": "Agenda"},
        "start": {"dateTime": at(1, 9).isoformat(), "timeZone": "W. Europe Standard Time"},
        "end": {"dateTime": at(1, 10).isoformat(), "timeZone": "W. Europe Standard Time"},
    }
    story.graph.client.post("me/events", json=body).raise_for_status()
    at_rest(story)
    uid = story.phone.find("Board")
    assert "DESCRIPTION:Agenda" in story.phone.stored()[uid]
    story.phone.edit(uid, "SUMMARY:Board", "SUMMARY:Board meeting")
    at_rest(story)
    assert story.graph.find("Board meeting")
    assert "Agenda" in everything(story)
