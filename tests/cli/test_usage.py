"""What is typed wrongly, and what nobody is there to answer: one plain line each, whatever it was."""

import functools
import io
import socket
import subprocess
import sys
from importlib import metadata

import pytest

HUGE = "99999999999999999999999"


@pytest.fixture
def run(tmp_path, caldav_bridge):
    command = functools.partial(caldav_bridge, tmp_path)
    assert command("user", "add", "alice", "--email", "alice@example.com")[0] == 0
    return command


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sync", "log", HUGE], "not a number from 1 to 9223372036854775807"),
        (["sync", "log", "1", HUGE], "not a number from 1 to"),
        (["sync", "log", "1", "--limit", HUGE], "not a number from 1 to 100000"),
        (["sync", "log", "9223372036854775807"], "there is no pair 9223372036854775807"),
        (["sync", "log", "9" * 5000], "not a number from 1 to"),
        (["sync", "log", "0"], "not a number from 1 to"),
        (["sync", "undo", HUGE, "1"], "not a number from 1 to"),
        (["sync", "undo", "1", HUGE], "not a number from 1 to"),
        (["sync", "now", HUGE], "not a number from 1 to"),
        (["sync", "now", "abc"], "'abc' is not a number"),
        (["sync", "now", "²"], "'²' is not a number"),
        (["sync", "audit", HUGE], "not a number from 1 to"),
        (["sync", "preview", HUGE], "not a number from 1 to"),
        (["pair", "set", HUGE, "--every", "5"], "not a number from 1 to"),
        (["pair", "approve", HUGE], "not a number from 1 to"),
        (["pair", "approve", "99"], "there is no pair 99"),
        (["pair", "questions", HUGE], "not a number from 1 to"),
        (["pair", "same", HUGE, "a", "b"], "not a number from 1 to"),
        (["pair", "different", HUGE, "a"], "not a number from 1 to"),
        (["pair", "add", "alice", "calendar", HUGE], f"no remote calendar number {HUGE}"),
        (["pair", "add", "alice", "calendar", "9" * 5000], "no remote calendar number 999"),
        (["pair", "add", "alice", "calendar", "1", "--every", "9" * 5000], "the frequency"),
        (["conflicts", "resolve", HUGE, "--keep"], "not a number from 1 to"),
        (["history", "list", "alice/calendar", "--before", HUGE], "not a number from 1 to"),
        (["history", "list", "alice/calendar", "--limit", HUGE], "not a number from 1 to 100000"),
        (["history", "restore", "alice/calendar", "tea", "--revision", HUGE], "not a number from 1 to"),
        (["calendar", "truth", "alice/calendar", "9" * 5000], "has no pair 999"),
        (["history", "list", "alice/\udcff"], r"the argument alice/\xff is not UTF-8 text"),
        (["pair", "lst"], "No such command 'lst'"),
        (["pair", "set"], "Missing argument 'PAIR'; see: "),
        (["sync", "now", "--sideways"], "No such option: --sideways"),
        (["sync", "now", "1", "2"], "2"),
        (["pair", "set", "1", "--redact", "class=PRIVATE:busy", "--no-redact"], "either --redact or --no-redact"),
    ],
)
def test_what_is_typed_wrongly_is_told_in_one_plain_line(run, arguments, words):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("caldav-bridge: ")
    assert words in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "piped", "words"),
    [
        (["device", "add", "alice", "phone", "--password-stdin"], b"", "no password came on standard input"),
        (["device", "add", "alice", "phone", "--password-stdin"], b"\xff\n", "the password on standard input is not"),
        (["calendar", "subscribe", "alice", "-"], b"\n", "no address came on standard input"),
    ],
)
def test_what_is_piped_in_has_to_be_text(run, arguments, piped, words):
    code, out, err = run(*arguments, stdin=io.TextIOWrapper(io.BytesIO(piped), encoding="utf-8"))
    assert (code, out, err.count("\n"), err.startswith("caldav-bridge: ")) == (2, "", 1, True)
    assert words in err


def test_a_group_alone_shows_what_it_has(run):
    code, _, err = run("pair")
    assert (code, "Commands:" in err) == (2, True)


@pytest.mark.parametrize("text", ["bogus = 1\n", "[server]\nbogus = 1\n"])
def test_a_setting_that_there_is_not_is_named(run, tmp_path, text):
    (tmp_path / "config.toml").write_text(text)
    name = "server.bogus" if "server" in text else "bogus"
    assert run("status") == (2, "", f"caldav-bridge: settings: there is no setting '{name}'\n")


def test_it_says_which_version_it_is(run):
    assert run("--version") == (0, f"caldav-bridge {metadata.version('caldav-bridge')}\n", "")


def test_a_sandbox_whose_port_is_taken_says_so(run):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, out, err = run("sandbox", "--port", port)
    assert (code, out, err) == (2, "", f"caldav-bridge: cannot listen on 127.0.0.1: port {port} is taken\n")


def test_a_password_that_nobody_types_is_asked_for_in_vain(run, monkeypatch):
    def at_the_end(_prompt):
        raise EOFError

    monkeypatch.setattr("getpass.getpass", at_the_end)
    code, _, err = run("account", "connect", "alice", "caldav", "--url", "http://127.0.0.1:9/", "--username", "u")
    assert code == 2
    assert err.endswith("caldav-bridge: nothing done; say --password-stdin to read the password from standard input\n")
    assert "Aborted" not in err


def test_files_that_cannot_sign_profiles_are_told_at_start_in_one_line(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    tmp_path.joinpath("config.toml").write_text('[onboarding]\ncertificate = "/nowhere.pem"\nkey = "/nowhere.key"\n')
    command = [sys.executable, "-m", "bridge.server", "--data", str(tmp_path), "web", "--port", str(port)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert (
        ended.stderr
        == "caldav-bridge: onboarding.certificate: /nowhere.pem cannot be read: No such file or directory\n"
    )


def test_a_command_loads_nothing_that_it_does_not_need():
    """Each of these takes as long to load as many a command to run."""
    heavy = {
        "alembic",
        "apscheduler",
        "dns",
        "flask",
        "googleapiclient",
        "granian",
        "msal",
        "radicale",
        "bridge.sandbox",
    }
    asked = "import sys, bridge.server; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.split()
    assert "bridge.cli.main" in loaded
    assert heavy.isdisjoint(loaded)
