"""Short lives in every run of the tests: some by fixed seeds, some by Hypothesis, which cuts down what breaks by itself."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.proof import driver, invariants
from tests.proof.rules import RULES, Pick
from tests.proof.world import Tally, opened, opened_house

SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def house():
    with opened_house() as running:
        yield running


@pytest.mark.parametrize("seed", SEEDS)
def test_r1_r4_r12_r17_r35_nothing_is_lost_doubled_or_mailed_in_a_life_of_fifty_steps(house, seed):
    tally = Tally()
    failure = driver.life(house, seed, 50, tally)
    assert failure is None, driver.shrink(house, failure).text()
    assert tally.steps == 50
    assert tally.rests >= 3


def test_a_seed_tells_a_whole_life(house):
    """The same seed is the same life, to the last word: a failure can be played again."""
    stories = []
    for _ in range(2):
        with opened(house, 5, Tally()) as world:
            lot = Random(5)
            for name in ["add", "receive", "cycle", "split", "cycle", "copy", "cycle", "override", "cycle"] * 2:
                RULES[name][0](world, Pick(Random(lot.getrandbits(32))))
            world.rest()
            stories.append(world.story)
    assert stories[0] == stories[1]


class Calendar(RuleBasedStateMachine):
    """The same rules, drawn by Hypothesis. ``house`` is set by the test."""

    house = None

    @initialize()
    def open(self):
        self._opened = opened(self.house, 0, Tally())
        self.world = self._opened.__enter__()

    @rule(name=st.sampled_from(sorted(RULES)), seed=st.integers(0, 2**16))
    def act(self, name, seed):
        RULES[name][0](self.world, Pick(Random(seed)))

    @rule()
    def rest(self):
        self.world.rest()
        invariants.check(self.world)

    def teardown(self):
        try:
            if hasattr(self, "world"):
                self.rest()
        finally:
            if hasattr(self, "_opened"):
                self._opened.__exit__(None, None, None)


def test_hypothesis_finds_no_way_to_lose_double_or_mail(house):
    Calendar.house = house
    run_state_machine_as_test(
        Calendar,
        settings=settings(
            max_examples=6,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
