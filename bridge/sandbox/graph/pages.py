"""The page for people: a month of a demo person's calendars, and the forms that change it.

It acts through the same ``Desk`` as the API, so delta rounds and subscriptions see what people do here.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Flask, redirect, render_template, request
from flask.typing import ResponseReturnValue

from bridge.sandbox.graph import agenda, forms, series_edits, zones
from bridge.sandbox.graph.errors import GraphError
from bridge.sandbox.graph.events import ANSWERS, Item
from bridge.sandbox.graph.forms import FormProblem
from bridge.sandbox.graph.mailbox import DEFAULT_CALENDAR, Mailbox
from bridge.sandbox.graph.series_edits import scope_of

if TYPE_CHECKING:
    from bridge.sandbox.graph.service import Microsoft

_DONE = {
    "save": "The event was saved.", "delete": "The event was deleted.", "move": "The event was moved.",
    "accept": "You accepted.", "tentativelyAccept": "You accepted tentatively.", "decline": "You declined.",
    "organizer_cancels": "The organizer cancelled the meeting.", "organizer_moves": "The organizer moved the meeting.",
}  # fmt: skip


def add_to(app: Flask, service: Microsoft) -> None:
    """Put the page on the application."""

    @app.get("/")
    def month() -> ResponseReturnValue:
        with service.lock:
            box = _box(service)
            today = zones.wall_in(service.now, box.person.zone).date()
            first = _month(request.args.get("month", ""), today)
            return render_template(
                "microsoft/month.html",
                person=box.person,
                people=service.people(),
                first=first,
                before=(first - dt.timedelta(days=1)).strftime("%Y-%m"),
                after=(first + dt.timedelta(days=32)).strftime("%Y-%m"),
                days=agenda.month_of(service.reader(box.person), first),
                today=today,
                view="agenda" if request.args.get("view") == "agenda" else "month",
                notice=request.args.get("notice", "")[:200],
            )

    @app.get("/new")
    def new() -> ResponseReturnValue:
        with service.lock:
            box = _box(service)
            try:
                day = dt.date.fromisoformat(request.args.get("day", ""))
            except ValueError:
                day = zones.wall_in(service.now, box.person.zone).date()
            return _form(
                service, box, forms.blank(day, box.person.zone), invitation=bool(request.args.get("invitation"))
            )

    @app.post("/new")
    def create() -> ResponseReturnValue:
        with service.lock:
            box, form = _box(service), request.form
            try:
                given = forms.body(form) | {"recurrence": forms.recurrence(form)}
                if "organizer" in form:
                    service.receive_invitation(box.person.address, forms.organizer(form), given)
                else:
                    service.create(box.person.address, given, calendar=_calendar(service, box))
            except (FormProblem, GraphError) as problem:
                answer = _form(service, box, form.to_dict(), problem=_words(problem), invitation="organizer" in form)
                return answer, 400
            return _done(
                box, form.get("first", ""), "The invitation came in." if "organizer" in form else "The event was added."
            )

    @app.get("/event")
    def event() -> ResponseReturnValue:
        with service.lock:
            box = _box(service)
            item = _item(service, box)
            if item is None:
                return _missing(box), 404
            return _form(service, box, forms.shown(item) | {"repeat": "keep"}, item=item)

    @app.post("/event")
    def change() -> ResponseReturnValue:
        with service.lock:
            box, form = _box(service), request.form
            item = _item(service, box)
            if item is None:
                return _missing(box), 404
            act = form.get("act", "save")
            try:
                _act(service, box, item, act)
            except (FormProblem, GraphError) as problem:
                return _form(service, box, form.to_dict(), item=item, problem=_words(problem)), 400
            return _done(box, form.get("first", ""), _DONE.get(act, _DONE["save"]))

    @app.post("/calendars")
    def add_calendar() -> ResponseReturnValue:
        with service.lock:
            box, name = _box(service), request.form.get("name", "").strip()[:100]
            taken = any(each.name.lower() == name.lower() for each in box.calendars.values())
            if not name or taken:
                return _done(
                    box, "", "There is a calendar of that name already." if taken else "A calendar needs a name."
                )
            box.add_calendar(name, "auto")
            return _done(box, "", f"The calendar “{name}” was added.")


def _act(service: Microsoft, box: Mailbox, item: Item, act: str) -> None:
    desk, form = service.desk(box.person), request.form
    scope = scope_of(form.get("scope", ""))
    whole = item if scope == "this" else Item(item.event)
    if act == "delete":
        series_edits.delete(desk, item, scope)
    elif act in ANSWERS:
        desk.answer(whole, act, {})
    elif act == "organizer_cancels":
        desk.organizer_cancels(item.event)
    elif act == "organizer_moves":
        later = item.event.span
        hour = dt.timedelta(hours=24 if later.all_day else 1)
        times = {"start": (later.start + hour, later.start_zone), "end": (later.end + hour, later.end_zone)}
        moved = {name: {"dateTime": wall.isoformat(), "timeZone": zone} for name, (wall, zone) in times.items()}
        desk.organizer_updates(item.event, moved)
    else:
        calendar = service.calendar(box.person, _calendar(service, box))
        series_edits.edit(desk, item, form, scope)
        if item.event.number in box.events and calendar.number != item.event.calendar:
            box.move(item.event, calendar)


def _box(service: Microsoft) -> Mailbox:
    try:
        return service.box(request.values.get("person", ""))
    except KeyError:
        return service.box(service.people()[0])


def _calendar(service: Microsoft, box: Mailbox) -> str:
    wanted = request.form.get("calendar", "")
    known = [service.reader(box.person).calendar_id(number) for number in box.calendars]
    return wanted if wanted in known else known[0]


def _item(service: Microsoft, box: Mailbox) -> Item | None:
    try:
        return service.item(box.person, request.values.get("id", ""))
    except GraphError:
        return None


def _month(text: str, today: dt.date) -> dt.date:
    try:
        found = dt.date.fromisoformat(f"{text}-01")
    except ValueError:
        return today.replace(day=1)
    return found if 1900 <= found.year <= 2200 else today.replace(day=1)


def _form(
    service: Microsoft,
    box: Mailbox,
    values: dict[str, Any],
    *,
    item: Item | None = None,
    problem: str = "",
    invitation: bool = False,
) -> str:
    reader = service.reader(box.person)
    return render_template(
        "microsoft/event.html",
        person=box.person,
        values=values,
        item=item,
        existing=reader.id_of(item) if item else "",
        occurrence=item is not None and item.day is not None,
        foreign=item is not None and not item.event.own,
        invitation=invitation,
        calendars={reader.calendar_id(each.number): each.name for each in box.calendars.values()},
        calendar=values.get("calendar") or reader.calendar_id(item.event.calendar if item else DEFAULT_CALENDAR),
        repeats=forms.REPEATS,
        show_as=forms.SHOW_AS,
        reminders=forms.REMINDERS,
        sensitivities=forms.SENSITIVITIES,
        zones=zones.windows_names(),
        problem=problem,
    )


def _missing(box: Mailbox) -> str:
    return render_template("microsoft/missing.html", person=box.person, problem="This event is not there any more.")


def _words(problem: FormProblem | GraphError) -> str:
    return problem.message if isinstance(problem, GraphError) else str(problem)


def _done(box: Mailbox, day: str, notice: str) -> ResponseReturnValue:
    return redirect(f"./?{urlencode({'person': box.person.address, 'month': day[:7], 'notice': notice})}", 303)
