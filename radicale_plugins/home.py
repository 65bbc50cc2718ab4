"""The state of a home: which calendars it has, and in which revision (CalendarServer's ctag on homes, RFC 6578).

It is nothing but the calendars' own states, so a change writes nothing more and no row becomes hot. A token holds them
all, with each calendar's name, because of one that is gone the name is all that can still be told.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.errors import SyncTokenInvalid
from bridge.store import shares
from bridge.store.calendars import Calendar
from bridge.store.sync_tokens import PREFIX

_PREFIX = f"{PREFIX}home/"
_MOST_BYTES = 1 << 20  # of a token's content: nobody has more calendars, and nobody shall make us unpack more


@dataclass(frozen=True, slots=True)
class Known:
    """A calendar as a device knows it."""

    id: int
    revision: int


State = Mapping[str, Known]
"""By the second segment of their paths."""


def members(conn: sa.Connection, owner: str) -> list[Calendar]:
    """The calendars a home shows: one's own, and those of others that one sees there."""
    return shares.members(conn, owner)


def state(collections: Iterable[Calendar]) -> dict[str, Known]:
    return {each.slug: Known(each.id, each.revision) for each in collections}


def ctag(collections: Iterable[Calendar]) -> str:
    return f'"home-{hashlib.sha256(_written(state(collections))).hexdigest()[:32]}"'


def token(known: State) -> str:
    packed = base64.urlsafe_b64encode(zlib.compress(_written(known), 9)).decode().rstrip("=")
    return _PREFIX + packed


def read(text: str) -> dict[str, Known]:
    """What a token holds. Raises SyncTokenInvalid."""
    invalid = SyncTokenInvalid(text[:200])
    packed = text.strip().removeprefix(_PREFIX)
    if packed == text.strip():
        raise invalid
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(
            base64.b64decode(packed + "=" * (-len(packed) % 4), b"-_", validate=True), _MOST_BYTES
        )
        if not unpacker.eof:
            raise invalid
        lines = [line.split(" ", 2) for line in data.decode().split("\n") if line]
        return {slug: Known(int(number), int(revision)) for number, revision, slug in lines if _is_name(slug)}
    except (binascii.Error, zlib.error, ValueError):
        raise invalid from None


def _is_name(slug: str) -> bool:
    return 0 < len(slug) <= 255 and "/" not in slug and slug.isprintable()


def _written(known: State) -> bytes:
    return "\n".join(f"{each.id} {each.revision} {slug}" for slug, each in known.items()).encode()
