"""An account's grant as the providers use it: sealed at rest, one refresher at a time (R29)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from bridge.store.session import Database
from bridge.store.vault import Vault
from bridge.sync.ports import Refresh


class Grants:
    """The ``TokenStore`` of one account. It opens transactions of its own: never use it inside one."""

    def __init__(self, database: Database, vault: Vault, account_id: int, *, now: Callable[[], dt.datetime]) -> None:
        raise NotImplementedError

    def load(self) -> str:
        """Raises NotFound if the account is gone, UsageError if the vault's key does not fit."""
        raise NotImplementedError

    def exchange(self, refresh: Refresh) -> str:
        """See ``TokenStore``."""
        raise NotImplementedError
