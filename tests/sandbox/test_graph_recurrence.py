"""The simulated Graph: series by Exchange's rules."""

import pytest

from bridge.sandbox.server import Sandbox
from tests.support.simulated_graph import at, body, client, code, made, occurrences, series


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def api(sandbox):
    sandbox.reset()
    with client(sandbox.microsoft) as connected:
        yield connected


def days(api, event, **window):
    return [each["start"]["dateTime"][:10] for each in occurrences(api, event["id"], **window)]


NO_END = {"type": "noEnd"}
PATTERNS = {
    "daily": ({"type": "daily", "interval": 10}, "2026-01-05", ["2026-01-05", "2026-01-15", "2026-01-25"]),
    "weekly, two days, every second week, weeks from Sunday": (
        {"type": "weekly", "interval": 2, "daysOfWeek": ["sunday", "tuesday"], "firstDayOfWeek": "sunday"},
        "2026-01-06",
        ["2026-01-06", "2026-01-18", "2026-01-20"],
    ),
    "the same, weeks from Monday": (
        {"type": "weekly", "interval": 2, "daysOfWeek": ["sunday", "tuesday"], "firstDayOfWeek": "monday"},
        "2026-01-06",
        ["2026-01-06", "2026-01-11", "2026-01-20"],
    ),
    "M-44: the 31st means the month's last day": (
        {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31},
        "2026-01-31",
        ["2026-01-31", "2026-02-28", "2026-03-31"],
    ),
    "M-42: the first among several days": (
        {"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["saturday", "sunday"], "index": "first"},
        "2026-01-03",
        ["2026-01-03", "2026-02-01", "2026-03-01"],
    ),
    "the last weekday": (
        {"type": "relativeMonthly", "interval": 1, "index": "last",
         "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"]},
        "2026-01-30",
        ["2026-01-30", "2026-02-27", "2026-03-31"],
    ),
    "the third Thursday": (
        {"type": "relativeMonthly", "interval": 2, "daysOfWeek": ["thursday"], "index": "third"},
        "2026-01-15",
        ["2026-01-15", "2026-03-19", "2026-05-21"],
    ),
    "29 February": (
        {"type": "absoluteYearly", "interval": 1, "dayOfMonth": 29, "month": 2},
        "2024-02-29",
        ["2024-02-29", "2025-02-28", "2026-02-28"],
    ),
    "relativeYearly": (
        {"type": "relativeYearly", "interval": 1, "daysOfWeek": ["monday"], "index": "fourth", "month": 5},
        "2024-05-27",
        ["2024-05-27", "2025-05-26", "2026-05-25"],
    ),
    "M-45: the first occurrence may be later than startDate": (
        {"type": "weekly", "interval": 1, "daysOfWeek": ["friday"], "firstDayOfWeek": "monday"},
        "2026-01-05",
        ["2026-01-09", "2026-01-16", "2026-01-23"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("ends", [NO_END, {"type": "numbered", "numberOfOccurrences": 3}], ids=["noEnd", "numbered"])
@pytest.mark.parametrize("name", PATTERNS)
def test_m41_patterns(api, name, ends):
    pattern, first, wanted = PATTERNS[name]
    event = made(api, series(first, ends, pattern))
    assert days(api, event, start="2024-01-01", end="2028-01-01")[:3] == wanted
    late = days(api, event, start=f"{wanted[2]}T00:00:00", end="2028-01-01")
    assert late[0] == wanted[2]  # a window that begins later sees the same days
    assert (len(late) == 1) == (ends is not NO_END)


def test_m43_m45_what_is_echoed(api):
    event = made(api, series(ends=NO_END, pattern={"type": "daily", "interval": 1}))
    assert event["recurrence"] == {
        "pattern": {
            "type": "daily",
            "interval": 1,
            "month": 0,
            "dayOfMonth": 0,
            "firstDayOfWeek": "sunday",
            "index": "first",
        },
        "range": {
            "type": "noEnd",
            "startDate": "2026-03-02",
            "endDate": "0001-01-01",
            "recurrenceTimeZone": "W. Europe Standard Time",
            "numberOfOccurrences": 0,
        },
    }
    again = api.patch(f"me/events/{event['id']}", json={"recurrence": event["recurrence"]})
    assert again.json()["recurrence"] == event["recurrence"]


@pytest.mark.parametrize(
    "pattern",
    [
        {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},  # R34: no firstDayOfWeek
        {"type": "weekly", "interval": 1, "firstDayOfWeek": "monday"},
        {"type": "weekly", "interval": 100, "daysOfWeek": ["monday"], "firstDayOfWeek": "monday"},  # M-44
        {"type": "daily", "interval": 0},
        {"type": "daily"},
        {"type": "daily", "interval": 1, "dayOfMonth": 32},  # ignored and still validated (M-43)
        {"type": "daily", "interval": 1, "month": 13},
        {"type": "daily", "interval": 1, "index": "fifth"},
        {"type": "daily", "interval": 1, "daysOfWeek": ["monday", "monday"]},
        {"type": "absoluteMonthly", "interval": 1},
        {"type": "absoluteYearly", "interval": 1, "dayOfMonth": 31, "month": 4},
        {"type": "relativeMonthly", "interval": 1, "index": "first"},
        {"type": "hourly", "interval": 1},
        {"type": "daily", "interval": 1, "bySetPos": 1},  # M-46
    ],
)
def test_m41_m43_patterns_that_are_refused(api, pattern):
    assert api.post("me/events", json=series(pattern=pattern)).status_code == 400


@pytest.mark.parametrize(
    "ends",
    [
        {"type": "numbered", "numberOfOccurrences": 0},
        {"type": "numbered"},
        {"type": "endDate"},
        {"type": "endDate", "endDate": "2026-03-01"},
        {"type": "noEnd", "startDate": "2026-03-03"},  # M-45: not the date of start
        {"type": "noEnd", "recurrenceTimeZone": "Mars"},
        {"type": "endDate", "endDate": "02/03/2026"},
    ],
)
def test_m45_ranges_that_are_refused(api, ends):
    assert api.post("me/events", json=series(ends=ends)).status_code == 400


def test_m45_end_date_is_inclusive(api):
    event = made(api, series(ends={"type": "endDate", "endDate": "2026-03-16"}))
    assert days(api, event) == ["2026-03-02", "2026-03-09", "2026-03-16"]


def test_series_keep_their_wall_clock_over_the_change_to_summer_time(api):
    event = made(api, series("2026-03-23"))
    assert [each["start"]["dateTime"][11:16] for each in occurrences(api, event["id"])[:2]] == ["08:00", "07:00"]


def test_m48_m49_an_occurrence_becomes_an_exception(api):
    event = made(api, series())
    second = occurrences(api, event["id"])[1]
    assert (second["type"], second["seriesMasterId"]) == ("occurrence", event["id"])
    assert second["originalStart"] == "2026-03-09T08:00:00Z"
    changed = api.patch(
        f"me/events/{second['id']}", json={"start": at("2026-03-10", "14:00"), "end": at("2026-03-10", "15:00")}
    )
    assert changed.status_code == 200, changed.text
    exception = changed.json()
    assert (exception["type"], exception["originalStart"]) == ("exception", "2026-03-09T08:00:00Z")
    assert exception["start"]["dateTime"] == "2026-03-10T13:00:00.0000000"
    assert exception["id"] != second["id"]  # it may change: re-read
    shown = api.get(f"me/events/{event['id']}?$expand=exceptionOccurrences&$select=subject,exceptionOccurrences").json()
    assert [each["id"] for each in shown["exceptionOccurrences"]] == [exception["id"]]
    assert exception["iCalUId"] != event["iCalUId"]  # M-33
    assert "exceptionOccurrences" not in api.get(f"me/events/{event['id']}").json()


def test_m47_cancelled_occurrences_only_by_select(api):
    event = made(api, series())
    third = occurrences(api, event["id"])[2]
    assert api.delete(f"me/events/{third['id']}").status_code == 204
    assert code(api.get(f"me/events/{third['id']}")) == (404, "ErrorItemNotFound")
    assert days(api, event) == ["2026-03-02", "2026-03-09", "2026-03-23", "2026-03-30"]  # it still counts
    assert "cancelledOccurrences" not in api.get(f"me/events/{event['id']}").json()
    shown = api.get(f"me/events/{event['id']}?$select=cancelledOccurrences").json()
    assert shown["cancelledOccurrences"] == [f"OID.{event['id']}.2026-03-16"]


def test_deleting_every_occurrence_ends_the_series(api):
    event = made(api, series(ends={"type": "numbered", "numberOfOccurrences": 2}))
    for each in occurrences(api, event["id"]):
        assert api.delete(f"me/events/{each['id']}").status_code == 204
    assert code(api.get(f"me/events/{event['id']}")) == (404, "ErrorItemNotFound")


@pytest.mark.parametrize("day", ["2026-03-02", "2026-03-01", "2026-03-16", "2026-03-20"])
def test_m50_not_to_or_beyond_a_neighbours_day(api, day):
    event = made(api, series())
    second = occurrences(api, event["id"])[1]
    answer = api.patch(f"me/events/{second['id']}", json={"start": at(day, "12:00"), "end": at(day, "13:00")})
    assert code(answer) == (400, "ErrorOccurrenceCrossingBoundary")
    assert days(api, event)[1] == "2026-03-09"


def test_m50_moved_and_deleted_neighbours_count_as_they_are(api):
    event = made(api, series())
    first, second, third = occurrences(api, event["id"])[:3]

    def move(which, day):
        return api.patch(f"me/events/{which['id']}", json={"start": at(day, "12:00"), "end": at(day, "13:00")})

    assert move(first, "2026-03-05").status_code == 200
    assert move(second, "2026-03-05").status_code == 400
    assert move(second, "2026-03-06").status_code == 200
    assert api.delete(f"me/events/{third['id']}").status_code == 204
    assert move(second, "2026-03-22").status_code == 200


def spoiled(api):
    event = made(api, series())
    found = occurrences(api, event["id"])
    assert api.patch(f"me/events/{found[1]['id']}", json={"subject": "Other"}).status_code == 200
    assert api.delete(f"me/events/{found[2]['id']}").status_code == 204
    return event


def test_m51_other_times_discard_exceptions_and_cancellations(api):
    event = spoiled(api)
    change = {"start": at("2026-03-02", "11:00"), "end": at("2026-03-02", "12:00")}
    assert api.patch(f"me/events/{event['id']}", json=change).status_code == 200
    found = occurrences(api, event["id"])
    assert [each["type"] for each in found] == ["occurrence"] * 5


def test_m51_other_fields_and_the_same_times_keep_them(api):
    event = spoiled(api)
    change = {"subject": "Series", "location": {"displayName": "B"}, "start": event["start"], "end": event["end"]}
    kept = api.patch(f"me/events/{event['id']}", json={name: change[name] for name in ("subject", "location")})
    assert kept.status_code == 200
    found = occurrences(api, event["id"])
    assert [each["subject"] for each in found] == ["Series", "Other", "Series", "Series"]
    assert {each["location"]["displayName"] for each in found} == {"B"}  # what an exception did not change, it shares


def test_m52_a_series_becomes_a_single_event(api):
    event = spoiled(api)
    changed = api.patch(f"me/events/{event['id']}", json={"recurrence": None}).json()
    assert (changed["type"], changed["recurrence"]) == ("singleInstance", None)
    assert (
        api.get(f"me/events/{event['id']}/instances?startDateTime=2026-01-01&endDateTime=2027-01-01").status_code == 400
    )


def test_a_single_event_becomes_a_series(api):
    event = made(api, body("2026-03-02"))
    changed = api.patch(f"me/events/{event['id']}", json={"recurrence": series()["recurrence"]}).json()
    assert changed["type"] == "seriesMaster"
    assert len(days(api, event)) == 5


def test_m40_all_day_series(api):
    midnight = {"isAllDay": True, "start": at("2026-03-02", "00:00"), "end": at("2026-03-03", "00:00")}
    event = made(api, series() | midnight)
    found = occurrences(api, event["id"])
    assert [each["start"]["dateTime"][:16] for each in found][:2] == ["2026-03-02T00:00", "2026-03-09T00:00"]
    assert found[1]["originalStart"] == "2026-03-09T00:00:00Z"
