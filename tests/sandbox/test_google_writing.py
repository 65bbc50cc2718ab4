"""Writing events: identity, concurrency, times, series — G-44…G-66."""

import datetime as dt

import pytest

from tests.support.simulated_google import ZONE, all_day, refused, timed, weekly

P = {"calendarId": "primary"}


@pytest.fixture
def made(events):
    return lambda body: events.insert(**P, body=body).execute()


@pytest.fixture
def patched(events):
    return lambda event_id, **body: events.patch(**P, eventId=event_id, body=body).execute()


ONE = timed("2026-03-10T09:00", "2026-03-10T10:00")


@pytest.mark.parametrize("id", ["abcd", "with-dash", "UPPER", "wxyz1", "a" * 1025])
def test_g44_ids_are_base32hex(events, id):
    assert refused(events.insert(**P, body=ONE | {"id": id})) == (400, "invalid")


def test_g44_own_id_or_uid_not_both(events, made):
    assert made(ONE | {"id": "abc0v"})["iCalUID"] == "abc0v@google.com"
    assert refused(events.insert(**P, body=ONE | {"id": "abc1v", "iCalUID": "x@y"})) == (400, "invalid")
    assert made(ONE | {"iCalUID": "x@y"})["iCalUID"] == "x@y"


def test_g45_g46_g47_an_id_is_taken_for_good_and_revived_by_status(google, events, made, patched):
    made(ONE | {"id": "abc0v"})
    assert refused(events.insert(**P, body=ONE | {"id": "abc0v"})) == (409, "duplicate")
    events.delete(**P, eventId="abc0v").execute()
    assert refused(events.delete(**P, eventId="abc0v")) == (410, "deleted")
    assert refused(events.insert(**P, body=ONE | {"id": "abc0v"})) == (409, "duplicate")
    assert events.get(**P, eventId="abc0v").execute()["status"] == "cancelled"
    google.configure({"revive": False})
    assert refused(events.patch(**P, eventId="abc0v", body={"status": "confirmed"}))[0] == 403
    google.configure({"revive": True})
    assert patched("abc0v", status="confirmed")["summary"] == "Review"


def test_g49_import_keeps_the_uid_replaces_and_mails_nobody(google, events):
    body = ONE | {
        "iCalUID": "foreign@example.net",
        "organizer": {"email": "Boss@example.net"},
        "attendees": [{"email": "alex@example.com", "responseStatus": "accepted"}],
    }
    first = events.import_(**P, body=body).execute()
    assert first["iCalUID"] == "foreign@example.net"
    assert first["organizer"] == {"email": "boss@example.net"}
    rights = {"guestsCanInviteOthers": True, "guestsCanModify": False, "guestsCanSeeOtherGuests": True}
    again = events.import_(**P, body=body | rights | {"summary": "Renamed"}).execute()
    assert (again["id"], again["summary"]) == (first["id"], "Renamed")
    assert refused(events.import_(**P, body=body)) == (403, "forbiddenForNonOrganizer")  # G-52
    assert google.meter.mails == []
    assert refused(events.import_(**P, body=ONE)) == (400, "required")


def test_g50_import_needs_the_owner_among_the_people(events):
    body = ONE | {"iCalUID": "f@example.net", "organizer": {"email": "boss@example.net"}}
    assert refused(events.import_(**P, body=body)) == (400, "participantIsNeitherOrganizerNorAttendee")


@pytest.mark.parametrize("missing", ["start", "end"])
def test_g51_start_and_end_are_required(events, made, missing):
    body = {name: value for name, value in ONE.items() if name != missing}
    assert refused(events.insert(**P, body=body)) == (400, "required")
    assert refused(events.update(**P, eventId=made(ONE)["id"], body=body)) == (400, "required")


def test_g51_put_replaces_and_patch_merges(events, made, patched):
    private = {"private": {"a": "1", "b": "2"}}
    event = made(ONE | {"location": "Here", "extendedProperties": private, "recurrence": ["RRULE:FREQ=DAILY;COUNT=2"]})
    merged = patched(event["id"], summary="New", extendedProperties={"private": {"a": None, "c": "3"}})
    assert merged["location"] == "Here"
    assert merged["extendedProperties"] == {"private": {"b": "2", "c": "3"}}
    put = events.update(**P, eventId=event["id"], body=ONE).execute()
    assert not {"location", "extendedProperties", "recurrence"} & put.keys()
    assert put["sequence"] >= event["sequence"]


def test_g53_etags_guard_writes_and_reads(google, events, made, http):
    event = made(ONE)
    stale = event["etag"]
    assert stale.strip('"').isdigit()
    fresh = events.patch(**P, eventId=event["id"], body={"summary": "2"}).execute()["etag"]
    for call in (
        events.patch(**P, eventId=event["id"], body={"summary": "3"}),
        events.update(**P, eventId=event["id"], body=ONE),
        events.delete(**P, eventId=event["id"]),
    ):
        call.headers["If-Match"] = stale
        assert refused(call) == (412, "conditionNotMet")
    path = f"calendars/primary/events/{event['id']}"
    assert http.get(path, headers={"If-None-Match": fresh}).status_code == 304
    assert http.get(path, headers={"If-None-Match": stale}).status_code == 200
    last = events.delete(**P, eventId=event["id"])
    last.headers["If-Match"] = fresh
    last.execute()


def test_g54_reminders_alone_do_not_move_updated(world, made, patched):
    event = made(ONE)
    world.clock.advance(dt.timedelta(minutes=1))
    reminded = patched(event["id"], reminders={"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]})
    assert reminded["updated"] == event["updated"]
    assert reminded["etag"] != event["etag"]
    assert patched(event["id"], summary="2")["updated"] > event["updated"]


def test_g55_move_changes_the_organizer_and_leaves_a_stub(google, events, made):
    event = made(ONE)
    other = google.add_calendar("alex@example.com", "Side").id
    moved = events.move(**P, eventId=event["id"], destination=other).execute()
    assert (moved["id"], moved["organizer"]["email"]) == (event["id"], other)
    stub = events.get(**P, eventId=event["id"]).execute()
    assert (stub["status"], "summary" in stub) == ("cancelled", False)


def test_g56_sequence_never_falls(events, made, patched):
    event = made(ONE | {"sequence": 3})
    assert event["sequence"] == 3
    assert refused(events.patch(**P, eventId=event["id"], body={"sequence": 2})) == (400, "invalid")
    assert patched(event["id"], sequence=7)["sequence"] == 7


def test_g57_all_day_has_no_zone_and_times_are_shown_in_the_calendars_zone(events, made):
    day = made(all_day("2026-03-10", "2026-03-12") | {"start": {"date": "2026-03-10", "timeZone": ZONE}})
    assert (day["start"], day["end"]) == ({"date": "2026-03-10"}, {"date": "2026-03-12"})
    far = {"dateTime": "2026-03-10T09:00:00", "timeZone": "America/New_York"}
    end = {"dateTime": "2026-03-10T10:00:00-04:00"}
    event = made({"summary": "Far", "start": far, "end": end})
    assert event["start"] == {"dateTime": "2026-03-10T14:00:00+01:00", "timeZone": "America/New_York"}
    assert event["end"] == {"dateTime": "2026-03-10T15:00:00+01:00", "timeZone": ZONE}
    shown = events.get(**P, eventId=event["id"], timeZone="UTC").execute()
    assert shown["start"] == {"dateTime": "2026-03-10T13:00:00Z", "timeZone": "America/New_York"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"start": {"dateTime": "2026-03-10T09:00:00"}}, "required"),
        ({"start": {"dateTime": "2026-03-10T09:00:00", "timeZone": "W. Europe Standard Time"}}, "invalid"),
        ({"start": {"date": "2026-03-10"}}, "invalid"),
        ({"start": {"date": "2026-03-10", "dateTime": "2026-03-10T09:00:00Z"}}, "invalid"),
        ({"end": {"dateTime": "2026-03-10T08:59:00+01:00"}}, "timeRangeEmpty"),
        ({"start": {"date": "2026-03-10"}, "end": {"date": "2026-03-10"}}, "timeRangeEmpty"),
        ({"start": {"date": "2026-02-30"}, "end": {"date": "2026-03-10"}}, "invalid"),
    ],
)
def test_g57_g89_times_that_cannot_be(events, change, reason):
    assert refused(events.insert(**P, body=ONE | change)) == (400, reason)


def test_g57_a_zero_length_event_is_an_event(made):
    event = made(timed("2026-03-10T09:00", "2026-03-10T09:00"))
    assert event["start"] == event["end"]


def test_g58_a_series_needs_the_zone_it_expands_in(events):
    times = {"start": {"dateTime": "2026-03-10T09:00:00+01:00"}, "end": {"dateTime": "2026-03-10T10:00:00+01:00"}}
    body = {"summary": "x", **times, "recurrence": ["RRULE:FREQ=DAILY"]}
    assert refused(events.insert(**P, body=body)) == (400, "required")
    assert events.insert(**P, body={"summary": "x", **times}).execute()["start"]["timeZone"] == ZONE


@pytest.mark.parametrize(
    "line",
    [
        "DTSTART:20260310T090000Z",
        "DTEND:20260310T090000Z",
        "FREQ=DAILY",
        "RRULE:FREQ=HOURLY",
        "RRULE:INTERVAL=2",
        "RRULE:FREQ=DAILY;COUNT=0",
        "RRULE:FREQ=DAILY;COUNT=2;UNTIL=20260401T000000Z",
        "RRULE:FREQ=DAILY;UNTIL=20260401",
        "RRULE:FREQ=DAILY;UNTIL=20260401T000000",
        "RRULE:FREQ=DAILY;BYDAY=XX",
        "RRULE:FREQ=YEARLY;BYDAY=99MO",
        "RRULE:FREQ=DAILY;X-A=1",
        "EXDATE:20260310T080000Z",
        "RRULE;X=1:FREQ=DAILY",
    ],
)
def test_g59_g64_recurrence_lines_are_checked(events, line):
    assert refused(events.insert(**P, body=ONE | {"recurrence": [line]})) == (400, "invalid")


def test_a_time_before_there_were_zones_has_an_offset_of_whole_minutes(made):
    """Vienna was 1 h 5 min 21 s ahead; RFC 3339 has no seconds there."""
    then = {"dateTime": "1583-01-01T12:00:00Z", "timeZone": "UTC"}
    shown = made({"summary": "x", "start": then, "end": then})["start"]["dateTime"]
    assert dt.datetime.fromisoformat(shown) == dt.datetime(1583, 1, 1, 12, tzinfo=dt.UTC)
    assert shown.endswith("+01:05")


def test_g59_until_of_an_all_day_series_is_a_date(events, made):
    day = all_day("2026-03-10", "2026-03-11")
    assert refused(events.insert(**P, body=day | {"recurrence": ["RRULE:FREQ=DAILY;UNTIL=20260312T000000Z"]}))[0] == 400
    series = made(day | {"recurrence": ["RRULE:FREQ=DAILY;UNTIL=20260312"]})
    assert len(events.instances(**P, eventId=series["id"]).execute()["items"]) == 3


@pytest.mark.parametrize(
    ("lines", "starts"),
    [
        (["RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE;TZID=Europe/Vienna:20260330T090000"], ["16T08", "23T08"]),
        (["RRULE:FREQ=WEEKLY;COUNT=2", "RDATE:20260318T110000Z"], ["16T08", "18T11", "23T08"]),
        (["RRULE:FREQ=WEEKLY;COUNT=3", "EXRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=2"], ["23T08"]),
        (["RRULE:FREQ=WEEKLY;UNTIL=20260323T080000Z"], ["16T08", "23T08"]),
        (["RRULE:FREQ=WEEKLY;UNTIL=20260323T075959Z"], ["16T08"]),
        (["RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=3"], ["16T08", "18T08", "25T08"]),
        (["RDATE;TZID=Europe/Vienna:20260320T090000"], ["16T08", "20T08"]),
    ],
)
def test_g59_instances_of_all_kinds_of_lines(events, made, lines, starts):
    series = made(timed("2026-03-16T09:00", "2026-03-16T10:00", recurrence=lines))
    items = events.instances(**P, eventId=series["id"], timeZone="UTC").execute()["items"]
    assert [item["start"]["dateTime"][8:13] for item in items] == starts


def test_g60_an_instance_keeps_its_key_when_it_moves(events, made, patched):
    series = made(weekly())
    instance = f"{series['id']}_20260330T070000Z"
    times = timed("2026-03-31T15:00", "2026-03-31T16:00")
    moved = patched(instance, start=times["start"], end=times["end"])
    assert moved["id"] == instance
    assert moved["originalStartTime"]["dateTime"] == "2026-03-30T09:00:00+02:00"
    assert events.get(**P, eventId=instance).execute()["start"]["dateTime"] == "2026-03-31T15:00:00+02:00"
    for wrong in (f"{series['id']}_20260330T080000Z", f"{series['id']}_20260330", f"{series['id']}_x", "nothing"):
        assert refused(events.get(**P, eventId=wrong)) == (404, "notFound")
    assert refused(events.patch(**P, eventId=instance, body={"recurrence": ["RRULE:FREQ=DAILY"]}))[0] == 400


def test_g61_status_cancelled_deletes_an_instance(events, made, patched):
    series = made(weekly())
    assert patched(f"{series['id']}_20260330T070000Z", status="cancelled")["status"] == "cancelled"
    assert refused(events.delete(**P, eventId=f"{series['id']}_20260330T070000Z")) == (410, "deleted")
    assert len(events.instances(**P, eventId=series["id"]).execute()["items"]) == 4


def test_g65_a_stricter_instance_makes_the_series_private(events, made, patched):
    series = made(weekly())
    patched(f"{series['id']}_20260330T070000Z", visibility="private")
    assert events.get(**P, eventId=series["id"]).execute()["visibility"] == "private"
    assert patched(f"{series['id']}_20260406T070000Z", visibility="public")["visibility"] == "private"


def exceptions(events, series):
    return [item for item in events.list(**P).execute()["items"] if item.get("recurringEventId") == series["id"]]


def test_g66_an_edit_of_the_masters_time_drops_its_exceptions(events, made, patched):
    series = made(weekly())
    patched(f"{series['id']}_20260330T070000Z", summary="Other")
    events.delete(**P, eventId=f"{series['id']}_20260406T070000Z").execute()
    patched(series["id"], summary="All")
    assert len(exceptions(events, series)) == 2
    later = timed("2026-03-16T11:00", "2026-03-16T12:00")
    patched(series["id"], start=later["start"], end=later["end"])
    assert exceptions(events, series) == []
    assert len(events.instances(**P, eventId=series["id"]).execute()["items"]) == 5


@pytest.mark.parametrize(("dropped", "left"), [("stale", 1), ("all", 0)])
def test_g63_g66_a_shortened_rule_drops_what_it_no_longer_makes(google, events, made, patched, dropped, left):
    google.configure({"dropped_exceptions": dropped})
    series = made(weekly())
    patched(f"{series['id']}_20260323T080000Z", summary="Before")
    patched(f"{series['id']}_20260406T070000Z", summary="After")
    patched(series["id"], recurrence=["RRULE:FREQ=WEEKLY;UNTIL=20260330T065959Z"])
    assert len(exceptions(events, series)) == left
    assert len(events.instances(**P, eventId=series["id"]).execute()["items"]) == 2


def test_deleting_a_master_ends_its_instances(events, made, patched):
    series = made(weekly())
    patched(f"{series['id']}_20260330T070000Z", summary="Other")
    token = events.list(**P).execute()["nextSyncToken"]
    events.delete(**P, eventId=series["id"]).execute()
    gone = events.list(**P, syncToken=token).execute()["items"]
    assert gone[0]["id"] == series["id"]
    assert {item["status"] for item in gone} == {"cancelled"}
    assert refused(events.get(**P, eventId=f"{series['id']}_20260406T070000Z"))[0] == 404


def test_an_all_day_event_becomes_timed_only_if_the_date_is_removed(events, made, patched):
    day = made(all_day("2026-03-10", "2026-03-11"))
    times = {name: ONE[name] for name in ("start", "end")}
    assert refused(events.patch(**P, eventId=day["id"], body=times)) == (400, "invalid")
    nulls = {name: value | {"date": None} for name, value in times.items()}
    assert patched(day["id"], **nulls)["start"] == {"dateTime": "2026-03-10T09:00:00+01:00", "timeZone": ZONE}


def test_r20_a_service_that_rewrites_what_it_is_sent(google, made):
    google.configure({"rewrites": True})
    event = made(ONE | {"summary": " A  b ", "recurrence": ["RRULE:BYDAY=TU;COUNT=2;FREQ=WEEKLY"]})
    assert (event["summary"], event["recurrence"]) == ("A b", ["RRULE:FREQ=WEEKLY;COUNT=2;BYDAY=TU"])
