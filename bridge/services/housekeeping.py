"""What grows and must not for ever: history, tombstones, audit, sign-ins that were never finished; and what moves on with time."""

from __future__ import annotations

import datetime as dt

import structlog

from bridge.services import device_check, listing
from bridge.services.context import Context
from bridge.services.delivery import ACTOR
from bridge.store import (
    attachments,
    audit,
    calendars,
    changes,
    former,
    history,
    journal,
    login_failures,
    notices,
    notifications,
    oauth_flows,
    objects,
    principals,
    push_subscriptions,
    setup_links,
)

LOGIN_MEMORY = dt.timedelta(days=1)
"""A failed login that old is held against nobody."""

MESSAGES_KEPT = dt.timedelta(days=90)
"""Messages stay so long in an inbox, notifications of shares so long; devices delete what they have shown."""

log = structlog.get_logger(__name__)


def run(context: Context) -> None:
    """Drop what is older than the settings keep it; each calendar in a transaction of its own, so nobody waits."""
    now = context.now()
    settings = context.settings.sync
    old_history = now - dt.timedelta(days=settings.history_days)
    old_tombstones = now - dt.timedelta(days=settings.tombstone_days)
    with context.database.read() as conn:
        held = [one.id for person in principals.every(conn) for one in calendars.of_principal(conn, person.name)]
    for calendar_id in held:
        with context.database.write() as conn:
            changes.compact(conn, calendar_id, old_tombstones)
    listed = listing.keep_up(context.database, held, now=now)
    with context.database.read() as conn:
        inboxes = calendars.inboxes(conn)
    for inbox in inboxes:
        with context.database.write() as conn:
            for href in objects.older_than(conn, inbox, now - MESSAGES_KEPT):
                objects.delete(conn, inbox, href, actor=ACTOR, now=now)
            changes.compact(conn, inbox, old_tombstones)
    with context.database.write() as conn:
        device_check.tidy(conn, now=now)
    with context.database.write() as conn:
        pruned = history.prune(conn, old_history)
        attachments.prune(conn, old_history)
        audit.prune(conn, old_history)
        notices.prune(conn, old_history)
        notifications.prune(conn, now - MESSAGES_KEPT)
        journal.prune(conn, old_history)
        former.prune(conn, old_history)
        oauth_flows.prune(conn, now)
        login_failures.prune(conn, now - LOGIN_MEMORY)
        push_subscriptions.prune(conn, now)
        setup_links.prune(conn, now)
    log.info("house kept", calendars=len(held), versions=pruned, listed=listed)
