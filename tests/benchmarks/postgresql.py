"""Our CalDAV server on PostgreSQL beside itself on SQLite: all the questions of ``dav`` at one size, asked in turns.

PostgreSQL is that of the tests: on this machine, reached by a socket, and a commit does not wait for the disk; neither does
SQLite's in the mode we use. Its processor time counts as the server's. ``BENCH_SIZES`` says how many events, and only its
first number counts; 1,000 unless it does.
"""

import contextlib
import os
import tempfile
from functools import partial
from pathlib import Path

from tests.benchmarks.dav import asking, servers
from tests.benchmarks.dav.questions import questions
from tests.support.databases import PostgresServer


def run():
    size = int(os.environ.get("BENCH_SIZES", "1000").split(",")[0])
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        postgres = PostgresServer()
        stack.callback(postgres.stop)
        sqlite = stack.enter_context(servers.bridge(Path(folder) / "sqlite", size))
        there = servers.bridge(Path(folder) / "postgresql", size, url=postgres.migrated(), database=postgres._watch.pid)
        running = [sqlite, stack.enter_context(there)]
        print(f"\nSQLite and PostgreSQL, {size:,} events, one client: ms until the answer is there (p50)")
        asking.beside(running, ["SQLite", "PostgreSQL"], [partial(questions, size=size)] * 2)
