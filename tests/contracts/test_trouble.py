"""What the engine is told when the service does not do as asked, and that nothing was done (R28, R33)."""

import datetime as dt

import pytest

from bridge.errors import CursorLost, NeedsReconnect, Throttled, Unreachable
from bridge.ical.fields import EventFields, ObjectFields, When
from tests.contracts.bench import Mirror, Typed, wall

KEY = "0123456789abcdefghijklmnopqrstuv"
START = wall("2026-03-02 12:00")
HOUR = dt.timedelta(hours=1)
FIELDS = ObjectFields(EventFields(When(START, START + HOUR, "Europe/Vienna"), summary="Canary 4711"))
OTHER = ObjectFields(EventFields(When(START, START + HOUR, "Europe/Vienna"), summary="Canary 0815"))

CALLS = {
    "page": lambda remote, current, now: remote.page(None, now=now),
    "get": lambda remote, current, now: remote.get(current.id),
    "find": lambda remote, current, now: remote.find(KEY),
    "create": lambda remote, current, now: remote.create(OTHER, key="v" * 32, uid="other"),
    "update": lambda remote, current, now: remote.update(current, OTHER),
    "delete": lambda remote, current, now: remote.delete(current),
}


@pytest.fixture(params=CALLS)
def call(request, bench, now):
    current = bench.remote.lens.read(bench.remote.create(FIELDS, key=KEY, uid="hub"))
    return lambda: CALLS[request.param](bench.remote, current, now)


def test_a_service_that_is_down_is_unreachable_and_nothing_else(bench, call):
    with bench.trouble("down"), pytest.raises(Unreachable) as caught:
        call()
    assert not isinstance(caught.value, NeedsReconnect | CursorLost)
    assert bench.titles() == ["Canary 4711"]


def test_a_service_that_is_busy_says_when_to_come_back(bench, call):
    with bench.trouble("busy"), pytest.raises(Throttled) as caught:
        call()
    assert caught.value.retry_after == 7
    assert bench.titles() == ["Canary 4711"]


def test_no_answer_is_unreachable(bench, call):
    with bench.trouble("answer lost"), pytest.raises(Unreachable):
        call()


def test_trouble_passes(bench, call):
    with bench.trouble("down"), pytest.raises(Unreachable):
        call()
    call()


def test_errors_and_logs_tell_no_contents(bench, call, caplog):
    """DESIGN §3: ids, never contents."""
    caplog.set_level("DEBUG")
    for kind in ("down", "busy", "answer lost"):
        with bench.trouble(kind), pytest.raises(Unreachable) as caught:
            call()
        assert "Canary" not in f"{caught.value!r} {caught.value.args}"
    assert "Canary" not in caplog.text


def test_r5_an_interrupted_listing_is_no_complete_one(bench, now):
    """R5: cut at every page, it raises; it never ends."""
    for number in range(5):
        bench.add(Typed(f"Meeting {number}", START, START + HOUR))
    bench.page_size(2)
    pages, cursor = 0, None
    while True:
        with bench.trouble("down"), pytest.raises(Unreachable):
            bench.remote.page(cursor, now=now)
        page = bench.remote.page(cursor, now=now)
        pages, cursor = pages + 1, page.cursor
        if not page.more:
            break
    assert pages >= 3
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    assert len(mirror.objects()) == 5
