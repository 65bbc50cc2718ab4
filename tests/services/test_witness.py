"""What devices are told is written down a moment later, together, and never at the cost of an answer: on both databases."""

import datetime as dt
import threading

import pytest

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
