"""Evolution's data server as a real client: what Evolution, GNOME Calendar and Endeavour keep calendars with."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.objects import component, resource, stored
from tests.support.hub import wait_for


class Evolution:
    """Its own programs in a D-Bus session of their own and a home of their own, driven by evolution_hands.py."""

    def __init__(self, folder, device):
        for name in ("home", "run"):
            (folder / name).mkdir(mode=0o700)
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(
                        "dbus-run-session",
                        "--",
                        "/usr/bin/python3",
                        str(Path(__file__).with_name("evolution_hands.py")),
                    ),
                    *(device["url"], device["username"], device["password"]),
                ],
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(folder / "home"),
                    "XDG_RUNTIME_DIR": str(folder / "run"),
                    "GSETTINGS_BACKEND": "memory",
                    "GIO_USE_VFS": "local",
                },
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def __call__(self, word, *arguments):
        self.process.stdin.write(json.dumps([word, *arguments]) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, self.log.read_text()
        told = json.loads(answer)
        assert "done" in told, told
        return told["done"]

    def titles(self):
        return sorted(
            line.partition(":")[2].strip()
            for text in self("shows")
            for line in text.splitlines()
            if line.startswith("SUMMARY")
        )

    def shows(self, *expected):
        wait_for(lambda: self.titles() == sorted(expected), seconds=60, every=0.2)

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=20)


@pytest.fixture
def evolution(device, tmp_path):
    running = Evolution(tmp_path, device)
    yield running
    running.end()


EVENT = ("DTSTART:20260310T090000Z", "DTEND:20260310T100000Z")


def test_it_finds_the_calendars_from_the_address_alone(evolution, device):
    found = evolution("discover")
    assert found["addresses"] == ["alex@example.com"]
    assert {
        href.removeprefix(device["url"]): (one["name"], one["events"], one["tasks"])
        for href, one in found["calendars"].items()
    } == {"alex/calendar/": ("Calendar", True, False), "alex/tasks/": ("Tasks", False, True)}


@pytest.mark.parametrize(
    ("kind", "slug", "name", "lines"),
    [("events", "calendar", "VEVENT", EVENT), ("tasks", "tasks", "VTODO", ("DUE:20260310T090000Z",))],
)
def test_both_ways(evolution, web, device, kind, slug, name, lines):
    place = f"/alex/{slug}/"
    assert evolution("open", f"{device['url']}alex/{slug}/", kind) == {"read_only": False}

    # there to here, and here to there
    assert (
        web.put(f"{place}hub.ics", content=resource(component(name, "hub", "From the hub", *lines))).status_code == 201
    )
    evolution.shows("From the hub")
    uid = evolution("create", component(name, "made-there", "From Evolution", *lines))
    evolution.shows("From Evolution", "From the hub")
    (href,) = [href for href, text in stored(web, place).items() if "SUMMARY:From Evolution" in text]

    # edits on both sides
    evolution("rename", uid, "Renamed there")
    assert "SUMMARY:Renamed there" in web.get(href).text
    new = resource(component(name, "hub", "Renamed in the hub", *lines))
    assert web.put(f"{place}hub.ics", content=new).status_code == 204
    evolution.shows("Renamed in the hub", "Renamed there")

    # deletions on both sides
    assert web.delete(f"{place}hub.ics").status_code == 204
    evolution.shows("Renamed there")
    evolution("remove", uid)
    assert stored(web, place) == {}
    assert web.get(href).status_code in {404, 410}
