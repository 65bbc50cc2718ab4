"""Short lives of a list of to-dos in every run of the tests."""

import pytest

from tests.proof import todos
from tests.support import bridged


@pytest.fixture(scope="module")
def sandbox():
    with bridged.running() as running:
        yield running


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_r12_r35_nothing_on_a_list_is_lost_or_doubled_in_a_life_of_forty_steps(sandbox, tmp_path, seed):
    todos.lived(sandbox, tmp_path, seed, 40)
