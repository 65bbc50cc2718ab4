"""What the judges say, beside the reasons for what is not there."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from tests.judges.server_tester import Verdict

PAGE = Path(__file__).parents[2] / "docs/reference/judges.md"
_REASONS = Path(__file__).with_name("reasons.toml")

_HEAD = """\
# What outside judges say

Two programs that others wrote to find out what a server can do, run against `caldav-bridge serve`. This page is written by
`make judges`, and the tests hold it: what is not "full" or "pass" needs a reason here, and a reason that is out of date fails.
"""


def reasons() -> dict[str, dict[str, str]]:
    """By judge and by what it looks for."""
    return tomllib.loads(_REASONS.read_text())


def unexplained(verdicts: Mapping[str, Verdict], plain: Mapping[str, str]) -> list[str]:
    """What is not there and has no reason, and reasons for what is there."""
    given = reasons()
    lacking = {
        "server-tester": {name for name, verdict in verdicts.items() if verdict.support != "full"},
        "litmus": {name for name, state in plain.items() if state != "pass"},
    }
    return [
        f"{judge}: {name}: {word}"
        for judge, names in lacking.items()
        for word, found in (("no reason", names - set(given[judge])), ("is there", set(given[judge]) - names))
        for name in sorted(found)
    ]


def render(verdicts: Mapping[str, Verdict], plain: Mapping[str, str]) -> str:
    given = reasons()
    full = sum(verdict.support == "full" for verdict in verdicts.values())
    passed = sum(state == "pass" for state in plain.values())
    lines = [
        _HEAD,
        "## caldav-server-tester",
        "",
        f"{full} of {len(verdicts)} features are full.",
        "",
        "| feature | found | why |",
        "|---|---|---|",
        *(f"| `{name}` | {verdict.support} | {given['server-tester'].get(name, '')} |"
          for name, verdict in sorted(verdicts.items()) if verdict.support != "full"),
        "",
        "Full: " + ", ".join(f"`{name}`" for name, verdict in sorted(verdicts.items()) if verdict.support == "full") + ".",
        "",
        "## litmus",
        "",
        f"{passed} of {len(plain)} tests pass. (`locks` is not run: class 2 is not advertised.)",
        "",
        "| test | state | why |",
        "|---|---|---|",
        *(f"| `{name}` | {state} | {given['litmus'].get(name, '')} |"
          for name, state in plain.items() if state != "pass"),
        "",
    ]  # fmt: skip
    return "\n".join(lines)
