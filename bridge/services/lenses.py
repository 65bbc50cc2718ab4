"""The lens of a pair, for those who look at what a pair remembers without speaking to its service."""

from __future__ import annotations

from bridge.errors import NotFound
from bridge.services import connecting
from bridge.services.context import Context
from bridge.store import accounts, remote_calendars
from bridge.store.pairs import Pair
from bridge.sync.ports import Lens


def lens_of(context: Context, pair: Pair) -> Lens:
    """Makes no request: a lens knows its calendar's zone and nothing else. Raises NotFound, UsageError (no OAuth client)."""
    with context.database.read() as conn:
        known = remote_calendars.by_id(conn, pair.remote_calendar_id)
        account = accounts.by_id(conn, known.account_id) if known else None
    if known is None or account is None:
        raise NotFound(f"the account or the remote calendar of pair {pair.id} is gone")
    return connecting.sign_in(context, account).remote(known.calendar).lens
