"""caldav-server-tester: what it says of each feature."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.judges.bench import Device


@dataclass(frozen=True)
class Verdict:
    """``support`` is the tester's own word: full, unsupported, quirk, fragile, unknown …"""

    support: str
    remark: str


def run(devices: Mapping[str, Device], folder: Path) -> dict[str, Verdict]:
    """By feature. It reads who may sign in from its own configuration file, so it gets a home of its own."""
    config = folder / ".config" / "caldav" / "calendar.conf"
    config.parent.mkdir(parents=True)
    sections = {
        name: {"caldav_url": one.url, "caldav_username": one.username, "caldav_password": one.password}
        for name, one in devices.items()
    }
    config.write_text(json.dumps(sections))
    chosen = [argument for name in sections for argument in ("--config-section", name)]
    done = subprocess.run(
        [Path(sys.executable).with_name("caldav-server-tester"), *chosen, "--format", "hints"],
        env={**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(config.parent.parent)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise AssertionError(done.stderr[-2000:])
    found = ast.literal_eval(done.stdout[done.stdout.index("{") :])
    return {name: _verdict(told) for name, told in found.items() if "support" in told}


def _verdict(told: Mapping[str, object]) -> Verdict:
    remarks = [str(value) for name, value in told.items() if name != "support"]
    return Verdict(str(told["support"]), "; ".join(remarks))
