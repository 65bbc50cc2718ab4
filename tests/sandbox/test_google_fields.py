"""The fields of an event, and events between people: G-67…G-79."""

import pytest

from tests.support.simulated_google import all_day, refused, timed, weekly

P = {"calendarId": "primary"}
ONE = timed("2026-03-10T09:00", "2026-03-10T10:00")
GUESTS = [{"email": "Sam@example.com"}, {"email": "kim@elsewhere.example"}]


@pytest.fixture
def made(events):
    return lambda more=None, **params: events.insert(**P, body=ONE | (more or {}), **params).execute()


@pytest.mark.parametrize(
    "wrong", [{"status": "busy"}, {"transparency": "free"}, {"visibility": "secret"}, {"colorId": "12"}]
)
def test_g67_choices(events, wrong):
    assert refused(events.insert(**P, body=ONE | wrong)) == (400, "invalid")


def test_g67_defaults_are_left_out(made):
    event = made({"transparency": "opaque", "visibility": "default", "status": "tentative"})
    assert not {"transparency", "visibility"} & event.keys()
    assert event["status"] == "tentative"


@pytest.mark.parametrize(
    "reminders",
    [
        {"useDefault": True, "overrides": [{"method": "popup", "minutes": 5}]},
        {"useDefault": False, "overrides": [{"method": "popup", "minutes": n} for n in range(6)]},
        {"useDefault": False, "overrides": [{"method": "sms", "minutes": 5}]},
        {"useDefault": False, "overrides": [{"method": "popup", "minutes": 40321}]},
        {"useDefault": False, "overrides": [{"method": "popup", "minutes": -1}]},
        {"useDefault": False, "overrides": [{"method": "popup"}]},
    ],
)
def test_g68_reminders_that_cannot_be(events, reminders):
    assert refused(events.insert(**P, body=ONE | {"reminders": reminders}))[0] == 400


def test_g68_reminders_are_each_persons_own(google, made, sam):
    google.share("alex@example.com", "sam@example.com", "writer")
    event = made({"reminders": {"useDefault": False}})
    assert event["reminders"] == {"useDefault": False}
    theirs = sam.events().get(calendarId="alex@example.com", eventId=event["id"]).execute()
    assert theirs["reminders"] == {"useDefault": True}


def test_g69_extended_properties_are_cut_in_silence(events, made):
    given = {"k" * 44: "v" * 1025, "k" * 45: "gone"}
    assert made({"extendedProperties": {"private": given}})["extendedProperties"] == {"private": {"k" * 44: "v" * 1024}}
    for many in ({f"k{n}": "v" for n in range(301)}, {f"k{n}": "v" * 1000 for n in range(33)}):
        assert refused(events.insert(**P, body=ONE | {"extendedProperties": {"private": many}}))[0] == 400


@pytest.mark.parametrize("guest", [{}, {"email": "no address"}, {"email": "a@b.c", "responseStatus": "maybe"}])
def test_g70_guests_that_cannot_be(events, guest):
    assert refused(events.insert(**P, body=ONE | {"attendees": [guest]})) == (400, "invalid")


def test_g70_g73_guests_get_copies_with_the_same_identity(google, made, sam):
    event = made({"attendees": GUESTS, "location": "Here"})
    assert [(guest["email"], guest["responseStatus"]) for guest in event["attendees"]] == [
        ("sam@example.com", "needsAction"),
        ("kim@elsewhere.example", "needsAction"),
    ]
    copy = sam.events().get(**P, eventId=event["id"]).execute()
    assert (copy["iCalUID"], copy["location"]) == (event["iCalUID"], "Here")
    assert copy["organizer"] == {"email": "alex@example.com"}
    assert [guest.get("self") for guest in copy["attendees"]] == [True, None]
    assert google.meter.with_attendees == 1


@pytest.mark.parametrize(
    ("updates", "mailed"),
    [({}, []), ({"sendUpdates": "none"}, []), ({"sendUpdates": "externalOnly"}, ["kim@elsewhere.example"])]
    + [
        (each, ["sam@example.com", "kim@elsewhere.example"])
        for each in ({"sendUpdates": "all"}, {"sendNotifications": True})
    ],
)
def test_g72_mails_are_counted_as_send_updates_says(google, events, made, updates, mailed):
    event = made({"attendees": GUESTS}, **updates)
    events.patch(**P, eventId=event["id"], body={"summary": "New"}, **updates).execute()
    events.patch(**P, eventId=event["id"], body={"colorId": "3"}, **updates).execute()  # nobody else's business
    events.delete(**P, eventId=event["id"], **updates).execute()
    expected = [(who, reason) for reason in ("invitation", "update", "cancellation") for who in mailed]
    assert [(mail.recipient, mail.reason) for mail in google.meter.mails] == expected


def test_g71_an_answer_reaches_the_organizer(google, events, made, sam):
    event = made({"attendees": GUESTS})
    mine = {"attendeesOmitted": True, "attendees": [{"email": "sam@example.com", "responseStatus": "accepted"}]}
    copy = sam.events().patch(**P, eventId=event["id"], body=mine, sendUpdates="all").execute()
    assert len(copy["attendees"]) == 2
    seen = events.get(**P, eventId=event["id"]).execute()["attendees"]
    assert [guest["responseStatus"] for guest in seen] == ["accepted", "needsAction"]
    assert [(mail.recipient, mail.reason) for mail in google.meter.mails] == [("alex@example.com", "response")]
    sam.events().delete(**P, eventId=event["id"]).execute()
    seen = events.get(**P, eventId=event["id"]).execute()["attendees"]
    assert seen[0]["responseStatus"] == "declined"


def test_g52_a_guest_changes_only_their_own(events, made, sam):
    event = made({"attendees": GUESTS})
    theirs = sam.events()
    for body in (
        {"summary": "Mine"},
        {"attendees": []},
        {"start": {"dateTime": "2026-03-10T08:00:00", "timeZone": "Europe/Vienna"}},
    ):
        assert refused(theirs.patch(**P, eventId=event["id"], body=body)) == (403, "forbiddenForNonOrganizer")
    assert refused(theirs.update(**P, eventId=event["id"], body=ONE)) == (403, "forbiddenForNonOrganizer")
    own = theirs.patch(**P, eventId=event["id"], body={"colorId": "5", "transparency": "transparent"}).execute()
    assert own["colorId"] == "5"
    events.patch(**P, eventId=event["id"], body={"summary": "Organizer's"}).execute()
    copy = theirs.get(**P, eventId=event["id"]).execute()
    assert (copy["summary"], copy["colorId"]) == ("Organizer's", "5")
    events.patch(**P, eventId=event["id"], body={"guestsCanModify": True}).execute()
    assert theirs.patch(**P, eventId=event["id"], body={"summary": "Mine"}).execute()["summary"] == "Mine"


def test_uninvited_guests_lose_their_copy(google, events, made, sam):
    event = made({"attendees": GUESTS})
    events.patch(**P, eventId=event["id"], body={"attendees": [GUESTS[1]]}, sendUpdates="all").execute()
    assert sam.events().get(**P, eventId=event["id"]).execute()["status"] == "cancelled"
    assert ("sam@example.com", "cancellation") in [(mail.recipient, mail.reason) for mail in google.meter.mails]


def test_a_cancelled_series_leaves_every_guests_calendar(events, sam):
    series = events.insert(**P, body=weekly(attendees=GUESTS)).execute()["id"]
    events.patch(**P, eventId=f"{series}_20260330T070000Z", body={"summary": "Moved"}).execute()
    events.delete(**P, eventId=f"{series}_20260406T070000Z").execute()

    def theirs():
        bounds = {"timeMin": "2026-03-01T00:00:00Z", "timeMax": "2026-05-01T00:00:00Z"}
        return [item["summary"] for item in sam.events().list(**P, singleEvents=True, **bounds).execute()["items"]]

    assert sorted(theirs()) == ["Moved", "Review", "Review", "Review"]
    events.delete(**P, eventId=series).execute()
    assert theirs() == []


def test_one_occurrence_is_answered_alone(events, sam):
    series = events.insert(**P, body=weekly(attendees=GUESTS)).execute()["id"]
    one = f"{series}_20260330T070000Z"
    mine = {"attendeesOmitted": True, "attendees": [{"email": "sam@example.com", "responseStatus": "declined"}]}
    sam.events().patch(**P, eventId=one, body=mine).execute()
    assert events.get(**P, eventId=one).execute()["attendees"][0]["responseStatus"] == "declined"
    assert events.get(**P, eventId=series).execute()["attendees"][0]["responseStatus"] == "needsAction"


def test_g74_a_private_copy_is_not_spread(events, made, sam):
    event = made({"attendees": GUESTS, "privateCopy": True})
    assert refused(sam.events().get(**P, eventId=event["id"]))[0] == 404
    assert refused(events.patch(**P, eventId=event["id"], body={"privateCopy": False}))[0] == 400


def test_g75_conference_data_needs_its_version_on_every_write(events, made):
    wanted = {
        "conferenceData": {"createRequest": {"requestId": "r1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
    }
    assert "conferenceData" not in made(wanted)
    event = made(wanted, conferenceDataVersion=1)
    assert event["conferenceData"]["createRequest"]["status"]["statusCode"] == "pending"
    assert "hangoutLink" not in event
    ready = events.get(**P, eventId=event["id"]).execute()
    assert ready["conferenceData"]["createRequest"]["status"]["statusCode"] == "success"
    assert ready["hangoutLink"].startswith("https://meet.google.com/")
    kept = events.update(**P, eventId=event["id"], body=ONE).execute()
    assert kept["hangoutLink"] == ready["hangoutLink"]
    gone = events.update(**P, eventId=event["id"], body=ONE, conferenceDataVersion=1).execute()
    assert "hangoutLink" not in gone


def test_g76_attachments(events, made):
    link = {"attachments": [{"fileUrl": "https://example.net/a.pdf", "title": "A"}]}
    assert "attachments" not in made(link)
    event = made(link, supportsAttachments=True)
    assert event["attachments"][0]["title"] == "A"
    assert events.update(**P, eventId=event["id"], body=ONE).execute()["attachments"] == event["attachments"]
    many = {"attachments": [{"fileUrl": f"https://example.net/{n}"} for n in range(26)]}
    assert refused(events.insert(**P, body=ONE | many, supportsAttachments=True))[0] == 400
    assert refused(events.insert(**P, body=ONE | {"attachments": [{"title": "A"}]}, supportsAttachments=True))[0] == 400


def test_g77_source_is_http_and_the_creators_alone(google, events, made, sam):
    assert refused(events.insert(**P, body=ONE | {"source": {"url": "mailto:a@b.c"}}))[0] == 400
    event = made({"source": {"url": "https://example.net", "title": "x"}, "description": "<b>Bold</b> & <i>more</i>"})
    assert event["source"]["url"] == "https://example.net"
    assert event["description"] == "<b>Bold</b> & <i>more</i>"
    google.share("alex@example.com", "sam@example.com", "writer")
    assert "source" not in sam.events().get(calendarId="alex@example.com", eventId=event["id"]).execute()


@pytest.mark.parametrize(
    ("body", "good"),
    [
        (ONE | {"eventType": "fromGmail"}, False),
        (ONE | {"eventType": "party"}, False),
        (ONE | {"eventType": "outOfOffice"}, False),
        (ONE | {"eventType": "outOfOffice", "outOfOfficeProperties": {"declineMessage": "no"}}, True),
        (
            ONE
            | {
                "eventType": "focusTime",
                "focusTimeProperties": {"chatStatus": "available"},
                "transparency": "transparent",
            },
            False,
        ),
        (
            all_day("2026-03-10", "2026-03-11")
            | {"eventType": "outOfOffice", "outOfOfficeProperties": {"declineMessage": "n"}},
            False,
        ),
        (ONE | {"eventType": "workingLocation", "workingLocationProperties": {"type": "homeOffice"}}, False),
        (
            ONE
            | {"eventType": "workingLocation", "workingLocationProperties": {"type": "homeOffice"}}
            | {"visibility": "public", "transparency": "transparent"},
            True,
        ),
        (all_day("2026-03-10", "2026-03-11", eventType="birthday"), False),
        (all_day("2026-03-10", "2026-03-11", eventType="birthday", recurrence=["RRULE:FREQ=YEARLY"]), True),
        (ONE | {"outOfOfficeProperties": {"declineMessage": "no"}}, False),
    ],
)
def test_g78_event_types(events, body, good):
    call = events.insert(**P, body=body)
    if good:
        event = call.execute()
        assert event["eventType"] == body["eventType"]
        assert refused(events.patch(**P, eventId=event["id"], body={"eventType": "default"}))[0] == 400
    else:
        assert refused(call)[0] == 400


def test_g79_max_attendees_omits(events, made):
    event = made({"attendees": [*GUESTS, {"email": "alex@example.com"}]})
    cut = events.get(**P, eventId=event["id"], maxAttendees=1).execute()
    assert [guest["email"] for guest in cut["attendees"]] == ["alex@example.com"]
    assert cut["attendeesOmitted"] is True
    assert "attendeesOmitted" not in events.get(**P, eventId=event["id"], maxAttendees=3).execute()


def test_read_only_fields_are_ignored_and_unknown_ones_refused(events, made):
    event = made(
        {"htmlLink": "x", "created": "2000-01-01T00:00:00Z", "kind": "x", "etag": "y", "creator": {"email": "q@q.q"}}
    )
    assert event["creator"]["email"] == "alex@example.com"
    assert events.update(**P, eventId=event["id"], body=event).execute()["id"] == event["id"]
    for wrong in (
        {"titel": "x"},
        {"start": {"when": "x"}},
        {"summary": 5},
        {"attendees": {"email": "x"}},
        {"sequence": "1"},
    ):
        assert refused(events.insert(**P, body=ONE | wrong)) == (400, "invalid")
