"""Dead properties of objects (RFC 4918 §4, §9.1, §9.2): kept as they came, carried along, and nobody else's business."""

import xml.etree.ElementTree as ET

import pytest

from radicale_plugins import keeping

CALENDAR, WORK = "/alice/calendar/", "/alice/work/"
A = CALENDAR + "a.ics"
X = 'xmlns:X="urn:x"'
ALL, NAMES = "<D:propfind><D:allprop/></D:propfind>", "<D:propfind><D:propname/></D:propfind>"


def patch(*instructions):
    return f"<D:propertyupdate>{''.join(instructions)}</D:propertyupdate>"


def setting(content):
    return f"<D:set><D:prop>{content}</D:prop></D:set>"


def removing(content):
    return f"<D:remove><D:prop>{content}</D:prop></D:remove>"


@pytest.fixture
def described(dav, event):
    """An object, and what sets its properties."""
    assert dav.put(A, event("a")).status_code == 201

    def describe(content, path=A):
        answer = dav.multi("PROPPATCH", path, patch(setting(content)))
        assert answer.props(path)
        return answer

    return describe


def note(dav, path=A, depth="0"):
    asked = f"<D:propfind><D:prop><X:note {X}/></D:prop></D:propfind>"
    answer = dav.multi("PROPFIND", path, asked, Depth=depth)
    return {
        href: next((each.text for each in answer.props(href) if each.tag == "{urn:x}note"), None)
        for href in answer.hrefs
    }


VALUES = {
    "text": f"<X:p {X}>ünder &lt;&amp; 𐀀😀\u2028</X:p>",
    "empty": f"<X:p {X}/>",
    "no namespace": '<p xmlns="">x</p>',
    "one that is called as Radicale calls a kind": '<tag xmlns="">VADDRESSBOOK</tag>',
    "attributes": f'<X:p {X} xml:lang="de" a="1" X:b="2">x</X:p>',
    "structure": f'<X:p {X}>one<q xmlns="">two<X:r X:s="t"/></q>three<y xmlns="urn:y"/>four</X:p>',
    "our own names": "<D:displayname>x</D:displayname>",
    "of Apple": "<CS:updated-by>x</CS:updated-by>",
}


@pytest.mark.parametrize("content", VALUES.values(), ids=VALUES)
def test_a_value_comes_back_as_it_went(dav, described, content):
    described(content)
    sent = ET.fromstring(f'<x xmlns:D="DAV:" xmlns:CS="{dav.NAMES["CS"]}">{content}</x>')[0]
    empty = f"<{content[1:].split('>')[0].rstrip('/')}/>"
    for asked in (ALL, f"<D:propfind><D:prop>{empty}</D:prop></D:propfind>"):
        answer = dav.multi("PROPFIND", A, asked, Depth="0")
        (found,) = (each for each in answer.props(A) if each.tag == sent.tag)
        found.tail = sent.tail
        assert ET.canonicalize(ET.tostring(found)) == ET.canonicalize(ET.tostring(sent))
    names = dav.multi("PROPFIND", A, NAMES, Depth="0").props(A)
    assert [len(each) for each in names if each.tag == sent.tag] == [0]
    dav.multi("PROPPATCH", A, patch(removing(empty)))
    assert sent.tag not in [each.tag for each in dav.multi("PROPFIND", A, ALL, Depth="0").props(A)]


def test_a_language_said_above_the_value_is_part_of_it(dav, described):
    body = (
        f'<D:propertyupdate xml:lang="en"><D:set xml:lang="fr"><D:prop xml:lang="de"><X:a {X}>x</X:a>'
        f'<X:b {X} xml:lang="it">x</X:b></D:prop></D:set><D:set><D:prop><X:c {X}>x</X:c></D:prop></D:set></D:propertyupdate>'
    )
    dav.multi("PROPPATCH", A, body)
    found = {
        each.tag[-1]: each.attrib for each in dav.multi("PROPFIND", A, ALL, Depth="0").props(A) if "urn:x" in each.tag
    }
    lang = "{http://www.w3.org/XML/1998/namespace}lang"
    assert found == {"a": {lang: "de"}, "b": {lang: "it"}, "c": {lang: "en"}}


@pytest.mark.parametrize("path", [A, CALENDAR, "/alice/"])
def test_text_beside_a_property_is_none_of_it(dav, described, path):
    """Kept with a value that has a structure, it stopped every allprop from then on."""
    described(f"<X:note {X}><X:in/></X:note>junk", path)
    found = [each for each in dav.multi("PROPFIND", path, ALL, Depth="0").props(path) if each.tag == "{urn:x}note"]
    assert [len(each) for each in found] == [1]


def test_instructions_are_followed_in_their_order(dav, described):
    for first, second, left in ((setting, removing, None), (removing, setting, "x")):
        dav.multi("PROPPATCH", A, patch(first(f"<X:note {X}>x</X:note>"), second(f"<X:note {X}>x</X:note>")))
        assert note(dav) == {A: left}


@pytest.mark.parametrize(
    "content", ["<D:getetag>x</D:getetag>", "<D:resourcetype/>", "<C:schedule-tag/>", "<C:calendar-data/>", "<D:acl/>"]
)
def test_what_the_server_says_nobody_sets(dav, described, content):
    described(f"<X:note {X}>before</X:note>")
    for instruction in (setting, removing):
        body = patch(setting(f"<X:note {X}>after</X:note>"), instruction(content))
        answer = dav.multi("PROPPATCH", A, body)
        assert len(answer.props(A, "403")) == 1
        assert [each.tag for each in answer.props(A, "424")] == ["{urn:x}note"]
        assert answer.root.find(".//D:error/D:cannot-modify-protected-property", dav.NAMES) is not None
    assert note(dav) == {A: "before"}


def test_there_is_only_so_much_room(dav, described):
    described(f"<X:note {X}>before</X:note>")
    many = "".join(f"<X:p{number} {X}/>" for number in range(keeping.MAX_NUMBER))
    much = "".join(f"<X:p{number} {X}>{'x' * 90_000}</X:p{number}>" for number in range(6))
    for content, word in ((f"<X:p {X}>{'x' * 100_001}</X:p>", "100,000"), (many, "200"), (much, "500,000")):
        body = patch(setting(f"<X:note {X}>after</X:note>"), setting(content))
        reply = dav.xml("PROPPATCH", A, body)
        assert reply.status_code in (413, 507)
        if reply.status_code == 507:
            assert word in reply.text
        assert note(dav) == {A: "before"}


def test_they_change_neither_the_etag_nor_the_calendar(dav, described):
    """Decision 0037: no device fetches, and no pair plans, because of them."""
    token = dav.props(CALENDAR, "D:sync-token", "CS:getctag")
    before = dav.get(A).headers
    described(f"<X:note {X}>x</X:note>")
    after = dav.get(A).headers
    assert (after["ETag"], after["Last-Modified"]) == (before["ETag"], before["Last-Modified"])
    assert ET.tostring(dav.props(CALENDAR, "D:sync-token", "CS:getctag").root) == ET.tostring(token.root)


def test_only_what_is_as_the_client_knows_it_is_described(dav, described):
    etag = dav.get(A).headers["ETag"]
    body = patch(setting(f"<X:note {X}>x</X:note>"))
    for headers in ({"If-Match": '"other"'}, {"If": '(["other"])'}, {"If-None-Match": "*"}):
        assert dav.xml("PROPPATCH", A, body, **headers).status_code == 412
    assert note(dav) == {A: None}
    assert dav.xml("PROPPATCH", A, body, If_Match=etag).status_code == 207
    assert dav.xml("PROPPATCH", CALENDAR + "nothing.ics", body).status_code == 404


def test_a_new_version_keeps_them_and_a_deletion_does_not(dav, described, event):
    described(f"<X:note {X}>x</X:note>")
    dav.put(A, event("a", "DTSTART:20260311T090000Z"))
    assert note(dav) == {A: "x"}
    dav.request("DELETE", A)
    dav.put(A, event("a"))
    assert note(dav) == {A: None}


def test_copies_carry_them_and_moves_take_them_along(dav, described, event):
    dav.xml("MKCALENDAR", WORK)
    described(f"<X:note {X}>x</X:note>")
    dav.put(WORK + "b.ics", event("b"))
    described(f"<X:note {X}>y</X:note><X:more {X}/>", WORK + "b.ics")
    assert dav.request("COPY", A, headers={"Destination": WORK + "b.ics"}).status_code == 204
    assert note(dav) | note(dav, WORK + "b.ics") == {A: "x", WORK + "b.ics": "x"}
    everything = dav.multi("PROPFIND", WORK + "b.ics", ALL, Depth="0").props(WORK + "b.ics")
    assert "{urn:x}more" not in [each.tag for each in everything]
    described(f"<X:note {X}>of the copy</X:note>", WORK + "b.ics")
    assert note(dav) == {A: "x"}
    dav.request("DELETE", WORK + "b.ics")
    for source, destination in ((A, CALENDAR + "c.ics"), (CALENDAR + "c.ics", WORK + "d.ics")):
        assert dav.request("MOVE", source, headers={"Destination": destination}).status_code == 201
        assert note(dav, destination) == {destination: "x"}
    dav.put(A, event("a"))
    assert note(dav) == {A: None}


def test_a_move_of_what_has_none_leaves_none(dav, described, event):
    dav.xml("MKCALENDAR", WORK)
    dav.put(WORK + "b.ics", event("b"))
    described(f"<X:note {X}>y</X:note>", WORK + "b.ics")
    assert dav.request("MOVE", A, headers={"Destination": WORK + "b.ics"}).status_code == 204
    assert note(dav, WORK + "b.ics") == {WORK + "b.ics": None}


REPORTS = {
    "multiget": f"<C:calendar-multiget><D:prop>{{}}</D:prop><D:href>{A}</D:href></C:calendar-multiget>",
    "query": '<C:calendar-query><D:prop>{}</D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>',
    "sync": "<D:sync-collection><D:sync-token/><D:prop>{}</D:prop></D:sync-collection>",
}


@pytest.mark.parametrize("body", REPORTS.values(), ids=REPORTS)
def test_reports_tell_them(dav, described, body):
    described(f"<X:note {X}>x</X:note>")
    answer = dav.report(CALENDAR, body.format(f"<D:getetag/><X:note {X}/>"), Depth="1")
    assert [each.text for each in answer.props(A) if each.tag == "{urn:x}note"] == ["x"]


@pytest.mark.parametrize("body", [*REPORTS.values(), "<D:propfind><D:prop>{}</D:prop></D:propfind>"])
def test_who_does_not_ask_for_them_pays_nothing(dav, described, event, statements, body):
    """And who does pays for one query, whatever the number of objects."""
    described(f"<X:note {X}>x</X:note>")
    for number in range(5):
        dav.put(f"{CALENDAR}{number}.ics", event(str(number)))
    method = "PROPFIND" if "propfind" in body else "REPORT"
    for wanted, queries in (
        ("<D:getetag/><D:getcontenttype/><D:resourcetype/><C:schedule-tag/><C:calendar-data/><D:owner/>", 0),
        (f"<D:getetag/><X:note {X}/>", 1),
    ):
        statements.clear()
        dav.multi(method, CALENDAR, body.format(wanted), Depth="1")
        assert sum("object_properties" in each for each, _ in statements) == queries
