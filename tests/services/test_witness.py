"""What devices are told is written down a moment later, together, and never at the cost of an answer: on both databases."""

import datetime as dt
import threading

import pytest
from sqlalchemy.exc import OperationalError

from bridge.services.witness import Told, Witness, soon
from bridge.store import calendars, device_tests, devices, fetches, principals
from bridge.store.device_tests import DeviceTest

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def phones(database):
    """Three devices of one person."""
    with database.write() as conn:
        alice = principals.add(conn, "alice", "alice@example.org", now=NOW)
        return [devices.add(conn, alice.id, label, "hash", now=NOW).id for label in ("One", "Two", "Three")]


@pytest.fixture
def calendar(database, phones):
    with database.write() as conn:
        alice = principals.by_name(conn, "alice")
        return calendars.create(conn, alice.id, "calendar", properties={"tag": "VCALENDAR"}, now=NOW).id


@pytest.fixture
def put_off(database):
    """A witness, and the work that it has asked to be done later."""
    works = []
    return Witness(database, works.append), works


def known(database, device):
    with database.read() as conn:
        return {each.calendar_id: each.revision for each in fetches.of_device(conn, device).values()}


def test_the_notes_of_a_moment_are_one_piece_of_work(database, phones, calendar, put_off):
    witness, works = put_off
    for device in phones:
        witness.saw(device, [Told(calendar, 7, whole=True)], now=NOW)
    assert len(works) == 1
    assert [known(database, device) for device in phones] == [{}, {}, {}]
    works.pop()()
    assert [known(database, device) for device in phones] == [{calendar: 7}] * 3
    witness.saw(phones[0], [Told(calendar, 7, whole=True)], now=NOW + MINUTE)
    assert works == []  # nothing new
    witness.saw(phones[0], [Told(calendar, 8, whole=True)], now=NOW + MINUTE)
    works.pop()()
    assert known(database, phones[0]) == {calendar: 8}


def test_who_only_asks_first_and_takes_it_then_has_taken_it(database, phones, calendar, put_off):
    witness, works = put_off
    witness.saw(phones[0], [Told(calendar, 7, whole=False)], now=NOW)
    witness.saw(phones[0], [Told(calendar, 7, whole=True)], now=NOW)
    witness.saw(phones[0], [Told(calendar, 9, whole=False)], now=NOW)
    works.pop()()
    assert known(database, phones[0]) == {calendar: 7}


def test_what_is_gone_meanwhile_takes_nothing_else_along(database, phones, calendar, put_off):
    witness, works = put_off
    for number in (calendar, calendar + 100):
        witness.saw(phones[0], [Told(number, 7, whole=True)], now=NOW)
    with database.write() as conn:
        device_tests.save(conn, DeviceTest(phones[1], calendar, "caldav-bridge-test-1.ics", 7, NOW))
    witness.saw(phones[1], [], ["caldav-bridge-test-1.ics", "another.ics"], now=NOW + MINUTE)
    works.pop()()
    assert known(database, phones[0]) == {calendar: 7}
    with database.read() as conn:
        assert device_tests.of_device(conn, phones[1]).fetched_at == NOW + MINUTE
    witness.saw(phones[0], [Told(calendar + 100, 7, whole=True)], now=NOW)
    assert len(works) == 1  # what was not written is not taken for written


def test_soon_is_not_now(database, phones, calendar):
    """A thread of its own does it, and does not keep the process."""
    done = threading.Event()
    threads = []

    def work():
        threads.append(threading.current_thread())
        done.set()

    soon(work)
    assert not done.is_set()
    assert done.wait(10)
    assert threads[0] is not threading.current_thread()
    assert threads[0].daemon


def test_without_a_thread_it_is_tried_again_with_the_next_note(database, phones, calendar):
    works = []

    def when(work):
        if not works:
            works.append(None)
            raise RuntimeError("can't start new thread")
        works.append(work)

    witness = Witness(database, when)
    witness.saw(phones[0], [Told(calendar, 7, whole=True)], now=NOW)
    witness.saw(phones[1], [Told(calendar, 7, whole=True)], now=NOW)
    assert len(works) == 2
    works[1]()
    assert [known(database, device) for device in phones[:2]] == [{calendar: 7}] * 2


def test_whoever_comes_late_with_something_older_takes_nothing_back(database, phones, calendar, put_off):
    """Threads take their turns in another order than they looked at the clock and at the calendar."""
    witness, works = put_off
    witness.saw(phones[0], [Told(calendar, 7, whole=True)], now=NOW + MINUTE)
    witness.saw(phones[0], [Told(calendar, 7, whole=False)], now=NOW)
    witness.saw(phones[0], [Told(calendar, 6, whole=True)], now=NOW)
    works.pop()()
    assert known(database, phones[0]) == {calendar: 7}
    witness.saw(phones[0], [Told(calendar, 6, whole=True)], now=NOW + 20 * MINUTE)  # the database is an older one
    works.pop()()
    assert known(database, phones[0]) == {calendar: 6}


def test_one_writes_at_a_time(database, phones, calendar, put_off, monkeypatch):
    """What comes while somebody writes is written behind it."""
    witness, works = put_off
    put = witness._put
    told = []

    def slow(due, tests):
        if not told:
            told.append(8)
            witness.saw(phones[0], [Told(calendar, 8, whole=True)], now=NOW)
            assert works == []
        put(due, tests)

    monkeypatch.setattr(witness, "_put", slow)
    witness.saw(phones[0], [Told(calendar, 7, whole=True)], now=NOW)
    works.pop()()
    assert known(database, phones[0]) == {calendar: 7}
    works.pop()()
    assert known(database, phones[0]) == {calendar: 8}


@pytest.mark.parametrize("error", [OperationalError("INSERT", {}, Exception("database is locked")), ValueError("x")])
def test_a_writer_that_waits_too_long_is_left_and_nothing_is_taken_for_written(
    database, phones, calendar, put_off, monkeypatch, error
):
    witness, works = put_off

    def fails(due, tests):
        tries.append(len(due))
        raise error

    tries = []
    for device in phones:
        witness.saw(device, [Told(calendar, 7, whole=True)], now=NOW)
    with monkeypatch.context() as patched:
        patched.setattr(witness, "_put", fails)
        works.pop()()
    assert tries == [3]  # once, and not each by itself
    witness.saw(phones[0], [Told(calendar, 7, whole=True)], now=NOW)
    works.pop()()
    assert known(database, phones[0]) == {calendar: 7}
