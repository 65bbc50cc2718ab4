"""Delta rounds of task lists, and of the tasks of one list (M-87), with the habits of all rounds (M-16, M-21, M-23, M-27, M-28).

A token names what it is for, the options of the first request (M-21) and a revision; a round is made when it begins, and what
changes meanwhile belongs to the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from bridge.sandbox.graph.delta_tokens import Tokens
from bridge.sandbox.graph.errors import invalid
from bridge.sandbox.graph.odata import DEFAULT_PAGE, Options
from bridge.sandbox.graph.todo import LISTS, Logged, TaskList, Todo
from bridge.sandbox.graph.todo_view import TodoReader


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token is bound to: ``of`` is a list's number, or LISTS."""

    mailbox: int
    of: int
    options: Options


@dataclass(frozen=True, slots=True)
class Position:
    """Where a nextLink goes on in a round. ``paused``: the empty page has been given already."""

    scope: Scope
    entries: tuple[Logged, ...]
    revision: int
    offset: int = 0
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """Where a deltaLink begins the next round."""

    scope: Scope
    revision: int


@dataclass(frozen=True, slots=True)
class Page:
    """One answer; exactly one of the tokens is set (M-16)."""

    value: list[dict[str, Any]]
    skip_token: str | None = None
    delta_token: str | None = None


class TodoDeltas:
    """The rounds of all task lists."""

    def __init__(self) -> None:
        self.tokens: Tokens[Position | Start] = Tokens()

    def begin(self, todo: Todo, of: int, options: Options, *, oddities: bool) -> Position:
        """A first round: everything that is there."""
        things = todo.lists.values() if of == LISTS else todo.tasks_of(of)
        entries = [
            Logged(each.revision, each.number, 0 if isinstance(each, TaskList) else each.placement) for each in things
        ]
        if oddities and of in todo.last_gone:  # a removal can occur in a first round, of something never known (M-23)
            entries.append(todo.last_gone[of])
        return Position(Scope(todo.mailbox, of, options), _replayed(entries, oddities=oddities), todo.revision)

    def resume(self, todo: Todo, of: int, token: str, *, oddities: bool) -> Position:
        """Go on from a token of either kind. Raises 410 ``SyncStateNotFound`` (M-28)."""
        found = self.tokens.find(token)
        if (found.scope.mailbox, found.scope.of) != (todo.mailbox, of):
            raise invalid("The continuation token belongs to another collection.")
        if isinstance(found, Position):
            return found
        entries = list(todo.log_since(of, found.revision))
        return Position(found.scope, _replayed(entries, oddities=oddities), todo.revision)

    def page(self, todo: Todo, reader: TodoReader, position: Position, size: int | None, *, oddities: bool) -> Page:
        """One page, and the token of the next page or the next round."""
        size = position.scope.options.top or size or DEFAULT_PAGE
        if oddities and position.offset and not position.paused and position.offset <= size:
            return Page([], skip_token=self.tokens.keep(replace(position, paused=True)))  # M-16
        show = _list if position.scope.of == LISTS else _task
        following = position.offset + size
        value = [show(todo, reader, position.scope, each) for each in position.entries[position.offset : following]]
        if following < len(position.entries):
            return Page(value, skip_token=self.tokens.keep(replace(position, offset=following)))
        return Page(value, delta_token=self.tokens.keep(Start(position.scope, position.revision)))


def _list(todo: Todo, reader: TodoReader, scope: Scope, entry: Logged) -> dict[str, Any]:
    found = todo.lists.get(entry.number)
    if found is None:
        return _removed("todoTaskList", reader.list_id(entry.number))
    return {"@odata.type": "#microsoft.graph.todoTaskList", **reader.task_list(found, scope.options.select)}


def _task(todo: Todo, reader: TodoReader, scope: Scope, entry: Logged) -> dict[str, Any]:
    found, options = todo.tasks.get(entry.number), scope.options
    if found is None or (found.list, found.placement) != (scope.of, entry.placement):
        return _removed("todoTask", reader.task_id(entry.number, entry.placement))
    shown = reader.task(found, select=options.select, expand=options.expand, listed=True)
    return {"@odata.type": "#microsoft.graph.todoTask", **shown}


def _removed(kind: str, id: str) -> dict[str, Any]:
    return {"@odata.type": f"#microsoft.graph.{kind}", "id": id, "@removed": {"reason": "deleted"}}


def _replayed(entries: list[Logged], *, oddities: bool) -> tuple[Logged, ...]:
    """The same entity may come twice in a round (M-27)."""
    return (*entries, entries[0]) if oddities and len(entries) > 1 else tuple(entries)
