"""The lens of Google Tasks: MAPPING.md rows X-60 … X-72 as far as a task holds them (G-104). Pure.

A task has a title, notes, a day on which it is due, is done or not, and may be a part of another one. Everything else, a time
of day with it, stays in the hub: ``restore`` puts it back, and its absence there is never a deletion (S-05).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from bridge.errors import Unmappable
from bridge.ical import next_time, spans, text
from bridge.ical.fields import MASTER, Change, ObjectFields, Path, Span, TodoFields
from bridge.sync.ports import ObjectKind, RemoteItem, RemoteObject

LONGEST_TITLE = 1024  # G-104
LONGEST_NOTES = 8192

_DONE = ("COMPLETED", "CANCELLED")
_EPOCH = dt.datetime.fromtimestamp(0, dt.UTC)


def item(task: Mapping[str, Any]) -> RemoteItem:
    """A task as the inbox keeps it. Without an etag the content is its own version."""
    said = {name: value for name, value in task.items() if value is not None}
    version = said.get("etag") or hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    return RemoteItem(said["id"], said["id"], version, said, updated(said))


def updated(task: Mapping[str, Any]) -> dt.datetime | None:
    """When the service last changed it (aware UTC); None where that is not said."""
    return _moment(task.get("updated"))


@dataclass(frozen=True, slots=True)
class GoogleTodoLens:
    """``zone`` is where its owner lives: the day on which a time in UTC is due is that of her clock."""

    zone: str
    component: ClassVar[ObjectKind] = "VTODO"
    nests: ClassVar[bool] = True

    def view(self, fields: ObjectFields) -> ObjectFields:
        return ObjectFields(self._seen(fields.todo))

    def read(self, items: Sequence[RemoteItem]) -> RemoteObject:
        """Nothing of ours comes with a task, neither key nor UID (G-106)."""
        if not items:
            raise Unmappable("there is no task")
        task = items[0].payload
        day = _day(task.get("due"))
        done = task.get("status") == "completed"
        read = TodoFields(
            Span(None, (day, None) if day else None),
            summary=task.get("title") or "",
            description=task.get("notes") or "",
            status="COMPLETED" if done else "NEEDS-ACTION",
            completed=_whole_seconds(_moment(task.get("completed"))) if done else None,
            parent=task.get("parent") or "",
        )
        return RemoteObject(
            id=items[0].id,
            version=items[0].version,
            uid="",
            creation_key="",
            fields=self.view(ObjectFields(read)),
            updated=updated(task) or _EPOCH,
            organized_elsewhere=False,
            items=tuple(items),
        )

    def restore(self, change: Change, hub: ObjectFields) -> Change:
        """Bring what was changed in a task into the hub's terms.

        A text whose beginning is all that fits there stays whole as long as the task has just that; edited there, it is what
        was typed, and its end is in the history (X-61). A day moves the hub's time of day with it (X-62).
        """
        todo = hub.todo
        seen = self._seen(todo)
        restored: dict[Path, Any] = {}
        for (key, name), value in change.items():
            match name:
                case "summary" | "description":
                    restored[key, name] = getattr(todo, name) if getattr(seen, name) == value else value
                case "when":
                    day = spans.day(value.due, self.zone) if value.due else None
                    restored[key, name] = spans.due_on(todo.when, day, self.zone)
                case "parent":
                    restored[key, name] = value
                case "status" | "completed":
                    continue  # they belong together
                case _:
                    restored[key, name] = getattr(todo, name)
        return restored | self._progress(change, todo, restored)

    def _progress(self, change: Change, todo: TodoFields, restored: Change) -> dict[Path, Any]:
        """Of a status the finer word stays while it means the same there (X-64); COMPLETED belongs to what is done (X-65)."""
        seen = self._seen(todo)
        status = change.get((MASTER, "status"), seen.status)
        completed = change.get((MASTER, "completed"), seen.completed)
        news = TodoFields(status=todo.status, completed=todo.completed, percent=todo.percent)
        if status != seen.status:
            if status == "COMPLETED":
                following = next_time.moved_on(replace(todo, when=restored.get((MASTER, "when"), todo.when)))
                if following is not None:
                    return _gone_on(following, todo)
                news = replace(news, status="COMPLETED", completed=completed, percent=100 if todo.percent else 0)
            else:
                percent = 0 if todo.percent == 100 else todo.percent
                news = replace(news, status="NEEDS-ACTION", completed=None, percent=percent)
        elif completed != seen.completed and _is_done(todo) and todo.status != "CANCELLED":
            news = replace(news, completed=completed or todo.completed)
        changed = {
            (MASTER, name): getattr(news, name)
            for name in ("status", "completed", "percent")
            if getattr(news, name) != getattr(todo, name)
        }
        asked = {path: getattr(news, path[1]) for path in change if path[1] in ("status", "completed")}
        return asked | changed

    # --- the normal form

    def _seen(self, todo: TodoFields) -> TodoFields:
        done = _is_done(todo)
        due = todo.when.due
        return TodoFields(
            Span(None, (spans.day(due, self.zone), None) if due else None),
            summary=" ".join(text.normal(todo.summary).split("\n"))[:LONGEST_TITLE],
            description=text.normal(todo.description)[:LONGEST_NOTES],
            status="COMPLETED" if done else "NEEDS-ACTION",
            completed=todo.completed if done else None,
            parent=todo.parent,
        )


def _is_done(todo: TodoFields) -> bool:
    """What was cancelled is done with: nobody wants it back on a list. Many write no STATUS for what is completed."""
    if todo.status:
        return todo.status in _DONE
    return todo.completed is not None or todo.percent == 100


def _gone_on(following: TodoFields, todo: TodoFields) -> dict[Path, Any]:
    """One occurrence is done, and the next one begins anew (X-69)."""
    fresh = replace(
        following,
        status="NEEDS-ACTION" if following.status else "",
        completed=None,
        percent=0,
    )
    names = ("when", "rules", "alarms", "status", "completed", "percent")
    return {(MASTER, name): getattr(fresh, name) for name in names if getattr(fresh, name) != getattr(todo, name)}


def _moment(value: str | None) -> dt.datetime | None:
    """A timestamp; None for what cannot be read."""
    try:
        return dt.datetime.fromisoformat(value or "").astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def _whole_seconds(moment: dt.datetime | None) -> dt.datetime | None:
    return moment.replace(microsecond=0) if moment else None


def _day(value: str | None) -> dt.date | None:
    """The date as it is written: the rest of it means nothing (G-104)."""
    try:
        return dt.date.fromisoformat((value or "")[:10])
    except ValueError:
        return None
