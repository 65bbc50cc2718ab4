"""The servers that are compared, each in processes of its own on a port of its own, filled before they start."""

import contextlib
import datetime as dt
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bridge.services import devices, principals
from bridge.store import calendars, migrations, objects, session
from tests.benchmarks.dav import mix
from tests.support.hub import Hub, free_port, wait_for

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
PERSON = "alex"


@dataclass
class Server:
    name: str
    port: int
    password: str
    process: int
    """Its first one; the others are its children."""

    def cpu(self):
        """Seconds of processor time that it and its children have had, the ended ones aside."""
        return sum(_spent(each) for each in _family(self.process))

    def memory(self):
        """Resident MB now, of all its processes."""
        return sum(_resident(each) for each in _family(self.process))


def _family(process):
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *(each for child in children for each in _family(int(child)))]


def _spent(process):
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(process):
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextlib.contextmanager
def bridge(folder, size, others=0):
    """Ours on SQLite, as `caldav-bridge web` runs it. ``others`` people have a calendar each, with an event."""
    data = folder / "bridge"
    data.mkdir(mode=0o700)
    database = session.connect(f"sqlite:///{data / 'bridge.db'}")
    migrations.upgrade(database)
    principals.add(database, PERSON, "alex@example.com", now=NOW)
    password = devices.add(database, PERSON, "bench", now=NOW).password
    with database.write() as conn:
        calendar = calendars.get(conn, PERSON, "calendar")
        for number in range(size):
            data_ = mix.event(number, size).encode()
            objects.put(conn, calendar.id, f"{number}.ics", data_, actor="device:1", now=NOW)
    for number in range(others):
        principals.add(database, f"other{number}", f"other{number}@example.com", now=NOW)
    database.close()
    hub = Hub(data)
    hub.parts = [["web"]]
    with hub:
        yield Server("caldav-bridge", hub.port, password, hub.processes[0].pid)


@contextlib.contextmanager
def radicale(folder, size):
    """Stock Radicale as it comes, but for a password file in plain text: the cheapest it has."""
    (folder / "users").write_text(f"{PERSON}:secret\n")
    collection = folder / "collections" / "collection-root" / PERSON / "calendar"
    collection.mkdir(parents=True)
    (collection / ".Radicale.props").write_text(json.dumps({"tag": "VCALENDAR", "D:displayname": "Calendar"}))
    for number in range(size):
        (collection / f"{number}.ics").write_bytes(mix.event(number, size).encode())
    port = free_port()
    settings = {
        "server-hosts": f"127.0.0.1:{port}", "auth-type": "htpasswd", "auth-htpasswd-filename": str(folder / "users"),
        "auth-htpasswd-encryption": "plain", "storage-filesystem-folder": str(folder / "collections"), "web-type": "none",
        "logging-level": "error", "server-max-connections": "50",
    }  # fmt: skip
    command = [
        sys.executable,
        "-m",
        "radicale",
        "--config",
        "",
        *(f"--{name}={value}" for name, value in settings.items()),
    ]
    with (folder / "radicale.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_for(lambda: _listens(port), seconds=60)
        yield Server("Radicale", port, "secret", process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _listens(port):
    import socket

    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
