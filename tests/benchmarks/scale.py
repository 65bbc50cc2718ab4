"""What a poll costs beside many other people, and in a large calendar: it should be the same as beside few, and in a small one.

Two of our servers, the small and the large one, are asked in turns. ``BENCH_OTHERS`` says how many other people, each with a
calendar and an event in it ("10,10000" unless it does); ``BENCH_FLAT`` how many events ("100,100000").
"""

import contextlib
import os
import tempfile
from functools import partial
from pathlib import Path

from tests.benchmarks.dav import asking, servers
from tests.benchmarks.dav.questions import polls

SIZE = 1_000


def run():
    others = _two("BENCH_OTHERS", "10,10000")
    _compare("other people", f"a calendar of {SIZE:,} events", [{"size": SIZE, "others": each} for each in others])
    sizes = _two("BENCH_FLAT", "100,100000")
    _compare("events", "nobody else", [{"size": each, "others": 0} for each in sizes])


def _two(name, default):
    few, many = map(int, os.environ.get(name, default).split(","))
    return few, many


def _compare(what, else_, shapes):
    varied = [shape["others"] or shape["size"] for shape in shapes]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        running = [
            stack.enter_context(servers.bridge(Path(folder) / str(each), **shape))
            for each, shape in zip(varied, shapes, strict=True)
        ]
        print(
            f"\nPolls, {varied[0]:,} and {varied[1]:,} {what} ({else_}), one client: ms until the answer is there (p50)"
        )
        asking.beside(
            running, [f"{each:,}" for each in varied], [partial(polls, size=shape["size"]) for shape in shapes]
        )
