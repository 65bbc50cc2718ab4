"""The simulated Graph: events as one writes and reads them."""

import datetime as dt

import pytest

from bridge.sandbox.server import Sandbox
from tests.support.simulated_graph import BERLIN, PROPERTY, at, body, client, code, made, series


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def api(sandbox):
    sandbox.reset()
    with client(sandbox.microsoft) as connected:
        yield connected


def test_create_gives_what_the_server_makes_and_its_defaults(api):
    event = made(api, body(iCalUId="mine", organizer={"emailAddress": {"address": "boss@example.net"}}, id="x"))
    assert event["type"] == "singleInstance"
    assert event["iCalUId"] != "mine"  # M-33
    assert event["organizer"]["emailAddress"]["address"] == "alex@example.com"  # M-54
    assert event["isOrganizer"] is True
    assert (event["isReminderOn"], event["reminderMinutesBeforeStart"]) == (True, 15)
    assert event["@odata.etag"] == f'W/"{event["changeKey"]}"'  # M-31
    assert "transactionId" not in event
    assert "originalStart" not in event  # M-48


def test_m36_m38_times_are_utc_unless_another_zone_is_preferred(api):
    event = made(api, body("2026-07-01", "09:00", "10:30"))
    assert event["start"] == {"dateTime": "2026-07-01T07:00:00.0000000", "timeZone": "UTC"}
    assert event["originalStartTimeZone"] == BERLIN
    answer = api.get(f"me/events/{event['id']}", headers={"Prefer": 'outlook.timezone="Tokyo Standard Time"'})
    assert answer.json()["end"] == {"dateTime": "2026-07-01T17:30:00.0000000", "timeZone": "Tokyo Standard Time"}
    assert answer.headers["Preference-Applied"] == 'outlook.timezone="Tokyo Standard Time"'


@pytest.mark.parametrize("zone", ["Europe/Berlin", BERLIN, "UTC", "w. europe standard time"])
def test_m37_zones_that_are_taken(api, zone):
    wanted = "UTC" if zone == "UTC" else BERLIN
    event = made(
        api, body(start="09:00") | {"start": at("2026-03-10", "09:00", zone), "end": at("2026-03-10", "12:00", zone)}
    )
    assert event["originalStartTimeZone"] == wanted


@pytest.mark.parametrize("zone", ["Europe/Vienna", "CET", "tzone://Microsoft/Custom", "Mars/Base"])
def test_m37_zones_that_are_not(api, zone):
    answer = api.post("me/events", json=body() | {"start": at("2026-03-10", "09:00", zone)})
    assert code(answer) == (400, "TimeZoneNotSupportedException")


def test_m36_an_offset_inside_datetime_is_refused(api):
    wrong = body() | {"start": {"dateTime": "2026-03-10T09:00:00+01:00", "timeZone": "UTC"}}
    assert api.post("me/events", json=wrong).status_code == 400


def test_end_before_start_is_refused(api):
    assert code(api.post("me/events", json=body(start="10:00", end="09:00"))) == (400, "ErrorPropertyValidationFailure")


def all_day(start="2026-03-10", end="2026-03-11", zone=BERLIN, **more):
    return body(isAllDay=True, **more) | {"start": at(start, "00:00", zone), "end": at(end, "00:00", zone)}


def test_m40_all_day_is_midnight_to_midnight_in_any_preferred_zone(api):
    event = made(api, all_day())
    for zone in ("UTC", "Tokyo Standard Time", "Hawaiian Standard Time"):
        answer = api.get(f"me/events/{event['id']}", headers={"Prefer": f'outlook.timezone="{zone}"'}).json()
        assert answer["start"] == {"dateTime": "2026-03-10T00:00:00.0000000", "timeZone": zone}
        assert answer["end"]["dateTime"] == "2026-03-11T00:00:00.0000000"


def test_m39_all_day_rules(api):
    late = all_day() | {"start": at("2026-03-10", "08:00")}
    answer = api.post("me/events", json=late)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == (
        "The Event.Start property for an all-day event needs to be set to midnight."
    )
    assert api.post("me/events", json=all_day(end="2026-03-10")).status_code == 400
    other = all_day() | {"end": at("2026-03-11", "00:00", "Tokyo Standard Time")}
    assert api.post("me/events", json=other).status_code == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"colour": "red"},
        {"showAs": "sleeping"},
        {"isAllDay": "yes"},
        {"subject": 5},
        {"reminderMinutesBeforeStart": "15"},
        {"categories": "work"},
        {"body": {"contentType": "markdown", "content": ""}},
        {"location": {"name": "Room"}},
        {"importance": None},
    ],
)
def test_m80_bodies_are_checked(api, wrong):
    answer = api.post("me/events", json=body(**wrong))
    assert code(answer) == (400, "RequestBodyRead")
    inner = answer.json()["error"]["innerError"]
    assert set(inner) == {"date", "request-id", "client-request-id"}


@pytest.mark.parametrize(
    "query", ["$foo=1", "select=id", "$search=x", "$top=0", "$select=nothing", "$filter=subject", "$orderby=body"]
)
def test_m80_query_options_are_checked(api, query):
    assert api.get(f"me/events?{query}").status_code == 400


def test_m32_if_match(api):
    event = made(api, body())
    first = event["@odata.etag"]
    changed = api.patch(f"me/events/{event['id']}", json={"subject": "A"}, headers={"If-Match": first})
    assert changed.status_code == 200
    assert changed.json()["@odata.etag"] != first
    stale = api.patch(f"me/events/{event['id']}", json={"subject": "B"}, headers={"If-Match": first})
    assert code(stale) == (412, "ErrorIrresolvableConflict")
    assert code(api.delete(f"me/events/{event['id']}", headers={"If-Match": first})) == (
        412,
        "ErrorIrresolvableConflict",
    )
    assert api.patch(f"me/events/{event['id']}", json={"subject": "C"}).json()["subject"] == "C"  # the last write wins


def test_m34_transaction_id_is_for_creation_only(api):
    event = made(api, body(transactionId="t-1"))
    assert event["transactionId"] == "t-1"
    assert code(api.post("me/events", json=body(transactionId="t-1"))) == (409, "ErrorDuplicateTransactionId")
    for again in ("t-1", "t-2"):
        answer = api.patch(f"me/events/{event['id']}", json={"transactionId": again})
        assert code(answer) == (400, "ErrorInvalidRequest")  # R34
    assert len(api.get("me/events").json()["value"]) == 1


def test_m35_delete_then_not_found(api):
    event = made(api, body())
    assert api.delete(f"me/events/{event['id']}").status_code == 204
    for answer in (api.get(f"me/events/{event['id']}"), api.delete(f"me/events/{event['id']}")):
        assert code(answer) == (404, "ErrorItemNotFound")


def test_m01_ids_are_case_sensitive(api):
    event = made(api, body())
    assert api.get(f"me/events/{event['id'].swapcase()}").status_code in (400, 404)


def test_m30_default_ids_change_with_the_folder_immutable_ones_do_not(api, sandbox):
    event = made(api, body())
    default = api.get("me/events", headers={"Prefer": ""}).json()["value"][0]["id"]
    assert default != event["id"]
    other = api.post("me/calendars", json={"name": "Other"}).json()
    sandbox.microsoft.move("alex@example.com", event["id"], "Other")
    assert code(api.get(f"me/events/{default}")) == (404, "ErrorItemNotFound")
    assert api.get(f"me/events/{event['id']}").status_code == 200
    there = api.get(f"me/calendars/{other['id']}/events").json()["value"]
    assert [each["id"] for each in there] == [event["id"]]
    moved = api.get(f"me/calendars/{other['id']}/events", headers={"Prefer": ""}).json()["value"][0]["id"]
    translated = api.post(
        "me/translateExchangeIds",
        json={"inputIds": [moved], "sourceIdType": "restId", "targetIdType": "restImmutableEntryId"},
    )
    assert translated.json()["value"] == [{"sourceId": moved, "targetId": event["id"]}]


def test_m63_text_comes_back_as_wrapped_html_and_the_same_text(api):
    text = "Bring:\n - tea & cake\n - <b>not bold</b>\n\nBye"
    event = made(api, body(body={"contentType": "text", "content": text}))
    assert event["body"]["contentType"] == "html"
    assert event["body"]["content"].startswith("<html><head>")
    for _ in range(2):
        plain = api.get(f"me/events/{event['id']}", headers={"Prefer": 'outlook.body-content-type="text"'}).json()[
            "body"
        ]
        assert plain["contentType"] == "text"
        assert plain["content"].replace("\r\n", "\n").strip() == text
        html = api.get(f"me/events/{event['id']}").json()["body"]
        assert api.patch(f"me/events/{event['id']}", json={"body": html}).status_code == 200


def test_m63_html_is_sanitised(api):
    content = '<p onclick="x()">Hi <a href="javascript:x()">a</a><script>alert(1)</script><b>you</b></p>'
    stored = made(api, body(body={"contentType": "html", "content": content}))["body"]["content"]
    assert "<p>Hi <a>a</a><b>you</b></p>" in stored
    assert "script" not in stored


def test_m63_subject_has_a_limit(api):
    assert api.post("me/events", json=body(subject="x" * 255)).status_code == 201
    assert code(api.post("me/events", json=body(subject="x" * 256))) == (400, "ErrorPropertyValidationFailure")


def test_m64_location_replaces_locations(api):
    event = made(api, body(locations=[{"displayName": "A"}, {"displayName": "B"}]))
    assert event["location"]["displayName"] == "A; B"
    changed = api.patch(f"me/events/{event['id']}", json={"location": {"displayName": "C"}}).json()
    assert [each["displayName"] for each in changed["locations"]] == ["C"]
    cleared = api.patch(f"me/events/{event['id']}", json={"location": None}).json()
    assert (cleared["location"]["displayName"], cleared["locations"]) == ("", [])


def test_m66_extended_properties_only_by_expand_and_filter(api):
    event = made(api, body(singleValueExtendedProperties=[{"id": PROPERTY, "value": "Uid-1"}]))
    made(api, body())
    assert "singleValueExtendedProperties" not in event
    expand = f"singleValueExtendedProperties($filter=id eq '{PROPERTY}')"
    shown = api.get(f"me/events/{event['id']}", params={"$expand": expand}).json()
    assert shown["singleValueExtendedProperties"] == [{"id": PROPERTY, "value": "Uid-1"}]
    assert api.get(f"me/events/{event['id']}?$expand=singleValueExtendedProperties").status_code == 400

    def found(term):
        answer = api.get(
            "me/events", params={"$filter": f"singleValueExtendedProperties/Any(ep: {term})", "$expand": expand}
        )
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()["value"]]

    assert found(f"ep/id eq '{PROPERTY}' and ep/value eq 'uid-1'") == [event["id"]]  # the value in any case
    assert found(f"ep/id eq '{PROPERTY.replace('CdbUid', 'cdbuid')}' and ep/value eq 'Uid-1'") == []  # the name exactly
    assert found(f"ep/id eq '{PROPERTY}' and startswith(ep/value,'uid')") == [event["id"]]
    assert found(f"ep/id eq '{PROPERTY}' and ep/value ne 'uid-1'") == []


def test_m66_an_extended_property_is_replaced_and_removed(api):
    event = made(api, body(singleValueExtendedProperties=[{"id": PROPERTY, "value": "1"}]))
    expand = {"$expand": f"singleValueExtendedProperties($filter=id eq '{PROPERTY}')"}
    for value, wanted in (("2", [{"id": PROPERTY, "value": "2"}]), (None, None)):
        change = {"singleValueExtendedProperties": [{"id": PROPERTY, "value": value}]}
        assert api.patch(f"me/events/{event['id']}", json=change).status_code == 200
        shown = api.get(f"me/events/{event['id']}", params=expand).json()
        assert shown.get("singleValueExtendedProperties") == wanted


def test_filters_and_order(api):
    early, late = made(api, body("2026-03-10", subject="It's early")), made(api, body("2026-04-10", subject="late"))

    def ids(**params):
        answer = api.get("me/events", params=params)
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()["value"]]

    assert ids(**{"$filter": f"iCalUId eq '{late['iCalUId']}'"}) == [late["id"]]
    assert ids(**{"$filter": "start/dateTime ge '2026-04-01T00:00'"}) == [late["id"]]
    assert ids(**{"$filter": "start/dateTime lt '2026-04-01T00:00' and subject eq 'It''s early'"}) == [early["id"]]
    assert ids(**{"$orderby": "start/dateTime desc"}) == [late["id"], early["id"]]
    assert ids(**{"$select": "id", "$top": "1", "$skip": "1"}) == [late["id"]]


def test_m16_ten_to_a_page_and_opaque_next_links(api, sandbox):
    sandbox.microsoft.seed("alex@example.com", 23)
    first = api.get("me/events?$count=true&$select=subject").json()
    assert (len(first["value"]), first["@odata.count"]) == (10, 23)
    assert set(first["value"][0]) == {"@odata.etag", "id", "subject"}
    seen, url = [each["id"] for each in first["value"]], first["@odata.nextLink"]
    while url:
        page = api.get(url).json()
        seen += [each["id"] for each in page["value"]]
        url = page.get("@odata.nextLink")
    assert len(set(seen)) == len(seen) == 23
    assert len(api.get("me/events?$top=23").json()["value"]) == 23


def test_m14_m15_calendar_view_windows(api):
    assert api.get("me/calendarView").status_code == 400
    assert api.get("me/calendarView?startDateTime=2020-01-01&endDateTime=2024-12-30").status_code == 200
    long = api.get("me/calendarView?startDateTime=2020-01-01&endDateTime=2025-01-01")
    assert code(long) == (400, "ErrorInvalidRequest")
    assert "Maximum number of days: 1825" in long.json()["error"]["message"]
    event = made(api, body("2026-03-10", "09:00", "10:00"))  # 08:00 to 09:00 UTC
    for start, end, wanted in (
        ("2026-03-10T09:00:00", "2026-03-10T12:00:00", []),
        ("2026-03-10T09:00:00%2B01:00", "2026-03-10T12:00:00%2B01:00", [event["id"]]),  # the offset inside counts
    ):
        found = api.get(
            f"me/calendarView?startDateTime={start}&endDateTime={end}",
            headers={"Prefer": f'outlook.timezone="{BERLIN}"'},
        ).json()["value"]
        assert [
            each["id"] for each in api.get(f"me/calendarView?startDateTime={start}&endDateTime={end}").json()["value"]
        ] == wanted
        assert len(found) == len(wanted)  # the preferred zone does not


def test_m13_lists_hold_masters_views_hold_occurrences(api):
    made(api, series())
    made(api, body("2026-03-03"))
    assert sorted(each["type"] for each in api.get("me/events").json()["value"]) == ["seriesMaster", "singleInstance"]
    view = api.get("me/calendarView?startDateTime=2026-03-01&endDateTime=2026-03-15").json()["value"]
    assert sorted(each["type"] for each in view) == ["occurrence", "occurrence", "singleInstance"]


def test_m17_calendar_view_cannot_select_the_stamps(api):
    url = "me/calendarView?startDateTime=2026-03-01&endDateTime=2026-03-15&$select=lastModifiedDateTime"
    assert api.get(url).status_code == 400


def test_m11_calendars(api):
    created = api.post("me/calendars", json={"name": "Work", "color": "lightGreen"})
    assert created.status_code == 201
    assert created.json()["isDefaultCalendar"] is False
    assert api.post("me/calendars", json={"name": "work"}).status_code == 409
    where = f"me/calendars/{created.json()['id']}"
    assert api.patch(where, json={"name": "Job"}).json()["name"] == "Job"
    assert [each["name"] for each in api.get("me/calendars").json()["value"]] == ["Calendar", "Job"]
    assert api.post("me/calendars", json={"name": "x", "timeZone": "UTC"}).status_code == 400
    assert api.delete(where).status_code == 204
    assert api.get(where).status_code == 404
    assert api.delete(f"me/calendars/{api.get('me/calendar').json()['id']}").status_code == 403


def test_m60_online_meetings_stay_online_until_the_link_leaves_the_body(api):
    event = made(api, body(isOnlineMeeting=True, onlineMeetingProvider="teamsForBusiness"))
    url = event["onlineMeeting"]["joinUrl"]
    assert url in event["body"]["content"]
    kept = api.patch(f"me/events/{event['id']}", json={"isOnlineMeeting": False}).json()
    assert kept["isOnlineMeeting"] is True
    bare = api.patch(f"me/events/{event['id']}", json={"body": {"contentType": "text", "content": "mine"}}).json()
    assert (bare["isOnlineMeeting"], bare["onlineMeeting"]) == (False, None)


def test_m62_reminders(api):
    event = made(api, body(isReminderOn=False))
    assert event["isReminderOn"] is False
    snooze = {"newReminderTime": at("2026-03-10", "08:50")}
    assert api.post(f"me/events/{event['id']}/snoozeReminder", json=snooze).status_code == 202
    assert api.get(f"me/events/{event['id']}").json()["isReminderOn"] is True
    assert api.post(f"me/events/{event['id']}/dismissReminder").status_code == 202
    assert api.get(f"me/events/{event['id']}").json()["isReminderOn"] is False


def test_m82_get_schedule(api, sandbox):
    made(api, body("2026-03-10", "09:00", "10:00", subject="Secret", sensitivity="private"))
    made(api, body("2026-03-10", "10:00", "10:30", showAs="tentative"))
    made(api, body("2026-03-10", "11:00", "12:00", showAs="free"))
    asked = {
        "schedules": ["alex@example.com", "nobody@example.net"],
        "startTime": at("2026-03-10", "08:00"),
        "endTime": at("2026-03-10", "12:00"),
    }
    found = api.post("me/calendar/getSchedule", json=asked).json()["value"]
    assert found[0]["availabilityView"] == "00221000"
    assert "Secret" not in str(found[0])
    assert found[1]["error"]["responseCode"] == "ErrorMailRecipientNotFound"
    long = asked | {"endTime": at("2026-06-10", "12:00")}
    assert code(api.post("me/calendar/getSchedule", json=long)) == (400, "ErrorTimeIntervalTooBig")
    assert sandbox.microsoft.meter.writes == 3


def test_settings_and_zones(api):
    assert api.get("me/mailboxSettings").json()["timeZone"] == BERLIN
    names = api.get("me/outlook/supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard'Iana')").json()[
        "value"
    ]
    assert "Europe/Berlin" in {each["alias"] for each in names}
    assert BERLIN in {each["alias"] for each in api.get("me/outlook/supportedTimeZones").json()["value"]}


def test_copy_carries_every_mark_along(api, sandbox):
    event = made(api, body(transactionId="t", singleValueExtendedProperties=[{"id": PROPERTY, "value": "1"}]))
    copied = sandbox.microsoft.copy("alex@example.com", event["id"])  # R9
    expand = {"$expand": f"singleValueExtendedProperties($filter=id eq '{PROPERTY}')"}
    twin = api.get(f"me/events/{copied}", params=expand).json()
    assert (twin["transactionId"], twin["singleValueExtendedProperties"][0]["value"]) == ("t", "1")
    assert twin["iCalUId"] != event["iCalUId"]


def test_stamps_follow_the_clock(api, sandbox):
    sandbox.clock.freeze(dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC))
    with client(sandbox.microsoft) as frozen:
        event = made(frozen, body())
        sandbox.clock.advance(dt.timedelta(minutes=5))
        changed = frozen.patch(f"me/events/{event['id']}", json={"subject": "x"}).json()
    assert changed["createdDateTime"] == "2026-03-01T12:00:00Z"
    assert changed["lastModifiedDateTime"] == "2026-03-01T12:05:00Z"
