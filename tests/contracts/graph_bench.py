"""The bench of Graph: the simulated service, and its owner's hands as plain REST calls that know nothing of the mapping."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import parse_qsl, quote, urlsplit
from zoneinfo import ZoneInfo

import httpx

from bridge.errors import Unmappable
from bridge.outside import trust
from bridge.providers.graph.oauth import access_token
from bridge.providers.graph.provider import GraphProvider
from tests.contracts.bench import KeptTokens

PERSON = "alex@example.com"
SECRET = "a-secret-of-the-app-registration"
REDIRECT = "http://127.0.0.1:5232/oauth/return"
API = r"^/microsoft/v1\.0/"
CREATION = r"^/microsoft/v1\.0/me/calendars/[^/]+/events(\?|$)"
REFUSED = {"status": 400, "body": {"error": {"code": "ErrorInvalidRequest", "message": "Invalid."}}}
TROUBLES = {
    "down": {"status": 503},
    "busy": {
        "status": 429,
        "headers": {"Retry-After": "7"},
        "body": {"error": {"code": "TooManyRequests", "message": "Too many requests."}},
    },
    "answer lost": {"drop": True, "phase": "after"},
}
WINDOWS = {"Europe/Vienna": "W. Europe Standard Time"}
DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def provider(sandbox, **more):
    base = f"{sandbox.url}/microsoft"
    return GraphProvider(
        graph_url=f"{base}/v1.0",
        authority=f"{base}/common",
        client_id="caldav-bridge",
        client_secret=SECRET,
        window_past=dt.timedelta(days=180),
        window_future=dt.timedelta(days=900),
        **more,
    )


@contextmanager
def without_tasks(sandbox):
    """One that never asks for lists of to-dos."""
    microsoft = provider(sandbox, tasks=False)
    try:
        yield microsoft
    finally:
        microsoft.close()


def decide(url, **form):
    """What the browser does on the consent page; the query with which it returns."""
    answer = httpx.post(url, data=form)
    assert answer.status_code == 302, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def agree(url):
    return decide(url, decision="allow", person=PERSON)


def connect(microsoft):
    consent = microsoft.begin(redirect_uri=REDIRECT)
    return KeptTokens(microsoft.finish(consent.memory, agree(consent.url)))


class GraphBench:
    revives = False  # Graph has no call for it (M-49)
    refusal = Unmappable
    remembers = False
    by_name = False
    forgets = True
    forgets_listings = True

    def __init__(self, sandbox, client, microsoft):
        self.sandbox, self.service, self.client = sandbox, sandbox.microsoft, client
        self.tokens = connect(microsoft)
        self.account = microsoft.account(self.tokens)
        self.calendar = next(each for each in self.account.calendars() if each.primary)
        self.remote = self.account.remote(self.calendar)
        self.client.headers["Authorization"] = f"Bearer {access_token(self.tokens.load())}"

    # --- the owner's hands

    def _call(self, method, path, **more):
        answer = self.client.request(method, f"me/{path}", **more)
        answer.raise_for_status()
        return answer.json() if answer.content else {}

    def _event(self, id):
        return self._call("GET", f"events/{quote(id, safe='')}")

    def _times(self, start, end, zone):
        if not isinstance(start, dt.datetime):
            start, end = (dt.datetime.combine(day, dt.time()) for day in (start, end))
            return {"isAllDay": True, "start": self._time(start, "UTC"), "end": self._time(end, "UTC")}
        return {"isAllDay": False, "start": self._time(start, zone), "end": self._time(end, zone)}

    def _time(self, value, zone):
        return {"dateTime": value.isoformat(), "timeZone": WINDOWS.get(zone, zone)}

    def _recurrence(self, rule, start):
        parts = dict(part.split("=") for part in rule.split(";"))
        pattern = {"type": parts["FREQ"].lower(), "interval": 1}
        if pattern["type"] == "weekly":
            pattern |= {"daysOfWeek": [DAYS[start.weekday()]], "firstDayOfWeek": "monday"}
        count = {"type": "numbered", "numberOfOccurrences": int(parts["COUNT"])}
        return {"pattern": pattern, "range": {**count, "startDate": start.isoformat()[:10]}}

    def add(self, event):
        body = {"subject": event.title, "isReminderOn": False, **self._times(event.start, event.end, event.zone)}
        if event.rule:
            body["recurrence"] = self._recurrence(event.rule, event.start)
        return self._call("POST", "events", json=body)["id"]

    def _write(self, id, body):
        self._call("PATCH", f"events/{quote(id, safe='')}", json=body)

    def retitle(self, id, title):
        self._write(id, {"subject": title})

    def reschedule(self, id, start, end):
        self._write(id, self._times(start, end, self._event(id)["originalStartTimeZone"]))

    def change_rule(self, id, rule):
        shown = self._event(id)
        start = dt.date.fromisoformat(shown["recurrence"]["range"]["startDate"])
        self._write(id, {"recurrence": self._recurrence(rule, start)})

    def remove(self, id):
        self._call("DELETE", f"events/{quote(id, safe='')}")

    def _instances(self, id, start, end):
        window = {"startDateTime": start.isoformat(), "endDateTime": end.isoformat(), "$top": "1000"}
        return self._call("GET", f"events/{quote(id, safe='')}/instances", params=window)["value"]

    def _occurrence(self, id, original):
        zone = ZoneInfo("UTC")
        if isinstance(original, dt.datetime):
            zone = ZoneInfo({name: iana for iana, name in WINDOWS.items()}[self._event(id)["originalStartTimeZone"]])
        else:
            original = dt.datetime.combine(original, dt.time())
        moment = original.replace(tzinfo=zone).astimezone(dt.UTC)
        around = self._instances(id, moment - dt.timedelta(days=3), moment + dt.timedelta(days=3))
        (found,) = (each for each in around if dt.datetime.fromisoformat(each["originalStart"]) == moment)
        return found["id"]

    def move_occurrence(self, id, original, start, end):
        self.reschedule(self._occurrence(id, original), start, end)

    def retitle_occurrence(self, id, original, title):
        self.retitle(self._occurrence(id, original), title)

    def remove_occurrence(self, id, original):
        self.remove(self._occurrence(id, original))

    def titles(self):
        return sorted(each["subject"] for each in self._call("GET", "events", params={"$top": "1000"})["value"])

    def occurrences(self, id, start, end):
        event = self._event(id)
        shown = self._instances(id, start, end) if event["type"] == "seriesMaster" else [event]
        return sorted((self._shown(each), each["subject"]) for each in shown)

    def _shown(self, event):
        start = dt.datetime.fromisoformat(event["start"]["dateTime"][:19])
        assert event["start"]["timeZone"] == "UTC"
        return start.date().isoformat() if event["isAllDay"] else start.strftime("%Y%m%dT%H%M%SZ")

    # --- the service

    def page_size(self, size):
        self.remote.listing = replace(self.remote.listing, page_size=size)

    def forget_cursors(self):
        self.service.lose_sync_state()

    @contextmanager
    def trouble(self, kind):
        self.sandbox.faults.inject(path=API, times=100, **TROUBLES[kind])
        yield
        self.sandbox.faults.clear()

    def strike_creation(self, number, kind):
        trouble = TROUBLES.get(kind, REFUSED)
        if number > 1:
            self.sandbox.faults.inject(method="POST", path=CREATION, times=number - 1, delay=0.001)
        self.sandbox.faults.inject(method="POST", path=CREATION, **trouble)

    def wait_over(self):
        self.remote._api.pace._rest_until = float("-inf")

    def requests(self):
        return self.service.meter.requests

    def writes(self):
        return self.service.meter.writes

    def mails(self):
        return len(self.service.meter.mails)


class GraphSignIn:
    client_secret = SECRET

    def __init__(self, sandbox, microsoft):
        self.sandbox, self.service, self.provider = sandbox, sandbox.microsoft, microsoft

    def consent(self, url):
        return agree(url)

    def decline(self, url):
        return decide(url, decision="deny")

    def expire_tokens(self):
        self.service.expire_tokens()

    def kill_grants(self):
        self.service.kill_grants()

    def rotate(self):
        self.service.configure({"revoke_used_refresh_tokens": True})

    @contextmanager
    def token_endpoint_down(self):
        self.sandbox.faults.inject(path=r"^/microsoft/.*/token$", times=100, status=503)
        yield
        self.sandbox.faults.clear()

    def refreshes(self):
        return self.service.meter.routes["POST /oauth2/v2.0/token"]

    def api_calls(self):
        return self.service.meter.requests - self.refreshes()


@contextmanager
def opened(sandbox):
    sandbox.reset()
    microsoft = provider(sandbox)
    try:
        yield microsoft
    finally:
        microsoft.close()


@contextmanager
def open_bench(sandbox):
    headers = {"Prefer": 'IdType="ImmutableId"'}
    client = httpx.Client(base_url=f"{sandbox.url}/microsoft/v1.0/", headers=headers, verify=trust())
    with opened(sandbox) as microsoft, client:
        yield GraphBench(sandbox, client, microsoft)


@contextmanager
def open_sign_in(sandbox):
    with opened(sandbox) as microsoft:
        yield GraphSignIn(sandbox, microsoft)
