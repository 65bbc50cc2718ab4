"""Telling devices that a collection has changed: what is due is claimed, sent, and given back (WebDAV-Push).

Every worker does it; a lease in the database keeps them apart. Sending has threads of its own, and of these no push service gets
all: a slow one holds up neither the others nor the sync.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import structlog

from bridge.errors import Unreachable, UsageError
from bridge.notify.changed import push_message
from bridge.notify.webpush import Answer, Client, Endpoint
from bridge.outside import Allowed, Resolve, system_resolve
from bridge.providers.http import retry_after
from bridge.services import push_keys
from bridge.services.context import Context
from bridge.services.push_keys import PushKeys
from bridge.store import calendars, push_subscriptions, sync_tokens
from bridge.store.push_subscriptions import Due

AT_ONCE = 8
AT_ONCE_PER_SERVICE = 4
LEASE = dt.timedelta(minutes=2)
"""Longer than any sending takes; if the worker dies, another one sends it then."""
FIRST_RETRY = dt.timedelta(seconds=15)
LAST_RETRY = dt.timedelta(hours=1)
LONGEST_WAIT = dt.timedelta(days=1)
"""That a Retry-After is believed."""

_GONE = frozenset({404, 410})

log = structlog.get_logger(__name__)


class Teller:
    """What one worker tells. ``tick`` returns at once; ``close`` waits for what is under way."""

    def __init__(self, context: Context, *, resolve: Resolve = system_resolve) -> None:
        self._context = context
        settings = context.settings.push
        self._quiet = dt.timedelta(seconds=settings.interval_seconds)
        self._client = Client(Allowed.of(settings.allow), resolve=resolve)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="push")
        self._at_work: Counter[str] = Counter()  # by push service
        self._lock = threading.Lock()
        self._closing = False

    def tick(self) -> None:
        """Send what is due, as far as there are places free. One read where nothing is."""
        now = self._context.now()
        with self._lock:
            free = AT_ONCE - self._at_work.total()
            busy = [host for host, count in self._at_work.items() if count >= AT_ONCE_PER_SERVICE]
            if free <= 0 or self._closing:
                return
            with self._context.database.read() as conn:
                if not push_subscriptions.any_due(conn, now, but=busy):
                    return
            with self._context.database.write() as conn:
                claimed = push_subscriptions.claim_due(
                    conn, now=now, lease=LEASE, limit=free, per_host=AT_ONCE_PER_SERVICE, but=busy
                )
            for due in claimed:
                self._at_work[due.host] += 1
                self._threads.submit(self._run, due)

    def close(self) -> None:
        with self._lock:
            self._closing = True
        self._threads.shutdown(wait=True)
        self._client.close()

    def _run(self, due: Due) -> None:
        try:
            self._tell(due)
        except Exception:  # the database is away, or a defect of ours: it is due again when its lease has run out
            log.exception("a device could not be told", subscription=due.id)
        finally:
            with self._lock:
                self._at_work[due.host] -= 1
        if not self._closing:
            self._next()

    def _next(self) -> None:
        """A place is free: who waits for one need not wait for the next tick."""
        try:
            self.tick()
        except Exception:  # it comes again with the next tick
            log.exception("nobody could be told")

    def _tell(self, due: Due) -> None:
        try:
            endpoint = Endpoint.from_text(self._context.vault.open(due.endpoint))
            keys = push_keys.load(self._context)
        except UsageError as error:
            log.warning("a device could not be told", subscription=due.id, reason=str(error))
            self._failed(due, LAST_RETRY)
            return
        message = self._message(due, keys)
        if message is None:
            return
        topic = keys.replaces(due.watched, content=due.content, properties=due.properties)
        try:
            answer = self._client.send(message, endpoint, keys.signer, topic=topic, now=self._context.now())
        except Unreachable as error:  # its text names the host, which is no secret, and more than the log wants
            log.warning("a push service was not reached", subscription=due.id, reason=type(error).__name__)
            self._failed(due, self._pause(due))
            return
        self._answered(due, answer)

    def _message(self, due: Due, keys: PushKeys) -> bytes | None:
        """None for a collection that is gone, and its subscriptions with it."""
        token = None
        if due.watched.kind == "calendar":
            with self._context.database.read() as conn:
                calendar = calendars.by_id(conn, due.watched.id)
            if calendar is None:
                return None
            token = sync_tokens.of(calendar)
        topic = keys.topic(due.watched)
        return push_message(topic, content=due.content, properties=due.properties, sync_token=token)

    def _answered(self, due: Due, answer: Answer) -> None:
        now = self._context.now()
        if 200 <= answer.status < 300:
            with self._context.database.write() as conn:
                push_subscriptions.told(conn, due, now=now, quiet=self._quiet)
        elif answer.status in _GONE:
            log.info("a device is gone from its push service", subscription=due.id, status=answer.status)
            with self._context.database.write() as conn:
                push_subscriptions.remove(conn, due.id)
        else:
            log.warning("a push service refuses a message", subscription=due.id, status=answer.status)
            asked = dt.timedelta(
                seconds=min(retry_after(answer.retry_after, now=now) or 0, LONGEST_WAIT.total_seconds())
            )
            self._failed(due, max(asked, self._pause(due)))

    def _failed(self, due: Due, pause: dt.timedelta) -> None:
        with self._context.database.write() as conn:
            push_subscriptions.failed(conn, due, again_at=self._context.now() + pause)

    def _pause(self, due: Due) -> dt.timedelta:
        return min(FIRST_RETRY * (1 << min(due.failures, 16)), LAST_RETRY)
