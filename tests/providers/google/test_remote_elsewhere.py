"""Reading and writing at a service that keeps to Google's documents where our simulated one is more generous."""

import datetime as dt
import json
from dataclasses import replace

import pytest

from bridge.errors import DuplicateKey, Gone, Refused
from bridge.providers.google.api import error_of
from bridge.providers.google.mapping import GoogleLens, item
from bridge.providers.google.provider import GoogleProvider
from bridge.services.context import utc_now
from bridge.sync.ports import RemoteCalendar
from tests.contracts.bench import KeptTokens
from tests.support.elsewhere import Elsewhere

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
GRANT = json.dumps({"access_token": "a", "refresh_token": "r", "expiry": "2999-01-01T00:00:00+00:00"})
EVENTS = "/calendar/v3/calendars/pat/events"


def at(hour, day=2):
    return {"dateTime": f"2026-03-{day:02}T{hour:02}:00:00Z", "timeZone": "UTC"}


def instance(day, **more):
    start = at(9, day)
    id = f"series_202603{day:02}T090000Z"
    return {**MASTER, "recurrence": None, "id": id, "recurringEventId": "series", "originalStartTime": start} | {
        "start": start,
        "end": at(10, day),
        **more,
    }


MASTER = {
    "id": "series",
    "status": "confirmed",
    "etag": '"1"',
    "iCalUID": "series@google.com",
    "summary": "Standup",
    "start": at(9),
    "end": at(10),
    "recurrence": ["RRULE:FREQ=DAILY;COUNT=4"],
    "sequence": 1,
}
CANCELLED = {
    "id": "series_20260303T090000Z",
    "status": "cancelled",
    "recurringEventId": "series",
    "originalStartTime": at(9, 3),
}
INSTANCES = [instance(2), CANCELLED, instance(4, summary="Moved", start=at(12, 4), end=at(13, 4)), instance(5)]


class Calendar(Elsewhere):
    """A series of four, of which one is cancelled and one changed; ``listed`` is what the list by its UID shows."""

    def __init__(self, listed, **alive):
        super().__init__(self._answer)
        self._listed, self._master = listed, {**MASTER, **alive}

    def _answer(self, asked):
        match asked.method, asked.path.removeprefix(EVENTS):
            case "GET", "/series":
                return 200, self._master
            case "GET", "" if "iCalUID" in asked.query:
                return self._listed
            case "GET", "/series/instances":  # without a thought to originalStart
                return 200, {"items": INSTANCES}
            case "PATCH", "/series_20260305T090000Z":
                return 200, {**instance(5), **asked.body}
            case "GET", "" if asked.query.get("syncToken") == "quiet":
                return 200, {"nextSyncToken": "quiet"}
            case "GET", "":
                return 200, {"items": [self._master], "nextSyncToken": "next"}
        return 404, None


def remote(service):
    google = GoogleProvider(
        api_url=service.url, auth_url=service.url, token_url=service.url, client_id="id", client_secret="s", now=utc_now
    )
    calendar = RemoteCalendar("pat", "Pat", writable=True, primary=True, zone="UTC")
    return google.account(KeptTokens(GRANT)).remote(calendar)


@pytest.mark.parametrize(
    "listed",
    [
        (200, {"items": [MASTER]}),
        (200, {}),
        (200, {"items": [{**MASTER, "id": "another"}, MASTER, INSTANCES[2]]}),
        (400, {"error": {"code": 400}}),
    ],
)
def test_g61_a_list_that_hides_what_became_of_a_series_is_not_believed(listed):
    with Calendar(listed) as service:
        held = remote(service)
        read = held.lens.read(held.get("series")).fields
        page = held.page(json.dumps({"sync": "before"}), now=NOW)
    assert read.cancelled == {"20260303T090000Z"}
    assert {key: event.summary for key, event in read.overrides.items()} == {"20260304T090000Z": "Moved"}
    assert page.whole == {"series"}
    assert {each.id for each in page.items} == {"series", CANCELLED["id"], INSTANCES[2]["id"]}


def test_a_deleted_series_is_gone_however_little_is_listed():
    with Calendar((200, {}), status="cancelled") as service, pytest.raises(Gone):
        remote(service).get("series")


def test_the_instance_that_is_meant_is_found_among_all():
    with Calendar((200, {"items": [MASTER, CANCELLED, INSTANCES[2]]})) as service:
        held = remote(service)
        current = held.lens.read(held.get("series"))
        changed = {**current.fields.overrides, "20260305T090000Z": held.lens.event(instance(5, summary="Last"))}
        held.update(current, replace(current.fields, overrides=changed))
        (patch,) = [each for each in service.asked if each.method == "PATCH"]
    assert (patch.path, patch.body) == (f"{EVENTS}/series_20260305T090000Z", {"summary": "Last"})
    assert patch.headers["if-match"] == '"1"'


def test_a_page_without_items_is_an_empty_one():
    with Calendar((200, {})) as service:
        page = remote(service).page(json.dumps({"sync": "quiet"}), now=NOW)
    assert (page.items, page.removals, page.more) == ([], [], False)


def test_g95_a_409_without_a_reason_is_a_taken_id():
    assert isinstance(error_of(409, b'{"error": {"code": 409}}', {}), DuplicateKey)


@pytest.mark.parametrize(
    ("organizer", "creator", "elsewhere"),
    [
        ({}, {}, False),
        ({"email": "Pat@example.net"}, {}, False),
        ({"email": "pat@work.example"}, {"email": "pat@work.example", "self": True}, False),
        ({"email": "boss@example.net"}, {"email": "pat@example.net", "self": True}, True),
        ({"email": "boss@example.net"}, {"email": "boss@example.net"}, True),
    ],
)
def test_g73_whose_meeting_it_is(organizer, creator, elsewhere):
    lens = GoogleLens("UTC", "pat@example.net")
    event = {**MASTER, "organizer": organizer, "creator": creator}
    assert lens.read([item(event)]).organized_elsewhere is elsewhere


def test_null_says_as_little_as_nothing():
    nulls = {"description": None, "visibility": None, "reminders": None, "source": None, "organizer": None}
    start, end = ({**MASTER[name], "date": None} for name in ("start", "end"))
    lens = GoogleLens("UTC")
    assert lens.read([item({**MASTER, **nulls, "start": start, "end": end})]).fields == lens.read([item(MASTER)]).fields


def test_without_an_etag_the_content_is_the_version():
    bare = {name: value for name, value in MASTER.items() if name != "etag"}
    assert item(bare).version == item(dict(reversed(bare.items()))).version
    assert item(bare).version != item({**bare, "summary": "Other"}).version


@pytest.mark.parametrize(
    ("entries", "primary"),
    [
        ([{"id": "pat@example.net", "accessRole": "owner"}, {"id": "team", "accessRole": "reader"}], "pat@example.net"),
        ([{"id": "other", "accessRole": "owner"}, {"id": "pat", "accessRole": "owner", "primary": True}], "pat"),
        ([{"id": "only"}], "only"),
    ],
)
def test_g16_the_primary_calendar_is_found_without_its_alias(entries, primary):
    with Elsewhere(lambda asked: (200, {"items": entries}) if asked.path.endswith("List") else (404, None)) as service:
        google = GoogleProvider(
            api_url=f"{service.url}/calendar/v3",
            auth_url="",
            token_url="",
            client_id="id",
            client_secret="s",
            now=utc_now,
        )
        account = google.account(KeptTokens(GRANT))
        assert account.identity() == (primary, primary)
        (found,) = [each for each in account.calendars() if each.primary]
    assert (found.id, found.writable) == (primary, True)


def test_g16_which_of_several_calendars_is_primary_is_not_guessed():
    entries = [{"id": "one", "accessRole": "owner"}, {"id": "two", "accessRole": "owner"}]
    with Elsewhere(lambda asked: (200, {"items": entries}) if asked.path.endswith("List") else (404, None)) as service:
        google = GoogleProvider(
            api_url=service.url, auth_url="", token_url="", client_id="id", client_secret="s", now=utc_now
        )
        with pytest.raises(Refused):
            google.account(KeptTokens(GRANT)).identity()
