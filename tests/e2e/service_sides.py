"""The same person in Google's and Outlook's own pages: the benches' hands, and the services' own expansion as their eyes."""

import datetime as dt

from tests.contracts.google_bench import GoogleBench
from tests.contracts.graph_bench import GraphBench


class GoogleSide(GoogleBench):
    """The bench's hands without its remote."""

    name = "google"

    def __init__(self, client):  # not the bench's own, which would connect a second bridge
        self.client = client

    def _list(self, **query):
        items, token = [], None
        while True:
            asked = {"maxResults": 2500, **query, **({"pageToken": token} if token else {})}
            page = self.client.get("calendars/primary/events", params=asked).raise_for_status().json()
            items += page["items"]
            token = page.get("nextPageToken")
            if token is None:
                return items

    def find(self, title):
        return next(one["id"] for one in self._list(singleEvents="false") if one.get("summary") == title)

    def shows(self, start, end):
        bounds = {"timeMin": start.isoformat(), "timeMax": end.isoformat()}
        return sorted(
            (_google(one["start"]), _google(one["end"]), one.get("summary", ""))
            for one in self._list(singleEvents="true", **bounds)
        )


class GraphSide(GraphBench):
    """The bench's hands without its remote."""

    name = "graph"

    def __init__(self, client):  # not the bench's own, which would connect a second bridge
        self.client = client

    def _list(self, path, **query):
        url, items = path, []
        query = {"$top": 500, **query}
        while url:
            page = self.client.get(url, params=query or None).raise_for_status().json()
            items += page["value"]
            url, query = page.get("@odata.nextLink"), {}
        return items

    def find(self, title):
        return next(one["id"] for one in self._list("me/events") if one["subject"] == title)

    def shows(self, start, end):
        form = "%Y-%m-%dT%H:%M:%SZ"
        listed = self._list("me/calendarView", startDateTime=start.strftime(form), endDateTime=end.strftime(form))
        return sorted((_graph(one, "start"), _graph(one, "end"), one["subject"]) for one in listed)


def _google(time):
    if "date" in time:
        return time["date"]
    return dt.datetime.fromisoformat(time["dateTime"]).astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")


def _graph(event, side):
    """Graph answers in UTC unless asked otherwise (M-36); all-day events from midnight to midnight (M-40)."""
    assert event[side]["timeZone"] == "UTC"
    day, _, time = event[side]["dateTime"].partition("T")
    return day if event["isAllDay"] else f"{day.replace('-', '')}T{time[:8].replace(':', '')}Z"
