"""Long lives by a seed: which rule comes when, and what it picks, follow from it; one that breaks is cut down to what it takes."""

from __future__ import annotations

import time
import traceback
from contextlib import nullcontext
from dataclasses import dataclass
from random import Random

from tests.proof import invariants
from tests.proof.rules import RULES, Pick
from tests.proof.world import Broken, Tally, opened, opened_house
from tests.traffic.recording import Recording

REST_EVERY = 17
"""Steps between two looks at the invariants."""
SHRINKING = 90.0
"""Seconds."""


@dataclass(frozen=True)
class Step:
    """A rule, and the seed of what it picks. ``rest``: come to rest and look."""

    rule: str
    seed: int = 0


@dataclass
class Failure:
    seed: int
    problem: str
    steps: list[Step]
    story: list[str]
    trace: str = ""

    def text(self):
        lines = [f"seed {self.seed}: {self.problem}", f"  {len(self.steps)} steps are enough:"]
        lines += [f"    {line}" for line in self.story]
        return "\n".join([*lines, self.trace]).rstrip()


def life(house, seed, steps, tally):
    """Play one life of that many steps. None, or how it broke."""
    lot = Random(f"life {seed}")
    played, story = [], []
    names, weights = list(RULES), [weight for _, weight in RULES.values()]
    try:
        with opened(house, seed, tally) as world:
            story = world.story
            done = 0
            while done < steps:
                step = Step(lot.choices(names, weights)[0], lot.getrandbits(32))
                played.append(step)
                acted = _act(world, step)
                done += acted
                tally.steps += acted
                if acted and done % REST_EVERY == 0 and done < steps:
                    played.append(Step("rest"))
                    _act(world, played[-1])
            played.append(Step("rest"))
            _act(world, played[-1])
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what broke
        return _failure(error, seed, played, story)
    return None


def replay(house, seed, steps):
    """Play just these steps. None, or how it broke."""
    story = []
    try:
        with opened(house, seed, Tally()) as world:
            story = world.story
            for step in steps:
                _act(world, step)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what broke
        return _failure(error, seed, steps, story)
    return None


def _act(world, step):
    if step.rule == "rest":
        world.story.append("rest")
        world.rest()
        invariants.check(world)
        return False
    return RULES[step.rule][0](world, Pick(Random(step.seed)))


def _failure(error, seed, steps, story):
    if isinstance(error, Broken):
        return Failure(seed, str(error), list(steps), list(story))
    return Failure(seed, f"{type(error).__name__}: {error}", list(steps), list(story), traceback.format_exc())


def shrink(house, failure, *, seconds=SHRINKING):
    """Leave out steps, many at once and then single ones, as long as it still breaks in the same way."""
    kind, best = _kind(failure), failure
    deadline = time.monotonic() + seconds
    size = max(1, len(best.steps) // 2)
    while size and time.monotonic() < deadline:
        start, shorter = 0, False
        while start < len(best.steps) - 1 and time.monotonic() < deadline:
            fewer = [*best.steps[:start], *best.steps[start + size :]]
            if not fewer or fewer[-1].rule != "rest":
                fewer.append(Step("rest"))
            again = replay(house, best.seed, fewer) if len(fewer) < len(best.steps) else None
            if again is not None and _kind(again) == kind:
                best, shorter = again, True
            else:
                start += size
        if not shorter or size > 1:
            size //= 2
    return best


def _kind(failure):
    """What broke, without names and figures."""
    return "".join(letter for letter in failure.problem.split(":")[0] if not letter.isdigit())[:24]


def shard(seeds, steps, told, *, traffic=False):
    """One process: its lives, one after the other. With ``traffic`` one breaks by what does not fit a vendor's schema, too."""
    recording = Recording()
    with recording.watching() if traffic else nullcontext(), opened_house() as house:
        for seed in seeds:
            tally, seen = Tally(), recording.calls.total()
            failure = life(house, seed, steps, tally)
            tally.calls = recording.calls.total() - seen
            problems = [shrink(house, failure).text()] if failure is not None else []
            if unfit := recording.take():
                problems.append(
                    "\n".join([f"seed {seed}: traffic that does not fit the vendor's schema:", *unfit[:20]])
                )
            told.put((seed, tally, "\n".join(problems)))
