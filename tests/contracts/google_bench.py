"""The bench of Google: the simulated service, and its owner's hands as plain REST calls that know nothing of the mapping."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from urllib.parse import parse_qsl, quote, urlsplit
from zoneinfo import ZoneInfo

import httpx

from bridge.errors import Unmappable
from bridge.outside import trust
from bridge.providers.google.provider import GoogleProvider
from tests.contracts.bench import KeptTokens

PERSON = "alex@example.com"
SECRET = "a-secret-of-the-oauth-client"
REDIRECT = "http://127.0.0.1:5232/oauth/return"
API = r"^/google/(calendar|batch)/"
CREATION = r"^/google/calendar/v3/calendars/[^/]+/events(\?|$)"
REFUSED = {
    "status": 400,
    "body": {"error": {"code": 400, "errors": [{"domain": "global", "reason": "invalid", "message": "Invalid."}]}},
}
TROUBLES = {
    "down": {"status": 503},
    "busy": {
        "status": 403,  # which is what Google says it with (G-91)
        "headers": {"Retry-After": "7"},
        "body": {"error": {"code": 403, "errors": [{"domain": "usageLimits", "reason": "rateLimitExceeded"}]}},
    },
    "answer lost": {"drop": True, "phase": "after"},
}


def provider(sandbox):
    base = f"{sandbox.url}/google"
    return GoogleProvider(
        api_url=base,
        auth_url=f"{base}/o/oauth2/v2/auth",
        token_url=f"{base}/token",
        client_id="caldav-bridge",
        client_secret=SECRET,
        now=lambda: dt.datetime.now(dt.UTC),
    )


def decide(url, **form):
    """What the browser does on the consent page; the query with which it returns."""
    answer = httpx.post(url, data=form)
    assert answer.status_code == 302, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def agree(url):
    scopes = dict(parse_qsl(urlsplit(url).query))["scope"].split()
    return decide(url, decision="allow", person=PERSON, scope=scopes)


def connect(google):
    consent = google.begin(redirect_uri=REDIRECT)
    return KeptTokens(google.finish(consent.memory, agree(consent.url)))


class GoogleBench:
    revives = True
    refusal = Unmappable
    remembers = True
    by_name = False
    forgets = True
    forgets_listings = True

    def __init__(self, sandbox, client):
        self.sandbox, self.service, self.client = sandbox, sandbox.google, client
        google = provider(sandbox)
        self.account = google.account(connect(google))
        self.calendar = next(each for each in self.account.calendars() if each.primary)
        self.remote = self.account.remote(self.calendar)

    # --- the owner's hands

    def _call(self, method, path, **more):
        answer = self.client.request(method, f"calendars/primary/events{path}", **more)
        answer.raise_for_status()
        return answer.json() if answer.content else {}

    def _time(self, value, zone):
        if not isinstance(value, dt.datetime):
            return {"date": value.isoformat(), "dateTime": None, "timeZone": None}
        return {"date": None, "dateTime": value.isoformat(), "timeZone": zone}

    def add(self, event):
        body = {
            "summary": event.title,
            "start": self._time(event.start, event.zone),
            "end": self._time(event.end, event.zone),
        }
        if event.rule:
            body["recurrence"] = [f"RRULE:{event.rule}"]
        return self._call("POST", "", json=body)["id"]

    def retitle(self, id, title):
        self._call("PATCH", f"/{quote(id)}", json={"summary": title})

    def reschedule(self, id, start, end):
        zone = self._call("GET", f"/{quote(id)}")["start"].get("timeZone")
        self._call("PATCH", f"/{quote(id)}", json={"start": self._time(start, zone), "end": self._time(end, zone)})

    def change_rule(self, id, rule):
        self._call("PATCH", f"/{quote(id)}", json={"recurrence": [f"RRULE:{rule}"]})

    def remove(self, id):
        self._call("DELETE", f"/{quote(id)}")

    def _instance(self, id, original):
        zone = self._call("GET", f"/{quote(id)}")["start"].get("timeZone")
        if isinstance(original, dt.datetime):
            original = original.replace(tzinfo=ZoneInfo(zone))
        (found,) = self._call("GET", f"/{quote(id)}/instances", params={"originalStart": original.isoformat()})["items"]
        return found["id"], zone

    def move_occurrence(self, id, original, start, end):
        self.reschedule(self._instance(id, original)[0], start, end)

    def retitle_occurrence(self, id, original, title):
        self.retitle(self._instance(id, original)[0], title)

    def remove_occurrence(self, id, original):
        self.remove(self._instance(id, original)[0])

    def titles(self):
        events = self._call("GET", "", params={"maxResults": 2500})["items"]
        return sorted(
            each.get("summary", "")
            for each in events
            if each["status"] != "cancelled" and "recurringEventId" not in each
        )

    def occurrences(self, id, start, end):
        if "recurrence" in (event := self._call("GET", f"/{quote(id)}")):
            bounds = {"timeMin": start.isoformat(), "timeMax": end.isoformat(), "maxResults": 2500}
            events = self._call("GET", f"/{quote(id)}/instances", params=bounds)["items"]
        else:
            events = [event]
        return sorted((self._shown(each["start"]), each.get("summary", "")) for each in events)

    def _shown(self, time):
        if "date" in time:
            return time["date"]
        return dt.datetime.fromisoformat(time["dateTime"]).astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")

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

    def strike_creation(self, number, kind):
        trouble = TROUBLES.get(kind, REFUSED)
        if number > 1:
            self.sandbox.faults.inject(method="POST", path=CREATION, times=number - 1, delay=0.001)
        self.sandbox.faults.inject(method="POST", path=CREATION, **trouble)

    def wait_over(self):
        self.remote._api._pace._rest_until = float("-inf")

    def requests(self):
        return self.service.meter.requests

    def writes(self):
        return self.service.meter.writes

    def mails(self):
        return len(self.service.meter.mails)


class GoogleSignIn:
    client_secret = SECRET

    def __init__(self, sandbox):
        self.sandbox, self.service = sandbox, sandbox.google
        self.provider = provider(sandbox)

    def consent(self, url):
        return agree(url)

    def decline(self, url):
        return decide(url, decision="deny")

    def expire_tokens(self):
        self.service.expire_tokens()

    def kill_grants(self):
        self.service.kill_grants()

    def rotate(self):
        self.service.configure({"rotate_refresh_tokens": True})

    @contextmanager
    def token_endpoint_down(self):
        self.sandbox.faults.inject(path="^/google/token", times=100, status=503)
        yield
        self.sandbox.faults.clear()

    def refreshes(self):
        return len(self.service.grants.access)

    def api_calls(self):
        return self.service.meter.requests


@contextmanager
def open_bench(sandbox):
    sandbox.reset()
    headers = {"Authorization": f"Bearer {sandbox.google.token(PERSON, client_id='hands')}"}
    with httpx.Client(base_url=f"{sandbox.url}/google/calendar/v3/", headers=headers, verify=trust()) as client:
        yield GoogleBench(sandbox, client)


@contextmanager
def open_sign_in(sandbox):
    sandbox.reset()
    yield GoogleSignIn(sandbox)
