"""Few work, others wait in their order, and whoever finds the queue full is told when to come again."""

import io
import threading

import pytest

from bridge.web import turns
from bridge.web.turns import Turns, limited

WAIT = 20


class Asking:
    """A request in a thread of its own. It works until ``free`` is set."""

    def __init__(self, application, environ=None):
        self.told = None
        self.free = threading.Event()
        self.working = threading.Event()
        environ = {"asking": self, **(environ or {})}
        self.thread = threading.Thread(target=lambda: application(environ, self._start), daemon=True)
        self.thread.start()

    def _start(self, status, headers):
        self.told = status, dict(headers)

    def end(self):
        self.free.set()
        self.thread.join(WAIT)
        assert not self.thread.is_alive()


def work(environ, start_response):
    asking = environ["asking"]
    asking.working.set()
    assert asking.free.wait(WAIT)
    start_response("200 OK", [])
    return []


def until(condition):
    for _ in range(WAIT * 200):
        if condition():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it never came to be so")


@pytest.fixture
def one_at_a_time():
    return Turns(1, waiting=2)


def test_one_works_and_others_wait_in_their_order(one_at_a_time):
    application = limited(work, one_at_a_time)
    asked = []
    for number in range(3):
        asked.append(Asking(application))
        until(lambda: asked[0].working.is_set() and len(one_at_a_time._queue) == number)  # noqa: B023
    for each, later in zip(asked, [*asked[1:], None], strict=True):
        assert each.working.wait(WAIT)
        assert later is None or not later.working.is_set()
        each.end()
        assert each.told == ("200 OK", {})


def test_who_finds_the_queue_full_is_told_when_to_come_again(one_at_a_time):
    application = limited(work, one_at_a_time)
    admitted = [Asking(application) for _ in range(3)]
    until(lambda: len(one_at_a_time._queue) == 2)
    refused = Asking(application)
    refused.thread.join(WAIT)
    status, headers = refused.told
    assert status.startswith("503")
    assert int(headers["Retry-After"]) > 0
    for each in admitted:
        each.free.set()
    for each in admitted:
        each.end()
        assert each.told[0] == "200 OK"
    later = Asking(application)
    later.end()
    assert later.told[0] == "200 OK"


def test_nobody_waits_for_ever(one_at_a_time, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 0.05)
    application = limited(work, one_at_a_time)
    first = Asking(application)
    assert first.working.wait(WAIT)
    second = Asking(application)
    second.thread.join(WAIT)
    assert second.told[0].startswith("503")
    first.end()
    assert one_at_a_time.take()
    assert not one_at_a_time._queue


def test_a_turn_comes_back_whatever_happens(one_at_a_time):
    def fail(environ, start_response):
        raise RuntimeError

    for _ in range(5):
        with pytest.raises(RuntimeError):
            limited(fail, one_at_a_time)({}, None)
    assert one_at_a_time.take()


def test_who_sends_slowly_holds_nobodys_turn(one_at_a_time):
    sent = threading.Event()

    class Slow(io.RawIOBase):
        def read(self, size=-1):
            assert sent.wait(WAIT)
            return b"at last"

    def reading(environ, start_response):
        if "wsgi.input" in environ:
            environ["body"] = environ["wsgi.input"].read(7)
        start_response("200 OK", [])
        return []

    application = limited(reading, one_at_a_time)
    slow = Asking(application, {"wsgi.input": Slow()})
    for _ in range(10):
        quick = Asking(application)
        quick.thread.join(WAIT)
        assert quick.told[0] == "200 OK"
    assert slow.told is None
    sent.set()
    slow.thread.join(WAIT)
    assert slow.told[0] == "200 OK"


def test_many_threads_and_never_more_than_so_many_at_once():
    inside, most, seen, lock = [0], [0], [0], threading.Lock()

    def count(environ, start_response):
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        environ["asked"].read(1)
        with lock:
            inside[0] -= 1
            seen[0] += 1
        return []

    several = Turns(3, waiting=100)
    application = limited(count, several)

    def ask():
        for _ in range(200):
            application({"asked": io.BytesIO()}, None)
            assert several.take()
            with several.paused():
                pass
            several.give()

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert seen[0] == 4000
    assert most[0] <= 3
    assert several._free == 3
    assert not several._queue
