"""A house for each test, at a sandbox that all of them share."""

import os
import shutil

import pytest

from bridge.sandbox.server import Sandbox
from tests.contracts.receiver import NotificationReceiver
from tests.support import house as houses
from tests.support.worlds import World


@pytest.fixture(scope="session")
def _running():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_running):
    _running.reset()
    _running.clock.freeze()
    return _running


@pytest.fixture
def _folder(tmp_path, _migrated_file, monkeypatch):
    for name in [name for name in os.environ if name.startswith("CALDAV_BRIDGE_")]:
        monkeypatch.delenv(name)
    shutil.copy(_migrated_file, tmp_path / "bridge.db")
    return tmp_path


@pytest.fixture
def house(sandbox, _folder):
    """Nothing listens where it says it does."""
    with houses.opened(sandbox, _folder) as opened:
        yield opened


@pytest.fixture
def receiver():
    """Takes the services' notifications; nothing is done about them."""
    server = NotificationReceiver()
    yield server
    server.close()


@pytest.fixture
def reachable(sandbox, _folder, receiver):
    """A hub that the services can call, at the receiver."""
    base = receiver.address.removesuffix("/push")
    with houses.opened(sandbox, _folder, f'[server]\npublic_url = "{base}"\n') as opened:
        yield opened


@pytest.fixture
def world(sqlite_database):
    """Remote calendars in memory, for what no service of the sandbox matters to (``tests.support.owners``)."""
    return World(sqlite_database)
