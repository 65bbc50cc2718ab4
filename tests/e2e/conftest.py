"""A fresh world for each story."""

import pytest

from tests.e2e import worlds


@pytest.fixture
def world(tmp_path):
    with worlds.opened(tmp_path) as opened:
        yield opened
