"""The commands that a person is told to type next, whole: what is known stands in them, but never a password."""

from __future__ import annotations

import shlex

from sqlalchemy import Connection

from bridge.errors import BridgeError, NotFound
from bridge.providers.caldav import provider as caldav
from bridge.services.context import Context
from bridge.services.providers import DIRECT
from bridge.store import accounts, grants, pairs, principals, remote_calendars
from bridge.store.accounts import Account
from bridge.sync.cases import QUESTIONS
from bridge.sync.plan import ASKED

UNKNOWN = "NAME"
"""Stands for a name to sign in with that was given up together with its grant."""


def reconnect(context: Context, conn: Connection, account: Account) -> str:
    """Connects this very account again, so that it goes on where it stopped (R15)."""
    person = principals.by_id(conn, account.principal_id)
    words = ["caldav-bridge", "account", "connect", person.name if person else "USER", account.provider]
    if account.sandbox:
        words.append("--sandbox")
    if account.provider in DIRECT:
        # its principal's address is as good as the one that was typed, and leads to the same account
        words += ["--url", account.subject, "--username", _username(context, conn, account)]
    return shlex.join(words)


def _username(context: Context, conn: Connection, account: Account) -> str:
    try:
        return caldav.parse(grants.stored(conn, context.vault, account.id)).username
    except BridgeError:  # disconnected, or sealed with a key that is lost: the rest of the advice is as good
        return UNKNOWN


def reconnect_pair(context: Context, pair_id: int) -> tuple[str, Account]:
    """The same for the account of a pair. Raises NotFound."""
    with context.database.read() as conn:
        remote = remote_calendars.by_id(conn, pairs.get(conn, pair_id).remote_calendar_id)
        account = accounts.by_id(conn, remote.account_id) if remote else None
        if account is None:
            raise NotFound(f"the account of pair {pair_id} is gone")
        return reconnect(context, conn, account), account


def sync(pair_id: int) -> str:
    return f"caldav-bridge sync now {pair_id}"


def approve(pair_id: int) -> str:
    return f"caldav-bridge pair approve {pair_id}"


def preview(pair_id: int) -> str:
    return f"caldav-bridge sync preview {pair_id}"


def conflicts(calendar: str) -> str:
    return f"caldav-bridge conflicts list {calendar}"


def of_left_alone(reason: str, *, pair_id: int, calendar: str) -> str | None:
    """What shows the question that an event waits for; None where it waits for no word of anybody."""
    if reason in QUESTIONS:
        return f"caldav-bridge pair questions {pair_id}"
    return conflicts(calendar) if reason == ASKED else None
