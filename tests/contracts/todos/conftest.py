"""Every bench in this folder runs every contract."""

import importlib
from contextlib import ExitStack
from pathlib import Path

import pytest

BENCHES = sorted(path.stem.removesuffix("_bench") for path in Path(__file__).parent.glob("*_bench.py"))


@pytest.fixture(params=BENCHES)
def todos(request, sandbox):
    """Its ``sandbox`` is that of all contracts."""
    module = importlib.import_module(f"tests.contracts.todos.{request.param}_bench")
    with ExitStack() as stack:
        yield stack.enter_context(module.open_bench(sandbox))
