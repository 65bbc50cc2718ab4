"""events.list, events.instances and synchronisation: G-26…G-43, G-60…G-62."""

import datetime as dt

import pytest

from tests.support.simulated_google import all_day, client, refused, timed, weekly


def made(events, body):
    return events.insert(calendarId="primary", body=body).execute()


def listed(events, **params):
    """The whole walk: items, sync token, number of pages."""
    items, pages, token = [], 0, None
    while True:
        page = events.list(calendarId="primary", **params, **({"pageToken": token} if token else {})).execute()
        pages += 1
        items += page["items"]
        assert not ("nextPageToken" in page and "nextSyncToken" in page)  # G-27
        if "nextPageToken" not in page:
            return items, page.get("nextSyncToken"), pages
        assert "nextSyncToken" not in page
        token = page["nextPageToken"]


def ids(items):
    return [item["id"] for item in items]


def hour(number, day=10):
    return timed(f"2026-03-{day:02d}T{number:02d}:00", f"2026-03-{day:02d}T{number:02d}:30")


@pytest.mark.parametrize(("pages", "least"), [("full", 4), ("short", 10), ("empty", 7)])
def test_g26_only_the_absence_of_a_page_token_ends_a_walk(google, events, pages, least):
    google.configure({"pages": pages})
    wanted = [made(events, hour(number))["id"] for number in range(10)]
    found, token, count = listed(events, maxResults=3)
    assert ids(found) == wanted
    assert token
    assert count >= least


def test_g26_default_and_largest_page(google, events):
    google.seed("alex@example.com", 2600)
    assert len(events.list(calendarId="primary").execute()["items"]) == 250
    assert len(events.list(calendarId="primary", maxResults=9999).execute()["items"]) == 2500


@pytest.mark.parametrize(
    "restriction",
    [
        {"iCalUID": "x"},
        {"orderBy": "updated"},
        {"privateExtendedProperty": "a=b"},
        {"q": "x"},
        {"sharedExtendedProperty": "a=b"},
        {"timeMin": "2026-01-01T00:00:00Z"},
        {"timeMax": "2026-01-01T00:00:00Z"},
        {"updatedMin": "2026-02-28T00:00:00Z"},
        {"showDeleted": False},
    ],
)
def test_g28_g29_a_sync_token_with_restrictions_is_refused(events, restriction):
    _, token, _ = listed(events)
    call = events.list(calendarId="primary", syncToken=token, **restriction)
    assert refused(call) == (400, "syncTokenWithRequestRestrictions")


def test_g28_other_parameters_must_stay_the_same(events):
    _, token, _ = listed(events)
    assert refused(events.list(calendarId="primary", syncToken=token, singleEvents=True))[0] == 400
    assert listed(events, syncToken=token, showDeleted=True)[0] == []


def test_g30_a_full_sync_may_be_bounded_but_its_increments_are_not(events):
    _, token, _ = listed(events, timeMin="2026-03-05T00:00:00Z")
    early = made(events, hour(9, day=2))
    assert ids(listed(events, syncToken=token)[0]) == [early["id"]]


@pytest.mark.parametrize(
    "query", [{"orderBy": "updated"}, {"q": "x"}, {"iCalUID": "x"}, {"updatedMin": "2026-02-20T00:00:00Z"}]
)
def test_g31_ordered_or_searching_lists_give_no_sync_token(events, query):
    assert listed(events, **query)[1] is None


def test_g32_what_appears_while_paging_is_not_lost(events):
    first = [made(events, hour(number))["id"] for number in range(4)]
    page = events.list(calendarId="primary", maxResults=2).execute()
    late = made(events, hour(9))
    events.patch(calendarId="primary", eventId=first[0], body={"summary": "Later"}).execute()
    rest = events.list(calendarId="primary", maxResults=2, pageToken=page["nextPageToken"]).execute()
    increment, _, _ = listed(events, syncToken=rest["nextSyncToken"])
    assert set(ids(page["items"] + rest["items"])) == set(first)
    assert ids(increment) == [late["id"], first[0]]
    other = events.list(calendarId="primary", maxResults=2, singleEvents=True, pageToken=page["nextPageToken"])
    assert refused(other) == (400, "invalid")


def test_g33_g34_increments_hold_deletions_and_tokens_are_not_used_up(events):
    event = made(events, hour(9))
    _, token, _ = listed(events)
    assert listed(events, syncToken=token)[1] == token
    events.delete(calendarId="primary", eventId=event["id"]).execute()
    for _ in range(2):
        found, following, _ = listed(events, syncToken=token)
        assert [(item["id"], item["status"]) for item in found] == [(event["id"], "cancelled")]
        assert "summary" not in found[0]  # G-62: only the id is guaranteed
    assert listed(events, syncToken=following)[0] == []


@pytest.mark.parametrize("age", ["unknown", "expired", "old", "shared"])
def test_g35_a_lost_sync_token_is_410(world, google, events, age):
    _, token, _ = listed(events)
    if age == "unknown":
        token = "CPDAlvWDx70CEPDAlvWDx70CGAU="
    elif age == "expired":
        google.expire_sync_tokens()
    elif age == "old":
        world.clock.advance(dt.timedelta(days=40))
        google.expire_tokens()
    else:
        google.share("alex@example.com", "sam@example.com", "reader")
    if age == "old":
        with client(google) as again:
            assert refused(again.events().list(calendarId="primary", syncToken=token)) == (410, "fullSyncRequired")
    else:
        assert refused(events.list(calendarId="primary", syncToken=token)) == (410, "fullSyncRequired")


def test_g36_g38_a_full_list_has_no_tombstones(events):
    kept, gone = made(events, hour(9)), made(events, hour(10))
    events.delete(calendarId="primary", eventId=gone["id"]).execute()
    assert ids(listed(events)[0]) == [kept["id"]]
    assert set(ids(listed(events, showDeleted=True)[0])) == {kept["id"], gone["id"]}


def test_g37_updated_min_shows_deletions_and_may_be_too_old(world, events):
    old, gone = made(events, hour(9)), made(events, hour(10))
    world.clock.advance(dt.timedelta(minutes=5))
    events.delete(calendarId="primary", eventId=gone["id"]).execute()
    assert ids(listed(events, updatedMin="2026-03-01T12:01:00Z", showDeleted=False)[0]) == [gone["id"]]
    assert set(ids(listed(events, updatedMin="2026-03-01T11:00:00Z")[0])) == {old["id"], gone["id"]}
    call = events.list(calendarId="primary", updatedMin="2025-01-01T00:00:00Z")
    assert refused(call) == (410, "updatedMinTooLongAgo")


def test_g38_g39_show_deleted_and_single_events(events):
    live, dead = made(events, weekly()), made(events, weekly())
    for series in (live, dead):
        instances = events.instances(calendarId="primary", eventId=series["id"]).execute()["items"]
        events.delete(calendarId="primary", eventId=instances[1]["id"]).execute()
    events.delete(calendarId="primary", eventId=dead["id"]).execute()

    def states(**params):
        return [
            (item["id"].partition("_")[0], item["status"], "recurrence" in item) for item in listed(events, **params)[0]
        ]

    assert states() == [(live["id"], "confirmed", True), (live["id"], "cancelled", False)]
    assert states(singleEvents=True) == [(live["id"], "confirmed", False)] * 4
    everything = states(showDeleted=True)
    assert (dead["id"], "cancelled", False) in everything
    deleted_singles = listed(events, showDeleted=True, singleEvents=True)[0]
    assert dead["id"] not in ids(deleted_singles)
    assert all("recurringEventId" in item for item in deleted_singles)


def test_g39_start_time_order_needs_single_events(events):
    assert refused(events.list(calendarId="primary", orderBy="startTime"))[0] == 400
    late, early = made(events, hour(15)), made(events, hour(8))
    assert ids(listed(events, orderBy="startTime", singleEvents=True)[0]) == [early["id"], late["id"]]


def test_g40_bounds_are_exclusive_on_end_and_start(events):
    event = made(events, timed("2026-03-10T09:00", "2026-03-10T10:00"))  # 08:00-09:00 UTC

    def found(**bounds):
        return bool(events.list(calendarId="primary", **bounds).execute()["items"])

    assert not found(timeMin="2026-03-10T09:00:00Z")
    assert found(timeMin="2026-03-10T08:59:59.900Z")
    assert not found(timeMax="2026-03-10T09:00:00+01:00")
    assert found(timeMax="2026-03-10T09:00:01+01:00")
    assert event["start"]["dateTime"] == "2026-03-10T09:00:00+01:00"
    same = {"timeMin": "2026-03-10T09:00:00Z", "timeMax": "2026-03-10T09:00:00Z"}
    assert refused(events.list(calendarId="primary", **same)) == (400, "timeRangeEmpty")
    assert refused(events.list(calendarId="primary", timeMin="2026-03-10T09:00:00"))[0] == 400


def test_g40_instances_include_what_ends_at_time_min(events):
    series = made(events, weekly())
    call = events.instances(calendarId="primary", eventId=series["id"], timeMin="2026-03-23T09:00:00Z")
    assert next(item["start"]["dateTime"][:10] for item in call.execute()["items"]) == "2026-03-23"


def test_bounds_find_masters_by_their_instances_and_moved_exceptions_by_their_new_time(events):
    series = made(events, weekly())
    third = f"{series['id']}_20260330T070000Z"
    moved = timed("2026-05-20T11:00", "2026-05-20T12:00")
    events.patch(calendarId="primary", eventId=third, body={"start": moved["start"], "end": moved["end"]}).execute()

    def found(day, **more):
        bounds = {"timeMin": f"{day}T00:00:00Z", "timeMax": f"{day}T23:00:00Z"}
        return ids(events.list(calendarId="primary", **bounds, **more).execute()["items"])

    assert found("2026-04-06") == [series["id"]]
    assert found("2026-03-30", singleEvents=True) == []
    assert found("2026-05-20", singleEvents=True) == [third]
    assert found("2026-05-20") == [series["id"], third]
    assert found("2026-06-20") == []


def test_original_start_filter(events):
    series = made(events, weekly())
    params = {"calendarId": "primary", "eventId": series["id"]}
    for original in ("2026-03-30T09:00:00+02:00", "2026-03-30T07:00:00Z"):
        (item,) = events.instances(**params, originalStart=original).execute()["items"]
        assert item["id"] == f"{series['id']}_20260330T070000Z"
    assert events.instances(**params, originalStart="2026-03-31T07:00:00Z").execute()["items"] == []


def test_g41_extended_property_filters_must_all_match(events):
    both = made(events, hour(9) | {"extendedProperties": {"private": {"a": "1", "b": "2"}}})
    made(events, hour(10) | {"extendedProperties": {"private": {"a": "1"}}})
    assert ids(listed(events, privateExtendedProperty=["a=1", "b=2"])[0]) == [both["id"]]
    assert len(listed(events, privateExtendedProperty="a=1")[0]) == 2


def test_g42_the_collection_tells_of_its_calendar(events):
    page = events.list(calendarId="primary").execute()
    assert page["timeZone"] == "Europe/Vienna"
    assert page["accessRole"] == "owner"
    assert page["defaultReminders"] == [{"method": "popup", "minutes": 10}]
    assert page["etag"].strip('"').isdigit()
    assert page["updated"].endswith("Z")


def test_g43_fields_lose_what_they_do_not_name(events):
    event = made(events, hour(9))
    page = events.list(calendarId="primary", fields="items(id,start/dateTime)").execute()
    assert page == {"items": [{"id": event["id"], "start": {"dateTime": "2026-03-10T09:00:00+01:00"}}]}
    assert "nextSyncToken" in events.list(calendarId="primary", fields="nextSyncToken").execute()
    assert refused(events.list(calendarId="primary", fields="items(id"))[0] == 400


def test_g48_lookup_by_ical_uid_gives_master_and_exceptions(events):
    series = made(events, weekly())
    made(events, hour(9))
    instance = f"{series['id']}_20260330T070000Z"
    events.patch(calendarId="primary", eventId=instance, body={"summary": "Moved"}).execute()
    found, _, _ = listed(events, iCalUID=series["iCalUID"])
    assert ids(found) == [series["id"], instance]
    assert {item["iCalUID"] for item in found} == {series["iCalUID"]}


def test_g60_instances_across_summer_time_keep_the_wall_time(events):
    series = made(events, weekly())
    items = events.instances(calendarId="primary", eventId=series["id"]).execute()["items"]
    assert [item["start"]["dateTime"] for item in items] == [
        "2026-03-16T09:00:00+01:00",
        "2026-03-23T09:00:00+01:00",
        "2026-03-30T09:00:00+02:00",
        "2026-04-06T09:00:00+02:00",
        "2026-04-13T09:00:00+02:00",
    ]
    assert items[2]["id"] == f"{series['id']}_20260330T070000Z"
    assert all("recurrence" not in item and item["recurringEventId"] == series["id"] for item in items)
    days = made(events, all_day("2026-03-28", "2026-03-29", recurrence=["RRULE:FREQ=DAILY;COUNT=3"]))
    names = ids(events.instances(calendarId="primary", eventId=days["id"]).execute()["items"])
    assert names == [f"{days['id']}_202603{day}" for day in (28, 29, 30)]


def test_g61_a_cancelled_instance_has_only_what_names_it(events):
    series = made(events, weekly())
    _, token, _ = listed(events)
    instance = f"{series['id']}_20260330T070000Z"
    events.delete(calendarId="primary", eventId=instance).execute()
    (found,) = listed(events, syncToken=token)[0]
    assert found.pop("etag")
    assert found == {
        "kind": "calendar#event",
        "id": instance,
        "status": "cancelled",
        "recurringEventId": series["id"],
        "originalStartTime": {"dateTime": "2026-03-30T09:00:00+02:00", "timeZone": "Europe/Vienna"},
    }
    master = events.get(calendarId="primary", eventId=series["id"]).execute()
    assert master["recurrence"] == ["RRULE:FREQ=WEEKLY;COUNT=5"]  # no EXDATE
    assert len(events.instances(calendarId="primary", eventId=series["id"]).execute()["items"]) == 4
    shown = events.instances(calendarId="primary", eventId=series["id"], showDeleted=True).execute()["items"]
    assert len(shown) == 5


def test_an_increment_costs_what_changed_not_what_there_is(google, events):
    google.seed("alex@example.com", 5000)
    _, token, _ = listed(events, maxResults=2500)
    event = made(events, hour(9))
    calendar = google.state.calendars["alex@example.com"]
    assert len(calendar.journal.since(calendar.journal.revision - 1)) == 1
    assert ids(listed(events, syncToken=token)[0]) == [event["id"]]
