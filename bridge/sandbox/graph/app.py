"""The API of the simulated Graph over HTTP: routes, tokens, scopes, preferences, errors."""

from __future__ import annotations

import datetime as dt
import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from bridge.sandbox import service as keys
from bridge.sandbox.graph import api_events as events
from bridge.sandbox.graph import api_mailbox as mailbox
from bridge.sandbox.graph import api_todo as todo
from bridge.sandbox.graph import api_todo_parts as parts
from bridge.sandbox.graph import batch, views
from bridge.sandbox.graph.calls import Answer, Call
from bridge.sandbox.graph.errors import GraphError, denied, not_simulated, unreadable
from bridge.sandbox.graph.events import ANSWERS
from bridge.sandbox.graph.oauth import Access
from bridge.sandbox.pages import TEMPLATES

if TYPE_CHECKING:
    from bridge.sandbox.graph.service import Microsoft

MOST_CONCURRENT = 4
READ = ("Calendars.Read", "Calendars.ReadWrite", "Calendars.ReadBasic")
FULL = ("Calendars.Read", "Calendars.ReadWrite")
WRITE = ("Calendars.ReadWrite",)
SETTINGS = ("MailboxSettings.Read", "MailboxSettings.ReadWrite")
ZONES = ("User.Read", *SETTINGS, *FULL)
PROFILE = ("User.Read",)
READ_TASKS = ("Tasks.Read", "Tasks.ReadWrite")
WRITE_TASKS = ("Tasks.ReadWrite",)
Handler = Callable[..., Answer]
TASKS = "/todo/lists/<which>/tasks"
DELTA = ("delta", "delta()", "microsoft.graph.delta()")

ROUTES: list[tuple[str, str, Handler, tuple[str, ...]]] = [
    ("GET", "", mailbox.get_user, PROFILE),
    ("GET", "/mailboxSettings", mailbox.mailbox_settings, SETTINGS),
    ("GET", "/outlook/supportedTimeZones", mailbox.supported_time_zones, ZONES),
    ("GET", "/outlook/supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard'<standard>')",
     mailbox.supported_time_zones, ZONES),
    ("POST", "/translateExchangeIds", mailbox.translate_ids, READ),
    ("GET", "/calendarGroups", mailbox.list_groups, READ),
    ("GET", "/calendarGroups/<group>/calendars", mailbox.list_calendars, READ),
    ("POST", "/calendarGroups/<group>/calendars", mailbox.create_calendar, WRITE),
    ("GET", "/calendars", mailbox.list_calendars, READ),
    ("POST", "/calendars", mailbox.create_calendar, WRITE),
    ("DELETE", "/calendars/<calendar>", mailbox.delete_calendar, WRITE),
    ("GET", "/calendarView", events.calendar_view, READ),
    ("GET", "/calendarView/delta", events.delta, READ),
    ("GET", "/calendarView/delta()", events.delta, READ),
    ("GET", "/calendarView/microsoft.graph.delta()", events.delta, READ),
]  # fmt: skip
for _place in ("/calendar", "/calendars/<calendar>"):
    ROUTES += [
        ("GET", _place, mailbox.get_calendar, READ),
        ("PATCH", _place, mailbox.update_calendar, WRITE),
        ("POST", f"{_place}/getSchedule", mailbox.get_schedule, FULL),
        ("GET", f"{_place}/calendarView", events.calendar_view, READ),
        ("GET", f"{_place}/calendarView/delta", events.delta, READ),
        ("GET", f"{_place}/calendarView/delta()", events.delta, READ),
    ]
for _place in ("/events", "/calendar/events", "/calendars/<calendar>/events"):
    ROUTES += [
        ("GET", _place, events.list_events, READ),
        ("POST", _place, events.create_event, WRITE),
        ("GET", f"{_place}/<event>", events.get_event, READ),
        ("PATCH", f"{_place}/<event>", events.update_event, WRITE),
        ("DELETE", f"{_place}/<event>", events.delete_event, WRITE),
        ("GET", f"{_place}/<event>/instances", events.instances, READ),
        ("POST", f"{_place}/<event>/cancel", events.cancel, WRITE),
        ("POST", f"{_place}/<event>/forward", events.forward, WRITE),
        ("POST", f"{_place}/<event>/dismissReminder", events.dismiss_reminder, WRITE),
        ("POST", f"{_place}/<event>/snoozeReminder", events.snooze_reminder, WRITE),
        ("POST", f"{_place}/<event>/permanentDelete", events.permanently_delete, WRITE),
        *(("POST", f"{_place}/<event>/{verb}", events.answer(verb), WRITE) for verb in ANSWERS),
    ]
ROUTES += [
    ("GET", "/todo/lists", todo.list_lists, READ_TASKS),
    ("POST", "/todo/lists", todo.create_list, WRITE_TASKS),
    *(("GET", f"/todo/lists/{function}", todo.lists_delta, READ_TASKS) for function in DELTA),
    ("GET", "/todo/lists/<which>", todo.get_list, READ_TASKS),
    ("PATCH", "/todo/lists/<which>", todo.update_list, WRITE_TASKS),
    ("DELETE", "/todo/lists/<which>", todo.delete_list, WRITE_TASKS),
    ("GET", TASKS, todo.list_tasks, READ_TASKS),
    ("POST", TASKS, todo.create_task, WRITE_TASKS),
    *(("GET", f"{TASKS}/{function}", todo.tasks_delta, READ_TASKS) for function in DELTA),
    ("GET", f"{TASKS}/<task>", todo.get_task, READ_TASKS),
    ("PATCH", f"{TASKS}/<task>", todo.update_task, WRITE_TASKS),
    ("DELETE", f"{TASKS}/<task>", todo.delete_task, WRITE_TASKS),
    ("GET", f"{TASKS}/<task>/checklistItems", parts.list_steps, READ_TASKS),
    ("POST", f"{TASKS}/<task>/checklistItems", parts.create_step, WRITE_TASKS),
    ("GET", f"{TASKS}/<task>/checklistItems/<part>", parts.get_step, READ_TASKS),
    ("PATCH", f"{TASKS}/<task>/checklistItems/<part>", parts.update_step, WRITE_TASKS),
    ("DELETE", f"{TASKS}/<task>/checklistItems/<part>", parts.delete_step, WRITE_TASKS),
    ("GET", f"{TASKS}/<task>/linkedResources", parts.list_links, READ_TASKS),
    ("POST", f"{TASKS}/<task>/linkedResources", parts.create_link, WRITE_TASKS),
    ("GET", f"{TASKS}/<task>/linkedResources/<part>", parts.get_link, READ_TASKS),
    ("PATCH", f"{TASKS}/<task>/linkedResources/<part>", parts.update_link, WRITE_TASKS),
    ("DELETE", f"{TASKS}/<task>/linkedResources/<part>", parts.delete_link, WRITE_TASKS),
]
SUBSCRIPTIONS: list[tuple[str, str, Handler, tuple[str, ...]]] = [
    ("GET", "/subscriptions", mailbox.list_subscriptions, READ),
    ("POST", "/subscriptions", mailbox.create_subscription, READ),
    ("GET", "/subscriptions/<subscription>", mailbox.get_subscription, READ),
    ("PATCH", "/subscriptions/<subscription>", mailbox.renew_subscription, READ),
    ("DELETE", "/subscriptions/<subscription>", mailbox.delete_subscription, READ),
    ("POST", "/subscriptions/<subscription>/reauthorize", mailbox.reauthorize_subscription, READ),
]
_READING_POSTS = ("getSchedule", "translateExchangeIds")


class Gate:
    """Counts the requests under way for each app and mailbox (M-77)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside: Counter[tuple[str, int]] = Counter()

    @contextmanager
    def entered(self, app: str, box: int, *, limited: bool) -> Iterator[None]:
        """Raises 429 if there are too many already."""
        key = (app, box)
        with self._lock:
            if limited and self._inside[key] >= MOST_CONCURRENT:
                raise GraphError(
                    429,
                    "ApplicationThrottled",
                    "Application is over its MailboxConcurrency limit.",
                    headers={"Retry-After": "1"},
                )
            self._inside[key] += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside[key] -= 1


def build(service: Microsoft) -> Flask:
    """The Flask application of the API; sign-in and the page for people are added by their own modules."""
    app = Flask("bridge.sandbox.graph", template_folder=str(TEMPLATES), static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's default provider has it
    app.url_map.merge_slashes = False

    def add(method: str, rule: str, template: str, handler: Handler, scopes: tuple[str, ...]) -> None:
        def view(**arguments: str) -> Response:
            request.environ[keys.ROUTE] = template
            if method == "POST" and template.endswith(_READING_POSTS):
                request.environ[keys.WRITE] = False
            return _serve(service, handler, scopes, arguments)

        app.add_url_rule(rule, f"{method} {rule}", view, methods=[method], provide_automatic_options=False)

    for method, template, handler, scopes in ROUTES:
        add(method, f"/v1.0/me{template}", template or "/me", handler, scopes)
        add(method, f"/v1.0/users/<who>{template}", template or "/me", handler, scopes)
    for method, template, handler, scopes in SUBSCRIPTIONS:
        add(method, f"/v1.0{template}", template, handler, scopes)

    @app.post("/v1.0/$batch")
    def run_batch() -> Response:
        try:
            with service.lock:
                service.authority.access(request.headers.get("Authorization", ""))
            answers = batch.run(_json(), request.environ, service.entrance)
            service.meter.batch(sum(each["status"] != batch.FAILED_DEPENDENCY for each in answers))
        except GraphError as error:
            return refusal(service, error)
        return _response({"responses": answers}, 200)

    @app.route("/v1.0/<path:rest>", methods=["GET", "POST", "PATCH", "PUT", "DELETE"])
    def unknown(rest: str) -> Response:
        request.environ[keys.ROUTE] = "(unknown)"
        last = rest.rpartition("/")[2]
        if last in ("attachments", "extensions", "findMeetingTimes", "reminderView", "calendarPermissions"):
            return refusal(service, not_simulated(f"'{last}'"))
        return refusal(service, GraphError(400, "BadRequest", f"Resource not found for the segment '{last}'."))

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        code = "BadRequest" if error.code == 404 else "UnknownError"
        return refusal(service, GraphError(error.code or 500, code, error.description or ""))

    return app


def _serve(service: Microsoft, handler: Handler, scopes: tuple[str, ...], arguments: dict[str, str]) -> Response:
    try:
        with service.lock:
            access = service.authority.access(request.headers.get("Authorization", ""))
            box = service.box_of(access, arguments.pop("who", None))
        if not access.scopes & set(scopes):
            raise denied()
        prefer = views.preferences(",".join(request.headers.getlist("Prefer")))
        body = _json() if request.method in ("POST", "PATCH", "PUT") and request.get_data() else None
        if isinstance(body, dict):
            request.environ[keys.ATTENDEES] = bool(body.get("attendees"))
        call = Call(
            service, access, box, prefer, request.path, request.query_string.decode(), body,
            request.headers.get("If-Match", ""),
        )  # fmt: skip
        with service.gate.entered(access.app, box.person.number, limited=service.switches.concurrency_limit):
            answer = (
                handler(call, **arguments)
                if handler is mailbox.create_subscription
                else _locked(handler, call, arguments)
            )
    except GraphError as error:
        return refusal(service, error)
    if "Calendars.ReadBasic" in scopes and _basic(access):
        answer = events.without_bodies(answer)
    response = _response(answer.body, answer.status, answer.headers)
    if prefer.applied:
        response.headers["Preference-Applied"] = ", ".join(prefer.applied)
    return response


def _locked(handler: Handler, call: Call, arguments: dict[str, str]) -> Answer:
    with call.service.lock:
        return handler(call, **arguments)


def _basic(access: Access) -> bool:
    return "Calendars.ReadBasic" in access.scopes and not access.scopes & {"Calendars.Read", "Calendars.ReadWrite"}


def _json() -> Any:
    if request.mimetype != "application/json":
        raise unreadable("A supported MIME type could not be found that matches the content type of the request.")
    try:
        return json.loads(request.get_data())
    except ValueError:
        raise unreadable(
            "Unable to read JSON request payload. Please ensure the payload is of valid JSON format."
        ) from None


def refusal(service: Microsoft, error: GraphError) -> Response:
    """An error as Graph writes it (M-80), noted for the meter."""
    request.environ[keys.REASON] = error.code
    return _response(service.error_body(error, request.headers.get("client-request-id")), error.status, error.headers)


def error_body(code: str, message: str, now: dt.datetime, client_request_id: str | None = None) -> dict[str, Any]:
    """The body of every refusal (M-80)."""
    request_id = str(uuid.uuid4())
    inner = {
        "date": f"{now:%Y-%m-%dT%H:%M:%S}",
        "request-id": request_id,
        "client-request-id": client_request_id or request_id,
    }
    return {"error": {"code": code, "message": message, "innerError": inner}}


def _response(body: dict[str, Any] | None, status: int, headers: dict[str, str] | None = None) -> Response:
    response = Response(b"" if body is None else json.dumps(body), status)
    response.headers.pop("Content-Type", None)
    if body is not None:
        response.headers["Content-Type"] = "application/json;odata.metadata=minimal;odata.streaming=true;charset=utf-8"
    response.headers["request-id"] = str(uuid.uuid4())
    response.headers["client-request-id"] = request.headers.get("client-request-id", response.headers["request-id"])
    response.headers.extend(headers or {})
    return response
