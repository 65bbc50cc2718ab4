"""The page of pitfalls: what goes wrong elsewhere, what is done here, and the tests that hold it."""

from __future__ import annotations

import ast
import functools
import re
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/pitfalls.md"
RULES = Path(__file__).with_name("rules.toml")
NUMBERS = [f"R{number}" for number in range(1, 43)]

_HEAD = """\
# Pitfalls

What went wrong in other bridges between calendars, what this one does instead, and the tests that hold it. A test for a rule bears
its number in its name: `.venv/bin/pytest -k r12_` runs those of R12. What is not built yet is said.

This page is written by `make pitfalls` from `tests/pitfalls/rules.toml` and the names of the tests.
"""


def rules():
    """The rules by number, and those that have no test, with the date since when that is known."""
    read = tomllib.loads(RULES.read_text())
    untested = read.pop("untested", {})
    return read, untested


def numbers_of(name: str) -> list[str]:
    """The rules whose numbers a test bears, in front of its name.

    >>> numbers_of("test_r4_r20_idle_cycles"), numbers_of("test_r07_empty"), numbers_of("test_rule_07"), numbers_of("test_the_r4")
    (['R4', 'R20'], ['R7'], [], [])
    """
    found = []
    for word in name.removeprefix("test_").split("_"):
        if not (number := re.fullmatch("r0?([1-9][0-9]?)", word)):
            break
        found.append(f"R{number[1]}")
    return found


@functools.cache
def by_rule(root: Path = ROOT) -> dict[str, list[tuple[str, str]]]:
    """(file, test) by rule, in the order of files and lines, as pytest would collect them."""
    found = defaultdict(list)
    for path in sorted((root / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for number in numbers_of(node.name):
                    found[number].append((path.relative_to(root).as_posix(), node.name))
    return dict(found)


def render(told, tests) -> str:
    return "\n".join([_HEAD, *(_section(number, told[number], tests.get(number, [])) for number in told)])


def _section(number, rule, tests) -> str:
    lines = [f"## {number} {rule['title']}", "", f"**Elsewhere**: {rule['wrong']}", "", f"**Here**: {rule['ours']}", ""]
    if "missing" in rule:
        lines += [f"**Not built yet**: {rule['missing']}", ""]
    by_file = defaultdict(list)
    for file, name in tests:
        by_file[file].append(name)
    if not tests:
        lines += ["No test holds it yet.", ""]
    for file, names in by_file.items():
        lines += [f"- `{file}`: {', '.join(f'`{name}`' for name in names)}"]
    return "\n".join([*lines, ""] if by_file else lines)
