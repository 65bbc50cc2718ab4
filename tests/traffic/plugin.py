"""pytest: a test during which somebody broke a vendor's schema fails, and one line at the end tells how much was seen."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.traffic.recording import Recording

_recording = pytest.StashKey[Recording]()
_watching = pytest.StashKey[object]()
_seen = pytest.StashKey[Counter]()
MOST_SHOWN = 20


def pytest_configure(config):
    recording = Recording()
    watching = recording.watching()
    watching.__enter__()
    config.stash[_recording], config.stash[_watching], config.stash[_seen] = recording, watching, Counter()


def pytest_unconfigure(config):
    if (watching := config.stash.get(_watching, None)) is not None:
        watching.__exit__(None, None, None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    found = item.config.stash[_recording].take()
    if found:
        more = [f"... and {len(found) - MOST_SHOWN} more"] if len(found) > MOST_SHOWN else []
        text = "\n".join(["traffic that does not fit the vendor's schema:", *found[:MOST_SHOWN], *more])
        if report.outcome == "failed":
            report.sections.append(("traffic", text))
        else:
            report.outcome, report.longrepr = "failed", text
    return report


def pytest_sessionfinish(session):
    config, recording = session.config, session.config.stash[_recording]
    figures = Counter(recording.calls, violations=recording.violations)
    config.stash[_seen] += figures
    if hasattr(config, "workeroutput"):  # a process of pytest-xdist's: its controller adds up
        config.workeroutput["traffic"] = dict(figures)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    node.config.stash[_seen].update(getattr(node, "workeroutput", {}).get("traffic", {}))


def pytest_terminal_summary(terminalreporter, config):
    seen = config.stash[_seen]
    calls = seen["google"] + seen["microsoft"]
    if calls:
        terminalreporter.write_line(
            f"traffic: {seen['google']:,} calls of Google and {seen['microsoft']:,} of Graph checked, "
            f"{seen['violations']} violations"
        )
