"""The checklistItems and linkedResources of a task over the API (M-85, M-88)."""

from __future__ import annotations

from typing import Any

from bridge.sandbox.graph import odata, paging, properties
from bridge.sandbox.graph.api_todo import reader_of, task_of
from bridge.sandbox.graph.calls import Answer, Call
from bridge.sandbox.graph.errors import not_found
from bridge.sandbox.graph.todo import Task

STEPS, LINKS = "checklistItems", "linkedResources"


def list_steps(call: Call, which: str, task: str) -> Answer:
    """All checklistItems of a task."""
    return _listed(call, task_of(call, which, task)[1], STEPS)


def create_step(call: Call, which: str, task: str) -> Answer:
    """A new checklistItem."""
    desk, found = task_of(call, which, task)
    id = desk.add_step(found, properties.check("checklistItem", call.json()))
    return Answer(201, _shown(call, found, STEPS, id))


def get_step(call: Call, which: str, task: str, part: str) -> Answer:
    """One checklistItem."""
    odata.read(call.values, allowed=())
    return Answer(200, _shown(call, task_of(call, which, task)[1], STEPS, part))


def update_step(call: Call, which: str, task: str, part: str) -> Answer:
    """Its name, and whether it is checked."""
    desk, found = task_of(call, which, task)
    desk.change_step(found, part, properties.check("checklistItem", call.json()))
    return Answer(200, _shown(call, found, STEPS, part))


def delete_step(call: Call, which: str, task: str, part: str) -> Answer:
    """It goes."""
    desk, found = task_of(call, which, task)
    desk.drop_step(found, part)
    return Answer(204)


def list_links(call: Call, which: str, task: str) -> Answer:
    """All linkedResources of a task."""
    return _listed(call, task_of(call, which, task)[1], LINKS)


def create_link(call: Call, which: str, task: str) -> Answer:
    """A new linkedResource; nothing says that two may not have one externalId."""
    desk, found = task_of(call, which, task)
    id = desk.add_link(found, properties.check("linkedResource", call.json()))
    return Answer(201, _shown(call, found, LINKS, id))


def get_link(call: Call, which: str, task: str, part: str) -> Answer:
    """One linkedResource."""
    odata.read(call.values, allowed=())
    return Answer(200, _shown(call, task_of(call, which, task)[1], LINKS, part))


def update_link(call: Call, which: str, task: str, part: str) -> Answer:
    """Its fields."""
    desk, found = task_of(call, which, task)
    desk.change_link(found, part, properties.check("linkedResource", call.json()))
    return Answer(200, _shown(call, found, LINKS, part))


def delete_link(call: Call, which: str, task: str, part: str) -> Answer:
    """It goes."""
    desk, found = task_of(call, which, task)
    desk.drop_link(found, part)
    return Answer(204)


def _listed(call: Call, task: Task, name: str) -> Answer:
    options = odata.read(call.values, allowed=("$top", "$skip", "$skiptoken"))
    shown, link = paging.page(call, reader_of(call).parts(task, name), options)
    return Answer(200, {"@odata.context": _context(call, name), "value": list(shown)} | link)


def _shown(call: Call, task: Task, name: str, id: str) -> dict[str, Any]:
    found = next((one for one in reader_of(call).parts(task, name) if one["id"] == id), None)
    if found is None:
        raise not_found()
    return {"@odata.context": f"{_context(call, name)}/$entity", **found}


def _context(call: Call, name: str) -> str:
    return f"{call.service.base_url}/v1.0/$metadata#users('{call.box.person.id}')/todo/lists/tasks/{name}"
