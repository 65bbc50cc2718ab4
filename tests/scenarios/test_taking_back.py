"""A pair is removed, an account disconnected, and both set up again: every event stays, once each, and nobody is mailed."""

import datetime as dt

import pytest

from bridge.services import conflicts, pairing, refusing, removing
from bridge.store import former
from tests.contracts.bench import Typed
from tests.e2e.dates import FROM, TO, ZONE
from tests.scenarios.test_guests import GUEST, OTHER, google_guests, graph_guests, invite_in_google, line, meeting
from tests.support.bridged import at, event, shown


def remove(story, provider):
    """What is left of the pair: the number of its remote calendar."""
    known = story.pair(provider).remote_calendar_id
    removing.remove_pair(story.context, story.pairs.pop(provider))
    return known


def add_again(story, provider, known):
    made = pairing.add(story.context, "alex/calendar", str(known), direction="both", how_often="manual")
    story.pairs[provider] = made.pair.id


def calendars_with(story):
    """From both services and from the phone, series among them."""
    story.phone.put("here", event("Here", at(1, 9), at(1, 10)))
    story.phone.put("daily", event("Stand-up", at(0, 12), at(0, 13), "RRULE:FREQ=WEEKLY;COUNT=6"))
    story.google.add(typed("From Google", at(2, 9), at(2, 10)))
    story.graph.add(typed("From Outlook", at(3, 9), at(3, 10)))
    story.settle()


def typed(title, start, end):
    return Typed(title, start, end, zone=ZONE)


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_r15_a_pair_removed_and_added_again_finds_what_was_edited_on_both_sides(story, provider):
    calendars_with(story)
    side = story.google if provider == "google" else story.graph
    known = remove(story, provider)
    assert len(side.shows(FROM, TO)) == 9
    story.pass_by(minutes=5)  # services reckon in seconds, and the newer edit is to stand
    # edited here, there, and on both sides: no title and no time tells any more which is which
    story.phone.edit("here", "SUMMARY:Here", "SUMMARY:Here and moved")
    side.retitle(side.find("Stand-up"), "Stand-up there")
    story.phone.edit(story.phone.find("From Outlook"), "SUMMARY:From Outlook", "SUMMARY:Outlook here")
    side.retitle(side.find("From Outlook"), "Outlook there")
    story.rest()
    add_again(story, provider, known)
    seen = story.settle()
    assert len(seen) == 9
    assert len(story.phone.stored()) == 4
    gave_way = [each for one in conflicts.unresolved(story.context) for each in one.differences]
    assert ("Outlook here", "Outlook there") in [(each.hub, each.remote) for each in gave_way]  # R35: neither is lost
    titles = {title for _, _, title in seen}
    assert {"Here and moved", "Stand-up there", "From Google"} < titles
    assert len(titles) == 4


def test_r8_what_was_deleted_on_one_side_meanwhile_comes_back(story):
    calendars_with(story)
    known = remove(story, "google")
    story.phone.remove("here")
    story.google.remove(story.google.find("From Outlook"))
    story.rest()
    assert story.google.find("Here")
    add_again(story, "google", known)
    assert len(story.settle()) == 9
    assert len(story.phone.stored()) == 4


def test_r1_guests_of_a_removed_home_are_told_nothing_more_by_anybody(story):
    story.phone.put("m", meeting("Meeting", GUEST))
    story.rest()
    invite_in_google(story, title="Theirs", guests=(OTHER,))
    story.rest()
    mails = story.mails()
    known = remove(story, "google")
    story.phone.edit("m", "SUMMARY:Meeting", "SUMMARY:Meeting moved")
    story.rest()
    assert google_guests(story) == [GUEST]
    assert graph_guests(story, "Meeting moved") == []
    add_again(story, "google", known)
    story.rest()
    assert google_guests(story, "Meeting moved") == [GUEST]
    assert graph_guests(story, "Meeting moved") == []
    assert story.mails() == mails
    story.compared()
    assert len(story.phone.stored()) == 2


def test_r1_a_copy_that_was_not_made_yet_invites_nobody_when_its_home_is_removed(story):
    story.phone.put("m", meeting("Meeting", GUEST))
    story.cycle("google")  # Outlook has not been told of it
    mails = story.mails()
    assert [mail.recipient for mail in mails] == [GUEST]
    remove(story, "google")
    story.rest()
    assert graph_guests(story) == []
    assert story.mails() == mails
    story.phone.edit("m", line(GUEST), f"{line(GUEST)}\r\n{line(OTHER)}")
    story.rest()
    assert {mail.recipient for mail in story.mails()[len(mails) :]} <= {OTHER}


def test_r1_a_copy_whose_creation_was_held_up_and_overtaken_invites_nobody(story):
    story.phone.put("m", meeting("Meeting", GUEST))
    story.cycle("google")
    story.sandbox.faults.inject(path=r"/me/calendars/.*/events|/me/events", method="POST", status=503, times=9)
    story.cycle("microsoft")
    story.sandbox.faults.clear()
    mails = story.mails()
    remove(story, "google")
    story.phone.edit("m", "SUMMARY:Meeting", "SUMMARY:Meeting moved")
    story.pass_by(hours=1)
    story.rest()
    assert graph_guests(story, "Meeting moved") == []
    assert story.mails() == mails


def test_r2_a_pair_that_only_pulled_invites_nobody_to_what_was_there_before(story):
    pairing.change(story.context, story.pairs["microsoft"], direction="pull")
    story.phone.put("m", meeting("Meeting", GUEST))
    story.rest()
    mails = story.mails()
    remove(story, "google")
    pairing.change(story.context, story.pairs["microsoft"], direction="both")
    story.rest()
    assert graph_guests(story) == []
    assert story.mails() == mails


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_r15_a_disconnected_account_finds_its_events_when_it_is_connected_again(story, provider):
    calendars_with(story)
    gone = removing.disconnect(story.context, "alex", provider)
    assert [one.pair for one in gone.pairs] == [story.pairs.pop(provider)]
    story.pass_by(minutes=5)
    story.phone.edit("here", "SUMMARY:Here", "SUMMARY:Here and moved")
    side = story.google if provider == "google" else story.graph
    side.retitle(side.find("Stand-up"), "Stand-up there")
    story.rest()
    made = story.connect(provider)
    assert made.pair_id is not None
    story.pairs[provider] = made.pair_id
    story.sign_in()
    seen = story.settle()
    assert len(seen) == 9
    assert shown(at(1, 9), at(1, 10), "Here and moved") in seen
    assert len(story.phone.stored()) == 4


def test_what_was_linked_is_forgotten_with_the_history(story):
    calendars_with(story)
    pair = story.pair("google")
    remove(story, "google")
    with story.context.database.write() as conn:
        assert len(former.of(conn, pair.calendar_id, pair.remote_calendar_id)) == 4
        assert former.prune(conn, story.context.now() - dt.timedelta(days=1)) == 0
        assert former.prune(conn, story.context.now()) == 1
        assert former.of(conn, pair.calendar_id, pair.remote_calendar_id) == {}


# --- the no to a parked plan


def many_meetings(story, count=12):
    """Meetings of one's own with a guest, invited one day after the other, and on both sides."""
    for number in range(count):
        story.phone.put(f"m{number:02}", meeting(f"Meeting {number:02}", GUEST, day=number + 1))
        story.rest()
    assert len(story.mails()) == count
    story.pass_by(hours=2)


@pytest.mark.parametrize("where", ["google", "phone"])
def test_r1_r6_refused_meetings_come_back_everywhere_and_no_guest_hears_of_it(story, where):
    many_meetings(story)
    before, mails = story.phone.stored().keys(), story.mails()
    for number in range(12):
        if where == "phone":
            story.phone.remove(f"m{number:02}")
        else:
            id = story.google.find(f"Meeting {number:02}")
            story.google.client.delete(f"calendars/primary/events/{id}?sendUpdates=none").raise_for_status()
    outcome = story.cycle("google")
    assert outcome.parked
    assert story.cycle("microsoft").parked == (where == "phone")
    done = refusing.refuse(story.context, story.pairs["google"])
    assert len(done.back_here if where == "phone" else done.made_there) == 12
    story.rest()
    story.compared()
    seen = story.seen()
    assert seen["hub"] == seen["google"] == seen["graph"]
    assert len(seen["hub"]) == 12
    assert story.phone.stored().keys() == before
    assert all(line(GUEST) in data.replace("\r\n ", "") for data in story.phone.stored().values())
    assert story.mails() == mails
    assert story.quarantined() == {}
    assert story.sandbox.microsoft.meter.with_attendees == 0


def test_r1_a_refused_flood_of_invitations_goes_out_without_its_guests(story):
    for number in range(12):
        story.phone.put(f"m{number:02}", meeting(f"Meeting {number:02}", GUEST, day=number + 1))
    assert story.cycle("google").parked
    assert len(refusing.refuse(story.context, story.pairs["google"]).quiet) == 12
    story.rest()
    assert len(story.seen()["google"]) == len(story.seen()["graph"]) == 12
    assert story.mails() == []
    story.phone.edit("m00", line(GUEST), f"{line(GUEST)}\r\n{line(OTHER)}")
    story.rest()
    assert [mail.recipient for mail in story.mails()] == [OTHER]
