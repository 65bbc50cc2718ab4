"""A pair's memory and the hub's calendar, as the sync needs them (``bridge.sync.ledger``)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bridge.store.session import Database
from bridge.sync.ledger import Clock, Reading, Writing


@dataclass(frozen=True, slots=True)
class PairLedger:
    """The ledger of one pair that this worker, ``owner``, has claimed; every transaction prolongs its ``lease``."""

    database: Database
    pair_id: int
    owner: str
    lease: dt.timedelta
    now: Clock

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        raise NotImplementedError
        yield

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        raise NotImplementedError
        yield
