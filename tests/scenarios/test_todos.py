"""A list of to-dos on the phone, in Google Tasks and in Microsoft To Do at once (X-60 … X-72)."""

import datetime as dt

import pytest

from bridge.ical import objects
from bridge.services import fidelity, history, syncing
from bridge.store import objects as stored
from bridge.sync.plan import BEYOND
from tests.support import listed
from tests.support.corpus import ACCEPTED

DUE = "DUE;TZID=Europe/Berlin:20350305T180000"
WEEKLY = ("DTSTART;TZID=Europe/Berlin:20350305T080000", DUE, "RRULE:FREQ=WEEKLY;COUNT=3")
BEGIN = dt.datetime(2035, 3, 4, 12, tzinfo=dt.UTC)


@pytest.fixture
def story(sandbox, tmp_path):
    with listed.opened(sandbox, tmp_path, now=BEGIN) as opened:
        yield opened


def only(sandbox, tmp_path, provider):
    return listed.opened(sandbox, tmp_path, lists=(provider,), now=BEGIN)


def test_a_to_do_made_anywhere_is_everywhere_once(story):
    story.phone.put("bread", "SUMMARY:Bread", DUE)
    story.google.add("Milk", due="2035-03-06T00:00:00.000Z", notes="Two")
    story.graph.add("Eggs", dueDateTime={"dateTime": "2035-03-07T00:00:00", "timeZone": "Europe/Berlin"})
    assert story.titles() == ["Bread", "Eggs", "Milk"]
    assert [side.due(title) for side in (story.google, story.graph) for title in ("Bread", "Milk", "Eggs")] == [
        *("2035-03-05", "2035-03-06", "2035-03-07"),
        *("2035-03-05", "2035-03-06", "2035-03-07"),
    ]
    assert sorted(story.phone.says("Milk", "DUE", "DESCRIPTION")) == ["DESCRIPTION:Two", "DUE;VALUE=DATE:20350306"]
    assert story.quarantined() == {}


@pytest.mark.parametrize("where", ["google", "graph", "phone"])
def test_what_is_ticked_off_in_one_place_is_done_in_all(story, where):
    story.phone.put("bread", "SUMMARY:Bread", "STATUS:NEEDS-ACTION", "PERCENT-COMPLETE:20")
    story.rest()
    if where == "phone":
        story.phone.edit("bread", "STATUS:NEEDS-ACTION", "STATUS:COMPLETED\r\nCOMPLETED:20350304T100000Z")
    else:
        story.places()[where].tick("Bread")
    assert story.titles() == ["Bread"]
    assert story.google.done("Bread")
    assert story.graph.done("Bread")
    assert "STATUS:COMPLETED" in story.phone.says("Bread", "STATUS")
    assert len(story.phone.says("Bread", "COMPLETED")) == 1
    story.google.edit("Bread", status="needsAction")
    story.rest()
    assert not story.graph.done("Bread")
    assert story.phone.says("Bread", "COMPLETED") == []


@pytest.mark.parametrize("where", ["google", "graph"])
def test_x62_another_day_there_leaves_the_time_of_day_here(story, where):
    story.phone.put("bread", "SUMMARY:Bread", DUE)
    story.rest()
    story.places()[where].edit("Bread", title="Rolls")
    story.rest()
    assert story.phone.says("Rolls", "DUE") == [DUE]
    if where == "google":
        story.google.edit("Rolls", due="2035-03-08T00:00:00.000Z")
    else:
        story.graph.edit("Rolls", dueDateTime={"dateTime": "2035-03-08T00:00:00", "timeZone": "Europe/Berlin"})
    story.rest()
    assert story.phone.says("Rolls", "DUE") == ["DUE;TZID=Europe/Berlin:20350308T180000"]
    assert story.google.due("Rolls") == story.graph.due("Rolls") == "2035-03-08"


def test_nothing_of_the_phones_own_is_lost_whatever_is_done_elsewhere(story):
    own = (
        "X-APPLE-SORT-ORDER:7",
        "LOCATION:Town",
        "ATTACH:https://example.org/list.pdf",
        "PERCENT-COMPLETE:20",
        "CLASS:PRIVATE",
    )
    story.phone.put("bread", "SUMMARY:Bread", "STATUS:IN-PROCESS", *own)
    story.rest()
    story.google.edit("Bread", notes="From the baker")
    story.graph.edit("Bread", importance="high")
    story.rest()
    assert set(own) <= set(story.phone.stored()["bread"].split("\r\n"))
    assert story.phone.says("Bread", "STATUS") == ["STATUS:IN-PROCESS"]
    assert story.graph.task("Bread")["body"]["content"].strip() == "From the baker"


def test_deleted_in_one_place_is_deleted_in_all_and_comes_back_from_history(story):
    for title in ("Bread", "Milk", "Eggs"):
        story.phone.put(title.lower(), f"SUMMARY:{title}")
    story.rest()
    story.google.remove("Milk")
    story.graph.remove("Eggs")
    story.phone.remove("bread")
    assert story.titles() == []
    history.restore(story.context, "alex/tasks", "milk", actor="cli")
    assert story.titles() == ["Milk"]


def test_r6_a_list_that_is_emptied_waits_for_its_owner(story):
    for number in range(12):
        story.phone.put(f"t{number}", f"SUMMARY:Number {number}")
    story.rest()
    for title in story.google.titles():
        story.google.remove(title)
    assert syncing.run_now(story.context, story.pairs["google"]).parked
    assert len(story.phone.titles()) == len(story.graph.titles()) == 12


def test_x61_what_is_too_long_there_is_cut_there_alone(story):
    title, notes = "T" * 2000, "N" * 10_000
    story.phone.put("long", f"SUMMARY:{title}", f"DESCRIPTION:{notes}")
    story.rest()
    story.google.edit("T" * 1024, status="completed")
    story.rest()
    assert (f"SUMMARY:{title}" in story.phone.stored()["long"].replace("\r\n ", "")) is True
    assert f"DESCRIPTION:{notes}" in story.phone.stored()["long"].replace("\r\n ", "")
    assert story.quarantined() == {}


def test_x69_ticking_off_at_google_moves_on_what_repeats(sandbox, tmp_path):
    with only(sandbox, tmp_path, "google") as story:
        story.phone.put("water", "SUMMARY:Water the plants", *WEEKLY)
        story.rest()
        seen = []
        for _ in range(2):
            story.google.tick("Water the plants")
            story.rest()
            seen.append((story.google.due("Water the plants"), story.google.done("Water the plants")))
        assert seen == [("2035-03-12", False), ("2035-03-19", False)]
        assert story.phone.says("Water the plants", "DTSTART", "DUE", "STATUS") in (
            ["DTSTART;TZID=Europe/Berlin:20350319T080000", "DUE;TZID=Europe/Berlin:20350319T180000"],
            [
                "DTSTART;TZID=Europe/Berlin:20350319T080000",
                "DUE;TZID=Europe/Berlin:20350319T180000",
                "STATUS:NEEDS-ACTION",
            ],
        )
        story.google.tick("Water the plants")
        story.rest()
        assert story.google.done("Water the plants")
        assert story.phone.says("Water the plants", "STATUS") == ["STATUS:COMPLETED"]


def test_x69_to_do_repeats_by_itself(sandbox, tmp_path):
    with only(sandbox, tmp_path, "microsoft") as story:
        story.phone.put("water", "SUMMARY:Water the plants", *WEEKLY[:2], "RRULE:FREQ=WEEKLY")
        story.rest()
        assert story.graph.task("Water the plants")["recurrence"]["pattern"]["type"] == "weekly"
        story.graph.tick("Water the plants")
        story.rest()
        states = sorted(
            (str(each.get("STATUS", "NEEDS-ACTION")), "RRULE" in each) for each in story.phone.todos().values()
        )
        assert states == [("COMPLETED", False), ("NEEDS-ACTION", True)]
        assert story.graph.titles() == ["Water the plants"] * 2


def test_x71_what_is_below_another_one(sandbox, tmp_path):
    with only(sandbox, tmp_path, "google") as story:
        story.phone.put("pack", "SUMMARY:Pack")
        story.phone.put("socks", "SUMMARY:Socks", "RELATED-TO:pack")
        trip = story.google.add("Trip")
        story.google.add("Book", parent=trip)
        story.rest()
        assert story.google.task("Socks")["parent"] == story.google.task("Pack")["id"]
        assert story.phone.says("Book", "RELATED-TO") == [f"RELATED-TO:{story.phone.find('Trip')}"]
        story.phone.remove("pack")
        story.rest()
        assert story.google.titles() == story.phone.titles() == ["Book", "Socks", "Trip"]
        story.compared()
        story.google.remove("Trip")  # and Google takes what is below along
        story.rest()
        assert story.google.titles() == story.phone.titles() == ["Socks"]
        story.compared()


def test_x71_a_parent_deleted_here_takes_nothing_along_there(sandbox, tmp_path):
    """Google deletes what is below a deleted one."""
    with only(sandbox, tmp_path, "google") as story:
        trip = story.google.add("Trip")
        for title in ("Book", "Pack"):
            story.google.add(title, parent=trip)
        story.rest()
        story.phone.remove(story.phone.find("Trip"))
        story.rest()
        assert story.google.titles() == story.phone.titles() == ["Book", "Pack"]
        story.compared()


def test_x71_where_there_are_no_parts_the_phones_stay(sandbox, tmp_path):
    with only(sandbox, tmp_path, "microsoft") as story:
        story.phone.put("pack", "SUMMARY:Pack")
        story.phone.put("socks", "SUMMARY:Socks", "RELATED-TO:pack")
        story.rest()
        story.graph.edit("Socks", importance="high")
        story.rest()
        assert story.phone.says("Socks", "RELATED-TO") == ["RELATED-TO:pack"]


def test_r16_the_same_in_all_places_before_is_one(sandbox, tmp_path):
    def before(lists):
        lists.phone.put("bread", "SUMMARY:Bread", DUE)
        lists.google.add("Bread", due="2035-03-05T00:00:00.000Z", notes="Rye")
        lists.graph.add("bread", dueDateTime={"dateTime": "2035-03-05T00:00:00", "timeZone": "Europe/Berlin"})

    with listed.opened(sandbox, tmp_path, now=BEGIN, before=before) as story:
        story.rest()
        assert story.quarantined() == {}
        assert [len(side.titles()) for side in story.places().values()] == [1, 1, 1]
        (title,) = story.phone.titles()
        assert story.phone.says(title, "DUE") == [DUE]
        assert story.phone.says(title, "DESCRIPTION") == ["DESCRIPTION:Rye"]
        assert story.google.task(story.google.titles()[0])["notes"] == "Rye"
        story.graph.tick(story.graph.titles()[0])
        story.rest()
        assert story.google.done(story.google.titles()[0])


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_r12_the_answer_to_every_write_is_lost_once(sandbox, tmp_path, provider):
    path = {"google": "/google/tasks/", "microsoft": "/microsoft/v1.0/me/todo"}[provider]
    with only(sandbox, tmp_path, provider) as story:
        side = story.google if provider == "google" else story.graph
        for title in ("edited", "deleted"):
            story.phone.put(title, f"SUMMARY:{title}")
        story.rest()
        story.phone.edit("edited", "SUMMARY:edited", "SUMMARY:changed")
        story.phone.remove("deleted")
        for number in range(4):
            story.phone.put(f"new{number}", f"SUMMARY:new {number}")
        for method in ("POST", "PATCH", "DELETE"):
            story.sandbox.faults.inject(method=method, path=path, phase="after", drop=True, times=2)
        for _ in range(8):
            story.cycle(provider)
            story.pass_by(minutes=20)
        story.sandbox.faults.clear()
        story.rest()
        assert side.titles() == story.phone.titles() == ["changed", *(f"new {number}" for number in range(4))]


def test_the_report_names_what_stays_here(story):
    story.phone.put("bread", "SUMMARY:Bread", DUE, "PRIORITY:1", "X-APPLE-SORT-ORDER:7")
    story.rest()
    (row,) = fidelity.report(story.context, story.pairs["google"]).rows
    assert set(row.kept) == {"DUE", "PRIORITY", "X-APPLE-SORT-ORDER"}
    (row,) = fidelity.report(story.context, story.pairs["microsoft"]).rows
    assert set(row.kept) == {"DUE", "X-APPLE-SORT-ORDER"}


def test_a_day_passes_and_the_list_is_read_anew(story):
    """What was moved to another list left no trace (G-103)."""
    for title in ("Bread", "Milk"):
        story.phone.put(title.lower(), f"SUMMARY:{title}")
    story.rest()
    other = story.google.client.post("users/@me/lists", json={"title": "Other"}).raise_for_status().json()["id"]
    id = story.google.task("Milk")["id"]
    story.google.client.post(
        f"lists/@default/tasks/{id}/move", params={"destinationTasklist": other}
    ).raise_for_status()
    story.pass_by(hours=25)
    assert story.titles() == ["Bread"]


def test_the_title_of_a_to_do_is_in_no_log(story, caplog):
    story.phone.put("secret", "SUMMARY:Canary", "DESCRIPTION:Canary")
    story.rest()
    assert "Canary" not in caplog.text


def test_every_to_do_of_the_corpus_goes_there_and_no_byte_changes_here(sandbox, tmp_path):
    """Whatever a VTODO may say; what is alike on purpose (two quirks of one to-do) is not taken for one (R16)."""
    every = {name: data for name, data in ACCEPTED.items() if objects.parse(data).component == "VTODO"}
    assert len(every) > 35

    with listed.opened(sandbox, tmp_path, now=BEGIN) as story:
        with story.context.database.write() as conn:
            for name, data in every.items():
                stored.put(conn, story.phone.calendar, f"{name}.ics", data, actor="device:1", now=story.context.now())
        story.rest()
        with story.context.database.read() as conn:
            kept = {each.href.removesuffix(".ics"): each.data for each in stored.every(conn, story.phone.calendar)}
        assert kept == every
        alone = story.quarantined()
        assert {reason for (_, uid), reason in alone.items()} == {BEYOND}, alone
        assert {uid for _, uid in alone} == {"todo-due-year-9999", "todo-start-year-1"}
        for provider, side in (("google", story.google), ("microsoft", story.graph)):
            assert len(side.all()) == len(every) - sum(where == provider for where, _ in alone)
        story.compared()
