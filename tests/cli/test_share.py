"""Sharing a calendar from the command line."""

import functools
import json
import shutil

import pytest

from bridge import config
from bridge.services import principals
from bridge.services.context import open_context


@pytest.fixture
def run(tmp_path, _migrated_file, caldav_bridge):
    shutil.copy(_migrated_file, tmp_path / "bridge.db")
    opened = open_context(config.load(tmp_path))
    for name in ("alice", "bob"):
        principals.add(opened.database, name, f"{name}@example.org", now=opened.now())
    opened.close()
    return functools.partial(caldav_bridge, tmp_path)


def test_a_calendar_is_shared_listed_and_taken_back(run):
    assert run("share", "list") == (0, "Nothing is shared.\n", "")
    code, out, _ = run("share", "add", "alice/calendar", "bob", "read")
    assert (code, out) == (0, "bob has alice/calendar as bob/calendar-alice now, to read.\n")
    code, out, _ = run("share", "add", "alice/calendar", "bob", "write", "--json")
    row = {
        "calendar": "alice/calendar",
        "with": "bob",
        "access": "write",
        "status": "accepted",
        "path": "bob/calendar-alice",
    }
    assert (code, json.loads(out)) == (0, row)
    for who in ((), ("alice",), ("bob",)):
        assert json.loads(run("share", "list", *who, "--json")[1]) == [row]
    assert run("share", "remove", "alice/calendar", "bob") == (0, "bob does not see alice/calendar any more.\n", "")
    assert json.loads(run("share", "list", "--json")[1]) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "alice/calendar", "bob", "own"), "a calendar is shared to read or to write, not to 'own'"),
        (("add", "alice/calendar", "alice", "read"), "alice/calendar is alice's already"),
        (("add", "alice/nothing", "bob", "read"), "there is no calendar alice/nothing"),
        (("add", "alice", "bob", "read"), "name the calendar here as USER/CALENDAR"),
        (("add", "alice/.inbox", "bob", "read"), "there is no calendar alice/.inbox"),
        (("add", "alice/calendar", "carol", "read"), "there is no user 'carol'"),
        (("remove", "alice/calendar", "bob"), "alice/calendar is not shared with bob"),
        (("list", "carol"), "there is no user 'carol'"),
    ],
)
def test_what_cannot_be_done_is_one_plain_line(run, arguments, said):
    code, out, err = run("share", *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_delegates_are_added_listed_and_removed(run):
    assert run("delegate", "list")[1] == "Nobody looks after somebody else's calendars.\n"
    assert run("delegate", "add", "alice", "bob", "read") == (0, "bob may read alice's calendars now.\n", "")
    assert run("delegate", "add", "alice", "bob", "write")[0] == 0
    for who in ((), ("alice",), ("bob",)):
        assert json.loads(run("delegate", "list", *who, "--json")[1]) == [
            {"owner": "alice", "delegate": "bob", "access": "write"}
        ]
    assert run("delegate", "remove", "alice", "bob")[1] == "bob does not look after alice's calendars any more.\n"
    assert json.loads(run("delegate", "list", "--json")[1]) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "alice", "bob", "own"), "calendars are given to read or to write, not to 'own'"),
        (("add", "alice", "alice", "read"), "the calendars are alice's already"),
        (("add", "alice", "carol", "read"), "there is no user 'carol'"),
        (("remove", "alice", "bob"), "bob does not look after alice's calendars"),
        (("list", "carol"), "there is no user 'carol'"),
    ],
)
def test_what_cannot_be_delegated_is_one_plain_line(run, arguments, said):
    code, out, err = run("delegate", *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
