"""``make prove``: each small story dies at every one of its boundaries, in memory and with services and a server over HTTP."""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

from tests.proof.scopes import IN_MEMORY, OVER_HTTP, Memory, over_http
from tests.proof.world import opened_house

SERVICES = ("google", "graph")
BY_CALDAV = ("created_here", "edited_on_both", "deleted_there", "series_with_override", "lost_cursor")


def tried(story):
    """(name, boundaries by kind, how often it died, what went wrong) of one story: its name, and a service or None."""
    name, where = story
    with tempfile.TemporaryDirectory() as folder, opened_house() as house:
        if where is None:
            run = Memory(name, house.template / "bridge.db", Path(folder)).run
        else:

            def run(die_at=None):
                return over_http(house, name, where, die_at)

        whole, end = run()
        wrong, died = [], 0
        for boundary in range(1, whole.count + 1):
            try:
                boundaries, after = run(boundary)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what broke
                wrong.append(f"{boundary}: {type(error).__name__}: {error}")
                continue
            died += boundaries.dead
            if after != end:
                wrong.append(f"{boundary}: {after} instead of {end}")
    return f"{name} ({where or 'in memory'})", dict(whole.kinds), died, wrong


def main(jobs=2):
    began = time.monotonic()
    stories = [(name, None) for name in IN_MEMORY]
    stories += [(name, where) for name in OVER_HTTP for where in SERVICES]
    stories += [(name, "caldav") for name in BY_CALDAV]
    print("command: python -m tests.proof.crashes", flush=True)
    boundaries, deaths, broken = 0, 0, 0
    with multiprocessing.get_context("spawn").Pool(jobs, maxtasksperchild=1) as pool:
        for name, kinds, died, wrong in pool.imap_unordered(_tried, stories):
            count = sum(kinds.values())
            boundaries, deaths, broken = boundaries + count, deaths + died, broken + len(wrong)
            told = ", ".join(f"{each} {kind}" for kind, each in sorted(kinds.items()))
            print(f"{time.monotonic() - began:6.0f} s  {name}: {count} boundaries ({told}), died at {died}", flush=True)
            for each in wrong:
                print(f"BROKEN {name} at boundary {each}", flush=True)
    print(f"seconds: {time.monotonic() - began:.0f}")
    print(f"stories: {len(stories)}, boundaries: {boundaries}, deaths: {deaths}, ends that differ: {broken}")
    return 1 if broken or deaths != boundaries else 0


def _tried(story):
    from tests.proof import crashes  # the pool's processes know this module by its name, not as the main one

    return crashes.tried(story)


if __name__ == "__main__":
    from tests.proof.crashes import main as proper

    sys.exit(proper())
