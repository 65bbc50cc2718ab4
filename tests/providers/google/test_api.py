"""Where the API is, and what its refusals mean (G-88…G-98)."""

import json

import pytest

from bridge.errors import (
    CursorLost,
    DuplicateKey,
    Gone,
    NeedsReconnect,
    QuotaUsedUp,
    Refused,
    Throttled,
    Unreachable,
    VersionMismatch,
)
from bridge.providers.google import api, oauth
from tests.contracts.bench import KeptTokens

DATE = {"date": "Mon, 02 Mar 2026 12:00:00 GMT"}


def body(status, reason):
    error = {"domain": "global", "reason": reason, "message": "Canary lunch"}
    return json.dumps({"error": {"code": status, "message": "Canary lunch", "errors": [error]}}).encode()


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (400, "timeRangeEmpty", Refused),
        (400, "required", Refused),
        (401, "authError", NeedsReconnect),
        (403, "userRateLimitExceeded", Throttled),
        (403, "rateLimitExceeded", Throttled),
        (429, "rateLimitExceeded", Throttled),
        (403, "quotaExceeded", QuotaUsedUp),
        (403, "forbiddenForNonOrganizer", Refused),
        (403, "insufficientPermissions", Refused),
        (404, "notFound", Gone),
        (409, "duplicate", DuplicateKey),
        (409, "conflict", Unreachable),
        (410, "deleted", Gone),
        (410, "", Gone),
        (412, "conditionNotMet", VersionMismatch),
        (500, "backendError", Unreachable),
        (502, "", Unreachable),
        (503, "", Unreachable),
    ],
)
def test_each_refusal_has_its_error(status, reason, kind):
    error = api.error_of(status, body(status, reason), DATE)
    assert type(error) is kind
    assert (error.status, error.code) == (status, reason)
    assert "Canary" not in str(error)


@pytest.mark.parametrize("reason", ["fullSyncRequired", "updatedMinTooLongAgo", ""])
def test_g35_a_listings_410_is_a_lost_cursor_whatever_the_reason(reason):
    assert type(api.error_of(410, body(410, reason), DATE, listing=True)) is CursorLost


def test_a_listing_that_is_not_found_makes_no_event_gone():
    assert type(api.error_of(404, body(404, "notFound"), DATE, listing=True)) is Refused


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"error": "x"}', b'{"error": {"errors": []}}'])
def test_a_body_that_says_nothing_leaves_the_status(content):
    error = api.error_of(503, content, DATE)
    assert (type(error), error.code) == (Unreachable, "")


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("2.5", 2.5), ("Mon, 02 Mar 2026 12:01:00 GMT", 60), (None, None)]
)
def test_the_wait_is_the_services(header, seconds):
    headers = DATE | ({"retry-after": header} if header else {})
    assert api.error_of(403, body(403, "rateLimitExceeded"), headers).retry_after == seconds


def test_g92_a_spent_quota_waits_an_hour_at_least():
    assert api.error_of(403, body(403, "quotaExceeded"), DATE | {"retry-after": "7"}).retry_after == 3600
    assert api.error_of(403, body(403, "quotaExceeded"), DATE | {"retry-after": "7200"}).retry_after == 7200


@pytest.mark.parametrize(
    ("api_url", "root"),
    [
        ("https://www.googleapis.com", "https://www.googleapis.com"),
        ("https://www.googleapis.com/calendar/v3", "https://www.googleapis.com"),
        ("https://www.googleapis.com/calendar/v3/", "https://www.googleapis.com"),
        ("http://127.0.0.1:5233/google", "http://127.0.0.1:5233/google"),
        ("http://127.0.0.1:5233/google/calendar/v3", "http://127.0.0.1:5233/google"),
    ],
)
def test_g02_calls_and_batches_follow_the_address(api_url, root):
    grant = oauth.Grant("token", "refresh", oauth.dt.datetime(2099, 1, 1, tzinfo=oauth.dt.UTC)).dump()
    client = oauth.Client("https://a.example", "https://t.example", "id", "secret")
    calendar = api.CalendarApi(api_url, oauth.StoredCredentials(client, KeptTokens(grant)))
    request = calendar.events.get(calendarId="team#1@group.calendar.google.com", eventId="x")
    assert request.uri.startswith(f"{root}/calendar/v3/calendars/team%231%40group.calendar.google.com/events/x?")
    batch = calendar._resource.new_batch_http_request()
    assert batch._batch_uri == f"{root}/batch/calendar/v3"
