"""What the judges say, beside the reasons for what is not there."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from tests.judges.hearing import Said

PAGE = Path(__file__).parents[2] / "docs/reference/judges.md"
_REASONS = Path(__file__).with_name("reasons.toml")

_HEAD = """\
# What outside judges say

Three programs that others wrote to find out what a server can do, run against `caldav-bridge serve`. This page is written by
`make judges`, and the tests hold it: what is not "full" or "pass" needs a reason here, and a reason that is out of date fails.
"""

_TRANSLATED = """\
litmus judges WebDAV servers. It stores text files, which a calendar must refuse (CALDAV:supported-calendar-data, RFC 4791
§5.3.2.1), and skips what builds on them. So a translator stands between litmus and the server (`tests/judges/translator.py`):
it makes the text of a PUT the description of a to-do, and gives the description back as the text of a GET. Methods, paths,
statuses, all other headers and all XML go through as they are, but for `Expect: 100-continue`, which it answers itself.
`locks` is not run: class 2 is not advertised.
"""

_SUITE = """\
The tests of the caldav library {version} that are made for servers (`tests/test_caldav.py` of its sdist, fetched by hash), with
three people, who sign in with their mail addresses, and with the features that caldav-server-tester found. `make judges` runs
them, `make test` does not.
"""


def reasons() -> dict[str, dict[str, str]]:
    """By judge and by what it looks for."""
    return tomllib.loads(_REASONS.read_text())


def unexplained(said: Said) -> list[str]:
    """What is not there and has no reason, and reasons for what is there."""
    given = reasons()
    lacking = {
        "server-tester": {name for name, verdict in said.features.items() if verdict.support != "full"},
        "litmus": set(_lacking(said.litmus)),
        "caldav": set(_lacking(said.suite.tests)),
    }
    return [
        f"{judge}: {name}: {word}"
        for judge, names in lacking.items()
        for word, found in (("no reason", names - set(given[judge])), ("is there", set(given[judge]) - names))
        for name in sorted(found)
    ]


def render(said: Said) -> str:
    given = reasons()
    features = said.features
    full = sorted(name for name, verdict in features.items() if verdict.support == "full")
    others = {name: verdict.support for name, verdict in sorted(features.items()) if verdict.support != "full"}
    lines = [
        _HEAD,
        "## caldav-server-tester",
        "",
        f"{len(full)} of {len(features)} features are full.",
        "",
        *_table("feature", "found", others, given["server-tester"]),
        "",
        "Full: " + ", ".join(f"`{name}`" for name in full) + ".",
        "",
        "## litmus",
        "",
        _TRANSLATED,
        f"{_passed(said.litmus)} tests pass.",
        "",
        *_table("test", "state", _lacking(said.litmus), given["litmus"]),
        "",
        *_untranslated(said),
        "",
        "## The caldav library's own tests",
        "",
        _SUITE.format(version=said.suite.version),
        f"{_passed(said.suite.tests)} tests pass.",
        "",
        *_table("test", "state", _lacking(said.suite.tests), given["caldav"]),
        "",
    ]
    return "\n".join(lines)


def _untranslated(said: Said) -> list[str]:
    """Whatever passes with the translator fails without it for its want, and the rest for the reasons above."""
    only = [f"`{name}`" for name in _lacking(said.untranslated) if said.litmus.get(name) == "pass"]
    return [
        f"Without the translator {_passed(said.untranslated)} pass; for want of a text file these do not, too:",
        ", ".join(only) + ".",
    ]


def _lacking(tests: Mapping[str, str]) -> dict[str, str]:
    return {name: state for name, state in tests.items() if state != "pass"}


def _passed(tests: Mapping[str, str]) -> str:
    return f"{len(tests) - len(_lacking(tests))} of {len(tests)}"


def _table(what: str, found: str, rows: Mapping[str, str], why: Mapping[str, str]) -> list[str]:
    head = [f"| {what} | {found} | why |", "|---|---|---|"]
    return head + [f"| `{name}` | {state} | {why.get(name, '')} |" for name, state in rows.items()]
