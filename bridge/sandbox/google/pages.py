"""The page for people: a month of a demo person's calendars, and the forms that change it.

It acts through the same ``Writer`` as the API, so sync tokens and channels see what people do here.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Flask, redirect, render_template, request
from flask.typing import ResponseReturnValue

from bridge.sandbox.google import agenda, forms, series, series_edits, view
from bridge.sandbox.google.errors import ApiError
from bridge.sandbox.google.forms import FormProblem
from bridge.sandbox.google.state import ROLES, Person, State
from bridge.sandbox.google.times import known_zones
from bridge.sandbox.google.view import Instance

if TYPE_CHECKING:
    from bridge.sandbox.google.service import Google


def mount(app: Flask, google: Google) -> None:
    """Put the page on the application."""

    @app.get("/")
    def month() -> ResponseReturnValue:
        with google.transaction() as state:
            person = _person(state)
            first = _month(request.args.get("month", ""), _today(google, person))
            days = agenda.month_of(state, person, first)
            return render_template(
                "google/month.html",
                person=person,
                people=list(state.people.values()),
                first=first,
                before=(first - dt.timedelta(days=1)).strftime("%Y-%m"),
                after=(first + dt.timedelta(days=32)).strftime("%Y-%m"),
                days=days,
                today=_today(google, person),
                view="agenda" if request.args.get("view") == "agenda" else "month",
                notice=request.args.get("notice", "")[:200],
            )

    @app.get("/new")
    def new() -> ResponseReturnValue:
        with google.transaction() as state:
            person = _person(state)
            try:
                day = dt.date.fromisoformat(request.args.get("day", ""))
            except ValueError:
                day = _today(google, person)
            return _form(state, person, forms.blank(day, person.zone))

    @app.post("/new")
    def create() -> ResponseReturnValue:
        with google.transaction() as state:
            person = _person(state)
            try:
                given = forms.patch(request.form) | {"recurrence": forms.recurrence(request.form)}
                google.writer(person.email, request.form.get("calendar", "")).insert(given)
            except (FormProblem, ApiError) as problem:
                return _form(state, person, request.form.to_dict(), problem=_words(problem)), 400
            return _done(person, request.form.get("first", ""), "The event was added.")

    @app.get("/event")
    def event() -> ResponseReturnValue:
        with google.transaction() as state:
            person, calendar, id = _person(state), request.args.get("calendar", ""), request.args.get("id", "")
            if "eid" in request.args:
                id, calendar = view.from_eid(request.args["eid"])
                person = state.people.get(calendar, person)
            try:
                item = series.find(state.calendar(calendar, person), id)
            except ApiError:
                return _missing(person), 404
            if not isinstance(item, Instance) and item.cancelled:
                return _missing(person), 404
            return _form(state, person, forms.shown(item), existing=item.id, calendar=calendar)

    @app.post("/event")
    def change() -> ResponseReturnValue:
        with google.transaction() as state:
            person = _person(state)
            id, scope = request.form.get("id", ""), request.form.get("scope", series_edits.THIS)
            try:
                writer = google.writer(person.email, request.form.get("calendar", ""))
                if request.form.get("act") == "delete":
                    series_edits.delete(writer, id, scope)
                    return _done(person, request.form.get("first", ""), "The event was deleted.")
                series_edits.edit(writer, id, forms.patch(request.form), scope)
            except (FormProblem, ApiError) as problem:
                return _form(state, person, request.form.to_dict(), existing=id, problem=_words(problem)), 400
            return _done(person, request.form.get("first", ""), "The event was saved.")


def _person(state: State) -> Person:
    return state.people.get(request.values.get("person", "")) or next(iter(state.people.values()))


def _today(google: Google, person: Person) -> dt.date:
    return google.clock().astimezone(ZoneInfo(person.zone)).date()


def _month(text: str, today: dt.date) -> dt.date:
    try:
        found = dt.date.fromisoformat(f"{text}-01")
    except ValueError:
        return today.replace(day=1)
    return found if 1900 <= found.year <= 2200 else today.replace(day=1)


def _form(
    state: State, person: Person, values: dict[str, Any], *, existing: str = "", calendar: str = "", problem: str = ""
) -> str:
    writable = [
        state.calendars[id]
        for id, entry in person.calendars.items()
        if not entry.deleted and ROLES.index(state.calendars[id].role(person.email)) >= ROLES.index("writer")
    ]
    calendar = calendar or request.values.get("calendar") or person.email
    held = state.calendars.get(calendar)
    found = held.events.get(existing) if held else None
    recurring = bool(existing) and (found is None or found.master_id is not None)
    return render_template(
        "google/event.html",
        person=person,
        values=values,
        existing=existing,
        recurring=recurring,
        calendar=calendar,
        calendars=writable,
        repeats=forms.REPEATS,
        zones=sorted(known_zones()),
        problem=problem,
    )


def _missing(person: Person) -> str:
    return render_template("google/missing.html", person=person, problem="This event is not there any more.")


def _words(problem: FormProblem | ApiError) -> str:
    return problem.message if isinstance(problem, ApiError) else str(problem)


def _done(person: Person, day: str, notice: str) -> ResponseReturnValue:
    return redirect(f"./?{urlencode({'person': person.email, 'month': day[:7], 'notice': notice})}", 303)
