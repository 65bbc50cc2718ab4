"""How an HTTP answer becomes an error: the one place that knows the statuses; the engine sees ``CursorLost``, never 410."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime

from bridge.errors import (
    CursorLost,
    Gone,
    NeedsReconnect,
    ProviderError,
    Refused,
    Throttled,
    Unreachable,
    VersionMismatch,
)


def retry_after(value: str | None, *, now: dt.datetime) -> float | None:
    """Seconds to wait by a Retry-After header: seconds, fractional ones too (M-78), or an HTTP date. None: not said."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (TypeError, ValueError):
        return None


def error_for(status: int, *, code: str, message: str, wait: float | None = None) -> ProviderError:
    """The error that an answer with this status means, whichever service gave it.

    What a service means by a status beyond that (Google's 403 for a rate, a 410 on an event) its own ``api`` decides before
    it asks here. 409 is told apart there too.
    """
    if status == 401:
        return NeedsReconnect(message, status=status, code=code)
    if status == 404:
        return Gone(message, status=status, code=code)
    if status == 410:
        return CursorLost(message, status=status, code=code)
    if status == 412:
        return VersionMismatch(message, status=status, code=code)
    if status == 429:
        return Throttled(message, status=status, code=code, retry_after=wait)
    if status >= 500 and status != 501:  # 501 says that it never will
        return (
            Unreachable(message, status=status, code=code)
            if wait is None
            else Throttled(message, status=status, code=code, retry_after=wait)
        )
    return Refused(message, status=status, code=code)
