"""Where a reader stands in a calendar, as an opaque text (see ``listing``)."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.errors import CursorLost

LARGEST = 64 * 1024 * 1024
"""Octets of an unpacked list."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """``token`` is RFC 6578's; where a server knows none, ``known`` says what was seen: a digest of the ETag by name, and
    ``ctag`` when. ``todo`` names what is still to be fetched, ``more`` that the server has not told everything; ``listing``
    that this is a complete listing still. ``created`` are those that we made ourselves and have not seen in a listing yet;
    ``written`` is all that we wrote since the last one, with digests as in ``known``.
    """

    token: str = ""
    ctag: str = ""
    known: Mapping[str, str] | None = None
    todo: tuple[str, ...] = ()
    more: bool = False
    listing: bool = False
    created: tuple[str, ...] = ()
    written: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        known = self.known
        return json.dumps(
            {
                "token": self.token,
                "ctag": self.ctag,
                "more": self.more,
                "listing": self.listing,
                "todo": _packed("\n".join(self.todo)),
                "created": _packed("\n".join(self.created)),
                "written": _entries(self.written),
                "known": None if known is None else _entries(known),
            }
        )


def parse(text: str) -> Cursor:
    """Raises CursorLost for what is none of ours."""
    try:
        value = json.loads(text)
        known = value["known"]
        return Cursor(
            str(value["token"]),
            str(value["ctag"]),
            None if known is None else dict(map(_entry, _lines(known))),
            tuple(_lines(value["todo"])),
            bool(value["more"]),
            bool(value["listing"]),
            tuple(_lines(value["created"])),
            dict(map(_entry, _lines(value.get("written", "")))),
        )
    except (ValueError, TypeError, KeyError, zlib.error):
        raise CursorLost("this is no cursor of ours") from None


def digest(version: str) -> str:
    """48 bits: enough to see that one object has changed."""
    return base64.urlsafe_b64encode(hashlib.sha256(version.encode()).digest()[:6]).decode()


def _entries(tags: Mapping[str, str]) -> str:
    return _packed("\n".join(f"{name} {tags[name]}" for name in sorted(tags)))


def _entry(line: str) -> tuple[str, str]:
    name, _, tag = line.rpartition(" ")  # a name may have blanks
    if not name:
        raise ValueError("a tag without a name")
    return name, tag


def _packed(text: str) -> str:
    return base64.b85encode(zlib.compress(text.encode())).decode() if text else ""


def _lines(packed: str) -> list[str]:
    if not packed:
        return []
    inflate = zlib.decompressobj()
    text = inflate.decompress(base64.b85decode(packed), LARGEST)
    if not inflate.eof:
        raise ValueError("too long, or cut")
    return text.decode().split("\n")
