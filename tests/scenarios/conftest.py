"""One sandbox for all stories, a fresh person and hub for each."""

import pytest

from tests.support import bridged


@pytest.fixture(scope="session")
def sandbox():
    with bridged.running() as running:
        yield running


@pytest.fixture
def story(sandbox, tmp_path):
    with bridged.opened(sandbox, tmp_path) as opened:
        yield opened
