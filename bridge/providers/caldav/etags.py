"""Entity tags as servers and the proxies before them write them: quoted or not, weak or not (RFC 9110 §8.8.3, R36)."""

from __future__ import annotations


def opaque(etag: str) -> str:
    """What two spellings of one tag have in common: it is the object's version. "" is none."""
    text = etag.strip()
    if text[:2] in ("W/", "w/"):
        text = text[2:]
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    return text


def is_strong(etag: str) -> bool:
    """Only such a one, in an answer's header, is surely the object's own: a proxy that compresses makes it weak."""
    text = etag.strip()
    return len(text) > 2 and text[0] == text[-1] == '"'


def header(etag: str) -> str:
    """For If-Match, which knows strong ones only (RFC 9110 §13.1.1)."""
    return f'"{opaque(etag)}"'
