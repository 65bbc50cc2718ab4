"""One list of Microsoft To Do as a side to sync with (``bridge.sync.ports``: ``Remote``). It calls nobody: it is asked.

Its delta begins with all there is, so a complete listing is a round like any other (M-87).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from bridge.errors import CursorLost, Gone, ProviderError, Refused, Unreachable, VersionMismatch
from bridge.ical.fields import ObjectFields
from bridge.providers.graph.api import Api, encoded, entries, escape
from bridge.providers.graph.creations import reads_alike
from bridge.providers.graph.mapping import item
from bridge.providers.graph.todo_mapping import GraphTodoLens, mark
from bridge.sync.patience import patiently
from bridge.sync.ports import Page, RemoteItem, RemoteObject, Removal

PAGE = 100
_WHOLE = {"$expand": "linkedResources"}
"""What is told only if asked for (M-88)."""


class GraphTodoRemote:
    """``zone`` ("" is UTC) is the mailbox's."""

    replays = True

    def __init__(self, api: Api, id: str, zone: str) -> None:
        self.lens = GraphTodoLens(zone or "UTC")
        self.page_size = PAGE
        self._api = api
        self._tasks = f"/me/todo/lists/{escape(id)}/tasks"

    def page(self, cursor: str | None, *, now: dt.datetime) -> Page:  # noqa: ARG002 - the port's
        link = cursor or f"{self._api.url}{self._tasks}/delta?{encoded({**_WHOLE, '$top': str(self.page_size)})}"
        if not self._api.owns(link):
            raise CursorLost("the cursor is none of this Graph's")
        with _list_is_there():
            answer = self._api.follow(link)
            told = entries(answer)
            alive = {task["id"]: task for task in told if "@removed" not in task}
            items, unshown = self._whole(list(alive.values()))
        # what has come back to this list is told of as removed, too (M-27)
        removals = [Removal(id) for id in dict.fromkeys(task["id"] for task in told) if id not in alive]
        following = answer.get("@odata.nextLink") or answer.get("@odata.deltaLink")
        if not following:
            raise CursorLost("the round ended without a deltaLink")
        return Page(items, removals, following, more="@odata.nextLink" in answer, unshown=unshown)

    def _whole(self, tasks: Sequence[Mapping[str, Any]]) -> tuple[list[RemoteItem], frozenset[str]]:
        """Each as a whole: nothing promises that a listing shows a rule or a mark, and a rule that is missing reads as removed.

        And the ids of those that Graph stumbles over. One that is gone by now will come as a removal.
        """
        doubtful = [task["id"] for task in tasks if _may_hide(task)]
        answers = self._api.many([f"{self._path(id)}?{encoded(_WHOLE)}" for id in doubtful]) if doubtful else []
        asked = dict(zip(doubtful, answers, strict=True))
        found = [asked.get(task["id"], task) for task in tasks]
        unshown = frozenset(id for id, answer in asked.items() if isinstance(answer, ProviderError))
        return [item(each) for each in found if isinstance(each, Mapping)], unshown

    def get(self, id: str) -> Sequence[RemoteItem]:
        task = self._api.get(self._path(id), **_WHOLE)
        if "id" not in task:
            raise Unreachable("Graph's answer is not a task")
        return [item(task)]

    def find(self, key: str) -> Sequence[RemoteItem]:
        """A copy has the mark too (M-89), but is younger."""
        with _list_is_there():
            made = [task for task in self._all() if mark(task)[0] == key]
        if not made:
            return ()
        return self.get(min(made, key=lambda task: (task.get("createdDateTime") or "", task["id"]))["id"])

    def _all(self) -> Iterator[Mapping[str, Any]]:
        answer = patiently(lambda: self._api.get(self._tasks, **_WHOLE, **{"$top": str(PAGE)}))
        yield from entries(answer)
        while link := answer.get("@odata.nextLink"):
            answer = patiently(partial(self._api.follow, link))
            yield from entries(answer)

    def create(self, fields: ObjectFields, *, key: str, uid: str) -> Sequence[RemoteItem]:
        body = self.lens.new_task(self.lens.view(fields), key=key, uid=uid)
        with _list_is_there():
            answer = self._api.post(self._tasks, body)
        return self._settled(answer, body["linkedResources"])

    def update(self, current: RemoteObject, target: ObjectFields) -> Sequence[RemoteItem]:
        body = self.lens.patch(current.fields, self.lens.view(target))
        if not body:
            return current.items
        etag = self._unchanged(current)
        answer = self._api.patch(self._path(current.id), body, etag=etag)
        return self._settled(answer, current.items[0].payload.get("linkedResources") or [])

    def delete(self, current: RemoteObject) -> None:
        try:
            self._api.delete(self._path(current.id), etag=self._unchanged(current))
        except Gone:
            return

    def _unchanged(self, current: RemoteObject) -> str:
        """Its etag. That If-Match is heeded is documented nowhere (M-88), so it is looked at as well. Raises VersionMismatch."""
        (now,) = self.get(current.id)
        if now.version != current.version:
            raise VersionMismatch("the task was changed in between", status=412)
        return str(now.payload.get("@odata.etag") or "")

    def _settled(self, answer: Mapping[str, Any], marks: Sequence[Mapping[str, Any]]) -> Sequence[RemoteItem]:
        """The answer to a write as reading shows it (R20): with its marks, and its text as text."""
        if "@odata.etag" in answer and reads_alike(answer):
            return [item({**answer, "linkedResources": answer.get("linkedResources") or marks})]
        return self.get(answer["id"])

    def _path(self, id: str) -> str:
        return f"{self._tasks}/{escape(id)}"


def _may_hide(task: Mapping[str, Any]) -> bool:
    """Only what is open and due recurs."""
    silent = "recurrence" not in task and task.get("dueDateTime") and task.get("status") != "completed"
    return bool(silent) or "linkedResources" not in task


@contextmanager
def _list_is_there() -> Iterator[None]:
    """404 here means the list, not a task."""
    try:
        yield
    except Gone as gone:
        raise Refused("the list is not there any more", status=gone.status, code=gone.code) from None
