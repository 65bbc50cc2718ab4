"""How requests and answers look: G-02…G-06, G-16, G-88…G-100, and the faults that can be called for."""

import datetime as dt
import threading

import httpx
import pytest

from tests.support.simulated_google import refused, timed

P = {"calendarId": "primary"}
ONE = timed("2026-03-10T09:00", "2026-03-10T10:00")


def test_g03_a_long_get_comes_as_a_post(google, events):
    wanted = events.insert(**P, body=ONE | {"extendedProperties": {"private": {"k": "v" * 900}}}).execute()
    filters = [f"k={'v' * 900}"] * 3
    call = events.list(**P, privateExtendedProperty=filters)
    assert len(call.uri) > 2048
    assert [item["id"] for item in call.execute()["items"]] == [wanted["id"]]
    assert google.meter.writes == 1  # the insertion


def test_g04_the_library_retries_what_it_should(world, events, monkeypatch):
    monkeypatch.setattr("googleapiclient.http.time.sleep", lambda _seconds: None)
    for status, reason in ((503, ""), (429, "rateLimitExceeded"), (403, "userRateLimitExceeded")):
        error = {"error": {"code": status, "message": "x", "errors": [{"domain": "usageLimits", "reason": reason}]}}
        world.faults.inject(status=status, body=error)
    assert events.list(**P).execute(num_retries=3)["items"] == []
    assert [refusal.status for refusal in world.google.meter.refusals] == [503, 429, 403]


def test_g06_g100_a_batch_answers_each_part(google, alex):
    answers = {}
    batch = alex.new_batch_http_request(callback=lambda name, found, error: answers.__setitem__(name, error or found))
    batch.add(alex.events().insert(**P, body=ONE | {"id": "abcde", "summary": "Grüße"}), request_id="insert")
    batch.add(alex.events().get(**P, eventId="nothing"), request_id="get")
    batch.add(alex.calendarList().list(), request_id="list")
    batch.add(alex.events().delete(**P, eventId="nothing"), request_id="delete")
    batch.execute()
    assert answers["insert"]["summary"] == "Grüße"
    assert answers["get"].resp.status == answers["delete"].resp.status == 404
    assert answers["list"]["items"][0]["id"] == "alex@example.com"
    assert google.meter.requests == 4  # G-99: a batch of n counts n
    assert google.meter.round_trips == 1


def test_g100_outer_headers_apply_to_parts_unless_they_have_their_own(google, http):
    token = google.token("sam@example.com")
    parts = [
        "GET /calendar/v3/users/me/calendarList HTTP/1.1\r\n\r\n",
        f"GET /calendar/v3/users/me/calendarList HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\r\n",
    ]
    body = "".join(
        f"--b\r\nContent-Type: application/http\r\nContent-ID: <p{n}>\r\n\r\n{part}\r\n" for n, part in enumerate(parts)
    )
    answer = http.post(
        f"{google.base_url}/batch/calendar/v3",
        content=body + "--b--\r\n",
        headers={"Content-Type": "multipart/mixed; boundary=b"},
    )
    first, second = answer.text.split("--batch_")[1:3]
    assert "Content-ID: <response-p0>" in first
    assert "alex@example.com" in first
    assert "sam@example.com" in second


@pytest.mark.parametrize("content", ["", "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n"])
def test_a_batch_that_is_none_is_refused(google, http, content):
    headers = {"Content-Type": "multipart/mixed; boundary=b"}
    assert http.post(f"{google.base_url}/batch/calendar/v3", content=content, headers=headers).status_code == 400


def test_a_fault_can_strike_one_part_of_a_batch(world, alex):
    world.faults.inject(
        method="GET", path="/events/abcde", status=409, body={"error": {"errors": [{"reason": "conflict"}]}}
    )
    answers = []
    batch = alex.new_batch_http_request(callback=lambda _id, found, error: answers.append(error or found))
    batch.add(alex.calendarList().list())
    batch.add(alex.events().get(**P, eventId="abcde"))
    batch.execute()
    assert "items" in answers[0]
    assert answers[1].resp.status == 409  # G-95


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("calendars/primary/events", {"maxResult": "1"}),
        ("calendars/primary/events", {"maxResults": "0"}),
        ("calendars/primary/events", {"maxResults": "many"}),
        ("calendars/primary/events", {"orderBy": "title"}),
        ("calendars/primary/events", {"singleEvents": "yes"}),
        ("calendars/primary/events", {"timeMin": "yesterday"}),
        ("calendars/primary/events", [("q", "a"), ("q", "b")]),
        ("calendars/primary/events", {"timeZone": "Nowhere/Land"}),
        ("calendars/primary/events", {"pageToken": "x"}),
    ],
)
def test_parameters_fit_the_discovery_document(http, path, params):
    answer = http.get(path, params=params)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == 400


def test_g88_the_shape_of_an_error(http):
    assert http.get("calendars/primary/events/nothing").json() == {
        "error": {
            "code": 404,
            "message": "Not Found",
            "errors": [{"domain": "global", "reason": "notFound", "message": "Not Found"}],
        }
    }
    assert http.get("nothing/at/all").status_code == 404
    assert http.put("calendars/primary/events", json={}).status_code == 405
    assert http.post("calendars/primary/events", content="{").json()["error"]["errors"][0]["reason"] == "parseError"
    assert http.post("calendars/primary/events/quickAdd", params={"text": "x"}).status_code == 501


def test_g91_the_limit_per_person_and_minute(world, google, alex, sam):
    google.configure({"rate_per_minute": 3})
    for _ in range(3):
        alex.colors().get().execute()
    assert refused(alex.colors().get()) == (403, "rateLimitExceeded")
    google.configure({"rate_status": 429})
    assert refused(alex.colors().get()) == (429, "rateLimitExceeded")
    sam.colors().get().execute()
    world.clock.advance(dt.timedelta(seconds=61))
    alex.colors().get().execute()


def test_a_fault_before_is_not_carried_out_and_one_after_is(world, events):
    world.faults.inject(method="POST", path="/events[?]", status=503)
    assert refused(events.insert(**P, body=ONE | {"id": "abcd0"}))[0] == 503
    assert refused(events.get(**P, eventId="abcd0"))[0] == 404
    world.faults.inject(method="POST", path="/events[?]", status=500, phase="after", headers={"Retry-After": "7"})
    assert refused(events.insert(**P, body=ONE | {"id": "abcd0"}))[0] == 500
    assert events.get(**P, eventId="abcd0").execute()["status"] == "confirmed"


def test_a_dropped_answer_leaves_the_event(world, http):
    world.faults.inject(method="POST", path="/events", drop=True, phase="after")
    with pytest.raises(httpx.RemoteProtocolError):
        http.post("calendars/primary/events", json=ONE | {"id": "abcd0"})
    assert http.get("calendars/primary/events/abcd0").status_code == 200


def test_the_meter_knows_writes_and_routes(google, events, alex):
    event = events.insert(**P, body=ONE).execute()
    events.list(**P).execute()
    alex.freebusy().query(body={"timeMin": "2026-03-01T00:00:00Z", "timeMax": "2026-03-02T00:00:00Z"}).execute()
    refused(events.patch(**P, eventId="nothing", body={}))
    reading = google.meter.reading()
    assert (reading["requests"], reading["writes"], reading["requests_with_attendees"]) == (4, 2, 0)
    assert reading["routes"]["POST /calendars/{calendarId}/events"] == 1
    assert reading["refusals"][0]["reason"] == "notFound"
    assert event["id"]


def test_the_meter_sees_how_many_requests_of_one_caller_are_under_way(world, google, alex):
    """Callers are told apart, a batch counts by its parts, and nothing is refused for it."""
    world.faults.inject(path="/colors", delay=0.3, times=6)
    tokens = [google.token(person) for person in ["alex@example.com"] * 3 + ["sam@example.com"]]

    def ask(token):
        url = f"{world.url}/google/calendar/v3/colors"
        assert httpx.get(url, headers={"Authorization": f"Bearer {token}"}).status_code == 200

    threads = [threading.Thread(target=ask, args=[token]) for token in [tokens[0]] * 3 + tokens[1:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert google.meter.most_at_once == 3
    google.meter.reset()
    batch = alex.new_batch_http_request()
    batch.add(alex.calendarList().list())
    batch.add(alex.calendarList().list())
    batch.execute()
    assert google.meter.reading()["most_at_once"] == 1
