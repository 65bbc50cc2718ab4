"""A pitfall without a test fails, and so does a page that does not tell of the tests that there are."""

import datetime as dt
import doctest

import pytest

from tests.pitfalls import page
from tests.pitfalls.page import NUMBERS, PAGE, by_rule, render, rules

UNTESTED_AT_MOST = 0
"""This only ever goes down."""


def test_every_rule_is_told():
    told, _ = rules()
    assert list(told) == NUMBERS
    for number, rule in told.items():
        assert rule.keys() - {"missing"} == {"title", "wrong", "ours"}, number
        assert all(text.strip() for text in rule.values()), number


@pytest.mark.parametrize("number", NUMBERS)
def test_every_rule_has_a_test_with_its_number_in_its_name(number):
    _, untested = rules()
    tests = by_rule().get(number, [])
    if number in untested:
        assert not tests, f"{number} has tests now: take it from the list of those without"
    else:
        assert tests, f"no test is called test_{number.lower()}_..."


def test_the_list_of_rules_without_a_test_is_dated_and_does_not_grow():
    told, untested = rules()
    assert len(untested) <= UNTESTED_AT_MOST
    assert untested.keys() <= told.keys()
    assert all(isinstance(since, dt.date) for since in untested.values())
    assert all("missing" in told[number] for number in untested), "what has no test is not claimed"


def test_no_test_bears_the_number_of_a_rule_that_is_none():
    assert by_rule().keys() <= set(NUMBERS)


def test_the_page_is_up_to_date():
    assert PAGE.read_text() == render(rules()[0], by_rule()), "make pitfalls"


def test_what_counts_as_a_number_in_a_name():
    assert doctest.testmod(page).failed == 0
    assert doctest.testmod(page).attempted > 0
