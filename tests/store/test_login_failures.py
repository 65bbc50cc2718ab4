"""Failed logins are counted, and too many of them block: for a while."""

import datetime as dt
import threading

import pytest

from bridge.store import login_failures
from bridge.store.login_failures import of_account, of_address

SECOND = dt.timedelta(seconds=1)
ALICE = of_account("alice")


@pytest.fixture
def fail(database):
    def fail(now, subject=ALICE):
        with database.write() as conn:
            return login_failures.record(conn, subject, now=now, max_failures=3, block_seconds=60)

    return fail


@pytest.fixture
def blocked(database):
    def blocked(now, *subjects):
        with database.read() as conn:
            return login_failures.blocked_until(conn, subjects or [ALICE], now=now)

    return blocked


def test_the_third_failure_blocks_for_a_minute(fail, blocked, t0):
    assert [fail(t0), fail(t0 + SECOND)] == [None, None]
    assert blocked(t0 + SECOND) is None
    until = t0 + 62 * SECOND
    assert fail(t0 + 2 * SECOND) == until
    assert blocked(t0 + 2 * SECOND) == until
    assert blocked(until - SECOND) == until
    assert blocked(until) is None


def test_another_failure_soon_after_blocks_again(fail, blocked, t0):
    for second in range(3):
        fail(t0 + second * SECOND)
    assert fail(t0 + 62 * SECOND) == t0 + 122 * SECOND


def test_failures_far_apart_are_forgiven(fail, t0):
    assert [fail(t0 + number * 61 * SECOND) for number in range(9)] == [None] * 9


def test_any_blocked_subject_blocks(fail, blocked, t0):
    here = of_address("203.0.113.9")
    for _ in range(3):
        fail(t0, here)
    assert blocked(t0, ALICE, here) == t0 + 60 * SECOND
    assert blocked(t0, ALICE) is None
    assert blocked(t0, ALICE, of_address("203.0.113.8")) is None


def test_signing_in_forgets_them(database, fail, blocked, t0):
    for _ in range(3):
        fail(t0)
    with database.write() as conn:
        login_failures.clear(conn, ALICE)
    assert blocked(t0) is None
    assert fail(t0) is None


def test_old_ones_are_pruned(database, fail, t0):
    fail(t0)
    fail(t0 + 10 * SECOND, of_address("203.0.113.9"))
    with database.write() as conn:
        assert login_failures.prune(conn, t0 + SECOND) == 1
        assert login_failures.prune(conn, t0 + SECOND) == 0


def test_failures_at_the_same_moment_all_count(database, t0):
    """Guessing in parallel must not give more guesses."""
    answers = []

    def fail():
        with database.write() as conn:
            answers.append(login_failures.record(conn, ALICE, now=t0, max_failures=8, block_seconds=60))

    threads = [threading.Thread(target=fail) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(answers, key=str) == [t0 + 60 * SECOND] + [None] * 7


def test_what_counts_as_one_address():
    assert of_address("203.0.113.9") == "address:203.0.113.9" == of_address("::ffff:203.0.113.9")
    assert of_address("2001:db8:1:2::3") == of_address("2001:db8:1:2:ffff::") == "address:2001:db8:1:2::/64"
    assert of_address("2001:db8:1:3::3") != of_address("2001:db8:1:2::3")
    assert of_address("fe80::1%eth0") == "address:fe80::/64"
    assert of_address("") == "address:"


def test_any_name_fits_its_column(fail, blocked, t0):
    names = ["x" * 5_000, "x" * 5_001, "a\0b", "\ud800", "ä" * 200]
    subjects = [of_account(name) for name in names]
    assert len(set(subjects)) == len(names)
    for subject in subjects:
        assert len(subject) <= 400
        assert fail(t0, subject) is None
