"""What every test may use; and in CI, where nothing may be skipped, a skipped test is a failure."""

import logging
import os
import sys
from pathlib import Path

import pytest
import structlog

sys.path.insert(0, str(Path(__file__).parent.parent))

pytest_plugins = ["tests.support.databases", "tests.traffic.plugin"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def _logging_is_left_as_it_was():
    """A command that a test runs in this process sets its logging up, to a stream that is closed when the test is over."""
    root, config = logging.getLogger(), structlog.get_config()
    level = root.level
    yield
    root.handlers = [each for each in root.handlers if type(each) is not logging.StreamHandler]
    root.setLevel(level)
    structlog.configure(**config)
