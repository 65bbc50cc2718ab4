"""R1, R2, R3: guests are told by the provider where an event has its home, of what a person has done, and by nobody else."""

import pytest
import sqlalchemy as sa

from bridge.store import tables
from tests.e2e.dates import ZONE
from tests.support.bridged import PERSON, at, event

GUEST, OTHER, BOSS = "guest@elsewhere.example", "other@elsewhere.example", "boss@elsewhere.example"


def line(address, partstat="NEEDS-ACTION", **params):
    more = "".join(f";{name}={value}" for name, value in params.items())
    return f"ATTENDEE;PARTSTAT={partstat}{more}:mailto:{address}"


def meeting(title="Meeting", *guests, organizer=PERSON, day=1):
    who = [f"ORGANIZER:mailto:{organizer}", *map(line, guests)] if guests else []
    return event(title, at(day, 9), at(day, 10), *who)


def google_guests(story, title="Meeting"):
    held = story.google.client.get(f"calendars/primary/events/{story.google.find(title)}").json()
    return sorted(each["email"] for each in held.get("attendees", ()))


def graph_guests(story, title="Meeting"):
    held = story.graph.client.get(f"me/events/{story.graph.find(title)}").json()
    return sorted(each["emailAddress"]["address"] for each in held["attendees"])


def rest(story):
    story.rest()
    assert story.quarantined() == {}
    story.compared()


def invite_in_google(story, title="Meeting", guests=(GUEST,)):
    body = {
        "summary": title,
        "start": {"dateTime": at(1, 9).isoformat(), "timeZone": ZONE},
        "end": {"dateTime": at(1, 10).isoformat(), "timeZone": ZONE},
        "attendees": [{"email": each} for each in guests],
    }
    answer = story.google.client.post("calendars/primary/events?sendUpdates=none", json=body)
    return answer.raise_for_status().json()["id"]


def test_r1_a_meeting_made_on_the_phone_invites_once_at_its_home_and_nowhere_else(story):
    story.phone.put("m", meeting("Meeting", PERSON, GUEST))
    rest(story)
    assert google_guests(story) == [GUEST]
    assert graph_guests(story) == []
    assert [(mail.recipient, mail.reason) for mail in story.mails()] == [(GUEST, "invitation")]
    assert story.sandbox.microsoft.meter.with_attendees == 0


UNKNOWN = [
    "ORGANIZER:urn:uuid:6b0a4a94-0c7e-4d32-a6f0-2f2c6f0b7a11",
    "ORGANIZER;CN=Boss:tel:+49-30-555-0100",
    "ORGANIZER:/principals/users/boss/",
    "ORGANIZER:invalid:nomail",
    "ORGANIZER;CN=Boss:mailto:",
    "ORGANIZER:",
    f"ORGANIZER;EMAIL={BOSS}:urn:uuid:6b0a4a94-0c7e-4d32-a6f0-2f2c6f0b7a12",
    f"ORGANIZER;EMAIL={PERSON}:mailto:{BOSS}",
]


def nobody_was_told(story, title):
    assert google_guests(story, title) == graph_guests(story, title) == []
    assert story.mails() == []
    assert (story.sandbox.google.meter.with_attendees, story.sandbox.microsoft.meter.with_attendees) == (0, 0)


@pytest.mark.parametrize("organizer", UNKNOWN)
def test_r1_r3_guests_of_whoever_cannot_be_recognised_are_not_invited(story, organizer):
    story.phone.put("m", event("Meeting", at(1, 9), at(1, 10), organizer, line(GUEST)))
    rest(story)
    nobody_was_told(story, "Meeting")
    story.phone.edit("m", line(GUEST), f"{line(GUEST)}\r\n{line(OTHER)}")
    story.phone.edit("m", "SUMMARY:Meeting", "SUMMARY:Moved")
    rest(story)
    nobody_was_told(story, "Moved")
    stored = story.phone.stored()["m"].replace("\r\n ", "")
    assert all(f"{each}\r\n" in stored for each in (organizer, line(GUEST), line(OTHER)))


def test_r1_whoever_is_known_by_another_address_of_the_organizer_invites(story):
    organizer = f"ORGANIZER;EMAIL={PERSON}:/principals/users/someone/"
    story.phone.put("m", event("Meeting", at(1, 9), at(1, 10), organizer, line(GUEST)))
    rest(story)
    assert google_guests(story) == [GUEST]
    assert [(mail.recipient, mail.reason) for mail in story.mails()] == [(GUEST, "invitation")]


@pytest.mark.parametrize("organizer", [f"ORGANIZER:mailto:{BOSS}", "ORGANIZER:/principals/users/boss/"])
def test_r1_r3_guests_of_one_occurrence_of_someone_elses_series_are_not_invited(story, organizer):
    start = f";TZID={ZONE}:{at(2, 9):%Y%m%dT%H%M%S}"
    story.phone.put(
        "m",
        event("Series", at(1, 9), at(1, 10), "RRULE:FREQ=DAILY;COUNT=3", organizer),
        event("With a guest", at(2, 9), at(2, 10), f"RECURRENCE-ID{start}", organizer, line(GUEST)),
    )
    rest(story)
    assert story.mails() == []
    assert story.sandbox.google.meter.with_attendees == 0


@pytest.mark.parametrize("organizer", UNKNOWN[:6])
def test_r3_a_guest_added_at_google_leaves_an_organizer_without_a_mail_address_as_it_is(story, organizer):
    story.phone.put("m", event("Meeting", at(1, 9), at(1, 10), organizer))
    rest(story)
    path = f"calendars/primary/events/{story.google.find('Meeting')}?sendUpdates=none"
    story.google.client.patch(path, json={"attendees": [{"email": GUEST}]}).raise_for_status()
    rest(story)
    stored = story.phone.stored()["m"].replace("\r\n ", "")
    assert line(GUEST) in stored
    assert [each for each in stored.split("\r\n") if each.startswith("ORGANIZER")] == [organizer]
    assert story.mails() == []


def test_r1_what_guests_answer_reaches_the_phone_and_no_copy(story):
    story.phone.put("m", meeting("Meeting", GUEST))
    rest(story)
    id = story.google.find("Meeting")
    held = story.google.client.get(f"calendars/primary/events/{id}").json()["attendees"]
    answered = [each | {"responseStatus": "accepted"} for each in held]
    story.google.client.patch(f"calendars/primary/events/{id}?sendUpdates=none", json={"attendees": answered})
    mails = len(story.mails())
    rest(story)
    assert line(GUEST, "ACCEPTED") in story.phone.stored()["m"].replace("\r\n ", "")
    assert len(story.mails()) == mails
    assert story.sandbox.microsoft.meter.with_attendees == 0


def test_r2_guests_of_the_first_sync_are_not_written_to_and_later_ones_alone_are(sandbox, tmp_path):
    from tests.support import bridged

    with bridged.opened(sandbox, tmp_path, connect=()) as story:
        story.phone.put("m", meeting("Meeting", GUEST))
        for provider in ("google", "microsoft"):
            story.pairs[provider] = story.connect(provider).pair_id
        rest(story)
        assert story.mails() == []
        assert google_guests(story) == graph_guests(story) == []
        assert line(GUEST) in story.phone.stored()["m"]
        story.phone.edit("m", "SUMMARY:Meeting", "SUMMARY:Meeting moved")
        rest(story)
        assert story.mails() == []
        story.phone.edit("m", line(GUEST), f"{line(GUEST)}\r\n{line(OTHER)}")
        rest(story)
        assert google_guests(story, "Meeting moved") == [OTHER]
        assert [mail.recipient for mail in story.mails()] == [OTHER]


def test_r2_a_change_of_ones_own_reminder_mails_nobody_and_a_new_time_does(story):
    story.phone.put("m", meeting("Meeting", GUEST))
    rest(story)
    before = len(story.mails())
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nDESCRIPTION:x\r\nEND:VALARM\r\nEND:VEVENT"
    story.phone.edit("m", "END:VEVENT", alarm)
    rest(story)
    assert len(story.mails()) == before
    story.phone.edit("m", f"{at(1, 10):%Y%m%dT%H%M%S}", f"{at(1, 11):%Y%m%dT%H%M%S}")
    rest(story)
    assert [(mail.recipient, mail.reason) for mail in story.mails()[before:]] == [(GUEST, "update")]


def test_r3_deleting_a_meeting_on_the_phone_calls_it_off_once(story):
    story.phone.put("m", meeting("Meeting", GUEST))
    rest(story)
    story.phone.remove("m")
    rest(story)
    assert [(mail.recipient, mail.reason) for mail in story.mails()] == [(GUEST, "invitation"), (GUEST, "cancellation")]


def test_r1_a_meeting_of_google_is_mirrored_to_outlook_without_its_guests(story):
    invite_in_google(story, guests=(GUEST, OTHER))
    rest(story)
    assert graph_guests(story) == []
    stored = story.phone.stored()[story.phone.find("Meeting")].replace("\r\n ", "")
    assert line(GUEST) in stored
    assert f"ORGANIZER:mailto:{PERSON}" in stored
    story.graph.retitle(story.graph.find("Meeting"), "Retitled in Outlook")
    rest(story)
    assert google_guests(story, "Retitled in Outlook") == [GUEST, OTHER]
    assert story.sandbox.microsoft.meter.with_attendees == 0
    assert {mail.reason for mail in story.mails()} == {"update"}


def test_r1_a_meeting_of_outlook_is_mirrored_to_google_without_its_guests(story):
    body = {
        "subject": "Meeting",
        "start": {"dateTime": at(1, 9).isoformat(), "timeZone": "W. Europe Standard Time"},
        "end": {"dateTime": at(1, 10).isoformat(), "timeZone": "W. Europe Standard Time"},
        "attendees": [{"emailAddress": {"address": GUEST}, "type": "required"}],
    }
    story.graph.client.post("me/events", json=body).raise_for_status()
    before = len(story.mails())
    rest(story)
    assert google_guests(story) == []
    assert story.sandbox.google.meter.with_attendees == 0
    assert len(story.mails()) == before
    uid = story.phone.find("Meeting")
    story.phone.edit(uid, "SUMMARY:Meeting", "SUMMARY:Renamed")
    rest(story)
    assert graph_guests(story, "Renamed") == [GUEST]
    assert {mail.recipient for mail in story.sandbox.microsoft.meter.mails} == {GUEST}
    assert story.sandbox.google.meter.mails == []


def test_r1_guests_that_a_person_adds_to_a_copy_stay_there(story):
    story.phone.put("m", meeting("Meeting"))
    rest(story)
    body = {"attendees": [{"emailAddress": {"address": GUEST}, "type": "required"}]}
    story.graph.client.patch(f"me/events/{story.graph.find('Meeting')}", json=body).raise_for_status()
    before = len(story.mails())
    rest(story)
    assert "ATTENDEE" not in story.phone.stored()["m"]
    assert google_guests(story) == []
    assert graph_guests(story) == [GUEST]
    assert len(story.mails()) == before


def invited_at_google(story, title="Invitation"):
    """Somebody else's meeting, as it stands in the person's Google calendar."""
    body = {
        "iCalUID": "invitation@elsewhere.example",
        "summary": title,
        "organizer": {"email": BOSS},
        "attendees": [{"email": BOSS, "responseStatus": "accepted"}, {"email": PERSON}, {"email": OTHER}],
        "start": {"dateTime": at(2, 9).isoformat(), "timeZone": ZONE},
        "end": {"dateTime": at(2, 10).isoformat(), "timeZone": ZONE},
    }
    story.google.client.post("calendars/primary/events/import", json=body).raise_for_status()


@pytest.mark.parametrize(("partstat", "answer"), [("ACCEPTED", "accepted"), ("TENTATIVE", "tentative")])
def test_r3_an_answer_given_on_the_phone_is_given_at_the_home(story, partstat, answer):
    invited_at_google(story)
    rest(story)
    uid = story.phone.find("Invitation")
    story.phone.edit(uid, line(PERSON), line(PERSON, partstat))
    rest(story)
    held = story.google.client.get(f"calendars/primary/events/{story.google.find('Invitation')}").json()
    assert {each["email"]: each.get("responseStatus") for each in held["attendees"]} == {
        BOSS: "accepted",
        PERSON: answer,
        OTHER: "needsAction",
    }
    assert {mail.recipient for mail in story.mails()} <= {BOSS}
    assert graph_guests(story, "Invitation") == []


def test_r3_nothing_else_of_someone_elses_meeting_is_written(story):
    invited_at_google(story)
    rest(story)
    uid = story.phone.find("Invitation")
    written = story.sandbox.google.meter.writes
    story.phone.edit(uid, "SUMMARY:Invitation", "SUMMARY:Mine now")
    story.phone.edit(uid, line(OTHER), line(OTHER, "DECLINED"))
    rest(story)
    assert story.sandbox.google.meter.writes == written
    assert "SUMMARY:Invitation" in story.phone.stored()[uid]
    assert story.mails() == []


def test_r3_what_is_ones_own_of_someone_elses_meeting_stays_on_the_phone_and_goes_nowhere(story):
    """A colour, and what Google has no place for: neither written there nor set back here."""
    invited_at_google(story)
    rest(story)
    uid = story.phone.find("Invitation")
    written = story.sandbox.google.meter.writes
    story.phone.edit(uid, "SUMMARY:Invitation", "SUMMARY:Invitation\r\nCATEGORIES:Board\r\nCOLOR:red\r\nPRIORITY:1")
    rest(story)
    assert story.sandbox.google.meter.writes == written
    text = story.phone.stored()[uid]
    assert all(f"{each}\r\n" in text for each in ("CATEGORIES:Board", "COLOR:red", "PRIORITY:1"))
    path = f"calendars/primary/events/{story.google.find('Invitation')}"
    story.google.client.patch(path, json={"reminders": {"useDefault": False, "overrides": []}}).raise_for_status()
    story.phone.edit(uid, line(PERSON), line(PERSON, "ACCEPTED"))
    rest(story)
    held = story.google.client.get(path).json()
    assert "colorId" not in held
    assert "cdb.x" not in str(held)
    story.compared()
    with story.context.database.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(tables.conflicts)) == 0


def test_r3_an_answer_given_on_the_phone_is_given_in_outlook(story):
    invited_at_graph(story.sandbox.microsoft)
    rest(story)
    uid = story.phone.find("Invitation")
    stored = story.phone.stored()[uid].replace("\r\n ", "")
    own = next(each for each in stored.splitlines() if each.startswith("ATTENDEE") and each.endswith(PERSON))
    story.phone.edit(uid, own, own.replace("NEEDS-ACTION", "ACCEPTED"))
    rest(story)
    held = story.graph.client.get(f"me/events/{story.graph.find('Invitation')}").json()
    assert held["responseStatus"]["response"] == "accepted"
    assert {(mail.recipient, mail.reason) for mail in story.mails()} == {(BOSS, "response")}


def invited_at_graph(microsoft):
    body = {
        "subject": "Invitation",
        "start": {"dateTime": at(2, 9).isoformat(), "timeZone": "W. Europe Standard Time"},
        "end": {"dateTime": at(2, 10).isoformat(), "timeZone": "W. Europe Standard Time"},
        "attendees": [{"emailAddress": {"address": each}, "type": "required"} for each in (PERSON, OTHER)],
    }
    microsoft.receive_invitation(PERSON, BOSS, body)


def test_r1_a_flood_of_invitations_waits_for_its_owner(story):
    for number in range(11):
        story.phone.put(f"m{number}", meeting(f"Meeting {number}", GUEST))
    outcomes = [story.cycle(provider) for provider in story.pairs]
    assert [each.parked for each in outcomes] == [True, False]
    assert story.mails() == []
    assert story.pair("google").parked["mails"] == 11


def test_r1_a_series_whose_last_occurrence_is_called_off_mails_nobody_once_more(story):
    """Outlook drops it then. That is no deletion, and another occurrence brings it back there."""
    rule = "RRULE:FREQ=WEEKLY;COUNT=2"
    who = [f"ORGANIZER:mailto:{PERSON}", line(GUEST)]
    story.phone.put("s", event("Choir", at(1, 9), at(1, 10), rule, *who))
    rest(story)
    off = [f"EXDATE;TZID={ZONE}:{at(day, 9):%Y%m%dT%H%M%S}" for day in (1, 8)]
    story.phone.put("s", event("Choir", at(1, 9), at(1, 10), rule, *off, *who))
    story.rest()
    assert story.graph.titles() == []
    assert story.google.find("Choir")
    assert "EXDATE" in story.phone.stored()["s"]
    told = [mail.reason for mail in story.mails()]
    story.phone.put("s", event("Choir", at(1, 9), at(1, 10), "RRULE:FREQ=WEEKLY;COUNT=3", *off, *who))
    story.settle(told=[GUEST])
    assert story.graph.titles() == ["Choir"]
    assert told.count("cancellation") == [mail.reason for mail in story.mails()].count("cancellation")
