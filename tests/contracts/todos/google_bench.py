"""The bench of Google Tasks: the simulated service, and its owner's hands as plain REST calls that know nothing of the mapping.

What is completed, is completed in Google's own app, which hides it (G-102).
"""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlsplit

import httpx

from tests.contracts.bench import KeptTokens
from tests.contracts.google_bench import PERSON, REDIRECT, TROUBLES, connect, decide, provider
from tests.contracts.todos.bench import Shown

SCOPE = "https://www.googleapis.com/auth/tasks"
API = r"^/google/tasks/"


class GoogleTasksBench:
    marked = False

    def __init__(self, sandbox, client):
        self.sandbox, self.service, self.client = sandbox, sandbox.google, client
        self.provider = provider(sandbox)
        self.account = self.provider.account(connect(self.provider))
        self.calendar = next(each for each in self.account.calendars() if each.primary and each.component == "VTODO")
        self.remote = self.account.remote(self.calendar)

    # --- the owner's hands

    def _call(self, method, path, **more):
        answer = self.client.request(method, f"lists/@default/tasks{path}", **more)
        answer.raise_for_status()
        return answer.json() if answer.content else {}

    def add(self, title, *, notes="", due=None):
        body = {"title": title, "notes": notes or None, "due": self._due(due)}
        return self._call("POST", "", json={name: value for name, value in body.items() if value is not None})["id"]

    def _due(self, due):
        return f"{due.isoformat()}T00:00:00.000Z" if due else None

    def retitle(self, id, title):
        self._call("PATCH", f"/{id}", json={"title": title})

    def reschedule(self, id, due):
        self._call("PATCH", f"/{id}", json={"due": self._due(due)})

    def finish(self, id):
        self._in_app(id, "completed")

    def reopen(self, id):
        self._in_app(id, "needsAction")

    def _in_app(self, id, status):
        with self.service.transaction():
            desk = self.service.task_desk(PERSON, in_app=True)
            desk.change(desk.list_of("@default"), id, {"status": status}, None, whole=False)

    def remove(self, id):
        self._call("DELETE", f"/{id}")

    def shown(self, id):
        task = self._call("GET", f"/{id}")
        due = dt.date.fromisoformat(task["due"][:10]) if "due" in task else None
        return Shown(task["title"], task.get("notes", ""), due, task["status"] == "completed")

    def titles(self):
        everything = {"showHidden": True, "showAssigned": True, "maxResults": 100}
        return sorted(each["title"] for each in self._call("GET", "", params=everything).get("items", ()))

    def add_list(self, name):
        answer = self.client.post("users/@me/lists", json={"title": name})
        answer.raise_for_status()
        return answer.json()["id"]

    def remove_list(self, id):
        self.client.delete(f"users/@me/lists/{id}").raise_for_status()

    # --- the service

    def page_size(self, size):
        self.remote.page_size = size

    def forget_cursors(self):
        self.service.expire_sync_tokens()

    @contextmanager
    def trouble(self, kind):
        self.sandbox.faults.inject(path=API, times=100, **TROUBLES[kind])
        yield
        self.sandbox.faults.clear()

    def wait_over(self):
        self.remote._api._pace._rest_until = float("-inf")

    def requests(self):
        return self.service.meter.requests

    def writes(self):
        return self.service.meter.writes

    def without_consent(self):
        consent = self.provider.begin(redirect_uri=REDIRECT)
        asked = dict(parse_qsl(urlsplit(consent.url).query))["scope"].split()
        assert SCOPE in asked
        answer = decide(consent.url, decision="allow", person=PERSON, scope=[each for each in asked if each != SCOPE])
        return self.provider.account(KeptTokens(self.provider.finish(consent.memory, answer)))


@contextmanager
def open_bench(sandbox):
    sandbox.reset()
    headers = {"Authorization": f"Bearer {sandbox.google.token(PERSON, SCOPE, client_id='hands')}"}
    with httpx.Client(base_url=f"{sandbox.url}/google/tasks/v1/", headers=headers) as client:
        yield GoogleTasksBench(sandbox, client)
