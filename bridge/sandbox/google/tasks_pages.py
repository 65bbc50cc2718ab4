"""The page for people: a demo person's task lists, and the forms that change them.

It acts through the same ``TaskDesk`` as the API, as Google's own apps do: what is completed here is hidden (G-102), and a task
can get a time that the API does not know (G-107).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Flask, redirect, render_template, request
from flask.typing import ResponseReturnValue

from bridge.sandbox.google import tasks_forms
from bridge.sandbox.google.errors import ApiError
from bridge.sandbox.google.forms import FormProblem
from bridge.sandbox.google.state import Person, State
from bridge.sandbox.google.tasks import Task, TaskList
from bridge.sandbox.pages import ShownList, ShownTask

if TYPE_CHECKING:
    from bridge.sandbox.google.service import Google

_DONE = {
    "save": "The task was saved.", "delete": "The task was deleted.", "complete": "The task is done.",
    "reopen": "The task is open again.",
}  # fmt: skip


def mount(app: Flask, google: Google) -> None:
    """Put the page on the application."""

    @app.get("/todo/")
    def task_lists() -> ResponseReturnValue:
        with google.transaction() as state:
            person = _person(state)
            today = google.clock().astimezone(ZoneInfo(person.zone)).date()
            done = request.args.get("done") == "1"
            lists = [_shown_list(held, today, done=done) for held in state.shelves[person.email].lists.values()]
            return render_template(
                "google/tasks.html",
                who=person.email,
                name=person.name,
                people={each.email: f"{each.name} ({each.email})" for each in state.people.values()},
                lists=lists,
                done=done,
                clearing=True,
                notice=request.args.get("notice", "")[:200],
            )

    @app.get("/todo/new")
    def new_task() -> ResponseReturnValue:
        with google.transaction() as state:
            return _form(state, _person(state), tasks_forms.blank())

    @app.post("/todo/new")
    def create_task() -> ResponseReturnValue:
        with google.transaction() as state:
            person, form = _person(state), request.form
            try:
                given, time = tasks_forms.body(form), tasks_forms.time(form)
                desk = google.task_desk(person.email, in_app=True)
                desk.insert(desk.list_of(form.get("list", "")), given).time = time
            except (FormProblem, ApiError) as problem:
                return _form(state, person, form.to_dict(), problem=_words(problem)), 400
            return _back(person, "The task was added.")

    @app.get("/todo/task")
    def task() -> ResponseReturnValue:
        with google.transaction() as state:
            person = _person(state)
            found = _task(state, person)
            if found is None:
                return _missing(person), 404
            return _form(state, person, tasks_forms.shown(found), existing=found)

    @app.post("/todo/task")
    def change_task() -> ResponseReturnValue:
        with google.transaction() as state:
            person = _person(state)
            found = _task(state, person)
            if found is None:
                return _missing(person), 404
            act = request.form.get("act", "save")
            try:
                _act(google, person, found, act)
            except (FormProblem, ApiError) as problem:
                return _form(state, person, request.form.to_dict(), existing=found, problem=_words(problem)), 400
            return _back(person, _DONE.get(act, _DONE["save"]))

    @app.post("/todo/lists")
    def add_list() -> ResponseReturnValue:
        with google.transaction() as state:
            person, title = _person(state), request.form.get("title", "").strip()[:100]
            if not title:
                return _back(person, "A list needs a name.")
            google.task_desk(person.email, in_app=True).add_list({"title": title})
            return _back(person, f"The list “{title}” was added.")

    @app.post("/todo/list")
    def change_list() -> ResponseReturnValue:
        """Clear what is completed, or delete the list."""
        with google.transaction() as state:
            person = _person(state)
            desk = google.task_desk(person.email, in_app=True)
            try:
                held = desk.list_of(request.form.get("list", ""))
                if request.form.get("act") == "delete":
                    desk.delete_list(held, None)
                    return _back(person, f"The list “{held.title}” was deleted.")
                desk.clear(held)
            except ApiError as problem:
                return _back(person, problem.message)
            return _back(person, "What was completed is hidden.")


def _act(google: Google, person: Person, task: Task, act: str) -> None:
    desk, form = google.task_desk(person.email, in_app=True), request.form
    held = desk.list_of(form.get("list", ""))
    if act == "delete":
        desk.delete(held, task.id, None)
    elif act in ("complete", "reopen"):
        status = "completed" if act == "complete" else "needsAction"
        desk.change(held, task.id, {"status": status}, None, whole=False)
    else:
        given, time = tasks_forms.body(form), tasks_forms.time(form)
        if (parent := form.get("parent", "")) != (task.parent or ""):
            desk.move(held, task.id, held, parent=parent)
        desk.change(held, task.id, given, None, whole=False).time = time


def _person(state: State) -> Person:
    return state.people.get(request.values.get("person", "")) or next(iter(state.people.values()))


def _task(state: State, person: Person) -> Task | None:
    held = state.shelves[person.email].lists.get(request.values.get("list", ""))
    found = held.tasks.get(request.values.get("id", "")) if held else None
    return None if found is None or found.deleted else found


def _shown_list(held: TaskList, today: dt.date, *, done: bool) -> ShownList:
    tasks: list[ShownTask] = []

    def walk(parent: str | None, depth: int) -> None:
        for task in held.siblings(parent):
            if done or not task.hidden:
                tasks.append(_shown_task(task, today, depth))
            walk(task.id, depth + 1)

    walk(None, 0)
    return ShownList(held.id, held.title, tuple(tasks))


def _shown_task(task: Task, today: dt.date, depth: int) -> ShownTask:
    when = task.due.strftime("%a %-d %b %Y") if task.due else ""
    if task.time:
        when += f", {task.time:%H:%M}"
    return ShownTask(
        task.id,
        task.title or "(No title)",
        when,
        done=task.completed is not None,
        late=task.due is not None and task.due < today and not task.completed,
        depth=depth,
        notes=tuple(
            word for word, said in (("hidden", task.hidden), ("assigned to you", task.assignment is not None)) if said
        ),
    )


def _form(
    state: State, person: Person, values: dict[str, Any], *, existing: Task | None = None, problem: str = ""
) -> str:
    lists = state.shelves[person.email].lists
    chosen = request.values.get("list", "")
    parents = {}
    if existing is not None and chosen in lists:
        held = lists[chosen]
        inside = {existing.id, *(each.id for each in held.below(existing))}
        parents = {each.id: each.title for each in held.siblings(None) if each.id not in inside and not each.hidden}
        if existing.parent and existing.parent not in parents:
            parents[existing.parent] = held.tasks[existing.parent].title
    return render_template(
        "google/task.html",
        who=person.email,
        name=person.name,
        values=values,
        existing=existing,
        lists={each.id: each.title for each in lists.values()},
        chosen=chosen,
        parents=parents,
        problem=problem,
    )


def _missing(person: Person) -> str:
    return render_template("google/task_missing.html", who=person.email, problem="This task is not there any more.")


def _words(problem: FormProblem | ApiError) -> str:
    return problem.message if isinstance(problem, ApiError) else str(problem)


def _back(person: Person, notice: str) -> ResponseReturnValue:
    done = {"done": "1"} if request.form.get("done") == "1" else {}
    return redirect(f"./?{urlencode({'person': person.email, 'notice': notice} | done)}", 303)
