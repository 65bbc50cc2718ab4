"""``python -m radicale`` with our store: for people who want no more than Radicale on SQL."""

import datetime as dt
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import caldav
import httpx
import pytest

from bridge.services import devices, principals
from bridge.store import session

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    try:
        httpx.request("OPTIONS", f"http://127.0.0.1:{port}/")
    except httpx.TransportError:
        return False
    return True


@pytest.fixture
def radicale(tmp_path):
    """Start it with these sections of a configuration; gives its address."""
    running = []

    def start(text):
        port = free_port()
        path = tmp_path / "radicale.ini"
        path.write_text(f"[server]\nhosts = 127.0.0.1:{port}\n[web]\ntype = none\n{text}")
        log = (tmp_path / "log").open("w")
        process = subprocess.Popen(
            [sys.executable, "-m", "radicale", "--config", str(path)],
            stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )  # fmt: skip
        running.append((process, log))
        deadline = time.monotonic() + 30
        while not answers(port):
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.05)
        return f"http://127.0.0.1:{port}"

    yield start
    for process, log in running:
        process.terminate()
        process.wait(10)
        log.close()


def test_an_empty_folder_becomes_a_store(radicale, tmp_path):
    """With Radicale's own users: the home is made at the first sign-in, the tables at the first start."""
    (tmp_path / "users").write_text("bob:secret-of-bob\n")
    base = radicale(
        f"[auth]\ntype = htpasswd\nhtpasswd_filename = {tmp_path / 'users'}\nhtpasswd_encryption = plain\n"
        f"[storage]\ntype = radicale_plugins.storage\nfilesystem_folder = {tmp_path / 'data' / 'deep'}\n"
    )
    with caldav.DAVClient(base, username="bob", password="secret-of-bob") as client:
        calendar = client.principal().make_calendar(name="Work", cal_id="work")
        start = dt.datetime(2026, 3, 10, 9, tzinfo=dt.UTC)
        calendar.add_event(dtstart=start, dtend=start + dt.timedelta(hours=1), summary="Tea", rrule={"FREQ": "WEEKLY"})
        week = {"start": start + dt.timedelta(days=14), "end": start + dt.timedelta(days=15)}
        assert len(calendar.search(event=True, **week)) == 1
        assert len(calendar.search(event=True, expand=True, start=start, end=start + dt.timedelta(days=21))) == 3
        synced = calendar.objects_by_sync_token()
        assert len(list(synced)) == 1
        (event,) = calendar.get_events()
        event.delete()
        updated, deleted = synced.sync()
        assert (len(updated), len(deleted)) == (0, 1)
        calendar.delete()
        assert client.principal().get_calendars() == []
    assert (tmp_path / "data" / "deep" / "radicale.db").is_file()


def test_device_passwords_and_rights_of_ours_over_postgresql_or_sqlite(radicale, database_url):
    database = session.connect(database_url)
    principals.add(database, "alice", "alice@example.org", now=NOW)
    password = devices.add(database, "alice", "Phone", now=NOW).password
    database.close()
    base = radicale(
        "[auth]\ntype = radicale_plugins.auth\ndelay = 0\n[rights]\ntype = radicale_plugins.rights\n"
        f"[storage]\ntype = radicale_plugins.storage\ndatabase_url = {database_url}\n"
    )
    with caldav.DAVClient(base, username="alice@example.org", password=password) as client:
        found = {calendar.get_display_name() for calendar in client.principal().get_calendars()}
        assert found == {"Calendar", "Tasks"}
    with httpx.Client(base_url=base, auth=("alice", "wrong-password"), verify=False) as stranger:
        assert stranger.request("PROPFIND", "/alice/").status_code == 401
    with httpx.Client(base_url=base, auth=("alice", password), verify=False) as client:
        book = (
            '<mkcol xmlns="DAV:" xmlns:R="urn:ietf:params:xml:ns:carddav"><set><prop><resourcetype><collection/>'
            "<R:addressbook/></resourcetype></prop></set></mkcol>"
        )
        assert client.request("MKCOL", "/alice/book/", content=book).status_code == 400
        assert client.request("PROPFIND", "/bob/").status_code == 403


def test_its_storage_can_be_verified(tmp_path):
    config = tmp_path / "radicale.ini"
    config.write_text(f"[storage]\ntype = radicale_plugins.storage\nfilesystem_folder = {tmp_path / 'data'}\n")
    command = [sys.executable, "-m", "radicale", "--config", str(config), "--verify-storage"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_the_example_configuration_is_one(tmp_path):
    from radicale import config, rights, storage

    example = Path(__file__).parents[2] / "config" / "radicale.ini"
    loaded = config.load([(str(example), False)])
    assert loaded.get("storage", "type") == "radicale_plugins.storage"
    loaded.update({"storage": {"database_url": f"sqlite:///{tmp_path / 'x.db'}"}}, "test")
    assert storage.load(loaded).verify()
    assert rights.load(loaded).authorization("alice", set(), "/alice/work") == "rw"
