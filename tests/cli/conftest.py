"""The command line as a person types it."""

import io
import logging

import pytest

from bridge.server import main


@pytest.fixture
def caldav_bridge(monkeypatch, capsys):
    """A command over a data directory: its exit code, and what it printed on stdout and stderr."""
    monkeypatch.delenv("CALDAV_BRIDGE_DATA", raising=False)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", root.handlers)  # a command's own ends with this test's stderr

    def command(data, *arguments, stdin=""):
        monkeypatch.setattr("sys.argv", ["caldav-bridge", "--data", str(data), *map(str, arguments)])
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin) if isinstance(stdin, str) else stdin)
        capsys.readouterr()  # what was logged before
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    return command
