"""X-19, X-20: what Outlook says of busy time reaches the phone and comes back, and no other calendar is written for it."""

import pytest

from bridge.services import pairing
from bridge.sync import projection
from tests.support.bridged import at, event

LINE = "X-MICROSOFT-CDO-BUSYSTATUS"


def shows(story, title):
    found = story.graph.client.get("me/events?$top=100").raise_for_status().json()["value"]
    return {each["subject"]: each["showAs"] for each in found}[title]


def say(story, title, word):
    story.graph.client.patch(f"me/events/{story.graph.find(title)}", json={"showAs": word}).raise_for_status()


@pytest.fixture
def away(story):
    story.phone.put("away", event("Away", at(1, 9), at(1, 17)))
    story.rest()
    return story


def test_out_of_office_reaches_the_phone_and_other_edits_leave_it(away):
    story = away
    say(story, "Away", "oof")
    story.rest()
    assert f"{LINE}:OOF\r\n" in story.phone.stored()["away"]
    story.google.retitle(story.google.find("Away"), "Far away")
    story.rest()
    assert f"{LINE}:OOF\r\n" in story.phone.stored()["away"]
    assert shows(story, "Far away") == "oof"
    assert story.quarantined() == {}


@pytest.mark.parametrize(("said", "word"), [("BUSY", "busy"), ("WORKINGELSEWHERE", "workingElsewhere")])
def test_what_the_phone_makes_of_it_reaches_outlook(away, said, word):
    story = away
    say(story, "Away", "oof")
    story.rest()
    story.phone.edit("away", f"{LINE}:OOF", f"{LINE}:{said}")
    story.rest()
    assert shows(story, "Away") == word


def test_free_time_at_google_is_not_out_of_office(away):
    story = away
    say(story, "Away", "oof")
    story.rest()
    story.google.client.patch(
        f"calendars/primary/events/{story.google.find('Away')}", json={"transparency": "transparent"}
    ).raise_for_status()
    story.rest()
    assert shows(story, "Away") == "free"
    assert f"{LINE}:FREE\r\n" in story.phone.stored()["away"]


@pytest.mark.parametrize(("level", "title"), [("busy", "Busy"), ("titles", "Away")])
def test_r41_who_is_shown_less_is_not_told_of_offices(story, level, title):
    pairing.change(story.context, story.pairs["microsoft"], projection=projection.read(level, ()))
    story.phone.put("away", event("Away", at(1, 9), at(1, 17), f"{LINE}:OOF"))
    story.rest()
    assert shows(story, title) == "busy"
    assert f"{LINE}:OOF\r\n" in story.phone.stored()["away"]
