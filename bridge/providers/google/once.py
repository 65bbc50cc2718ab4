"""A connection for one request: httplib2 sends again, by itself, what got no answer.

That is right where a request may come twice. A task that is created twice is there twice, for it has no key (G-106, R12).
"""

from __future__ import annotations

from typing import Any

import httplib2


class _Once:
    """The connection is new, so none was dropped while it lay idle: whoever connects again wants to send again."""

    _connected = False

    def connect(self) -> None:
        if self._connected:
            raise ConnectionAbortedError
        self._connected = True
        super().connect()  # type: ignore[misc]


class _Plain(_Once, httplib2.HTTPConnectionWithTimeout):  # type: ignore[misc]
    pass


class _Secure(_Once, httplib2.HTTPSConnectionWithTimeout):  # type: ignore[misc]
    pass


class HttpOnce(httplib2.Http):  # type: ignore[misc]
    """Sends one request. Raises OSError or an HTTPException where that has no answer; to be closed then, or afterwards."""

    def request(self, uri: str, *args: Any, **options: Any) -> Any:
        options["connection_type"] = _Secure if uri.startswith("https:") else _Plain
        return super().request(uri, *args, **options)
