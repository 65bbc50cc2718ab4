"""The simulated Graph: delta rounds and their oddities."""

import pytest

from bridge.sandbox.graph.mailbox import Mailbox
from bridge.sandbox.server import Sandbox
from tests.support.simulated_graph import at, body, client, code, made, occurrences, rounds, series

WINDOW = "me/calendarView/delta?startDateTime=2026-01-01T00:00:00Z&endDateTime=2026-06-01T00:00:00Z"
ALEX = "alex@example.com"


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def api(sandbox):
    sandbox.reset()
    with client(sandbox.microsoft) as connected:
        yield connected


def kinds(entries):
    return [(each["id"], each.get("type", "removed")) for each in entries]


@pytest.mark.parametrize("oddities", [True, False])
def test_m21_rounds_bring_what_changed_and_nothing_twice_over_time(api, sandbox, oddities):
    sandbox.microsoft.configure({"delta_oddities": oddities})
    first, second = made(api, body()), made(api, body("2026-03-11"))
    entries, link, _ = rounds(api, WINDOW)
    assert {each["id"] for each in entries} == {first["id"], second["id"]}
    assert rounds(api, link)[0] == []
    api.patch(f"me/events/{second['id']}", json={"subject": "Changed"})
    entries, following, _ = rounds(api, link)
    assert [each["subject"] for each in entries] == ["Changed"]
    assert [each["subject"] for each in rounds(api, link)[0]] == ["Changed"]  # a link can be used again
    assert rounds(api, following)[0] == []


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_m16_m27_pages_replays_and_an_empty_page(api, sandbox, size):
    wanted = {made(api, body(f"2026-03-{day:02}"))["id"] for day in range(10, 17)}
    entries, _, sizes = rounds(api, WINDOW, Prefer=f'odata.maxpagesize={size}, IdType="ImmutableId"')
    assert max(sizes) == size
    assert 0 in sizes
    assert {each["id"] for each in entries} == wanted
    assert len(entries) == len(wanted) + 1  # one is replayed
    sandbox.microsoft.configure({"delta_oddities": False})
    entries, _, sizes = rounds(api, WINDOW, Prefer=f'odata.maxpagesize={size}, IdType="ImmutableId"')
    assert len(entries) == len(wanted)
    assert 0 not in sizes


def test_m24_m25_a_series_comes_as_bare_occurrences_and_its_master(api, sandbox):
    event = made(api, series(ends={"type": "numbered", "numberOfOccurrences": 3}))
    sandbox.microsoft.configure({"delta_oddities": False})
    entries, _, _ = rounds(api, WINDOW)
    assert [kind for _, kind in kinds(entries)] == ["seriesMaster", "occurrence", "occurrence", "occurrence"]
    assert entries[0]["subject"] == "Review"
    assert {name for name in entries[1] if not name.startswith("@")} == {"id", "type", "seriesMasterId", "start", "end"}
    assert entries[1]["seriesMasterId"] == event["id"]
    sandbox.microsoft.configure({"delta_masters": False, "delta_oddities": True})
    assert {kind for _, kind in kinds(rounds(api, WINDOW)[0])} == {"occurrence"}


def test_m26_a_deleted_occurrence_is_not_removed_but_the_series_comes_again(api):
    event = made(api, series(ends={"type": "numbered", "numberOfOccurrences": 3}))
    _, link, _ = rounds(api, WINDOW)
    found = occurrences(api, event["id"])
    api.delete(f"me/events/{found[1]['id']}")
    api.patch(f"me/events/{found[2]['id']}", json={"subject": "Moved"})
    entries, _, _ = rounds(api, link)
    assert "removed" not in dict(kinds(entries)).values()
    assert {each["id"] for each in entries if each["type"] == "occurrence"} == {found[0]["id"]}
    assert [each["subject"] for each in entries if each["type"] == "exception"] == ["Moved"]
    assert event["id"] in dict(kinds(entries))


def test_m23_deleted_items_are_removed(api):
    single, event = made(api, body()), made(api, series(ends={"type": "numbered", "numberOfOccurrences": 2}))
    days = {each["id"] for each in occurrences(api, event["id"])}
    _, link, _ = rounds(api, WINDOW)
    api.delete(f"me/events/{single['id']}")
    api.delete(f"me/events/{event['id']}")
    entries, _, _ = rounds(api, link)
    assert {each["id"] for each in entries} == {single["id"], event["id"], *days}
    for each in entries:
        assert each["@removed"] == {"reason": "deleted"}
        assert set(each) == {"@odata.type", "id", "@removed"}


def test_m23_what_lies_outside_the_window_is_reported_as_removed(api):
    leaving = made(api, body())
    _, link, _ = rounds(api, WINDOW)
    outside = made(api, body("2027-03-10"))
    api.patch(f"me/events/{leaving['id']}", json={"start": at("2027-01-10"), "end": at("2027-01-10", "10:00")})
    assert {each["id"] for each in rounds(api, link)[0] if "@removed" in each} == {outside["id"], leaving["id"]}
    assert api.get(f"me/events/{leaving['id']}").status_code == 200


def test_m23_a_removal_can_stand_in_a_first_round(api):
    gone = made(api, body())
    api.delete(f"me/events/{gone['id']}")
    assert kinds(rounds(api, WINDOW)[0]) == [(gone["id"], "removed")]


def test_a_move_to_another_calendar_leaves_one_and_enters_the_other(api, sandbox):
    event = made(api, body())
    other = api.post("me/calendars", json={"name": "Other"}).json()["id"]
    _, here, _ = rounds(api, WINDOW)
    _, there, _ = rounds(api, WINDOW.replace("me/", f"me/calendars/{other}/"))
    sandbox.microsoft.move(ALEX, event["id"], "Other")
    assert kinds(rounds(api, here)[0]) == [(event["id"], "removed")]
    assert kinds(rounds(api, there)[0]) == [(event["id"], "singleInstance")]


def test_m28_lost_state(api, sandbox):
    for day in range(10, 22):
        made(api, body(f"2026-03-{day}"))
    page = api.get(WINDOW).json()
    _, link, _ = rounds(api, WINDOW)
    sandbox.microsoft.lose_sync_state()
    for url in (link, page["@odata.nextLink"]):
        answer = api.get(url)
        assert code(answer) == (410, "SyncStateNotFound")
    assert len(rounds(api, WINDOW)[0]) == 13


def test_m28_a_bounded_cache_forgets_the_oldest(api, sandbox):
    sandbox.microsoft.deltas.tokens.most = 3
    try:
        links = [rounds(api, WINDOW)[1] for _ in range(4)]
        assert [api.get(link).status_code for link in reversed(links)] == [200, 200, 410, 410]
    finally:
        sandbox.microsoft.deltas.tokens.most = 5000


@pytest.mark.parametrize(
    "query", ["$select=id", "$filter=subject eq 'x'", "$orderby=subject", "$expand=calendar", "$top=5", "$search=x"]
)
def test_m22_no_query_options(api, query):
    assert api.get(f"{WINDOW}&{query}").status_code == 400


def test_m15_m19_windows(api):
    assert api.get("me/calendarView/delta").status_code == 400
    assert api.get("me/calendarView/delta?startDateTime=2020-01-01&endDateTime=2025-01-01").status_code == 400
    _, link, _ = rounds(api, WINDOW)
    assert api.get(f"{link}&startDateTime=2026-01-01&endDateTime=2026-02-01").status_code == 400
    assert api.get("me/events/delta").status_code in (400, 404)  # M-20: beta only


def test_changes_during_a_round_belong_to_the_next(api, sandbox):
    sandbox.microsoft.configure({"delta_oddities": False})
    events = [made(api, body(f"2026-03-{day}")) for day in range(10, 25)]
    page = api.get(WINDOW).json()
    api.patch(f"me/events/{events[0]['id']}", json={"subject": "later"})
    api.delete(f"me/events/{events[14]['id']}")
    rest, link, _ = rounds(api, page["@odata.nextLink"])
    assert [each["id"] for each in rest if "@removed" in each] == [events[14]["id"]]
    assert dict(kinds(rounds(api, link)[0])) == {events[0]["id"]: "singleInstance", events[14]["id"]: "removed"}


def test_an_increment_costs_its_changes_not_the_calendar(api, sandbox, monkeypatch):
    ids = sandbox.microsoft.seed(ALEX, 2000)
    chosen = ids[-3:]  # single events
    window = "me/calendarView/delta?startDateTime=2023-01-01&endDateTime=2027-12-01"
    entries, link, _ = rounds(api, window, Prefer='odata.maxpagesize=1000, IdType="ImmutableId"')
    assert {each["id"] for each in entries} >= set(ids)
    for each in chosen:
        api.patch(f"me/events/{each}", json={"subject": "x"})

    def walked(box, calendar):
        raise AssertionError("the whole calendar was walked")

    monkeypatch.setattr(Mailbox, "in_calendar", walked)
    entries, _, _ = rounds(api, link)
    assert {each["id"] for each in entries} == set(chosen)
