"""Logging: structured lines with ids and counts, never an event's contents, an address or a token."""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType

import structlog

from bridge.config import Log

_OURS = ("bridge", "radicale_plugins", "__main__")
"""Who may say more than warnings: libraries name URLs, and with them calendars and people; requests_oauthlib even tokens."""

_Raised = tuple[type[BaseException], BaseException, TracebackType | None]


def configure(settings: Log) -> None:
    """Set the process's logging up; to standard error, so that commands' output stays clean."""
    level = getattr(logging, settings.level.upper())
    stamps: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    tracebacks = structlog.processors.ExceptionRenderer(_places)
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if settings.format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=stamps,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, tracebacks, last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, logging.WARNING))
    for name in _OURS:
        logging.getLogger(name).setLevel(level)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *stamps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _places(exc_info: _Raised) -> str:
    """A traceback of places and kinds of errors. What they say may quote an event, a password or a statement's values."""
    told: list[str] = []
    seen: set[int] = set()
    error: BaseException | None = exc_info[1]
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        kind = type(error)
        told.append("".join([*traceback.format_tb(error.__traceback__), f"{kind.__module__}.{kind.__qualname__}"]))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n\nfrom which came:\n\n".join(reversed(told))
