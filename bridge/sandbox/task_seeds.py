"""What a task list is filled with: the errands of the same lives whose appointments are in seeds.py."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.sandbox.seeds import Life


@dataclass(frozen=True, slots=True)
class TaskSeed:
    """A task to be made. ``steps`` are what it falls into; ``important`` and ``weekly`` for services that know them."""

    title: str
    due: dt.date | None = None
    notes: str = ""
    steps: tuple[str, ...] = ()
    done: bool = False
    important: bool = False
    weekly: bool = False


def task_seeds(life: Life, today: dt.date) -> Iterator[TaskSeed]:
    """The tasks of a life, some overdue, some without a date."""
    for line in _KNOWN[life]:
        days, title, *more = (part.strip() for part in line.split("|"))
        options = dict(part.partition(":")[::2] for part in more)
        yield TaskSeed(
            title,
            today + dt.timedelta(days=int(days)) if days else None,
            notes=options.get("note", "").strip(),
            steps=tuple(step.strip() for step in options["steps"].split(",")) if "steps" in options else (),
            done="done" in options,
            important="important" in options,
            weekly="weekly" in options,
        )


_KNOWN: dict[Life, tuple[str, ...]] = {
    "private": (
        "-2 | Return the library books",
        " 0 | Buy a present for Grandma | note: She likes gardening.",
        " 1 | Pay the electricity bill | important",
        " 3 | Pack for Salzburg | steps: Raincoats, Board games, Snacks for the train",
        "   | Find a piano teacher for Leo",
        "   | Repair the bicycle light",
        "-1 | Book the train tickets | done",
    ),
    "work": (
        "-1 | Send the minutes of the retrospective",
        " 0 | Reply to Contoso about the contract | important",
        " 2 | Prepare the threat modelling workshop | steps: Slides, Invite the security team, Book Room Danube",
        " 4 | Weekly report | weekly | note: Three lines are enough.",
        "   | Tidy up the wiki page of the import",
        "-2 | Order a new keyboard | done",
    ),
}
