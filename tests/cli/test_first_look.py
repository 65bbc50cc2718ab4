"""What an admin sees of a hub that is connected: what a pair shows and goes on showing, tables that fit, lines that tell."""

import datetime as dt
import functools
import json
import shutil

import pytest

from bridge.ical import edit
from bridge.ical.fields import EventFields, ObjectFields, When
from bridge.sandbox.server import Sandbox
from bridge.store import objects, pairs
from tests.support import house as houses

LONG = "040000008200E00074C5B7101A82E008"
"""How every UID of Outlook begins."""


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
    return house.connect().pair_id


@pytest.fixture
def run(house, tmp_path, monkeypatch, caldav_bridge):
    monkeypatch.setenv("COLUMNS", "80")
    return functools.partial(caldav_bridge, tmp_path)


def put(house, uid, title, *, days=1):
    start = (house.context.now() + dt.timedelta(days=days)).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    fields = ObjectFields(EventFields(When(start, start + dt.timedelta(hours=1), "UTC"), title))
    with house.context.database.write() as conn:
        data = edit.compose(fields, uid=uid, now=house.context.now())
        objects.put(conn, house.calendar().id, f"{uid}.ics", data, actor="cli", now=house.context.now())
    return f"{start:%Y-%m-%d %H:%M}"


def delete(house, uid):
    with house.context.database.write() as conn:
        objects.delete(conn, house.calendar().id, f"{uid}.ics", actor="cli", now=house.context.now())


def uid(number):
    return f"{LONG}{number}{0:079d}"


def titles(house):
    return sorted(line[8:] for one in house.objects() for line in one.data.decode().split("\r\n") if "SUMMARY" in line)


def stored(house, pair):
    with house.context.database.read() as conn:
        return pairs.get(conn, pair).projection


def latest_cycle(run, pair):
    return json.loads(run("sync", "log", pair, "--json")[1])[0]["cycle"]


# --- what a pair shows


def test_r41_a_new_rule_leaves_how_much_is_shown_and_a_new_level_leaves_the_rules(house, run, pair):
    rule = {"class": "PRIVATE", "level": "busy"}
    assert run("pair", "set", pair, "--show", "titles")[0] == 0
    assert stored(house, pair) == {"level": "titles", "rules": []}
    assert run("pair", "set", pair, "--redact", "class=PRIVATE:busy")[0] == 0
    assert stored(house, pair) == {"level": "titles", "rules": [rule]}
    assert run("pair", "set", pair, "--show", "full")[0] == 0
    assert stored(house, pair) == {"level": "full", "rules": [rule]}
    assert run("pair", "set", pair, "--every", "5", "--no-invitations")[0] == 0
    assert stored(house, pair) == {"level": "full", "rules": [rule]}
    run("pair", "set", pair, "--show", "busy")
    code, out, _ = run("pair", "set", pair, "--no-redact")
    assert (code, out.endswith(", shows busy.\n")) == (0, True)
    assert stored(house, pair) == {"level": "busy", "rules": []}
    run("pair", "set", pair, "--show", "full")
    assert stored(house, pair) is None


def test_r41_rules_are_given_all_anew(house, run, pair):
    run("pair", "set", pair, "--redact", "class=PRIVATE:busy", "--redact", "category=Health:titles")
    run("pair", "set", pair, "--redact", "category=Health:busy")
    assert stored(house, pair) == {"level": "full", "rules": [{"category": "Health", "level": "busy"}]}


@pytest.mark.parametrize("wrong", [["--show", "all"], ["--show", ""], ["--redact", "private"]])
def test_r41_what_cannot_be_read_changes_nothing(house, run, pair, wrong):
    run("pair", "set", pair, "--show", "busy", "--redact", "class=PRIVATE:busy")
    before = stored(house, pair)
    assert run("pair", "set", pair, *wrong)[0] == 2
    assert stored(house, pair) == before


def test_the_list_tells_what_a_pair_shows(run, pair):
    assert "shows" not in run("pair", "list")[1]
    (told,) = json.loads(run("pair", "list", "--json")[1])
    assert (told["show"], told["redact"], told["invitations"]) == ("full", [], True)
    run("pair", "set", pair, "--show", "titles", "--redact", "class=PRIVATE:busy", "--no-invitations")
    assert run("pair", "list")[1].endswith("\n  shows: titles, class=PRIVATE:busy\n  invitations: no\n")
    (told,) = json.loads(run("pair", "list", "--json")[1])
    assert (told["show"], told["redact"], told["invitations"]) == ("titles", ["class=PRIVATE:busy"], False)


# --- questions


def test_a_question_in_a_script_names_the_option_that_answers_it(house, run, pair):
    outlook = house.connect("microsoft").pair_id
    house.add("google", "Tea")
    house.cycle(pair)
    house.cycle(outlook)
    code, out, err = run("pair", "set", outlook, "--show", "busy")
    assert (code, err) == (2, "caldav-bridge: nothing done; say --yes to go on without being asked\n")
    assert "This changes 1 of 1 event there. Go on?" in out
    assert stored(house, outlook) is None
    code, out, err = run("pair", "set", outlook, "--show", "busy", stdin="n\n")
    assert (code, err, out.endswith("Nothing was done.\n")) == (1, "", True)
    assert stored(house, outlook) is None
    cycle = latest_cycle(run, pair)
    code, _, err = run("sync", "undo", pair, cycle)
    assert (code, err) == (2, "caldav-bridge: nothing done; say --yes to go on without being asked\n")
    assert titles(house) == ["Tea"]
    assert f"\n1 event is as it was before cycle {cycle};" in run("sync", "undo", pair, cycle, "--yes")[1]


# --- tables


def test_long_uids_are_printed_whole_and_their_beginning_will_do(house, run):
    for number in (1, 2):
        put(house, uid(number), f"Tea {number}")
    for number in (1, 2):
        delete(house, uid(number))
    _, out, _ = run("history", "list", "alex/calendar")
    assert out.count(f"\n  uid: {uid(1)}\n") == 2
    assert all(len(line) <= 80 for line in out.splitlines() if "uid:" not in line)
    code, _, err = run("history", "restore", "alex/calendar", LONG)
    assert (code, "several events have a UID that begins with" in err, err.count("\n")) == (2, True, 1)
    put(house, "gym-1", "Gym")
    assert run("history", "restore", "alex/calendar", "gym-2")[0] == 2
    assert run("history", "restore", "alex/calendar", "GYM")[0] == 2
    assert titles(house) == ["Gym"]
    put(house, "gym-1", "Gym and sauna")
    assert run("history", "restore", "alex/calendar", "gy")[:2] == (0, "'Gym' is as it was at revision 5.\n")
    assert run("history", "restore", "alex/calendar", uid(2))[0] == 0
    assert [one["uid"] for one in json.loads(run("history", "list", "alex/calendar", "gy", "--json")[1])] == [
        "gym-1"
    ] * 3
    assert titles(house) == ["Gym", "Tea 2"]


def test_what_looks_like_markup_is_printed_as_it_is(house, run):
    put(house, "a", "[bold]Tea[/] :smile: [/x]")
    code, out, _ = run("history", "list", "alex/calendar")
    assert (code, "[bold]Tea[/]" in out.replace("\n", ""), "😄" in out) == (0, True, False)


def test_the_figures_of_a_sync_fit_and_an_error_stands_below_them(house, run, pair):
    house.add("google", "Tea")
    _, out, _ = run("sync", "now", pair)
    heading, figures = out.splitlines()
    assert " ".join(heading.split()) == "pair hub writes remote writes linked conflicts quarantined parked seconds"
    assert len(figures.split()[-1]) <= 5
    with house.context.database.write() as conn:
        assert pairs.claim(conn, pair, owner="w", now=house.context.now(), lease=dt.timedelta(minutes=5))
    code, out, _ = run("sync", "now", pair)
    assert (code, len(out.splitlines())) == (1, 3)
    assert out.splitlines()[2].startswith("  error: ")
    assert "another process" in out


# --- the log, and what is undone


def test_the_log_fits_and_says_what_was_undone_in_part(house, run, pair):
    house.cycle(pair)
    first, second = put(house, uid(1), "Tea"), put(house, uid(2), "Tea", days=2)
    house.cycle(pair)
    for number in (1, 2):
        delete(house, uid(number))
    house.cycle(pair)
    cycle = latest_cycle(run, pair)
    _, out, _ = run("sync", "log", pair, cycle)
    assert out.count(f"\n  uid: {uid(1)}\n") == 1
    assert out.splitlines()[0].split() == ["what", "where", "title"]
    _, out, _ = run("sync", "undo", pair, cycle, "--event", LONG)
    assert out == ""
    told = run("sync", "undo", pair, cycle, stdin="n\n")[1].splitlines()
    assert told[:2] == [f"  restore  Tea ({first})", f"  restore  Tea ({second})"]
    assert run("sync", "undo", pair, cycle, "--event", uid(1)[: len(LONG) + 1], "--yes")[0] == 0
    assert titles(house) == ["Tea"]
    newest = json.loads(run("sync", "log", pair, "--json")[1])[0]
    assert (newest["undone_at"], newest["partly_undone"]) == (None, True)
    _, out, _ = run("sync", "log", pair)
    assert out.splitlines()[0].split() == ["cycle", "started", "did", "undone"]
    assert out.splitlines()[1].endswith(" UTC 2 deleted there partly")
    assert all(len(line) <= 80 for line in out.splitlines())
    assert run("sync", "undo", pair, cycle, "--yes")[0] == 0
    newest = json.loads(run("sync", "log", pair, "--json")[1])[0]
    assert (newest["undone_at"] is not None, newest["partly_undone"]) == (True, False)


def test_a_cycle_with_one_event_is_undone_with_it(house, run, pair):
    house.add("google", "Tea")
    house.cycle(pair)
    cycle = latest_cycle(run, pair)
    (one,) = house.objects()
    assert run("sync", "undo", pair, cycle, "--event", one.uid, "--yes")[0] == 0
    (told,) = json.loads(run("sync", "log", pair, "--json")[1])
    assert (told["undone_at"] is not None, told["partly_undone"]) == (True, False)


def test_a_title_is_shown_and_not_obeyed_by_the_terminal(house, run, pair):
    """Whoever invites somebody chooses it."""
    house.add("google", "Free \x1b]0;money\x07 \N{RIGHT-TO-LEFT OVERRIDE}today")
    for command in (("sync", "preview", pair), ("sync", "now", pair), ("history", "list", "alex/calendar")):
        _, out, err = run(*command)
        assert not set("\x1b\x07\N{RIGHT-TO-LEFT OVERRIDE}") & set(out + err)
    assert "Free" in out
    assert "today" in out
    assert json.loads(run("history", "list", "alex/calendar", "--json")[1])


def test_a_preview_tells_two_of_one_title_apart(house, run, pair):
    house.cycle(pair)
    times = [put(house, "a", "Tea"), put(house, "b", "Tea", days=2)]
    _, out, _ = run("sync", "preview", pair)
    assert out.splitlines()[1:] == [f"  create   there Tea ({at})" for at in times]
    (told,) = json.loads(run("sync", "preview", pair, "--json")[1])
    assert [row["when"] for row in told["rows"]] == times


# --- exit codes, and one account in trouble


def test_a_service_in_trouble_is_exit_code_1_for_one_pair_as_for_all(house, run, pair):
    house.sandbox.faults.inject(path="/google/", status=503, times=1000)
    for command in (("preview",), ("preview", pair), ("now",), ("now", pair), ("audit", pair)):
        assert run("sync", *command)[0] == 1, command
    assert run("sync", "preview", "99")[0] == 2


def test_a_list_is_shown_although_one_account_does_not_answer(house, run, pair):
    house.connect("microsoft")
    house.sandbox.faults.inject(path="/google/", status=503, times=1000)
    code, out, err = run("calendar", "list", "alex", "--refresh")
    assert code == 1
    assert ("alex/calendar" in out, "microsoft alex@" in out, "google alex@" in out) == (True, True, True)
    warned = [line for line in err.splitlines() if line.startswith("caldav-bridge: ")]
    assert [line.split(": ")[1] for line in warned] == [f"google {houses.EMAIL}"]
    house.sandbox.faults.clear()
    assert run("calendar", "list", "alex", "--refresh")[0] == 0
