"""Switch each protecting rule off in a copy of the project and see that its tests notice. Ends with 1 if one goes unnoticed.

``python -m tests.mutations [WORD]``: only those whose rule holds the word. The named tests must be green in the copy before.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.mutations.switches import ROOT, SWITCHES, Switch

PARTS = ("bridge", "radicale_plugins", "tests", "config", "docs", "deploy", "pyproject.toml", "README.md")


def main(words: list[str]) -> int:
    chosen = [each for each in SWITCHES if all(word.lower() in each.rule.lower() for word in words)]
    if not chosen:
        print(f"no rule is called {' '.join(words)!r}")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        intact = _copy(Path(folder) / "intact")
        outcomes = [_try(each, intact, Path(folder) / "mutated") for each in chosen]
    width = max(len(each.rule) for each in chosen)
    for switch, (noticed, what, seconds) in zip(chosen, outcomes, strict=True):
        print(f"{'noticed ' if noticed else 'SURVIVED'}  {switch.rule:{width}}  {seconds:5.1f} s  {what}")
    survivors = sum(not noticed for noticed, _, _ in outcomes)
    print(f"{len(chosen) - survivors} of {len(chosen)} noticed")
    return 1 if survivors else 0


def _copy(to: Path) -> Path:
    to.mkdir()
    for name in PARTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, to / name)
    return to


def _try(switch: Switch, intact: Path, mutated: Path) -> tuple[bool, str, float]:
    """Whether the tests notice; the one that did first, or what else came of it; seconds."""
    began = time.monotonic()
    code, told = _run(switch, intact)
    if code != 0:
        return False, f"its tests are not green as things are: {told}", time.monotonic() - began
    shutil.rmtree(mutated, ignore_errors=True)
    shutil.copytree(intact, mutated)
    switch.flip(mutated)
    code, told = _run(switch, mutated)
    return code == 1, told if code == 1 else f"pytest ended with {code}", time.monotonic() - began


def _run(switch: Switch, root: Path) -> tuple[int, str]:
    """pytest's exit code (0: all passed, 1: a test failed), and its first failure."""
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *switch.tests]
    env = {**os.environ, "PYTHONPATH": str(root), "COLUMNS": "300"}
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return done.returncode, failed[1] if failed else done.stdout.strip()[-200:]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
