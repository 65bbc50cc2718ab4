"""Answers that are still true: to what devices ask all day of a calendar in which nothing has happened."""

from __future__ import annotations

from collections.abc import Hashable

from bridge.store.calendars import Calendar
from radicale_plugins.dav import Answer

MOST = 5000
"""Some megabytes. Beyond it all is forgotten, and known again when each device has asked once."""


class Remembered:
    """For answers that follow from a calendar's row and from what was asked alone; any number of threads may use it.

    The row is read for each request, and the answer is true as long as it is the same. So nothing has to be told of a change,
    whichever process makes it.
    """

    def __init__(self) -> None:
        self._answers: dict[Hashable, tuple[Calendar, Answer]] = {}

    def get(self, asked: Hashable, calendar: Calendar) -> Answer | None:
        known = self._answers.get(asked)
        return None if known is None or known[0] != calendar else known[1]

    def keep(self, asked: Hashable, calendar: Calendar, answer: Answer) -> None:
        if len(self._answers) >= MOST:
            self._answers.clear()
        self._answers[asked] = calendar, answer
