"""$batch: up to twenty requests in one, each through the front door as a request of its own (M-79)."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication, WSGIEnvironment

from werkzeug.test import run_wsgi_app

from bridge.sandbox.faults import ConnectionDropped
from bridge.sandbox.graph.errors import GraphError

MOST = 20
FAILED_DEPENDENCY = 424
_METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")


def run(body: Any, environ: WSGIEnvironment, entrance: WSGIApplication) -> list[dict[str, Any]]:
    """The answers, in the order in which the requests were carried out. Raises 400 if the batch itself is malformed."""
    requests = _checked(body)
    answers: dict[str, dict[str, Any]] = {}
    for one in requests:
        failed = [name for name in one.get("dependsOn", []) if answers[name]["status"] >= 400]
        if failed:
            error = {"code": "FailedDependency", "message": f"The request it depends on failed: {failed[0]}."}
            answers[one["id"]] = {"id": one["id"], "status": FAILED_DEPENDENCY, "headers": {}, "body": {"error": error}}
        else:
            answers[one["id"]] = _carry_out(one, environ, entrance)
    return list(answers.values())


def _checked(body: Any) -> list[dict[str, Any]]:
    requests = body.get("requests") if isinstance(body, Mapping) else None
    if not isinstance(requests, list) or not requests:
        raise _malformed("A batch needs at least one request.")
    if len(requests) > MOST:
        raise _malformed(f"Number of batch request steps exceeds the maximum value of {MOST}.")
    seen: set[str] = set()
    for one in requests:
        if not isinstance(one, Mapping) or not isinstance(one.get("id"), str) or one["id"] in seen:
            raise _malformed("Every request of a batch needs an id of its own, a string.")
        if one.get("method") not in _METHODS or not isinstance(one.get("url"), str) or "://" in one["url"]:
            raise _malformed(f"Request '{one['id']}' needs a method and a relative url.")
        if extra := set(one) - {"id", "method", "url", "headers", "body", "dependsOn"}:
            raise _malformed(f"Request '{one['id']}' has an unknown property '{min(extra)}'.")
        if not set(one.get("dependsOn") or []) <= seen:
            raise _malformed(f"Request '{one['id']}' depends on one that does not come before it.")
        headers = {str(name).lower() for name in one.get("headers") or {}}
        if one.get("body") is not None and "content-type" not in headers:
            raise _malformed(f"Request '{one['id']}' has a body and no Content-Type header.")
        seen.add(one["id"])
    _check_pattern([(one["id"], one.get("dependsOn") or []) for one in requests])
    return [dict(one) for one in requests]


def _check_pattern(dependencies: list[tuple[str, list[str]]]) -> None:
    """One dependency each, and of three patterns one: none depends, each on the one before it, all on the same.

    Source: Microsoft's "known issues", JSON batching, "Request dependencies are limited".
    """
    stated = [needed for _, needed in dependencies if needed]
    serial = [[before] for before, _ in dependencies[:-1]]
    same = all(needed == stated[0] for needed in stated)
    if any(len(needed) > 1 for needed in stated) or not (same or stated == serial):
        raise _malformed("Requests depend on none, each on the one before it, or all on the same one.")


def _carry_out(one: Mapping[str, Any], outer: WSGIEnvironment, entrance: WSGIApplication) -> dict[str, Any]:
    path, _, query = one["url"].lstrip("/").partition("?")
    content = b"" if one.get("body") is None else json.dumps(one["body"]).encode()
    headers = {str(name).lower(): str(value) for name, value in (one.get("headers") or {}).items()}
    environ: dict[str, Any] = {
        name: value
        for name, value in outer.items()
        if not name.startswith(("HTTP_", "sandbox.", "werkzeug.", "flask."))
    }
    environ |= {
        "REQUEST_METHOD": one["method"],
        "PATH_INFO": unquote_to_bytes(f"/v1.0/{path}").decode("latin-1"),
        "QUERY_STRING": query,
        "wsgi.input": io.BytesIO(content),
        "CONTENT_LENGTH": str(len(content)),
        "CONTENT_TYPE": headers.pop("content-type", ""),
        "HTTP_AUTHORIZATION": outer.get("HTTP_AUTHORIZATION", ""),
    }
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    try:
        chunks, status, answered = run_wsgi_app(entrance, environ, buffered=True)
    except ConnectionDropped:
        error = {"code": "serviceNotAvailable", "message": "The service did not answer."}
        return {"id": one["id"], "status": 504, "headers": {}, "body": {"error": error}}
    payload = b"".join(chunks)
    answer: dict[str, Any] = {
        "id": one["id"],
        "status": int(status.split()[0]),
        "headers": {
            name: value for name, value in answered if name.lower() not in ("content-length", "date", "server")
        },
    }
    if payload:
        is_json = answered.get("Content-Type", "").startswith("application/json")
        answer["body"] = json.loads(payload) if is_json else base64.b64encode(payload).decode()
    return answer


def _malformed(message: str) -> GraphError:
    return GraphError(400, "BadRequest", message)
