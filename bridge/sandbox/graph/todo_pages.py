"""The page for people: a demo person's task lists, and the forms that change them.

It acts through the same ``TodoDesk`` as the API, so rounds see what people do here. The list of flagged mails is not shown:
nothing can be put into it (M-84).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Flask, redirect, render_template, request
from flask.typing import ResponseReturnValue

from bridge.sandbox.graph import forms, todo_forms, zones
from bridge.sandbox.graph.errors import GraphError
from bridge.sandbox.graph.forms import FormProblem
from bridge.sandbox.graph.mailbox import Person
from bridge.sandbox.graph.properties import check
from bridge.sandbox.graph.todo import Task, TaskList
from bridge.sandbox.graph.todo_view import TodoReader
from bridge.sandbox.graph.todo_writing import TodoDesk
from bridge.sandbox.graph.views import Preferences
from bridge.sandbox.pages import ShownList, ShownTask

if TYPE_CHECKING:
    from bridge.sandbox.graph.service import Microsoft

_DONE = {
    "save": "The task was saved.", "delete": "The task was deleted.", "complete": "The task is done.",
    "reopen": "The task is open again.",
}  # fmt: skip


class _Board:
    """One person's tasks as a page shows them; ids are immutable ones."""

    def __init__(self, service: Microsoft) -> None:
        try:
            self.person: Person = service.box(request.values.get("person", "")).person
        except KeyError:
            self.person = service.people()[0]
        self.people = {each.address: f"{each.name} ({each.address})" for each in service.people()}
        self.desk: TodoDesk = service.todo_desk(self.person)
        self.reader: TodoReader = service.todo_reader(self.person, Preferences(immutable=True))
        self.today = zones.wall_in(service.now, self.person.zone).date()
        self._decode = service.ids.decode

    def lists(self) -> list[TaskList]:
        """Those that a person can put tasks into."""
        return [each for each in self.desk.todo.lists.values() if each.kind != "flaggedEmails"]

    def chosen(self) -> TaskList:
        """The list of the form. Raises 404 or 400."""
        return self.desk.list_of(self._decode(request.values.get("list", "")))

    def task(self) -> Task | None:
        """The task of the form, if it is there."""
        try:
            return self.desk.task_of(self._decode(request.values.get("id", "")), self.chosen())
        except GraphError:
            return None


def add_to(app: Flask, service: Microsoft) -> None:
    """Put the page on the application."""

    @app.get("/todo/")
    def task_lists() -> ResponseReturnValue:
        with service.lock:
            board, done = _Board(service), request.args.get("done") == "1"
            return render_template(
                "microsoft/tasks.html",
                who=board.person.address,
                name=board.person.name,
                people=board.people,
                lists=[_shown_list(board, each, done=done) for each in board.lists()],
                done=done,
                clearing=False,
                notice=request.args.get("notice", "")[:200],
            )

    @app.get("/todo/new")
    def new_task() -> ResponseReturnValue:
        with service.lock:
            return _form(_Board(service), todo_forms.blank())

    @app.post("/todo/new")
    def create_task() -> ResponseReturnValue:
        with service.lock:
            board = _Board(service)
            try:
                given = todo_forms.body(request.form, board.person.zone)
                board.desk.create(check("todoTask", given), board.chosen())
            except (FormProblem, GraphError) as problem:
                return _form(board, request.form.to_dict(), problem=_words(problem)), 400
            return _back(board, "The task was added.")

    @app.get("/todo/task")
    def task() -> ResponseReturnValue:
        with service.lock:
            board = _Board(service)
            found = board.task()
            if found is None:
                return _missing(board), 404
            return _form(board, todo_forms.shown(found, board.person.zone), existing=found)

    @app.post("/todo/task")
    def change_task() -> ResponseReturnValue:
        with service.lock:
            board = _Board(service)
            found = board.task()
            if found is None:
                return _missing(board), 404
            act = request.form.get("act", "save")
            try:
                _act(board, found, act)
            except (FormProblem, GraphError) as problem:
                return _form(board, request.form.to_dict(), existing=found, problem=_words(problem)), 400
            return _back(board, _DONE.get(act, _DONE["save"]))

    @app.post("/todo/lists")
    def add_list() -> ResponseReturnValue:
        with service.lock:
            board, title = _Board(service), request.form.get("title", "").strip()[:100]
            if not title:
                return _back(board, "A list needs a name.")
            board.desk.add_list({"displayName": title})
            return _back(board, f"The list “{title}” was added.")

    @app.post("/todo/list")
    def delete_list() -> ResponseReturnValue:
        with service.lock:
            board = _Board(service)
            try:
                found = board.chosen()
                board.desk.delete_list(found)
            except GraphError as problem:
                return _back(board, problem.message)
            return _back(board, f"The list “{found.name}” was deleted.")


def _act(board: _Board, task: Task, act: str) -> None:
    desk, form = board.desk, request.form
    if act == "delete":
        desk.delete(task)
    elif act in ("complete", "reopen"):
        desk.update(task, {"status": "completed" if act == "complete" else "notStarted"})
    else:
        changed = todo_forms.changes(form, task, board.person.zone)
        target = _target(board, form.get("target", ""))
        if changed:
            desk.update(task, check("todoTask", changed))
        _save_steps(desk, task)
        if target is not None and target.number != task.list:
            desk.todo.move(task, target.number)


def _save_steps(desk: TodoDesk, task: Task) -> None:
    """A box and a name for each step, an empty name takes it away; and a line for one more."""
    for id, step in list(task.steps.items()):
        if (name := request.form.get(f"step-{id}")) is None:
            continue
        ticked = f"ticked-{id}" in request.form
        if not name.strip():
            desk.drop_step(task, id)
        elif (name.strip(), ticked) != (step.name, step.checked is not None):
            desk.change_step(task, id, {"displayName": name.strip(), "isChecked": ticked})
    if name := request.form.get("new_step", "").strip():
        desk.add_step(task, {"displayName": name})


def _target(board: _Board, id: str) -> TaskList | None:
    """Another list for the task, if one was chosen."""
    return next((each for each in board.lists() if board.reader.list_id(each.number) == id), None)


def _shown_list(board: _Board, held: TaskList, *, done: bool) -> ShownList:
    tasks = [
        _shown_task(board, task) for task in board.desk.todo.tasks_of(held.number) if done or task.status != "completed"
    ]
    return ShownList(board.reader.list_id(held.number), held.name, tuple(tasks))


def _shown_task(board: _Board, task: Task) -> ShownTask:
    due = task.due.wall.date() if task.due else None
    done = task.status == "completed"
    notes = ["important"] if task.importance == "high" else []
    if task.recurrence:
        notes.append("repeats")
    if task.steps:
        notes.append(f"{sum(step.checked is not None for step in task.steps.values())} of {len(task.steps)} steps")
    if task.reminder and task.reminder_on:
        notes.append(f"reminder {todo_forms.in_zone(task.reminder, board.person.zone):%-d %b, %H:%M}")
    return ShownTask(
        board.reader.task_id(task.number, task.placement),
        task.title,
        due.strftime("%a %-d %b %Y") if due else "",
        done=done,
        late=due is not None and due < board.today and not done,
        notes=tuple(notes),
    )


def _form(board: _Board, values: dict[str, Any], *, existing: Task | None = None, problem: str = "") -> str:
    lists = {board.reader.list_id(each.number): each.name for each in board.lists()}
    chosen = request.values.get("list", "")
    return render_template(
        "microsoft/task.html",
        who=board.person.address,
        name=board.person.name,
        zone=board.person.zone,
        values=values,
        existing=existing,
        id=board.reader.task_id(existing.number, existing.placement) if existing else "",
        lists=lists,
        chosen=chosen if chosen in lists else next(iter(lists)),
        repeats=forms.REPEATS,
        problem=problem,
    )


def _missing(board: _Board) -> str:
    return render_template(
        "microsoft/task_missing.html", who=board.person.address, problem="This task is not there any more."
    )


def _words(problem: FormProblem | GraphError) -> str:
    return problem.message if isinstance(problem, GraphError) else str(problem)


def _back(board: _Board, notice: str) -> ResponseReturnValue:
    done = {"done": "1"} if request.form.get("done") == "1" else {}
    return redirect(f"./?{urlencode({'person': board.person.address, 'notice': notice} | done)}", 303)
