"""The simulated Google Calendar and Google Tasks as a whole."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.types import WSGIApplication

from flask import Flask

from bridge.sandbox.clock import Clock
from bridge.sandbox.deliveries import Deliveries
from bridge.sandbox.google import app, calendars, conferences, consent, pages, seeding, tasks_pages
from bridge.sandbox.google.channels import Channels
from bridge.sandbox.google.events import Writer
from bridge.sandbox.google.listing import Walks
from bridge.sandbox.google.oauth import Ask, Grants
from bridge.sandbox.google.rules import Options
from bridge.sandbox.google.state import DEMO_PEOPLE, Calendar, Person, State
from bridge.sandbox.google.tasks_writing import TaskDesk
from bridge.sandbox.meter import Meter
from bridge.sandbox.pages import TEMPLATES


class Google:
    """Everything below ``/google``. One lock guards the whole state; ``transaction`` takes it and tells the channels."""

    name = "google"

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.meter = Meter()
        self.deliveries = Deliveries(lambda status: status in (500, 502, 503, 504))  # G-84
        self.base_url = ""
        flask = Flask("bridge.sandbox.google", template_folder=str(TEMPLATES), static_folder=None)
        flask.url_map.merge_slashes = False
        app.mount(flask, self)
        consent.mount(flask, self)
        pages.mount(flask, self)
        tasks_pages.mount(flask, self)
        self.wsgi: WSGIApplication = flask.wsgi_app
        self.entrance: WSGIApplication = self.wsgi
        self.reset()

    def reset(self) -> None:
        """Back to the demo people with empty calendars; tokens, channels, options and the meter as at first."""
        with self.lock:
            self.state = State(self.clock)
            self.grants = Grants(self.clock, self.state.switches)
            self.channels = Channels(self.clock, self.deliveries)
            self.walks, self.list_walks, self.task_walks = Walks(), Walks(), Walks()
            self.recent: defaultdict[str, deque[float]] = defaultdict(deque)
            for email, name, zone in DEMO_PEOPLE:
                self.state.add_person(email, name=name, zone=zone)
            self.state.dirty.clear()
            self.deliveries.clear()
            self.meter.reset()

    @contextmanager
    def transaction(self) -> Iterator[State]:
        """The state, to be read and changed by one at a time; what changed is told when it is over (G-83)."""
        with self.lock:
            conferences.settle(self.state)
            try:
                yield self.state
            finally:
                changed, self.state.dirty = self.state.dirty, {}
                self.channels.tell(changed)

    def add_person(self, email: str, *, name: str = "", zone: str = "UTC") -> Person:
        """An account with an empty primary calendar."""
        with self.transaction() as state:
            return state.add_person(email, name=name, zone=zone)

    def add_calendar(self, person: str, summary: str, *, zone: str | None = None) -> Calendar:
        """A secondary calendar of that person's."""
        with self.transaction() as state:
            given = {"summary": summary} | ({"timeZone": zone} if zone else {})
            return calendars.insert(state, state.person(person), given)

    def share(self, calendar: str, person: str, role: str) -> None:
        """Give a person a role on a calendar, or take it (``none``)."""
        with self.transaction() as state:
            calendars.share(state, state.calendars[calendar], person, role)

    def writer(self, person: str, calendar: str | None = None, *, send_updates: str = "none") -> Writer:
        """Writes as that person would by the API; use it within ``transaction``."""
        held = self.state.person(person)
        chosen = self.state.calendar(calendar or "primary", held, role="writer")
        return Writer(self.state, self.meter, held, chosen, Options(send_updates=send_updates))

    def task_desk(self, person: str, *, in_app: bool = False) -> TaskDesk:
        """Writes to that person's tasks as by the API, or as Google's own pages do; use it within ``transaction``."""
        return TaskDesk(self.state, self.state.shelves[self.state.person(person).email], in_app=in_app)

    def seed(self, person: str, count: int, *, calendar: str | None = None) -> list[str]:
        """``count`` different events, and a few tasks where there are none yet; the ids of the events."""
        if not 0 < count <= 20000:
            raise ValueError("count is between 1 and 20000")
        with self.transaction() as state:
            seeding.tasks(self.task_desk(person), state.now().date())
            return seeding.events(self.writer(person, calendar), count)

    def token(self, person: str, *scopes: str, client_id: str = "client") -> str:
        """An access token without the way through the browser, for tests of the API; by default for calendars and nothing else."""
        wanted = scopes or ("https://www.googleapis.com/auth/calendar",)
        with self.lock:
            ask = Ask(client_id, "http://localhost/", wanted, "", "", offline=False, prompt_consent=False, hint="")
            code = self.grants.consent(ask, self.state.person(person).email, wanted)
            return str(self.grants.exchange(code, client_id, "http://localhost/", "")["access_token"])

    def expire_tokens(self, person: str | None = None) -> int:
        """Let access tokens expire now; how many."""
        with self.lock:
            return self.grants.expire_access(person)

    def kill_grants(self, person: str | None = None) -> int:
        """Revoke refresh tokens and what came of them; how many (G-09)."""
        with self.lock:
            return self.grants.kill(person)

    def expire_sync_tokens(self) -> None:
        """Let every sync token and page token be refused from now on (G-35)."""
        with self.lock:
            self.walks.forget()
            self.list_walks.forget()
            self.task_walks.forget()

    def configure(self, options: dict[str, Any]) -> dict[str, Any]:
        """Change switches (``Switches`` names them); ``expire_sync_tokens`` true does that once."""
        with self.lock:
            if options.pop("expire_sync_tokens", False):
                self.expire_sync_tokens()
            return self.state.switches.change(options)
