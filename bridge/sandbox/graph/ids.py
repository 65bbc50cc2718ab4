"""Opaque, case-sensitive ids (M-01): a default id tells where an item lies, an immutable one does not (M-30)."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import secrets
import struct
from dataclasses import dataclass
from typing import Literal

from bridge.sandbox.graph.errors import GraphError

_FORM = struct.Struct(">BIIHI")
_DEFAULT, _IMMUTABLE = "AAMkA", "AAkALgAA"

Kind = Literal["calendar", "event", "occurrence", "exception", "group", "taskList", "task"]
_KINDS: tuple[Kind, ...] = ("calendar", "event", "occurrence", "exception", "group", "taskList", "task")


@dataclass(frozen=True, slots=True)
class Reference:
    """What an id stands for. ``placement`` counts moves between calendars or task lists; None: an immutable id."""

    kind: Kind
    mailbox: int
    number: int
    placement: int | None = 0
    day: dt.date | None = None


class Ids:
    """Makes ids and reads them back; a changed or invented id is recognised by its seal."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(16)

    def encode(self, reference: Reference) -> str:
        """The id of a reference."""
        packed = _FORM.pack(
            _KINDS.index(reference.kind),
            reference.mailbox,
            reference.number,
            reference.placement or 0,
            reference.day.toordinal() if reference.day else 0,
        )
        prefix = _IMMUTABLE if reference.placement is None else _DEFAULT
        sealed = packed + self._seal(prefix.encode() + packed)
        return prefix + base64.urlsafe_b64encode(sealed).decode()

    def decode(self, text: str) -> Reference:
        """The reference of an id. Raises 400 ``ErrorInvalidIdMalformed``."""
        prefix = _IMMUTABLE if text.startswith(_IMMUTABLE) else _DEFAULT
        try:
            whole = base64.b64decode(text[len(prefix) :].encode("ascii"), altchars=b"-_", validate=True)
            packed, seal = whole[: _FORM.size], whole[_FORM.size :]
            kind, mailbox, number, placement, day = _FORM.unpack(packed)
        except (binascii.Error, struct.error, UnicodeEncodeError):
            raise _malformed() from None
        if not text.startswith(prefix) or not hmac.compare_digest(seal, self._seal(prefix.encode() + packed)):
            raise _malformed()
        return Reference(
            _KINDS[kind],
            mailbox,
            number,
            None if prefix == _IMMUTABLE else placement,
            dt.date.fromordinal(day) if day else None,
        )

    def _seal(self, packed: bytes) -> bytes:
        return hashlib.blake2b(packed, key=self._secret, digest_size=24).digest()


def _malformed() -> GraphError:
    return GraphError(400, "ErrorInvalidIdMalformed", "Id is malformed.")


def change_key(mailbox: int, revision: int) -> str:
    """The changeKey of an item as it was left by this revision of its mailbox (M-31)."""
    seal = hashlib.blake2b(struct.pack(">IQ", mailbox, revision), digest_size=12).digest()
    return base64.b64encode(struct.pack(">IQ", mailbox, revision) + seal).decode()


def etag(key: str) -> str:
    """The @odata.etag of a changeKey (M-31)."""
    return f'W/"{key}"'


def ical_uid(mailbox: int, number: int, day: dt.date | None = None) -> str:
    """A global object id as Exchange makes it: fixed head, the occurrence's day or zeros, then what makes it unique (M-33)."""
    when = f"{day.year:04X}{day.month:02X}{day.day:02X}" if day else "00000000"
    unique = hashlib.blake2b(struct.pack(">II", mailbox, number), digest_size=16).hexdigest().upper()
    return f"040000008200E00074C5B7101A82E008{when}00000000000000000000000000000000" + f"10000000{unique}"
