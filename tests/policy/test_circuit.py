"""For how long an account is left alone (R33)."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.policy.circuit import LAST, LAST_UNREACHABLE, REFUSED, UNREACHABLE, closing


def minutes(*, refused, upto=14):
    return [closing(strains, refused=refused) // dt.timedelta(minutes=1) for strains in range(1, upto)]


def test_r33_refusals_in_a_row_open_it_for_growing_times():
    assert minutes(refused=True) == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]


def test_a_service_that_is_down_is_asked_again_within_a_quarter_of_an_hour():
    assert minutes(refused=False) == [0, 0, 0, 0, 1, 2, 4, 8, 15, 15, 15, 15, 15]


@pytest.mark.parametrize("strains", [1, 50])
def test_r33_the_services_own_time_counts_from_the_first_on(strains):
    assert closing(strains, refused=True, retry_after=7200) == dt.timedelta(hours=2)


@given(strains=st.integers(1, 10**9), refused=st.booleans(), asked=st.none() | st.floats(0, 10**6))
def test_it_is_never_shorter_than_asked_for_nor_endless(strains, refused, asked):
    wait = closing(strains, refused=refused, retry_after=asked)
    assert wait >= dt.timedelta(seconds=asked or 0)
    assert wait <= max(LAST if refused else LAST_UNREACHABLE, dt.timedelta(seconds=asked or 0))
    assert asked or bool(wait) == (strains >= (REFUSED if refused else UNREACHABLE))
