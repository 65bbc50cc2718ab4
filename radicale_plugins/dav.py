"""WebDAV's XML as we read and write it: names, error bodies, multistatus (RFC 4918, RFC 4791)."""

from __future__ import annotations

import datetime as dt
import functools
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from email.utils import format_datetime
from http import client
from urllib.parse import quote

import defusedxml.ElementTree  # type: ignore[import-untyped]
from defusedxml import DefusedXmlException
from radicale.xmlutils import make_clark, make_human_tag

from radicale_plugins import markup

Answer = tuple[int, Mapping[str, str], bytes | None, None]
"""What Radicale's do_… methods return: status, headers, body, and nothing to log of the request."""

_MAX_DEPTH = 64
XML_TYPE = "text/xml; charset=utf-8"
_TAG = "{}tag"
"""A property called "tag", without a namespace: by that name Radicale's metadata says what kind of collection it is."""

D = "{DAV:}"
C = "{urn:ietf:params:xml:ns:caldav}"
CS = "{http://calendarserver.org/ns/}"


class Refusal(Exception):
    """Ends a request with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer[0])
        self.answer = answer


@functools.lru_cache(maxsize=4096)
def clark(name: str) -> str:
    """From ``D:href`` to ``{DAV:}href``; a name already in Clark's notation stays, and so does one without a namespace."""
    if name == _TAG:
        return "tag"
    return str(make_clark(name)) if ":" in name or name.startswith("{") else name


@functools.lru_cache(maxsize=4096)
def human(tag: str) -> str:
    """The other way round: how a property is named among those that are kept."""
    if tag == "tag":
        return _TAG
    return str(make_human_tag(tag)) if tag.startswith("{") else tag


def read_xml(body: bytes) -> ET.Element | None:
    """The request's document, None without a body. Raises Refusal: 400 for what is no XML or hides behind entities."""
    if not body:
        return None
    try:
        root: ET.Element = defusedxml.ElementTree.fromstring(body, forbid_dtd=True)
    except (ET.ParseError, DefusedXmlException, ValueError, LookupError):
        raise Refusal(text(client.BAD_REQUEST, "The request's body is not well-formed XML.")) from None
    if _deeper_than(root, _MAX_DEPTH):
        raise Refusal(text(client.BAD_REQUEST, "The request's XML is nested too deeply."))
    return root


def _deeper_than(root: ET.Element, limit: int) -> bool:
    level = [root]
    for _ in range(limit):
        level = [child for element in level for child in element]
        if not level:
            return False
    return True


def element(tag: str, /, *children: ET.Element, content: str | None = None, **attributes: str) -> ET.Element:
    made = ET.Element(clark(tag), attributes)
    made.text = content
    made.extend(children)
    return made


def href(path: str) -> ET.Element:
    return element("D:href", content=path)


def written(root: ET.Element) -> bytes:
    """As a document."""
    return markup.document(human(root.tag).removeprefix("D:"), "".join(map(markup.text, root)))


def xml(status: int, root: ET.Element, headers: Mapping[str, str] | None = None) -> Answer:
    return status, {"Content-Type": XML_TYPE, **(headers or {})}, written(root), None


def text(status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    return status, {"Content-Type": "text/plain; charset=utf-8", **(headers or {})}, message.encode(), None


def empty(status: int, headers: Mapping[str, str] | None = None) -> Answer:
    return status, headers or {}, None, None


def error(status: int, precondition: str, *details: ET.Element) -> Answer:
    """An error with its precondition named: a bare code is a dead end for devices (RFC 4918 §16)."""
    return xml(status, element("D:error", element(precondition, *details)))


def need_privileges(path: str, privilege: str) -> Answer:
    """403 as RFC 3744 §7.1.1 says it: DAVx5 marks the calendar read-only, Apple shows it."""
    resource = element("D:resource", href(path), element("D:privilege", element(privilege)))
    return error(client.FORBIDDEN, "D:need-privileges", resource)


def propstat(status: int, properties: Iterable[ET.Element], *extra: ET.Element) -> ET.Element:
    return element("D:propstat", element("D:prop", *properties), status_line(status), *extra)


def status_line(status: int) -> ET.Element:
    return element("D:status", content=f"HTTP/1.1 {status} {client.responses[status]}")


def response(path: str, *children: ET.Element) -> ET.Element:
    return element("D:response", href(path), *children)


def too_many(path: str) -> ET.Element:
    """The response of a collection of which a limit has left something out (RFC 6578 §3.6)."""
    why = element("D:error", element("D:number-of-matches-within-limits"))
    return response(path, status_line(client.INSUFFICIENT_STORAGE), why)


def url(base_prefix: str, path: str) -> str:
    """A path as it stands in a document: percent-encoded, below where the proxy put us."""
    return quote(base_prefix + path)


def etags(header: str) -> Iterator[str]:
    """The entity tags of an If-Match or If-None-Match header, opaque and with their quotes (RFC 9110 §8.8.3)."""
    rest = header.strip()
    while rest:
        weak = rest.startswith("W/")
        if weak:
            rest = rest[2:]
        if rest.startswith('"'):
            end = rest.find('"', 1)
            end = len(rest) if end < 0 else end + 1
        else:  # not a tag as RFC 9110 has it; it is compared as it stands and matches nothing
            end = rest.find(",")
            end = len(rest) if end < 0 else end
        yield ("W/" if weak else "") + rest[:end].strip()
        rest = rest[end:].lstrip(" \t,")


def http_date(at: dt.datetime) -> str:
    """RFC 9110 §5.6.7."""
    return format_datetime(at.astimezone(dt.UTC), usegmt=True)
