"""Calendars, lists, access, colours, free-busy: G-16…G-25."""

import pytest

from tests.support.simulated_google import all_day, refused, timed, weekly

P = {"calendarId": "primary"}


def entries(service, **params):
    page = service.calendarList().list(**params).execute()
    return {entry["id"]: entry for entry in page["items"]}, page.get("nextSyncToken")


def test_g16_a_calendar_is_its_address_or_primary(google, alex):
    side = google.add_calendar("alex@example.com", "Side").id
    assert side.endswith("@group.calendar.google.com")
    assert alex.calendars().get(calendarId=side).execute()["summary"] == "Side"
    assert alex.calendars().get(**P).execute()["id"] == "alex@example.com"
    assert refused(alex.calendars().get(calendarId="sam@example.com")) == (404, "notFound")  # G-94


def test_g17_the_list_is_paged_and_filtered(google, alex):
    for number in range(4):
        google.add_calendar("alex@example.com", f"Side {number}")
    page = alex.calendarList().list(maxResults=2).execute()
    seen = [page]
    while "nextPageToken" in page:
        page = alex.calendarList().list(maxResults=2, pageToken=page["nextPageToken"]).execute()
        seen.append(page)
    assert [len(page["items"]) for page in seen] == [2, 2, 1]
    assert ["nextSyncToken" in page for page in seen] == [False, False, True]
    google.share("sam@example.com", "alex@example.com", "reader")
    assert "sam@example.com" not in entries(alex, minAccessRole="writer")[0]
    alex.calendarList().patch(calendarId="sam@example.com", body={"hidden": True}).execute()
    assert "sam@example.com" not in entries(alex)[0]
    assert "sam@example.com" in entries(alex, showHidden=True)[0]


@pytest.mark.parametrize(
    "bad",
    [{"minAccessRole": "owner"}, {"showOwnOrganizationOnly": True}, {"showDeleted": False}, {"showHidden": False}],
)
def test_g17_restrictions_do_not_go_with_a_sync_token(alex, bad):
    _, token = entries(alex)
    assert refused(alex.calendarList().list(syncToken=token, **bad))[0] == 400


def test_g18_list_increments(google, alex):
    side = google.add_calendar("alex@example.com", "Side").id
    _, token = entries(alex)
    alex.calendars().patch(calendarId=side, body={"summary": "Renamed"}).execute()
    assert entries(alex, syncToken=token)[0] == {}
    alex.calendarList().patch(calendarId=side, body={"colorId": "7"}).execute()
    assert entries(alex, syncToken=token)[0][side]["summary"] == "Renamed"
    alex.calendars().delete(calendarId=side).execute()
    assert entries(alex, syncToken=token)[0][side]["deleted"] is True
    assert refused(alex.calendarList().list(syncToken="x")) == (410, "fullSyncRequired")


def test_g19_readers_see_that_private_events_are_and_not_what(google, alex, sam):
    event = (
        alex.events().insert(**P, body=timed("2026-03-10T09:00", "2026-03-10T10:00", visibility="private")).execute()
    )
    google.share("alex@example.com", "sam@example.com", "reader")
    (seen,) = sam.events().list(calendarId="alex@example.com").execute()["items"]
    assert (seen["id"], seen["start"], "summary" in seen) == (event["id"], event["start"], False)
    write = sam.events().insert(calendarId="alex@example.com", body=all_day("2026-03-10", "2026-03-11"))
    assert refused(write) == (403, "requiredAccessLevel")
    google.share("alex@example.com", "sam@example.com", "writer")
    assert "summary" in sam.events().list(calendarId="alex@example.com").execute()["items"][0]
    google.share("alex@example.com", "sam@example.com", "freeBusyReader")
    assert refused(sam.events().list(calendarId="alex@example.com"))[0] == 403


def test_g20_a_new_calendar_needs_a_title_and_has_its_owners_zone(alex):
    made = alex.calendars().insert(body={"summary": "Side"}).execute()
    assert (made["timeZone"], made["dataOwner"]) == ("Europe/Vienna", "alex@example.com")
    assert alex.calendarList().get(calendarId=made["id"]).execute()["accessRole"] == "owner"
    assert refused(alex.calendars().insert(body={"timeZone": "Europe/Vienna"})) == (400, "required")
    assert refused(alex.calendars().insert(body={"summary": "x", "timeZone": "Central Standard Time"}))[0] == 400


def test_g21_delete_and_clear(google, alex):
    side = google.add_calendar("alex@example.com", "Side").id
    alex.events().insert(**P, body=all_day("2026-03-10", "2026-03-11")).execute()
    assert refused(alex.calendars().delete(**P))[0] == 400
    assert refused(alex.calendars().clear(calendarId=side))[0] == 400
    alex.calendars().clear(**P).execute()
    assert alex.events().list(**P).execute()["items"] == []
    alex.calendars().delete(calendarId=side).execute()
    assert refused(alex.events().list(calendarId=side))[0] == 404


def test_g23_free_busy(alex, google):
    events = alex.events()
    events.insert(**P, body=timed("2026-03-10T09:00", "2026-03-10T10:00")).execute()
    events.insert(**P, body=timed("2026-03-10T09:30", "2026-03-10T11:00")).execute()
    events.insert(**P, body=timed("2026-03-10T15:00", "2026-03-10T16:00", transparency="transparent")).execute()
    series = events.insert(**P, body=weekly()).execute()
    events.delete(**P, eventId=f"{series['id']}_20260323T080000Z").execute()
    ask = {"timeMin": "2026-03-10T00:00:00Z", "timeMax": "2026-03-25T00:00:00Z", "timeZone": "Europe/Vienna"}
    ask["items"] = [{"id": "primary"}, {"id": "sam@example.com"}]
    answer = alex.freebusy().query(body=ask).execute()["calendars"]
    assert answer["primary"]["busy"] == [
        {"start": "2026-03-10T09:00:00+01:00", "end": "2026-03-10T11:00:00+01:00"},
        {"start": "2026-03-16T09:00:00+01:00", "end": "2026-03-16T10:00:00+01:00"},
    ]
    assert answer["sam@example.com"]["errors"][0]["reason"] == "notFound"
    many = ask | {"items": [{"id": "a@b"}, {"id": "c@d"}], "calendarExpansionMax": 1}
    assert "tooManyCalendarsRequested" in str(alex.freebusy().query(body=many).execute())
    assert refused(alex.freebusy().query(body=ask | {"calendarExpansionMax": 51}))[0] == 400
    assert refused(alex.freebusy().query(body=ask | {"timeMax": ask["timeMin"]})) == (400, "timeRangeEmpty")


def test_g24_access_rules(google, alex, sam):
    rule = {"role": "writer", "scope": {"type": "user", "value": "sam@example.com"}}
    made = alex.acl().insert(**P, body=rule).execute()
    assert [(mail.recipient, mail.reason) for mail in google.meter.mails] == [("sam@example.com", "sharing")]
    assert "alex@example.com" in entries(sam)[0]
    alex.acl().delete(**P, ruleId=made["id"]).execute()
    assert [each["role"] for each in alex.acl().list(**P, showDeleted=True).execute()["items"]] == ["owner", "none"]
    assert "alex@example.com" not in entries(sam)[0]


def test_g25_two_palettes_and_rgb_only_on_request(alex):
    colors = alex.colors().get().execute()
    assert (len(colors["event"]), len(colors["calendar"])) == (11, 24)
    rgb = {"backgroundColor": "#123456", "foregroundColor": "#ffffff"}
    assert alex.calendarList().patch(**P, body=rgb).execute()["backgroundColor"] != "#123456"
    assert alex.calendarList().patch(**P, body=rgb, colorRgbFormat=True).execute()["backgroundColor"] == "#123456"


def test_settings_tell_the_persons_zone(alex):
    values = {each["id"]: each["value"] for each in alex.settings().list().execute()["items"]}
    assert values["timezone"] == alex.settings().get(setting="timezone").execute()["value"] == "Europe/Vienna"
    assert refused(alex.settings().get(setting="nonsense"))[0] == 404
