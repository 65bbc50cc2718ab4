"""Finding people, and what of them is seen: principal searches, expand-property, ACL properties (RFC 3744, RFC 3253)."""

import xml.etree.ElementTree as ET

import caldav
import pytest

from radicale_plugins import app
from tests.radicale_plugins.conftest import NAMES, Dav

ALICE, BOB, CALENDAR = "/alice/", "/bob/", "/alice/calendar/"
CS = "{http://calendarserver.org/ns/}"


def precondition(reply):
    return reply.status_code, ET.fromstring(reply.content)[0].tag.rpartition("}")[2]


@pytest.fixture
def bob(person, base):
    auth = person("bob")
    with Dav(base_url=base, auth=auth) as client:
        name = "<D:displayname>Robert Müller</D:displayname><X:note xmlns:X='urn:x'>secret</X:note>"
        body = f"<D:propertyupdate><D:set><D:prop>{name}</D:prop></D:set></D:propertyupdate>"
        assert client.xml("PROPPATCH", BOB, body).status_code == 207
        yield client


@pytest.fixture
def hidden(serve, database, clock, alice, bob):
    """Signed in where people do not see each other."""
    with Dav(base_url=serve(app.build(database, now=clock, directory=False)), auth=alice) as client:
        yield client


def search(*conditions, extra="", attributes="", prop="<D:displayname/><C:calendar-user-address-set/>"):
    """``conditions`` are (property, text) or (property, text, match-type)."""
    made = ""
    for name, text, *how in conditions:
        kind = f' match-type="{how[0]}"' if how else ""
        made += f"<D:property-search><D:prop><{name}/></D:prop><D:match{kind}>{text}</D:match></D:property-search>"
    return (
        f"<D:principal-property-search{attributes}>{made}<D:prop>{prop}</D:prop>{extra}</D:principal-property-search>"
    )


NAME, MAIL, ADDRESS, KIND = (
    "D:displayname",
    "CS:email-address-set",
    "C:calendar-user-address-set",
    "C:calendar-user-type",
)


@pytest.mark.parametrize(
    ("conditions", "attributes", "expected"),
    [
        ([(NAME, "mül")], "", {BOB}),
        ([(NAME, "MÜLLER")], "", {BOB}),
        ([(NAME, "l")], "", {ALICE, BOB}),
        ([(NAME, "nobody")], "", set()),
        ([(MAIL, "@example.org")], "", {ALICE, BOB}),
        ([(MAIL, "bob", "starts-with")], "", {BOB}),
        ([(MAIL, "example", "starts-with")], "", set()),
        ([(ADDRESS, "mailto:bob@example.org", "equals")], "", {BOB}),
        ([(ADDRESS, "bob@example.org", "equals")], "", {BOB}),
        ([(ADDRESS, "bob@example", "equals")], "", set()),
        ([(MAIL, ".org", "ends-with")], "", {ALICE, BOB}),
        ([(NAME, "rob"), (MAIL, "alice")], "", set()),
        ([(NAME, "rob"), (MAIL, "alice")], ' test="anyof"', {ALICE, BOB}),
        ([(KIND, "INDIVIDUAL")], "", {ALICE, BOB}),
        ([(KIND, "ROOM")], "", set()),  # as the Outlook CalDav Synchronizer looks for rooms
        ([(NAME, "l")], ' type="INDIVIDUAL"', {ALICE, BOB}),
        ([(NAME, "l")], ' type="ROOM"', set()),
        ([(NAME, "")], "", set()),
        ([("X:note", "secret")], ' xmlns:X="urn:x"', set()),  # what is not to be searched
        ([("D:owner", "bob")], "", set()),
    ],
)
def test_d14_people_are_searched_for(dav, bob, conditions, attributes, expected):
    assert set(dav.report("/", search(*conditions, attributes=attributes)).hrefs) == expected


def test_a_search_may_begin_anywhere_of_ones_own_as_apple_asks(dav, bob):
    extra = "<D:apply-to-principal-collection-set/>"
    answer = dav.report(ALICE, search((NAME, "rob"), extra=extra), Depth="0")
    assert answer.text(BOB, NAME) == "Robert Müller"
    assert [each.text for each in answer.prop(BOB, ADDRESS)] == ["mailto:bob@example.org", BOB]
    assert precondition(dav.xml("REPORT", CALENDAR, search((NAME, "rob")))) == (403, "supported-report")
    half = "<D:property-search><D:prop><D:displayname/></D:prop></D:property-search>"
    assert (
        dav.xml("REPORT", "/", f"<D:principal-property-search>{half}</D:principal-property-search>").status_code == 400
    )


def test_the_caldav_client_finds_people(base, alice, bob):
    """It names the properties beside an empty prop, and searches for nothing to list everybody."""
    name, password = alice
    with caldav.DAVClient(base + "/", username=name, password=password) as client:
        assert {str(each.url.path) for each in client.search_principals()} == {ALICE, BOB}
        assert [str(each.url.path) for each in client.search_principals(name="Robert")] == [BOB]


def test_what_can_be_searched(dav):
    reply = dav.xml("REPORT", "/", "<D:principal-search-property-set/>", Depth="0")
    assert reply.status_code == 200
    found = ET.fromstring(reply.content).findall("D:principal-search-property", NAMES)
    assert [each.find("D:prop", NAMES)[0].tag.rpartition("}")[2] for each in found] == [
        "displayname", "email-address-set", "calendar-user-address-set", "calendar-user-type",
    ]  # fmt: skip
    assert all(each.findtext("D:description", namespaces=NAMES) for each in found)


def tokens(*words, context="attendee", limit=""):
    limited = f"<CS:limit><CS:nresults>{limit}</CS:nresults></CS:limit>" if limit else ""
    inside = "".join(f"<CS:search-token>{word}</CS:search-token>" for word in words)
    return (
        f'<CS:calendarserver-principal-search context="{context}">{inside}{limited}'
        "<D:prop><D:displayname/><CS:email-address-set/></D:prop></CS:calendarserver-principal-search>"
    )


@pytest.mark.parametrize(
    ("words", "context", "expected"),
    [
        (["mül"], "attendee", {BOB}),
        (["mül", "rob"], "attendee", {BOB}),
        (["üller"], "attendee", set()),  # the beginning of a word
        (["bob@ex"], "user", {BOB}),
        (["rob", "alice"], "", set()),
        (["alice"], "delegate", {ALICE}),
        (["rob"], "location", set()),
        (["rob"], "resource", set()),
    ],
)
def test_people_are_searched_for_by_what_is_typed(dav, bob, words, context, expected):
    assert set(dav.report("/", tokens(*words, context=context)).hrefs) == expected


def test_more_people_than_were_asked_for(dav, bob, person):
    person("carol")
    answer = dav.report("/", tokens("example.org", limit=2).replace("example.org", "@example"))
    assert len(answer.hrefs) == 3
    assert answer.status("/") == "HTTP/1.1 507 Insufficient Storage"
    assert dav.xml("REPORT", "/", tokens()).status_code == 400


# --- what is seen of others ----------------------------------------------------------------------------------------

SEEN = {
    "calendar-home-set",
    "resourcetype", "displayname", "principal-URL", "alternate-URI-set", "group-member-set", "group-membership",
    "calendar-user-address-set", "calendar-user-type", "email-address-set", "current-user-principal",
    "principal-collection-set", "current-user-privilege-set", "supported-report-set",
}  # fmt: skip


@pytest.mark.parametrize("depth", ["0", "1"])
def test_of_somebody_else_names_and_addresses_are_seen_and_nothing_else(dav, bob, depth):
    names = dav.multi("PROPFIND", BOB, "<D:propfind><D:propname/></D:propfind>", Depth=depth)
    assert names.hrefs == [BOB]
    assert {each.tag.rpartition("}")[2] for each in names.props(BOB)} == SEEN
    everything = dav.multi("PROPFIND", BOB, "<D:propfind><D:allprop/></D:propfind>", Depth=depth)
    assert everything.text(BOB, "D:displayname") == "Robert Müller"
    assert "secret" not in ET.tostring(everything.root, encoding="unicode")
    asked = ("CS:getctag", "D:sync-token", "D:acl", "D:owner", "A:calendar-color")
    answer = dav.props(BOB, *asked, "D:resourcetype", "D:current-user-privilege-set", depth=depth)
    assert len(answer.props(BOB, "404")) == len(asked)
    assert [each.tag for each in answer.prop(BOB, "D:resourcetype")] == ["{DAV:}principal"]
    assert len(answer.prop(BOB, "D:current-user-privilege-set")) == 0
    home = dav.props(BOB, "C:calendar-home-set").prop(BOB, "C:calendar-home-set")
    assert [each.text for each in home] == [BOB]


@pytest.mark.parametrize("method", ["GET", "PUT", "PROPPATCH", "MKCALENDAR", "DELETE", "POST", "ACL", "COPY", "MOVE"])
def test_nothing_is_done_with_somebody_elses_home(dav, bob, method):
    for path in (BOB, "/bob/calendar/", "/bob/calendar/a.ics"):
        assert precondition(dav.request(method, path)) == (403, "need-privileges"), path


def test_nor_is_it_read_by_reports(dav, bob, event):
    bob.put("/bob/calendar/a.ics", event("a"))
    for body in (
        "<D:sync-collection><D:sync-token/><D:prop/></D:sync-collection>",
        '<C:free-busy-query><C:time-range start="20260301T000000Z" end="20260401T000000Z"/></C:free-busy-query>',
        search((NAME, "bob")),
        "<D:principal-match><D:self/></D:principal-match>",
        "<D:acl-principal-prop-set/>",
    ):
        assert precondition(dav.xml("REPORT", BOB, body)) == (403, "supported-report")
    for path in ("/bob/calendar/", "/bob/calendar/a.ics"):
        for method in ("PROPFIND", "REPORT"):
            assert precondition(dav.request(method, path)) == (403, "need-privileges")
    assert dav.request("PROPFIND", "/nobody/").status_code == 404


def test_where_people_do_not_see_each_other(hidden):
    for path in (BOB, "/nobody/"):
        for method in ("PROPFIND", "REPORT"):
            assert precondition(hidden.request(method, path)) == (403, "need-privileges")
    assert hidden.report("/", search((MAIL, "@example.org"))).hrefs == [ALICE]
    assert hidden.report("/", tokens("bob")).hrefs == []
    nested = expand(f"{prop('principal-URL')[:-2]}>{prop('displayname')}</D:property>")
    assert hidden.xml("REPORT", BOB, nested).status_code == 403


def test_strangers_find_nobody(anonymous, bob):
    for path in ("/", BOB):
        assert anonymous.xml("REPORT", path, search((NAME, "rob"))).status_code == 401
        assert anonymous.request("PROPFIND", path).status_code == 401


# --- expand-property -----------------------------------------------------------------------------------------------


def prop(name, namespace=None, inner=""):
    space = f' namespace="{namespace}"' if namespace else ""
    return f'<D:property name="{name}"{space}>{inner}</D:property>' if inner else f'<D:property name="{name}"{space}/>'


def expand(inner):
    return f"<D:expand-property>{inner}</D:expand-property>"


def test_d14_hrefs_in_a_property_are_expanded(dav):
    inner = prop("displayname") + prop("calendar-user-address-set", NAMES["C"])
    answer = dav.report(CALENDAR, expand(prop("owner", inner=inner) + prop("getctag", NAMES["CS"])))
    owner = answer.prop(CALENDAR, "D:owner")
    (response,) = owner
    assert response.tag == "{DAV:}response"
    assert response.findtext("D:href", namespaces=NAMES) == ALICE
    assert response.findtext("D:propstat/D:prop/D:displayname", namespaces=NAMES) == "alice"
    assert response.find("D:propstat/D:prop/C:calendar-user-address-set", NAMES)[0].text == "mailto:alice@example.org"
    assert answer.text(CALENDAR, "CS:getctag")
    plain = dav.report(CALENDAR, expand(prop("owner"))).prop(CALENDAR, "D:owner")
    assert [each.tag for each in plain] == ["{DAV:}href"]


def test_expanded_as_macos_asks_for_delegates(dav):
    """Properties that are not there stand below 404, as in a PROPFIND (CLIENTS 1.1)."""
    inner = prop("displayname") + prop("email-address-set", NAMES["CS"])
    body = expand(prop("calendar-proxy-for-nobody", NAMES["CS"], inner) + prop("group-membership", inner=inner))
    answer = dav.report(ALICE, body, Depth="0")
    assert [each.tag for each in answer.props(ALICE, "404")] == [f"{CS}calendar-proxy-for-nobody"]
    assert len(answer.prop(ALICE, "D:group-membership")) == 0
    assert dav.report(ALICE, body, Prefer="return=minimal").props(ALICE, "404") == []


def test_expanded_twice_over_and_other_addresses_left(dav):
    inner = prop("principal-URL", inner=prop("calendar-home-set", NAMES["C"], prop("resourcetype")))
    answer = dav.report("/", expand(prop("current-user-principal", inner=inner)))
    text = ET.tostring(answer.root, encoding="unicode")
    assert text.count("response>") == 8
    addresses = dav.report(ALICE, expand(prop("calendar-user-address-set", NAMES["C"], prop("displayname"))))
    found = addresses.prop(ALICE, "C:calendar-user-address-set")
    assert [each.tag for each in found] == ["{DAV:}href", "{DAV:}response"]
    assert found[0].get("preferred") == "1"


def test_what_others_have_is_expanded_as_far_as_it_is_seen(dav, bob, hidden):
    body = "<D:propertyupdate><D:set><D:prop>{}</D:prop></D:set></D:propertyupdate>"
    hrefs = "<C:calendar-free-busy-set><D:href>/bob/</D:href><D:href>/bob/calendar/</D:href></C:calendar-free-busy-set>"
    dav.xml("PROPPATCH", ALICE, body.format(hrefs))
    asked = expand(prop("calendar-free-busy-set", NAMES["C"], prop("displayname") + prop("getctag", NAMES["CS"])))
    person, calendar = dav.report(ALICE, asked).prop(ALICE, "C:calendar-free-busy-set")
    assert person.findtext("D:propstat/D:prop/D:displayname", namespaces=NAMES) == "Robert Müller"
    assert person.find("D:propstat/D:prop/CS:getctag", NAMES).text is None
    assert calendar.findtext("D:status", namespaces=NAMES) == "HTTP/1.1 404 Not Found"
    for each in hidden.report(ALICE, asked).prop(ALICE, "C:calendar-free-busy-set"):
        assert each.findtext("D:status", namespaces=NAMES) == "HTTP/1.1 404 Not Found"


def test_an_expansion_has_an_end(dav):
    hrefs = "".join("<D:href>/alice/</D:href>" for _ in range(40))
    body = f"<C:calendar-free-busy-set>{hrefs}</C:calendar-free-busy-set>"
    dav.xml("PROPPATCH", ALICE, f"<D:propertyupdate><D:set><D:prop>{body}</D:prop></D:set></D:propertyupdate>")
    nested = prop("calendar-free-busy-set", NAMES["C"])
    for _ in range(3):
        nested = prop("calendar-free-busy-set", NAMES["C"], nested)
    reply = dav.xml("REPORT", ALICE, expand(nested))
    assert precondition(reply) == (403, "number-of-matches-within-limits")


# --- what one is oneself, and may do -------------------------------------------------------------------------------


def test_oneself_among_the_members(dav, bob):
    own = "<D:principal-match><D:self/><D:prop><D:displayname/></D:prop></D:principal-match>"
    assert dav.report("/", own).hrefs == [ALICE]
    assert dav.report(ALICE, own).hrefs == []
    owned = "<D:principal-match><D:principal-property><D:owner/></D:principal-property></D:principal-match>"
    assert dav.report(ALICE, owned).hrefs == [CALENDAR, "/alice/tasks/"]


def test_who_stands_in_an_acl(dav):
    body = "<D:acl-principal-prop-set><D:prop><D:displayname/></D:prop></D:acl-principal-prop-set>"
    answer = dav.report(CALENDAR, body)
    assert answer.hrefs == [ALICE]
    assert answer.text(ALICE, "D:displayname") == "alice"


def privileges(element):
    return {each[0].tag.rpartition("}")[2] for each in element.iter("{DAV:}privilege")}


@pytest.mark.parametrize("path", [ALICE, CALENDAR, CALENDAR + "a.ics"])
def test_d24_acl_properties(dav, event, path):
    dav.put(CALENDAR + "a.ics", event("a"))
    names = (
        "supported-privilege-set",
        "current-user-privilege-set",
        "acl",
        "acl-restrictions",
        "inherited-acl-set",
        "owner",
    )
    answer = dav.props(path, *(f"D:{name}" for name in names), "D:principal-collection-set")
    assert len(answer.props(path)) == 7
    held = privileges(answer.prop(path, "D:current-user-privilege-set"))
    assert {"read", "read-acl", "read-current-user-privilege-set", "write", "write-content", "write-properties"} <= held
    assert privileges(answer.prop(path, "D:acl")) == held
    assert held <= privileges(answer.prop(path, "D:supported-privilege-set"))
    assert answer.prop(path, "D:acl").find("D:ace/D:protected", NAMES) is not None
    assert ("bind" in held) == (not path.endswith(".ics"))
    assert "write-acl" not in held


def test_nobody_changes_an_acl(dav, event):
    """A principal without DAV:write-acl gets this of any server (RFC 3744 §8.1.1)."""
    everyone = (
        "<D:ace><D:principal><D:all/></D:principal><D:grant><D:privilege><D:all/></D:privilege></D:grant></D:ace>"
    )
    for path in ("/", ALICE, CALENDAR):
        reply = dav.xml("ACL", path, f"<D:acl>{everyone}</D:acl>")
        assert precondition(reply) == (403, "need-privileges")
        assert "write-acl" in reply.text
    assert dav.request("ACL", "/alice/x/y/z").status_code == 404


def test_the_caldav_library_finds_people(base, dav, alice, bob):
    """It names no condition, and its properties beside DAV:prop."""
    with caldav.DAVClient(base + "/", username=alice[0], password=alice[1]) as client:
        assert sorted(str(each.url.path) for each in client.search_principals()) == ["/alice/", "/bob/"]
        (found,) = client.search_principals(name="Müller")
        assert found.calendar_home_set.url.path == "/bob/"
