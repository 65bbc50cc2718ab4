"""Logging: structured lines with ids and counts, never an event's contents, an address or a token."""

from __future__ import annotations

import logging
import sys

import structlog

from bridge.config import Log

_QUIET = ("apscheduler", "httpx", "httpcore", "googleapiclient", "google", "msal", "urllib3", "radicale", "alembic")
"""Libraries whose informative lines would name URLs, and with them calendars and people."""


def configure(settings: Log) -> None:
    """Set the process's logging up; to standard error, so that commands' output stays clean."""
    level = getattr(logging, settings.level.upper())
    stamps: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if settings.format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # a pretty one shows the locals, and so tokens and events
        )
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=stamps, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *stamps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
