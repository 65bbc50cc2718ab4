"""The simulated Graph: who is told what, and who may change what."""

import pytest

from bridge.sandbox.server import Sandbox
from tests.support.simulated_graph import at, body, client, code, made, occurrences, series

ALEX = "alex@example.com"
BOSS = "boss@example.net"


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def api(sandbox):
    sandbox.reset()
    with client(sandbox.microsoft) as connected:
        yield connected


@pytest.fixture
def mails(sandbox):
    def taken():
        meter = sandbox.microsoft.meter
        found = sorted((mail.recipient, mail.reason) for mail in meter.mails)
        meter.mails.clear()
        return found

    return taken


def people(*addresses):
    return [{"emailAddress": {"address": address, "name": address}, "type": "required"} for address in addresses]


def test_m53_every_write_of_a_meeting_mails(api, mails, sandbox):
    event = made(api, body(attendees=people("a@example.net", "b@example.net")))
    assert mails() == [("a@example.net", "invitation"), ("b@example.net", "invitation")]
    api.patch(f"me/events/{event['id']}", json={"subject": "New"})
    assert mails() == [("a@example.net", "update"), ("b@example.net", "update")]
    api.patch(f"me/events/{event['id']}", json={"attendees": people("b@example.net", "c@example.net")})
    assert mails() == [("a@example.net", "cancellation"), ("c@example.net", "invitation")]  # only the changed ones
    api.delete(f"me/events/{event['id']}")
    assert mails() == [("b@example.net", "cancellation"), ("c@example.net", "cancellation")]
    assert sandbox.microsoft.meter.with_attendees == 2


def test_m53_no_attendees_no_mail(api, mails, sandbox):
    event = made(api, body())
    api.patch(f"me/events/{event['id']}", json={"subject": "New"})
    api.delete(f"me/events/{event['id']}")
    assert mails() == []
    assert (sandbox.microsoft.meter.writes, sandbox.microsoft.meter.with_attendees) == (3, 0)


def test_m51_a_series_mails_once_and_once_for_each_modified_instance(api, mails):
    event = made(api, series(attendees=people("a@example.net")))
    api.patch(f"me/events/{occurrences(api, event['id'])[1]['id']}", json={"subject": "Other"})
    mails()
    api.patch(f"me/events/{event['id']}", json={"location": {"displayName": "B"}})
    assert mails() == [("a@example.net", "update")] * 2


def test_m55_m57_answers_cannot_be_patched(api):
    status = {"response": "accepted", "time": "2026-01-01T00:00:00Z"}
    event = made(api, body(attendees=[people("a@example.net")[0] | {"status": status}]))
    assert event["attendees"][0]["status"] == {"response": "none", "time": "0001-01-01T00:00:00Z"}


def test_invalid_and_too_many_attendees(api):
    assert code(api.post("me/events", json=body(attendees=people("nobody")))) == (400, "ErrorInvalidRecipients")
    many = people(*(f"p{number}@example.net" for number in range(501)))
    assert api.post("me/events", json=body(attendees=many)).status_code == 400  # M-55


@pytest.fixture
def invited(sandbox, api):
    return sandbox.microsoft.receive_invitation(ALEX, BOSS, body(subject="Board"))


def test_an_invitation_is_organised_by_another(api, invited):
    event = api.get(f"me/events/{invited}").json()
    assert event["isOrganizer"] is False
    assert event["organizer"]["emailAddress"]["address"] == BOSS
    assert event["responseStatus"] == {"response": "notResponded", "time": "0001-01-01T00:00:00Z"}
    assert event["showAs"] == "tentative"


@pytest.mark.parametrize(
    ("verb", "response", "shown"),
    [
        ("accept", "accepted", "busy"),
        ("tentativelyAccept", "tentativelyAccepted", "tentative"),
        ("decline", "declined", "free"),
    ],
)
@pytest.mark.parametrize("send", [True, False])
def test_m57_answering(api, invited, mails, verb, response, shown, send):
    answer = api.post(f"me/events/{invited}/{verb}", json={"sendResponse": send, "comment": "ok"})
    assert (answer.status_code, answer.content) == (202, b"")
    event = api.get(f"me/events/{invited}").json()
    assert (event["responseStatus"]["response"], event["showAs"]) == (response, shown)
    assert event["attendees"][0]["status"]["response"] == response
    assert mails() == ([(BOSS, "response")] if send else [])


def test_m57_refusals(api, invited, sandbox):
    own = made(api, body())
    assert code(api.post(f"me/events/{own['id']}/accept", json={})) == (400, "ErrorInvalidRequest")
    slot = {"start": at("2026-03-11"), "end": at("2026-03-11", "10:00")}
    quiet = {"proposedNewTime": slot, "sendResponse": False}
    assert api.post(f"me/events/{invited}/decline", json=quiet).status_code == 400
    assert api.post(f"me/events/{invited}/accept", json={"proposedNewTime": slot}).status_code == 400
    assert api.post(f"me/events/{invited}/decline", json={"proposedNewTime": slot}).status_code == 202
    closed = sandbox.microsoft.receive_invitation(ALEX, BOSS, body(allowNewTimeProposals=False))
    assert api.post(f"me/events/{closed}/decline", json={"proposedNewTime": slot}).status_code == 400
    assert api.post(f"me/events/{closed}/accept", json={"sendResponce": True}).status_code == 400


def test_m57_one_occurrence_can_be_answered(api, sandbox):
    master = sandbox.microsoft.receive_invitation(ALEX, BOSS, series())
    second = occurrences(api, master)[1]
    assert api.post(f"me/events/{second['id']}/accept", json={"sendResponse": False}).status_code == 202
    found = occurrences(api, master)
    assert [each["responseStatus"]["response"] for each in found[:3]] == ["notResponded", "accepted", "notResponded"]


def test_m56_only_personal_fields_stay(api, invited, sandbox, mails):
    for refused in ({"start": at("2026-03-10", "08:00")}, {"attendees": []}, {"recurrence": None}):
        assert code(api.patch(f"me/events/{invited}", json=refused)) == (403, "ErrorAccessDenied")
    mine = {"subject": "Mine", "reminderMinutesBeforeStart": 5, "showAs": "oof", "categories": ["Red"]}
    assert api.patch(f"me/events/{invited}", json=mine).json()["subject"] == "Mine"  # stays local …
    sandbox.microsoft.organizer_updates(ALEX, invited, {"location": {"displayName": "Hall"}})
    event = api.get(f"me/events/{invited}").json()
    assert (event["subject"], event["location"]["displayName"]) == (
        "Board",
        "Hall",
    )  # … until the organizer's next update
    assert (event["reminderMinutesBeforeStart"], event["showAs"], event["categories"]) == (5, "oof", ["Red"])
    assert mails() == []


def test_the_organizers_new_time_asks_for_a_new_answer(api, invited, sandbox):
    api.post(f"me/events/{invited}/accept", json={"sendResponse": False})
    sandbox.microsoft.organizer_updates(ALEX, invited, {"start": at("2026-03-11"), "end": at("2026-03-11", "10:00")})
    event = api.get(f"me/events/{invited}").json()
    assert event["start"]["dateTime"].startswith("2026-03-11")
    assert event["responseStatus"]["response"] == "notResponded"


def test_m59_a_cancelled_meeting_is_still_there(api, invited, sandbox):
    sandbox.microsoft.organizer_cancels(ALEX, invited)
    event = api.get(f"me/events/{invited}").json()
    assert (event["isCancelled"], event["subject"]) == (True, "Canceled: Board")


def test_m58_cancel_and_forward(api, invited, mails):
    event = made(api, body(attendees=people("a@example.net")))
    mails()
    assert api.post(f"me/events/{invited}/cancel", json={}).status_code == 400
    recipient = {"toRecipients": [{"emailAddress": {"address": "d@example.net"}}]}
    assert api.post(f"me/events/{event['id']}/forward", json=recipient).status_code == 202
    assert mails() == [("d@example.net", "invitation")]
    assert api.post(f"me/events/{event['id']}/cancel", json={"comment": "sorry"}).status_code == 202
    assert mails() == [("a@example.net", "cancellation")]
    assert api.get(f"me/events/{event['id']}").status_code == 404


def test_declining_may_remove(api, invited, sandbox):
    sandbox.microsoft.configure({"decline_removes": True})
    assert api.post(f"me/events/{invited}/decline", json={}).status_code == 202
    assert api.get(f"me/events/{invited}").status_code == 404
