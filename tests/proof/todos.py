"""Long random lives of one list of to-dos in all its places: ``python -m tests.proof.todos --examples 200 --seed 1``.

People add, retitle, tick off, put off, nest and delete, on the phone, in Google Tasks and in Microsoft To Do, while answers are
lost and services are away; in the end nobody disturbs them any more, and all places must show the same.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from random import Random

from bridge.services import consistency
from bridge.store import pairs
from tests.support import bridged, listed

BEGIN = dt.datetime(2035, 3, 5, 9, tzinfo=dt.UTC)
TROUBLES = (
    {"phase": "after", "drop": True},
    {"phase": "after", "status": 500},
    {"status": 503},
    {"status": 429, "headers": {"Retry-After": "1"}},
)
PATHS = ("/google/tasks/", "/microsoft/v1.0/me/todo")


class Life:
    """One list; ``log`` is what has happened, for whoever has to understand it."""

    def __init__(self, story, seed):
        self.story, self.random, self.made, self.log = story, Random(seed), 0, []

    # --- what people do

    def step(self):
        places = [self.phone, self.phone, self.google, self.google, self.graph, self.graph]
        kinds = [*places, self.cycle, self.cycle, self.trouble, self.time]
        return self.random.choice(kinds)()

    def _title(self):
        self.made += 1
        return (
            self.random.choice(["Bread", "Süßes, \\ und; mehr", "🥖" * 3, "A", "long " * 40]).strip() + f" {self.made}"
        )

    def _chosen(self):
        """By its title: the UIDs of what comes from elsewhere are others each time."""
        todos = self.story.phone.todos()
        return self.random.choice(sorted(todos, key=lambda uid: str(todos[uid].get("SUMMARY", ""))))

    def _day(self):
        return BEGIN.date() + dt.timedelta(days=self.random.randrange(-3, 40))

    def phone(self):
        story, pick = self.story, self.random.choice
        todos = story.phone.stored()
        what = pick(["add", "add", "retitle", "tick", "reopen", "due", "undue", "delete", "below"])
        if what == "add" or not todos:
            uid = f"phone-{self.made}"
            lines = [f"SUMMARY:{_escaped(self._title())}"]
            if pick([True, False]):
                lines.append(
                    pick(
                        [f"DUE;VALUE=DATE:{self._day():%Y%m%d}", f"DUE;TZID=Europe/Berlin:{self._day():%Y%m%d}T180000"]
                    )
                )
                if pick([True, False, False]):
                    lines += [
                        lines[-1].replace("DUE", "DTSTART"),
                        pick(["RRULE:FREQ=WEEKLY", "RRULE:FREQ=DAILY;COUNT=3"]),
                    ]
            lines += pick([[], ["PRIORITY:1"], ["STATUS:IN-PROCESS"], ["X-OWN:kept"]])
            story.phone.put(uid, *lines)
            return f"phone adds {uid} {lines}"
        uid = self._chosen()
        if what == "delete":
            story.phone.remove(uid)
            return f"phone deletes {uid}"
        head, _, tail = todos[uid].replace("\r\n ", "").partition("BEGIN:VTODO\r\n")
        body, end, rest = tail.partition("END:VTODO")
        lines = body.split("\r\n")[:-1]

        def without(*names):
            return [line for line in lines if line.partition(":")[0].partition(";")[0] not in names]

        done = ["STATUS:COMPLETED", f"COMPLETED:{story.context.now():%Y%m%dT%H%M%SZ}"]
        new = {
            "retitle": [*without("SUMMARY"), f"SUMMARY:{_escaped(self._title())}"],
            "tick": lines
            if any(line.startswith("RRULE") for line in lines)
            else [*without("STATUS", "COMPLETED"), *done],
            "reopen": without("STATUS", "COMPLETED", "PERCENT-COMPLETE"),
            "due": lines
            if any(line.startswith("RRULE") for line in lines)
            else [*without("DUE", "DTSTART", "DURATION"), f"DUE;VALUE=DATE:{self._day():%Y%m%d}"],
            "undue": lines
            if any(line.startswith("RRULE") for line in lines)
            else without("DUE", "DTSTART", "DURATION"),
            "below": [*without("RELATED-TO"), f"RELATED-TO:{self._chosen()}"],
        }[what]
        story.phone.replace(uid, f"{head}BEGIN:VTODO\r\n" + "".join(f"{line}\r\n" for line in new) + end + rest)
        return f"phone {what} {uid}"

    def google(self):
        side, pick = self.story.google, self.random.choice
        tasks = side.all()
        what = pick(["add", "retitle", "tick", "reopen", "due", "undue", "delete", "below"])
        if what == "add" or not tasks:
            title = self._title()
            side.add(title, **pick([{}, {"due": f"{self._day()}T00:00:00.000Z"}, {"notes": "x"}]))
            return f"google adds {title}"
        task = pick(tasks)
        path = f"{side.list}/{task['id']}"
        if what == "delete":
            side.client.delete(path)
        elif what == "below":
            parent = pick([None, *(each["id"] for each in tasks)])
            side.client.post(f"{path}/move", params={"parent": parent} if parent else {})
        else:
            body = {
                "retitle": {"title": self._title()},
                "tick": {"status": "completed"},
                "reopen": {"status": "needsAction"},
                "due": {"due": f"{self._day()}T00:00:00.000Z"},
                "undue": {"due": None},
            }[what]
            side.client.patch(path, json=body)
        return f"google {what} {task['title']}"

    def graph(self):
        side, pick = self.story.graph, self.random.choice
        tasks = side.all()
        day = {"dateTime": f"{self._day()}T00:00:00", "timeZone": "W. Europe Standard Time"}
        what = pick(["add", "retitle", "tick", "reopen", "due", "undue", "delete", "important"])
        if what == "add" or not tasks:
            title = self._title()
            side.add(title, **pick([{}, {"dueDateTime": day}, {"importance": "high"}]))
            return f"graph adds {title}"
        task = pick(tasks)
        path = f"{side.list}/{task['id']}"
        if what == "delete":
            side.client.delete(path)
        elif not task.get("recurrence") or what in ("retitle", "important"):
            body = {
                "retitle": {"title": self._title()},
                "tick": {"status": "completed"},
                "reopen": {"status": "notStarted"},
                "due": {"dueDateTime": day},
                "undue": {"dueDateTime": None},
                "important": {"importance": pick(["low", "normal", "high"])},
            }[what]
            side.client.patch(path, json=body)
        return f"graph {what} {task['title']}"

    # --- what befalls them

    def cycle(self):
        provider = self.random.choice(list(self.story.pairs))
        return f"cycle {provider}: {self.story.cycle(provider)}"

    def trouble(self):
        trouble, path = self.random.choice(TROUBLES), self.random.choice(PATHS)
        method = self.random.choice(["GET", "POST", "PATCH", "DELETE"])
        self.story.sandbox.faults.inject(method=method, path=path, times=self.random.randrange(1, 4), **trouble)
        provider = self.random.choice(list(self.story.pairs))
        outcome = self.story.cycle(provider)
        self.story.sandbox.faults.clear()
        return f"{method} {path} {trouble}, cycle {provider}: {outcome}"

    def time(self):
        hours = self.random.choice([0.2, 2, 26])
        self.story.pass_by(hours=hours)
        return f"{hours} hours pass"

    # --- and what must be true in the end

    def end(self):
        story = self.story
        story.sandbox.faults.clear()
        for _ in range(12):
            story.pass_by(hours=7)
            outcomes = []
            for provider, pair in story.pairs.items():
                outcomes.append(story.cycle(provider))
                if outcomes[-1].parked:  # so much was deleted: their owner says yes (R6)
                    with story.context.database.write() as conn:
                        pairs.approve(conn, pair, now=story.context.now())
            if all(each.error is None and not each.parked for each in outcomes) and not any(
                each.hub_writes or each.remote_writes for each in outcomes
            ):
                break
        if alone := story.quarantined():  # below itself by what both sides have made of it: Google refuses that
            assert {reason.partition(" invalid")[0] for reason in alone.values()} == {"Google answered 400"}, alone
            return
        before = story.writes()
        for provider in [*story.pairs, *story.pairs]:
            outcome = story.cycle(provider)
            assert outcome.error is None, outcome
        assert story.writes() == before, "it does not come to rest"
        # what recurs is due in To Do on the day on which it begins, where it is due on none
        dateless = {
            str(each.get("SUMMARY")) for each in story.phone.todos().values() if "RRULE" in each and "DUE" not in each
        }
        seen = {
            name: Counter(
                (title, done, "" if title in dateless else day) for title, done, day in shown(name, story).elements()
            )
            for name in story.places()
        }
        for name, each in seen.items():
            assert each == seen["phone"], {
                "where": name,
                "missing": list((seen["phone"] - each).elements()),
                "too much": list((each - seen["phone"]).elements()),
            }
        for pair in story.pairs.values():
            found = consistency.run(story.context, pair)
            assert (found.error, found.found) == (None, ()), found
        for uid, data in story.phone.stored().items():
            assert uid not in self.own or "X-OWN:kept" in data, uid

    @property
    def own(self):
        return {uid for uid, line in self._own() if line}

    def _own(self):
        for line in self.log:
            if line.startswith("phone adds") and "X-OWN" in line:
                yield line.split()[2], True


def shown(name, story):
    """Title, whether it is done, and the day on which it is due, as that place shows it."""
    if name == "phone":
        found = []
        for todo in story.phone.todos().values():
            due = todo.get("DUE")
            day = (
                due.dt.date()
                if due is not None and isinstance(due.dt, dt.datetime)
                else due.dt
                if due is not None
                else ""
            )
            done = str(todo.get("STATUS", "")) in ("COMPLETED", "CANCELLED") or (
                "STATUS" not in todo and ("COMPLETED" in todo or todo.get("PERCENT-COMPLETE") == 100)
            )
            found.append((str(todo.get("SUMMARY", "")), done, str(day)))
        return Counter(found)
    if name == "google":
        return Counter(
            (each["title"], each["status"] == "completed", each.get("due", "")[:10]) for each in story.google.all()
        )
    return Counter(
        (each["title"], each["status"] == "completed", (each.get("dueDateTime") or {}).get("dateTime", "")[:10])
        for each in story.graph.all()
    )


def _escaped(text):
    return text.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")


def lived(sandbox, folder, seed, steps):
    """Raises AssertionError, with what has happened before it."""
    with listed.opened(sandbox, folder, now=BEGIN) as story:
        life = Life(story, seed)
        try:
            for _ in range(steps):
                life.log.append(life.step())
            life.end()
        except Exception as error:
            raise AssertionError("\n".join([*life.log, f"seed {seed}: {error}"])) from error


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.proof.todos", description=__doc__)
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1, help="of the first life; the others count on")
    asked = parser.parse_args()
    began, broken = time.monotonic(), []
    with bridged.running() as sandbox:
        for seed in range(asked.seed, asked.seed + asked.examples):
            with tempfile.TemporaryDirectory() as folder:
                try:
                    lived(sandbox, Path(folder), seed, asked.steps)
                except AssertionError:
                    broken.append(seed)
                    traceback.print_exc()
            if seed % 10 == 0:
                print(
                    f"{time.monotonic() - began:6.0f} s  {seed - asked.seed + 1} lives, broken: {broken or 'none'}",
                    flush=True,
                )
    print(
        f"{asked.examples} lives of {asked.steps} steps in {time.monotonic() - began:.0f} s, broken: {broken or 'none'}"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
