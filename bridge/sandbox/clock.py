"""The time of the simulated services: the real one, until a test freezes it."""

from __future__ import annotations

import datetime as dt
import threading


class Clock:
    """Calling it gives the present as an aware UTC datetime. Once frozen it stands still until advanced or thawed.

    Lifetimes (tokens, codes, channels, etag order) follow this clock; pauses between network attempts do not.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frozen: dt.datetime | None = None
        self._offset = dt.timedelta()

    def __call__(self) -> dt.datetime:
        with self._lock:
            return self._frozen or dt.datetime.now(dt.UTC) + self._offset

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        with self._lock:
            return self._frozen is not None

    def freeze(self, at: dt.datetime | None = None) -> dt.datetime:
        """Stand still at ``at`` (aware), by default at the present moment."""
        if at is not None and at.tzinfo is None:
            raise ValueError("a frozen clock needs a time zone")
        moment = at.astimezone(dt.UTC) if at else self()
        with self._lock:
            self._frozen = moment
        return moment

    def advance(self, by: dt.timedelta) -> dt.datetime:
        """Move forward; a running clock keeps running from there."""
        if by < dt.timedelta():
            raise ValueError("time does not run backwards")
        with self._lock:
            if self._frozen is None:
                self._offset += by
            else:
                self._frozen += by
        return self()

    def sleep(self, seconds: float) -> None:
        """Let so much time pass at once: what waits by this clock waits for no other."""
        self.advance(dt.timedelta(seconds=seconds))

    def thaw(self) -> dt.datetime:
        """Go back to real time."""
        with self._lock:
            self._frozen = None
            self._offset = dt.timedelta()
        return self()
