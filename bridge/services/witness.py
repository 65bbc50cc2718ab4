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

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from bridge.services.device_check import TEST_PREFIX
from bridge.store import device_tests, fetches
from bridge.store.session import Database

TOGETHER = 0.5
"""Seconds within which notes are written together."""

_ASKED_EVERY = dt.timedelta(minutes=15)
"""How exactly the time is kept at which a device asked and there was nothing new."""

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
_Test = tuple[int, str]  # a device and an event's href


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
        self._tests: dict[_Test, dt.datetime] = {}
        self._is_expected = False
        """Somebody writes, or will."""

    def saw(self, device: int, told: Iterable[Told], given: Iterable[str] = (), *, now: dt.datetime) -> None:
        """``told`` of calendars, and the test events among the objects that were ``given`` (their hrefs)."""
        tests = [href for href in given if href.startswith(TEST_PREFIX)]
        with self._lock:
            for each in told:
                self._note((device, each.calendar_id), each, now)
            for href in tests:
                self._tests.setdefault((device, href), now)
        self._expect()

    def write(self) -> None:
        """Whatever is due. Nobody is refused an answer for want of it: what cannot be written is left, and said in the log."""
        with self._lock:
            due, self._due = self._due, {}
            tests, self._tests = self._tests, {}
        try:
            self._put(due, tests)
        except IntegrityError:  # a calendar or a device is gone meanwhile, and the others are not
            for pair, note in due.items():
                self._try({pair: note}, {})
            for test, at in tests.items():
                self._try({}, {test: at})
        except SQLAlchemyError:  # somebody else writes for too long
            self._left(due, tests)
        except Exception:
            log.exception("what devices fetched cannot be written down")
            self._left(due, tests)
        finally:
            with self._lock:
                self._is_expected = False
            self._expect()

    def _expect(self) -> None:
        """One writes at a time, or an older note might come last."""
        with self._lock:
            if self._is_expected or not (self._due or self._tests):
                return
            self._is_expected = True
        try:
            self._when(self.write)
        except RuntimeError:  # there is no thread to be had: whoever is told something next tries again
            with self._lock:
                self._is_expected = False
            log.warning("what devices fetched is not written down for now")

    def _note(self, pair: _Pair, told: Told, now: dt.datetime) -> None:
        """Threads may come in another order than their clocks, so what is a little older is no news either."""
        known, due = self._known.get(pair), self._due.get(pair)
        taken = None if known is None else known.taken
        is_whole = told.whole and (taken is None or told.revision > taken)
        if known is not None and abs(now - known.at) < _ASKED_EVERY and not is_whole:
            return
        if len(self._known) > self._SIZE:
            self._known.clear()
        if told.whole:
            note = _Note(told.revision, now, is_whole=True)
        elif due is not None and due.is_whole:
            note = _Note(due.taken, max(due.at, now), is_whole=True)
        else:
            note = _Note(taken, now, is_whole=False)
        self._known[pair] = self._due[pair] = note

    def _put(self, due: Mapping[_Pair, _Note], tests: Mapping[_Test, dt.datetime]) -> None:
        with self._database.write() as conn:
            for (device, calendar), note in sorted(due.items(), key=lambda each: each[0][::-1]):
                if note.is_whole and note.taken is not None:
                    fetches.fetched(conn, device, calendar, note.taken, now=note.at)
                else:
                    fetches.asked(conn, device, calendar, now=note.at)
            for (device, href), at in sorted(tests.items()):
                device_tests.fetched(conn, device, href, now=at)

    def _try(self, due: Mapping[_Pair, _Note], tests: Mapping[_Test, dt.datetime]) -> None:
        try:
            self._put(due, tests)
        except SQLAlchemyError:
            self._left(due, tests)

    def _left(self, due: Mapping[_Pair, _Note], tests: Mapping[_Test, dt.datetime]) -> None:
        with self._lock:
            for pair in due:
                self._known.pop(pair, None)
        devices = {device for device, _ in (*due, *tests)}
        log.info("what device %s fetched was not written down", ", ".join(map(str, sorted(devices))))
