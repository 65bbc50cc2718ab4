"""The query options that lists of tasks take; whatever else is asked is refused (M-87).

``$filter`` and ``$orderby`` are documented nowhere property by property: taken are the comparisons that clients are seen to ask.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any

from bridge.sandbox.graph import odata, zones
from bridge.sandbox.graph.errors import unsupported_query
from bridge.sandbox.graph.odata import Options, Test
from bridge.sandbox.graph.properties import ENUMS
from bridge.sandbox.graph.todo import Moment, Task

LIST_OPTIONS = ("$select", "$expand", "$filter", "$orderby", "$top", "$skip", "$count", "$skiptoken")
_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)
"""Stands for a time that is not set: before every other."""


def read(values: Mapping[str, list[str]]) -> Options:
    """The options of a list of tasks. Raises 400."""
    return odata.read(
        values, allowed=LIST_OPTIONS, type_name="todoTask", forms=(odata.COMPARE,), test=_test, orders=_VALUES
    )


def arranged(tasks: list[Task], options: Options) -> list[Task]:
    """What the filter lets through, in the order asked for."""
    found = [task for task in tasks if options.filter is None or options.filter(task)]
    return odata.sorted_by(found, options.order, _VALUES)


def _test(term: re.Match[str]) -> Test:
    path = term["path"]
    if path not in _VALUES:
        raise unsupported_query(f"The property '{path}' cannot be filtered by on the simulated service.")
    return odata.compared(_VALUES[path], term["op"].lower(), _literal(path, term["value"]))


def _literal(path: str, text: str) -> Any:
    unquoted = text[1:-1].replace("''", "'") if text.startswith("'") else text
    if "DateTime" in path:
        return zones.parse_instant(unquoted, path)
    if path == "isReminderOn":
        return odata.boolean(path, text)
    if not text.startswith("'"):
        raise unsupported_query(f"A string literal is expected for '{path}'.")
    enum = {"status": "taskStatus", "importance": "importance"}.get(path)
    if enum and unquoted not in ENUMS[enum]:
        raise unsupported_query(f"Requested value '{unquoted}' was not found in 'microsoft.graph.{enum}'.")
    return unquoted


def _instant(moment: Moment | None) -> dt.datetime:
    return zones.to_instant(moment.wall, moment.zone) if moment else _NEVER


def _completed(task: Task) -> dt.datetime:
    return dt.datetime.combine(task.completed, dt.time(), dt.UTC) if task.completed else _NEVER


_VALUES: dict[str, Callable[[Task], Any]] = {
    "status": lambda task: task.status,
    "importance": lambda task: task.importance,
    "title": lambda task: task.title,
    "isReminderOn": lambda task: task.reminder_on,
    "createdDateTime": lambda task: task.created,
    "lastModifiedDateTime": lambda task: task.modified,
    "dueDateTime/dateTime": lambda task: _instant(task.due),
    "reminderDateTime/dateTime": lambda task: _instant(task.reminder),
    "completedDateTime/dateTime": _completed,
}
