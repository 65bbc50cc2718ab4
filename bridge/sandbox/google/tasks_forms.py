"""The task form: what a person typed becomes a request body, and a task becomes what the form shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from bridge.sandbox.google.forms import FormProblem
from bridge.sandbox.google.tasks import Task
from bridge.sandbox.google.tasks_writing import LONGEST_NOTES, LONGEST_TITLE

JsonObject = dict[str, Any]


def body(form: Mapping[str, str]) -> JsonObject:
    """The fields of the form that the API knows, as a patch."""
    title = form.get("title", "").strip()
    if not title:
        raise FormProblem("Please give the task a title.")
    notes = form.get("notes", "").strip()
    for label, text, longest in (("Title", title, LONGEST_TITLE), ("Notes", notes, LONGEST_NOTES)):
        if len(text) > longest:
            raise FormProblem(f"{label}: please give no more than {longest} characters.")
    found: JsonObject = {"title": title, "notes": notes or None, "due": None}
    if form.get("due"):
        try:
            day = dt.date.fromisoformat(form["due"])
        except ValueError:
            raise FormProblem("Date: please give a date.") from None
        if not 1900 <= day.year <= 2200:
            raise FormProblem("Date: please give a year between 1900 and 2200.")
        found["due"] = f"{day.isoformat()}T00:00:00.000Z"
    return found


def time(form: Mapping[str, str]) -> dt.time | None:
    """The time of day, which no client of the API will ever see (G-104)."""
    if not form.get("time"):
        return None
    if not form.get("due"):
        raise FormProblem("A time needs a date.")
    try:
        return dt.time.fromisoformat(form["time"]).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise FormProblem("Time: please give a time.") from None


def shown(task: Task) -> JsonObject:
    """A task as the form's values."""
    return {
        "title": task.title,
        "notes": task.notes,
        "due": task.due.isoformat() if task.due else "",
        "time": task.time.strftime("%H:%M") if task.time else "",
        "parent": task.parent or "",
    }


def blank() -> JsonObject:
    """The form for a new task."""
    return {"title": "", "notes": "", "due": "", "time": "", "parent": ""}
