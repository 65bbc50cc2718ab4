"""From a change on one side to its sight on the other two, with webhooks, the whole product running."""

import statistics
import tempfile
import time
from pathlib import Path

from tests.benchmarks import setting
from tests.contracts.bench import Typed
from tests.e2e import dates, worlds

CHANGES = 100


def run(changes=CHANGES):
    with tempfile.TemporaryDirectory() as folder, worlds.opened(Path(folder)) as world:
        world.settle({})
        uids = {}
        for name, side in world.sides.items():
            day = dates.MONDAY + dates.dt.timedelta(days=len(uids))
            start = dates.dt.datetime.combine(day, dates.dt.time(9))
            uids[name] = side.add(Typed(f"{name} 0", start, start + dates.dt.timedelta(hours=1), zone=dates.ZONE))
        time.sleep(5)
        seconds = []
        for number in range(1, changes + 1):
            name = list(world.sides)[number % 3]
            others = [side for other, side in world.sides.items() if other != name]
            title = f"{name} {number}"
            world.sides[name].retitle(uids[name], title)
            started = time.monotonic()
            waiting = list(others)
            while waiting:
                waiting = [
                    side for side in waiting if title not in {one[2] for one in side.shows(dates.FROM, dates.TO)}
                ]
                if time.monotonic() - started > 60:
                    raise AssertionError(f"{title} was not seen at {[side.name for side in waiting]}")
                time.sleep(0.02)
            seconds.append(time.monotonic() - started)
        print(
            f"a change on one side, seen on the other two ({changes} changes, webhooks):"
            f" median {statistics.median(seconds):.2f} s, p95 {setting.percentile(seconds, 0.95):.2f} s, max {max(seconds):.2f} s"
        )
