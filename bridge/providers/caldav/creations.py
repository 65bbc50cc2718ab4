"""Many objects created at a time: CalDAV has no request for that, but answers to several are awaited together, and read at once.

Most of what a PUT takes is its way there and back; and reading back one by one would double that.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bridge.errors import (
    BridgeError,
    DuplicateKey,
    Gone,
    NeedsReconnect,
    Paced,
    ProviderError,
    Refused,
    Throttled,
    Unreachable,
    VersionMismatch,
)
from bridge.providers.caldav import etags
from bridge.providers.caldav.collection import Collection
from bridge.providers.caldav.mapping import item
from bridge.sync.ports import RemoteItem

AT_ONCE = 4
"""Requests under way: it is somebody's own server, and not to be swamped (``api.LIMITS``)."""

BATCH = 25
UID_TAKEN = "no-uid-conflict"

Outcome = Sequence[RemoteItem] | BridgeError | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object to be put at ``id``."""

    id: str
    data: str


@dataclass(frozen=True, slots=True)
class Written:
    """``id`` may be the server's choice; ``etag`` is "" where it told none."""

    id: str
    etag: str
    data: str


class _Unsent(Exception):
    """The server was in trouble already."""


def create(collection: Collection, wanted: Sequence[Wanted | BridgeError]) -> list[Outcome]:
    """What became of each (``SupportsBatches.create_many``). An error among the wanted is its own outcome."""
    trouble: list[ProviderError] = []

    def put(each: Wanted | BridgeError) -> Written | BridgeError | _Unsent | None:
        return (
            each if isinstance(each, BridgeError) else _Unsent() if _away(trouble) else _put(collection, each, trouble)
        )

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="caldav") as threads:
        answers = list(threads.map(put, wanted))
    failed = bool(trouble) and all(isinstance(each, Unreachable | NeedsReconnect | _Unsent) for each in answers)
    # that nothing was carried out must not be said where nobody knows it of one (R12)
    if failed and not (_says_nothing_was_done(trouble[0]) and any(map(_is_unknown, answers))):
        raise trouble[0]
    shown = _read_back(collection, [each.id for each in answers if isinstance(each, Written)])
    return [_outcome(each, shown, trouble) for each in answers]


def _says_nothing_was_done(error: ProviderError) -> bool:
    return isinstance(error, Throttled | NeedsReconnect)


def _is_unknown(answer: object) -> bool:
    return isinstance(answer, Unreachable) and not isinstance(answer, Throttled)


def _away(trouble: Sequence[ProviderError]) -> bool:
    """One answer that is lost says nothing of the others; one that asks for patience does."""
    return len(trouble) > 1 or any(map(_says_nothing_was_done, trouble))


def _put(
    collection: Collection, wanted: Wanted, trouble: list[ProviderError]
) -> Written | BridgeError | _Unsent | None:
    """Where the server is in trouble nothing more is sent to it. What one creation alone can sort out is left for that."""
    try:
        return Written(*collection.put(wanted.id, wanted.data), wanted.data)
    except VersionMismatch as there:
        return DuplicateKey(str(there), status=there.status, code=there.code)
    except Gone as gone:
        return Refused("the calendar is not there any more", status=gone.status, code=gone.code)
    except Paced as paced:
        trouble.append(paced)
        return _Unsent()
    except (Unreachable, NeedsReconnect) as error:
        trouble.insert(0, error)
        return error
    except ProviderError as error:
        return None if error.code == UID_TAKEN else error


def _outcome(
    answer: Written | BridgeError | _Unsent | None,
    shown: dict[str, RemoteItem | None] | ProviderError,
    trouble: Sequence[ProviderError],
) -> Outcome:
    """What was not sent shares the reason, where that says that nothing was carried out."""
    if isinstance(answer, Written):
        return _settled(answer, shown)
    if isinstance(answer, _Unsent):
        return trouble[0] if _says_nothing_was_done(trouble[0]) else None
    return answer


def _read_back(collection: Collection, ids: Sequence[str]) -> dict[str, RemoteItem | None] | ProviderError:
    try:
        return collection.fetch(ids) if ids else {}
    except ProviderError as error:
        return error


def _settled(written: Written, shown: dict[str, RemoteItem | None] | ProviderError) -> Outcome:
    if isinstance(shown, ProviderError):
        if isinstance(shown, NeedsReconnect):
            return shown
        return Unreachable("what was written could not be read", status=shown.status, code=shown.code)
    found = shown.get(written.id)
    if found is None:
        return Unreachable("what was written is not there to be read", status=404)
    return [as_written(found, written)]


def as_written(found: RemoteItem, written: Written) -> RemoteItem:
    """The object as it is stored now. If somebody else was there before we could look, then as we have written it:

    their change is to be seen as one.
    """
    etag = written.etag
    if etag and found.id == written.id and etags.opaque(found.payload["etag"]) != etags.opaque(etag):
        return item(written.id, etag, written.data)
    return found
