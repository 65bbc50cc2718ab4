"""The common ground: clock, faults, control API, listener."""

import datetime as dt
import http.client
from urllib.parse import urlsplit

import httpx
import pytest

from bridge.sandbox.clock import Clock
from bridge.sandbox.faults import Fault, Faults
from tests.support.simulated_google import Receiver, client

AT = dt.datetime(2026, 3, 29, 0, 59, tzinfo=dt.UTC)


@pytest.fixture
def control(world):
    with httpx.Client(base_url=f"{world.url}/_sandbox/") as operator:
        yield operator


def test_a_clock_stands_still_jumps_and_runs_again():
    clock = Clock()
    assert clock.freeze(AT) == AT == clock() == clock()
    assert clock.advance(dt.timedelta(hours=1)) == AT + dt.timedelta(hours=1)
    assert abs(clock.thaw() - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
    assert not clock.frozen
    before = clock()
    clock.advance(dt.timedelta(days=1))
    assert clock() - before >= dt.timedelta(days=1)
    with pytest.raises(ValueError, match="time zone"):
        clock.freeze(dt.datetime(2026, 1, 1))  # noqa: DTZ001 - the point
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(dt.timedelta(seconds=-1))


def test_faults_are_used_up_in_order():
    faults = Faults()
    faults.inject(method="GET", path="/a", status=500, times=2)
    faults.inject(path="/a", status=501)
    assert [fault and fault.status for fault in (faults.take("GET", "/a/b?c") for _ in range(4))] == [
        500,
        500,
        501,
        None,
    ]
    assert faults.take("GET", "/b") is None


def test_scattered_faults_strike_their_share_of_what_they_mean():
    faults = Faults()
    faults.scatter(0.05, Fault(path="/a", status=503), Fault(path="/a", drop=True, phase="after"), seed=7)
    struck = [faults.take("GET", "/a") for _ in range(2000)]
    assert 60 < sum(fault is not None for fault in struck) < 140
    assert sum(faults.struck.values()) == sum(fault is not None for fault in struck)
    assert set(faults.struck) == {"503 before", "drop after"}
    assert not any(faults.take("GET", "/b") for _ in range(200))
    faults.inject(path="/a", status=410)
    assert faults.take("GET", "/a").status == 410, "what was injected comes first"
    faults.clear()
    assert not any(faults.take("GET", "/a") for _ in range(200))
    with pytest.raises(ValueError, match="share"):
        faults.scatter(5)


@pytest.mark.parametrize("wrong", [{}, {"status": 500, "times": 0}, {"status": 500, "phase": "during"}])
def test_a_fault_must_say_what_happens(wrong):
    with pytest.raises(ValueError, match=r".+"):
        Fault(**wrong)


def test_a_delay_alone_keeps_the_true_answer(world, control):
    world.faults.inject(path="/google/", delay=0.2)
    begun = dt.datetime.now(dt.UTC)
    assert httpx.get(f"{world.url}/google/").status_code == 200
    assert dt.datetime.now(dt.UTC) - begun >= dt.timedelta(seconds=0.2)


def test_connections_are_kept_alive(world):
    connection = http.client.HTTPConnection(urlsplit(world.url).netloc)
    connection.request("GET", "/_sandbox/")
    connection.getresponse().read()
    kept = connection.sock
    connection.request(
        "POST",
        "/_sandbox/clock",
        body=iter([b'{"adv', b'ance": 1}']),
        encode_chunked=True,
        headers={"Transfer-Encoding": "chunked"},
    )
    assert connection.getresponse().read()
    assert connection.sock is kept
    connection.close()


def test_the_clock_over_http(world, control):
    assert control.post("clock", json={"freeze": AT.isoformat()}).json() == {"now": AT.isoformat(), "frozen": True}
    assert control.post("clock", json={"advance": 60}).json()["now"] == "2026-03-29T01:00:00+00:00"
    assert control.get("clock").json()["frozen"] is True
    assert control.post("clock", json={"thaw": True}).json()["frozen"] is False
    for wrong in ({"freeze": "soon"}, {"advance": "1"}, {"advance": -5}, {"stop": True}, []):
        assert control.post("clock", json=wrong).status_code == 400


def test_faults_over_http(world, control):
    answer = control.post("faults", json={"path": "/google/nothing", "status": 429, "headers": {"Retry-After": "3"}})
    assert answer.json()[0]["left"] == 1
    struck = httpx.get(f"{world.url}/google/nothing")
    assert (struck.status_code, struck.headers["Retry-After"]) == (429, "3")
    control.post("faults", json={"drop": True})
    assert control.delete("faults").json() == []
    assert control.post("faults", json={"path": "("}).status_code == 400


def test_the_front_page_leads_to_both_services(world):
    page = httpx.get(f"{world.url}/").text
    assert 'href="google/"' in page
    assert 'href="microsoft/"' in page
    assert httpx.get(f"{world.url}/nothing").status_code == 404


def test_google_over_http(world, google, control):
    made = control.post("google/seed", json={"person": "sam@example.com", "count": 30}).json()["events"]
    assert len(set(made)) == 30
    assert control.post("google/seed", json={"person": "nobody", "count": 1}).status_code == 404
    assert control.post("google/seed", json={"person": "sam@example.com", "count": 0}).status_code == 400
    assert control.get("nothing/meter").status_code == 404
    with client(google, "sam@example.com") as sam, Receiver() as receiver:
        sam.events().watch(
            calendarId="primary", body={"id": "c1", "type": "web_hook", "address": receiver.url}
        ).execute()
        assert control.post("google/deliveries", json={"wait_idle": 5}).json()["idle"] is True
        assert control.get("google/deliveries").json()["attempts"][0]["status"] == 200
        assert control.get("google/meter").json()["requests"] == 1
        assert control.delete("google/meter").json()["requests"] == 1
        assert control.get("google/meter").json()["requests"] == 0
    assert control.post("google/tokens", json={"expire": "access"}).json() == {"expired": 1}
    assert control.post("google/tokens", json={"expire": "all"}).status_code == 400
    assert control.post("google/options", json={"pages": "short"}).json()["pages"] == "short"
    for wrong in ({"page": "short"}, {"pages": "long"}, {"rate_per_minute": "5"}):
        assert control.post("google/options", json=wrong).status_code == 400
    assert control.post("google/options", json={"expire_sync_tokens": True}).status_code == 200
    assert control.post("google/reset").status_code == 200
    assert not google.state.calendars["sam@example.com"].events


def test_reset_puts_everything_back(world, control):
    world.google.add_person("new@example.com", zone="Asia/Tokyo")
    world.faults.inject(status=500)
    assert control.post("reset").status_code == 200
    assert "new@example.com" not in world.google.state.people
    assert world.faults.waiting() == []
    assert not world.clock.frozen
