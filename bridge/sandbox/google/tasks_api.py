"""The methods of Google Tasks v1: lists and tasks over the API (G-101…G-106). No sync token, no push (G-103)."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any
from urllib.parse import urlencode

from bridge.sandbox.google.call import Call, Handler
from bridge.sandbox.google.errors import invalid
from bridge.sandbox.google.listing import Page, fingerprint
from bridge.sandbox.google.tasks import Task, TaskList
from bridge.sandbox.google.tasks_writing import TaskDesk, instant
from bridge.sandbox.google.times import stamp
from bridge.sandbox.google.view import etag

JsonObject = dict[str, Any]

LISTS_PAGE = 1000
TASKS_PAGE, LARGEST_TASKS_PAGE = 20, 100
BOUNDS = ("updatedMin", "dueMin", "dueMax", "completedMin", "completedMax")


def _desk(call: Call) -> TaskDesk:
    return TaskDesk(call.state, call.state.shelves[call.person.email])


def _held(call: Call) -> TaskList:
    return _desk(call).list_of(call.params["tasklist"])


# --- resources


def list_resource(call: Call, held: TaskList) -> JsonObject:
    """A TaskList."""
    return {
        "kind": "tasks#taskList",
        "id": held.id,
        "etag": etag(held.etag),
        "title": held.title,
        "updated": stamp(held.updated),
        "selfLink": f"{call.google.base_url}/tasks/v1/users/@me/lists/{held.id}",
    }


def resource(call: Call, held: TaskList, task: Task) -> JsonObject:
    """A Task (G-104): what is not set is left out; a date is told as midnight UTC."""
    page = urlencode({"person": call.person.email, "list": held.id, "id": task.id})
    found: JsonObject = {
        "kind": "tasks#task",
        "id": task.id,
        "etag": etag(task.etag),
        "title": task.title,
        "updated": stamp(task.updated),
        "selfLink": f"{call.google.base_url}/tasks/v1/lists/{held.id}/tasks/{task.id}",
        "position": f"{task.position:020d}",
        "status": "completed" if task.completed else "needsAction",
        "links": list(task.links),
        "webViewLink": f"{call.google.base_url}/todo/task?{page}",
    }
    if task.parent:
        found["parent"] = task.parent
    if task.notes:
        found["notes"] = task.notes
    if task.due:
        found["due"] = f"{task.due.isoformat()}T00:00:00.000Z"
    if task.completed:
        found["completed"] = stamp(task.completed)
    for name in ("deleted", "hidden"):
        if getattr(task, name):
            found[name] = True
    if task.assignment:
        found["assignmentInfo"] = task.assignment
    return found


def _collection(kind: str, page: Page) -> JsonObject:
    tag = hashlib.sha256("".join(each["etag"] for each in page.items).encode()).hexdigest()[:16]
    found: JsonObject = {"kind": kind, "etag": f'"{tag}"'}
    if page.next_page_token:
        found["nextPageToken"] = page.next_page_token
    if page.items:
        found["items"] = page.items
    return found


def _page(call: Call, whole: str, items: list[JsonObject] | None, size: int) -> Page:
    walks, switches = call.google.task_walks, call.state.switches
    if items is None:
        return walks.resume(call.params["pageToken"], whole, size, switches)
    return walks.begin(whole, items, None, size, switches)


def _size(call: Call, default: int, most: int) -> int:
    size = call.params.get("maxResults", default)
    if not 1 <= size <= most:
        raise invalid(f"Invalid value '{size}'. Values must be within the range: [1, {most}]", "maxResults")
    return int(size)


# --- lists


def _list_lists(call: Call) -> JsonObject:
    lists = list(call.state.shelves[call.person.email].lists.values())
    size = _size(call, LISTS_PAGE, LISTS_PAGE)
    items = None if "pageToken" in call.params else [list_resource(call, held) for held in lists]
    whole = f"lists {call.person.email}"
    return _collection("tasks#taskLists", _page(call, whole, items, size))


def _get_list(call: Call) -> JsonObject:
    return list_resource(call, _held(call))


def _insert_list(call: Call) -> JsonObject:
    return list_resource(call, _desk(call).add_list(call.body))


def _patch_list(call: Call) -> JsonObject:
    return list_resource(call, _desk(call).change_list(_held(call), call.body, call.if_match, whole=False))


def _update_list(call: Call) -> JsonObject:
    return list_resource(call, _desk(call).change_list(_held(call), call.body, call.if_match, whole=True))


def _delete_list(call: Call) -> None:
    _desk(call).delete_list(_held(call), call.if_match)


# --- tasks


def _list(call: Call) -> JsonObject:
    held, size = _held(call), _size(call, TASKS_PAGE, LARGEST_TASKS_PAGE)
    bounds = {name: instant(call.params[name], name) for name in BOUNDS if name in call.params}
    whole = fingerprint(call.params | {"tasklist": held.id, "person": call.person.email})
    items = None
    if "pageToken" not in call.params:
        inclusive = call.state.switches.task_bounds_inclusive
        found = [
            task
            for task in held.tasks.values()
            if _shown(task, call.params) and _within(task, bounds, inclusive=inclusive)
        ]
        found.sort(key=lambda task: (task.position, task.id))
        items = [resource(call, held, task) for task in found]
    return _collection("tasks#tasks", _page(call, whole, items, size))


def _shown(task: Task, params: JsonObject) -> bool:
    """G-102: completed ones are shown unless refused; hidden, deleted and assigned ones only if asked for."""
    return not (
        (task.completed and not params.get("showCompleted", True))
        or (task.hidden and not params.get("showHidden", False))
        or (task.deleted and not params.get("showDeleted", False))
        or (task.assignment is not None and not params.get("showAssigned", False))
    )


def _within(task: Task, bounds: dict[str, dt.datetime], *, inclusive: bool) -> bool:
    """A task that has no such date lies in no bounds (ours). Whether a bound itself is within, the document does not say."""
    due = dt.datetime.combine(task.due, dt.time(), dt.UTC) if task.due else None
    updated = task.updated.replace(microsecond=task.updated.microsecond // 1000 * 1000)  # as it is told
    for name, bound in bounds.items():
        value = {"updated": updated, "due": due, "completed": task.completed}[name[:-3]]
        if value is None or (value < bound if name.endswith("Min") else value > bound):
            return False
        if value == bound and not inclusive:
            return False
    return True


def _get(call: Call) -> JsonObject:
    held = _held(call)
    return resource(call, held, _desk(call).find(held, call.params["task"]))


def _insert(call: Call) -> JsonObject:
    held = _held(call)
    place = {name: call.params.get(name, "") for name in ("parent", "previous")}
    return resource(call, held, _desk(call).insert(held, call.body, **place))


def _patch(call: Call) -> JsonObject:
    held = _held(call)
    return resource(call, held, _desk(call).change(held, call.params["task"], call.body, call.if_match, whole=False))


def _update(call: Call) -> JsonObject:
    held = _held(call)
    return resource(call, held, _desk(call).change(held, call.params["task"], call.body, call.if_match, whole=True))


def _delete(call: Call) -> None:
    _desk(call).delete(_held(call), call.params["task"], call.if_match)


def _move(call: Call) -> JsonObject:
    desk, held = _desk(call), _held(call)
    destination = desk.list_of(call.params["destinationTasklist"]) if "destinationTasklist" in call.params else held
    place = {name: call.params.get(name, "") for name in ("parent", "previous")}
    return resource(call, *desk.move(held, call.params["task"], destination, **place))


def _clear(call: Call) -> None:
    _desk(call).clear(_held(call))


HANDLERS: dict[str, Handler] = {
    "tasks.tasklists.list": _list_lists,
    "tasks.tasklists.get": _get_list,
    "tasks.tasklists.insert": _insert_list,
    "tasks.tasklists.patch": _patch_list,
    "tasks.tasklists.update": _update_list,
    "tasks.tasklists.delete": _delete_list,
    "tasks.tasks.list": _list,
    "tasks.tasks.get": _get,
    "tasks.tasks.insert": _insert,
    "tasks.tasks.patch": _patch,
    "tasks.tasks.update": _update,
    "tasks.tasks.delete": _delete,
    "tasks.tasks.move": _move,
    "tasks.tasks.clear": _clear,
}
