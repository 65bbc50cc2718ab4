"""The tests that the caldav library has of its own, of servers and of scheduling: how each ends here.

They are in its sdist alone, which is fetched by hash (``caldav_suite.txt``); so they are asked by ``make judges`` only, and what
they said last is kept in ``caldav_suite.json``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.judges.bench import Device
from tests.judges.server_tester import Verdict

_PINS = Path(__file__).with_name("caldav_suite.txt")
_LAST = Path(__file__).with_name("caldav_suite.json")
_SERVER = "Bridge"
"""Its name is part of the names of the classes that are made for it."""


@dataclass(frozen=True)
class Suite:
    """``tests``: "pass", "failed" or "skipped", by ``class/test``."""

    version: str
    tests: Mapping[str, str]


def last() -> Suite:
    return Suite(**json.loads(_LAST.read_text()))


def keep(suite: Suite) -> None:
    _LAST.write_text(json.dumps(asdict(suite), indent=1) + "\n")


def version() -> str:
    """The one that is pinned."""
    (line,) = (line for line in _PINS.read_text().splitlines() if line.startswith("caldav=="))
    return line.split()[0].removeprefix("caldav==")


def run(devices: Mapping[str, Device], features: Mapping[str, Verdict], folder: Path) -> Suite:
    """As the people's mail addresses, for some tests make guests of user names; with what the server is known to have."""
    source, site = _fetched(folder)
    users = [
        {"url": one.url, "username": f"{name}@example.org", "password": one.password} for name, one in devices.items()
    ]
    known = {name: {"support": verdict.support} for name, verdict in features.items()}
    server = {"type": "external", **users[0], "scheduling_users": users, "features": known}
    (source / "tests/caldav_test_servers.json").write_text(json.dumps({"test-servers": {_SERVER: server}}))
    report = folder / "report.xml"
    # its own settings make errors of warnings, and what warns are versions of others
    options = ["-p", "no:cacheprovider", "-p", "no:xdist", "-o", "filterwarnings=default", "--junitxml", str(report)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-k", "ForServer", "tests/test_caldav.py"],
        env={
            **os.environ,
            "PYTHONPATH": str(site),
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PYTHON_CALDAV_TEST_EMBEDDED": "0",
            "PYTHON_CALDAV_TEST_DOCKER": "0",
        },
        cwd=source,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    if done.returncode not in (0, 1):  # 1: some failed
        raise AssertionError(done.stdout[-2000:] + done.stderr[-2000:])
    return Suite(version(), read(report.read_text()))


def read(report: str) -> dict[str, str]:
    """From JUnit's XML."""
    found = {}
    for case in ET.fromstring(report).iter("testcase"):
        kind = case.attrib["classname"].rpartition(".")[2].removesuffix(_SERVER)
        ends = {child.tag for child in case}
        state = "failed" if ends & {"failure", "error"} else "skipped" if "skipped" in ends else "pass"
        found[f"{kind}/{case.attrib['name']}"] = state
    return found


def _fetched(folder: Path) -> tuple[Path, Path]:
    """Where the tests are, and what they import besides."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "download", "--no-deps", "--no-binary", "caldav", "--require-hashes", "-r", _PINS, "-d", folder],
        check=True,
    )
    (wheel,) = folder.glob("*.whl")
    site = folder / "site"
    subprocess.run([*pip, "install", "--no-deps", "--no-index", "--target", site, wheel], check=True)
    (sdist,) = folder.glob("caldav-*.tar.gz")
    with tarfile.open(sdist) as packed:
        packed.extractall(folder, filter="data")
    return folder / sdist.name.removesuffix(".tar.gz"), site
