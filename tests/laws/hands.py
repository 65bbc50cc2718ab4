"""A person's hands at each service: one field of one event edited, the way the service's own page or API would write it.

What an event looks like there is read first, so that each edit changes something. ``edits`` names, by field of ours, what can
be done to an event; the series of a ``when`` or a rule forgets its occurrences at every service (G-66, M-51), so these are for
events and series of which nothing more is said.
"""

import datetime as dt
from urllib.parse import quote

from bridge.providers.google.mapping import GoogleLens
from bridge.providers.graph.mapping import GraphLens
from tests.laws.dates import FROM, TO, ZONE

HALF = dt.timedelta(minutes=30)
TITLE = "Other words; and, more"


class Google:
    provider = "google"
    lens = GoogleLens(ZONE)

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
        "summary", "description", "location", "status", "transp", "classification", "reminders", "url", "color", "attendees",
        "when", "recurrence",
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
                before = [each["minutes"] for each in event.get("reminders", {}).get("overrides", ())]
                wanted = [{"method": "popup", "minutes": 9 if before == [7] else 7}]
                return {"reminders": {"useDefault": False, "overrides": wanted}}
            case "color":
                return {"colorId": "3" if event.get("colorId") == "11" else "11"}
            case "url":
                other = "https://example.net/other"
                return {
                    "source": {
                        "title": "Other",
                        "url": f"{other}s" if event.get("source", {}).get("url") == other else other,
                    }
                }
            case "attendees":
                known = event.get("attendees", [])
                return {"attendees": [*known, {"email": newcomer(each["email"] for each in known)}]}
            case "when":
                return {name: self._later(event[name]) for name in ("end",)}
            case "recurrence":
                return {"recurrence": [shortened(line) for line in event["recurrence"]]}
        raise NotImplementedError(field)

    def _later(self, time):
        if "date" in time:
            return {"date": (dt.date.fromisoformat(time["date"]) + dt.timedelta(days=1)).isoformat()}
        moved = dt.datetime.fromisoformat(time["dateTime"]) + HALF
        return {"dateTime": moved.isoformat(), "timeZone": time["timeZone"]}


def newcomer(known):
    """The address of one who is not among them."""
    known = set(known)
    return next(guest for guest in (f"yan{number}@example.org" for number in range(99)) if guest not in known)


def shortened(rule):
    """It ends after its second or third occurrence."""
    parts = [part for part in rule.split(";") if not part.startswith(("COUNT", "UNTIL", "RRULE:COUNT", "RRULE:UNTIL"))]
    head = ";".join(parts)
    count = 2 if "COUNT=3" in rule.split(";") else 3
    return f"{head if head.startswith('RRULE:') else 'RRULE:' + head};COUNT={count}"


class Graph:
    provider = "microsoft"
    lens = GraphLens(ZONE)

    def __init__(self, story):
        self.client = story.graph.client

    def _call(self, method, path, **more):
        answer = self.client.request(method, f"me/events/{path}", **more)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else {}

    def event(self, id):
        return self._call(
            "GET", quote(id, safe=""), headers={"Prefer": 'IdType="ImmutableId", outlook.body-content-type="text"'}
        )

    def occurrences(self, id):
        bounds = {"startDateTime": FROM.isoformat(), "endDateTime": TO.isoformat(), "$top": 20}
        return [one["id"] for one in self._call("GET", f"{quote(id, safe='')}/instances", params=bounds)["value"]]

    def edit(self, id, field):
        self._call("PATCH", quote(id, safe=""), json=self.body(self.event(id), field))

    def cancel(self, id):
        self._call("DELETE", quote(id, safe=""))

    fields = (
        "summary", "description", "location", "transp", "show_as", "classification", "reminders", "categories", "priority",
        "attendees", "when", "recurrence", "geo",
    )  # fmt: skip
    of_the_series = ()

    def body(self, event, field):
        match field:
            case "summary":
                return {"subject": TITLE if event["subject"] != TITLE else ""}
            case "description":
                said = event["body"]["content"].strip()
                return {"body": {"contentType": "text", "content": TITLE if said != TITLE else f"{TITLE} again"}}
            case "location":
                said = event["location"]["displayName"]
                return {"location": {"displayName": TITLE if said != TITLE else f"{TITLE} again"}}
            case "geo":
                old = event["location"].get("coordinates", {}).get("latitude")
                north = 48.25 if old != 48.25 else -33.5
                return {"location": {**event["location"], "coordinates": {"latitude": north, "longitude": 16.5}}}
            case "transp":
                return {"showAs": "busy" if event["showAs"] == "free" else "free"}
            case "show_as":
                return {"showAs": "tentative" if event["showAs"] == "oof" else "oof"}
            case "classification":
                return {"sensitivity": "confidential" if event["sensitivity"] == "private" else "private"}
            case "reminders":
                set_ = event["isReminderOn"] and event["reminderMinutesBeforeStart"] == 7
                return {"isReminderOn": True, "reminderMinutesBeforeStart": 9 if set_ else 7}
            case "categories":
                return {"categories": ["Another"] if event["categories"] == ["Other, too"] else ["Other, too"]}
            case "priority":
                return {"importance": "low" if event["importance"] == "high" else "high"}
            case "attendees":
                known = [{"emailAddress": each["emailAddress"], "type": each["type"]} for each in event["attendees"]]
                guest = newcomer(each["emailAddress"]["address"] for each in known)
                return {"attendees": [*known, {"emailAddress": {"address": guest}, "type": "required"}]}
            case "when":
                by = dt.timedelta(days=1) if event["isAllDay"] else HALF
                moved = dt.datetime.fromisoformat(event["end"]["dateTime"][:19]) + by
                return {"end": {"dateTime": moved.isoformat(), "timeZone": event["end"]["timeZone"]}}
            case "recurrence":
                there = event["recurrence"]["range"]
                count = 2 if there.get("numberOfOccurrences") == 3 else 3
                limits = {"type": "numbered", "numberOfOccurrences": count, "startDate": there["startDate"]}
                return {"recurrence": {"pattern": event["recurrence"]["pattern"], "range": limits}}
        raise NotImplementedError(field)
