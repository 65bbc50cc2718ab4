"""pair remove and account disconnect as a person says them, on a hub that is connected to the sandbox."""

import functools
import json
import shutil

import httpx
import pytest

from bridge.sandbox.server import Sandbox
from bridge.services import pushes
from bridge.store import accounts, objects, pairs, remote_calendars
from tests.support import house as houses


@pytest.fixture(scope="module")
def running():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def house(running, tmp_path, _migrated_file):
    running.reset()
    shutil.copy(_migrated_file, tmp_path / "bridge.db")
    with houses.opened(running, tmp_path, '[server]\npublic_url = "http://127.0.0.1:9"\n') as opened:
        yield opened


@pytest.fixture
def pair(house):
    number = house.connect().pair_id
    house.add("google", "Tea")
    house.cycle(number)
    return number


@pytest.fixture
def run(house, tmp_path, caldav_bridge):
    return functools.partial(caldav_bridge, tmp_path)


def edit_here(house, title):
    with house.context.database.write() as conn:
        (stored,) = house.objects()
        data = stored.data.replace(b"SUMMARY:Tea", f"SUMMARY:{title}".encode())
        calendar = house.calendar().id
        objects.put(conn, calendar, stored.href, data, actor="device:1", now=house.context.now())


def test_a_pair_is_removed_after_it_was_said_what_that_ends(house, run, pair):
    edit_here(house, "Tea with Kim")
    code, out, _ = run("pair", "remove", pair, stdin="n\n")
    assert code == 1
    assert out.startswith(f"Pair {pair} mirrors alex/calendar with google alex@example.com: "), out
    assert "\n1 change has not reached Google yet: sync first, or it will not be there.\n" in out
    assert "All events stay on both sides.\n" in out
    told = json.loads(run("pair", "remove", pair, "--json")[1])
    assert (told["pair"], told["unsent"], told["done"]) == (pair, 1, False)
    assert house.pair(pair)
    code, out, _ = run("pair", "remove", pair, stdin="y\n")
    assert code == 0
    assert f"Pair {pair} is gone: alex/calendar and google alex@example.com: " in out
    assert house.read(pairs.every) == []
    assert len(house.objects()) == 1
    assert run("pair", "list")[1].startswith("No pair yet.")
    assert json.loads(run("status", "--json")[1]) == []


def test_what_could_not_be_told_and_what_goes_back_is_said(house, run, pair):
    assert pushes.ensure(house.context, pair)
    run("calendar", "truth", "alex/calendar", pair)
    house.sandbox.faults.inject(status=503, times=100)
    code, out, _ = run("pair", "remove", pair, "--yes")
    house.sandbox.faults.clear()
    assert code == 0
    assert "\nCalendar truth of alex/calendar named this pair and is back at its default.\n" in out
    assert "\nGoogle could not be told to notify us no more: it stops by itself within a week.\n" in out


def test_a_script_removes_without_a_question(house, run, pair):
    done = json.loads(run("pair", "remove", pair, "--yes", "--json")[1])
    assert (done["pair"], done["done"], done["silenced"]) == (pair, True, True)
    assert house.read(pairs.every) == []


def test_an_account_is_disconnected_after_it_was_said_what_that_ends(house, run, pair):
    edit_here(house, "Tea with Kim")
    code, out, _ = run("account", "disconnect", "alex", "google", stdin="n\n")
    assert code == 1
    assert out.startswith("The google account alex@example.com of alex has 1 pair.\n"), out
    assert f"\n  pair {pair}: alex/calendar and google alex@example.com: " in out
    assert "\n    1 change has not reached Google yet" in out
    assert len(house.read(accounts.every)) == 1
    assert json.loads(run("account", "disconnect", "alex", "google", "--json")[1])["done"] is False
    code, out, _ = run("account", "disconnect", "alex", "google", stdin="y\n")
    assert code == 0
    assert "alex is disconnected from the google account alex@example.com; 1 pair went with it.\n" in out
    assert "Its access has been given back at the service, and its tokens are deleted.\n" in out
    assert run("account", "list")[1].startswith("No account yet.")
    assert len(house.objects()) == 1


def test_what_is_left_to_the_person_is_said(house, run):
    house.connect("microsoft")
    _, out, _ = run("account", "disconnect", "alex", "alex@example.com", "--yes")
    assert "Its tokens are deleted here; Microsoft lets no program take its consent back: do it at https://" in out
    assert house.read(accounts.every) == []


def test_a_calendar_that_is_gone_there_is_told_and_its_pair_taken_back(house, run, pair):
    (lost,) = house.more_pairs("google", 1)
    known = house.read(remote_calendars.by_id, house.pair(lost).remote_calendar_id)
    token = house.sandbox.google.token(houses.EMAIL, client_id="hands")
    url = f"{house.sandbox.url}/google/calendar/v3/calendars/{known.calendar.id}"
    assert httpx.delete(url, headers={"Authorization": f"Bearer {token}"}).status_code == 204
    assert run("sync", "now", lost)[0] == 1
    (row,) = [one for one in json.loads(run("status", "--json")[1]) if one["pair"] == lost]
    assert (row["state"], f"pair remove {lost}" in row["last_error"]) == ("failing", True)
    code, out, err = run("calendar", "list", "alex", "--refresh", "--json")
    assert (code, len(json.loads(out)) > 0) == (0, True)
    assert f"'{known.calendar.name}' is not among the calendars of google alex@example.com any more" in err
    assert f"caldav-bridge pair remove {lost}\n" in err
    assert run("pair", "remove", lost, "--yes")[0] == 0
    code, out, err = run("calendar", "list", "alex", "--refresh", "--json")
    assert err == ""
    assert known.calendar.name not in out


def test_a_parked_plan_is_refused(house, run, pair):
    for number in range(12):
        house.add("google", f"More {number}")
    house.cycle(pair)
    with house.context.database.write() as conn:
        for stored in house.objects():
            objects.delete(conn, house.calendar().id, stored.href, actor="device:1", now=house.context.now())
    assert house.cycle(pair).parked
    code, out, _ = run("pair", "refuse", pair)
    assert (code, out) == (0, f"The plan of pair {pair} is refused.\n  13 event(s) that were deleted here are back\n")
    assert len(house.objects()) == 13
    outcome = house.cycle(pair)
    assert (outcome.parked, outcome.remote_writes) == (False, 0)
    code, out, err = run("pair", "refuse", pair)
    assert (code, out, err) == (2, "", f"caldav-bridge: pair {pair} has no parked plan\n")


def test_a_refusal_is_told_to_a_script(house, run, pair):
    for number in range(12):
        house.add("google", f"More {number}")
    house.cycle(pair)
    with house.sandbox.google.transaction() as state:
        doomed = [id for one in state.calendars.values() for id, event in one.events.items() if not event.cancelled]
    with house.sandbox.google.transaction():
        for id in doomed:
            house.sandbox.google.writer(houses.EMAIL).delete(id)
    assert house.cycle(pair).parked
    done = json.loads(run("pair", "refuse", pair, "--json")[1])
    assert (done["pair"], len(done["made_there"]), done["back_here"], done["unsent"]) == (pair, 13, [], [])
    assert house.cycle(pair).remote_writes == 13


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["pair", "remove", "9"], "no pair 9"),
        (["pair", "remove", "9", "--yes"], "no pair 9"),
        (["pair", "refuse", "9"], "no pair 9"),
        (["account", "disconnect", "kim", "google"], "no user 'kim'"),
        (["account", "disconnect", "alex", "google", "--yes"], "no account 'google'; see: caldav-bridge account list"),
    ],
)
def test_what_cannot_be_is_told_in_one_plain_line(run, arguments, words):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert err.startswith("caldav-bridge: ")
    assert err.count("\n") == 1
