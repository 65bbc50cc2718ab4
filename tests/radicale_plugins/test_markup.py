"""What is written comes back the same, by another parser's reading."""

import xml.etree.ElementTree as ET

import lxml.etree
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radicale_plugins import markup

SPACES = ["", "DAV:", "urn:ietf:params:xml:ns:caldav", "http://apple.com/ns/ical/", "urn:x", "urn:a&b?c='d'", "urn:X"]
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=6)
NAMES = st.sampled_from(["a", "href", "X", "é-1"])
TAGS = st.builds(lambda space, name: f"{{{space}}}{name}" if space else name, st.sampled_from(SPACES), NAMES)
ATTRIBUTES = st.dictionaries(
    TAGS | st.just("{http://www.w3.org/XML/1998/namespace}lang"), TEXTS | st.just('" \n\t\r<&'), max_size=3
)


def made(tag, attributes, text, children):
    element = ET.Element(tag, attributes)
    element.text = text
    for child, tail in children:
        child.tail = tail
        element.append(child)
    return element


ELEMENTS = st.recursive(
    st.builds(made, TAGS, ATTRIBUTES, TEXTS, st.just([])),
    lambda inner: st.builds(made, TAGS, ATTRIBUTES, TEXTS, st.lists(st.tuples(inner, TEXTS), max_size=3)),
    max_leaves=6,
)


def plain(element):
    inside = [(plain(child), child.tail or "") for child in element]
    return element.tag, dict(element.attrib), element.text or "", inside


@given(st.lists(ELEMENTS, max_size=3))
def test_elements_come_back_as_they_were(elements):
    document = markup.document("multistatus", "".join(map(markup.text, elements)))
    root = lxml.etree.fromstring(document)
    assert root.tag == "{DAV:}multistatus"
    assert [plain(each) for each in root] == [plain(each) for each in elements]


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("{DAV:}prop", "<prop />"),
        ("{urn:ietf:params:xml:ns:caldav}comp", "<C:comp />"),
        ("nul", '<nul xmlns="" />'),
        ("{urn:x}note", '<X:note xmlns:X="urn:x" />'),
    ],
)
def test_an_empty_one(tag, text):
    assert markup.empty(tag) == text


def test_a_long_document_declares_every_prefix_and_a_short_one_those_it_has():
    assert b"xmlns:C=" in markup.document("multistatus", markup.text(ET.Element("{DAV:}a")) * 3000)
    short = markup.document("multistatus", "<C:comp />")
    assert b"xmlns:C=" in short
    assert b"xmlns:CS=" not in short


def test_what_no_encoding_holds_is_written_as_a_reference():
    element = ET.Element("{DAV:}a")
    element.text = "\ud800"
    assert b"&#55296;" in markup.document("multistatus", markup.text(element))
