"""What a write does to tasks and lists: the coupling of status and completion, order, nesting, limits (G-101…G-107)."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from bridge.sandbox.google.errors import ApiError, condition_not_met, invalid, quota_exceeded
from bridge.sandbox.google.tasks import Shelf, Task, TaskList, new_id
from bridge.sandbox.google.view import etag

if TYPE_CHECKING:
    from bridge.sandbox.google.state import State

JsonObject = dict[str, Any]

LONGEST_TITLE = 1024
LONGEST_NOTES = 8192
MOST_LISTS = 2000
MOST_IN_LIST = 20_000
MOST_TASKS = 100_000
MOST_CHILDREN = 2000
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def instant(text: str, location: str) -> dt.datetime:
    """An RFC 3339 timestamp, as these fields and parameters want it. Raises 400."""
    wrong = invalid(f"Invalid value for: Invalid format: {text!r}", location)
    if not _INSTANT.fullmatch(text):
        raise wrong
    try:
        found = dt.datetime.fromisoformat(text.upper())
        found.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise wrong from None
    return found


class TaskDesk:
    """Writes to one person's tasks. Its callers hold the service's lock.

    ``in_app``: by Google's own pages, which hide what is completed there (G-102) and can give a task a time (G-107).
    """

    def __init__(self, state: State, shelf: Shelf, *, in_app: bool = False) -> None:
        self._state = state
        self._shelf = shelf
        self._in_app = in_app

    # --- lists

    def list_of(self, id: str) -> TaskList:
        """A list by its id or ``@default``. Raises 404."""
        if id == "@default":
            return self._shelf.default
        if id not in self._shelf.lists:
            raise ApiError(404, "notFound", "Task list not found.")
        return self._shelf.lists[id]

    def add_list(self, body: JsonObject) -> TaskList:
        """A new, empty list."""
        if len(self._shelf.lists) >= MOST_LISTS:
            raise quota_exceeded()
        made = TaskList(new_id(), _text(body.get("title"), "title", LONGEST_TITLE), self._state.now())
        self._shelf.lists[made.id] = made
        return self._touch_list(made)

    def change_list(self, held: TaskList, body: JsonObject, if_match: str | None, *, whole: bool) -> TaskList:
        """Its title is all there is to change."""
        self._check_version(held.etag, if_match)
        if whole or "title" in body:
            held.title = _text(body.get("title"), "title", LONGEST_TITLE)
        return self._touch_list(held)

    def delete_list(self, held: TaskList, if_match: str | None) -> None:
        """With all that is in it; the default list stays (G-101)."""
        self._check_version(held.etag, if_match)
        if held is self._shelf.default:
            raise invalid("The default task list cannot be deleted.", "tasklist")
        del self._shelf.lists[held.id]

    def clear(self, held: TaskList) -> None:
        """Hide what is completed (G-105)."""
        for task in held.tasks.values():
            if task.completed and not task.hidden and not task.deleted:
                task.hidden = True
                self._touch(held, task)

    # --- tasks

    def find(self, held: TaskList, id: str) -> Task:
        """A task of a list. Raises 404."""
        task = held.tasks.get(id)
        if task is None or (task.deleted and not self._state.switches.task_tombstones):
            raise ApiError(404, "notFound", "Task not found.")
        return task

    def insert(self, held: TaskList, body: JsonObject, *, parent: str = "", previous: str = "") -> Task:
        """A new task, before its siblings unless behind ``previous``; a client's id is not taken (G-106)."""
        self._check_room(held, 1)
        above = self._parent(held, parent)
        if above is not None:
            self._check_depth(held.depth(above) + 1)
        before = self._previous(held, previous, above)
        task = Task(new_id(), held.place(parent or None, before), self._state.now(), parent=parent or None)
        self._write(task, body, whole=True)
        held.tasks[task.id] = task
        return self._touch(held, task)

    def change(self, held: TaskList, id: str, body: JsonObject, if_match: str | None, *, whole: bool) -> Task:
        """A patch, or an update that replaces every field that may be written."""
        task = self.find(held, id)
        self._check_version(task.etag, if_match)
        if whole and body.get("id") != id and (self._state.switches.task_put_needs_id or "id" in body):
            raise invalid("Missing task ID" if "id" not in body else "Invalid task ID", "id")
        gone = body.get("deleted")
        if task.assignment is not None and gone is not None and gone != task.deleted:
            raise invalid("The field deleted of an assigned task is read-only.", "deleted")
        self._write(task, body, whole=whole)
        if gone and not task.deleted:
            self._delete(held, task)
        elif gone is False and task.deleted:
            self._revive(held, task)
        return self._touch(held, task)

    def delete(self, held: TaskList, id: str, if_match: str | None) -> None:
        """A tombstone stays; deleting it again does nothing."""
        task = self.find(held, id)
        self._check_version(task.etag, if_match)
        if not task.deleted:
            self._delete(held, task)

    def move(
        self, held: TaskList, id: str, destination: TaskList, *, parent: str = "", previous: str = ""
    ) -> tuple[TaskList, Task]:
        """To another place: below a parent, behind a sibling, in another list; what is below a task goes along."""
        task = self.find(held, id)
        if task.deleted:
            raise invalid("A deleted task cannot be moved.", "task")
        if task.completed and task.hidden and (parent or previous):
            raise invalid("A task that is completed and hidden can be moved to the first place only.", "task")
        if task.assignment is not None and parent:
            raise invalid("An assigned task cannot have a parent.", "parent")
        above = self._parent(destination, parent, moving=task)
        below = list(held.below(task))
        if above is not None:
            if above is task or any(above is each for each in below):
                raise invalid("A task cannot be moved below itself.", "parent")
            deepest = max((held.depth(each) for each in below), default=held.depth(task)) - held.depth(task)
            self._check_depth(destination.depth(above) + 1 + deepest)
        if previous == id:
            raise invalid("A task cannot follow itself.", "previous")
        before = self._previous(destination, previous, above)
        if destination is not held:
            self._carry_over(held, destination, task)
        task.position = destination.place(parent or None, before, leaving=task)
        task.parent = parent or None
        return destination, self._touch(destination, task)

    def assign(self, held: TaskList, title: str, *, surface: str = "DOCUMENT") -> Task:
        """Somebody assigns a task from Docs or Chat, which this API cannot."""
        task = self.insert(held, {"title": title})
        task.assignment = {"surfaceType": surface, "linkToTask": "https://docs.example/document/d/1"}
        return task

    # --- how

    def _write(self, task: Task, body: JsonObject, *, whole: bool) -> None:
        """All of it or, if something of it will not do, nothing."""
        title, notes, due, completed = task.title, task.notes, task.due, task.completed
        if whole or "title" in body:
            title = _text(body.get("title"), "title", LONGEST_TITLE)
        if whole or "notes" in body:
            notes = _text(body.get("notes"), "notes", LONGEST_NOTES)
        if whole or "due" in body:
            due = self._due(body.get("due"))
        if whole or "status" in body or "completed" in body:
            completed = self._completed(task, body, whole=whole)
        task.title, task.notes, task.due = title, notes, due
        if due is None or (body.get("due") and not self._in_app and not self._state.switches.task_due_keeps_time):
            task.time = None  # G-107
        if completed is None:
            task.hidden = False
        elif self._in_app and "status" in body:
            task.hidden = True  # G-102
        task.completed = completed

    def _due(self, text: str | None) -> dt.date | None:
        """Only the date is recorded (G-104)."""
        if text is None:
            return None
        when = instant(text, "due")
        return (when.astimezone(dt.UTC) if self._state.switches.task_due_in_utc else when).date()

    def _completed(self, task: Task, body: JsonObject, *, whole: bool) -> dt.datetime | None:
        """Status decides; a time of completion without it says nothing, and needsAction takes it away."""
        status = body.get("status")
        if status is None:
            status = "needsAction" if whole or "status" in body or not task.completed else "completed"
        if status not in ("needsAction", "completed"):
            raise invalid(f"Invalid value for: {status!r} is not a status.", "status")
        told = instant(body["completed"], "completed") if body.get("completed") is not None else None
        return None if status == "needsAction" else told or task.completed or self._state.now()

    def _delete(self, held: TaskList, task: Task) -> None:
        below = list(held.below(task))
        if self._state.switches.task_children_deleted:
            for child in below:
                child.deleted = True
                self._touch(held, child)
        else:
            for child in reversed(held.siblings(task.id)):
                child.position, child.parent = held.place(None, None), None
                self._touch(held, child)
        task.deleted = True
        self._touch(held, task)

    def _revive(self, held: TaskList, task: Task) -> None:
        """In the first place, since others may stand in its own by now; at the top if what it was below is gone."""
        above = held.tasks.get(task.parent or "")
        if above is None or above.deleted:
            task.parent = None
        task.position = held.place(task.parent, None)
        task.deleted = False

    def _carry_over(self, held: TaskList, destination: TaskList, task: Task) -> None:
        moving = [task, *held.below(task)]
        self._check_room(destination, len(moving))
        for each in moving:
            del held.tasks[each.id]
            destination.tasks[each.id] = each
            if self._state.switches.task_move_tombstones:
                left = Task(each.id, each.position, self._state.now(), title=each.title, deleted=True)
                held.tasks[each.id] = left
                self._touch(held, left)
            self._touch(destination, each)

    def _parent(self, held: TaskList, id: str, *, moving: Task | None = None) -> Task | None:
        if not id:
            return None
        found = held.tasks.get(id)
        if found is None or found.deleted or found.hidden:
            raise invalid("The parent does not exist in the task list, or is hidden.", "parent")
        if found.assignment is not None:
            raise invalid("An assigned task cannot be a parent.", "parent")
        if sum(each is not moving for each in held.siblings(id)) >= MOST_CHILDREN:
            raise quota_exceeded()
        return found

    def _check_depth(self, depth: int) -> None:
        most = self._state.switches.task_levels
        if most and depth > most:
            raise invalid(f"A task cannot stand more than {most} below others.", "parent")

    def _previous(self, held: TaskList, id: str, parent: Task | None) -> Task | None:
        if not id:
            return None
        found = held.tasks.get(id)
        if found is None or found.deleted or found.hidden or found.parent != (parent.id if parent else None):
            raise invalid("The previous task is no visible sibling there.", "previous")
        return found

    def _check_room(self, held: TaskList, more: int) -> None:
        """G-105. The totals are looked at only where a list alone could exceed them."""
        shown = len(held.tasks)
        if shown + more > MOST_IN_LIST:
            shown = sum(not (task.hidden or task.deleted) for task in held.tasks.values())
        total = sum(len(each.tasks) for each in self._shelf.lists.values())
        if shown + more > MOST_IN_LIST or total + more > MOST_TASKS:
            raise quota_exceeded()

    def _check_version(self, current: int, if_match: str | None) -> None:
        wanted = [part.strip() for part in (if_match or "").split(",") if part.strip()]
        if self._state.switches.task_if_match and wanted and "*" not in wanted and etag(current) not in wanted:
            raise condition_not_met()

    def _touch(self, held: TaskList, task: Task) -> Task:
        task.etag, task.updated = self._state.next_etag(), self._state.now()
        if self._state.switches.task_lists_move:
            self._touch_list(held)
        return task

    def _touch_list(self, held: TaskList) -> TaskList:
        held.etag, held.updated = self._state.next_etag(), self._state.now()
        return held


def _text(value: str | None, name: str, longest: int) -> str:
    if len(value or "") > longest:
        raise invalid(f"Invalid value for: {name} is longer than {longest} characters.", name)
    return value or ""
