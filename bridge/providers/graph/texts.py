"""Bodies and titles in the one form in which both sides can be compared (X-10, X-11, M-63)."""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser

MAX_SUBJECT = 255  # M-63

_BLOCKS = {"p", "div", "br", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "hr"}
_UNSEEN = {"head", "style", "script", "title"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.unseen = 0
        self.preformatted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the hook's signature
        if tag in _UNSEEN:
            self.unseen += 1
        elif tag == "pre":
            self.preformatted += 1
        elif tag == "br":
            self.text.append("\n")
        elif tag in _BLOCKS:
            self._new_line()

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self.unseen = max(0, self.unseen - 1)
        elif tag == "pre":
            self.preformatted = max(0, self.preformatted - 1)
        elif tag in _BLOCKS and tag != "br":
            self._new_line()

    def handle_data(self, data: str) -> None:
        if self.unseen:
            return
        if not self.preformatted:
            data = re.sub(r"[ \t\r\n]+", " ", data)
            if not self.text or self.text[-1].endswith("\n"):
                data = data.lstrip(" ")
        if data:
            self.text.append(data)

    def _new_line(self) -> None:
        if self.text and not self.text[-1].endswith("\n"):
            self.text.append("\n")


def from_html(html: str) -> str:
    """What a person reads in an HTML body."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return plain("".join(reader.text))


def plain(text: str) -> str:
    """NFC, LF, no blanks at the ends of lines and no empty lines around: what survives an HTML store (S-06)."""
    lines = (
        unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).replace("\xa0", " ").split("\n")
    )
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def squeezed(text: str) -> str:
    """Without the white space that an HTML store may drop: two bodies that differ only there are one (M-63)."""
    return "\n".join(" ".join(line.split()) for line in plain(text).split("\n"))


def subject(text: str) -> str:
    """A title: one line (X-10), of at most 255 characters."""
    lines = (line.strip() for line in plain(text).split("\n"))
    return " ".join(line for line in lines if line)[:MAX_SUBJECT].rstrip()
