"""The simulated Graph's page for people."""

import html
import re

import httpx
import pytest

from bridge.sandbox.server import Sandbox
from tests.support.simulated_graph import BERLIN, body, client, occurrences, series

ALEX = "alex@example.com"


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def page(sandbox):
    sandbox.reset()
    with httpx.Client(
        base_url=f"{sandbox.microsoft.base_url}/", follow_redirects=True, verify=False, timeout=20
    ) as browser:
        yield browser


@pytest.fixture
def api(sandbox, page):
    with client(sandbox.microsoft) as connected:
        yield connected


def typed(**more):
    """A form as a browser sends it."""
    return {
        "person": ALEX, "subject": "Dentist", "first": "2026-03-10", "from": "09:00", "last": "2026-03-10", "to": "10:00",
        "zone": BERLIN, "reminder": "15", "show_as": "busy", "sensitivity": "normal",
    } | more  # fmt: skip


def opened(page, event_id):
    """The values of an event's form."""
    text = page.get("event", params={"person": ALEX, "id": event_id}).text
    values = {}
    for tag in re.findall(r"<input [^>]*>", text):
        found = {name: html.unescape(value) for name, value in re.findall(r'(\w+)="([^"]*)"', tag)}
        if found.get("type") not in ("checkbox", "radio") or " checked" in tag:
            values[found.get("name", "")] = found.get("value", "")
    for name, inner in re.findall(r'<select name="(\w+)">(.*?)</select>', text, re.DOTALL):
        values[name] = html.unescape(re.search(r'value="([^"]*)" selected', inner)[1])
    values["body"] = html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", text, re.DOTALL)[1])
    values.pop("", None)
    return values


def all_events(api):
    return api.get("me/events?$top=100").json()["value"]


def test_adding_shows_it_in_month_and_list_and_in_the_api(page, api):
    answer = page.post("new", data=typed(location="Main St", body="Bring\r\ncard", attendees="a@example.net"))
    assert answer.status_code == 200
    assert "The event was added." in answer.text
    (event,) = all_events(api)
    assert (event["subject"], event["location"]["displayName"], event["bodyPreview"]) == (
        "Dentist",
        "Main St",
        "Bring\r\ncard",
    )
    assert event["start"]["dateTime"].startswith("2026-03-10T08:00")
    for view in ("month", "agenda"):
        text = page.get("", params={"person": ALEX, "month": "2026-03", "view": view}).text
        assert "09:00" in text
        assert "Dentist" in text
    assert "Dentist" not in page.get("", params={"person": "megan@example.com", "month": "2026-03"}).text


def test_all_day_over_three_days(page, api):
    page.post("new", data=typed(all_day="1", last="2026-03-12"))
    (event,) = all_events(api)
    assert (event["start"]["dateTime"][:10], event["end"]["dateTime"][:10]) == ("2026-03-10", "2026-03-13")
    assert page.get("", params={"person": ALEX, "month": "2026-03"}).text.count("Dentist</a>") == 3  # once on each day


@pytest.mark.parametrize(
    ("repeat", "kind"),
    [("daily", "daily"), ("workdays", "weekly"), ("weekly", "weekly"), ("absoluteMonthly", "absoluteMonthly"),
     ("relativeMonthly", "relativeMonthly"), ("absoluteYearly", "absoluteYearly")],
)  # fmt: skip
def test_adding_a_series(page, api, repeat, kind):
    page.post("new", data=typed(repeat=repeat, count="3"))
    (event,) = all_events(api)
    assert event["recurrence"]["pattern"]["type"] == kind
    found = occurrences(api, event["id"], "2026-01-01", "2030-01-01")
    assert len(found) == 3
    assert found[0]["start"]["dateTime"].startswith("2026-03-10")


def test_saving_without_a_change_writes_nothing(page, api, sandbox):
    event = sandbox.microsoft.create(
        ALEX, body(body={"contentType": "text", "content": "one\n\ntwo  words"}, categories=["Red", "Blue"])
    )
    before = api.get(f"me/events/{event}").json()["changeKey"]
    assert page.post("event", data=opened(page, event) | {"act": "save"}).status_code == 200
    assert api.get(f"me/events/{event}").json()["changeKey"] == before


def test_editing_and_moving_a_single_event(page, api, sandbox):
    event = sandbox.microsoft.create(ALEX, body())
    page.post("calendars", data={"person": ALEX, "name": "Home"})
    form = opened(page, event)
    home = next(each["id"] for each in api.get("me/calendars").json()["value"] if each["name"] == "Home")
    changed = form | {"act": "save", "subject": "New", "first": "2026-03-11", "last": "2026-03-11", "calendar": home}
    assert page.post("event", data=changed).status_code == 200
    (found,) = api.get(f"me/calendars/{home}/events").json()["value"]
    assert (found["id"], found["subject"], found["start"]["dateTime"][:10]) == (event, "New", "2026-03-11")


@pytest.fixture
def weekly(sandbox, api):
    master = sandbox.microsoft.create(ALEX, series())
    return master, [each["id"] for each in occurrences(api, master)]


def starts(api, master):
    return [each["start"]["dateTime"][5:10] for each in occurrences(api, master)]


def test_this_occurrence(page, api, weekly):
    master, days = weekly
    form = opened(page, days[1]) | {"act": "save", "first": "2026-03-10", "last": "2026-03-10", "scope": "this"}
    assert page.post("event", data=form).status_code == 200
    assert starts(api, master) == ["03-02", "03-10", "03-16", "03-23", "03-30"]
    assert [each["type"] for each in occurrences(api, master)].count("exception") == 1


def test_the_whole_series_from_one_occurrence(page, api, weekly):
    master, days = weekly
    form = opened(page, days[1]) | {"act": "save", "first": "2026-03-10", "last": "2026-03-10", "scope": "all"}
    assert page.post("event", data=form).status_code == 200
    assert starts(api, master) == ["03-03", "03-10", "03-17", "03-24", "03-31"]


@pytest.mark.parametrize(("moved", "wanted"), [("2026-03-16", "03-16"), ("2026-03-17", "03-17")])
def test_this_and_following_ends_the_old_series_and_starts_a_new_one(page, api, weekly, moved, wanted):
    master, days = weekly
    form = opened(page, days[2]) | {
        "act": "save",
        "subject": "New",
        "first": moved,
        "last": moved,
        "scope": "following",
    }
    assert page.post("event", data=form).status_code == 200
    assert starts(api, master) == ["03-02", "03-09"]
    assert api.get(f"me/events/{master}").json()["recurrence"]["range"]["endDate"] == "2026-03-15"
    (new,) = [each for each in all_events(api) if each["id"] != master]
    assert (new["subject"], starts(api, new["id"])[0], len(starts(api, new["id"]))) == ("New", wanted, 3)


def test_this_and_following_from_the_first_is_the_whole_series(page, api, weekly):
    _, days = weekly
    page.post("event", data=opened(page, days[0]) | {"act": "save", "subject": "New", "scope": "following"})
    assert [each["subject"] for each in all_events(api)] == ["New"]


@pytest.mark.parametrize(
    ("scope", "left"),
    [("this", ["03-02", "03-09", "03-23", "03-30"]), ("following", ["03-02", "03-09"]), ("all", None)],
)
def test_deleting(page, api, weekly, scope, left):
    master, days = weekly
    page.post("event", data={"person": ALEX, "id": days[2], "act": "delete", "scope": scope})
    assert (starts(api, master) if left else api.get(f"me/events/{master}").status_code) == (left or 404)


def test_turning_a_series_into_a_single_event_and_back(page, api, weekly):
    master, _ = weekly
    assert page.post("event", data=opened(page, master) | {"act": "save", "repeat": ""}).status_code == 200
    assert api.get(f"me/events/{master}").json()["type"] == "singleInstance"
    page.post("event", data=opened(page, master) | {"act": "save", "repeat": "daily", "until": "2026-03-04"})
    assert starts(api, master) == ["03-02", "03-03", "03-04"]


def test_an_invitation_comes_in_and_is_answered(page, api):
    page.post("new", data=typed(organizer="boss@example.net"))
    (event,) = all_events(api)
    assert event["isOrganizer"] is False
    assert "boss@example.net" in page.get("event", params={"person": ALEX, "id": event["id"]}).text
    page.post("event", data={"person": ALEX, "id": event["id"], "act": "accept"})
    assert all_events(api)[0]["responseStatus"]["response"] == "accepted"
    page.post("event", data={"person": ALEX, "id": event["id"], "act": "organizer_moves"})
    assert all_events(api)[0]["start"]["dateTime"].startswith("2026-03-10T09:00")
    refused = page.post(
        "event", data=opened(page, event["id"]) | {"act": "save", "first": "2026-03-11", "last": "2026-03-11"}
    )
    assert refused.status_code == 400
    assert "Only the organizer can change" in refused.text
    page.post("event", data={"person": ALEX, "id": event["id"], "act": "organizer_cancels"})
    assert all_events(api)[0]["isCancelled"] is True


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"first": "tomorrow"}, "First day: please give a date."),
        ({"first": "0001-01-01"}, "between 1900 and 2200"),
        ({"from": "nine"}, "From: please give a time."),
        ({"to": "08:00"}, "The event ends before it begins."),
        ({"all_day": "1", "last": "2026-03-01"}, "The last day is before the first day."),
        ({"zone": "Mars"}, "There is no time zone"),
        ({"subject": "x" * 300}, "The subject is longer than 255 characters."),
        ({"repeat": "hourly"}, "Please choose how often it repeats."),
        ({"repeat": "daily", "count": "0"}, "The number of times is between 1 and 999"),
        ({"repeat": "daily", "until": "2020-01-01"}, "The recurrence&#39;s endDate is before its startDate."),
        ({"attendees": "nobody"}, "At least one recipient isn&#39;t valid."),
        ({"show_as": "asleep"}, "is not a choice"),
        ({"reminder": "soon"}, "Please choose when to be reminded."),
        ({"organizer": "boss"}, "Please say who invites"),
    ],
)
def test_bad_input_gets_a_clear_message_and_keeps_what_was_typed(page, api, wrong, words):
    answer = page.post("new", data=typed(location="Kept") | wrong)
    assert answer.status_code == 400
    assert words in html.unescape(answer.text).replace("'", "&#39;")
    assert 'role="alert"' in answer.text
    assert 'value="Kept"' in answer.text
    assert all_events(api) == []


def test_moving_over_a_neighbour_is_refused_in_words(page, weekly):
    _, days = weekly
    form = opened(page, days[1]) | {"act": "save", "first": "2026-03-20", "last": "2026-03-20", "scope": "this"}
    answer = page.post("event", data=form)
    assert answer.status_code == 400
    assert "crossing or overlapping adjacent occurrence" in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "?month=9999-99",
        "?month=0001-01",
        "?month=9999-12",
        "?person=nobody",
        "new?day=never",
        "new?day=9999-12-31",
        "?view=x",
    ],
)
def test_odd_addresses_show_a_page(page, address):
    assert page.get(address).status_code == 200


@pytest.mark.parametrize("event_id", ["", "x", "AAMkA", "é"])
def test_an_event_that_is_not_there(page, event_id):
    answer = page.get("event", params={"person": ALEX, "id": event_id})
    assert answer.status_code == 404
    assert "not there any more" in answer.text


def test_pages_need_nothing_from_elsewhere(page, sandbox):
    sandbox.microsoft.create(ALEX, body(subject='<script>alert("x")</script>'))
    for address in ("?month=2026-03", "new", "new?invitation=1"):
        text = page.get(address).text
        assert "http" not in re.sub(r'value="[^"]*"', "", text)
        assert '<script>alert("x")' not in text
