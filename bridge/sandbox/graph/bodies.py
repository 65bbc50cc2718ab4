"""What Exchange makes of an event's text: HTML, wrapped and sanitised (M-63); and the same as plain text."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

_DROPPED = frozenset({"script", "style", "iframe", "object", "embed", "form", "input", "button", "svg", "title"})
_FRAME = frozenset({"html", "head", "body", "meta", "link", "base"})
_VOID = frozenset({"br", "hr", "img", "col", "wbr"})
_BLOCKS = frozenset(
    {"p", "div", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre"}
)
_ATTRIBUTES = frozenset({"href", "src", "alt", "title", "style", "class", "id", "name", "color", "size", "face", "align", "dir",
                         "lang", "width", "height", "border", "colspan", "rowspan", "target"})  # fmt: skip
_HEAD = '<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
PREVIEW = 255


def stored(content: str, content_type: str) -> str:
    """The HTML that is kept; it is never what was sent (M-63), and its text is the same after any number of round trips."""
    if content_type == "text":
        if not content:
            return ""
        escaped = html.escape(content, quote=False).replace("\r\n", "\n").replace("\r", "\n")
        lines = escaped.replace("  ", " &nbsp;").replace("\n", "<br>\r\n")
        return (
            f"{_HEAD}<!-- converted from text --></head>\r\n<body>\r\n"
            f'<font size="2"><span style="font-size:11pt"><div class="PlainText">{lines}</div></span></font>\r\n'
            "</body></html>\r\n"
        )
    inner = _sanitised(content)
    return f"{_HEAD}</head>\r\n<body>\r\n{inner}\r\n</body></html>\r\n" if inner else ""


def as_text(stored_html: str) -> str:
    """The plain text of kept HTML, with CRLF line ends."""
    reader = _Text()
    reader.feed(stored_html)
    reader.close()
    text = re.sub(r"[ \t]+\n", "\n", "".join(reader.parts).replace("\xa0", " "))
    text = re.sub(r"\n{3,}", "\n\n", text).strip("\n ")
    return text.replace("\n", "\r\n") + "\r\n" if text else ""


def preview(stored_html: str) -> str:
    """The first 255 characters of the text."""
    return as_text(stored_html).strip()[:PREVIEW]


def _sanitised(content: str) -> str:
    reader = _Sanitiser()
    reader.feed(content)
    reader.close()
    return "".join(reader.parts).strip()


class _Sanitiser(HTMLParser):
    """Keeps harmless elements and attributes; scripts, forms and the document's frame go."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._skipping = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            self._skipping += tag not in ("input", "embed")
        if self._skipping or tag in _FRAME or tag in _DROPPED:
            return
        kept = "".join(f' {name}="{html.escape(value or "")}"' for name, value in attrs if _harmless(name, value))
        self.parts.append(f"<{tag}{kept}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _DROPPED:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in _DROPPED:
            self._skipping = max(0, self._skipping - (tag not in ("input", "embed")))
        elif not self._skipping and tag not in _FRAME and tag not in _VOID:
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self.parts.append(html.escape(data, quote=False).replace("\xa0", "&nbsp;"))


def _harmless(name: str, value: str | None) -> bool:
    return name in _ATTRIBUTES and not re.match(r"\s*(javascript|vbscript|data):", value or "", re.IGNORECASE)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._skipping = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in ("head", "style", "script", "title"):
            self._skipping += 1
        elif tag == "br" or (tag in _BLOCKS and not self._after_break()):
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("head", "style", "script", "title"):
            self._skipping = max(0, self._skipping - 1)
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self.parts.append(re.sub(r"[\r\n]+", "" if self._after_break() else " ", data))

    def _after_break(self) -> bool:
        return not self.parts or self.parts[-1].endswith("\n")
