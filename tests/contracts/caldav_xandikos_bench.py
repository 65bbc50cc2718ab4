"""The bench of the CalDAV provider at a Xandikos: its sync tokens are git trees, its properties in an order of its own."""

from contextlib import contextmanager

from tests.contracts.caldav_bench import BATCHES, PUSHES, opened
from tests.support.caldav_server import xandikos

__all__ = ["BATCHES", "PUSHES", "open_bench"]


@contextmanager
def open_bench(sandbox):
    with opened(xandikos) as bench:
        yield bench
