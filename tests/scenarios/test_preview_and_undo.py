"""What a sync will do is told before (R22), and what it did can be taken back (R6, R35): on all sides, once each."""

import pytest

from bridge.errors import UsageError
from bridge.services import history, previewing, undoing
from bridge.store import journal, pairs
from tests.support.bridged import at, event, shown


def foretold(story, provider):
    with previewing.preview(story.context, story.pairs[provider]) as found:
        return sorted((row.side, row.act, row.title) for row in found.rows), found.held


def did(story, provider):
    """What the last cycle that did something has done: (its number, entries)."""
    pair = story.pairs[provider]
    with story.context.database.read() as conn:
        number = journal.latest(conn, pair, limit=1)[0].number
    return number, undoing.entries(story.context, pair, number)


def undo(story, provider, **how):
    number, _ = did(story, provider)
    undone = undoing.undo(story.context, story.pairs[provider], number, **how)
    return {each.title: each.act for each in undone.steps}


def seed(story):
    story.phone.put("a", event("Tea", at(1, 9), at(1, 10), "X-KEPT:as it was"))
    story.phone.put("b", event("Lunch", at(2, 12), at(2, 13)))
    story.phone.put("s", event("Stand-up", at(0, 9), at(0, 10), "RRULE:FREQ=WEEKLY;COUNT=5"))
    return story.settle()


def test_r22_a_preview_tells_what_the_next_sync_then_does_and_writes_nothing(story):
    seed(story)
    story.google.retitle(story.google.find("Tea"), "Green tea")
    story.google.remove(story.google.find("Lunch"))
    story.phone.put("n", event("New", at(3, 9), at(3, 10)))
    story.phone.edit("s", "SUMMARY:Stand-up", "SUMMARY:Standing")
    before, stored, due = story.writes(), story.phone.stored(), story.pair("google").due_at
    rows, held = foretold(story, "google")
    assert held is None
    assert rows == [
        ("hub", "change", "Tea"),
        ("hub", "delete", "Lunch"),
        ("remote", "change", "Standing"),
        ("remote", "create", "New"),
    ]
    assert (story.writes(), story.phone.stored(), story.pair("google").due_at) == (before, stored, due)
    assert foretold(story, "google")[0] == rows
    story.cycle("google")
    _, entries = did(story, "google")
    words = {"create": "create", "update": "change", "delete": "delete"}
    assert sorted((each.side, words[each.what]) for each in entries) == [row[:2] for row in rows]
    assert foretold(story, "google") == ([], None)


def test_r6_a_preview_tells_what_the_guard_would_ask(story):
    for number in range(12):
        story.phone.put(f"e{number}", event(f"Event {number}", at(number, 9), at(number, 10)))
    story.settle()
    for number in range(12):
        story.google.remove(story.google.find(f"Event {number}"))
    rows, held = foretold(story, "google")
    assert len(rows) == held["hub"] == 12
    assert len(story.phone.stored()) == 12


def test_r35_edits_that_came_from_google_are_taken_back_on_all_sides(story):
    everything, before = seed(story), story.phone.stored()
    story.google.retitle(story.google.find("Tea"), "Spoilt")
    story.google.move_occurrence(story.google.find("Stand-up"), at(7, 9), at(8, 15), at(8, 16))
    story.cycle("google")
    number, _ = did(story, "google")
    assert undo(story, "google") == {"Spoilt": "restore", "Stand-up": "restore"}
    story.settle(everything)
    assert story.phone.stored() == before
    with pytest.raises(UsageError, match="already"):
        undoing.undo(story.context, story.pairs["google"], number)


def test_r6_deletions_that_were_approved_by_mistake_are_taken_back(story):
    for number in range(12):
        story.phone.put(f"e{number}", event(f"Event {number}", at(number, 9), at(number, 10)))
    everything, before = story.settle(), story.phone.stored()
    for number in range(12):
        story.google.remove(story.google.find(f"Event {number}"))
    assert story.cycle("google").parked
    with story.context.database.write() as conn:
        pairs.approve(conn, story.pairs["google"], now=story.context.now())
    story.cycle("google")
    assert story.phone.stored() == {}
    assert set(undo(story, "google").values()) == {"restore"}
    story.settle(everything)
    assert story.phone.stored() == before


def test_r35_what_the_phone_did_and_a_sync_carried_on_is_taken_back(story):
    everything, before = seed(story), story.phone.stored()
    story.phone.edit("a", "SUMMARY:Tea", "SUMMARY:Coffee")
    story.phone.remove("b")
    story.cycle("google")
    assert undo(story, "google") == {"Coffee": "restore", "Lunch": "restore"}
    story.settle(everything)
    assert story.phone.stored() == before


def test_r35_what_came_in_goes_again_and_what_was_only_copied_is_left(story):
    seed(story)
    everything = story.settle()
    story.phone.put("n", event("New", at(3, 9), at(3, 10)))
    story.google._call(
        "POST",
        "",
        json={
            "summary": "From Google",
            "start": {"dateTime": at(4, 9).isoformat() + "+01:00"},
            "end": {"dateTime": at(4, 10).isoformat() + "+01:00"},
        },
    )
    story.cycle("google")
    assert undo(story, "google") == {"From Google": "delete", "New": "leave"}
    story.settle([*everything, shown(at(3, 9), at(3, 10), "New")])


def test_r35_one_event_alone_and_what_was_changed_since_only_by_force(story):
    seed(story)
    for title in ("Tea", "Lunch"):
        story.google.retitle(story.google.find(title), f"{title}, spoilt")
    story.cycle("google")
    number, _ = did(story, "google")
    assert undo(story, "google", uid="a") == {"Tea, spoilt": "restore"}
    story.pass_by(minutes=1)
    story.phone.edit("b", "Lunch\\, spoilt", "Lunch\\, mine")
    (step,) = undoing.undo(story.context, story.pairs["google"], number, uid="b").steps
    assert step.act == "leave"
    assert "changed since by" in step.reason
    assert "Lunch\\, mine" in story.phone.stored()["b"]
    undoing.undo(story.context, story.pairs["google"], number, uid="b", force=True)
    story.settle()
    assert "SUMMARY:Lunch\r\n" in story.phone.stored()["b"]
    name = "alex/calendar"
    assert [each.what for each in history.of_object(story.context, name, "b")][:1] == ["changed"]


def test_r35_an_undo_that_was_cut_off_goes_on_when_it_is_said_again(story):
    everything = seed(story)
    for title in ("Tea", "Lunch"):
        story.google.retitle(story.google.find(title), f"{title}, spoilt")
    story.cycle("google")
    number, _ = did(story, "google")
    undo(story, "google", uid="a")  # as far as it came
    story.pass_by(minutes=1)
    undone = undoing.undo(story.context, story.pairs["google"], number)
    assert {each.uid: each.act for each in undone.steps} == {"a": "done", "b": "restore"}
    story.settle(everything)


def test_r1_undoing_invites_nobody_anew(story):
    guest = "ATTENDEE:mailto:guest@elsewhere.example"
    story.phone.put("m", event("Meeting", at(1, 9), at(1, 10), guest))
    story.rest()
    story.google.retitle(story.google.find("Meeting"), "Spoilt")
    story.rest()
    invitations = [mail for mail in story.mails() if mail.reason == "invitation"]
    undo(story, "google")
    story.rest()
    assert story.google.find("Meeting")
    assert [mail for mail in story.mails() if mail.reason == "invitation"] == invitations
