"""Nobody is invited twice: the hub does no scheduling of its own, and guests are data (R40)."""

import pytest

CALENDAR = "/alice/calendar/"
A = CALENDAR + "a.ics"
MEETING = (
    'ORGANIZER;CN=Kim O\'Neil;SENT-BY="mailto:desk@example.net":mailto:Kim@Example.NET',
    (
        "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=Alice;X-NUM-GUESTS=0:"
        "\r\n mailto:alice@example.org"
    ),
    'ATTENDEE;CN="Room 4, second floor";CUTYPE=ROOM;PARTSTAT=ACCEPTED;SCHEDULE-AGENT=SERVER:mailto:room4@example.net',
    "DTSTART:20260310T090000Z",
    "SUMMARY:Meeting",
)


@pytest.mark.parametrize("path", ["/", "/alice/", CALENDAR])
def test_r40_no_scheduling_is_advertised(dav, path):
    """What is not advertised is not used: a client then leaves invitations to whoever organises."""
    tokens = {token.strip() for token in dav.request("OPTIONS", path).headers["DAV"].split(",")}
    assert not {token for token in tokens if "schedule" in token or "auto" in token}
    names = (
        "C:schedule-inbox-URL",
        "C:schedule-outbox-URL",
        "C:schedule-calendar-transp",
        "C:schedule-default-calendar-URL",
    )
    answer = dav.props(path, *names)
    (href,) = answer.hrefs
    assert not answer.props(href)
    kinds = dav.props(path, "D:resourcetype").prop(href, "D:resourcetype")
    assert not {each.tag for each in kinds if "schedule" in each.tag}


def test_r40_guests_of_somebody_elses_meeting_stay_byte_for_byte(dav, event):
    data = event("a", *MEETING)
    reply = dav.put(A, data)
    assert reply.status_code == 201
    assert "Schedule-Tag" not in reply.headers
    assert dav.get(A).content == data
    answered = data.replace(b"PARTSTAT=NEEDS-ACTION", b"PARTSTAT=ACCEPTED")
    assert answered != data
    assert dav.put(A, answered, If_Match=reply.headers["ETag"]).status_code == 204
    assert dav.get(A).content == answered
    assert dav.request("DELETE", A).status_code == 204
