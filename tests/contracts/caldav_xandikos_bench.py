"""The bench of the CalDAV provider at a Xandikos, which pages nothing and stores what it is given."""

from contextlib import contextmanager

from tests.contracts.caldav_bench import PUSHES, opened
from tests.support.caldav_server import xandikos

__all__ = ["PUSHES", "open_bench"]


@contextmanager
def open_bench(sandbox):
    with opened(xandikos) as bench:
        yield bench
