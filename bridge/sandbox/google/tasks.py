"""What the service remembers of a person's tasks: lists, tasks, their order and nesting (G-101, G-104). No rules, no HTTP."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]

FIRST_POSITION = 5 * 10**19
"""Where the first task of a list stands; there is room on either side in the twenty digits of a position."""
STEP = 2**32


@dataclass(slots=True)
class Task:
    """A task. ``due`` is a date: the API knows no time of it (G-104); ``time`` is one that only Google's own pages know (G-107)."""

    id: str
    position: int
    updated: dt.datetime
    etag: int = 0
    title: str = ""
    notes: str = ""
    due: dt.date | None = None
    time: dt.time | None = None
    completed: dt.datetime | None = None
    """When it was completed; None as long as it needs action."""
    hidden: bool = False
    deleted: bool = False
    parent: str | None = None
    links: tuple[JsonObject, ...] = ()
    assignment: JsonObject | None = None
    """Where it was assigned from (Docs, Chat); None for a person's own."""


@dataclass(slots=True)
class TaskList:
    """A list. Deleted tasks stay in it as tombstones, their fields with them."""

    id: str
    title: str
    updated: dt.datetime
    etag: int = 0
    tasks: dict[str, Task] = field(default_factory=dict)

    def siblings(self, parent: str | None) -> list[Task]:
        """The live tasks below one parent, or at the top, in their order."""
        found = [task for task in self.tasks.values() if task.parent == parent and not task.deleted]
        return sorted(found, key=lambda task: task.position)

    def below(self, task: Task) -> Iterator[Task]:
        """Every live task under one, at any depth, each behind the one that it is below."""
        left = self.siblings(task.id)
        while left:
            child = left.pop(0)
            yield child
            left = self.siblings(child.id) + left

    def depth(self, task: Task) -> int:
        """How many tasks it is below."""
        count, above = 0, task.parent
        while above is not None:
            count, above = count + 1, self.tasks[above].parent
        return count

    def place(self, parent: str | None, previous: Task | None, *, leaving: Task | None = None) -> int:
        """The position behind ``previous``, or before all others. Siblings move only where there is no room left."""
        others = [task for task in self.siblings(parent) if task is not leaving]
        at = others.index(previous) + 1 if previous is not None else 0
        if not others:
            return FIRST_POSITION
        if at == 0:
            return others[0].position - STEP
        if at == len(others):
            return others[-1].position + STEP
        if others[at].position - others[at - 1].position < 2:
            for number, task in enumerate(others):
                task.position = FIRST_POSITION + STEP * number
        return (others[at - 1].position + others[at].position) // 2


@dataclass(slots=True)
class Shelf:
    """All lists of one person. The first one is the default list and stays (G-101)."""

    lists: dict[str, TaskList]

    @property
    def default(self) -> TaskList:
        """What ``@default`` stands for."""
        return next(iter(self.lists.values()))


def new_id() -> str:
    """As the service makes ids: opaque, and never the client's choice (G-106)."""
    return secrets.token_urlsafe(16)


def shelf(title: str, now: dt.datetime, etag: int) -> Shelf:
    """The lists of a new account: the default one."""
    made = TaskList(new_id(), title, now, etag)
    return Shelf({made.id: made})
