"""The simulated Google Calendar as a whole."""

from __future__ import annotations

from typing import Any
from wsgiref.types import WSGIApplication

from flask import Flask

from bridge.sandbox.clock import Clock
from bridge.sandbox.deliveries import Deliveries
from bridge.sandbox.meter import Meter


class Google:
    """Everything below ``/google``; the state is reached in Python by the same methods that the API uses."""

    name = "google"

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.meter = Meter()
        self.deliveries = Deliveries(lambda status: status in (500, 502, 503, 504))  # G-84
        self.base_url = ""
        self.wsgi: WSGIApplication = Flask("bridge.sandbox.google").wsgi_app
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
