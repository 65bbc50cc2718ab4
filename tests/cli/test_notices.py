"""What needs a person, and comparing by hand, as a person types it."""

import functools
import json
import shutil

import pytest
import sqlalchemy as sa

from bridge.sandbox.server import Sandbox
from bridge.store import tables
from tests.support import house as houses
from tests.support.mailbox import Mailbox


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
    pair_id = house.connect().pair_id
    house.add("google", "Canary")
    assert house.cycle(pair_id).error is None
    return pair_id


@pytest.fixture
def run(house, tmp_path, caldav_bridge):
    return functools.partial(caldav_bridge, tmp_path)


def sql(house, statement):
    with house.context.database.write() as conn:
        conn.execute(statement)


@pytest.mark.usefixtures("pair")
def test_at_rest_nothing_needs_a_person(run):
    assert run("notices")[:2] == (0, "Nothing needs a person.\n")
    assert json.loads(run("notices", "--json")[1]) == []


def test_a_parked_plan_is_told_with_what_to_do_and_stands_in_the_status(house, run, pair):
    sql(house, sa.update(tables.pairs).values(parked={"hub": 12, "remote": 0}))
    (notice,) = json.loads(run("notices", "--json")[1])
    assert (notice["kind"], notice["subject"], notice["sent_at"]) == ("parked", f"pair:{pair}", None)
    assert notice["detail"] == {"pair": pair, "hub": 12, "remote": 0, "mails": 0}
    for command in ("notices", "status"):
        code, out, _ = run(command)
        assert code == 0
        assert f"caldav-bridge pair approve {pair}" in out


def test_r42_a_comparison_by_hand_says_what_differs_and_the_next_sync_sets_it_right(house, run, pair):
    code, out, _ = run("sync", "audit", pair, "--json")
    assert (code, json.loads(out)[0]["divergences"]) == (0, 0)
    sql(house, sa.delete(tables.links))
    code, out, _ = run("sync", "audit")
    assert code == 1
    assert "hub-unlinked" in out
    assert "Canary" not in out
    (stood,) = json.loads(run("status", "--json")[1])
    assert (stood["divergences"], stood["audited_at"] is None) == (1, False)
    assert "1 events differed" in run("status")[1]
    assert [each["kind"] for each in json.loads(run("notices", "--json")[1])] == ["diverged"]
    assert run("sync", "now")[0] == 0
    assert run("sync", "audit")[0] == 0
    assert json.loads(run("notices", "--json")[1]) == []


def test_r42_a_comparison_that_comes_to_no_verdict_says_why(house, run, pair):
    sql(house, sa.update(tables.accounts).values(needs_reconnect=True))
    code, out, err = run("sync", "audit", pair, "--json")
    (outcome,) = json.loads(out)
    assert (code, outcome["divergences"], "Traceback" in err) == (1, None, False)
    assert "account connect" in outcome["error"]


def test_an_unknown_pair_is_one_plain_line(run):
    code, out, err = run("sync", "audit", 99)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "no pair 99" in err


def test_a_test_message_goes_to_the_admin(run, monkeypatch):
    box = Mailbox()
    try:
        monkeypatch.setenv("CALDAV_BRIDGE_NOTIFY__URLS", json.dumps([box.url("admin")]))
        assert run("notices", "--test")[0] == 0
        assert [name for name, _, _ in box.got] == ["admin"]
        box.refusing.add("admin")
        code, _, err = run("notices", "--test")
        assert (code != 0, err.count("\n"), box.url("admin") in err) == (True, 1, False)
    finally:
        box.close()


def test_an_address_that_nobody_knows_is_one_plain_line_without_it(run, monkeypatch):
    monkeypatch.setenv("CALDAV_BRIDGE_NOTIFY__URLS", '["hunter2://secret"]')
    code, _, err = run("notices", "--test")
    assert (code, err.count("\n")) == (2, 1)
    assert "hunter2" not in err
