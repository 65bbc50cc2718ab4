"""The task form: what a person typed becomes a request body, and a task becomes what the form shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from bridge.sandbox.graph import bodies, forms, zones
from bridge.sandbox.graph.forms import FormProblem
from bridge.sandbox.graph.todo import Moment, Task

JsonObject = dict[str, Any]


def body(form: Mapping[str, str], zone: str) -> JsonObject:
    """The form as the body of a create. ``zone``: the person's (Windows name)."""
    title = form.get("title", "").strip()
    if not title:
        raise FormProblem("Please give the task a title.")
    due = _date(form, "due", "Due")
    remind = _date(form, "remind", "Remind me")
    if form.get("remind_at") and not remind:
        raise FormProblem("The time of a reminder needs a date.")
    at = None
    if remind:
        at = _moment(remind, _time(form.get("remind_at") or "09:00"), zone)
    return {
        "title": title,
        "body": {"contentType": "text", "content": form.get("notes", "").replace("\r\n", "\n").strip()},
        "importance": "high" if form.get("important") else "normal",
        "categories": [word.strip() for word in form.get("categories", "").split(",") if word.strip()],
        "dueDateTime": _moment(due, dt.time(), zone) if due else None,
        "reminderDateTime": at,
        "isReminderOn": at is not None,
        "recurrence": _recurrence(form, due),
    }


def changes(form: Mapping[str, str], task: Task, zone: str) -> JsonObject:
    """Only what the person changed, so that what the form cannot show stays."""
    wanted, before = body(form, zone), body(shown(task, zone) | {"repeat": ""}, zone)
    changed = {name: value for name, value in wanted.items() if value != before.get(name) and name != "recurrence"}
    repeat = form.get("repeat", "keep")
    if repeat != "keep" and (repeat or task.recurrence):
        changed["recurrence"] = wanted["recurrence"]
    if "reminderDateTime" in changed:
        changed["isReminderOn"] = wanted["isReminderOn"]
    return changed


def shown(task: Task, zone: str) -> dict[str, str]:
    """A task as the form's values."""
    remind = task.reminder if task.reminder_on else None
    wall = in_zone(remind, zone) if remind else None
    text = task.body if task.body_type == "text" else bodies.as_text(task.body)
    return {
        "title": task.title,
        "notes": text.replace("\r\n", "\n").strip(),
        "due": task.due.wall.date().isoformat() if task.due else "",
        "remind": wall.date().isoformat() if wall else "",
        "remind_at": f"{wall:%H:%M}" if wall else "",
        "important": "1" if task.importance == "high" else "",
        "categories": ", ".join(task.categories),
        "repeat": "keep" if task.recurrence else "",
    }


def blank() -> dict[str, str]:
    """The form for a new task."""
    return {
        "title": "", "notes": "", "due": "", "remind": "", "remind_at": "", "important": "", "categories": "",
        "repeat": "",
    }  # fmt: skip


def in_zone(moment: Moment, zone: str) -> dt.datetime:
    """The wall clock time of a moment in a zone."""
    return zones.wall_in(zones.to_instant(moment.wall, moment.zone), zone)


def _recurrence(form: Mapping[str, str], due: dt.date | None) -> JsonObject | None:
    kind = form.get("repeat", "")
    if kind in ("", "keep"):
        return None
    if kind not in forms.REPEATS:
        raise FormProblem("Please choose how often it repeats.")
    if due is None:
        raise FormProblem("A task that repeats needs a due date.")
    return {"pattern": forms.pattern(kind, due), "range": {"type": "noEnd", "startDate": due.isoformat()}}


def _date(form: Mapping[str, str], name: str, label: str) -> dt.date | None:
    if not form.get(name):
        return None
    try:
        found = dt.date.fromisoformat(form[name])
    except ValueError:
        raise FormProblem(f"{label}: please give a date.") from None
    if not 1900 <= found.year <= 2200:
        raise FormProblem(f"{label}: please give a year between 1900 and 2200.")
    return found


def _time(text: str) -> dt.time:
    try:
        return dt.time.fromisoformat(text).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise FormProblem("Remind me: please give a time.") from None


def _moment(day: dt.date, time: dt.time, zone: str) -> JsonObject:
    return {"dateTime": dt.datetime.combine(day, time).isoformat(), "timeZone": zone}
