"""The simulated Microsoft Graph as a whole."""

from __future__ import annotations

from typing import Any
from wsgiref.types import WSGIApplication

from flask import Flask

from bridge.sandbox.clock import Clock
from bridge.sandbox.deliveries import Deliveries
from bridge.sandbox.meter import Meter


class Microsoft:
    """Everything below ``/microsoft``; the state is reached in Python by the same methods that the API uses."""

    name = "microsoft"

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.meter = Meter()
        self.deliveries = Deliveries(lambda status: status is None or status >= 500)
        self.base_url = ""
        self.wsgi: WSGIApplication = Flask("bridge.sandbox.graph").wsgi_app
        self.entrance: WSGIApplication = self.wsgi

    def reset(self) -> None:
        raise NotImplementedError

    def seed(self, person: str, count: int, *, calendar: str | None = None) -> list[str]:
        raise NotImplementedError

    def expire_tokens(self, person: str | None = None) -> int:
        raise NotImplementedError

    def kill_grants(self, person: str | None = None) -> int:
        raise NotImplementedError

    def configure(self, options: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError
