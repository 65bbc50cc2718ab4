"""The proof bites: a bridge that loses, doubles or mails is found out within a few short lives."""

from __future__ import annotations

import itertools
from unittest import mock

import pytest

from bridge.providers.graph.remote import GraphRemote
from bridge.store.side import Snapshot
from bridge.sync import plan
from bridge.sync.merge import Merged
from bridge.sync.plan import Step
from tests.proof import driver
from tests.proof.world import Tally, opened_house

SEEDS = range(1, 9)


@pytest.fixture(scope="module")
def house():
    with opened_house() as running:
        yield running


def brings_back(case, _link, hub, rules):
    """What is deleted at a service is made there anew."""
    return plan._depart(case, hub, None, rules)


def forgets_the_hub(case, link, here, merged, *, rules):
    """What a phone has changed is taken for told."""
    merged.to_remote = {}
    return settle(case, link, here, merged, rules=rules)


def sends_twice(self, fields, *, key, uid):
    """An answer that is long in coming is taken for none, and a second creation sent under another key."""
    made(self, fields, key=f"{next(numbers):032d}", uid=uid)
    return made(self, fields, key=key, uid=uid)


def invites_from_everywhere(self, uids):
    return dict.fromkeys(uids, True)


settle = plan._settle
made, numbers = GraphRemote.create, itertools.count()


FAULTS = {
    "deletions come back": mock.patch.object(plan, "_remote_gone", brings_back),
    "edits are not told": mock.patch.object(plan, "_settle", forgets_the_hub),
    "deletions are not told": mock.patch.object(plan, "_hub_gone", lambda case, *_: Step(case, None)),
    "creations are sent twice": mock.patch.object(GraphRemote, "create", sends_twice),
    "copies invite": mock.patch.object(Snapshot, "homes", invites_from_everywhere),
    "what gives way is forgotten": mock.patch.object(Merged, "overrule", return_value=None),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_bridge_is_found_out(house, fault):
    with FAULTS[fault]:
        found = next(filter(None, (driver.life(house, seed, 50, Tally()) for seed in SEEDS)), None)
    assert found is not None
    print(found.problem)
