"""``make prove``: many long lives by a seed, in several processes, and the enumerated crashes; figures at the end."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from queue import Empty

from tests.proof import driver
from tests.proof.world import Tally

EVERY = 20.0
"""Seconds between two lines of progress."""


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1, help="the first example's; the others count on")
    parser.add_argument("--traffic", action="store_true", help="hold all traffic against the vendors' schemas")
    asked = parser.parse_args()
    began = time.monotonic()
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    seeds = range(asked.seed, asked.seed + asked.examples)
    workers = [
        context.Process(
            target=driver.shard,
            args=(list(seeds[number :: asked.jobs]), asked.steps, told),
            kwargs={"traffic": asked.traffic},
            daemon=True,
        )
        for number in range(asked.jobs)
    ]
    for worker in workers:
        worker.start()
    total, done, broken, next_line = Tally(), 0, [], began + EVERY
    while done < asked.examples:
        try:
            _seed, tally, failure = told.get(timeout=5)
        except Empty:
            if not any(worker.is_alive() for worker in workers):
                print("the processes died", flush=True)
                return 2
            continue
        done += 1
        total.add(tally)
        if failure:
            broken.append(failure)
            print(f"BROKEN {failure}\n", flush=True)
        if time.monotonic() > next_line:
            next_line = time.monotonic() + EVERY
            print(
                f"{time.monotonic() - began:6.0f} s  {done} examples, {total.steps} steps, {len(broken)} broken",
                flush=True,
            )
    report(asked, total, done, broken, time.monotonic() - began)
    return 1 if broken else 0


def report(asked, total, done, broken, seconds):
    command = f"python -m tests.proof --examples {asked.examples} --steps {asked.steps} --jobs {asked.jobs} --seed {asked.seed}"
    if asked.traffic:
        command += " --traffic"
    print(f"command: {command}")
    print(f"seconds: {seconds:.0f}")
    print(f"examples: {done}, steps: {total.steps}, steps an example: {total.steps / max(1, done):.1f}")
    print(f"cycles: {total.cycles}, of them idle: {total.idle_cycles}; requests: {total.requests}")
    print(f"times at rest: {total.rests}; objects looked at: {total.objects}")
    for title, counts in (
        ("edits", total.edits),
        ("faults", total.faults),
        ("crashes", total.crashes),
        ("quarantined", total.quarantined),
    ):
        print(f"{title}: {sum(counts.values())}")
        for name, count in sorted(counts.items()):
            print(f"    {count:7} {name}")
    print(f"plans parked and approved: {total.parked}; accounts reconnected: {total.reconnects}")
    print(f"mails that people caused by what they did to meetings: {total.mails}; others: 0 or broken")
    if asked.traffic:
        print(f"calls held against the vendors' schemas: {total.calls}")
    print(f"invariants broken: {len(broken)}")


if __name__ == "__main__":
    sys.exit(main())
