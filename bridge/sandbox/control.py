"""The control API under ``/_sandbox/``: what a test or the demo does to the services from outside, as JSON over HTTP.

Everything here can be reached in Python as well: ``sandbox.clock``, ``sandbox.faults``, ``sandbox.google.meter`` ….
The calls are listed in docs/reference/sandbox.md.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from flask import Flask, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, HTTPException, NotFound

from bridge.sandbox.faults import Fault
from bridge.sandbox.service import Service

if TYPE_CHECKING:
    from bridge.sandbox.server import Sandbox


def build(sandbox: Sandbox) -> Flask:
    """The application to mount at ``/_sandbox``."""
    app = Flask("bridge.sandbox.control")

    def service(name: str) -> Service:
        if name not in sandbox.services:
            raise NotFound(f"no service {name!r}; there are {', '.join(sandbox.services)}")
        return sandbox.services[name]

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> ResponseReturnValue:
        return {"error": error.description}, error.code or 500

    @app.errorhandler(ValueError)
    def wrong(error: ValueError) -> ResponseReturnValue:
        return {"error": str(error)}, 400

    @app.errorhandler(KeyError)
    def unknown(error: KeyError) -> ResponseReturnValue:
        return {"error": f"there is no {error.args[0]}"}, 404

    @app.get("/")
    def summary() -> ResponseReturnValue:
        return {
            "now": sandbox.clock().isoformat(),
            "frozen": sandbox.clock.frozen,
            "services": {
                name: {"url": each.base_url, "meter": each.meter.reading()} for name, each in sandbox.services.items()
            },
        }

    @app.post("/reset")
    def reset() -> ResponseReturnValue:
        sandbox.reset()
        return {}

    @app.post("/<name>/reset")
    def reset_one(name: str) -> ResponseReturnValue:
        service(name).reset()
        return {}

    @app.route("/clock", methods=["GET", "POST"])
    def clock() -> ResponseReturnValue:
        asked = _body("freeze", "advance", "thaw") if request.method == "POST" else {}
        if asked.get("thaw"):
            sandbox.clock.thaw()
        if "freeze" in asked:
            sandbox.clock.freeze(
                dt.datetime.fromisoformat(asked["freeze"]) if isinstance(asked["freeze"], str) else None
            )
        if "advance" in asked:
            sandbox.clock.advance(dt.timedelta(seconds=_number(asked["advance"])))
        return {"now": sandbox.clock().isoformat(), "frozen": sandbox.clock.frozen}

    @app.route("/faults", methods=["GET", "POST", "DELETE"])
    def faults() -> ResponseReturnValue:
        if request.method == "DELETE":
            sandbox.faults.clear()
        elif request.method == "POST":
            sandbox.faults.inject(Fault(**_body(*Fault.__dataclass_fields__)))
        return [
            {"method": fault.method, "path": fault.path, "phase": fault.phase, "status": fault.status, "left": left}
            for fault, left in sandbox.faults.waiting()
        ]

    @app.route("/<name>/meter", methods=["GET", "DELETE"])
    def meter(name: str) -> ResponseReturnValue:
        reading = service(name).meter.reading()
        if request.method == "DELETE":
            service(name).meter.reset()
        return reading

    @app.post("/<name>/tokens")
    def tokens(name: str) -> ResponseReturnValue:
        asked = _body("expire", "person")
        acts = {"access": service(name).expire_tokens, "grants": service(name).kill_grants}
        if asked.get("expire") not in acts:
            raise BadRequest("expire is access or grants")
        return {"expired": acts[asked["expire"]](asked.get("person"))}

    @app.route("/<name>/deliveries", methods=["GET", "POST"])
    def deliveries(name: str) -> ResponseReturnValue:
        line = service(name).deliveries
        asked = _body("pause", "drop", "double", "wait_idle") if request.method == "POST" else {}
        if "pause" in asked:
            (line.pause if asked["pause"] else line.resume)()
        if "drop" in asked:
            line.drop(int(_number(asked["drop"])))
        if "double" in asked:
            line.double(int(_number(asked["double"])))
        idle = line.wait_idle(_number(asked["wait_idle"])) if "wait_idle" in asked else None
        attempts = [
            {"key": each.message.key, "url": each.message.url, "status": each.status, "number": each.number}
            for each in line.attempts
        ]
        return {"waiting": line.waiting(), "idle": idle, "attempts": attempts}

    @app.post("/<name>/seed")
    def seed(name: str) -> ResponseReturnValue:
        asked = _body("person", "count", "calendar")
        if not isinstance(asked.get("person"), str):
            raise BadRequest("person is an address")
        made = service(name).seed(asked["person"], int(_number(asked.get("count"))), calendar=asked.get("calendar"))
        return {"events": made}

    @app.post("/<name>/options")
    def options(name: str) -> ResponseReturnValue:
        return service(name).configure(_body())

    return app


def _body(*known: str) -> dict[str, Any]:
    """The request's JSON object; with ``known`` given, nothing else may be in it."""
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise BadRequest("a JSON object is expected")
    if known and (extra := set(body) - set(known)):
        raise BadRequest(f"unknown: {', '.join(sorted(extra))}; known: {', '.join(known)}")
    return body


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest("a number is expected")
    return float(value)
