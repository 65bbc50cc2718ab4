"""A world of its own for each test: on both databases, or on SQLite where only the sync is in question."""

import pytest

from tests.support.worlds import World


@pytest.fixture
def world(database):
    return World(database)


@pytest.fixture
def small_world(sqlite_database):
    return World(sqlite_database)
