"""The lens of Microsoft To Do: MAPPING.md rows X-60 … X-72 as far as a task holds them (M-85, M-86). Pure.

A task has a title, a text, days on which it begins and is due, is done or not, an importance, categories, one reminder, and a
rule by which it recurs. Everything else, times of day with it, stays in the hub: ``restore`` puts it back, and its absence
there is never a deletion (S-05).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from bridge.errors import Unmappable
from bridge.ical import next_time
from bridge.ical.alarms import in_order
from bridge.ical.fields import MASTER, Change, ObjectFields, Path, Span, TodoFields
from bridge.ical.spans import normal
from bridge.providers.graph import fields as component
from bridge.providers.graph import texts, todo_times
from bridge.sync.identity import is_ours
from bridge.sync.ports import ObjectKind, RemoteItem, RemoteObject

UNTITLED = "(no title)"
"""To Do takes no task without a title."""

OURS = "caldav-bridge"
LONGEST_UID = 200
"""How long an externalId may be is written nowhere; a longer UID is left out."""

_STATES: Mapping[str, Literal["NEEDS-ACTION", "IN-PROCESS", "COMPLETED"]] = {
    "notStarted": "NEEDS-ACTION",
    "inProgress": "IN-PROCESS",
    "completed": "COMPLETED",
}
"""The others (``waitingOnOthers``, ``deferred``) are kinds of the first, and stay as long as nobody goes beyond it (X-64)."""

_MARK = re.compile(r"(?P<key>\S+)(?: (?P<uid>.+))?")


@dataclass(frozen=True, slots=True)
class GraphTodoLens:
    """``zone`` is the mailbox's: days are those of its clock."""

    zone: str = "UTC"
    component: ClassVar[ObjectKind] = "VTODO"

    def view(self, fields: ObjectFields) -> ObjectFields:
        return ObjectFields(self._seen(fields.todo))

    def read(self, items: Sequence[RemoteItem]) -> RemoteObject:
        if not items:
            raise Unmappable("there is no task")
        task = items[0].payload
        key, uid = mark(task)
        return RemoteObject(
            id=items[0].id,
            version=items[0].version,
            uid=uid,
            creation_key=key,
            fields=self.view(ObjectFields(self._told(task))),
            updated=component.updated(task),
            organized_elsewhere=False,
            items=tuple(items),
        )

    def restore(self, change: Change, hub: ObjectFields) -> Change:
        """Bring what was changed in a task into the hub's terms.

        What equals that which To Do is shown of the hub's leaves the hub's: a text that was cut there, the number of the
        priority, the order of the categories, further alarms, a rule in other words. A text that was edited there is what was
        typed, and its old end is in the history (X-61). A day moves the hub's time of day with it (X-62).
        """
        todo = hub.todo
        seen = self._seen(todo)
        wanted = replace(seen, **{name: value for (_, name), value in change.items()})
        news = replace(todo, when=todo_times.moved(todo.when, seen.when, wanted.when, self.zone))
        for name in ("summary", "description", "priority", "categories"):
            if getattr(wanted, name) != getattr(seen, name):
                news = replace(news, **{name: getattr(wanted, name)})
        news = self._alarms(news, seen, wanted)
        if wanted.status == "COMPLETED" != seen.status and todo.rules and not seen.rules:
            # what To Do does not know to recur goes on to its next time here, and is opened there again
            following = next_time.moved_on(news)
            if following is not None:
                following = replace(
                    following, status="NEEDS-ACTION" if following.status else "", completed=None, percent=0
                )
                return _differing(todo, following, change)
        if wanted.rules != self._rules(replace(news, status="")):
            news = replace(news, rules=wanted.rules)
        return _differing(todo, _progressed(news, seen, wanted), change)

    def _alarms(self, news: TodoFields, seen: TodoFields, wanted: TodoFields) -> TodoFields:
        """The alarms of a to-do that has moved as a whole have moved with it; else the first one is another (X-70)."""
        if wanted.alarms == seen.alarms:
            return news
        alarms = todo_times.with_ring(wanted.alarms, news.alarms, self.zone)
        if seen.when.due and wanted.when.due:
            by = wanted.when.due[0] - seen.when.due[0]
            shifted = tuple((value + by, zone) for value, zone in news.alarms)
            if todo_times.first_ring(shifted, self.zone) == wanted.alarms:
                alarms = shifted
        return replace(news, alarms=in_order(alarms))

    # --- the normal form

    def _seen(self, todo: TodoFields) -> TodoFields:
        done = _is_done(todo)
        found = None if done else todo_times.recurring(todo.when, todo.rules, self.zone)
        # what recurs has both ends there, on one day
        when = todo_times.days(todo.when, self.zone) if found is None else Span((found[0], None), (found[0], None))
        return TodoFields(
            when,
            summary=texts.subject(todo.summary) or UNTITLED,
            description=texts.plain(todo.description),
            status="COMPLETED" if done else "IN-PROCESS" if todo.status == "IN-PROCESS" else "NEEDS-ACTION",
            completed=todo_times.utc_day(todo.completed) if done else None,
            priority=component.importance(todo.priority),
            categories=component.labels(todo.categories),
            alarms=todo_times.first_ring(todo.alarms, self.zone),
            rules=() if found is None else found[1],
        )

    def _rules(self, todo: TodoFields) -> tuple[str, ...]:
        found = todo_times.recurring(todo.when, todo.rules, self.zone)
        return () if found is None else found[1]

    def _told(self, task: Mapping[str, Any]) -> TodoFields:
        due = todo_times.day_told(task.get("dueDateTime"), self.zone)
        begin = todo_times.begin_told(task.get("startDateTime"), self.zone)
        status = _STATES.get(task.get("status") or "", "NEEDS-ACTION")
        rules = todo_times.recurrence_told(task.get("recurrence"), due) if status != "COMPLETED" else ()
        if rules:
            begin = due  # the rule is that of the due date
        rings = todo_times.moment_told(task.get("reminderDateTime")) if task.get("isReminderOn") else None
        return TodoFields(
            normal(Span((begin, None) if begin else None, (due, None) if due else None)),
            summary=task.get("title") or "",
            description=component.body_text(task.get("body") or {}),
            status=status,
            completed=todo_times.moment_told(task.get("completedDateTime")),
            priority=component.IMPORTANCES.get(task.get("importance") or "", 0),
            categories=tuple(task.get("categories") or ()),
            alarms=((rings.replace(tzinfo=None), "UTC"),) if rings else (),
            rules=rules,
        )

    # --- the normal form → To Do's JSON

    def new_task(self, fields: ObjectFields, *, key: str, uid: str) -> dict[str, Any]:
        """The body that creates a task; ``fields`` as the lens views them. The mark is sent now, and never again."""
        body = self._body(TodoFields(), fields.todo, {"summary", "description", "status", "priority", "alarms"})
        return {**body, "linkedResources": [_marked(key, uid)]}

    def patch(self, current: ObjectFields, target: ObjectFields) -> dict[str, Any]:
        """The body that turns one task into the other; empty if they say the same."""
        return self._body(current.todo, target.todo)

    def _body(self, before: TodoFields, after: TodoFields, said: Collection[str] = ()) -> dict[str, Any]:
        """What differs, and what has to be ``said`` anyway."""
        body: dict[str, Any] = {}
        for name in ("summary", "description", "status", "priority", "categories", "alarms"):
            if name in said or getattr(before, name) != getattr(after, name):
                body |= self._property(name, after)
        for name, old, new in (
            ("startDateTime", before.when.start, after.when.start),
            ("dueDateTime", before.when.due, after.when.due),
        ):
            if old != new:
                body[name] = todo_times.day_said(new[0], self.zone) if new else None
        if after.rules and after.when.due and (after.rules != before.rules or before.when != after.when):
            body["recurrence"] = todo_times.recurrence_said(after.rules[0], after.when.due[0], self.zone)
        elif before.rules and not after.rules:
            body["recurrence"] = None  # with what is done, or To Do would make the next one of it (M-89)
        if after.completed and after.completed != before.completed:
            body |= {"status": "completed", "completedDateTime": todo_times.completion_said(after.completed)}
        return body

    def _property(self, name: str, todo: TodoFields) -> dict[str, Any]:
        match name:
            case "summary":
                return {"title": todo.summary}
            case "description":
                return {"body": {"contentType": "text", "content": todo.description}}
            case "status":
                return {"status": next(word for word, status in _STATES.items() if status == todo.status)}
            case "priority":
                return {"importance": next(w for w, number in component.IMPORTANCES.items() if number == todo.priority)}
            case "categories":
                return {"categories": list(todo.categories)}
        rings = [value for value, _ in todo.alarms if isinstance(value, dt.datetime)]
        if not rings:
            return {"isReminderOn": False}
        at = todo_times.moment_said(rings[0].replace(tzinfo=dt.UTC), self.zone)
        return {"isReminderOn": True, "reminderDateTime": at}


def _is_done(todo: TodoFields) -> bool:
    """What was cancelled is done with: nobody wants it back on a list. Many write no STATUS for what is completed."""
    if todo.status:
        return todo.status in ("COMPLETED", "CANCELLED")
    return todo.completed is not None or todo.percent == 100


def _progressed(todo: TodoFields, seen: TodoFields, wanted: TodoFields) -> TodoFields:
    """A finer word stays while it means the same there (X-64), a time of completion while it is the same day (X-65, X-66)."""
    if wanted.status == seen.status:
        if wanted.completed == seen.completed or wanted.completed is None or todo.status == "CANCELLED":
            return todo
        return replace(todo, completed=wanted.completed)
    if wanted.status == "COMPLETED":
        return replace(todo, status="COMPLETED", completed=wanted.completed, percent=100 if todo.percent else 0)
    return replace(todo, status=wanted.status, completed=None, percent=0 if todo.percent == 100 else todo.percent)


def _differing(hub: TodoFields, news: TodoFields, change: Change) -> dict[Path, Any]:
    """What was asked for, and what comes with it."""
    names = {name for _, name in change} | {
        name
        for name in ("when", "rules", "alarms", "status", "completed", "percent")
        if getattr(news, name) != getattr(hub, name)
    }
    return {(MASTER, name): getattr(news, name) for name in sorted(names)}


# --- marks (M-88)


def mark(task: Mapping[str, Any]) -> tuple[str, str]:
    """The key with which a task was created, and the UID that it has in the hub; "" where it does not say."""
    for link in task.get("linkedResources") or ():
        found = _MARK.fullmatch(str(link.get("externalId") or ""))
        if link.get("applicationName") == OURS and found and is_ours(found["key"]):
            return found["key"], found["uid"] or ""
    return "", ""


def _marked(key: str, uid: str) -> dict[str, str]:
    plain = uid.isprintable() and uid.strip() == uid and 0 < len(uid) <= LONGEST_UID
    return {"applicationName": OURS, "displayName": OURS, "externalId": f"{key} {uid}" if plain else key}
