"""The API over HTTP: who asks, whether it fits the discovery document, and the answer's form."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from flask import Flask, Request, Response, jsonify, request
from flask.typing import ResponseReturnValue

from bridge.sandbox import service as keys
from bridge.sandbox.google import batch, calendars_api, events_api, fields, schema, tasks_api
from bridge.sandbox.google.call import Call
from bridge.sandbox.google.errors import (
    ApiError,
    insufficient_permissions,
    invalid_credentials,
    login_required,
    rate_limited,
)
from bridge.sandbox.google.oauth import Access

if TYPE_CHECKING:
    from bridge.sandbox.google.service import Google

HANDLERS = events_api.HANDLERS | calendars_api.HANDLERS | tasks_api.HANDLERS
BASE = "/calendar/v3/"
TASKS_BASE = "/tasks/v1/"
"""The paths of its discovery document begin with it, those of the calendar's do not begin with theirs (G-01)."""
CONDITIONAL = ("calendar.events.get", "calendar.calendars.get", "calendar.calendarList.get")
"""Methods that answer 304 to a matching If-None-Match (G-53)."""


def mount(app: Flask, google: Google) -> None:
    """Put the API and its batches on the application."""

    @app.errorhandler(ApiError)
    def refused(error: ApiError) -> ResponseReturnValue:
        request.environ.setdefault(keys.ROUTE, request.path)
        request.environ[keys.REASON] = error.reason
        answer = jsonify(error.body())
        if error.status == 401:
            answer.headers["WWW-Authenticate"] = 'Bearer realm="https://accounts.google.com/"'
        return answer, error.status

    @app.route(f"{BASE}<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def calendar(rest: str) -> ResponseReturnValue:  # noqa: ARG001 - the raw path is what counts (G-16)
        raw_path = str(request.environ["RAW_URI"]).partition("?")[0].partition(BASE)[2]
        return called(schema.CALENDAR, raw_path)

    @app.route(f"{TASKS_BASE}<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def tasks(rest: str) -> ResponseReturnValue:  # noqa: ARG001 - as above
        raw_path = str(request.environ["RAW_URI"]).partition("?")[0].partition(TASKS_BASE)[2]
        return called(schema.TASKS, f"{TASKS_BASE.lstrip('/')}{raw_path}")

    def called(api: str, raw_path: str) -> ResponseReturnValue:
        http_method, query = _asked(request)
        method, in_path = schema.find(api, http_method, raw_path)
        request.environ[keys.ROUTE] = f"/{method.path}"
        request.environ[keys.WRITE] = http_method != "GET" and not _only_reads(method.id)
        access = _access(google, query)
        if not method.scopes & set(access.scopes):
            raise insufficient_permissions()
        _limit(google, google.recent[access.person])
        params = schema.parameters(
            method, in_path, [pair for pair in query if pair[0] not in ("access_token", "oauth_token")]
        )
        body = _body(method, partial=http_method == "PATCH")
        request.environ[keys.ATTENDEES] = bool(body.get("attendees"))
        if method.id not in HANDLERS:
            raise ApiError(501, "notImplemented", f"{method.id} is not simulated.")
        with google.transaction() as state:
            if access.person not in state.people:
                raise invalid_credentials()
            person = state.people[access.person]
            call = Call(google, person, access.client_id, params, body, request.headers.get("If-Match"))
            found = HANDLERS[method.id](call)
        return _answer(found, params, conditional=method.id in CONDITIONAL)

    @app.post("/batch/calendar/v3")
    @app.post("/batch")
    def batches() -> ResponseReturnValue:
        return batch.answer(google, request)


def _asked(request: Request) -> tuple[str, list[tuple[str, str]]]:
    """The method and the query; a long GET comes as a POST that says so (G-03)."""
    query = parse_qsl(request.query_string.decode(), keep_blank_values=True)
    override = request.headers.get("X-HTTP-Method-Override", "").upper()
    if request.method == "POST" and override == "GET":
        return "GET", query + parse_qsl(request.get_data(as_text=True), keep_blank_values=True)
    return override if request.method == "POST" and override else request.method, query


def _only_reads(method_id: str) -> bool:
    return method_id.endswith(".watch") or method_id in ("calendar.freebusy.query", "calendar.channels.stop")


def _access(google: Google, query: list[tuple[str, str]]) -> Access:
    """Whose token it is (G-90)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    in_query = [value for name, value in query if name in ("access_token", "oauth_token")]
    if scheme.lower() != "bearer":
        if not in_query:
            raise login_required()
        token = in_query[0]
    with google.lock:
        access = google.grants.of(token.strip())
    if access is None:
        raise invalid_credentials()
    return access


def _limit(google: Google, recent: deque[float]) -> None:
    """The per-person limit of requests in a sliding minute (G-91, G-99)."""
    limit = google.state.switches.rate_per_minute
    now = google.clock().timestamp()
    with google.lock:
        while recent and recent[0] <= now - 60:
            recent.popleft()
        if limit and len(recent) >= limit:
            raise rate_limited(google.state.switches.rate_status)
        recent.append(now)


def _body(method: schema.Method, *, partial: bool) -> dict[str, Any]:
    if method.request is None or (method.http_method == "GET"):
        return {}
    if not request.get_data():
        return schema.check_body(method, {}, partial=partial)
    parsed = request.get_json(force=True, silent=True)
    return schema.check_body(method, parsed, partial=partial)


def _answer(found: dict[str, Any] | None, params: dict[str, Any], *, conditional: bool) -> Response:
    if found is None:
        return Response(status=204)
    tag = str(found.get("etag", ""))
    if conditional and tag and request.headers.get("If-None-Match") == tag:
        return Response(status=304, headers={"ETag": tag})
    answer = jsonify(fields.select(found, params["fields"]) if "fields" in params else found)
    if tag:
        answer.headers["ETag"] = tag
    return answer
