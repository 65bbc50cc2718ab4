"""What the owner of a calendar sees and says on the command line, on a hub that is connected to the sandbox."""

import datetime as dt
import functools
import json
import shutil

import pytest

from bridge.ical import edit
from bridge.ical.fields import EventFields, ObjectFields, When
from bridge.sandbox.server import Sandbox
from bridge.store import objects
from tests.support import house as houses


@pytest.fixture(scope="module")
def running():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def house(running, tmp_path, _migrated_file):
    running.reset()
    shutil.copy(_migrated_file, tmp_path / "bridge.db")
    with houses.opened(running, tmp_path) as opened:
        yield opened


@pytest.fixture
def run(house, tmp_path, caldav_bridge):
    return functools.partial(caldav_bridge, tmp_path)


def put(house, uid, title):
    """The very hour that ``house.add`` takes."""
    start = (house.context.now() + dt.timedelta(days=1)).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    fields = ObjectFields(EventFields(When(start, start + dt.timedelta(hours=1), "UTC"), title))
    with house.context.database.write() as conn:
        data = edit.compose(fields, uid=uid, now=house.context.now())
        objects.put(conn, house.calendar().id, f"{uid}.ics", data, actor="cli", now=house.context.now())


def delete(house, uid):
    with house.context.database.write() as conn:
        objects.delete(conn, house.calendar().id, f"{uid}.ics", actor="cli", now=house.context.now())


def titles(house):
    return sorted(line for one in house.objects() for line in one.data.decode().split("\r\n") if "SUMMARY" in line)


def test_a_deleted_event_is_found_and_brought_back(house, run):
    put(house, "tea", "Tea")
    delete(house, "tea")
    code, out, _ = run("history", "list", "alex/calendar", "--json")
    listed = json.loads(out)
    assert code == 0
    assert [(one["what"], one["who"], one["title"], one["uid"]) for one in listed] == [
        ("deleted", "command line", "Tea", "tea"),
        ("created", "command line", "Tea", "tea"),
    ]
    assert run("history", "restore", "alex/calendar", "tea")[1] == "'Tea' is as it was at revision 1.\n"
    assert titles(house) == ["SUMMARY:Tea"]
    assert run("history", "restore", "alex/calendar", "tea", "--revision", "1")[1] == "'Tea' is like that already.\n"
    _, out, _ = run("history", "list", "alex/calendar", "tea")
    assert [word for word in ("restored", "deleted", "created") if word in out] == ["restored", "deleted", "created"]


def test_history_is_paged_and_cut_by_time(house, run):
    for number in range(3):
        put(house, f"e{number}", f"event {number}")
    _, out, _ = run("history", "list", "alex/calendar", "--limit", "2", "--json")
    assert [one["revision"] for one in json.loads(out)] == [3, 2]
    _, out, _ = run("history", "list", "alex/calendar", "--before", "2", "--json")
    assert [one["revision"] for one in json.loads(out)] == [1]
    tomorrow = (house.context.now() + dt.timedelta(days=1)).date()
    assert run("history", "list", "alex/calendar", "--since", tomorrow)[1] == "Nothing has been changed.\n"


def test_a_clash_is_shown_with_both_versions_and_decided(house, run):
    pair = house.connect().pair_id
    put(house, "tea", "Tea")
    house.cycle(pair)
    assert "you are asked" in run("calendar", "truth", "alex/calendar", "ask")[1]
    (event,) = google(house)
    with house.sandbox.google.transaction():
        house.sandbox.google.writer(houses.EMAIL).patch(event, {"summary": "there"})
    put(house, "tea", "here")
    house.cycle(pair)
    code, out, _ = run("conflicts", "list", "alex/calendar")
    assert code == 0
    assert out.startswith("Conflict 1  here  (alex/calendar and Google alex@example.com: ")
    assert run("status")[1].count("caldav-bridge conflicts list alex/calendar") == 1
    assert "waits for your word\n  title:\n    hub:    here\n    remote: there\n" in out
    assert json.loads(run("conflicts", "list", "--json")[1])[0]["differences"] == [
        {"field": "title", "hub": "here", "remote": "there"}
    ]
    assert run("conflicts", "resolve", "1", "--take", "remote")[1].startswith("Conflict 1 is answered")
    assert json.loads(run("sync", "now", "--json")[1])[0]["conflicts"] == 0, "it is answered, not met again"
    assert "conflict" not in run("sync", "log", pair, "--json")[1].split("}")[0]
    assert titles(house) == ["SUMMARY:there"]
    assert run("conflicts", "list")[1] == "No conflict.\n"
    assert run("conflicts", "resolve", "1", "--keep")[0] == 2


def google(house):
    with house.sandbox.google.transaction() as state:
        return [id for calendar in state.calendars.values() for id in calendar.events]


def test_a_question_is_shown_and_answered(house, run):
    put(house, "a", "Tea")
    put(house, "b", "Tea")
    house.add("google", "Tea")
    pair = house.connect().pair_id
    house.cycle(pair)
    (question,) = json.loads(run("pair", "questions", pair, "--json")[1])
    assert [one["id"] for one in question["here"]] == ["a", "b"]
    (there,) = question["there"]
    assert there["title"] == "Tea"
    (left,) = [line for line in run("status")[1].splitlines() if "left alone" in line]
    assert left.startswith("  left alone: Tea (3 events): several events look alike on both sides")
    assert left.endswith(f": caldav-bridge pair questions {pair}")
    _, out, _ = run("pair", "questions", pair)
    assert out.count("here:  Tea, ") == 2
    assert there["id"] in out
    assert run("pair", "same", pair, "a", there["id"])[0] == 0
    code, _, err = run("pair", "same", pair, "b", there["id"])
    assert (code, "not in question" in err) == (2, True)
    assert run("pair", "questions", pair)[1] == "No open question.\n"
    assert house.cycle(pair).error is None
    assert len(house.objects()) == len(google(house)) == 2


def test_all_are_different(house, run):
    put(house, "a", "Tea")
    put(house, "b", "Tea")
    house.add("google", "Tea")
    pair = house.connect().pair_id
    house.cycle(pair)
    assert run("pair", "different", pair, "--all")[1].startswith("3 events are no longer in question")
    house.cycle(pair)
    assert len(house.objects()) == len(google(house)) == 3


def test_truth_and_home_are_shown_in_the_list(house, run):
    pair = house.connect().pair_id
    assert run("calendar", "truth", "alex/calendar", pair)[1].endswith(f"remote calendar of pair {pair} wins.\n")
    assert f"pair {pair}" in run("calendar", "home", "alex/calendar", pair)[1]
    first = json.loads(run("calendar", "list", "alex", "--json")[1])[0]
    assert (first["truth"], first["home"]) == (f"pair {pair}", f"pair {pair}")
    assert run("calendar", "home", "alex/calendar", "auto")[0] == 0
    assert json.loads(run("calendar", "list", "alex", "--json")[1])[0]["home"] == "auto"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["history", "list", "alex"], "USER/CALENDAR"),
        (["history", "list", "alex/work"], "no calendar alex/work"),
        (["history", "list", "alex/calendar", "tea"], "knows no 'tea'"),
        (["history", "list", "alex/calendar", "--since", "lately"], "no time like"),
        (["history", "restore", "alex/calendar", "tea"], "knows no 'tea'"),
        (["conflicts", "list", "alex/work"], "no calendar alex/work"),
        (["conflicts", "resolve", "9", "--keep"], "no conflict 9"),
        (["conflicts", "resolve", "9"], "either --take hub"),
        (["conflicts", "resolve", "9", "--keep", "--take", "hub"], "either --take hub"),
        (["conflicts", "resolve", "9", "--take", "both"], "either --take hub"),
        (["calendar", "truth", "alex/calendar", "9"], "no pair 9"),
        (["calendar", "truth", "alex/calendar", "oldest"], "newest, hub, ask"),
        (["calendar", "home", "alex/calendar", "nowhere"], "auto or the number"),
        (["pair", "questions", "9"], "no pair 9"),
        (["pair", "same", "9", "a", "b"], "no pair 9"),
        (["pair", "different", "9", "a"], "no pair 9"),
        (["pair", "different", "9"], "or say --all"),
        (["pair", "different", "9", "a", "--all"], "or say --all"),
    ],
)
def test_what_cannot_be_is_told_in_one_plain_line(run, arguments, words):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert err.startswith("caldav-bridge: ")
    assert err.count("\n") == 1
