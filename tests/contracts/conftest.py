"""Every bench in this folder runs every contract."""

import datetime as dt
import importlib
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.contracts.receiver import NotificationReceiver

BENCHES = sorted(path.stem.removesuffix("_bench") for path in Path(__file__).parent.glob("*_bench.py"))


def _module(name):
    return importlib.import_module(f"tests.contracts.{name}_bench")


READ_ONLY = [name for name in BENCHES if getattr(_module(name), "READ_ONLY", False)]
PUSHING = [name for name in BENCHES if getattr(_module(name), "PUSHES", True)]
BATCHING = [name for name in BENCHES if getattr(_module(name), "BATCHES", True)]
SIGN_INS = [name for name in BENCHES if hasattr(_module(name), "open_sign_in")]


@pytest.fixture(scope="session")
def sandbox():
    from bridge.sandbox.server import Sandbox

    running = Sandbox()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def now():
    return dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def pytest_generate_tests(metafunc):
    if "bench" in metafunc.fixturenames:
        reads = getattr(metafunc.function, "reads_only", False)
        metafunc.parametrize("bench", [name for name in BENCHES if reads or name not in READ_ONLY], indirect=True)


@pytest.fixture
def bench(request, sandbox):
    with ExitStack() as stack:
        yield stack.enter_context(_module(request.param).open_bench(sandbox))


@pytest.fixture(params=PUSHING)
def pushing(request, sandbox):
    with ExitStack() as stack:
        yield stack.enter_context(_module(request.param).open_bench(sandbox))


@pytest.fixture(params=BATCHING)
def batches(request, sandbox):
    with ExitStack() as stack:
        yield stack.enter_context(_module(request.param).open_bench(sandbox))


@pytest.fixture(params=SIGN_INS)
def sign_in(request, sandbox):
    with ExitStack() as stack:
        yield stack.enter_context(_module(request.param).open_sign_in(sandbox))


@pytest.fixture
def receiver():
    server = NotificationReceiver()
    yield server
    server.close()
