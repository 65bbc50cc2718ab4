"""S-01, S-03, S-05: what Google has no place for is noted beside the event, and comes back to a hub that knows nothing of it."""

from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from bridge.config import Sandbox as SandboxSettings
from bridge.config import Settings
from bridge.services import pairing, principals, removing
from bridge.services.context import open_context
from bridge.store import calendars, links, tables
from bridge.sync import projection
from tests.support.bridged import PERSON, Bridged, Phone, at, event, local

LINES = (
    "CATEGORIES:Work,Zürich\\, später",
    "PRIORITY:3",
    "X-MICROSOFT-CDO-BUSYSTATUS:OOF",
    "GEO:48.208174;16.373819",
    "URL:message:%3C1@example.com%3E",
    "COLOR:navy",
    "CONTACT:Robin",
)
BACK = (*LINES[:3], "GEO:48.208174;16.373819", *LINES[4:])


def google(story, title, **body):
    path = f"calendars/primary/events/{story.google.find(title)}"
    answer = story.google.client.patch(path, json=body) if body else story.google.client.get(path)
    return answer.raise_for_status().json()


def notes(story, title):
    private = google(story, title).get("extendedProperties", {}).get("private", {})
    return {name: value for name, value in private.items() if name.startswith("cdb.x")}


def without_notes(story, title):
    google(story, title, extendedProperties={"private": dict.fromkeys(notes(story, title))})


def writes(story):
    return story.sandbox.google.meter.writes


def missing(story, uid, lines=LINES):
    rows = story.phone.stored()[uid].replace("\r\n ", "").split("\r\n")
    return [line for line in lines if line not in rows]


def made_anew(story, known, **more):
    """A pair of these two calendars, a moment after it was removed."""
    made = pairing.add(story.context, "alex/calendar", str(known), direction="both", how_often="manual", **more)
    story.pairs = {"google": made.pair.id}


def change_bases(story, change, provider="google"):
    """Rewrite each component of the hub's bases."""
    with story.context.database.write() as conn:
        condition = tables.links.c.pair_id == story.pairs[provider]
        for row in conn.execute(sa.select(tables.links).where(condition)).mappings().all():
            kept = row["hub_base"]
            new = {**kept, "master": change(dict(kept["master"]))}
            new["overrides"] = {key: change(dict(each)) for key, each in kept["overrides"].items()}
            this = sa.and_(condition, tables.links.c.uid == row["uid"])
            conn.execute(sa.update(tables.links).where(this).values(hub_base=new))


@pytest.fixture
def tea(story):
    story.phone.put("tea", event("Tea", at(1, 9), at(1, 10), *LINES))
    story.rest()
    return story


@contextmanager
def another_bridge(story, folder):
    """A hub that knows nothing, connected to the same Google account."""
    settings = Settings(data=folder / "other", sandbox=SandboxSettings(port=urlsplit(story.sandbox.url).port))
    context = open_context(settings, now=story.sandbox.clock, sleep=story.sandbox.clock.sleep)
    try:
        principals.add(context.database, "alex", PERSON, now=context.now())
        other = Bridged(story.sandbox, context, story.google, story.graph)
        other.outcomes = []
        with context.database.read() as conn:
            other.phone = Phone(context, calendars.get(conn, "alex", "calendar").id)
        other.pairs["google"] = other.connect("google").pair_id
        other.rest()
        yield other
    finally:
        context.close()


# --- it comes back


def test_s03_a_hub_that_knows_nothing_gets_it_back(tea, tmp_path):
    with another_bridge(tea, tmp_path) as other:
        assert missing(other, other.phone.find("Tea"), BACK) == []
        assert other.quarantined() == {}
        other.compared()
    assert missing(tea, "tea") == []


def test_r15_a_pair_made_anew_beside_an_emptied_hub_gets_it_back(tea):
    story, known = tea, tea.pair("google").remote_calendar_id
    removing.remove_pair(story.context, story.pairs["google"])
    removing.remove_pair(story.context, story.pairs["microsoft"])
    story.phone.remove("tea")
    made_anew(story, known)
    before = writes(story)
    story.rest()
    assert missing(story, story.phone.find("Tea"), BACK) == []
    assert writes(story) == before


def test_s03_a_copied_event_has_the_same_categories_and_is_another_one(tea):
    story = tea
    held = google(story, "Tea")
    start, end = (
        {**held[name], "dateTime": held[name]["dateTime"].replace("T09", "T19").replace("T10", "T20")}
        for name in ("start", "end")
    )
    body = {"summary": "Copy", "start": start, "end": end, "extendedProperties": held["extendedProperties"]}
    story.google.client.post("calendars/primary/events", json=body).raise_for_status()
    story.rest()
    assert missing(story, story.phone.find("Copy"), LINES[:1]) == []
    assert missing(story, "tea") == []
    story.phone.edit(story.phone.find("Copy"), "CATEGORIES:Work", "CATEGORIES:Play")
    story.rest()
    assert "Play" in notes(story, "Copy")["cdb.x.0"]
    assert "Play" not in notes(story, "Tea")["cdb.x.0"]
    story.settle()


def test_occurrences_have_notes_of_their_own(story, tmp_path):
    moved = event("Run", at(3, 8), at(3, 9), local("RECURRENCE-ID", at(3, 7)), "CATEGORIES:Late")
    bare = event("Run", at(4, 8), at(4, 9), local("RECURRENCE-ID", at(4, 7)))
    story.phone.put(
        "run", event("Run", at(2, 7), at(2, 8), "RRULE:FREQ=DAILY;COUNT=5", "CATEGORIES:Early"), moved, bare
    )
    story.settle()
    with another_bridge(story, tmp_path) as other:
        text = other.phone.stored()[other.phone.find("Run")]
        assert (text.count("CATEGORIES:Early"), text.count("CATEGORIES:Late")) == (1, 1)
    before = writes(story)
    story.phone.edit("run", "CATEGORIES:Late", "CATEGORIES:Later")
    story.rest()
    assert writes(story) == before + 1
    story.phone.edit("run", "CATEGORIES:Early", "CATEGORIES:Early\r\nPRIORITY:3")
    story.rest()
    assert writes(story) == before + 2, "its exceptions have not changed"
    with another_bridge(story, tmp_path / "third") as other:
        text = other.phone.stored()[other.phone.find("Run")]
        assert (text.count("CATEGORIES:Early"), text.count("CATEGORIES:Later")) == (1, 1)


def test_an_occurrence_that_was_moved_there_has_the_note_of_its_series(story, tmp_path):
    story.phone.put("run", event("Run", at(2, 7), at(2, 8), "RRULE:FREQ=DAILY;COUNT=5", "CATEGORIES:Early"))
    story.rest()
    story.google.move_occurrence(story.google.find("Run"), at(4, 7), at(4, 9), at(4, 10))
    story.settle()
    with another_bridge(story, tmp_path) as other:
        for each, uid in ((story, "run"), (other, other.phone.find("Run"))):
            assert each.phone.stored()[uid].count("CATEGORIES:Early") == 2


# --- it is told by what is done here


def test_s01_an_edit_of_what_google_has_no_place_for_is_one_quiet_write(tea):
    story = tea
    before, first = writes(story), notes(story, "Tea")
    story.phone.edit("tea", "CATEGORIES:Work", "CATEGORIES:Play")
    story.rest()
    assert writes(story) == before + 1
    assert notes(story, "Tea") != first
    assert story.mails() == []
    story.phone.edit("tea", "PRIORITY:3\r\n", "")
    story.rest()
    assert writes(story) == before + 2
    for line in (LINES[0].replace("Work", "Play"), *LINES[2:]):
        story.phone.edit("tea", f"{line}\r\n", "")
    story.rest()
    assert notes(story, "Tea") == {}
    story.settle()


def test_g72_a_note_mails_no_guest(story):
    story.phone.put(
        "tea", event("Tea", at(1, 9), at(1, 10), f"ORGANIZER:mailto:{PERSON}", "ATTENDEE:mailto:robin@example.com")
    )
    story.rest()
    mailed = len(story.mails())
    story.phone.edit("tea", "SUMMARY:Tea", "SUMMARY:Tea\r\nCATEGORIES:Work\r\nPRIORITY:1")
    story.rest()
    assert "Work" in notes(story, "Tea")["cdb.x.0"]
    assert len(story.mails()) == mailed


# --- and changes nothing here


SPOILT = {
    "gone": dict.fromkeys,
    "damaged": lambda held: {"cdb.x.0": held["cdb.x.0"][:-3]},
    "headless": lambda held: {"cdb.x": None},
    "another's": lambda held: {"cdb.x": "1:99914b932bd37a50b983c5e7c90ae93b", "cdb.x.0": "{}"},
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
def test_s05_what_becomes_of_a_note_never_changes_the_hub_and_is_not_written_over(tea, spoil):
    story = tea
    text = story.phone.stored()["tea"]
    google(story, "Tea", extendedProperties={"private": spoil(notes(story, "Tea"))})
    before = writes(story)
    story.rest()
    story.compared()
    assert story.phone.stored()["tea"] == text
    assert writes(story) == before
    google(story, "Tea", summary="Coffee")
    story.rest()
    assert missing(story, "tea") == []
    story.phone.edit("tea", "SUMMARY:Coffee", "SUMMARY:Cake")
    story.rest()
    assert "Work" in notes(story, "Cake")["cdb.x.0"]


def test_r20_what_google_rewords_while_a_note_is_written_is_no_edit(story):
    story.phone.put("tea", event("Tea  for two", at(1, 9), at(1, 10), "LOCATION:Room   5"))
    story.rest()
    story.sandbox.google.state.switches.rewrites = True
    story.phone.edit("tea", "SUMMARY", "CATEGORIES:Work\r\nSUMMARY")
    text = story.phone.stored()["tea"]
    story.rest()
    assert "Work" in notes(story, "Tea for two")["cdb.x.0"]
    assert story.phone.stored()["tea"] == text


def test_s05_both_sides_at_once_is_no_conflict(tea):
    story = tea
    google(story, "Tea", extendedProperties={"private": dict.fromkeys(notes(story, "Tea"))})
    story.phone.edit("tea", "CATEGORIES:Work", "CATEGORIES:Play")
    story.rest()
    assert "Play" in notes(story, "Tea")["cdb.x.0"]
    assert missing(story, "tea", LINES[1:]) == []
    with story.context.database.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(tables.conflicts)) == 0


def test_a_deletion_here_is_no_edit_there_because_of_a_note(tea):
    """Edit beats delete: a note that was lost there is none."""
    story = tea
    without_notes(story, "Tea")
    story.phone.remove("tea")
    story.settle([])


def test_r17_two_bridges_do_not_answer_each_others_notes(tea, tmp_path):
    story = tea
    with another_bridge(story, tmp_path) as other:
        uid = other.phone.find("Tea")
        for number in range(3):
            story.phone.edit("tea", "PRIORITY:3" if not number else f"PRIORITY:{number + 3}", f"PRIORITY:{number + 4}")
            other.phone.edit(uid, "CATEGORIES:", f"CATEGORIES:{number},")
            before = writes(story)
            for _ in range(4):
                story.cycle("google")
                other.cycle("google")
            assert writes(story) <= before + 2
            before = writes(story)
            for _ in range(3):
                story.cycle("google")
                other.cycle("google")
            assert writes(story) == before
        assert f"PRIORITY:{6}" in story.phone.stored()["tea"]
        assert "PRIORITY:3" in other.phone.stored()[uid]
        assert "CATEGORIES:2,1,0,Work" in other.phone.stored()[uid]
    assert missing(story, "tea", LINES[:1]) == []


# --- R41


CANARY = "canary-41d7"


@pytest.mark.parametrize("level", ["busy", "titles"])
def test_r41_what_is_not_shown_is_not_noted_either(story, level):
    with story.context.database.write() as conn:
        calendars.set_home_pair(conn, story.phone.calendar, story.pairs["microsoft"])
    pairing.change(story.context, story.pairs["google"], projection=projection.read(level, ()))
    lines = (
        f"CATEGORIES:{CANARY}",
        f"CONTACT:{CANARY}",
        f"URL:message:{CANARY}",
        "GEO:48.208174;16.373819",
        "COLOR:navy",
        "PRIORITY:3",
    )
    moved = event("Tea", at(3, 11), at(3, 12), local("RECURRENCE-ID", at(2, 9)), *lines)
    story.phone.put("tea", event("Tea", at(1, 9), at(1, 10), "RRULE:FREQ=DAILY;COUNT=3", *lines), moved)
    story.rest()
    title = "Busy" if level == "busy" else "Tea"
    everything = story.google.client.get("calendars/primary/events").raise_for_status().text
    assert title in everything
    for secret in (CANARY, "48.208174", "navy", "cdb.x"):
        assert secret not in everything
    story.compared()


def test_r41_who_is_shown_less_from_now_on_loses_the_note(story):
    with story.context.database.write() as conn:
        calendars.set_home_pair(conn, story.phone.calendar, story.pairs["microsoft"])
    story.phone.put("tea", event("Tea", at(1, 9), at(1, 10), f"CATEGORIES:{CANARY}"))
    story.rest()
    assert CANARY in notes(story, "Tea")["cdb.x.0"]
    pairing.change(story.context, story.pairs["google"], projection=projection.read("titles", ()))
    story.rest()
    assert notes(story, "Tea") == {}


def test_r15_a_pair_made_anew_writes_no_note_that_is_there(tea):
    story, known = tea, tea.pair("google").remote_calendar_id
    removing.remove_pair(story.context, story.pairs["google"])
    story.pairs.pop("google")
    made_anew(story, known)
    before = writes(story)
    story.rest()
    assert writes(story) == before
    assert missing(story, "tea") == []


def test_r41_a_pair_made_anew_and_shown_less_leaves_no_note(story):
    story.phone.put("tea", event("Tea", at(1, 9), at(1, 10), f"CATEGORIES:{CANARY}"))
    story.rest()
    known = story.pair("google").remote_calendar_id
    removing.remove_pair(story.context, story.pairs["google"])
    with story.context.database.write() as conn:
        calendars.set_home_pair(conn, story.phone.calendar, story.pairs["microsoft"])
        conn.execute(sa.update(tables.homes).values(pair_id=story.pairs["microsoft"]))
    made_anew(story, known)
    pairing.change(story.context, story.pairs["google"], projection=projection.read("titles", ()))
    story.rest()
    assert notes(story, "Tea") == {}
    assert f"CATEGORIES:{CANARY}" in story.phone.stored()["tea"]


# --- accounts from before there were notes


def of_old(component):
    component.pop("aside", None)
    return component


def upgraded(story, many=12):
    """Events that an older version has mirrored: no note, and bases that say nothing of any."""
    for number in range(many):
        story.phone.put(f"e{number}", event(f"Event {number}", at(1, 9), at(1, 10), *LINES))
    story.phone.put(
        "run",
        event("Run", at(2, 7), at(2, 8), "RRULE:FREQ=DAILY;COUNT=5", "CATEGORIES:Early"),
        event("Run", at(3, 8), at(3, 9), local("RECURRENCE-ID", at(3, 7)), "CATEGORIES:Late"),
    )
    story.rest()
    change_bases(story, of_old)
    items = story.google.client.get("calendars/primary/events?maxResults=500").raise_for_status().json()["items"]
    for each in items:
        private = each.get("extendedProperties", {}).get("private", {})
        gone = {name: None for name in private if name.startswith("cdb.x")}
        path = f"calendars/primary/events/{each['id']}"
        story.google.client.patch(path, json={"extendedProperties": {"private": gone}}).raise_for_status()
    assert "cdb.x" not in story.google.client.get("calendars/primary/events?maxResults=500").text


def dirty(story):
    """Everything is to be planned again."""
    with story.context.database.write() as conn:
        conn.execute(sa.update(tables.links).values(dirty=True))


def test_r20_events_from_before_are_not_written_because_of_notes(story):
    """All of them are looked at: Google has renewed every version."""
    upgraded(story)
    before, stored = writes(story), story.phone.stored()
    story.compared()
    story.rest()
    dirty(story)
    story.rest()
    assert writes(story) == before
    assert story.phone.stored() == stored


def test_r42_nor_does_a_comparison_write_them(story):
    upgraded(story, 3)
    story.rest()
    change_bases(story, of_old)
    before = writes(story)
    story.compared()
    story.rest()
    assert writes(story) == before


def test_a_note_comes_with_the_next_edit_and_of_that_event_alone(story):
    upgraded(story, 3)
    before = writes(story)
    story.phone.edit("e1", "SUMMARY:Event 1", "SUMMARY:Edited")
    story.rest()
    assert writes(story) == before + 1
    assert "Work" in notes(story, "Edited")["cdb.x.0"]
    assert notes(story, "Event 0") == notes(story, "Run") == {}
    google(story, "Event 2", summary="Edited there")
    before = writes(story)
    story.rest()
    assert writes(story) == before
    story.phone.edit("e2", "CATEGORIES:Work", "CATEGORIES:Play")
    story.rest()
    assert writes(story) == before + 1
    assert "Play" in notes(story, "Edited there")["cdb.x.0"]


def test_a_deletion_of_one_from_before_is_a_deletion(story):
    upgraded(story, 2)
    story.phone.remove("e0")
    story.phone.remove("run")
    story.rest()
    assert [each.uid for each in _links(story)] == ["e1"]
    assert '"Run"' not in story.google.client.get("calendars/primary/events").text


def _links(story):
    with story.context.database.read() as conn:
        return list(links.by_uid(conn, story.pairs["google"], ["e0", "e1", "run"]).values())
