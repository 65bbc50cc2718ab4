"""What an admin sees of the devices that are told of changes."""

import datetime as dt
import functools
import json
import shutil

import pytest

from bridge import config
from bridge.notify.webpush import Endpoint
from bridge.services import devices, principals, push_keys, registering
from bridge.services.context import open_context
from bridge.store import calendars, push_subscriptions
from bridge.store.push_subscriptions import Watched
from tests.support.push_service import Device


@pytest.fixture
def context(tmp_path, _migrated_file):
    shutil.copy(_migrated_file, tmp_path / "bridge.db")
    opened = open_context(config.load(tmp_path))
    principals.add(opened.database, "alice", "alice@example.org", now=opened.now())
    yield opened
    opened.close()


@pytest.fixture
def run(context, tmp_path, caldav_bridge):
    return functools.partial(caldav_bridge, tmp_path)


@pytest.fixture
def registered(context):
    now = context.now()
    devices.add(context.database, "alice", "phone", now=now)
    registrar = registering.open_registrar(context)
    device = Device()
    endpoint = Endpoint.of("https://push.example/a-secret", device.public_key, device.auth_secret)
    with context.database.write() as conn:
        calendar = calendars.get(conn, "alice", "calendar")
        for watched in (Watched("calendar", calendar.id), Watched("home", calendar.principal_id)):
            registrar.register(
                conn, watched, endpoint, content=True, property_depth=None, expires_at=now + dt.timedelta(days=3),
                principal_id=calendar.principal_id, device_id=1, now=now,
            )  # fmt: skip
    registrar.services.close()
    return now


def test_who_is_told_of_what(run, registered):
    code, out, _ = run("push", "list", "--json")
    assert code == 0
    assert "a-secret" not in out
    rows = json.loads(out)
    assert [(one["user"], one["device"], one["collection"], one["through"]) for one in rows] == [
        ("alice", "phone", "alice/", "push.example"),
        ("alice", "phone", "alice/calendar", "push.example"),
    ]
    assert all((one["told"], one["failures"]) == (None, 0) for one in rows)
    code, out, _ = run("push", "list", "alice")
    assert code == 0
    assert "push.example" in out


def test_nobody_has_registered(run):
    code, out, _ = run("push", "list")
    assert (code, out.count("\n")) == (0, 1)
    assert run("push", "list", "nobody")[0] == 2


def test_the_key_stays_until_somebody_says_so(run, context, registered):
    before = push_keys.load(context).signer.public_key
    assert run("push", "key")[1].strip() == before
    assert run("push", "key", "--renew")[0] == 2  # nobody is there to be asked
    assert run("push", "key")[1].strip() == before
    code, out, _ = run("push", "key", "--renew", "--yes")
    assert code == 0
    assert "2 registrations" in out
    assert before not in out
    with context.database.read() as conn:
        assert push_subscriptions.every(conn, now=context.now()) == []


@pytest.mark.parametrize(
    ("toml", "words"),
    [('allow = ["10.0.0.0/40"]', "10.0.0.0/40"), ('contact = "admin"', "mailto"), ("days = 2", "3")],
)
def test_a_wrong_setting_is_told_in_one_line(run, context, tmp_path, toml, words):
    (tmp_path / "config.toml").write_text(f"[push]\n{toml}\n")
    code, _, err = run("push", "list")
    assert (code, err.count("\n")) == (2, 1)
    assert words in err
