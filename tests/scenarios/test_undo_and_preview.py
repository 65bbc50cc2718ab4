"""A cycle told beforehand and taken back afterwards, on both simulated services: nobody is mailed who need not be (R1, R3)."""

import pytest

from bridge.services import pairing, previewing, undoing
from bridge.store import journal
from bridge.sync.projection import Projection
from tests.e2e.dates import FROM, TO
from tests.scenarios.test_guests import (
    BOSS,
    GUEST,
    google_guests,
    graph_guests,
    invite_in_google,
    invited_at_google,
    meeting,
    rest,
)
from tests.scenarios.test_guests import line as attendee
from tests.support.bridged import PERSON, at, event

PROVIDERS = ("google", "microsoft")


def side_of(story, provider):
    return {"google": story.google, "microsoft": story.graph}[provider]


def preview(story, provider):
    with previewing.previewed(story.context, story.pairs[provider]) as foreseen:
        assert foreseen.held is None
        return list(foreseen.rows)


def last(story, provider):
    with story.context.database.read() as conn:
        return journal.latest(conn, story.pairs[provider], limit=1)[0].number


def undo(story, provider, number=None, **how):
    return undoing.undo(story.context, story.pairs[provider], number or last(story, provider), **how)


def whats(done):
    return {item.title: item.what for item in done.items}


def filled(story):
    """Five events and a series with two exceptions."""
    for number in range(5):
        story.phone.put(f"e{number}", event(f"event {number}", at(number, 9), at(number, 10), f"X-PHONE:{number}"))
    story.phone.put(
        "yoga",
        event("Yoga", at(0, 18), at(0, 19), "RRULE:FREQ=WEEKLY;COUNT=6", _exdate(at(14, 18))),
        event("Yoga, later", at(7, 20), at(7, 21), _original(at(7, 18))),
    )
    story.settle()


def _exdate(when):
    return f"EXDATE;TZID=Europe/Vienna:{when:%Y%m%dT%H%M%S}"


def _original(when):
    return f"RECURRENCE-ID;TZID=Europe/Vienna:{when:%Y%m%dT%H%M%S}"


def mixed(story, provider):
    """Changes on both sides, of all kinds."""
    side = side_of(story, provider)
    side.retitle(side.find("event 0"), "theirs")
    side.remove(side.find("event 1"))
    side.move_occurrence(side.find("Yoga"), at(21, 18), at(22, 18), at(22, 19))
    story.phone.edit("e2", "SUMMARY:event 2", "SUMMARY:ours")
    story.phone.remove("e3")
    story.phone.put("new", event("new here", at(5, 9), at(5, 10)))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r16_r22_a_cycle_does_exactly_what_was_previewed(story, provider):
    filled(story)
    mixed(story, provider)
    writes, stored = story.writes(), story.phone.stored()
    rows = preview(story, provider)
    assert (story.writes(), story.phone.stored()) == (writes, stored)
    assert {(row.title, row.what, row.where) for row in rows} == {
        ("event 0", "change", "here"),
        ("event 1", "delete", "here"),
        ("Yoga", "change", "here"),
        ("ours", "change", "there"),
        ("event 3", "delete", "there"),
        ("new here", "create", "there"),
    }
    assert not story.cycle(provider).error
    with story.context.database.read() as conn:
        done = journal.entries(conn, story.pairs[provider], last(story, provider))
    where = {"hub": "here", "remote": "there"}
    journaled = sorted((each.uid, where[each.side], previewing.KINDS[each.kind]) for each in done)
    assert journaled == sorted((row.uid, row.where, row.what) for row in rows)
    assert preview(story, provider) == []
    story.settle()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r35_a_mixed_cycle_is_taken_back_on_all_sides(story, provider):
    filled(story)
    stored, seen = story.phone.stored(), story.google.shows(FROM, TO)
    mixed(story, provider)
    story.cycle(provider)
    number = last(story, provider)
    story.settle()
    assert whats(undo(story, provider, number)) == {
        "theirs": "change",
        "event 1": "restore",
        "Yoga": "change",
        "ours": "change",
        "event 3": "restore",
        "new here": "delete",
    }
    assert story.phone.stored() == stored
    assert story.settle() == seen  # nothing twice, nobody mailed
    assert story.phone.stored() == stored


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r35_a_series_that_was_deleted_there_comes_back_byte_for_byte(story, provider):
    filled(story)
    stored, seen = story.phone.stored()["yoga"], story.google.shows(FROM, TO)
    side = side_of(story, provider)
    side.remove(side.find("Yoga"))
    side.remove(side.find("event 0"))
    story.settle()
    done = undo(story, provider, uid="yoga")
    assert whats(done) == {"Yoga": "restore"}
    assert story.phone.stored()["yoga"] == stored
    assert story.settle() == [each for each in seen if each[2] != "event 0"]
    assert story.phone.stored()["yoga"] == stored


def test_r1_bringing_back_what_was_deleted_mails_guests_of_ones_own_coming_meetings_alone(story):
    """Deleted by a slip at Google, silently: a future meeting of one's own, one that is over, and a copy."""
    story.phone.put("own", meeting("Own", PERSON, GUEST, day=2))
    story.phone.put("over", meeting("Over", PERSON, GUEST, day=-20))
    story.phone.put("plain", event("Plain", at(3, 9), at(3, 10)))
    rest(story)
    sent = [(mail.recipient, mail.reason) for mail in story.mails()]
    assert sent == [(GUEST, "invitation")]
    for title in ("Own", "Over", "Plain"):
        story.google.client.delete(f"calendars/primary/events/{story.google.find(title)}?sendUpdates=none")
    rest(story)
    assert story.phone.stored() == {}
    done = undo(story, "google")
    assert {item.title: item.guests for item in done.items} == {"Own": True, "Over": True, "Plain": False}
    rest(story)
    assert google_guests(story, "Own") == [GUEST]
    assert (google_guests(story, "Over"), graph_guests(story, "Own")) == ([], [])
    assert [(mail.recipient, mail.reason) for mail in story.mails()] == [*sent, (GUEST, "invitation")]


def test_r1_a_copy_that_was_deleted_comes_back_without_a_word_to_anybody(story):
    """Deleted in Outlook, where it had been a copy: its home is Google, so that is where the guests hear of it again."""
    invite_in_google(story)
    rest(story)
    story.graph.remove(story.graph.find("Meeting"))
    rest(story)
    before = len(story.mails())
    undo(story, "microsoft")
    rest(story)
    assert graph_guests(story) == []
    assert [mail.recipient for mail in story.mails()[before:]] == [GUEST]
    assert story.sandbox.microsoft.meter.with_attendees == 0


def test_r3_what_someone_else_organises_is_left_to_its_organiser(story):
    invited_at_google(story)
    rest(story)
    done = undo(story, "google")
    assert [(item.what, item.why) for item in done.items] == [("leave", undoing.FOREIGN)]
    rest(story)
    assert story.google.find("Invitation")
    assert story.mails() == []


def test_r3_a_reminder_of_ones_own_in_someone_elses_meeting_is_taken_back(story):
    invited_at_google(story)
    rest(story)
    uid = story.phone.find("Invitation")
    before = story.phone.stored()[uid]
    story.phone.edit(uid, "END:VEVENT", "TRANSP:TRANSPARENT\r\nEND:VEVENT")
    rest(story)
    assert whats(undo(story, "google")) == {"Invitation": "change"}
    rest(story)
    assert story.phone.stored()[uid] == before
    assert story.mails() == []


def test_an_invitation_that_was_declined_comes_back_and_its_organiser_hears_nothing(story):
    invited_at_google(story)
    rest(story)
    story.google.client.delete(f"calendars/primary/events/{story.google.find('Invitation')}?sendUpdates=none")
    rest(story)
    mails = len(story.mails())
    assert whats(undo(story, "google")) == {"Invitation": "restore"}
    rest(story)
    assert story.phone.find("Invitation")
    assert BOSS not in [mail.recipient for mail in story.mails()[mails:]]
    assert story.mails()[mails:] == []


def test_r41_what_comes_back_shows_a_busy_only_calendar_no_more_than_before(story):
    canary = "canary-41u"
    pairing.change(story.context, story.pairs["microsoft"], projection=Projection("busy"))
    story.phone.put("a", event(f"{canary} title", at(1, 9), at(1, 10), f"DESCRIPTION:{canary}", attendee(GUEST)))
    story.rest()
    story.google.client.delete(f"calendars/primary/events/{story.google.find(f'{canary} title')}?sendUpdates=none")
    story.rest()
    undo(story, "google")
    story.rest()
    assert story.google.find(f"{canary} title")
    held = story.graph.client.get("me/events?$top=500").raise_for_status().text
    assert '"Busy"' in held
    assert canary not in held
