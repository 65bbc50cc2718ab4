"""WebDAV's XML: the few bodies we send, and multistatus answers as they are read (RFC 4918 §13, RFC 4791, RFC 6578)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

import defusedxml.ElementTree  # type: ignore[import-untyped]
from defusedxml import DefusedXmlException

from bridge.errors import Unreachable

SPACES = {
    "d": "DAV:",
    "c": "urn:ietf:params:xml:ns:caldav",
    "cs": "http://calendarserver.org/ns/",
    "a": "http://apple.com/ns/ical/",
}
MALFORMED = "malformed"
"""The code of an Unreachable whose answer came, but is not what was asked for, or only a part of it (R5)."""

_DECLARED = '<?xml version="1.0" encoding="utf-8"?>'
_NAMES = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in SPACES.items())


def name(short: str) -> str:
    """``d:getetag`` as ElementTree spells it."""
    prefix, _, local = short.partition(":")
    return f"{{{SPACES[prefix]}}}{local}"


@dataclass(frozen=True, slots=True)
class Resource:
    """One response of a multistatus. ``status`` is its own, 200 where only its properties have one; ``props`` are those found."""

    href: str
    status: int = 200
    props: Mapping[str, Element] = field(default_factory=dict)

    def text(self, short: str) -> str:
        found = self.props.get(name(short))
        return (found.text or "").strip() if found is not None else ""

    def hrefs(self, short: str) -> list[str]:
        found = self.props.get(name(short))
        return [] if found is None else [each.text.strip() for each in found.iter(name("d:href")) if each.text]

    def has(self, short: str, child: str) -> bool:
        """Whether the property has such an element somewhere inside."""
        found = self.props.get(name(short))
        return found is not None and next(found.iter(name(child)), None) is not None


@dataclass(frozen=True, slots=True)
class Multistatus:
    resources: Sequence[Resource]
    sync_token: str


def multistatus(status: int, body: bytes) -> Multistatus:
    """Read an answer. Raises Unreachable for anything but a whole multistatus: then nothing is known (R5, R7)."""
    root = _root(body) if status == 207 else None
    if root is None or root.tag != name("d:multistatus"):
        raise Unreachable("the answer is no complete multistatus", status=status, code=MALFORMED)
    resources = [one for response in root.findall(name("d:response")) for one in _resources(response)]
    return Multistatus(resources, (root.findtext(name("d:sync-token")) or "").strip())


def precondition(body: bytes) -> str:
    """The local name of what was not met (RFC 4918 §16), or ""."""
    root = _root(body)
    error = None if root is None else root if root.tag == name("d:error") else root.find(f".//{name('d:error')}")
    first = None if error is None else next(iter(error), None)
    return "" if first is None else str(first.tag).rpartition("}")[2][:64]


def _root(body: bytes) -> Element | None:
    try:
        root: Element = defusedxml.ElementTree.fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return None
    return root


def _resources(response: Element) -> Iterable[Resource]:
    own = response.findtext(name("d:status"))
    props: dict[str, Element] = {}
    for propstat in response.findall(name("d:propstat")):
        if _status(propstat.findtext(name("d:status")) or "") == 200:
            props.update({str(prop.tag): prop for found in propstat.findall(name("d:prop")) for prop in found})
    for href in response.findall(name("d:href")):
        yield Resource((href.text or "").strip(), 200 if own is None else _status(own), props)


def _status(line: str) -> int:
    code = line.split()[1:2]
    if not code or not code[0].isdecimal():
        raise Unreachable("the answer has a status that cannot be read", status=207, code=MALFORMED)
    return int(code[0])


def _body(root: str, content: str) -> bytes:
    return f"{_DECLARED}<{root} {_NAMES}>{content}</{root}>".encode()


def _prop(names: Iterable[str]) -> str:
    return f"<d:prop>{''.join(f'<{each}/>' for each in names)}</d:prop>"


def propfind(*names: str) -> bytes:
    return _body("d:propfind", _prop(names))


def sync_collection(token: str) -> bytes:
    """RFC 6578 §3.2; an empty token asks for everything."""
    return _body(
        "d:sync-collection",
        f"<d:sync-token>{escape(token)}</d:sync-token><d:sync-level>1</d:sync-level>{_prop(['d:getetag'])}",
    )


def multiget(hrefs: Iterable[str]) -> bytes:
    """RFC 4791 §7.9."""
    named = "".join(f"<d:href>{escape(href)}</d:href>" for href in hrefs)
    return _body("c:calendar-multiget", _prop(["d:getetag", "c:calendar-data"]) + named)


def query_uid(uid: str) -> bytes:
    """Events with this UID (RFC 4791 §7.8.6); what is answered may hold it only somewhere."""
    match = f'<c:text-match collation="i;octet">{escape(uid)}</c:text-match>'
    event = f'<c:comp-filter name="VEVENT"><c:prop-filter name="UID">{match}</c:prop-filter></c:comp-filter>'
    return _body(
        "c:calendar-query",
        f'{_prop(["d:getetag"])}<c:filter><c:comp-filter name="VCALENDAR">{event}</c:comp-filter></c:filter>',
    )
