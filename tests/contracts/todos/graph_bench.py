"""The bench of Microsoft To Do: the simulated service, and its owner's hands as plain REST calls that know nothing of the mapping.

Nothing can be without a title there: what is called ``(no title)`` has none.
"""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import httpx

from bridge.providers.graph.oauth import access_token
from tests.contracts import graph_bench
from tests.contracts.bench import KeptTokens
from tests.contracts.graph_bench import REDIRECT, TROUBLES, agree, connect, provider
from tests.contracts.todos.bench import Shown

API = r"^/microsoft/v1\.0/(me/todo/|\$batch)"
ZONE = "W. Europe Standard Time"
VIENNA = ZoneInfo("Europe/Vienna")


class GraphTodoBench:
    marked = True

    def __init__(self, sandbox, client):
        self.sandbox, self.service, self.client = sandbox, sandbox.microsoft, client
        self.provider = provider(sandbox)
        tokens = connect(self.provider)
        self.client.headers["Authorization"] = f"Bearer {access_token(tokens.load())}"
        self.account = self.provider.account(tokens)
        self.calendar = next(each for each in self.account.calendars() if each.primary and each.component == "VTODO")
        self.remote = self.account.remote(self.calendar)

    # --- the owner's hands

    def call(self, method, path="", **more):
        answer = self.client.request(method, f"me/todo/lists/{self.calendar.id}/tasks{path}", **more)
        answer.raise_for_status()
        return answer.json() if answer.content else {}

    def add(self, title, *, notes="", due=None, **more):
        body = {"title": title, "body": {"contentType": "text", "content": notes}, **more}
        return self.call("POST", json=body | ({"dueDateTime": self.at(due)} if due else {}))["id"]

    def at(self, day, time="00:00:00"):
        return {"dateTime": f"{day.isoformat()}T{time}", "timeZone": ZONE} if day else None

    def write(self, id, **body):
        self.call("PATCH", f"/{id}", json=body)

    def retitle(self, id, title):
        self.write(id, title=title)

    def reschedule(self, id, due):
        self.write(id, dueDateTime=self.at(due))

    def finish(self, id):
        self.write(id, status="completed")

    def reopen(self, id):
        self.write(id, status="notStarted")

    def remove(self, id):
        self.call("DELETE", f"/{id}")

    def task(self, id):
        return self.call("GET", f"/{id}", params={"$expand": "linkedResources"})

    def tasks(self):
        return self.call("GET", params={"$top": "500"})["value"]

    def shown(self, id):
        task = self.task(id)
        title = "" if task["title"] == "(no title)" else task["title"]
        due = self._day(task["dueDateTime"]) if "dueDateTime" in task else None
        return Shown(title, task["body"]["content"], due, task["status"] == "completed")

    def _day(self, told):
        assert told["timeZone"] == "UTC"
        moment = dt.datetime.fromisoformat(told["dateTime"][:19]).replace(tzinfo=dt.UTC)
        return moment.astimezone(VIENNA).date()

    def titles(self):
        return sorted(each["title"] for each in self.tasks())

    def add_list(self, name):
        answer = self.client.post("me/todo/lists", json={"displayName": name})
        answer.raise_for_status()
        return answer.json()["id"]

    def remove_list(self, id):
        self.client.delete(f"me/todo/lists/{id}").raise_for_status()

    # --- the service

    def page_size(self, size):
        self.remote.page_size = size

    def forget_cursors(self):
        self.service.lose_sync_state()

    @contextmanager
    def trouble(self, kind):
        self.sandbox.faults.inject(path=API, times=100, **TROUBLES[kind])
        yield
        self.sandbox.faults.clear()

    def wait_over(self):
        self.remote._api.pace._rest_until = float("-inf")

    def requests(self):
        return self.service.meter.requests

    def writes(self):
        return self.service.meter.writes

    def without_consent(self):
        """Connected before there were lists: Microsoft's page has no boxes."""
        with graph_bench.without_tasks(self.sandbox) as old:
            consent = old.begin(redirect_uri=REDIRECT)
            assert "Tasks" not in consent.url
            return self.provider.account(KeptTokens(old.finish(consent.memory, agree(consent.url))))


@contextmanager
def open_bench(sandbox):
    sandbox.reset()
    headers = {"Prefer": 'IdType="ImmutableId"'}
    with httpx.Client(base_url=f"{sandbox.url}/microsoft/v1.0/", headers=headers) as client:
        bench = GraphTodoBench(sandbox, client)
        yield bench
        bench.provider.close()
