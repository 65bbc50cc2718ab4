"""What devices are told, written down: whoever looks after them sees by it which of them keep up (``device_check``).

A look is no edit: nobody waits for the note that it was made. The notes of half a second are written together, in a
transaction of their own. What is lost when a process dies in between is noted again when the device asks the next time.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from bridge.services.device_check import TEST_PREFIX
from bridge.store import device_tests, fetches
from bridge.store.session import Database

TOGETHER = 0.5
"""Seconds within which notes are written together."""

_ASKED_EVERY = dt.timedelta(minutes=15)

log = logging.getLogger(__name__)

Work = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Told:
    """What one answer told a device of a calendar: everything up to the revision (``whole``), or only its number."""

    calendar_id: int
    revision: int
    whole: bool


@dataclass(frozen=True, slots=True)
class _Note:
    """Of a device and a calendar: the last revision that it took whole, and when something was written down."""

    taken: int | None
    at: dt.datetime
    is_whole: bool


_Pair = tuple[int, int]  # a device and a calendar


def at_once(work: Work) -> None:
    work()


def soon(work: Work) -> None:
    """In a moment, by a thread that does not keep the process alive."""
    timer = threading.Timer(TOGETHER, work)
    timer.daemon = True
    timer.start()


class Witness:
    """One for each process; any number of threads may use it. ``when`` says when the work of writing is done.

    What it remembers spares writes that would change nothing; forgetting it costs one. Of a device that is let in anew under its
    old label it remembers what was told to the old one: for a quarter of an hour at most.
    """

    _SIZE = 50_000

    def __init__(self, database: Database, when: Callable[[Work], None] = at_once) -> None:
        self._database = database
        self._when = when
        self._lock = threading.Lock()
        self._known: dict[_Pair, _Note] = {}
        self._due: dict[_Pair, _Note] = {}
        self._tests: dict[tuple[int, str], dt.datetime] = {}

    def saw(self, device: int, told: Iterable[Told], given: Iterable[str] = (), *, now: dt.datetime) -> None:
        """``told`` of calendars, and the test events among the objects that were ``given`` (their hrefs)."""
        tests = [href for href in given if href.startswith(TEST_PREFIX)]
        with self._lock:
            is_waited_for = bool(self._due or self._tests)
            for each in told:
                self._note((device, each.calendar_id), each, now)
            for href in tests:
                self._tests.setdefault((device, href), now)
            is_news = bool(self._due or self._tests)
        if is_news and not is_waited_for:
            self._when(self.write)

    def write(self) -> None:
        """Whatever is due. Nobody is refused an answer for want of it: what cannot be written is left, and said in the log."""
        with self._lock:
            due, self._due = self._due, {}
            tests, self._tests = self._tests, {}
        try:
            self._put(due, tests)
        except SQLAlchemyError:  # a calendar or a device that is gone meanwhile, or a writer that waits too long
            for pair, note in due.items():
                self._try({pair: note}, {})
            for test, at in tests.items():
                self._try({}, {test: at})

    def _note(self, pair: _Pair, told: Told, now: dt.datetime) -> None:
        known = self._known.get(pair)
        is_recent = known is not None and known.at <= now < known.at + _ASKED_EVERY
        if known is not None and is_recent and not (told.whole and known.taken != told.revision):
            return
        if len(self._known) > self._SIZE:
            self._known.clear()
        taken = told.revision if told.whole else None if known is None else known.taken
        self._known[pair] = self._due[pair] = _Note(taken, now, told.whole)

    def _put(self, due: Mapping[_Pair, _Note], tests: Mapping[tuple[int, str], dt.datetime]) -> None:
        with self._database.write() as conn:
            for (device, calendar), note in sorted(due.items(), key=lambda each: each[0][::-1]):
                if note.is_whole and note.taken is not None:
                    fetches.fetched(conn, device, calendar, note.taken, now=note.at)
                else:
                    fetches.asked(conn, device, calendar, now=note.at)
            for (device, href), at in sorted(tests.items()):
                device_tests.fetched(conn, device, href, now=at)

    def _try(self, due: Mapping[_Pair, _Note], tests: Mapping[tuple[int, str], dt.datetime]) -> None:
        try:
            self._put(due, tests)
        except SQLAlchemyError:
            with self._lock:
                for pair in due:
                    self._known.pop(pair, None)
            devices = {device for device, _ in (*due, *tests)}
            log.info("what device %s fetched was not written down", ", ".join(map(str, devices)))
