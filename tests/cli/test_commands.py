"""The commands as a person types them: what they print, and one plain line for what cannot be."""

import functools
import json

import pytest

from bridge.services import addresses
from tests.support import databases

NOBODY = "there is no user 'bob'; add one with: caldav-bridge user add bob --email"


@pytest.fixture
def run(tmp_path, monkeypatch, caldav_bridge):
    monkeypatch.delenv("CALDAV_BRIDGE_GOOGLE__CLIENT_ID", raising=False)
    return functools.partial(caldav_bridge, tmp_path)


@pytest.fixture
def alice(run, tmp_path):
    databases.lay(tmp_path)
    assert run("user", "add", "alice", "--email", "alice@example.com")[0] == 0


def test_a_first_start_needs_no_separate_step(run):
    code, out, _ = run("status", "--json")
    assert (code, json.loads(out)) == (0, [])


@pytest.mark.usefixtures("alice")
def test_a_device_gets_an_address_a_name_and_a_password(run):
    code, out, _ = run("device", "add", "alice", "phone", "--json")
    made = json.loads(out)
    assert code == 0
    assert made["url"] == "http://127.0.0.1:5232/"
    assert made["username"] == "alice"
    assert len(made["password"]) >= 20
    assert set(made) == {"url", "username", "password", "setup_url"}
    assert made["setup_url"].startswith(f"{made['url']}setup/")
    _, out, _ = run("device", "link", "alice", "phone", "--json")
    again = json.loads(out)
    assert again["password"] != made["password"]
    assert again["setup_url"] != made["setup_url"]


@pytest.mark.usefixtures("alice")
def test_a_password_is_taken_over_from_another_server(run):
    code, out, _ = run("device", "add", "alice", "phone", "--password-stdin", "--json", stdin="correct horse battery\n")
    assert code == 0
    assert json.loads(out)["password"] == "correct horse battery"


@pytest.mark.usefixtures("alice")
def test_a_device_says_how_it_stands_and_where_its_test_event_is(run):
    run("device", "add", "alice", "phone")
    code, out, _ = run("device", "show", "alice", "phone", "--json")
    assert code == 0
    found = json.loads(out)
    assert [(each["calendar"], each["state"], each["behind"]) for each in found["calendars"]] == [
        ("alice/calendar", "never fetched", 0),
        ("alice/tasks", "never fetched", 0),
    ]
    assert found["test"] is None
    code, out, _ = run("device", "test", "alice", "phone")
    assert (code, "device show alice phone" in out) == (0, True)
    code, out, _ = run("device", "show", "alice", "phone")
    assert (code, "has not fetched it yet" in out) == (0, True)
    code, out, _ = run("device", "list", "alice", "--json")
    assert [each["state"] for each in json.loads(out)] == ["never fetched"]
    for arguments, words in (
        (("device", "test", "alice", "tv"), "has no device 'tv'"),
        (("device", "show", "bob", "phone"), NOBODY),
        (("device", "test", "alice", "phone", "--calendar", "work"), "there is no calendar alice/work"),
        (("device", "test", "alice", "phone", "--calendar", "tasks"), "takes no events"),
    ):
        code, _, err = run(*arguments)
        assert (code, words in err) == (2, True), err


@pytest.mark.usefixtures("alice")
def test_a_revoked_device_says_so(run):
    run("device", "add", "alice", "phone")
    assert run("device", "revoke", "alice", "phone")[0] == 0
    _, out, _ = run("device", "list", "alice", "--json")
    assert [one["revoked"] for one in json.loads(out)] == [True]


@pytest.mark.usefixtures("alice")
def test_calendars_are_listed_by_the_names_that_pair_add_takes(run):
    _, out, _ = run("calendar", "list", "alice", "--json")
    assert [one["name"] for one in json.loads(out)] == ["alice/calendar", "alice/tasks"]


@pytest.mark.usefixtures("alice")
def test_account_connect_prints_the_address_to_open(run):
    code, out, _ = run("account", "connect", "alice", "google", "--sandbox", "--json")
    asked = json.loads(out)
    assert code == 0
    assert asked["url"].startswith("http://127.0.0.1:5233/google/o/oauth2/v2/auth?")
    assert asked["redirect_uri"] == "http://127.0.0.1:5232/oauth/google/callback"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["user", "add", "alice", "--email", "other@example.com"], "alice"),
        (["user", "add", "oauth", "--email", "o@example.com"], "cannot be a user name"),
        (["user", "add", "Bob", "--email", "bob@example.com"], "lower-case"),
        (["user", "add", "bob", "--email", "nonsense"], "not an e-mail address"),
        (["device", "add", "bob", "phone"], NOBODY),
        (["device", "list", "bob"], NOBODY),
        (["calendar", "subscribe", "bob", "https://cal.example.org/f.ics"], NOBODY),
        (["device", "revoke", "alice", "tablet"], "no device"),
        (["account", "connect", "alice", "google"], "set [google] client_id"),
        (["account", "connect", "alice", "microsoft"], "set [microsoft] client_id"),
        (["account", "connect", "alice", "yahoo"], "choose one of google, microsoft"),
        (["account", "connect", "bob", "google", "--sandbox"], NOBODY),
        (["account", "connect", "alice", "caldav"], "needs --url"),
        (["account", "connect", "alice", "caldav", "--url", "https://cal.example.org/"], "--username"),
        (["account", "connect", "alice", "caldav", "--sandbox"], "no simulated caldav"),
        (["account", "connect", "alice", "google", "--url", "https://cal.example.org/"], "are for caldav"),
        (["calendar", "list", "bob"], NOBODY),
        (["pair", "add", "alice", "bob/calendar", "1"], "no calendar alice/bob/calendar"),
        (["pair", "add", "alice", "work", "1"], "no calendar alice/work"),
        (["pair", "add", "alice", "calendar", "7"], "no remote calendar number 7"),
        (["pair", "add", "alice", "alice/calendar", "x"], "by the number"),
        (["pair", "add", "alice", "alice/calendar", "1", "--direction", "up"], "both, pull, push"),
        (["pair", "add", "alice", "alice/calendar", "1", "--every", "0"], "frequency"),
        (["pair", "approve", "9"], "pair 9"),
        (["pair", "set", "9", "--every", "5"], "pair 9"),
        (["sync", "now", "9"], "there is no pair 9"),
    ],
)
@pytest.mark.usefixtures("alice")
def test_what_cannot_be_is_told_in_one_plain_line(run, arguments, words):
    code, out, err = run(*arguments)
    assert code == 2
    assert words in err
    assert err.startswith("caldav-bridge: ")
    assert err.count("\n") == 1
    assert out == ""


def test_a_data_directory_that_cannot_be_is_told_in_one_line(run, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = run("--data", str(tmp_path / "file" / "sub"), "status")
    assert code == 2
    assert err.count("\n") == 1


def test_a_wrong_setting_is_told_in_one_line(run, tmp_path):
    (tmp_path / "config.toml").write_text("[server]\nport = 99999\n")
    code, _, err = run("status")
    assert (code, err.count("\n")) == (2, 1)
    assert "server.port" in err


def test_addresses_that_the_internet_does_not_reach_are_known():
    inside = (
        "http://127.0.0.1:5232",
        "https://192.168.1.5",
        "https://[fd00::1]",
        "https://nas",
        "https://cal.home.arpa",
        "https://cal.lan.",
    )
    assert all(map(addresses.is_inside, inside))
    assert not any(map(addresses.is_inside, ("https://cal.example.org", "https://8.8.8.8", "https://lan.example.org")))


@pytest.mark.usefixtures("alice")
def test_a_feed_is_made_listed_rotated_and_taken_back(run):
    code, out, _ = run("feed", "add", "alice", "alice/calendar", "--name", "Tea", "--shows", "busy", "--json")
    made = json.loads(out)
    assert (code, made["name"]) == (0, "Tea")
    assert made["url"].startswith("http://127.0.0.1:5232/feeds/")
    assert made["webcal"].startswith("webcal://127.0.0.1:5232/feeds/")
    assert made["profile"] == made["url"].removesuffix(".ics") + ".mobileconfig"
    code, out, _ = run("feed", "list", "alice", "--json")
    assert [(each["name"], each["calendars"], each["shows"]) for each in json.loads(out)] == [
        ("Tea", "calendar", "busy")
    ]
    (listed,) = json.loads(out)
    assert made["url"].partition("5232")[2].startswith(listed["address"].removesuffix("…"))
    code, out, _ = run("feed", "rotate", "alice", "Tea")
    assert (code, "cannot read it" in out) == (0, True)
    assert run("feed", "revoke", "alice", "Tea")[0] == 0
    for arguments, words in (
        (("feed", "revoke", "alice", "Tea"), "has no feed 'Tea'"),
        (("feed", "list", "bob"), NOBODY),
        (("feed", "add", "alice", "work"), "there is no calendar alice/work"),
        (("feed", "add", "alice", "calendar", "--shows", "all"), "full, titles, busy"),
        (("feed", "add", "alice", "calendar", "--past-days", "-1"), "0 to 3650 days"),
    ):
        code, _, err = run(*arguments)
        assert (code, words in err) == (2, True), err
