"""The simulated Graph: change notifications."""

import datetime as dt
import json

import pytest

from bridge.sandbox.server import Sandbox
from tests.support.simulated_graph import body, client, code, made, occurrences, receiving, series

ALEX = "alex@example.com"
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def api(sandbox):
    sandbox.reset()
    sandbox.clock.freeze(NOW)
    with client(sandbox.microsoft) as connected:
        yield connected


@pytest.fixture
def receiver():
    with receiving() as listening:
        yield listening


def after(minutes):
    return (NOW + dt.timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def asked(receiver, **more):
    return {
        "changeType": "created,updated,deleted",
        "notificationUrl": receiver.url,
        "resource": "/me/events",
        "expirationDateTime": after(1000),
        "clientState": "secret",
    } | more


def subscribed(api, receiver, **more):
    answer = api.post("subscriptions", json=asked(receiver, **more))
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_m69_m72_changes_are_posted(api, receiver, sandbox):
    subscription = subscribed(api, receiver)
    event = made(api, body())
    api.patch(f"me/events/{event['id']}", json={"subject": "x"})
    api.delete(f"me/events/{event['id']}")
    items = [json.loads(each)["value"][0] for each in receiver.wait(3)]
    assert [each["changeType"] for each in items] == ["created", "updated", "deleted"]
    first = items[0]
    assert (first["subscriptionId"], first["clientState"]) == (subscription["id"], "secret")
    assert first["resourceData"]["id"] == event["id"]  # asked for with immutable ids
    assert first["resourceData"]["@odata.etag"] == event["@odata.etag"]
    assert first["resource"].endswith(event["id"])


def test_a_changed_occurrence_is_told_of_its_series(api, receiver):
    event = made(api, series())
    subscribed(api, receiver)
    api.delete(f"me/events/{occurrences(api, event['id'])[1]['id']}")
    item = json.loads(receiver.wait(1)[0])["value"][0]
    assert (item["changeType"], item["resourceData"]["id"]) == ("updated", event["id"])


def test_one_calendar_and_some_changes_only(api, receiver, sandbox):
    other = api.post("me/calendars", json={"name": "Other"}).json()["id"]
    subscribed(api, receiver, resource=f"me/calendars/{other}/events", changeType="created")
    made(api, body())
    created = api.post(f"me/calendars/{other}/events", json=body()).json()
    api.patch(f"me/events/{created['id']}", json={"subject": "x"})
    assert sandbox.microsoft.deliveries.wait_idle(5)
    assert [json.loads(each)["value"][0]["resourceData"]["id"] for each in receiver.wait(1)] == [created["id"]]


@pytest.mark.parametrize(
    "reply",
    [
        lambda token: (200, "text/plain", "wrong"),
        lambda token: (200, "application/json", token),
        lambda token: (202, "text/plain", token),
        lambda token: (500, "text/plain", token),
        lambda token: (200, "text/plain", token.replace(" ", "+")),
    ],
    ids=["wrong token", "wrong type", "not 200", "error", "not decoded"],
)
def test_m71_the_receiver_is_validated_first(api, receiver, reply):
    receiver.reply = reply
    assert code(api.post("subscriptions", json=asked(receiver))) == (400, "ValidationError")
    assert api.get("subscriptions").json()["value"] == []


def test_m71_nobody_answers(api, receiver):
    assert api.post("subscriptions", json=asked(receiver, notificationUrl="http://127.0.0.1:9/none")).status_code == 400


def test_m71_the_receiver_may_call_back_meanwhile(api, receiver, sandbox):
    def busy(token):
        with client(sandbox.microsoft) as another:
            assert another.get("me/events").status_code == 200
        return 200, "text/plain", token

    receiver.reply = busy
    subscribed(api, receiver)


@pytest.mark.parametrize(
    "wrong",
    [
        {"notificationUrl": "http://example.net/hook"},
        {"lifecycleNotificationUrl": "https://other.example/hook"},  # M-71: same host
        {"expirationDateTime": after(10_081)},  # M-70
        {"expirationDateTime": after(-1)},
        {"clientState": "x" * 129},
        {"changeType": "created,moved"},
        {"resource": "/me/messages"},
        {"resource": "/users/megan@example.com/events"},  # M-74: the own mailbox only
        {"resource": None},
        {"includeResourceData": True},  # M-76
        {"foo": 1},
    ],
)
def test_m69_m70_refusals(api, receiver, wrong):
    assert api.post("subscriptions", json=asked(receiver, **wrong)).status_code in (400, 403, 501)
    assert receiver.bodies == []


def test_m70_a_short_life_is_lengthened_and_ends_by_the_clock(api, receiver, sandbox):
    subscription = subscribed(api, receiver, expirationDateTime=after(5))
    assert subscription["expirationDateTime"] == "2026-03-01T12:45:00Z"
    sandbox.clock.advance(dt.timedelta(minutes=46))
    made(api, body())
    assert sandbox.microsoft.deliveries.wait_idle(5)
    assert receiver.bodies == []
    late = {"expirationDateTime": after(200)}
    assert api.patch(f"subscriptions/{subscription['id']}", json=late).status_code == 404  # M-74


def test_m74_renew_and_delete(api, receiver):
    subscription = subscribed(api, receiver)
    where = f"subscriptions/{subscription['id']}"
    renewed = api.patch(where, json={"expirationDateTime": after(10_080)})
    assert (renewed.status_code, renewed.json()["expirationDateTime"]) == (200, "2026-03-08T12:00:00Z")
    assert api.patch(where, json={"expirationDateTime": after(10_081)}).status_code == 400
    assert api.patch(where, json={"lifecycleNotificationUrl": receiver.url}).status_code == 400  # M-75
    assert api.post(f"{where}/reauthorize").status_code == 204
    assert api.get(where).json()["id"] == subscription["id"]
    assert api.delete(where).status_code == 204
    assert [api.get(where).status_code, api.delete(where).status_code] == [404, 404]


def test_m75_lifecycle_on_demand(api, receiver, sandbox):
    subscribed(api, receiver, lifecycleNotificationUrl=receiver.url)
    for kind in ("missed", "reauthorizationRequired", "subscriptionRemoved"):
        assert sandbox.microsoft.lifecycle(kind, ALEX) == 1
    items = [json.loads(each)["value"][0] for each in receiver.wait(3)]
    assert [each["lifecycleEvent"] for each in items] == ["missed", "reauthorizationRequired", "subscriptionRemoved"]
    assert api.get("subscriptions").json()["value"] == []


def test_m73_a_failed_delivery_is_tried_again(api, receiver, sandbox):
    subscribed(api, receiver)
    answers = [500, 202]
    receiver.status = lambda: answers.pop(0) if len(answers) > 1 else answers[0]
    made(api, body())
    assert len(receiver.wait(2)) == 2
    assert sandbox.microsoft.deliveries.wait_idle(5)
    assert [each.status for each in sandbox.microsoft.deliveries.attempts] == [500, 202]
