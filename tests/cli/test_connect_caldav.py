"""account connect USER caldav: the password comes from standard input or a prompt, and is shown nowhere."""

import functools
import json

import pytest
import typer

from tests.support.caldav_server import PASSWORD, USER, radicale


@pytest.fixture
def run(tmp_path, caldav_bridge):
    command = functools.partial(caldav_bridge, tmp_path / "data")
    assert command("user", "add", "alice", "--email", "alice@example.com")[0] == 0
    return command


@pytest.fixture
def server(tmp_path):
    with radicale(tmp_path) as running:
        running.make_calendar("work", displayname="Work")
        yield running


def test_the_password_is_read_from_standard_input(run, server):
    typed = ("account", "connect", "alice", "caldav", "--url", server.url, "--username", USER, "--password-stdin")
    code, out, err = run(*typed, "--json", stdin=f"{PASSWORD}\n")
    assert (code, err) == (0, "")
    made = json.loads(out)
    assert (made["calendars"], made["email"]) == (1, f"{USER}@127.0.0.1")
    assert made["pair"]
    assert PASSWORD not in out
    _, listed, _ = run("account", "list", "--json")
    assert [(one["provider"], one["state"]) for one in json.loads(listed)] == [("caldav", "connected")]
    _, again, _ = run(*typed, "--json", stdin=f"{PASSWORD}\n")
    assert json.loads(again) == {**made, "pair": None}


def test_or_asked_for_without_being_shown(run, server, monkeypatch):
    asked = []
    monkeypatch.setattr(typer, "prompt", lambda text, **how: asked.append((text, how["hide_input"])) or PASSWORD)
    code, out, _ = run("account", "connect", "alice", "caldav", "--url", server.url, "--username", USER)
    assert (code, asked) == (0, [("Password", True)])
    assert "Connected" in out
    assert PASSWORD not in out


def test_a_wrong_one_is_told_in_one_line_without_repeating_it(run, server):
    typed = ("account", "connect", "alice", "caldav", "--url", server.url, "--username", USER, "--password-stdin")
    code, out, err = run(*typed, stdin="canary\n")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "does not take this user name and password" in err
    assert "canary" not in err


def test_a_server_that_does_not_answer_is_told_in_one_line(run):
    typed = ("account", "connect", "alice", "caldav", "--url", "http://127.0.0.1:9/", "--username", USER)
    code, _, err = run(*typed, "--password-stdin", stdin="canary\n")
    assert (code, err.count("\n")) == (2, 1)
    assert err.endswith(": check the address, http://127.0.0.1:9/\n")
    assert "did not answer" in err
