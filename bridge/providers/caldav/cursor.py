"""Where a reader stands in a calendar, as an opaque text (see ``listing``).

The first line is a ``Cursor``. Each line behind it is a note of what we have written since: it is put there without reading the
rest, for every few writes make one, and the rest may name ten thousand objects.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

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


def noted(text: str, *, written: Mapping[str, str], created: Iterable[str]) -> str:
    """The cursor of somebody who has written these since. A later note says of an object what is true now."""
    note = {"written": _entries(written), "created": _packed("\n".join(sorted(created)))}
    return f"{text}\n{json.dumps(note)}"


def parse(text: str) -> Cursor:
    """Raises CursorLost for what is none of ours."""
    first, *notes = text.split("\n")
    try:
        at = _first(first)
        written, created = dict(at.written), set(at.created)
        for note in map(json.loads, notes):
            written.update(map(_entry, _lines(note["written"])))
            created.update(_lines(note["created"]))
    except (ValueError, TypeError, KeyError, zlib.error):
        raise CursorLost("this is no cursor of ours") from None
    return replace(at, written=written, created=tuple(sorted(created))) if notes else at


def _first(line: str) -> Cursor:
    value = json.loads(line)
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


_MARK = "/"
"""In front of base64. Cursors of before have base85, which has no such sign and takes Python a hundred times as long."""


def _packed(text: str) -> str:
    return _MARK + base64.b64encode(zlib.compress(text.encode(), level=1)).decode() if text else ""


def _lines(packed: str) -> list[str]:
    if not packed:
        return []
    inflate = zlib.decompressobj()
    data = base64.b64decode(packed[1:], validate=True) if packed.startswith(_MARK) else base64.b85decode(packed)
    text = inflate.decompress(data, LARGEST)
    if not inflate.eof:
        raise ValueError("too long, or cut")
    return text.decode().split("\n")
