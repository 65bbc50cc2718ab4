"""R32: what Graph stumbles over, or does not answer for, holds up nobody; and nothing is lost, doubled or mailed meanwhile."""

import re

import pytest
import sqlalchemy as sa

from bridge.errors import UsageError
from bridge.services import conflicts, pairing, precedence, previewing, questions, refusing
from bridge.store import pairs, tables
from bridge.sync.consistency import GUESTS
from tests.contracts.bench import Typed
from tests.e2e.dates import ZONE
from tests.scenarios.test_divergence import compared
from tests.scenarios.test_trouble import API
from tests.support.bridged import at, event, opened

WEEKLY = "RRULE:FREQ=WEEKLY;COUNT=10"
FAR = at(365 * 9, 9)
"""Beyond the window that Graph's changes are told of (M-23)."""


def stumbling(story, id):
    """Graph answers 500 whenever this event is asked for by itself, and lists it as ever."""
    story.sandbox.faults.inject(method="GET", path=rf"^/microsoft/.*/events/{re.escape(id)}\?", status=500, times=10**6)


def test_r32_a_series_that_graph_stumbles_over_holds_up_nobody(story):
    before(story)
    id = story.graph.find("Stand-up")
    stumbling(story, id)
    story.graph.retitle(id, "Scrum")
    story.graph.add(Typed("Lunch", at(1, 12), at(1, 13), ZONE))
    story.phone.put("new", event("New", at(1, 9), at(1, 10)))
    story.rest()
    assert {"Lunch", "New", "Stand-up"} <= set(story.google.titles())
    assert {"New", "Scrum"} <= set(story.graph.titles())
    ((provider, uid),) = story.quarantined()
    assert (provider, uid) == ("microsoft", "old series")
    story.sandbox.faults.clear()
    story.pass_by(minutes=6)
    story.settle()
    assert story.phone.find("Scrum")
    assert not story.quarantined()


def test_r32_r26_one_that_may_be_gone_and_cannot_be_asked_for_stays_and_holds_up_nobody(story):
    before(story)
    id = story.graph.find("Old")
    far = at(365 * 9, 9)
    story.graph.reschedule(id, far, far.replace(hour=10))
    story.sandbox.faults.inject(method="GET", path=rf"^/microsoft/.*/events/{re.escape(id)}\?", status=504, times=10**6)
    story.graph.add(Typed("Lunch", at(1, 12), at(1, 13), ZONE))
    story.rest()
    assert "Lunch" in story.google.titles()
    assert story.phone.find("Old")
    assert story.quarantined()
    story.sandbox.faults.clear()
    story.pass_by(minutes=6)
    story.settle()
    assert not story.quarantined()
    assert story.phone.shows(far, far.replace(hour=10))


@pytest.mark.parametrize("edited", [False, True])
def test_r32_r12_our_own_series_that_graph_stumbles_over_is_not_made_twice(story, edited):
    """The answer to its creation is lost, and whoever asks for what it was given is answered 500 for a while."""
    story.sandbox.faults.inject(method="POST", path=API["microsoft"], phase="after", drop=True)
    story.phone.put("series", event("Weekly", at(0, 9), at(0, 10), "RRULE:FREQ=WEEKLY;COUNT=4"))
    story.cycle("microsoft")
    story.sandbox.faults.inject(method="GET", path=r"^/microsoft/.*/events/[^/?]+\?", status=500, times=10**6)
    story.cycle("microsoft")
    if edited:
        story.sandbox.faults.clear()
        story.graph.retitle(story.graph.find("Weekly"), "Scrum")
        assert story.cycle("microsoft").error is None
    story.pass_by(minutes=3)
    story.cycle("microsoft")
    story.sandbox.faults.clear()
    story.pass_by(minutes=30)
    story.settle()
    assert story.graph.titles() == ["Scrum" if edited else "Weekly"]
    assert not story.quarantined()


def test_r32_r16_nothing_is_paired_while_a_series_is_not_shown(story):
    """What it is the counterpart of cannot be told, and a copy would be made of that."""
    before(story)
    pair = story.pair("microsoft")
    with story.context.database.write() as conn:
        pairs.remove(conn, pair.id)
    stumbling(story, story.graph.find("Stand-up"))
    made = pairing.add(
        story.context, "alex/calendar", str(pair.remote_calendar_id), direction="both", how_often="manual"
    )
    story.pairs["microsoft"] = made.pair.id
    assert story.cycle("microsoft").error
    story.sandbox.faults.clear()
    story.pass_by(minutes=6)
    titles = story.graph.titles()
    story.settle()
    assert story.graph.titles() == titles


def before(story):
    story.phone.put("old", event("Old", at(1, 9), at(1, 10)))
    story.phone.put("far", event("Far", FAR, FAR.replace(hour=10)))
    story.phone.put("old series", event("Stand-up", at(0, 12), at(0, 13), WEEKLY))
    story.settle()


def silent(story, id):
    """Nobody answers whoever asks for this event."""
    story.sandbox.faults.inject(method="GET", path=rf"^/microsoft/.*/events/{re.escape(id)}\?", status=504, times=10**6)


def listed_anew(story, id):
    """Nobody has edited anything; all is listed anew, and this one is not shown."""
    stumbling(story, id)
    story.sandbox.microsoft.lose_sync_state()
    assert story.cycle("microsoft").error is None


def over(story):
    story.sandbox.faults.clear()
    story.pass_by(minutes=30)


@pytest.mark.parametrize("rule", ["", "FREQ=DAILY;COUNT=3"])
@pytest.mark.parametrize("start", [at(1, 9), FAR])
def test_r32_one_that_is_new_comes_as_soon_as_it_is_shown(story, start, rule):
    """Beyond the window it is told as removed (M-23)."""
    id = story.graph.add(Typed("Jubilee", start, start.replace(hour=10), ZONE, rule=rule))
    stumbling(story, id)
    story.phone.put("new", event("New", at(1, 9), at(1, 10)))
    assert story.cycle("microsoft").error is None
    assert "New" in story.graph.titles()
    over(story)
    story.settle()
    assert story.phone.find("Jubilee")
    assert not story.quarantined()


def test_r32_one_that_is_new_and_gone_again_is_forgotten(story):
    id = story.graph.add(Typed("Jubilee", at(1, 9), at(1, 10), ZONE, rule="FREQ=DAILY;COUNT=3"))
    stumbling(story, id)
    story.cycle("microsoft")
    assert story.quarantined()
    story.graph.remove(id)
    over(story)
    story.settle([])
    assert not story.quarantined()


def test_r32_what_is_in_doubt_is_asked_for_more_and_more_seldom(story):
    before(story)
    id = story.graph.find("Old")
    story.graph.reschedule(id, FAR, FAR.replace(hour=10))
    silent(story, id)
    asked = []
    for _ in range(12):
        requests = story.sandbox.microsoft.meter.requests
        story.cycle("microsoft")
        asked.append(story.sandbox.microsoft.meter.requests - requests > 1)
        story.pass_by(minutes=5)
    assert sum(asked) <= 4, asked


def test_r32_so_is_what_waits_for_a_word(sandbox, tmp_path):
    with opened(sandbox, tmp_path, connect=()) as story:
        for uid in ("a", "b"):
            story.phone.put(uid, event("Tea", at(1, 9), at(1, 10), "RRULE:FREQ=WEEKLY;COUNT=5"))
        id = story.graph.add(Typed("Tea", at(1, 9), at(1, 10), ZONE, rule="FREQ=WEEKLY;COUNT=5"))
        story.pairs["microsoft"] = story.connect("microsoft").pair_id
        story.rest()
        listed_anew(story, id)
        requests = story.sandbox.microsoft.meter.requests
        for _ in range(12):
            story.cycle("microsoft")
            story.pass_by(minutes=5)
        assert story.sandbox.microsoft.meter.requests - requests <= 12 + 4 * 3


def test_r32_of_many_in_doubt_none_holds_up_the_others(story):
    for number in range(4):
        story.phone.put(f"e{number}", event(f"Event {number}", at(1, 9), at(1, 10)))
    story.settle()
    for number in range(4):
        id = story.graph.find(f"Event {number}")
        story.graph.reschedule(id, FAR, FAR.replace(hour=10))
        stumbling(story, id)
    story.phone.put("new", event("New", at(1, 9), at(1, 10)))
    assert story.cycle("microsoft").error is None
    assert "New" in story.graph.titles()


@pytest.mark.parametrize("removed", [False, True])
def test_r36_what_was_done_here_to_one_in_doubt_is_carried_over_once_it_is_answered_for(story, removed):
    """What is in doubt is the echo of our own write, so what is found then is no news."""
    story.phone.put("far", event("Far", FAR, FAR.replace(hour=10)))
    story.settle()
    story.phone.edit("far", "SUMMARY:Far", "SUMMARY:Farther")
    story.cycle("microsoft")
    silent(story, story.graph.find("Farther"))
    if removed:
        story.phone.remove("far")
    else:
        story.phone.edit("far", "SUMMARY:Farther", "SUMMARY:Farthest")
    assert story.cycle("microsoft").error is None
    over(story)
    story.cycle("microsoft")
    assert story.graph.titles() == ([] if removed else ["Farthest"])


# --- the guard, and a no


def test_r6_what_is_not_shown_counts(story):
    for number in range(13):
        story.phone.put(f"s{number}", event(f"Series {number}", at(0, 12), at(0, 13), WEEKLY))
    story.settle()
    for number in range(3):
        listed_anew(story, story.graph.find(f"Series {number}"))
    for uid in story.phone.stored():
        story.phone.remove(uid)
    assert story.cycle("microsoft").parked
    assert len(story.graph.titles()) == 13


@pytest.mark.parametrize("edited", [False, True])
def test_r6_a_refused_deletion_of_one_that_was_not_shown_does_not_happen_later(story, edited):
    for number in range(24):
        story.phone.put(f"e{number}", event(f"Event {number}", at(1, 9), at(1, 10)))
    story.phone.put("s", event("Stand-up", at(0, 12), at(0, 13), WEEKLY))
    story.settle()
    id = story.graph.find("Stand-up")
    if edited:
        story.graph.retitle(id, "Scrum")
    listed_anew(story, id)
    story.sandbox.faults.clear()
    for uid in story.phone.stored():
        story.phone.remove(uid)
    assert story.cycle("microsoft").parked
    refusing.refuse(story.context, story.pairs["microsoft"])
    over(story)
    for _ in range(3):
        story.cycle("microsoft")
    assert len(story.graph.titles()) == len(story.phone.stored()) == 25


def test_r6_a_no_waits_for_the_answer_about_one_in_doubt(story):
    """It is there still, or gone: whoever said no wants it back in the one case, and no second one in the other."""
    for number in range(20):
        story.phone.put(f"e{number}", event(f"Event {number}", at(1, 9), at(1, 10)))
    story.settle()
    first = story.graph.find("Event 0")
    for number in range(20):
        story.graph.remove(story.graph.find(f"Event {number}"))
    story.sandbox.microsoft.lose_sync_state()
    stumbling(story, first)
    assert story.cycle("microsoft").parked
    with pytest.raises(UsageError):
        refusing.refuse(story.context, story.pairs["microsoft"])
    assert story.cycle("microsoft").parked
    over(story)
    refusing.refuse(story.context, story.pairs["microsoft"])
    story.settle()
    assert len(story.graph.titles()) == len(story.phone.stored()) == 20


# --- what waits for its owner's word


def test_r16_a_question_stays_a_question(sandbox, tmp_path):
    with opened(sandbox, tmp_path, connect=()) as story:
        for uid in ("a", "b"):
            story.phone.put(uid, event("Tea", at(1, 9), at(1, 10), "RRULE:FREQ=WEEKLY;COUNT=5"))
        id = story.graph.add(Typed("Tea", at(1, 9), at(1, 10), ZONE, rule="FREQ=WEEKLY;COUNT=5"))
        story.pairs["microsoft"] = pair = story.connect("microsoft").pair_id
        story.rest()
        assert len(questions.unanswered(story.context, pair)) == 1
        listed_anew(story, id)
        over(story)
        story.rest()
        assert sorted(story.phone.stored()) == ["a", "b"]
        assert len(questions.unanswered(story.context, pair)) == 1


@pytest.mark.parametrize("edited", ["shown", "here", "there"])
def test_r16_an_answer_is_the_answer_to_its_own_question_alone(sandbox, tmp_path, edited):
    """Two questions; of the other one an event is edited, or not shown, while the first is answered."""
    with opened(sandbox, tmp_path, connect=()) as story:
        for uid, title in (("a", "Tea"), ("b", "Tea"), ("c", "Cake"), ("d", "Cake")):
            story.phone.put(uid, event(title, at(1, 9), at(1, 10), "RRULE:FREQ=WEEKLY;COUNT=5"))
        ids = {
            title: story.graph.add(Typed(title, at(1, 9), at(1, 10), ZONE, rule="FREQ=WEEKLY;COUNT=5"))
            for title in ("Tea", "Cake")
        }
        story.pairs["microsoft"] = pair = story.connect("microsoft").pair_id
        story.rest()
        assert len(questions.unanswered(story.context, pair)) == 2
        match edited:
            case "shown":
                listed_anew(story, ids["Tea"])
            case "here":
                story.phone.edit("a", "SUMMARY:Tea", "SUMMARY:Green tea")
            case "there":
                story.graph.retitle(ids["Tea"], "Green tea")
        story.cycle("microsoft")
        questions.same(story.context, pair, "c", ids["Cake"])
        over(story)
        story.rest()
        teas = [title for title in story.graph.titles() if "ea" in title]
        assert (len(teas), len(story.phone.stored())) == (1, 4)


def test_r35_a_conflict_that_waits_is_answered_meanwhile(story):
    precedence.set_truth(story.context, "alex/calendar", "ask")
    story.phone.put("tea", event("Tea", at(1, 9), at(1, 10), WEEKLY))
    story.settle()
    id = story.graph.find("Tea")
    story.graph.retitle(id, "theirs")
    story.phone.edit("tea", "SUMMARY:Tea", "SUMMARY:ours")
    story.cycle("microsoft")
    (found,) = conflicts.unresolved(story.context, "alex/calendar")
    listed_anew(story, id)
    conflicts.resolve(story.context, found.id, take="remote")
    story.cycle("microsoft")
    over(story)
    story.rest()
    assert story.phone.find("theirs")
    assert conflicts.unresolved(story.context) == []


def test_r1_a_meeting_that_waits_for_an_edit_mails_nobody_when_it_is_shown_again(story):
    precedence.set_home(story.context, "alex/calendar", str(story.pairs["microsoft"]))
    who = ["ORGANIZER:mailto:alex@example.com", "ATTENDEE:mailto:guest@elsewhere.example"]
    story.phone.put("m", event("Meeting", at(1, 9), at(1, 10), WEEKLY, *who))
    story.rest()
    where = sa.and_(tables.objects.c.calendar_id == story.pair("microsoft").calendar_id, tables.objects.c.uid == "m")
    with story.context.database.write() as conn:
        data = conn.scalar(sa.select(tables.objects.c.data).where(where))
        conn.execute(sa.update(tables.objects).where(where).values(data=data.replace(b"Meeting", b"Changed")))
    for each in story.pairs:
        compared(story, each)
    story.rest()
    mails = len(story.mails())
    assert (mails > 0, story.quarantined()) == (True, {("microsoft", "m"): GUESTS})
    listed_anew(story, story.graph.find("Meeting"))
    over(story)
    story.rest()
    assert (len(story.mails()), story.quarantined()) == (mails, {("microsoft", "m"): GUESTS})


# --- the first sync


def paired_anew(story):
    """The pair is made anew, and has listed everything, for a preview; nothing is linked yet."""
    before(story)
    pair = story.pair("microsoft")
    with story.context.database.write() as conn:
        pairs.remove(conn, pair.id)
    made = pairing.add(
        story.context, "alex/calendar", str(pair.remote_calendar_id), direction="both", how_often="manual"
    )
    story.pairs["microsoft"] = made.pair.id
    with previewing.previewed(story.context, made.pair.id) as preview:
        assert {row.what for row in preview.rows} == {"link"}


def test_r16_all_series_are_read_anew_before_pairing_and_one_is_not_shown(story):
    paired_anew(story)
    story.graph.remove(story.graph.add(Typed("Jubilee", FAR, FAR.replace(hour=10), ZONE)))
    stumbling(story, story.graph.find("Stand-up"))
    titles = story.graph.titles()
    story.cycle("microsoft")
    over(story)
    story.settle()
    assert story.graph.titles() == titles


def test_m23_r16_what_is_told_as_removed_before_pairing_and_is_there_is_paired(story):
    """Edited beyond the window."""
    paired_anew(story)
    story.graph._write(story.graph.find("Far"), {"location": {"displayName": "Moon"}})
    titles = story.graph.titles()
    story.settle()
    assert story.graph.titles() == titles
    assert len(story.phone.stored()) == 3
