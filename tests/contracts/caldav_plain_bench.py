"""The bench of the CalDAV provider at a server without sync-collection, ctags, multiget, or an ETag in the answer to PUT."""

from contextlib import contextmanager

from tests.contracts.caldav_bench import BATCHES, PUSHES, CaldavBench, opened
from tests.support.caldav_server import xandikos

__all__ = ["BATCHES", "PUSHES", "open_bench"]


class PlainBench(CaldavBench):
    forgets = False  # nobody there keeps the place


@contextmanager
def open_bench(sandbox):
    with opened(xandikos, PlainBench) as bench:
        bench.server.screws.without = {"sync", "ctag", "put-etag", "multiget"}
        yield bench
