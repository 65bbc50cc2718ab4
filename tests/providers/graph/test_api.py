"""What Graph's answers mean (M-78…M-81)."""

import httpx
import pytest

from bridge.errors import CursorLost, DuplicateKey, Gone, Refused, Throttled, Unreachable, VersionMismatch
from bridge.providers.graph.api import Api, encoded, escape


class Fixed:
    """A token that is never refused."""

    def current(self):
        return "token"

    def instead_of(self, refused):
        return "token"


def api(answer):
    return Api(httpx.Client(transport=httpx.MockTransport(answer)), "https://graph.test/v1.0", Fixed())


def refusing(status, code, **headers):
    body = {"error": {"code": code, "message": "Subject: Canary"}}
    return api(lambda _: httpx.Response(status, json=body, headers=headers))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "ErrorInvalidRequest", Refused),
        (400, "ErrorInvalidIdMalformed", Gone),
        (403, "ErrorAccessDenied", Refused),
        (404, "ErrorItemNotFound", Gone),
        (409, "ErrorDuplicateTransactionId", DuplicateKey),
        (409, "nameAlreadyExists", Refused),
        (410, "SyncStateNotFound", CursorLost),
        (410, "", CursorLost),
        (400, "syncStateNotFound", CursorLost),
        (412, "ErrorIrresolvableConflict", VersionMismatch),
        (429, "TooManyRequests", Throttled),
        (500, "", Unreachable),
        (503, "ErrorMailboxStoreUnavailable", Unreachable),
        (302, "", Refused),
    ],
)
def test_m80_by_status_first_then_by_code(status, code, kind):
    with pytest.raises(kind) as caught:
        refusing(status, code).get("/me")
    assert (caught.value.status, caught.value.code) == (status, code)
    assert "Canary" not in str(caught.value)


def test_m78_retry_after_may_be_a_fraction_a_date_or_absent():
    waits = []
    date = "Sun, 01 Mar 2026 12:00:00 GMT"
    for headers in (
        {"Retry-After": "2.128"},
        {},
        {"Retry-After": "Sun, 01 Mar 2026 12:00:30 GMT", "Date": date},
        {"Retry-After": date},
    ):
        with pytest.raises(Throttled) as caught:
            refusing(429, "TooManyRequests", **headers).get("/me")
        waits.append(caught.value.retry_after)
    assert waits == [2.128, None, 30, 0]


def test_a_503_with_retry_after_is_patience_too():
    with pytest.raises(Throttled) as caught:
        refusing(503, "", **{"Retry-After": "5"}).get("/me")
    assert caught.value.retry_after == 5


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_no_answer(error):
    def answer(request):
        raise error("none", request=request)

    with pytest.raises(Unreachable):
        api(answer).get("/me")


def test_an_answer_that_is_no_json():
    with pytest.raises(Unreachable):
        api(lambda _: httpx.Response(200, text="<html>")).get("/me")
    with pytest.raises(Refused):
        api(lambda _: httpx.Response(400, text="<html>")).get("/me")


def test_m18_m30_the_headers_are_on_every_request():
    seen = []

    def answer(request):
        seen.append(request.headers)
        return httpx.Response(200, json={"value": []})

    graph = api(answer)
    graph.get("/me/events")
    graph.follow("https://graph.test/v1.0/next?$skiptoken=a%2Fb", prefer="odata.maxpagesize=5")
    graph.patch("/me/events/1", {}, etag='W/"1"')
    assert all('IdType="ImmutableId"' in headers["Prefer"] for headers in seen)
    assert all('outlook.body-content-type="text"' in headers["Prefer"] for headers in seen)
    assert [headers.get("If-Match") for headers in seen] == [None, None, 'W/"1"']
    assert seen[1]["Prefer"].endswith("odata.maxpagesize=5")


def test_m16_links_are_followed_verbatim():
    seen = []

    def answer(request):
        seen.append(str(request.url))
        return httpx.Response(200, json={})

    link = "https://graph.test/v1.0/me/calendarView/delta?$deltatoken=a%2Fb+c%3D%3D&x='y'"
    api(answer).follow(link)
    assert seen == [link]


def test_m79_batches_of_twenty_in_order_with_the_preferences_of_each():
    sizes = []

    def answer(request):
        import json

        requests = json.loads(request.content)["requests"]
        sizes.append(len(requests))
        assert all('IdType="ImmutableId"' in each["headers"]["Prefer"] for each in requests)
        responses = [
            {"id": each["id"], "status": 404 if each["url"] == "/3" else 200, "body": {"path": each["url"]}}
            for each in reversed(requests)
        ]
        return httpx.Response(200, json={"responses": responses})

    found = api(answer).many([f"/{number}" for number in range(45)])
    assert sizes == [20, 20, 5]
    assert found[3] is None
    assert [each["path"] for each in found if each] == [f"/{number}" for number in range(45) if number != 3]


def test_m79_a_throttled_part_throttles_the_batch():
    part = {"id": "0", "status": 429, "headers": {"retry-after": "7"}, "body": {"error": {"code": "TooManyRequests"}}}
    with pytest.raises(Throttled) as caught:
        api(lambda _: httpx.Response(200, json={"responses": [part]})).many(["/0"])
    assert caught.value.retry_after == 7


def test_ids_and_queries_are_escaped():
    assert escape("AA/B+C=") == "AA%2FB%2BC%3D"
    assert encoded({"$filter": "a eq 'b c'", "$top": "5"}) == "$filter=a%20eq%20'b%20c'&$top=5"
