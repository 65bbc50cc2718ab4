"""What people write, and what opens their accounts, is in no log, at whatever level and in whatever traceback."""

import io
import json
import logging

import pytest
import sqlalchemy as sa
import structlog

from bridge.config import Log
from bridge.services import logs

CANARY = "canary-3f2a"


@pytest.fixture(params=["console", "json"])
def written(request):
    """Log at debug; gives the stream. Everything is put back afterwards."""
    root, names = logging.getLogger(), logs._OURS
    handlers, level = root.handlers, root.level
    levels = {name: logging.getLogger(name).level for name in names}
    logs.configure(Log(level="debug", format=request.param))
    stream = root.handlers[0].stream = io.StringIO()
    stream.format = request.param
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    for name, kept in levels.items():
        logging.getLogger(name).setLevel(kept)
    structlog.reset_defaults()


def test_our_own_lines_are_written_at_debug(written):
    structlog.get_logger("bridge.somewhere").debug("looked", pair=7)
    assert "looked" in written.getvalue()


def test_a_traceback_names_places_and_kinds_but_quotes_nothing(written):
    def deep():
        raise ValueError(f"no date: {CANARY}")

    try:
        try:
            deep()
        except ValueError as error:
            raise RuntimeError(CANARY) from error
    except RuntimeError:
        structlog.get_logger("bridge.somewhere").exception("failed", pair=7)
        logging.getLogger("radicale_plugins.app").exception("%s failed", "PUT")
    text = written.getvalue()
    assert CANARY not in text
    for word in ("builtins.ValueError", "builtins.RuntimeError", "in deep", "PUT failed"):
        assert word in text
    if written.format == "json":
        assert all("exception" in json.loads(line) for line in text.splitlines())


def test_a_refused_statement_does_not_quote_its_values(written, sqlite_database):
    with pytest.raises(sa.exc.OperationalError) as caught, sqlite_database.write() as conn:
        conn.execute(sa.text("INSERT INTO nowhere VALUES (:a)"), {"a": CANARY})
    assert CANARY not in str(caught.value)
    structlog.get_logger("bridge.somewhere").error("failed", exc_info=caught.value)
    assert CANARY not in written.getvalue()


@pytest.mark.parametrize("library", ["requests_oauthlib.oauth2_session", "httpx", "oauthlib", "sqlalchemy.engine", "x"])
def test_libraries_say_nothing_below_a_warning(written, library):
    logging.getLogger(library).info(CANARY)
    logging.getLogger(library).debug(CANARY)
    assert written.getvalue() == ""
