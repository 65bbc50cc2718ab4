"""One task list as a side to sync with: asked for what changed since a time, written task by task (G-101 … G-107).

A task's parent is named when it is made, and changed by a move (X-71).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from googleapiclient.http import HttpRequest

from bridge.errors import CursorLost, Gone, Refused, Unmappable, Unreachable, VersionMismatch
from bridge.ical.fields import ObjectFields, TodoFields
from bridge.providers.google.api import CalendarApi
from bridge.providers.google.todo_cursor import Position
from bridge.providers.google.todo_mapping import GoogleTodoLens, item, updated
from bridge.sync.ports import Page, RemoteItem, RemoteObject, Removal

_EVERYTHING = {"showCompleted": True, "showHidden": True, "showAssigned": True}
"""What is completed in Google's own apps is hidden (G-102); what was assigned from Docs or Chat is shown if asked for."""


class GoogleTodoRemote:
    """``Remote`` and ``KeepsNoMark`` on one task list; ``zone`` is where its owner lives. There is no push (G-103)."""

    page_size = 100  # G-102

    def __init__(self, api: CalendarApi, list_id: str, zone: str) -> None:
        self._api = api
        self._list = list_id
        self.lens = GoogleTodoLens(zone or "UTC")
        self._parents: set[str] | None = None  # what has parts, as of the first look; a remote lives for one cycle

    # --- reading

    def page(self, cursor: str | None, *, now: dt.datetime) -> Page:
        """A complete listing shows what is there; the rounds behind it tell of deletions, too. One request each.

        Raises CursorLost once a day, as well: see ``todo_cursor``.
        """
        at = Position.of(cursor, now=now)
        asked: dict[str, Any] = {"showDeleted": not at.listing}
        if at.since is not None:
            asked["updatedMin"] = _stamp(at.since)
        try:
            answer = self._answer(at.page, **asked)
        except Refused as refusal:
            if cursor is not None and refusal.status == 400:
                raise CursorLost("Google does not take this cursor", status=400, code=refusal.code) from None
            raise
        tasks = answer.get("items", ())
        onward = answer.get("nextPageToken")
        changes = [moment for task in tasks if (moment := updated(task)) is not None]
        return Page(
            [item(task) for task in tasks if not task.get("deleted")],
            [Removal(task["id"]) for task in tasks if task.get("deleted")],
            at.behind(changes, onward, now=now).dump(),
            onward is not None,
        )

    def get(self, id: str) -> Sequence[RemoteItem]:
        task = self._of_task(self._api.tasks.get(tasklist=self._list, task=id))
        if "id" not in task:
            raise Unreachable("Google's answer is not a task")  # whatever answered, nothing is known of it (R7)
        if task.get("deleted"):
            raise Gone("deleted", status=200, code="deleted")
        return (item(task),)

    def find(self, key: str) -> Sequence[RemoteItem]:  # noqa: ARG002 - the port's
        """Google keeps no key of ours (G-106): see ``alike``."""
        return ()

    def alike(self, fields: ObjectFields) -> Sequence[Sequence[RemoteItem]]:
        wanted = self.lens.view(fields).todo
        found = [each for task in self._all() if self._reads_as((each := item(task)), wanted)]
        newest = sorted(found, key=lambda each: self.lens.read([each]).updated, reverse=True)
        return [(each,) for each in newest]

    def _reads_as(self, each: RemoteItem, wanted: TodoFields) -> bool:
        there = self.lens.read([each]).fields.todo
        # of what was completed without a time, Google tells the time at which it heard of that
        return (replace(there, completed=None) if wanted.completed is None else there) == wanted

    def _all(self) -> Iterator[Mapping[str, Any]]:
        page: str | None = None
        while True:
            answer = self._answer(page, showDeleted=False)
            yield from (task for task in answer.get("items", ()) if not task.get("deleted"))
            if (page := answer.get("nextPageToken")) is None:
                return

    def _answer(self, page: str | None, **asked: Any) -> dict[str, Any]:
        """One page of a listing. Raises Unreachable for what is none: its absences would be believed (R5, R7)."""
        request = self._api.tasks.list(
            tasklist=self._list, maxResults=self.page_size, pageToken=page, **_EVERYTHING, **asked
        )
        answer = self._api.execute(request, listing=True)
        if not answer.keys() & {"kind", "items", "nextPageToken"}:
            raise Unreachable("Google's answer is not a list of tasks")
        return answer

    # --- writing

    def create(self, fields: ObjectFields, *, key: str, uid: str) -> Sequence[RemoteItem]:  # noqa: ARG002 - G-106
        target = self.lens.view(fields).todo
        body = _differing(TodoFields(status="NEEDS-ACTION"), target)
        parent = target.parent if self._takes_parts(target.parent) else None
        request = self._api.tasks.insert(tasklist=self._list, body=body, parent=parent)
        self._has_parts(parent)
        try:
            return self._told(self._api.execute(request, once=True))
        except Gone as gone:  # what is not there is the list, or the parent: nobody has deleted what was never made
            raise Refused(str(gone), status=gone.status, code=gone.code) from None

    def update(self, current: RemoteObject, target: ObjectFields) -> Sequence[RemoteItem]:
        before, wanted = current.fields.todo, self.lens.view(target).todo
        body, moved = _differing(before, wanted), before.parent != wanted.parent
        if not body and not moved:
            return current.items
        self._check(current)
        moved = moved and (not wanted.parent or self._takes_parts(wanted.parent))
        items = current.items
        if body:
            request = self._api.tasks.patch(tasklist=self._list, task=current.id, body=body)
            items = self._told(self._of_task(request, if_match=_etag(current)))
        return self._moved(current.id, wanted.parent) if moved else items

    def delete(self, current: RemoteObject) -> None:
        if current.items[0].payload.get("assignmentInfo"):
            # deleting it would delete it in the document or the chat as well, which is not its owner's alone
            raise Unmappable("it was assigned in Docs or Chat: only there can it be taken back")
        try:
            self._check(current)
            self._spare_parts(current)
            request = self._api.tasks.delete(tasklist=self._list, task=current.id)
            self._of_task(request, if_match=_etag(current))
        except Gone:
            return

    def _moved(self, id: str, parent: str) -> Sequence[RemoteItem]:
        """To the top of what is below ``parent``, or of the list."""
        request = self._api.tasks.move(tasklist=self._list, task=id, parent=parent or None)
        self._has_parts(parent)
        return self._told(self._of_task(request))

    def _takes_parts(self, id: str) -> bool:
        """Whether a task can be put below this one; Google refuses that for good of some (G-104), and of what is gone.

        Then it stands where it is, or at the top: that it is a part stays in the hub, as what Google cannot hold (S-05).
        """
        if not id:
            return False
        try:
            held = self.get(id)[0].payload
        except Gone:
            return False
        return not (held.get("hidden") or held.get("assignmentInfo"))

    def _spare_parts(self, current: RemoteObject) -> None:
        """What is below a task may be deleted with it, and nobody has deleted that (R8).

        The list is read once for all deletions of a cycle, and again for those that have parts.
        """
        if self._parents is None:
            self._parents = {each["parent"] for each in self._all() if each.get("parent")}
        if current.id not in self._parents:
            return
        for task in [each for each in self._all() if each.get("parent") == current.id]:
            self._moved(task["id"], "")

    def _has_parts(self, id: str | None) -> None:
        if id and self._parents is not None:
            self._parents.add(id)

    def _check(self, current: RemoteObject) -> None:
        """Whether If-Match is honoured is nowhere said; so it is read first, which leaves the blink of an eye (R36).

        Raises VersionMismatch and Gone.
        """
        (held,) = self.get(current.id)
        if held.version != current.version:
            raise VersionMismatch("somebody has changed the task", status=412)

    def _of_task(self, request: HttpRequest, *, if_match: str = "") -> dict[str, Any]:
        """Send a request that names a task. Raises Refused where the list itself is gone: that proves nothing of a task (R5)."""
        try:
            return self._api.execute(request, if_match=if_match)
        except Gone:
            self._api.execute(self._api.task_lists.get(tasklist=self._list), listing=True)
            raise

    def _told(self, task: Mapping[str, Any]) -> Sequence[RemoteItem]:
        """The answer to a write. Raises Unreachable for what is none: whether it was carried out is unknown."""
        if "id" not in task:
            raise Unreachable("Google's answer is not a task")
        return (item(task),)


def _etag(current: RemoteObject) -> str:
    return str(current.items[0].payload.get("etag", ""))


def _differing(base: TodoFields, target: TodoFields) -> dict[str, Any]:
    """What to write: only what differs, for a ``due`` that is written again loses a time set at Google (G-107).

    What is done without saying since when is left to Google to date.
    """
    body: dict[str, Any] = {}
    if target.summary != base.summary:
        body["title"] = target.summary
    if target.description != base.description:
        body["notes"] = target.description or None
    if target.when != base.when:
        due = target.when.due
        body["due"] = f"{due[0].isoformat()}T00:00:00.000Z" if due else None
    if target.status != base.status:
        body["status"] = "completed" if target.status == "COMPLETED" else "needsAction"
    if target.completed != base.completed and (target.completed or target.status != "COMPLETED"):
        body["completed"] = _stamp(target.completed) if target.completed else None
    return body


def _stamp(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
