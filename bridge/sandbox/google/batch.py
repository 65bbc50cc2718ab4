"""Batches: many calls in one multipart/mixed request (G-06, G-100)."""

from __future__ import annotations

import io
import json
import re
import secrets
from email.message import Message
from email.parser import BytesParser
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

from flask import Request, Response
from werkzeug.test import run_wsgi_app

from bridge.sandbox.faults import ConnectionDropped
from bridge.sandbox.google.errors import ApiError, invalid

if TYPE_CHECKING:
    from bridge.sandbox.google.service import Google

MOST = 1000


def answer(google: Google, request: Request) -> Response:
    """Carry out every part as a request of its own; 200 with one answer a part, in the order of the parts."""
    head = f"Content-Type: {request.headers.get('Content-Type', '')}\r\n\r\n".encode()
    outer = BytesParser().parsebytes(head + request.get_data())
    parts = outer.get_payload()
    if outer.get_content_type() != "multipart/mixed" or not isinstance(parts, list) or not parts:
        raise invalid("A batch is a multipart/mixed request.")
    if not all(isinstance(part, Message) and part.get_content_type() == "application/http" for part in parts):
        raise invalid("Every part of a batch is application/http.")
    if len(parts) > MOST:
        raise ApiError(400, "batchTooLarge", f"The batch exceeds {MOST} calls.")
    google.meter.batch(len(parts))
    boundary = f"batch_{secrets.token_urlsafe(24)}"
    written = b"".join(_part(google, request, part, boundary) for part in parts if isinstance(part, Message))
    body = written + f"--{boundary}--\r\n".encode()
    return Response(body, 200, content_type=f"multipart/mixed; boundary={boundary}")


def _part(google: Google, request: Request, part: Message[str, str], boundary: str) -> bytes:
    raw = part.get_payload(decode=True)
    status, headers, body = _carry_out(google, request, raw if isinstance(raw, bytes) else b"")
    lines = [f"--{boundary}", "Content-Type: application/http"]
    if part["Content-ID"]:
        lines.append(f"Content-ID: <response-{part['Content-ID'].strip().removeprefix('<').removesuffix('>')}>")
    lines += ["", f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode() + body + b"\r\n"


def _carry_out(google: Google, request: Request, raw: bytes) -> tuple[str, list[tuple[str, str]], bytes]:
    head, *rest = re.split(rb"\r?\n\r?\n", raw.lstrip(), maxsplit=1)
    line, *lines = head.decode().splitlines()
    words = line.split()
    if len(words) < 2 or not words[1].startswith(("/", "http")):
        raise invalid("A part begins with a method and a relative URL.")
    url = urlsplit(words[1])
    body = rest[0] if rest else b""
    own = {name.strip().title(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
    headers = {
        name.title(): value for name, value in request.headers.items() if not name.lower().startswith("content-")
    }
    headers |= own  # a part's own headers win (G-100)
    path = url.path.removeprefix("/google")
    environ: dict[str, Any] = {
        key: value
        for key, value in request.environ.items()
        if not key.startswith(("HTTP_", "sandbox.", "werkzeug", "flask"))
    }
    environ |= {
        "REQUEST_METHOD": words[0],
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": url.query,
        "RAW_URI": words[1],
        "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": headers.get("Content-Type", ""),
    }
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    try:
        chunks, status, answered = run_wsgi_app(google.entrance, environ, buffered=True)
    except ConnectionDropped:
        lost = ApiError(
            503, "backendError", "Backend Error"
        )  # G-98: a part always has an answer, with headers and a body
        return "503 Service Unavailable", [("Content-Type", "application/json")], json.dumps(lost.body()).encode()
    kept = [(name, value) for name, value in answered.to_wsgi_list() if name.lower() != "connection"]
    return status, kept, b"".join(chunks)
