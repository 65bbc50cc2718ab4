"""Push channels: G-80…G-87."""

import datetime as dt
from email.utils import parsedate_to_datetime

import pytest

from tests.support.simulated_google import Receiver, client, refused, timed

P = {"calendarId": "primary"}
ONE = timed("2026-03-10T09:00", "2026-03-10T10:00")


def channel(address, **more):
    return {"id": "channel-1", "type": "web_hook", "address": address, **more}


def states(receiver):
    return [message.headers["x-goog-resource-state"] for message in receiver.messages]


def test_g80_g82_g83_sync_first_then_exists(google, events):
    with Receiver() as receiver:
        answer = events.watch(**P, body=channel(f"{receiver.url}/hook", token="t0ken")).execute()
        assert answer["kind"] == "api#channel"
        assert answer["id"] == "channel-1"
        assert google.deliveries.wait_idle()
        event = events.insert(**P, body=ONE).execute()
        events.delete(**P, eventId=event["id"]).execute()
        assert google.deliveries.wait_idle()
    assert states(receiver) == ["sync", "exists", "exists"]
    numbers = [int(message.headers["x-goog-message-number"]) for message in receiver.messages]
    assert numbers[0] == 1
    assert numbers == sorted(set(numbers))
    assert numbers != [1, 2, 3]  # with gaps
    first = receiver.messages[0]
    assert (first.body, first.headers["content-length"]) == (b"", "0")
    assert first.headers["x-goog-channel-id"] == "channel-1"
    assert first.headers["x-goog-channel-token"] == "t0ken"
    assert first.headers["x-goog-resource-id"] == answer["resourceId"]
    assert first.headers["x-goog-resource-uri"] == answer["resourceUri"]
    expiration = parsedate_to_datetime(first.headers["x-goog-channel-expiration"])
    assert int(expiration.timestamp()) == int(answer["expiration"]) // 1000


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": ""},
        {"id": "a" * 65},
        {"type": "mail"},
        {"token": "t" * 257},
        {"address": "http://example.com/hook"},
        {"address": ""},
        {"expiration": "1000"},
    ],
)
def test_g80_g81_channels_that_cannot_be(events, wrong):
    assert refused(events.watch(**P, body=channel("https://example.com/hook") | wrong))[0] == 400


def test_g80_a_channel_id_is_unique(events):
    with Receiver() as receiver:
        events.watch(**P, body=channel(receiver.url)).execute()
        assert refused(events.watch(**P, body=channel(receiver.url))) == (400, "channelIdNotUnique")


def test_g84_what_is_retried_and_what_is_not(google, events):
    with Receiver(lambda number: (200, 503, 502, 200, 404, 200)[number - 1]) as receiver:
        events.watch(**P, body=channel(receiver.url)).execute()
        for _ in range(3):
            events.insert(**P, body=ONE).execute()
        assert google.deliveries.wait_idle()
    attempts = [(attempt.status, attempt.number) for attempt in google.deliveries.attempts]
    assert attempts == [(200, 1), (503, 1), (502, 2), (200, 3), (404, 1), (200, 1)]


def test_g85_a_channel_ends_at_the_stricter_expiration(world, google, events):
    with Receiver() as receiver:
        hour = int((world.clock() + dt.timedelta(hours=1)).timestamp() * 1000)
        far = int((world.clock() + dt.timedelta(days=90)).timestamp() * 1000)
        short = events.watch(**P, body=channel(receiver.url, expiration=str(hour))).execute()
        long = events.watch(**P, body=channel(receiver.url, id="channel-2", expiration=str(far))).execute()
        assert short["expiration"] == str(hour)
        assert int(long["expiration"]) == int((world.clock() + dt.timedelta(days=7)).timestamp() * 1000)
        world.clock.advance(dt.timedelta(minutes=61))
        with client(google) as again:
            again.events().insert(**P, body=ONE).execute()
        assert google.deliveries.wait_idle()
    assert [m.headers["x-goog-channel-id"] for m in receiver.messages] == ["channel-1", "channel-2", "channel-2"]


def test_g86_only_who_opened_a_channel_stops_it(google, alex, sam):
    with Receiver() as receiver:
        answer = alex.events().watch(**P, body=channel(receiver.url)).execute()
        stop = {"id": answer["id"], "resourceId": answer["resourceId"]}
        assert refused(sam.channels().stop(body=stop))[0] == 404
        assert refused(alex.channels().stop(body=stop | {"resourceId": "x"}))[0] == 404
        alex.channels().stop(body=stop).execute()
        assert refused(alex.channels().stop(body=stop))[0] == 404
        alex.events().insert(**P, body=ONE).execute()
        assert google.deliveries.wait_idle()
    assert states(receiver) == ["sync"]


def test_g87_messages_get_lost_doubled_or_come_late(google, events):
    with Receiver() as receiver:
        events.watch(**P, body=channel(receiver.url)).execute()
        google.deliveries.drop(1)
        events.insert(**P, body=ONE).execute()
        google.deliveries.double(1)
        events.insert(**P, body=ONE).execute()
        assert google.deliveries.wait_idle()
        assert states(receiver) == ["sync", "exists", "exists"]
        google.deliveries.pause()
        events.insert(**P, body=ONE).execute()
        assert not google.deliveries.wait_idle(0.1)
        assert len(receiver.messages) == 3
        google.deliveries.resume()
        assert google.deliveries.wait_idle()
    assert len(receiver.messages) == 4


def test_g87_some_calendars_have_no_push(google, events):
    google.state.calendars["alex@example.com"].watchable = False
    call = events.watch(**P, body=channel("https://example.com/hook"))
    assert refused(call) == (400, "pushNotSupportedForRequestedResource")


def test_each_calendar_and_the_list_have_their_own_channels(google, alex):
    with Receiver() as receiver:
        side = google.add_calendar("alex@example.com", "Side").id
        alex.events().watch(calendarId=side, body=channel(f"{receiver.url}/side")).execute()
        alex.calendarList().watch(body=channel(f"{receiver.url}/list", id="channel-2")).execute()
        alex.events().insert(**P, body=ONE).execute()
        alex.events().insert(calendarId=side, body=ONE).execute()
        alex.calendars().insert(body={"summary": "Third"}).execute()
        assert google.deliveries.wait_idle()
    told = sorted((m.path, m.headers["x-goog-resource-state"]) for m in receiver.messages)
    assert told == [("/list", "exists"), ("/list", "sync"), ("/side", "exists"), ("/side", "sync")]
