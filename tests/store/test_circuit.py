"""An account that its service would not serve: what is counted, when it is left alone, and when that is over (R33)."""

import datetime as dt

import pytest

from bridge.store import accounts

SLOW = "Google asks us to slow down"


@pytest.fixture
def strain(database, account):
    def count(now, *, refused=True, retry_after=None, reason=SLOW):
        with database.write() as conn:
            return accounts.strain(conn, account.id, refused=refused, retry_after=retry_after, reason=reason, now=now)

    return count


@pytest.fixture
def relieve(database, account):
    def close(now):
        with database.write() as conn:
            accounts.relieve(conn, account.id, now=now)

    return close


@pytest.fixture
def state(database, account):
    def read():
        with database.read() as conn:
            found = accounts.by_id(conn, account.id)
        return found.strains, found.closed_until, found.closed_reason

    return read


def minutes(count):
    return dt.timedelta(minutes=count)


def test_r33_refusals_in_a_row_open_it_a_success_closes_it(strain, relieve, state, t0):
    assert [strain(t0), strain(t0), strain(t0)] == [None, None, t0 + minutes(1)]
    assert state() == (3, t0 + minutes(1), SLOW)
    assert strain(t0 + minutes(1)) == t0 + minutes(3)
    relieve(t0 + minutes(3))
    assert state() == (0, None, None)
    assert strain(t0 + minutes(4)) is None


def test_r33_what_the_service_asks_for_opens_it_at_once(strain, state, t0):
    assert strain(t0, retry_after=7200, reason="the quota is used up") == t0 + minutes(120)
    assert state() == (1, t0 + minutes(120), "the quota is used up")


def test_a_shorter_time_does_not_take_the_place_of_a_longer_one(strain, state, t0):
    strain(t0, retry_after=7200, reason="the quota is used up")
    assert strain(t0 + minutes(1), retry_after=60) == t0 + minutes(120)
    assert state() == (2, t0 + minutes(120), "the quota is used up")


def test_a_cycle_that_began_before_does_not_close_it(strain, relieve, state, t0):
    """It had gone well while another one met the end of the quota."""
    strain(t0, retry_after=7200)
    relieve(t0 + minutes(1))
    assert state()[:2] == (1, t0 + minutes(120))
    relieve(t0 + minutes(120))
    assert state() == (0, None, None)


def test_a_service_that_is_down_opens_it_later(strain, t0):
    opened = [strain(t0, refused=False, reason="Google cannot be reached") for _ in range(5)]
    assert opened == [None, None, None, None, t0 + minutes(1)]


def test_an_account_that_is_gone_is_no_strain(database, strain, relieve, account, t0):
    with database.write() as conn:
        accounts.remove(conn, account.id)
    assert strain(t0) is None
    relieve(t0)
