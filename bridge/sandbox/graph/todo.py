"""The state of one person's task lists, and a log of changes by revision. No rules, no HTTP (M-84, M-85)."""

from __future__ import annotations

import datetime as dt
import uuid
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bridge.sandbox.graph.recurrence import Recurrence

LISTS = 0
"""The log of the lists themselves; a list's number names the log of its tasks."""
DEFAULT_LIST = 1


@dataclass(frozen=True, slots=True)
class Moment:
    """A naive wall clock time in a zone (Windows name)."""

    wall: dt.datetime
    zone: str

    def later(self, days: int) -> Moment:
        """So many days later, at the same time of day."""
        return Moment(self.wall + dt.timedelta(days=days), self.zone)


@dataclass(slots=True)
class TaskList:
    """A task list; ``kind`` is its wellknownListName."""

    number: int
    name: str
    kind: str = "none"
    revision: int = 0


@dataclass(slots=True)
class Step:
    """A checklistItem; ``checked`` is when it was ticked off, None if it is open."""

    name: str
    created: dt.datetime
    checked: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A linkedResource: where a task came from (M-88)."""

    web_url: str | None = None
    application: str | None = None
    name: str | None = None
    external_id: str | None = None


@dataclass(slots=True)
class Task:
    """A task. ``body`` is kept as ``body_type`` says; ``completed`` is a day in UTC, for that is all that is kept (M-86)."""

    number: int
    list: int
    title: str
    created: dt.datetime
    modified: dt.datetime
    body: str = ""
    body_type: str = "text"
    body_modified: dt.datetime | None = None
    status: str = "notStarted"
    importance: str = "normal"
    categories: tuple[str, ...] = ()
    start: Moment | None = None
    due: Moment | None = None
    reminder: Moment | None = None
    reminder_on: bool = False
    completed: dt.date | None = None
    recurrence: Recurrence | None = None
    steps: dict[str, Step] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    revision: int = 0
    placement: int = 0


@dataclass(frozen=True, slots=True)
class Logged:
    """One line of a log: a task was written in this list, or left it from this placement; or a list was written or left."""

    revision: int
    number: int
    placement: int


class Todo:
    """The lists and tasks of one person. Not locked here: the service holds its lock around every call."""

    def __init__(self, mailbox: int, clock: Callable[[], dt.datetime]) -> None:
        self.mailbox = mailbox
        self.clock = clock
        self.revision = 0
        self.lists: dict[int, TaskList] = {}
        self.tasks: dict[int, Task] = {}
        self.last_gone: dict[int, Logged] = {}
        """The last removal of each log, to be told in a first round (M-23)."""
        self._log: dict[int, list[Logged]] = {LISTS: []}
        self._numbers = 0
        self.add_list("Tasks", "defaultList")
        self.add_list("Flagged Emails", "flaggedEmails")

    def add_list(self, name: str, kind: str = "none") -> TaskList:
        """A new, empty list; the first one made is the default list."""
        made = TaskList(len(self._log), name, kind)
        self.lists[made.number] = made
        self._log[made.number] = []
        self.touch_list(made)
        return made

    def touch_list(self, which: TaskList) -> None:
        """A list was written."""
        which.revision = self._note(LISTS, which.number, 0).revision

    def drop_list(self, which: TaskList) -> None:
        """Remove a list with all that is in it."""
        for task in self.tasks_of(which.number):
            self.remove(task)
        del self.lists[which.number]
        self.last_gone[LISTS] = self._note(LISTS, which.number, 0)

    def tasks_of(self, number: int) -> list[Task]:
        """The tasks of a list, in the order they were made."""
        return [task for task in self.tasks.values() if task.list == number]

    def next_number(self) -> int:
        """A number no task of this person ever had."""
        self._numbers += 1
        return self._numbers

    def add(self, task: Task) -> Task:
        """Put a new task in."""
        self.tasks[task.number] = task
        task.revision = self._note(task.list, task.number, task.placement).revision
        return task

    def touch(self, task: Task) -> None:
        """A task was written: a new etag."""
        task.modified = self.clock()
        task.revision = self._note(task.list, task.number, task.placement).revision

    def remove(self, task: Task) -> None:
        """A task goes."""
        del self.tasks[task.number]
        self.last_gone[task.list] = self._note(task.list, task.number, task.placement)

    def move(self, task: Task, number: int) -> None:
        """Into another list: its default id changes (RES:todoTask)."""
        self.last_gone[task.list] = self._note(task.list, task.number, task.placement)
        task.list = number
        task.placement += 1
        self.touch(task)

    def log_since(self, scope: int, revision: int) -> Iterator[Logged]:
        """What happened in a log after a revision, each placement once, oldest first."""
        log = self._log[scope]
        start = bisect_right(log, revision, key=lambda line: line.revision)
        last = {(line.number, line.placement): line for line in log[start:]}
        yield from sorted(last.values(), key=lambda line: line.revision)

    def _note(self, scope: int, number: int, placement: int) -> Logged:
        self.revision += 1
        line = Logged(self.revision, number, placement)
        self._log[scope].append(line)
        return line


def new_id() -> str:
    """The id of a step or a link: a GUID in every example of the vendor's."""
    return str(uuid.uuid4())
