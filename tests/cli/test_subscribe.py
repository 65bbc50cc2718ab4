"""calendar subscribe and unsubscribe: what is said, and that the address of a feed is not."""

import json

import pytest

from tests.support.feeds import FeedServer, Reply, event, feed

PATH = "/private-canary4711/basic.ics"


@pytest.fixture
def run(tmp_path, monkeypatch, caldav_bridge):
    monkeypatch.setenv("CALDAV_BRIDGE_ICS__ALLOW_PRIVATE", "true")

    def command(*arguments, stdin=""):
        code, out, err = caldav_bridge(tmp_path / "data", *arguments, stdin=stdin)
        assert "canary" not in out + err
        return code, out, err

    assert command("user", "add", "alice", "--email", "alice@example.com")[0] == 0
    return command


@pytest.fixture
def server():
    running = FeedServer()
    running.at[PATH] = Reply(feed(event("1@club", "20990302T120000Z"), head="X-WR-CALNAME:Club"))
    yield running
    running.close()


def test_a_feed_is_followed_shown_and_given_up(run, server):
    code, out, err = run("calendar", "subscribe", "alice", f"{server.base}{PATH}")
    assert (code, err) == (0, "")
    assert out == "alice/club follows a feed at 127.0.0.1 every 60 minutes (pair 1); it shows 1 event.\n"
    assert run("sync", "now", 1)[0] == 0
    status = json.loads(run("status", "--json")[1])
    assert [(one["here"], one["direction"], one["links"], one["state"]) for one in status] == [
        ("alice/club", "pull", 1, "ok")
    ]
    assert "alice/club" in run("calendar", "list", "alice")[1]
    assert run("account", "list")[0] == 0
    assert run("pair", "list")[0] == 0
    code, out, _ = run("calendar", "unsubscribe", "alice", "alice/club")
    assert (code, out) == (0, "alice/club does not follow the feed any more and is gone.\n")
    assert "alice/club" not in run("calendar", "list", "alice")[1]


def test_the_address_may_come_from_standard_input(run, server):
    asked = ("calendar", "subscribe", "alice", "-", "--name", "Fixtures", "--every", "30", "--json")
    code, out, _ = run(*asked, stdin=f"{server.base}{PATH}\n")
    assert code == 0
    assert json.loads(out) == {"calendar": "alice/fixtures", "pair": 1, "events": 1, "interval_seconds": 1800}
    code, out, _ = run("calendar", "unsubscribe", "alice", "fixtures", "--keep")
    assert (code, out) == (0, "alice/fixtures does not follow the feed any more and stays.\n")


def test_a_feed_in_trouble_is_told_by_status(run, server):
    run("calendar", "subscribe", "alice", f"{server.base}{PATH}", "--every", "manual")
    run("sync", "now", 1)
    server.at[PATH] = Reply(b"", 410)
    assert run("sync", "now", 1)[0] == 1
    (told,) = json.loads(run("status", "--json")[1])
    assert told["last_error"].startswith("the feed at 127.0.0.1 says that it has been taken away for good (HTTP 410)")
    assert told["links"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["calendar", "subscribe", "bob", "http://127.0.0.1:9/canary"], "no user 'bob'"),
        (["calendar", "subscribe", "alice", "http://127.0.0.1:9/canary"], "127.0.0.1 does not answer"),
        (["calendar", "subscribe", "alice", "ftp://example.org/canary"], "not the address of a feed"),
        (["calendar", "subscribe", "alice", "canary"], "not the address of a feed"),
        (["calendar", "subscribe", "alice", "http://127.0.0.1:9/canary", "--every", "often"], "often"),
        (["calendar", "subscribe", "alice", "http://127.0.0.1:9/canary", "--every", "realtime"], "does not tell when"),
        (["calendar", "unsubscribe", "alice", "club"], "no calendar alice/club"),
        (["calendar", "unsubscribe", "alice", "calendar"], "does not follow a feed"),
        (["account", "connect", "alice", "ics"], "calendar subscribe USER URL"),
        (["account", "connect", "alice", "ics", "--sandbox"], "calendar subscribe USER URL"),
    ],
)
def test_what_cannot_be_is_told_in_one_plain_line(run, arguments, words):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert err.startswith("caldav-bridge: ")
    assert err.count("\n") == 1


def test_without_the_admins_leave_the_inside_is_refused(run, server, monkeypatch):
    monkeypatch.setenv("CALDAV_BRIDGE_ICS__ALLOW_PRIVATE", "false")
    code, _, err = run("calendar", "subscribe", "alice", f"{server.base}{PATH}")
    assert (code, err.count("\n")) == (2, 1)
    assert "private network" in err
    assert "[ics] allow_private = true" in err
    assert server.asked == []


def test_a_name_has_its_limit(run, server):
    code, out, err = run("calendar", "subscribe", "alice", f"{server.base}{PATH}", "--name", "x" * 3000)
    assert (code, out) == (2, "")
    assert err == "caldav-bridge: a calendar's name has at most 255 characters, and this one has 3000\n"
    assert run("calendar", "subscribe", "alice", f"{server.base}{PATH}", "--name", "x" * 255)[0] == 0


def test_what_is_one_is_told_as_one(run, server):
    _, out, _ = run("calendar", "subscribe", "alice", f"{server.base}{PATH}", "--every", 1)
    assert "every 1 minute (pair 1); it shows 1 event.\n" in out


def test_a_feed_has_no_list_to_be_asked_for(run, server):
    run("calendar", "subscribe", "alice", f"{server.base}{PATH}")
    server.at[PATH] = Reply(b"", 410)
    asked = len(server.asked)
    code, out, err = run("calendar", "list", "alice", "--refresh")
    assert (code, "alice/club" in out, err, len(server.asked)) == (0, True, "", asked)
