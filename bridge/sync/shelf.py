"""A complete listing kept aside from the inbox, packed, for the time it takes to look at it."""

from __future__ import annotations

import datetime as dt
import json
import zlib
from collections.abc import Iterator
from functools import partial

from bridge.sync.ledger import Replica
from bridge.sync.patience import patiently
from bridge.sync.ports import RemoteItem
from bridge.sync.session import Session


class Shelf:
    """The listing's objects by series, whose items a service may show on any of its pages (G-60).

    Packed, an event takes about 700 bytes: ten thousand of them are a few megabytes.
    """

    def __init__(self) -> None:
        self._packed: dict[str, dict[str, bytes]] = {}

    def __len__(self) -> int:
        return len(self._packed)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._packed))

    def put(self, item: RemoteItem) -> None:
        """An item shown twice is as it was shown last (M-27)."""
        plain = [item.version, item.modified.isoformat() if item.modified else None, item.payload]
        self._packed.setdefault(item.series, {})[item.id] = zlib.compress(json.dumps(plain).encode(), 1)

    def drop(self, series: str) -> None:
        self._packed.pop(series, None)

    def get(self, series: str) -> Replica | None:
        packed = self._packed.get(series)
        if packed is None:
            return None
        return Replica(series, tuple(_unpacked(id, series, each) for id, each in packed.items()))


def _unpacked(id: str, series: str, packed: bytes) -> RemoteItem:
    version, modified, payload = json.loads(zlib.decompress(packed))
    return RemoteItem(id, series, version, payload, dt.datetime.fromisoformat(modified) if modified else None)


def listed(session: Session) -> Shelf:
    """The remote calendar as it is now, by a listing of its own; only one that came to its end is returned (R5)."""
    shelf, cursor, more = Shelf(), None, True
    while more:
        page = patiently(partial(session.remote.page, cursor, now=session.now()))
        for item in page.items:
            shelf.put(item)
        for removal in page.removals:
            shelf.drop(removal.id)
        cursor, more = page.cursor, page.more
        with session.ledger.writing():  # a sign of life: a long listing must not cost the lease
            pass
    return shelf
