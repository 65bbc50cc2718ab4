"""A process may die before any SQL statement, around any commit and any request: the next one comes to the same end (R12).

Here each story dies at a share of its boundaries, other ones of each kind; ``make prove`` tries all of them.
"""

from __future__ import annotations

import pytest

from tests.proof.scopes import IN_MEMORY, OVER_HTTP, Memory, over_http
from tests.proof.world import opened_house

KINDS = {"before a statement", "before a commit", "behind a commit", "before a request", "behind a request"}
LEAST = 80
"""Boundaries that every story has: below, the listeners must have come off."""


@pytest.fixture(scope="module")
def house():
    with opened_house() as opened:
        yield opened


@pytest.mark.parametrize("name", IN_MEMORY)
def test_r12_dying_at_a_boundary_of_a_cycle_changes_nothing_of_its_end(house, tmp_path, name):
    story = Memory(name, house.template / "bridge.db", tmp_path)
    whole, end = story.run()
    assert whole.kinds.keys() == KINDS
    assert whole.count > LEAST
    for boundary in range(1 + len(name) % 17, whole.count + 1, 17):
        died, after = story.run(boundary)
        assert died.dead
        assert after == end, boundary


@pytest.mark.parametrize(
    ("name", "where"), [("created_here", "graph"), ("series_with_override", "google"), ("created_here", "caldav")]
)
def test_r12_dying_at_a_boundary_of_a_cycle_with_a_service(house, name, where):
    whole, end = over_http(house, name, where)
    assert whole.kinds.keys() == KINDS
    assert whole.count > LEAST
    for boundary in range(3, whole.count + 1, 41):
        died, after = over_http(house, name, where, boundary)
        assert died.dead
        assert after == end, boundary


def test_every_story_of_the_services_is_one_of_those_in_memory():
    assert OVER_HTTP.keys() <= IN_MEMORY.keys()
