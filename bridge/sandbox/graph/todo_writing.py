"""What a write does to task lists and tasks: status and completion, and what follows a recurring task (M-84…M-89)."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from bridge.sandbox.graph import ids, recurrence, todo_fields
from bridge.sandbox.graph.errors import GraphError, denied, invalid, not_found
from bridge.sandbox.graph.recurrence import Recurrence
from bridge.sandbox.graph.todo import Moment, Task, TaskList, Todo, new_id

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class TodoHabits:
    """What the facts leave open of writing; each is a switch of the service, explained there."""

    due_utc: bool = False
    start_keeps_time: bool = True
    rewrites_text: bool = False
    recurrence_needs_due: bool = True
    repeats: bool = True
    next_is_new: bool = True
    next_keeps_links: bool = True
    due_edit_duplicates: bool = False
    parts_touch: bool = True


class TodoDesk:
    """Writes to one person's tasks. Its callers hold the service's lock; bodies have been checked against their types."""

    def __init__(self, todo: Todo, habits: TodoHabits) -> None:
        self.todo = todo
        self._habits = habits

    # --- lists

    def list_of(self, reference: ids.Reference) -> TaskList:
        """The list of an id. Raises 404."""
        found = self.todo.lists.get(reference.number)
        if reference.kind != "taskList" or reference.mailbox != self.todo.mailbox or found is None:
            raise not_found()
        return found

    def add_list(self, body: Mapping[str, Any]) -> TaskList:
        """A new list; two may have one name."""
        return self.todo.add_list(todo_fields.list_name(body.get("displayName")))

    def rename(self, which: TaskList, body: Mapping[str, Any]) -> TaskList:
        """Another name. Those that To Do made itself keep theirs: nothing says that they can change (M-84)."""
        if "displayName" in body and body["displayName"] != which.name:
            if which.kind != "none":
                raise denied(f"The list '{which.name}' cannot be renamed.")
            which.name = todo_fields.list_name(body["displayName"])
        self.todo.touch_list(which)
        return which

    def delete_list(self, which: TaskList) -> None:
        """With all that is in it; the default list and that of flagged mails stay (M-84)."""
        if which.kind != "none":
            raise GraphError(403, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.")
        self.todo.drop_list(which)

    # --- tasks

    def task_of(self, reference: ids.Reference, which: TaskList) -> Task:
        """The task of an id in a list. Raises 404; a default id ends when the task moves (RES:todoTask)."""
        found = self.todo.tasks.get(reference.number)
        if reference.kind != "task" or reference.mailbox != self.todo.mailbox or found is None:
            raise not_found()
        if found.list != which.number or reference.placement not in (None, found.placement):
            raise not_found()
        return found

    def create(self, body: Mapping[str, Any], which: TaskList) -> Task:
        """A new task; linkedResources may come with it (M-88), checklistItems are made one by one."""
        if which.kind == "flaggedEmails":
            raise invalid("Tasks cannot be created in the list of flagged mails.")  # M-84: it is special
        if body.get("checklistItems"):
            raise invalid("checklistItems are created by POST to the task's checklistItems.")
        now = self.todo.clock()
        made = Task(self.todo.next_number(), which.number, todo_fields.title(body.get("title")), now, now)
        self._write(made, body)
        made.links = {new_id(): todo_fields.link(one) for one in body.get("linkedResources", ())}
        return self.todo.add(made)

    def update(self, task: Task, body: Mapping[str, Any]) -> Task:
        """Change what ``body`` names; nothing is changed if anything of it is refused. The task as it is now."""
        for name in ("checklistItems", "linkedResources"):
            if name in body:
                raise invalid(f"{name} are changed by requests to the task's {name}.")
        wanted = replace(task)
        if "title" in body:
            wanted.title = todo_fields.title(body["title"])
        self._write(wanted, body)
        if self._habits.due_edit_duplicates and task.recurrence and wanted.due != task.due and wanted.due:
            self._copy(wanted)
            wanted.due, wanted.reminder = task.due, task.reminder
        following = None
        if wanted.status == "completed" and task.status != "completed" and wanted.recurrence:
            following = self._following(wanted)
            wanted.recurrence = None
        _lay(wanted, upon=task)
        self.todo.touch(task)
        if following is not None:
            self._go_on(task, following)
        return task

    def delete(self, task: Task) -> None:
        """It goes."""
        self.todo.remove(task)

    # --- steps and links

    def add_step(self, task: Task, body: Mapping[str, Any]) -> str:
        """A new step; its id."""
        made, id = todo_fields.step(body, None, self.todo.clock()), new_id()
        task.steps[id] = made
        self._part_written(task)
        return id

    def change_step(self, task: Task, id: str, body: Mapping[str, Any]) -> None:
        """Name it anew, tick it off or on. Raises 404."""
        task.steps[id] = todo_fields.step(body, _part(task.steps, id), self.todo.clock())
        self._part_written(task)

    def drop_step(self, task: Task, id: str) -> None:
        """It goes. Raises 404."""
        _part(task.steps, id)
        del task.steps[id]
        self._part_written(task)

    def add_link(self, task: Task, body: Mapping[str, Any]) -> str:
        """A new link; its id."""
        id = new_id()
        task.links[id] = todo_fields.link(body)
        self._part_written(task)
        return id

    def change_link(self, task: Task, id: str, body: Mapping[str, Any]) -> None:
        """Other fields. Raises 404."""
        task.links[id] = todo_fields.link(body, _part(task.links, id))
        self._part_written(task)

    def drop_link(self, task: Task, id: str) -> None:
        """It goes. Raises 404."""
        _part(task.links, id)
        del task.links[id]
        self._part_written(task)

    def _part_written(self, task: Task) -> None:
        """Whether that is a change of the task is not promised (M-29)."""
        if self._habits.parts_touch:
            self.todo.touch(task)

    # --- what a body says

    def _write(self, task: Task, body: Mapping[str, Any]) -> None:
        habits, now = self._habits, self.todo.clock()
        if "body" in body:
            task.body, task.body_type = todo_fields.body(body["body"], rewritten=habits.rewrites_text)
            task.body_modified = now
        task.importance = body.get("importance", task.importance)
        if "categories" in body:
            task.categories = tuple(dict.fromkeys(body["categories"]))
        if "dueDateTime" in body:
            task.due = todo_fields.day(todo_fields.moment(body["dueDateTime"], "dueDateTime"), utc=habits.due_utc)
        if "startDateTime" in body:
            start = todo_fields.moment(body["startDateTime"], "startDateTime")
            task.start = start if habits.start_keeps_time else todo_fields.day(start, utc=habits.due_utc)
        self._write_reminder(task, body)
        if "recurrence" in body:
            task.recurrence = todo_fields.rule(body["recurrence"], task.due)
        if task.recurrence and task.due is None:
            if habits.recurrence_needs_due:
                raise invalid("A recurring task needs a dueDateTime.")
            first = next(recurrence.days_of(task.recurrence))
            task.due = Moment(dt.datetime.combine(first, dt.time()), task.recurrence.zone)
        self._write_status(task, body, now)

    def _write_reminder(self, task: Task, body: Mapping[str, Any]) -> None:
        if "reminderDateTime" in body:
            task.reminder = todo_fields.moment(body["reminderDateTime"], "reminderDateTime")
            if task.reminder is None:
                task.reminder_on = False
        task.reminder_on = body.get("isReminderOn", task.reminder_on)
        if task.reminder_on and task.reminder is None:
            raise invalid("isReminderOn needs a reminderDateTime.")

    def _write_status(self, task: Task, body: Mapping[str, Any], now: dt.datetime) -> None:
        task.status = body.get("status", task.status)
        finished = todo_fields.moment(body.get("completedDateTime"), "completedDateTime")
        if task.status != "completed":
            if finished:
                raise invalid("completedDateTime is set on a task that is not completed.")
            task.completed = None
        elif finished:
            task.completed = todo_fields.day_in_utc(finished)
        elif task.completed is None:
            task.completed = now.date()

    # --- what follows a recurring task

    def _following(self, task: Task) -> tuple[Recurrence, int] | None:
        """The rule, and how many days later it is due again; None if it has ended (M-89)."""
        if not self._habits.repeats or task.recurrence is None or task.due is None:
            return None
        day = next(recurrence.days_of(task.recurrence, task.due.wall.date() + dt.timedelta(days=1)), None)
        return None if day is None else (task.recurrence, (day - task.due.wall.date()).days)

    def _go_on(self, task: Task, following: tuple[Recurrence, int]) -> None:
        rule, days = following
        other = self._copy(task)
        open_one, done = (other, task) if self._habits.next_is_new else (task, other)
        done.recurrence = None
        open_one.recurrence = rule
        open_one.status, open_one.completed = "notStarted", None
        for name in ("due", "start", "reminder"):
            kept = getattr(open_one, name)
            setattr(open_one, name, kept.later(days) if kept else None)
        for step in open_one.steps.values():
            step.checked = None
        if not self._habits.next_keeps_links:
            other.links = {}

    def _copy(self, task: Task) -> Task:
        """Another task like it; its steps and links have ids of their own."""
        now = self.todo.clock()
        made = replace(
            task,
            number=self.todo.next_number(),
            placement=0,
            created=now,
            modified=now,
            steps={new_id(): copy.copy(one) for one in task.steps.values()},
            links={new_id(): one for one in task.links.values()},
        )
        return self.todo.add(made)


def _lay(wanted: Task, *, upon: Task) -> None:
    for name in (
        "title", "body", "body_type", "body_modified", "status", "importance", "categories", "start", "due", "reminder",
        "reminder_on", "completed", "recurrence",
    ):  # fmt: skip
        setattr(upon, name, getattr(wanted, name))


def _part(parts: Mapping[str, Part], id: str) -> Part:
    if id not in parts:
        raise not_found()
    return parts[id]
