"""How fast one account is asked: never more than its service allows, and never a thread that waits for long (R33)."""

import json
import threading
import time
from collections import Counter

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import PATIENCE, Gone, Paced, Throttled
from bridge.providers import pace as paces
from bridge.providers.google.api import LIMITS as GOOGLE
from bridge.providers.google.api import written
from bridge.providers.graph.api import LIMITS as GRAPH
from bridge.providers.graph.api import Api
from bridge.providers.pace import Limits, Pace, Paces


class Time:
    """Passes only while somebody sleeps, or when told to."""

    def __init__(self):
        self.now = 1000.0
        self.slept = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        assert 0 < seconds <= PATIENCE
        self.now += seconds
        self.slept += seconds


@pytest.fixture
def clock():
    return Time()


def paced(limits, clock):
    return Pace(limits, clock=clock, sleep=clock.sleep)


@given(
    per_minute=st.integers(1, 2000),
    steps=st.lists(st.tuples(st.integers(1, 50), st.floats(0, 30)), min_size=1, max_size=200),
)
def test_r33_in_no_minute_more_than_allowed(per_minute, steps):
    clock, sent = Time(), []
    pace = paced(Limits(per_minute=per_minute), clock)
    largest = 1
    for count, pause in steps:
        try:
            with pace.turn(count):
                sent += [clock.now] * count
                largest = max(largest, count)
        except Paced as early:
            clock.now += early.retry_after  # it says how long at least
        clock.now += pause
    for first in sent:
        within = sum(first <= at < first + 59.999 for at in sent)
        # what is larger than the bucket goes when that is full, and is owed
        assert within <= per_minute + max(0, largest - per_minute / 10)


def test_r33_what_is_there_at_first_goes_at_once_then_at_the_rate(clock):
    pace = paced(Limits(per_minute=600), clock)
    for _ in range(60):
        with pace.turn():
            pass
    assert clock.slept == 0
    for _ in range(9):
        with pace.turn():
            pass
    assert clock.slept == pytest.approx(1)


def test_g99_a_batch_counts_by_its_parts(clock):
    pace = paced(Limits(per_minute=600), clock)
    with pace.turn(50):
        pass
    with pace.turn(19):
        pass
    assert clock.slept == pytest.approx(1)


def test_a_batch_larger_than_the_bucket_is_sent_and_owed(clock):
    pace = paced(Limits(per_minute=60), clock)
    with pace.turn(20):
        pass
    with pytest.raises(Paced) as early, pace.turn():
        pass
    assert early.value.retry_after == pytest.approx(15 / 0.9)


def test_r33_a_long_wait_is_not_spent_in_a_thread(clock):
    pace = paced(Limits(per_minute=10), clock)
    with pace.turn():
        pass
    with pytest.raises(Paced) as early, pace.turn():
        pytest.fail("nothing is sent")
    assert PATIENCE < early.value.retry_after <= 60 / 9
    clock.now += early.value.retry_after
    with pace.turn():
        pass
    assert clock.slept < 1e-6, "nothing was taken by the one that was sent away"


def test_g99_writes_to_one_calendar_have_a_rate_of_their_own(clock):
    pace = paced(Limits(per_minute=6000, writes_per_minute=60), clock)
    for calendar in ["a"] * 6 + ["b"] * 6 + [""] * 100:
        with pace.turn(writes_to=calendar):
            pass
    assert clock.slept == 0
    with pace.turn(writes_to="a"):
        pass
    assert clock.slept == pytest.approx(1 / 0.9)


@pytest.mark.parametrize(
    ("method", "url", "calendar"),
    [
        ("POST", "https://g.test/calendar/v3/calendars/a%40b/events?alt=json", "a%40b"),
        ("PATCH", "https://g.test/calendar/v3/calendars/a%40b/events/123?alt=json", "a%40b"),
        ("DELETE", "https://g.test/calendar/v3/calendars/primary/events/123", "primary"),
        ("GET", "https://g.test/calendar/v3/calendars/primary/events", ""),
        ("POST", "https://g.test/calendar/v3/calendars/primary/events/watch", ""),
        ("POST", "https://g.test/calendar/v3/channels/stop", ""),
    ],
)
def test_what_a_request_to_google_writes_to(method, url, calendar):
    assert written(method, url) == calendar


def test_no_limit_is_no_wait(clock):
    pace = paced(Limits(), clock)
    for _ in range(10_000):
        with pace.turn(writes_to="a"):
            pass
    assert clock.slept == 0


def test_r33_retry_after_holds_for_all_of_the_account(clock):
    pace = paced(Limits(), clock)
    with pytest.raises(Throttled), pace.turn():
        raise Throttled("slow down", retry_after=100)
    for left in (100, 60):
        with pytest.raises(Paced) as early, pace.turn():
            pytest.fail("nothing is sent")
        assert early.value.retry_after == left
        clock.now += 40
    clock.now += 17
    with pace.turn():
        assert clock.slept == 3, "the last moments are waited for"


@pytest.mark.parametrize("error", [Throttled("later"), Paced("not yet", retry_after=99), Gone("no")])
def test_without_a_time_or_a_refusal_there_is_nothing_to_heed(clock, error):
    pace = paced(Limits(), clock)
    assert pace.heed(error) is error
    with pace.turn():
        assert clock.slept == 0


def test_a_clock_that_is_put_back_stops_nothing(clock):
    pace = paced(Limits(per_minute=600), clock)
    for _ in range(60):
        with pace.turn():
            pass
    clock.now -= 3600
    for _ in range(9):
        with pace.turn():
            pass
    assert clock.slept == pytest.approx(1)


def test_one_pace_an_account_and_those_at_rest_are_forgotten(monkeypatch):
    monkeypatch.setattr(paces, "MOST", 2)
    kept = Paces(Limits())
    first = kept.of("1")
    assert kept.of("1") is first
    assert kept.of("2") is not first
    assert kept.of("1") is first
    kept.of("3")
    assert kept.of("1") is first, "the one used last stays"
    assert kept.of("") is not kept.of("")
    assert len(kept._kept) == 2


def crowd(count, act):
    threads = [threading.Thread(target=act) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_m77_never_more_than_four_at_once(clock):
    pace, inside, most, lock = paced(GRAPH, clock), [0], [0], threading.Lock()

    def ask(count=1, places=1):
        with pace.turn(count):
            with lock:
                inside[0] += places
                most[0] = max(most[0], inside[0])
            time.sleep(0.01)
            with lock:
                inside[0] -= places

    crowd(12, ask)
    assert most[0] == 4
    crowd(6, lambda: ask(20, 4))
    assert most[0] == 4, "a batch's parts are worked on together (M-79)"


def test_whoever_finds_no_place_is_sent_away(monkeypatch):
    monkeypatch.setattr(paces, "PATIENCE", 0.02)
    pace = Pace(Limits(at_once=1))
    with pace.turn(), pytest.raises(Paced) as early, pace.turn():
        pytest.fail("nothing is sent")
    assert early.value.retry_after == 0.02
    with pace.turn():
        pass


def test_the_vendors_limits_are_kept_with_something_to_spare():
    assert GOOGLE.per_minute < 600  # G-99
    assert GRAPH.per_minute * 10 < 10_000  # M-77
    assert GRAPH.at_once <= 4


class Fixed:
    def current(self):
        return "token"


def test_r33_a_batch_heeds_whichever_part_asks_for_most_patience(clock):
    parts = Counter()

    def answer(request):
        asked = json.loads(request.content)["requests"]
        parts.update(len(asked) * ["asked"])
        replies = [
            {"id": "0", "status": 503, "body": {}},
            {
                "id": "1",
                "status": 429,
                "headers": {"Retry-After": "30"},
                "body": {"error": {"code": "TooManyRequests"}},
            },
            {
                "id": "2",
                "status": 429,
                "headers": {"retry-after": "90"},
                "body": {"error": {"code": "TooManyRequests"}},
            },
            {"id": "3", "status": 200, "body": {"id": "d"}},
        ]
        return httpx.Response(200, json={"responses": replies})

    pace = paced(GRAPH, clock)
    graph = Api(httpx.Client(transport=httpx.MockTransport(answer)), "https://graph.test/v1.0", Fixed(), pace)
    with pytest.raises(Throttled) as refusal:
        graph.many(["/a", "/b", "/c", "/d"])
    assert refusal.value.retry_after == 90
    with pytest.raises(Paced) as early:
        graph.many(["/a", "/b", "/c", "/d"])
    assert early.value.retry_after == 90
    assert parts["asked"] == 4
