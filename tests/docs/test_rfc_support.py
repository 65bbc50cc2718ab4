"""The page of standards says what the server advertises, and names tests that are there."""

import re
from pathlib import Path

import pytest

from bridge.services.scheduling import Scheduling
from radicale_plugins import capabilities
from radicale_plugins.request import Kind, Limits

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/rfc-support.md").read_text()
KINDS = [kind for kind in Kind if kind is not Kind.NOWHERE]
STANDARDS = (
    "3253", "3744", "4331", "4791", "4918", "5397", "5545", "5689", "5995", "6578", "6638", "6764", "6868", "7240", "7529",
    "7809", "7953", "7986", "8144", "8607", "9073", "9074", "9110", "9253",
)  # fmt: skip


def cells(first):
    """The cells of the row that begins so, each as the set of its words in code."""
    (row,) = re.findall(rf"^\| {re.escape(first)} \|(.*)\|$", PAGE, re.MULTILINE)
    return [set(re.findall(r"`([^`]+)`", cell)) for cell in row.split("|")]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.value)
def test_the_page_says_what_each_place_advertises(kind):
    tokens, reports, methods = cells(kind.value)
    assert tokens == {
        token.strip()
        for token in capabilities.dav_header(kind, Limits(), Scheduling(), push=True, sharing=True).split(",")
    }
    assert reports == {name.partition(":")[2] for name in capabilities.REPORTS.get(kind, ())}
    assert methods == {method.strip() for method in capabilities.allow(kind, push=True).split(",")}


def test_a_token_that_is_said_to_be_missing_is_missing():
    missing = set(re.findall(r"`([^`]+)`", PAGE.partition("Not advertised because")[2].partition("\n\n")[0]))
    assert missing
    for kind in KINDS:
        assert not missing & {
            token.strip()
            for token in capabilities.dav_header(kind, Limits(), Scheduling(), push=True, sharing=True).split(",")
        }


@pytest.mark.parametrize("number", STANDARDS)
def test_every_standard_has_a_row(number):
    assert re.search(rf"^\| RFC [^|]*\b{number}\b[^|]*\|", PAGE, re.MULTILINE)


def test_what_is_there_has_tests_that_are_there():
    rows = re.findall(r"^\| (?:RFC|CalendarServer|WebDAV)[^\n]*\|$", PAGE, re.MULTILINE)
    assert len(rows) > 20
    for row in rows:
        _, name, there, *_, tests, _ = row.split("|")
        files = re.findall(r"`(tests/[\w/]+\.py)`", tests)
        assert files or there.strip().startswith("Not yet"), name
        assert all((ROOT / file).is_file() for file in files), name


def test_every_report_that_is_served_is_advertised_somewhere():
    from radicale_plugins import report

    advertised = {name for names in capabilities.REPORTS.values() for name in names}
    assert {report.dav.human(tag) for tag in report._REPORTS} == {
        report.dav.human(report.dav.clark(name)) for name in advertised
    }
