"""The hub grown: the web and two workers, three processes that share nothing but a PostgreSQL (DESIGN §6)."""

import os
import signal

import pytest

from tests.contracts.bench import Typed
from tests.e2e import worlds
from tests.e2e.dates import ZONE
from tests.e2e.test_three_sides import at, shown, weekly
from tests.support.hub import wait_for


@pytest.fixture
def world(tmp_path, postgres):
    with postgres.fresh() as url:
        environ = {"CALDAV_BRIDGE_DATABASE_URL": url, "CALDAV_BRIDGE_SYNC__LEASE_SECONDS": "10"}
        with worlds.opened(tmp_path, parts=[["web"], ["worker"], ["worker"]], **environ) as opened:
            yield opened


def test_two_workers_on_postgresql_keep_three_sides_alike_and_one_goes_on_alone(world):
    phone, google, graph = world.sides.values()
    wait_for(lambda: world.hub.log.read_text().count("worker ready") == 2)
    assert not (world.hub.data / "bridge.db").exists()

    phone.add(Typed("Dentist", at(1, 10), at(1, 11), zone=ZONE))
    series = google.add(Typed("Stand-up", at(0, 9), at(0, 10), zone=ZONE, rule="FREQ=WEEKLY;COUNT=6"))
    expected = {"single": shown(at(1, 10), at(1, 11), "Dentist"), **weekly("Stand-up", 6)}
    world.settle(expected)

    google.move_occurrence(series, at(14, 9), at(15, 14), at(15, 15))
    graph.retitle(graph.find("Dentist"), "Dentist (Dr. Maier)")
    expected |= {
        2: shown(at(15, 14), at(15, 15), "Stand-up"),
        "single": shown(at(1, 10), at(1, 11), "Dentist (Dr. Maier)"),
    }
    world.settle(expected)

    killed = world.hub.processes.pop()
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    phone.remove(phone.find("Dentist (Dr. Maier)"))
    del expected["single"]
    world.settle(expected)
    assert world.mails() == 0
