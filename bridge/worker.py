"""The process that syncs: APScheduler ticks; a tick claims the pairs that are due and hands each to a thread.

Any number of these run beside each other: a pair is claimed by a lease in the database (DESIGN §2, "Pairs are the queue").
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import socket
import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from bridge.errors import BridgeError, NotFound
from bridge.notify.imip import NotTaken
from bridge.services import consistency, housekeeping, mailing, noticing, pushes, syncing
from bridge.services.context import Context
from bridge.services.telling import Teller

log = structlog.get_logger(__name__)

CHANNELS_EVERY = dt.timedelta(seconds=30)
LONGEST_WAIT = dt.timedelta(hours=6)
HOUSEKEEPING_EVERY = dt.timedelta(hours=6)
NOTICES_EVERY = dt.timedelta(minutes=1)
MAIL_EVERY = dt.timedelta(seconds=5)
MAILBOX_EVERY = dt.timedelta(minutes=1)
COMPARISONS_EVERY = dt.timedelta(minutes=1)
COMPARED_AGAIN = dt.timedelta(hours=1)
"""Behind a comparison that could not be made."""


class Worker:
    """``run`` blocks until SIGTERM or SIGINT; a pair that is being synced is finished first."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._owner = f"{socket.gethostname()[:24]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._stopping = threading.Event()
        self._at_work: Counter[bool] = Counter()  # cycles, by whether they fill a pair
        self._without_channel: dict[int, tuple[int, dt.datetime]] = {}
        self._lock = threading.Lock()
        settings = context.settings.sync
        self._slots = settings.concurrency
        self._cycles = ThreadPoolExecutor(settings.concurrency, thread_name_prefix="cycle")
        self._scheduler = BackgroundScheduler(
            timezone=dt.UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._every(self._tick, dt.timedelta(seconds=settings.tick_seconds))
        self._every(self._keep_channels, CHANNELS_EVERY)
        self._every(self._keep_house, HOUSEKEEPING_EVERY)
        self._reviewed: dt.datetime | None = None
        self._not_compared: dict[int, dt.datetime] = {}
        self._every(self._notice, NOTICES_EVERY)
        self._every(self._compare, COMPARISONS_EVERY)
        self._teller = Teller(context)
        if context.settings.mail.sender:
            self._every(self._write, MAIL_EVERY)
            self._every(self._collect, MAILBOX_EVERY)
        if context.settings.push.enabled:
            self._every(self._teller.tick, dt.timedelta(seconds=settings.tick_seconds))

    def stop(self) -> None:
        """Let ``run`` come to its end."""
        self._stopping.set()

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        self._scheduler.start()
        log.info("worker ready", owner=self._owner)
        self._stopping.wait()
        self._scheduler.remove_all_jobs()  # or one that is just due would meet executors that take no more
        self._scheduler.shutdown(wait=True)
        self._cycles.shutdown(wait=True)
        self._teller.close()
        self._context.close()

    def _every(self, job: object, interval: dt.timedelta) -> None:
        first = self._context.now() + dt.timedelta(seconds=0.1)
        self._scheduler.add_job(job, "interval", seconds=interval.total_seconds(), next_run_time=first)

    def _tick(self) -> None:
        """Hand out the places that are free. Filling a pair may take minutes, so it gets the first free place, and never the last.

        Neither a first sync nor the edits of other pairs are held up then (R33). With one place, edits go first.
        """
        with self._lock:
            free, filling = self._slots - self._at_work.total(), self._at_work[True]
        most = max(self._slots - 1, 1)
        first = self._claim(min(free, 1), filling=True) if filling == 0 and self._slots > 1 else None
        free -= first or 0
        free -= self._claim(free, filling=False)
        if first != 0:
            self._claim(min(free, most - filling - (first or 0)), filling=True)

    def _claim(self, limit: int, *, filling: bool) -> int:
        """Start what is due; how many cycles that are."""
        if limit <= 0 or self._stopping.is_set():
            return 0
        claimed = syncing.claim_due(self._context, owner=self._owner, limit=limit, filling=filling)
        for pair_id in claimed:
            with self._lock:
                self._at_work[filling] += 1
            self._cycles.submit(self._sync, pair_id, filling)
        return len(claimed)

    def _sync(self, pair_id: int, filling: bool) -> None:
        try:
            outcome = syncing.run(self._context, pair_id, owner=self._owner)
            if outcome.error is None and pair_id in pushes.due(self._context):
                self._keep_channel(pair_id)
        except Exception:  # the database is away, or a defect of ours: the pair is due again when its lease has run out
            log.exception("a pair could not be synced", pair=pair_id)
        finally:
            with self._lock:
                self._at_work[filling] -= 1

    def _write(self) -> None:
        try:
            mailing.deliver(self._context)
        except Exception:
            log.exception("mail could not be sent")

    def _collect(self) -> None:
        try:
            mailing.collect(self._context)
        except NotTaken:
            log.warning("the mailbox for answers could not be read")
        except Exception:
            log.exception("answers by mail could not be read")

    def _keep_channels(self) -> None:
        """Renew what is past half its life; a new pair gets its channel behind its first cycle."""
        for pair_id in pushes.due(self._context):
            self._keep_channel(pair_id)

    def _keep_channel(self, pair_id: int) -> None:
        """Where none is to be had it is asked for again later and later: some calendars know no notifications (G-87)."""
        waits, not_before = self._without_channel.get(pair_id, (0, dt.datetime.min.replace(tzinfo=dt.UTC)))
        if self._context.now() < not_before:
            return
        if self._has_channel(pair_id):
            self._without_channel.pop(pair_id, None)
        else:
            wait = min(CHANNELS_EVERY * 2**waits, LONGEST_WAIT)
            self._without_channel[pair_id] = (min(waits + 1, 16), self._context.now() + wait)

    def _has_channel(self, pair_id: int) -> bool:
        try:
            return pushes.ensure(self._context, pair_id)
        except BridgeError as error:  # push is only a hint (R30): the safety poll goes on
            log.warning("no notifications for a pair", pair=pair_id, reason=type(error).__name__)
        except Exception:  # a defect of ours: the other pairs get their channels all the same
            log.exception("no notifications for a pair", pair=pair_id)
        return False

    def _notice(self) -> None:
        """Tell whom it concerns what needs a person. Sending takes as long as it takes: nothing else waits for it."""
        began = self._context.now()
        noticing.review(self._context, since=self._reviewed)
        self._reviewed = began - NOTICES_EVERY  # a cycle under way now is counted when it has come to its end
        noticing.deliver(self._context)

    def _compare(self) -> None:
        """Compare both sides of pairs whose hour it is, one after another (R42)."""
        for pair_id in consistency.due(self._context):
            now = self._context.now()
            if self._stopping.is_set():
                return
            if self._not_compared.get(pair_id, now) > now:
                continue
            try:
                outcome = consistency.run(self._context, pair_id)
            except NotFound:  # it was removed meanwhile
                continue
            if outcome.error is None:
                self._not_compared.pop(pair_id, None)
            elif not outcome.busy:  # a cycle is over in a moment
                self._not_compared[pair_id] = now + COMPARED_AGAIN

    def _keep_house(self) -> None:
        housekeeping.run(self._context)
