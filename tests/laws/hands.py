"""A person's hands at each service: one field of one event edited, the way the service's own page or API would write it.

What an event looks like there is read first, so that each edit changes something. ``edits`` names, by field of ours, what can
be done to an event; the series of a ``when`` or a rule forgets its occurrences at every service (G-66, M-51), so these are for
events and series of which nothing more is said.
"""

import datetime as dt
from urllib.parse import quote

from tests.e2e.dates import FROM, TO

HALF = dt.timedelta(minutes=30)
TITLE = "Other words; and, more"
GUEST = "yan@example.org"


class Google:
    provider = "google"

    def __init__(self, story):
        self.client = story.google.client

    def _call(self, method, path, **more):
        answer = self.client.request(method, f"calendars/primary/events/{path}", **more)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else {}

    def event(self, id):
        return self._call("GET", quote(id))

    def occurrences(self, id):
        bounds = {"timeMin": FROM.isoformat(), "timeMax": TO.isoformat(), "maxResults": 20}
        return [one["id"] for one in self._call("GET", f"{quote(id)}/instances", params=bounds)["items"]]

    def edit(self, id, field):
        self._call("PATCH", quote(id), json=self.body(self.event(id), field))

    def cancel(self, id):
        self._call("DELETE", quote(id))

    fields = (
        "summary", "description", "location", "status", "transp", "classification", "reminders", "url", "attendees", "when",
        "recurrence",
    )  # fmt: skip
    of_the_series = ("classification",)

    def body(self, event, field):
        match field:
            case "summary" | "description" | "location":
                return {field: TITLE if event.get(field) != TITLE else ""}
            case "status":
                return {"status": "confirmed" if event["status"] == "tentative" else "tentative"}
            case "transp":
                return {"transparency": "opaque" if event.get("transparency") == "transparent" else "transparent"}
            case "classification":
                return {"visibility": "confidential" if event.get("visibility") == "private" else "private"}
            case "reminders":
                return {"reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 7}]}}
            case "url":
                return {"source": {"title": "Other", "url": "https://example.net/other"}}
            case "attendees":
                return {"attendees": [*event.get("attendees", []), {"email": GUEST}]}
            case "when":
                return {name: self._later(event[name]) for name in ("end",)}
            case "recurrence":
                return {"recurrence": [_shortened(line) for line in event["recurrence"]]}
        raise NotImplementedError(field)

    def _later(self, time):
        if "date" in time:
            return {"date": (dt.date.fromisoformat(time["date"]) + dt.timedelta(days=1)).isoformat()}
        moved = dt.datetime.fromisoformat(time["dateTime"]) + HALF
        return {"dateTime": moved.isoformat(), "timeZone": time["timeZone"]}


def _shortened(rule):
    parts = [part for part in rule.split(";") if not part.startswith(("COUNT", "UNTIL", "RRULE:COUNT", "RRULE:UNTIL"))]
    head = ";".join(parts)
    return f"{head if head.startswith('RRULE:') else 'RRULE:' + head};COUNT=3"


class Graph:
    provider = "microsoft"

    def __init__(self, story):
        self.client = story.graph.client

    def _call(self, method, path, **more):
        answer = self.client.request(method, f"me/events/{path}", **more)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else {}

    def event(self, id):
        return self._call("GET", quote(id, safe=""), headers={"Prefer": 'IdType="ImmutableId", outlook.body-content-type="text"'})

    def occurrences(self, id):
        bounds = {"startDateTime": FROM.isoformat(), "endDateTime": TO.isoformat(), "$top": 20}
        return [one["id"] for one in self._call("GET", f"{quote(id, safe='')}/instances", params=bounds)["value"]]

    def edit(self, id, field):
        self._call("PATCH", quote(id, safe=""), json=self.body(self.event(id), field))

    def cancel(self, id):
        self._call("DELETE", quote(id, safe=""))

    fields = (
        "summary", "description", "location", "transp", "show_as", "classification", "reminders", "categories", "priority",
        "attendees", "when", "recurrence",
    )  # fmt: skip
    of_the_series = ()

    def body(self, event, field):
        match field:
            case "summary":
                return {"subject": TITLE if event["subject"] != TITLE else ""}
            case "description":
                return {"body": {"contentType": "text", "content": TITLE}}
            case "location":
                return {"location": {"displayName": TITLE}}
            case "transp":
                return {"showAs": "busy" if event["showAs"] == "free" else "free"}
            case "show_as":
                return {"showAs": "tentative" if event["showAs"] == "oof" else "oof"}
            case "classification":
                return {"sensitivity": "confidential" if event["sensitivity"] == "private" else "private"}
            case "reminders":
                return {"isReminderOn": True, "reminderMinutesBeforeStart": 7}
            case "categories":
                return {"categories": ["Other, too"]}
            case "priority":
                return {"importance": "low" if event["importance"] == "high" else "high"}
            case "attendees":
                known = [{"emailAddress": each["emailAddress"], "type": each["type"]} for each in event["attendees"]]
                return {"attendees": [*known, {"emailAddress": {"address": GUEST}, "type": "required"}]}
            case "when":
                by = dt.timedelta(days=1) if event["isAllDay"] else HALF
                moved = dt.datetime.fromisoformat(event["end"]["dateTime"][:19]) + by
                return {"end": {"dateTime": moved.isoformat(), "timeZone": event["end"]["timeZone"]}}
            case "recurrence":
                limits = {"type": "numbered", "numberOfOccurrences": 3, "startDate": event["recurrence"]["range"]["startDate"]}
                return {"recurrence": {"pattern": event["recurrence"]["pattern"], "range": limits}}
        raise NotImplementedError(field)
