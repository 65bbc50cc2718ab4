"""sync preview, log and undo as a person says them, on a hub that is connected to the sandbox."""

import datetime as dt
import functools
import json
import shutil

import pytest

from bridge.sandbox.server import Sandbox
from bridge.services import syncing
from bridge.store import pairs
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
def pair(house):
    """Connected, with three events from Google."""
    number = house.connect().pair_id
    house.cycle(number)
    for title in ("Tea", "Gym", "Lunch"):
        house.add("google", title)
    assert house.cycle(number).error is None
    return number


@pytest.fixture
def run(house, tmp_path, caldav_bridge):
    return functools.partial(caldav_bridge, tmp_path)


def titles(house):
    return sorted(line[8:] for one in house.objects() for line in one.data.decode().split("\r\n") if "SUMMARY" in line)


def tomorrow(house):
    """When ``house.add`` puts an event, as it is told."""
    return f"{house.context.now() + dt.timedelta(days=1):%Y-%m-%d %H:00}"


def by_title(house):
    with house.sandbox.google.transaction() as state:
        return {
            event.body["summary"]: id
            for calendar in state.calendars.values()
            for id, event in calendar.events.items()
            if not event.cancelled
        }


def delete_there(house, *titles):
    found = by_title(house)
    with house.sandbox.google.transaction():
        for title in titles:
            house.sandbox.google.writer(houses.EMAIL).delete(found[title])


def retitle_there(house, old, new):
    id = by_title(house)[old]
    with house.sandbox.google.transaction():
        house.sandbox.google.writer(houses.EMAIL).patch(id, {"summary": new})


def test_a_preview_says_what_a_sync_would_do_and_does_nothing(house, run, pair):
    delete_there(house, "Gym")
    retitle_there(house, "Tea", "Tea with Kim")
    code, out, _ = run("sync", "preview", pair)
    assert code == 0
    assert out.splitlines()[0] == f"Pair {pair}"
    assert sorted(out.splitlines()[1:]) == [
        f"  change   here  Tea ({tomorrow(house)}): title",
        f"  delete   here  Gym ({tomorrow(house)})",
    ]
    assert titles(house) == ["Gym", "Lunch", "Tea"]
    (told,) = json.loads(run("sync", "preview", "--json")[1])
    assert (told["pair"], told["held"]) == (pair, None)
    assert sorted((row["title"], row["what"], row["where"], row["fields"]) for row in told["rows"]) == [
        ("Gym", "delete", "here", []),
        ("Tea", "change", "here", ["title"]),
    ]
    run("sync", "now", pair)
    assert titles(house) == ["Lunch", "Tea with Kim"]
    assert run("sync", "preview")[1] == f"Pair {pair}\n  nothing to do\n"
    assert json.loads(run("sync", "preview", pair, "--json")[1]) == [
        {"pair": pair, "held": None, "asked": False, "rows": []}
    ]


def test_without_a_pair_there_is_nothing_to_preview(run):
    assert json.loads(run("sync", "preview", "--json")[1]) == []
    code, _, err = run("sync", "preview", "7")
    assert (code, err) == (2, "caldav-bridge: there is no pair 7\n")


def test_r6_a_preview_says_what_would_wait_for_a_yes(house, run, pair):
    for number in range(12):
        house.add("google", f"More {number}")
    house.cycle(pair)
    delete_there(house, *(f"More {number}" for number in range(12)))
    _, out, _ = run("sync", "preview", pair)
    assert "All of this would wait for your yes (12 deletions here, 0 there, 0 events with invitations)" in out
    assert f"caldav-bridge pair approve {pair} once a sync has asked for it" in out
    assert json.loads(run("sync", "preview", "--json")[1])[0]["asked"] is False
    assert house.pair(pair).parked is None

    run("sync", "now", pair)
    _, out, _ = run("sync", "preview", pair)
    assert "All of this waits for your yes (12 deletions here" in out
    assert f"caldav-bridge pair approve {pair}\n" in out
    assert "once a sync" not in out
    assert json.loads(run("sync", "preview", "--json")[1])[0]["asked"] is True
    assert f"  to let it go on: caldav-bridge pair approve {pair}\n" in run("status")[1]

    delete_there(house, "Tea")
    assert "once a sync has asked for it" in run("sync", "preview", pair)[1], "it has asked for less"


def test_a_pair_at_work_is_not_previewed(house, run, pair):
    with house.context.database.write() as conn:
        assert pairs.claim(conn, pair, owner="w", now=house.context.now(), lease=syncing.lease_of(house.context))
    code, out, err = run("sync", "preview", pair)
    assert (code, out) == (1, "")
    assert "is being synced right now by another process" in err
    code, _, err = run("sync", "preview")
    assert (code, "is being synced right now" in err) == (1, True)


def test_the_log_names_cycles_and_what_they_did(house, run, pair):
    delete_there(house, "Gym")
    house.cycle(pair)
    newest, older = json.loads(run("sync", "log", pair, "--json")[1])
    assert (newest["did"], older["did"], newest["undone_at"]) == ("1 deleted here", "3 created here", None)
    assert json.loads(run("sync", "log", pair, "--limit", "1", "--json")[1]) == [newest]
    (deed,) = json.loads(run("sync", "log", pair, newest["cycle"], "--json")[1])
    assert (deed["title"], deed["what"], deed["where"]) == ("Gym", "deleted", "here")
    code, out, _ = run("sync", "log", pair)
    assert (code, "1 deleted here" in out, "3 created here" in out) == (0, True, True)
    for arguments, word in (((pair, "999"), "no cycle 999"), (("7",), "no pair 7")):
        code, _, err = run("sync", "log", *arguments)
        assert (code, word in err, "Traceback" in err) == (2, True, False)


def test_a_cycle_is_undone_after_it_was_shown(house, run, pair):
    delete_there(house, "Gym", "Tea")
    house.cycle(pair)
    cycle = json.loads(run("sync", "log", pair, "--json")[1])[0]["cycle"]
    code, out, _ = run("sync", "undo", pair, cycle, stdin="n\n")
    assert (code, "  restore  Gym (" in out, "  restore  Tea (" in out) == (1, True, True)
    assert out.endswith("Go on? [y/N]: Nothing was done.\n")
    assert titles(house) == ["Lunch"]
    told = json.loads(run("sync", "undo", pair, cycle, "--json")[1])
    assert (told["done"], sorted(item["what"] for item in told["items"])) == (False, ["restore", "restore"])
    assert titles(house) == ["Lunch"]
    code, out, _ = run("sync", "undo", pair, cycle, stdin="y\n")
    assert code == 0
    assert out.endswith(f"2 events are as they were before cycle {cycle}; all sides follow with their next sync.\n")
    assert titles(house) == ["Gym", "Lunch", "Tea"]
    house.cycle(pair)
    assert sorted(by_title(house)) == ["Gym", "Lunch", "Tea"]
    code, _, err = run("sync", "undo", pair, cycle, "--yes")
    assert (code, "is undone already" in err) == (2, True)


def test_one_event_is_undone_and_what_was_changed_since_needs_force(house, run, pair):
    retitle_there(house, "Tea", "Spoilt")
    retitle_there(house, "Gym", "Spoilt too")
    house.cycle(pair)
    cycle = json.loads(run("sync", "log", pair, "--json")[1])[0]["cycle"]
    uid = next(one.uid for one in house.objects() if b"SUMMARY:Spoilt\r" in one.data)
    retitle_there(house, "Spoilt", "Spoilt and changed")
    house.cycle(pair)
    code, out, _ = run("sync", "undo", pair, cycle, "--event", uid, "--yes")
    assert (code, "--force puts the older state over it" in out, "There is nothing to take back." in out) == (
        0,
        True,
        True,
    )
    done = json.loads(run("sync", "undo", pair, cycle, "--event", uid, "--force", "--yes", "--json")[1])
    assert (done["done"], [(item["what"], item["fields"]) for item in done["items"]]) == (True, [("change", ["title"])])
    assert titles(house) == ["Lunch", "Spoilt too", "Tea"]
    code, _, err = run("sync", "undo", pair, cycle, "--event", "nobody", "--yes")
    assert (code, "did nothing to 'nobody'" in err) == (2, True)


def test_r6_an_undo_that_the_guard_will_hold_says_so_before(house, run, pair):
    for number in range(12):
        house.add("google", f"More {number}")
    house.cycle(pair)
    cycle = json.loads(run("sync", "log", pair, "--json")[1])[0]["cycle"]
    _, out, _ = run("sync", "undo", pair, cycle, stdin="y\n")
    assert f"So many deletions at once wait for your yes: pair {pair} will ask" in out
    assert titles(house) == ["Gym", "Lunch", "Tea"]
    assert house.cycle(pair).parked
    assert len(by_title(house)) == 15
    run("pair", "approve", pair)
    house.cycle(pair)
    assert len(by_title(house)) == 3
