"""The power goes, again and again, in the middle of a first sync: nothing is lost, nothing is there twice (R8, R12)."""

import sqlite3
import time
from collections import Counter
from contextlib import closing

import pytest

from tests.e2e import worlds
from tests.support.hub import wait_for

EVENTS = 300
CREATION = r"^/microsoft/.*/events$"


@pytest.fixture
def world(tmp_path):
    """Everything is connected, and nothing synced yet: only the web has been running."""
    lease = {"CALDAV_BRIDGE_SYNC__LEASE_SECONDS": "10"}
    with worlds.opened(tmp_path, parts=[["web"]], seeded=EVENTS, **lease) as opened:
        opened.hub.stop()
        opened.hub.parts = [["serve"]]
        opened.hub.start()
        yield opened


def in_hub(world):
    with closing(sqlite3.connect(f"file:{world.hub.data / 'bridge.db'}?mode=ro", uri=True)) as database:
        return database.execute("SELECT count(*) FROM objects").fetchone()[0]


def in_outlook(world):
    with world.sandbox.microsoft.lock:
        return len(world.sandbox.microsoft.box(worlds.PERSON).events)


def when(world, reached):
    """Poll without a pause between the looks: the moment is what matters."""
    wait_for(reached, seconds=60, every=0.002)


def when_answering(world, reached):
    """Then, while Outlook has done what it was asked, and its answer is not yet on its way (R12)."""
    when(world, reached)
    world.sandbox.faults.inject(method="POST", path=CREATION, phase="after", delay=2.0)
    when(world, lambda: not world.sandbox.faults.waiting())
    time.sleep(0.2)


def test_r12_killed_in_the_middle_of_the_first_sync_it_goes_on_where_it_was(world):
    moments = [
        lambda: when(world, lambda: in_hub(world) > 0),
        lambda: when_answering(world, lambda: in_outlook(world) > EVENTS // 5),
        lambda: when_answering(world, lambda: in_outlook(world) > EVENTS // 2),
    ]
    seen = []
    for moment in moments:
        moment()
        world.hub.kill()
        seen.append((in_hub(world), in_outlook(world)))
        world.hub.start()
    assert seen[1][1] < seen[2][1] < EVENTS, f"every kill must be in the middle: {seen}"

    try:
        wait_for(lambda: in_outlook(world) >= EVENTS, seconds=60)
    except AssertionError:
        raise AssertionError(
            f"{seen}, then {in_hub(world)}, {in_outlook(world)}\n{world.hub.log.read_text()}"
        ) from None
    expected = world.seen("google")
    world.settle(dict(enumerate(expected)))
    google = Counter(one["summary"] for one in world.sides["google"]._list(singleEvents="false"))
    assert google.total() == in_hub(world) == in_outlook(world) == EVENTS
    assert Counter(one["subject"] for one in world.sides["graph"]._list("me/events")) == google
    assert world.mails() == 0
