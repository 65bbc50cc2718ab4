"""How often a pair is looked after that nobody tells us about."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.policy.polling import LATER, LONGEST, SHORTEST, SOONER, pause

FIVE = dt.timedelta(minutes=5)


def test_sooner_after_activity_later_in_a_long_quiet():
    pauses = [pause(FIVE, idle, told=False) // dt.timedelta(minutes=1) for idle in range(200)]
    assert pauses[:5] == [1, 2, 3, 4, 5]
    assert set(pauses[4:28]) == {5}
    assert set(pauses[28:52]) == {10}
    assert set(pauses[52:]) == {20}


@pytest.mark.parametrize("idle", [0, 1, 30, 10_000])
def test_r30_the_safety_poll_beside_notifications_keeps_its_interval(idle):
    assert pause(FIVE, idle, told=True) == FIVE


@given(seconds=st.integers(10, 10**7), idle=st.integers(0, 10**9))
def test_within_its_bounds_and_never_sooner_for_more_quiet(seconds, idle):
    interval = dt.timedelta(seconds=seconds)
    found = pause(interval, idle, told=False)
    assert max(interval / SOONER, min(interval, SHORTEST)) <= found
    assert found <= max(interval, min(interval * LATER, LONGEST))
    assert found <= pause(interval, idle + 1, told=False)
