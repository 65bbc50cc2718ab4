"""Task lists, tasks, steps and links as Graph shows them: the JSON of one reader with his preferences (M-18, M-85)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bridge.sandbox.graph import bodies, ids, zones
from bridge.sandbox.graph.odata import Expand
from bridge.sandbox.graph.todo import Link, Moment, Step, Task, TaskList
from bridge.sandbox.graph.views import Preferences

JsonObject = dict[str, Any]
PARTS = ("checklistItems", "linkedResources")


@dataclass(frozen=True, slots=True)
class TodoReader:
    """Shows the tasks of one person. ``immutable_tasks``, ``inline_parts``, ``list_recurrence``: switches of the service."""

    mailbox: int
    ids: ids.Ids
    prefer: Preferences
    immutable_tasks: bool = True
    inline_parts: bool = False
    list_recurrence: bool = True

    def list_id(self, number: int) -> str:
        """The id of a list, which never changes."""
        return self.ids.encode(ids.Reference("taskList", self.mailbox, number))

    def task_id(self, number: int, placement: int) -> str:
        """The id of a task; the default one changes when the task moves (RES:todoTask, M-30)."""
        given = None if self.prefer.immutable and self.immutable_tasks else placement
        return self.ids.encode(ids.Reference("task", self.mailbox, number, given))

    def etag(self, thing: Task | TaskList) -> str:
        """The version of a task or list (M-88)."""
        return ids.etag(ids.change_key(self.mailbox, thing.revision))

    def task_list(self, which: TaskList, select: Iterable[str] = ()) -> JsonObject:
        """A task list (M-84)."""
        shown = {
            "@odata.etag": self.etag(which),
            "displayName": which.name,
            "isOwner": True,
            "isShared": False,
            "wellknownListName": which.kind,
            "id": self.list_id(which.number),
        }
        return _cut(shown, select)

    def task(
        self, task: Task, *, select: Iterable[str] = (), expand: Iterable[Expand] = (), listed: bool = False
    ) -> JsonObject:
        """A task; what is not set is not shown. ``listed``: as one of many."""
        shown: JsonObject = {
            "@odata.etag": self.etag(task),
            "importance": task.importance,
            "isReminderOn": task.reminder_on,
            "status": task.status,
            "title": task.title,
            "createdDateTime": zones.instant_text(task.created),
            "lastModifiedDateTime": zones.instant_text(task.modified),
            "hasAttachments": False,
            "categories": list(task.categories),
            "id": self.task_id(task.number, task.placement),
            "body": self._body(task),
        }
        if task.body_modified:
            shown["bodyLastModifiedDateTime"] = zones.instant_text(task.body_modified)
        completed = Moment(dt.datetime.combine(task.completed, dt.time()), "UTC") if task.completed else None
        for name, moment in (
            ("completedDateTime", completed),
            ("dueDateTime", task.due),
            ("startDateTime", task.start),
            ("reminderDateTime", task.reminder),
        ):
            if moment:
                shown[name] = self._moment(moment)
        if task.recurrence and (self.list_recurrence or not listed):
            shown["recurrence"] = task.recurrence.view()
        shown = _cut(shown, select)
        for name in (*(each.name for each in expand), *(PARTS if self.inline_parts else ())):
            shown[name] = self.parts(task, name)
        return shown

    def parts(self, task: Task, name: str) -> list[JsonObject]:
        """The checklistItems or the linkedResources of a task."""
        if name == "checklistItems":
            return [step_view(id, one) for id, one in task.steps.items()]
        return [link_view(id, one) for id, one in task.links.items()]

    def _body(self, task: Task) -> JsonObject:
        if task.body_type == "html" and self.prefer.text:
            return {"content": bodies.as_text(task.body), "contentType": "text"}
        return {"content": task.body, "contentType": task.body_type}

    def _moment(self, moment: Moment) -> JsonObject:
        """In the zone asked for: a day's midnight may be the evening before there (M-86)."""
        wall = zones.wall_in(zones.to_instant(moment.wall, moment.zone), self.prefer.zone)
        return {"dateTime": zones.seven_digits(wall), "timeZone": self.prefer.zone_name}


def step_view(id: str, step: Step) -> JsonObject:
    """A checklistItem."""
    checked = {"checkedDateTime": zones.instant_text(step.checked)} if step.checked else {}
    return {
        "displayName": step.name,
        "createdDateTime": zones.instant_text(step.created),
        **checked,
        "isChecked": step.checked is not None,
        "id": id,
    }


def link_view(id: str, link: Link) -> JsonObject:
    """A linkedResource (M-88)."""
    shown = {
        "webUrl": link.web_url,
        "applicationName": link.application,
        "displayName": link.name,
        "externalId": link.external_id,
    }
    return {name: value for name, value in shown.items() if value is not None} | {"id": id}


def _cut(shown: JsonObject, select: Iterable[str]) -> JsonObject:
    wanted = {*select}
    if not wanted:
        return shown
    return {name: value for name, value in shown.items() if name in wanted | {"id", "@odata.etag"}}
