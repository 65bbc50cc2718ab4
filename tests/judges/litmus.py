"""litmus: which of its tests of plain WebDAV pass.

It keeps text files (see ``translator``) in folders within folders, so what a calendar server must refuse fails there, and what
builds on that is skipped.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.judges.bench import Device

SUITES = ("basic", "copymove", "props", "http")
_SUITE = re.compile(r"^-> running `(\w+)':")
_TEST = re.compile(r"^ *(\d+)\. (\w+?)\.* *(pass|FAIL|SKIPPED|WARNING)?(?:[ (:].*)?$")
_VERDICT = re.compile(r"^ *\.+ *(pass|FAIL|SKIPPED)")
_WORDS = {"pass": "pass", "FAIL": "failed", "SKIPPED": "skipped"}


def run(device: Device, folder: Path) -> dict[str, str]:
    """``suite/test`` and "pass", "skipped" or "failed". It works in ``litmus/`` below the home."""
    done = subprocess.run(
        ["litmus", "-k", f"{device.url}{device.username}/", device.username, device.password],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "TESTS": " ".join(SUITES)},
        cwd=folder,  # it writes a log
        capture_output=True,
        timeout=300,
        check=False,
    )
    return read(done.stdout.decode("utf-8", "replace"))


def read(printed: str) -> dict[str, str]:
    """A test's line is written anew when it has ended, and a warning stands on a line of its own before that.

    The second test of a name is called ``name 2``.
    """
    found: dict[str, str] = {}
    names: dict[tuple[str, str], str] = {}
    suite = test = ""
    for line in re.split(r"[\r\n]+", printed):
        if match := _SUITE.match(line):
            suite = match[1]
        elif match := _TEST.match(line):
            place = suite, match[1]
            if place not in names:
                twins = sum(
                    1 for (where, _), name in names.items() if where == suite and name.split(" ")[0] == match[2]
                )
                names[place] = match[2] if not twins else f"{match[2]} {twins + 1}"
            test = f"{suite}/{names[place]}"
            if match[3] in _WORDS:
                found[test] = _WORDS[match[3]]
        elif (match := _VERDICT.match(line)) and test:
            found[test] = _WORDS[match[1]]
    return found
