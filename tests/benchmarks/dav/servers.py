"""The servers that are compared, each in processes of its own on a port of its own, filled before they start.

``BENCH_PROCESSES`` says how many web processes ours has; unset, it has as many as it comes with.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bridge import config
from bridge.services import devices, principals
from bridge.store import session
from tests.benchmarks import memory
from tests.benchmarks.dav import filling, mix
from tests.benchmarks.dav.filling import NOW
from tests.support.databases import lay
from tests.support.hub import Hub, free_port, wait_for

PERSON = "alex"


@dataclass
class Server:
    name: str
    port: int
    password: str
    process: int
    """Its first one; the others are its children."""

    database: int | None = None
    """The first process of a database of its own."""

    def cpu(self):
        """Seconds of processor time that it and its children have had, the ended ones aside; its database's are among them."""
        return sum(_spent(each) for each in self._every())

    def memory(self):
        """Resident MB now, of all its processes, without its database's: those share most of what they have."""
        return sum(_resident(each) for each in _family(self.process))

    def forget_peak(self):
        for each in _family(self.process):
            memory.forget_peak(each)

    def peak(self):
        """MB that they have had at most since then, each for itself."""
        return sum(memory.peak(each) for each in _family(self.process))

    def _every(self):
        return _family(self.process) + ([] if self.database is None else _family(self.database))


def _family(process):
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except FileNotFoundError:  # a process of the database that has ended meanwhile
        return []
    return [process, *(each for child in children for each in _family(int(child)))]


def _spent(process):
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(process):
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextlib.contextmanager
def bridge(folder, size, others=0, url=None, database=None, processes=None, event=mix.event):
    """Ours as `caldav-bridge web` runs it, on SQLite unless a migrated database's ``url`` is given.

    ``others`` people have a calendar each, with an event. ``database`` is the process of the database.
    """

    def fill(opened):
        principals.add(opened, PERSON, "alex@example.com", now=NOW)
        filling.calendar(opened, PERSON, size, event)
        filling.people(opened, (f"other{number}" for number in range(others)), 1)
        return devices.add(opened, PERSON, "bench", now=NOW).password

    with filled_bridge(folder, fill, url=url, processes=processes) as (hub, password):
        yield Server("caldav-bridge", hub.port, password, hub.processes[0].pid, database)


@contextlib.contextmanager
def filled_bridge(folder, fill: Callable, url=None, processes=None):
    """A hub, and what ``fill`` has made of its database before it started."""
    data = folder / "bridge"
    if url is None:
        lay(data)
    else:
        data.mkdir(mode=0o700, parents=True)
    opened = session.connect(url or f"sqlite:///{data / 'bridge.db'}")
    made = fill(opened)
    opened.close()
    processes = processes or os.environ.get("BENCH_PROCESSES") or config.Server.model_fields["web_processes"].default
    environ = {"CALDAV_BRIDGE_SERVER__WEB_PROCESSES": str(processes)}
    hub = Hub(data, **environ, **({} if url is None else {"CALDAV_BRIDGE_DATABASE_URL": url}))
    hub.parts = [["web"]]
    with hub:
        yield hub, made


@contextlib.contextmanager
def radicale(folder, size):
    """Stock Radicale with one person and one calendar."""
    store = folder / "collections"
    lay_collection(store, PERSON, size)
    with serving_radicale(folder, store, [PERSON]) as server:
        yield server


def lay_collection(store, person, size, event=mix.event):
    """Write somebody's calendar where Radicale looks for it; its folder."""
    collection = store / "collection-root" / person / "calendar"
    collection.mkdir(parents=True)
    (collection / ".Radicale.props").write_text(json.dumps({"tag": "VCALENDAR", "D:displayname": "Calendar"}))
    for number in range(size):
        (collection / f"{number}.ics").write_bytes(event(number, size).encode())
    return collection


@contextlib.contextmanager
def serving_radicale(folder, store, people, connections=50, level="error"):
    """Stock Radicale as it comes, but for a password file in plain text: the cheapest it has. Its log is in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "users").write_text("".join(f"{person}:secret\n" for person in people))
    port = free_port()
    settings = {
        "server-hosts": f"127.0.0.1:{port}", "auth-type": "htpasswd", "auth-htpasswd-filename": str(folder / "users"),
        "auth-htpasswd-encryption": "plain", "storage-filesystem-folder": str(store), "web-type": "none",
        "logging-level": level, "server-max-connections": str(connections),
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
        wait_for(lambda: listens(port), seconds=60)
        yield Server("Radicale", port, "secret", process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)


def listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
