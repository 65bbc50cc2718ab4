"""A world of its own for each test: on SQLite, or on each database where the memory itself is in question."""

import copy
from dataclasses import replace

import pytest

from bridge.store.session import connect
from tests.support.worlds import World


@pytest.fixture
def world(sqlite_database):
    return World(sqlite_database)


@pytest.fixture
def world_on_each(database):
    return World(database)


@pytest.fixture
def copies(tmp_path):
    """Make any number of copies of a world on SQLite, with all that is in it; the original is closed."""
    opened = []

    def copies_of(world, path):
        world.database.close()

        def make():
            copied = tmp_path / f"copy-{len(opened)}.db"
            copied.write_bytes(path.read_bytes())
            opened.append(connect(f"sqlite:///{copied}"))
            inhabitants = copy.deepcopy({"sides": world.sides, "clock": world.clock})
            return replace(world, database=opened[-1], **inhabitants)

        return make

    yield copies_of
    for each in opened:
        each.close()
