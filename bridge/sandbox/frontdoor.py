"""The door every request to a service goes through: faults strike here, and the meter counts here."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.datastructures import Headers
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.test import run_wsgi_app

from bridge.sandbox import service as keys
from bridge.sandbox.faults import ConnectionDropped, Fault, Faults
from bridge.sandbox.meter import READS
from bridge.sandbox.service import Service

_BATCHES = ("/$batch", "/batch/calendar/v3", "/batch")


class FrontDoor:
    """WSGI middleware in front of one service.

    A batch sends its parts through here again, each as a request of its own (G-99, G-100). Pages for people carry
    ``metered=False`` routes: whatever sets no ROUTE is neither counted nor refused.
    """

    def __init__(self, service: Service, faults: Faults) -> None:
        self._service = service
        self._faults = faults

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        caller = environ.get("HTTP_AUTHORIZATION", "")
        if not caller or environ.get("PATH_INFO", "").endswith(_BATCHES):  # its parts come by themselves
            return self._answered(environ, start_response)
        with self._service.meter.under_way(caller):
            return self._answered(environ, start_response)

    def _answered(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
        if environ.get("QUERY_STRING"):
            path += f"?{environ['QUERY_STRING']}"
        fault = self._faults.take(method, path)
        if fault and fault.phase == "before":
            time.sleep(fault.delay)
        if fault and fault.phase == "before" and (fault.drop or fault.status):
            self._count(environ, method, fault.status or 0, fault=fault)
            return _strike(fault, start_response)
        noted: dict[str, Any] = {}

        def inside(copied: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            nonlocal noted
            noted = copied  # run_wsgi_app hands on a copy: the application's notes are in there
            return self._service.wsgi(copied, start)

        body, status, headers = run_wsgi_app(inside, environ, buffered=True)
        self._count(noted, method, int(status.split()[0]), fault=fault)
        if fault and fault.phase == "after":
            time.sleep(fault.delay)
        if fault and (fault.drop or fault.status):
            return _strike(fault, start_response)
        start_response(status, headers.to_wsgi_list())
        return body

    def _count(self, environ: dict[str, Any], method: str, status: int, *, fault: Fault | None) -> None:
        route = environ.get(keys.ROUTE)
        if route is None:
            if fault is None:
                return
            route = environ.get("PATH_INFO", "")
        self._service.meter.request(
            method,
            route,
            status,
            write=environ.get(keys.WRITE, method not in READS),
            attendees=environ.get(keys.ATTENDEES, False),
            reason=environ.get(keys.REASON, ""),
        )


def _strike(fault: Fault, start_response: StartResponse) -> Iterable[bytes]:
    if fault.drop or fault.status is None:
        raise ConnectionDropped
    body = fault.payload()
    headers = Headers(fault.headers)
    headers.setdefault(
        "Content-Type", "application/octet-stream" if isinstance(fault.body, bytes) else "application/json"
    )
    start_response(f"{fault.status} {HTTP_STATUS_CODES.get(fault.status, 'Unknown')}", headers.to_wsgi_list())
    return [body]
