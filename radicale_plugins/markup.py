"""XML elements as text inside one of our documents, whose root declares the prefixes (Namespaces in XML 1.0 §3, §6).

ElementTree writes documents and no parts of one, and walks each through for its namespaces before it writes a letter. Here
what is the same in ten thousand responses is written once, and what differs is put in between.
"""

from __future__ import annotations

import functools
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from radicale.xmlutils import NAMESPACES

_DEFAULT = NAMESPACES["D"]
_XML = "http://www.w3.org/XML/1998/namespace"
_PREFIXES = {_XML: "xml"} | {uri: prefix for prefix, uri in NAMESPACES.items() if prefix != "D"}


def text(element: ET.Element, *, bare: bool = False) -> str:
    """The element with all in it. ``bare``: it lies in one without a namespace, where DAV's is the default no more."""
    uri, name, declared = _named(element.tag)
    if not uri:
        declared, bare = "" if bare else ' xmlns=""', True
    elif uri == _DEFAULT and bare:
        declared, bare = f" xmlns={quoteattr(_DEFAULT)}", False
    attributes = "".join(map(_attribute, element.attrib.items(), range(len(element.attrib)))) if element.attrib else ""
    inside = escape(element.text) if element.text else ""
    if len(element):
        inside += "".join([text(child, bare=bare) + escape(child.tail or "") for child in element])
    return f"<{name}{declared}{attributes}>{inside}</{name}>" if inside else f"<{name}{declared}{attributes} />"


_SHORT = 10_000
"""Characters; in what is longer nobody looks which prefixes it has."""


def empty(tag: str) -> str:
    return text(ET.Element(tag))


def document(name: str, inside: str) -> bytes:
    """One of our documents: ``name`` is its root's, with a prefix unless it is DAV's, and ``inside`` it are such elements."""
    spaces = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in _declared(name + inside))
    whole = f'<?xml version="1.0" encoding="utf-8"?>\n<{name} xmlns="{_DEFAULT}"{spaces}>{inside}</{name}>'
    return whole.encode("utf-8", "xmlcharrefreplace")


def _declared(content: str) -> list[tuple[str, str]]:
    every = len(content) > _SHORT
    return [(prefix, uri) for prefix, uri in NAMESPACES.items() if prefix != "D" and (every or f"{prefix}:" in content)]


@functools.lru_cache(maxsize=4096)
def _named(tag: str) -> tuple[str, str, str]:
    """A tag's namespace, its name with a prefix, and what it has to declare for that: others' namespaces nobody declares above."""
    uri, _, local = tag[1:].rpartition("}") if tag.startswith("{") else ("", "", tag)
    if uri in ("", _DEFAULT):
        return uri, local, ""
    if uri in _PREFIXES:
        return uri, f"{_PREFIXES[uri]}:{local}", ""
    return uri, f"X:{local}", f" xmlns:X={quoteattr(uri)}"


def _attribute(attribute: tuple[str, str], number: int) -> str:
    """The default namespace is none of attributes."""
    tag, value = attribute
    uri, _, local = tag[1:].rpartition("}") if tag.startswith("{") else ("", "", tag)
    if not uri:
        return f" {local}={quoteattr(value)}"
    if uri in _PREFIXES:
        return f" {_PREFIXES[uri]}:{local}={quoteattr(value)}"
    return f" xmlns:A{number}={quoteattr(uri)} A{number}:{local}={quoteattr(value)}"
