"""Microsoft To Do over the API: task lists and tasks, and the rounds of both (M-84…M-88)."""

from __future__ import annotations

from typing import Any

from bridge.sandbox.graph import odata, paging, properties, todo_query
from bridge.sandbox.graph.calls import Answer, Call
from bridge.sandbox.graph.errors import denied, unsupported_query
from bridge.sandbox.graph.odata import Options
from bridge.sandbox.graph.todo import LISTS, Task, TaskList
from bridge.sandbox.graph.todo_view import TodoReader
from bridge.sandbox.graph.todo_writing import TodoDesk

_TOKENS = ("$deltatoken", "$skiptoken")


def desk_of(call: Call) -> TodoDesk:
    """Writes for this caller. Raises 403 for an app without a person, unless the service is told to let it in (M-90)."""
    if call.access.person is None and not call.service.switches.todo_app_only:
        raise denied("The API requires delegated permission.")
    return call.service.todo_desk(call.box.person)


def reader_of(call: Call) -> TodoReader:
    """Shows tasks to this caller."""
    return call.service.todo_reader(call.box.person, call.prefer)


def task_of(call: Call, list_id: str, task_id: str) -> tuple[TodoDesk, Task]:
    """The task of a path. Raises 404."""
    desk, ids = desk_of(call), call.service.ids
    return desk, desk.task_of(ids.decode(task_id), desk.list_of(ids.decode(list_id)))


def check_version(call: Call, thing: Task | TaskList) -> None:
    """If-Match, which is documented nowhere for tasks (M-88): the service can be told to ignore it."""
    if call.service.switches.todo_if_match:
        call.check_etag(reader_of(call).etag(thing))


# --- lists


def list_lists(call: Call) -> Answer:
    """All lists, the default one first."""
    desk, reader = desk_of(call), reader_of(call)
    options = odata.read(
        call.values, allowed=("$select", "$top", "$skip", "$count", "$skiptoken"), type_name="todoTaskList"
    )
    found = list(desk.todo.lists.values())
    shown, link = paging.page(call, found, options)
    value = [reader.task_list(each, options.select) for each in shown]
    return Answer(200, _collection(call, "todo/lists", value, options, len(found)) | link)


def create_list(call: Call) -> Answer:
    """A name is all it takes."""
    made = desk_of(call).add_list(properties.check("todoTaskList", call.json()))
    return Answer(201, _entity(call, "todo/lists", reader_of(call).task_list(made)))


def get_list(call: Call, which: str) -> Answer:
    """One list."""
    options = odata.read(call.values, allowed=("$select",), type_name="todoTaskList")
    found = desk_of(call).list_of(call.service.ids.decode(which))
    return Answer(200, _entity(call, "todo/lists", reader_of(call).task_list(found, options.select)))


def update_list(call: Call, which: str) -> Answer:
    """Another name."""
    desk = desk_of(call)
    found = desk.list_of(call.service.ids.decode(which))
    check_version(call, found)
    desk.rename(found, properties.check("todoTaskList", call.json()))
    return Answer(200, _entity(call, "todo/lists", reader_of(call).task_list(found)))


def delete_list(call: Call, which: str) -> Answer:
    """With all its tasks."""
    desk = desk_of(call)
    found = desk.list_of(call.service.ids.decode(which))
    check_version(call, found)
    desk.delete_list(found)
    return Answer(204)


def lists_delta(call: Call) -> Answer:
    """A round of changes of lists; only $select can be asked for (API:todotasklist-delta)."""
    return _round(call, desk_of(call), LISTS, ("$select",), "todoTaskList")


# --- tasks


def list_tasks(call: Call, which: str) -> Answer:
    """The tasks of a list."""
    desk, reader = desk_of(call), reader_of(call)
    options = todo_query.read(call.values)
    found = todo_query.arranged(desk.todo.tasks_of(desk.list_of(call.service.ids.decode(which)).number), options)
    shown, link = paging.page(call, found, options)
    value = [reader.task(each, select=options.select, expand=options.expand, listed=True) for each in shown]
    return Answer(200, _collection(call, f"todo/lists('{which}')/tasks", value, options, len(found)) | link)


def create_task(call: Call, which: str) -> Answer:
    """A new task; the linkedResources it came with are shown (API:todotasklist-post-tasks)."""
    desk, reader = desk_of(call), reader_of(call)
    given = properties.check("todoTask", call.json())
    made = desk.create(given, desk.list_of(call.service.ids.decode(which)))
    shown = reader.task(made)
    if made.links:
        shown["linkedResources"] = reader.parts(made, "linkedResources")
    return Answer(201, _entity(call, f"todo/lists('{which}')/tasks", shown))


def get_task(call: Call, which: str, task: str) -> Answer:
    """One task."""
    options = odata.read(call.values, allowed=("$select", "$expand"), type_name="todoTask")
    _, found = task_of(call, which, task)
    shown = reader_of(call).task(found, select=options.select, expand=options.expand)
    return Answer(200, _entity(call, f"todo/lists('{which}')/tasks", shown))


def update_task(call: Call, which: str, task: str) -> Answer:
    """PATCH: only what the body names changes; completing a recurring one makes another (M-89)."""
    desk, found = task_of(call, which, task)
    check_version(call, found)
    changed = desk.update(found, properties.check("todoTask", call.json()))
    return Answer(200, _entity(call, f"todo/lists('{which}')/tasks", reader_of(call).task(changed)))


def delete_task(call: Call, which: str, task: str) -> Answer:
    """It goes."""
    desk, found = task_of(call, which, task)
    check_version(call, found)
    desk.delete(found)
    return Answer(204)


def tasks_delta(call: Call, which: str) -> Answer:
    """A round of changes of one list's tasks; $select, $top and $expand can be asked for (M-87)."""
    desk = desk_of(call)
    of = desk.list_of(call.service.ids.decode(which)).number
    return _round(call, desk, of, ("$select", "$top", "$expand"), "todoTask")


def _round(call: Call, desk: TodoDesk, of: int, allowed: tuple[str, ...], type_name: str) -> Answer:
    values, deltas, oddities = call.values, call.service.todo_deltas, call.service.switches.delta_oddities
    token = next((values[name][0] for name in _TOKENS if name in values), None)
    if token is None:
        options = odata.read(values, allowed=allowed, type_name=type_name)
        position = deltas.begin(desk.todo, of, options, oddities=oddities)
    elif len(values) > 1 or any(len(given) > 1 for given in values.values()):
        raise unsupported_query("The query options are part of the continuation token (M-21).")
    else:
        position = deltas.resume(desk.todo, of, token, oddities=oddities)
    page = deltas.page(desk.todo, reader_of(call), position, call.prefer.page_size, oddities=oddities)
    body: dict[str, Any] = {"@odata.context": _context(call, f"Collection({type_name})"), "value": page.value}
    if page.skip_token:
        body["@odata.nextLink"] = call.link(f"$skiptoken={page.skip_token}")
    else:
        body["@odata.deltaLink"] = call.link(f"$deltatoken={page.delta_token}")
    return Answer(200, body)


def _collection(call: Call, what: str, value: list[dict[str, Any]], options: Options, count: int) -> dict[str, Any]:
    counted = {"@odata.count": count} if options.count else {}
    return {"@odata.context": _context(call, f"users('{call.box.person.id}')/{what}"), **counted, "value": value}


def _context(call: Call, what: str) -> str:
    return f"{call.service.base_url}/v1.0/$metadata#{what}"


def _entity(call: Call, what: str, shown: dict[str, Any]) -> dict[str, Any]:
    return {"@odata.context": _context(call, f"users('{call.box.person.id}')/{what}/$entity"), **shown}
