"""``caldav-bridge demo`` as a person runs it: what it prints is true, and Ctrl-C ends all of it."""

import contextlib
import datetime as dt
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import caldav
import httpx
import icalendar
import pytest

from bridge.cli import demo
from bridge.sandbox.seeds import seeds
from tests.support.hub import free_port, wait_for

ROWS = {
    "address": r"CalDAV address +(http\S+)",
    "user": r"User name +(\S+)",
    "password": r"Password +(\S+)",
    "hub": r"The hub +(http\S+)",
    "google": r"Google Calendar \(simulated\) +(http\S+)",
    "outlook": r"Outlook \(simulated\) +(http\S+)",
}


class Demo:
    """The command in a process group of its own, as a terminal starts it; ``interrupt`` is Ctrl-C."""

    def __init__(self, data, port, sandbox_port):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CALDAV_BRIDGE_")}
        self.output = data.with_name(f"{data.name}-{port}.log")
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bridge.server", "--data", str(data), "demo", "--port", str(port)],
                env={**clean, "CALDAV_BRIDGE_SANDBOX__PORT": str(sandbox_port), "COLUMNS": "120"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def printed(self):
        return self.output.read_text()

    def ready(self):
        """What it tells the person to use."""

        def told():
            assert self.process.poll() is None, self.printed()
            return "Ctrl-C ends the demo" in self.printed()

        wait_for(told, seconds=90)
        return {name: re.search(pattern, self.printed())[1] for name, pattern in ROWS.items()}

    def interrupt(self):
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=20)

    def left_over(self):
        """The command lines of processes of its group that still run."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                state, _, group = folder.joinpath("stat").read_text().rpartition(")")[2].split()[:3]
                if int(group) == self.process.pid and state != "Z":
                    found.append(folder.joinpath("cmdline").read_text().replace("\0", " "))
        return found

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def titles(told):
    with caldav.DAVClient(told["address"], username=told["user"], password=told["password"]) as phone:
        calendars = phone.principal().get_calendars()
        events = next(one for one in calendars if "VEVENT" in one.get_supported_components()).get_events()
        return sorted(str(icalendar.Calendar.from_ical(one.data).walk("VEVENT")[0]["summary"]) for one in events)


def seeded():
    return sorted(seed.title for life in ("private", "work") for seed in seeds(life, demo.EVENTS, dt.date(2026, 1, 1)))


def test_what_the_demo_prints_is_true_and_ctrl_c_ends_it_all_and_a_second_one_begins_anew(tmp_path):
    ports = free_port(), free_port()
    for _ in range(2):
        with Demo(tmp_path / "data", *ports) as running:
            told = running.ready()
            assert told["address"] == told["hub"] == f"http://127.0.0.1:{ports[0]}/"
            assert told["google"] == f"http://127.0.0.1:{ports[1]}/google/"
            for name in ("hub", "google", "outlook"):
                answer = httpx.get(told[name])
                assert answer.status_code == 200
                assert "<h1>" in answer.text
            assert titles(told) == seeded()

            assert running.interrupt() == 0
            wait_for(lambda running=running: not running.left_over(), seconds=10)
            assert "Traceback" not in running.printed()
            assert "[error" not in running.printed()


def test_ports_that_are_taken_are_no_obstacle(tmp_path):
    with httpx.Client() as client, Demo(tmp_path / "first", free_port(), free_port()) as first:
        one = first.ready()
        taken = [httpx.URL(one[name]).port for name in ("hub", "google")]
        with Demo(tmp_path / "second", *taken) as second:
            other = second.ready()
            assert {httpx.URL(other[name]).port for name in ("hub", "google")}.isdisjoint(taken)
            assert client.get(other["outlook"]).status_code == 200
            assert second.interrupt() == 0
        assert client.get(one["hub"]).status_code == 200
        assert first.interrupt() == 0


@pytest.mark.parametrize("database", ["file", "url"])
def test_a_real_hub_is_never_taken_for_a_demo(tmp_path, database):
    if database == "file":
        tmp_path.joinpath("bridge.db").write_bytes(b"a real hub's")
    else:
        tmp_path.joinpath("config.toml").write_text('database_url = "sqlite:///elsewhere.db"\n')
    with Demo(tmp_path, free_port(), free_port()) as refused:
        assert refused.process.wait(timeout=60) == 2
        assert "of its own" in refused.printed() or "its own small database" in refused.printed()
    assert database == "url" or tmp_path.joinpath("bridge.db").read_bytes() == b"a real hub's"
