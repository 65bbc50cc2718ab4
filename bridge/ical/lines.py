"""Content lines (RFC 5545 §3.1): read with tolerance, each with the physical text it came from, and written folded.

The text is what the bytes decode to with ``surrogateescape``: encoding it again gives back exactly those bytes, even
where a producer folded in the middle of a UTF-8 sequence. Nothing here backtracks: every pattern is possessive.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

Params = Sequence[tuple[str, str]]

# CRLF by the book; LF, CR and CR CR LF are met in the wild.
_BREAK = r"(?:\r++\n?+|\n)"
_LOGICAL = re.compile(rf"([^\r\n]*+)((?:{_BREAK}[ \t][^\r\n]*+)*+)({_BREAK}|\Z)")
_FOLD = re.compile(rf"{_BREAK}[ \t]")
_HEAD = re.compile(r'(?:[^":]++|"[^"]*+")*+(?=:)')
_PARAM = re.compile(r';([^=;:,"]++)=((?:"[^"]*+"|[^";]++)*+)')
_PARAM_VALUE = re.compile(r'(?:"([^"]*+)"|([^",]*+))(?:,|\Z)')
_CARET = re.compile(r"\^([n'^])")
_CARET_MEANS = {"n": "\n", "'": '"', "^": "^"}
_QUOTED = re.compile(r"[,;:]")


class Line(NamedTuple):
    """One content line.

    ``raw`` is the physical text with folds and line end. ``name`` is in upper case, "" for what is no content line (an
    empty line, a line without a colon). ``head`` is everything before the value's colon, ``value`` is still escaped.
    """

    raw: str
    name: str
    head: str
    value: str

    @property
    def params(self) -> Mapping[str, tuple[str, ...]]:
        """Parameter values by upper-case name, unquoted, RFC 6868 carets decoded."""
        if ";" not in self.head:
            return {}
        return {m[1].strip().upper(): tuple(_values(m[2])) for m in _PARAM.finditer(self.head)}

    def param(self, name: str) -> str:
        """The first value of a parameter, or ""."""
        if ";" not in self.head:
            return ""
        found = ""
        for m in _PARAM.finditer(self.head):
            if m[1].strip().upper() == name:  # of several of one name the last counts, as in ``params``
                found = next(_values(m[2]), "")
        return found


def _values(text: str) -> Iterator[str]:
    for m in _PARAM_VALUE.finditer(text):
        if m.start() == len(text) and not text.endswith(",") and text:
            return  # the empty match behind the last value
        value = m[2] if m[1] is None else m[1]
        yield _CARET.sub(lambda c: _CARET_MEANS[c[1]], value) if "^" in value else value


def read(text: str) -> Iterator[Line]:
    """The content lines of a text; their raws joined are the text.

    Raises UnicodeDecodeError where a line is no UTF-8 even when unfolded.
    """
    whole = not _has_escapes(text)
    if whole and (eol := _only_break(text)):
        yield from _split(text, eol)
        return
    for m in _LOGICAL.finditer(text):
        raw, logical = m[0], m[1]
        if not raw:
            return
        if m[2]:
            logical += _FOLD.sub("", m[2])
        if not whole:
            logical = logical.encode("utf-8", "surrogateescape").decode("utf-8")
        yield _line(raw, logical)


def _only_break(text: str) -> str:
    """CRLF or LF, if lines end with nothing else; "" if they do."""
    feeds, returns = text.count("\n"), text.count("\r")
    if not returns:
        return "\n" if feeds else ""
    return "\r\n" if text.count("\r\n") == feeds == returns else ""


def _split(text: str, eol: str) -> Iterator[Line]:
    """What ``_LOGICAL`` would find, in half the time: nearly all texts are of this kind."""
    pieces = text.split(eol)
    last = pieces.pop()
    if last:
        pieces.append(last)
    number, count = 0, len(pieces)
    while number < count:
        logical = pieces[number]
        raw = logical + eol
        number += 1
        while number < count and pieces[number][:1] in (" ", "\t"):
            logical += pieces[number][1:]
            raw += pieces[number] + eol
            number += 1
        if number == count and last:
            raw = raw[: -len(eol)]
        yield _line(raw, logical)


def _has_escapes(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _line(raw: str, logical: str) -> Line:
    head, colon, value = logical.partition(":")
    if '"' in head and (m := _HEAD.match(logical)):
        head = m[0]
        value = logical[len(head) + 1 :]
    if not colon:
        return Line(raw, "", logical, "")
    return Line(raw, _short(head) if len(head) <= _SHORT else _name(head), head, value)


def _name(head: str) -> str:
    return head.partition(";")[0].strip("\ufeff \t").upper()


_SHORT = 64
_short = functools.lru_cache(maxsize=4096)(_name)
"""The same few heads stand in all objects."""


def write(name: str, value: str, params: Params = (), *, eol: str) -> Line:
    """A new line. ``value`` must be escaped already; parameter values are quoted here where they must be."""
    head = name + "".join(f";{key}={_quote(text)}" for key, text in params)
    return Line(_fold(f"{head}:{value}", eol), name, head, value)


def rewrite(line: Line, value: str, *, drop: Iterable[str] = (), params: Params = (), eol: str) -> Line:
    """The line with another value; its parameters as they were written, but for those dropped and those put in."""
    gone = {*drop, *(key for key, _ in params)}
    head = line.head.partition(";")[0]
    head += "".join(f";{key}={_quote(text)}" for key, text in params)
    head += "".join(m[0] for m in _PARAM.finditer(line.head) if m[1].strip().upper() not in gone)
    return Line(_fold(f"{head}:{value}", eol), line.name, head, value)


def folded(line: Line, eol: str) -> str:
    """Its physical text by the book (RFC 5545 §3.1), however it was folded and ended before."""
    return _fold(f"{line.head}:{line.value}", eol)


def _quote(text: str) -> str:
    text = text.replace("^", "^^").replace("\n", "^n").replace('"', "^'")
    return f'"{text}"' if _QUOTED.search(text) else text


def _fold(logical: str, eol: str) -> str:
    """At most 75 octets a physical line, without the line end; no UTF-8 sequence is split."""
    octets = logical.encode("utf-8")
    if len(octets) <= 75:
        return logical + eol
    pieces, start, room = [], 0, 75
    while start < len(octets):
        stop = start + room
        while stop < len(octets) and octets[stop] & 0xC0 == 0x80:
            stop -= 1
        pieces.append(octets[start:stop].decode("utf-8"))
        start, room = stop, 74  # the blank that marks a fold counts
    return f"{eol} ".join(pieces) + eol


def ending(line: Line) -> str:
    """The line end this line has; CRLF if it has none."""
    return line.raw[len(line.raw.rstrip("\r\n")) :] or "\r\n"
