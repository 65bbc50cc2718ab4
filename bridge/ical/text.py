"""TEXT values: escaping (RFC 5545 §3.3.11), lists, and the one form in which two texts are compared (S-06)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# CONTROL of RFC 5545 §3.1, without the line break that an escape may stand for; and what UTF-8 cannot hold.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_NEWLINE = re.compile(r"\r\n?")
_ESCAPED = re.compile(r"\\([\\;,nN])")
_SPECIAL = re.compile(r"[\\;,\n]")
# An item ends at a comma that no backslash protects; possessive, so that no input makes it backtrack.
_ITEM = re.compile(r"((?:[^\\,]++|\\.|\\\Z)*+)(?:,|\Z)", re.DOTALL)


def normal(value: str) -> str:
    """NFC, LF line ends, no characters that iCalendar forbids. Idempotent."""
    if value.isascii() and value.isprintable():
        return value
    return unicodedata.normalize("NFC", _FORBIDDEN.sub("", _NEWLINE.sub("\n", value)))


def unescape(value: str) -> str:
    """Tolerant: bare commas and semicolons are text, a backslash before any other character stands for itself (D-02)."""
    if "\\" not in value:
        return value
    return _ESCAPED.sub(lambda m: "\n" if m[1] in "nN" else m[1], value)


def escape(value: str) -> str:
    return _SPECIAL.sub(lambda m: "\\n" if m[0] == "\n" else "\\" + m[0], normal(value))


def split(value: str) -> list[str]:
    """The items of a list of TEXT, unescaped; an empty one may follow the last."""
    if "\\" not in value:
        return value.split(",")
    return [unescape(m[1]) for m in _ITEM.finditer(value)]


def labels(values: Iterable[str]) -> tuple[str, ...]:
    """Categories in their normal form: no blanks around them, none empty, none twice, in their order."""
    return tuple(dict.fromkeys(filter(None, (normal(value).strip() for value in values))))
