"""The page on which people play: what they do there is what the API sees."""

import re
from html import unescape

import httpx
import pytest

from tests.support.simulated_google import Receiver, weekly

P = {"calendarId": "primary"}
WHO = {"person": "alex@example.com", "calendar": "alex@example.com"}
FORM = WHO | {
    "summary": "Stand-up <b>",
    "first": "2026-03-16",
    "last": "2026-03-16",
    "from": "09:00",
    "to": "09:30",
    "zone": "Europe/Vienna",
}


@pytest.fixture
def page(google):
    with httpx.Client(base_url=f"{google.base_url}/", follow_redirects=True) as browser:
        yield browser


def instances(events, series):
    return [
        item["start"].get("dateTime", item["start"].get("date"))[:16]
        for item in events.instances(**P, eventId=series).execute()["items"]
    ]


def only_new(events, token):
    return [item for item in events.list(**P, syncToken=token).execute()["items"] if item["status"] != "cancelled"]


def test_month_and_list_show_every_calendar(google, page, events):
    side = google.add_calendar("alex@example.com", "Side").id
    events.insert(calendarId=side, body=weekly(summary="On the side")).execute()
    for view in ("month", "agenda"):
        shown = page.get("./", params={"person": "alex@example.com", "month": "2026-03", "view": view})
        assert shown.status_code == 200
        assert shown.text.count("On the side <span") == 3
    link = unescape(re.search(r'href="(event[?][^"]+)"', shown.text)[1])
    assert 'value="On the side"' in page.get(link).text


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        ({}, None),
        ({"repeat": "WEEKLY", "count": "4"}, ["RRULE:FREQ=WEEKLY;COUNT=4"]),
        ({"repeat": "DAILY"}, ["RRULE:FREQ=DAILY"]),
        ({"all_day": "1", "last": "2026-03-18", "repeat": "MONTHLY"}, ["RRULE:FREQ=MONTHLY"]),
    ],
)
def test_adding_is_seen_by_sync_and_push(google, page, events, change, lines):
    token = events.list(**P).execute()["nextSyncToken"]
    with Receiver() as receiver:
        events.watch(**P, body={"id": "c1", "type": "web_hook", "address": receiver.url}).execute()
        answer = page.post("new", data=FORM | change)
        assert google.deliveries.wait_idle()
    assert len(receiver.messages) == 2
    assert answer.status_code == 200
    assert "Stand-up &lt;b&gt;" in answer.text
    (event,) = only_new(events, token)
    assert event.get("recurrence") == lines
    if "all_day" in change:
        assert (event["start"], event["end"]) == ({"date": "2026-03-16"}, {"date": "2026-03-19"})
    else:
        assert event["start"] == {"dateTime": "2026-03-16T09:00:00+01:00", "timeZone": "Europe/Vienna"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"first": "soon"}, "please give a date"),
        ({"from": ""}, "please give a time"),
        ({"to": "08:00"}, "ends before it begins"),
        ({"zone": "Middle/Earth"}, "no time zone"),
        ({"repeat": "HOURLY"}, "how often"),
        ({"repeat": "DAILY", "count": "none"}, "between 1 and 999"),
        ({"all_day": "1", "last": "2026-03-01"}, "before the first day"),
        ({"calendar": "sam@example.com"}, "Not Found"),
    ],
)
def test_bad_input_is_explained_and_kept(page, change, words):
    answer = page.post("new", data=FORM | change)
    assert answer.status_code == 400
    assert words in answer.text
    assert "Stand-up &lt;b&gt;" in answer.text


def test_changing_one_occurrence(page, events):
    series = events.insert(**P, body=weekly()).execute()["id"]
    form = FORM | {"id": f"{series}_20260330T070000Z", "scope": "this", "first": "2026-03-31", "last": "2026-03-31"}
    assert page.post("event", data=form).status_code == 200
    assert instances(events, series) == [f"2026-{day}T09:00" for day in ("03-16", "03-23", "03-31", "04-06", "04-13")]


def test_g63_this_and_following_splits_the_series(page, events):
    series = events.insert(**P, body=weekly()).execute()["id"]
    token = events.list(**P).execute()["nextSyncToken"]
    form = FORM | {
        "id": f"{series}_20260330T070000Z",
        "scope": "following",
        "first": "2026-03-31",
        "last": "2026-03-31",
    }
    assert page.post("event", data=form).status_code == 200
    old, new = only_new(events, token)
    assert old["recurrence"] == ["RRULE:FREQ=WEEKLY;UNTIL=20260330T065959Z"]
    assert new["recurrence"] == ["RRULE:FREQ=WEEKLY;COUNT=3"]
    assert instances(events, series) == ["2026-03-16T09:00", "2026-03-23T09:00"]
    assert instances(events, new["id"]) == ["2026-03-31T09:00", "2026-04-07T09:00", "2026-04-14T09:00"]


def test_changing_all_moves_every_occurrence(page, events):
    body = weekly() | {"recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=MO,TH;COUNT=4"]}
    series = events.insert(**P, body=body).execute()["id"]
    form = FORM | {
        "id": f"{series}_20260323T080000Z",
        "scope": "all",
        "first": "2026-03-24",
        "last": "2026-03-24",
        "from": "08:00",
    }
    assert page.post("event", data=form).status_code == 200
    assert instances(events, series) == [f"2026-03-{day}T08:00" for day in (17, 20, 24, 27)]
    assert events.get(**P, eventId=series).execute()["end"]["dateTime"] == "2026-03-17T09:30:00+01:00"


@pytest.mark.parametrize(("scope", "left"), [("this", 4), ("following", 2), ("all", 0)])
def test_deleting(page, events, scope, left):
    series = events.insert(**P, body=weekly()).execute()["id"]
    form = WHO | {"id": f"{series}_20260330T070000Z", "scope": scope, "act": "delete", "first": "2026-03-30"}
    answer = page.post("event", data=form)
    assert "deleted" in answer.text
    assert len(events.list(**P, singleEvents=True).execute()["items"]) == left


def test_deleting_from_the_first_occurrence_on_deletes_the_series(page, events):
    series = events.insert(**P, body=weekly()).execute()["id"]
    page.post("event", data=WHO | {"id": f"{series}_20260316T080000Z", "scope": "following", "act": "delete"})
    assert events.get(**P, eventId=series).execute()["status"] == "cancelled"


def test_what_is_gone_or_nonsense_is_said_plainly(page, events):
    event = events.insert(**P, body=weekly()).execute()
    assert page.get(event["htmlLink"]).status_code == 200
    events.delete(**P, eventId=event["id"]).execute()
    assert page.get(event["htmlLink"]).status_code == 404
    assert page.get("event?eid=%%%").status_code == 404
    assert page.post("event", data=FORM | {"id": "nothing"}).status_code == 400
    assert page.get("./?month=never&person=nobody&view=x").status_code == 200
