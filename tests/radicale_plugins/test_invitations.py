"""Sharing from the devices themselves (CalendarServer's sharing and notifications), as Apple Calendar speaks it."""

import xml.etree.ElementTree as ET

import pytest

from bridge.services import delegating, sharing
from bridge.store import shares
from radicale_plugins import app
from tests.radicale_plugins.conftest import NAMES, Dav

FAMILY = "/alice/family/"
SYNC = (
    "<D:sync-collection><D:sync-token/><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>"
)
QUERY = '<C:calendar-query><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>'
BUSY = '<C:free-busy-query><C:time-range start="20260301T000000Z" end="20260401T000000Z"/></C:free-busy-query>'
ASKED_BUSY = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//t//EN
METHOD:REQUEST
BEGIN:VFREEBUSY
UID:f
DTSTAMP:20260101T000000Z
DTSTART:20260309T000000Z
DTEND:20260312T000000Z
ORGANIZER:mailto:carol@example.org
ATTENDEE:mailto:bob@example.org
END:VFREEBUSY
END:VCALENDAR
""".replace("\n", "\r\n")


@pytest.fixture
def clients(base, person, alice):
    opened = {}
    for name, auth in {"alice": alice, **{other: person(other) for other in ("bob", "carol")}}.items():
        opened[name] = Dav(base_url=base, auth=auth)
    yield opened
    for each in opened.values():
        each.close()


@pytest.fixture
def al(clients, event):
    """Alice, who has a calendar for the family with an event."""
    dav = clients["alice"]
    named = "<C:mkcalendar><D:set><D:prop><D:displayname>Family</D:displayname></D:prop></D:set></C:mkcalendar>"
    assert dav.xml("MKCALENDAR", FAMILY, named).status_code == 201
    assert dav.put(f"{FAMILY}a.ics", event("a")).status_code == 201
    return dav


@pytest.fixture
def bob(clients):
    return clients["bob"]


def setting(who, access="read", more=""):
    return f"<CS:set><D:href>{who}</D:href>{more}<CS:{access}/></CS:set>"


def removing(who):
    return f"<CS:remove><D:href>{who}</D:href></CS:remove>"


BOB = "mailto:bob@example.org"


def share(dav, *changes, path=FAMILY):
    return dav.xml("POST", path, f"<CS:share>{''.join(changes)}</CS:share>")


def invite(dav, *changes):
    assert share(dav, *(changes or [setting(BOB)])).status_code == 200


def reply(dav, uid, answer="accepted", hosturl=FAMILY, more="", path="/bob/"):
    body = (
        f"<CS:invite-reply><D:href>{BOB}</D:href><CS:invite-{answer}/><CS:hosturl><D:href>{hosturl}</D:href></CS:hosturl>"
        f"<CS:in-reply-to>{uid}</CS:in-reply-to>{more}</CS:invite-reply>"
    )
    return dav.xml("POST", path, body)


def listed(dav, home):
    """The paths of somebody's notifications, and of which type each is."""
    path = f"{home}.notifications/"
    answer = dav.props(path, "D:getetag", "CS:notificationtype", "D:resourcetype", depth="1")
    return {href: local(answer.prop(href, "CS:notificationtype")[0]) for href in answer.hrefs if href != path}


def local(element):
    return element.tag.rpartition("}")[2]


def read(dav, href):
    """The element that a notification's document is about."""
    got = dav.get(href)
    assert got.headers["Content-Type"].startswith("text/xml")
    root = ET.fromstring(got.content)
    assert (root.tag, root[0].tag) == (f"{{{NAMES['CS']}}}notification", f"{{{NAMES['CS']}}}dtstamp")
    return root[1]


def news(dav, home):
    """What somebody is told, in short: the kind, and which status."""
    found = [read(dav, href) for href in listed(dav, home)]
    return [(local(each), status(each)) for each in found]


def status(element):
    states = ("noresponse", "accepted", "declined", "deleted", "invalid")
    (found,) = [state for state in states if element.find(f"CS:invite-{state}", NAMES) is not None]
    return found


def asked(dav, home="/bob/"):
    """The uid of the only invitation."""
    (href,) = [href for href, kind in listed(dav, home).items() if kind == "invite-notification"]
    return read(dav, href).findtext("CS:uid", namespaces=NAMES)


def accept(dav, home="/bob/", **kwargs):
    got = reply(dav, asked(dav, home), path=home, **kwargs)
    assert got.status_code == 200, got.text
    root = ET.fromstring(got.content)
    assert root.tag == f"{{{NAMES['CS']}}}shared-as"
    return root.findtext("D:href", namespaces=NAMES)


def users(dav, href=FAMILY):
    """By href, what CS:invite says of each; None: there is no such property."""
    element = dav.props(href, "CS:invite").prop(href, "CS:invite")
    if element is None:
        return None
    return {
        user.findtext("D:href", namespaces=NAMES): (status(user), local(user.find("CS:access", NAMES)[0]))
        for user in element.findall("CS:user", NAMES)
    }


def types(dav, href=FAMILY):
    return {local(each) for each in dav.props(href, "D:resourcetype").prop(href, "D:resourcetype")}


def home_of(dav, home):
    answer = dav.props(home, "D:resourcetype", "CS:getctag", "D:sync-token", depth="1")
    return set(answer.hrefs), answer.text(home, "CS:getctag"), answer.text(home, "D:sync-token")


def precondition(got):
    """Its status, the element that says what does not hold, and the words for people."""
    root = ET.fromstring(got.content)
    words = root.findtext("D:responsedescription", namespaces=NAMES) or ""
    return got.status_code, local(root[0]), words


def test_the_ladder_as_macos_walks_it(clients, al, bob, event):
    # Alice's Mac looks whether it may share, and finds whom
    for path in ("/alice/", FAMILY):
        tokens = al.request("OPTIONS", path).headers["DAV"].split(", ")
        assert "calendarserver-sharing" in tokens
    offered = al.props("/alice/", "CS:allowed-sharing-modes", "CS:invite", "D:resourcetype", depth="1")
    assert [local(each) for each in offered.prop(FAMILY, "CS:allowed-sharing-modes")] == ["can-be-shared"]
    assert offered.prop(FAMILY, "CS:invite") is None
    found = al.report(
        "/",
        '<CS:calendarserver-principal-search context="attendee"><CS:search-token>bob</CS:search-token>'
        "<D:prop><CS:email-address-set/><D:principal-URL/></D:prop></CS:calendarserver-principal-search>",
    )
    assert found.hrefs == ["/bob/"]
    # shares, and sees that there is no answer yet
    named = "<CS:common-name>Bob</CS:common-name><CS:summary>Our family</CS:summary>"
    got = share(al, setting(BOB, "read-write", named))
    assert (got.status_code, got.headers["Cache-Control"]) == (200, "no-cache")
    assert users(al) == {"/bob/": ("noresponse", "read-write")}
    assert types(al) == {"collection", "calendar", "shared-owner"}
    # Bob's Mac looks where it is told something, and reads it
    principal = bob.props("/bob/", "CS:notification-URL")
    url = principal.prop("/bob/", "CS:notification-URL").findtext("D:href", namespaces=NAMES)
    assert url == "/bob/.notifications/"
    assert types(bob, url) == {"collection", "notification"}
    (href,) = listed(bob, "/bob/")
    answer = bob.props(href, "CS:notificationtype", "D:getetag", "D:getcontenttype", "D:getcontentlength")
    kind = answer.prop(href, "CS:notificationtype")[0]
    assert (local(kind), kind.attrib, len(kind)) == ("invite-notification", {"shared-type": "calendar"}, 0)
    document = bob.get(href)
    assert document.headers["ETag"] == answer.text(href, "D:getetag")
    assert len(document.content) == int(answer.text(href, "D:getcontentlength"))
    invitation = read(bob, href)
    assert [local(each) for each in invitation] == [
        "uid", "href", "invite-noresponse", "access", "hosturl", "organizer", "summary", "supported-calendar-component-set",
    ]  # fmt: skip
    assert local(invitation.find("CS:access", NAMES)[0]) == "read-write"
    assert invitation.findtext("CS:hosturl/D:href", namespaces=NAMES) == FAMILY
    assert invitation.findtext("CS:organizer/D:href", namespaces=NAMES) == "/alice/"
    assert invitation.findtext("CS:organizer/CS:common-name", namespaces=NAMES) == "alice"
    assert invitation.findtext("CS:summary", namespaces=NAMES) == "Our family"
    # says yes, dismisses it, and has the calendar among his own
    before = home_of(bob, "/bob/")
    got = reply(bob, invitation.findtext("CS:uid", namespaces=NAMES), more="<CS:summary>The family</CS:summary>")
    assert got.status_code == 200
    there = ET.fromstring(got.content).findtext("D:href", namespaces=NAMES)
    assert there == "/bob/family/"
    assert bob.delete(href).status_code == 204
    assert listed(bob, "/bob/") == {}
    after = home_of(bob, "/bob/")
    assert after[0] - before[0] == {there}
    assert (after[1] != before[1], after[2] != before[2]) == (True, True)
    seen = bob.props(there, "D:displayname", "CS:shared-url", "D:owner", "C:schedule-calendar-transp", "CS:invite")
    assert types(bob, there) == {"collection", "calendar", "shared"}
    assert seen.text(there, "D:displayname") == "The family"
    assert seen.prop(there, "CS:shared-url").findtext("D:href", namespaces=NAMES) == FAMILY
    assert seen.prop(there, "D:owner")[0].text == "/alice/"
    assert local(seen.prop(there, "C:schedule-calendar-transp")[0]) == "transparent"
    assert bob.report(there, SYNC).hrefs == [f"{there}a.ics"]
    assert bob.put(f"{there}b.ics", event("b")).status_code == 201
    # Alice's Mac is told, and asks who has it
    assert news(al, "/alice/") == [("invite-reply", "accepted")]
    (href,) = listed(al, "/alice/")
    answered = read(al, href)
    assert answered.findtext("D:href", namespaces=NAMES) == BOB
    assert answered.findtext("CS:in-reply-to", namespaces=NAMES) == invitation.findtext("CS:uid", namespaces=NAMES)
    assert answered.findtext("CS:hosturl/D:href", namespaces=NAMES) == FAMILY
    assert answered.findtext("CS:summary", namespaces=NAMES) == "The family"
    assert al.delete(href).status_code == 204
    assert users(al) == {"/bob/": ("accepted", "read-write")}
    assert al.get(f"{FAMILY}b.ics").status_code == 200
    # she lets him only read
    invite(al, setting("/bob/", "read"))
    assert news(bob, "/bob/") == [("invite-notification", "accepted")]
    held = bob.props(there, "D:current-user-privilege-set").prop(there, "D:current-user-privilege-set")
    assert {local(each[0]) for each in held}.isdisjoint({"write", "write-content", "bind", "unbind"})
    assert bob.put(f"{there}c.ics", event("c")).status_code == 403
    assert bob.get(f"{there}b.ics").status_code == 200
    # and takes it away
    invite(al, removing("/bob/"))
    assert news(bob, "/bob/") == [("invite-notification", "deleted")]
    assert there not in home_of(bob, "/bob/")[0]
    assert bob.get(f"{there}b.ics").status_code == 404
    assert users(al) is None
    assert types(al) == {"collection", "calendar"}
    assert al.get(f"{FAMILY}a.ics").status_code == al.get(f"{FAMILY}b.ics").status_code == 200


@pytest.mark.parametrize("answer", [None, "declined"])
def test_what_is_not_accepted_is_nowhere_to_be_seen(clients, al, bob, event, answer, database):
    state = home_of(bob, "/bob/")
    added = al.post(f"{FAMILY}a.ics?action=attachment-add", content=b"x", headers={"Content-Type": "text/plain"})
    attachment = f"/alice/.attachments/{added.headers['Cal-Managed-ID']}"
    invite(al, setting(BOB, "read-write"))
    if answer is not None:
        assert reply(bob, asked(bob), answer).status_code == 204
    al.put(f"{FAMILY}b.ics", event("b"))
    assert home_of(bob, "/bob/") == state
    for slug in ("family", "family-alice", "None", "null", ""):
        path = f"/bob/{slug}/" if slug else "/bob/"
        for got in (
            bob.get(f"{path}a.ics"),
            bob.xml("PROPFIND", f"{path}a.ics", Depth="0"),
            bob.delete(f"{path}a.ics"),
        ):
            assert got.status_code in (403, 404, 405)
            assert b"SUMMARY" not in got.content
        if slug:
            assert bob.get(path).status_code == 404
            assert bob.xml("PROPFIND", path, Depth="1").status_code == 404
            assert bob.xml("REPORT", path, SYNC).status_code == 404
            assert bob.xml("REPORT", path, QUERY, Depth="1").status_code == 404
            assert bob.xml("REPORT", path, BUSY).status_code == 404
            assert bob.put(f"{path}c.ics", event("c")).status_code == 409
            assert bob.delete(path).status_code == 404
    for path in (FAMILY, f"{FAMILY}a.ics"):
        for method in ("GET", "PROPFIND", "DELETE"):
            assert bob.request(method, path).status_code == 403
    deep = SYNC.replace(">1<", ">infinite<")
    assert all("family" not in href for href in bob.report("/bob/", deep).hrefs)
    assert bob.report("/bob/", QUERY, Depth="1").hrefs == []
    assert b"FREEBUSY:" not in bob.xml("REPORT", "/bob/", BUSY).content
    busy = clients["carol"].post("/carol/.outbox/", content=ASKED_BUSY, headers={"Content-Type": "text/calendar"})
    assert (busy.status_code, b"FREEBUSY:" in busy.content, b"FREEBUSY;" in busy.content) == (200, False, False)
    assert bob.get(attachment).status_code == 404
    granted = al.props(FAMILY, "D:acl").prop(FAMILY, "D:acl")
    assert [each.text for each in granted.iter(f"{{{NAMES['D']}}}href")] == ["/alice/"]
    assert bob.xml("MKCALENDAR", "/bob/family/").status_code == 201  # and it takes no name
    assert bob.report("/bob/family/", SYNC).hrefs == []


def test_a_calendar_of_that_name_is_in_nobodys_way(al, bob):
    invite(al)
    bob.xml("MKCALENDAR", "/bob/family/")
    assert accept(bob) == "/bob/family-alice/"


def test_a_no_is_seen_and_can_become_a_yes(al, bob):
    invite(al)
    uid = asked(bob)
    assert reply(bob, uid, "declined").status_code == 204
    assert reply(bob, uid, "declined").status_code == 204
    assert users(al) == {"/bob/": ("declined", "read")}
    assert news(al, "/alice/") == [("invite-reply", "declined")]
    assert reply(bob, uid).status_code == 200
    assert reply(bob, uid).status_code == 200
    assert users(al) == {"/bob/": ("accepted", "read")}
    assert news(al, "/alice/") == [("invite-reply", "accepted")]
    assert reply(bob, uid, "declined").status_code == 204
    assert "/bob/family/" not in home_of(bob, "/bob/")[0]


@pytest.mark.parametrize("by", ["invitation", "command"])
def test_deleting_a_shared_calendar_is_a_no_and_deletes_nothing(al, bob, database, clock, by):
    if by == "invitation":
        invite(al, setting(BOB, "read-write"))
        there = accept(bob)
    else:
        there = f"/bob/{sharing.add(database, 'alice/family', 'bob', 'write', now=clock()).share.slug}/"
    before = home_of(bob, "/bob/")
    assert bob.delete(there).status_code == 204
    after = home_of(bob, "/bob/")
    assert (before[0] - after[0], before[1] != after[1]) == ({there}, True)
    assert al.get(f"{FAMILY}a.ics").status_code == 200
    assert users(al) == {"/bob/": ("declined", "read-write")}
    assert news(al, "/alice/") == [("invite-reply", "declined")]
    assert bob.get(f"{there}a.ics").status_code == 404
    invite(al, setting(BOB))  # once more
    assert users(al) == {"/bob/": ("noresponse", "read")}
    assert accept(bob) == there


def test_sync_tells_of_a_calendar_that_comes_changes_and_goes(al, bob):
    def told(token):
        answer = bob.report("/bob/", SYNC.replace("<D:sync-token/>", f"<D:sync-token>{token}</D:sync-token>"))
        return {href: answer.status(href) for href in answer.hrefs}

    token = home_of(bob, "/bob/")[2]
    invite(al, setting(BOB, "read-write"))
    assert told(token) == {}
    there = accept(bob)
    assert told(token) == {there: None}
    token = home_of(bob, "/bob/")[2]
    invite(al, setting(BOB, "read"))  # what he may is read with the calendar
    assert told(token) == {there: None}
    token = home_of(bob, "/bob/")[2]
    invite(al, removing(BOB))
    assert told(token) == {there: "HTTP/1.1 404 Not Found"}


def test_an_invitation_that_is_taken_back_is_gone_and_cannot_be_answered(al, bob):
    invite(al)
    uid = asked(bob)
    (href,) = listed(bob, "/bob/")
    invite(al, removing(BOB))
    assert listed(bob, "/bob/") == {}
    assert bob.get(href).status_code == bob.delete(href).status_code == 404
    assert precondition(reply(bob, uid)) == (403, "valid-request", "there is no such invitation any more.")
    assert users(al) is None


def test_the_owner_deletes_it_for_all_and_who_had_it_is_told(clients, al, bob):
    invite(al, setting(BOB), setting("mailto:carol@example.org"))
    there = accept(bob)
    assert al.delete(FAMILY).status_code == 204
    assert there not in home_of(bob, "/bob/")[0]
    assert news(bob, "/bob/") == [("invite-notification", "deleted")]
    assert news(clients["carol"], "/carol/") == []


def test_several_people_in_one_request(clients, al, bob, base):
    invite(al, setting(BOB), setting(f"{base}/carol/", "read-write"), setting("BOB@example.org", "read-write"))
    assert users(al) == {"/bob/": ("noresponse", "read-write"), "/carol/": ("noresponse", "read-write")}
    there = accept(clients["carol"], "/carol/")
    assert users(clients["carol"], there) == {
        "/carol/": ("accepted", "read-write")
    }  # who was asked is the owner's business
    accept(bob)
    invite(al, removing(BOB), setting("/bob/"), removing("/carol/"))
    assert users(al) == {"/bob/": ("accepted", "read")}
    assert news(clients["carol"], "/carol/") == [("invite-notification", "deleted")]


def test_who_is_nobody_here_is_marked_and_taken_away_again(al):
    strangers = ["mailto:guest@example.com", "/nobody/", "urn:uuid:1", "mailto:a&lt;b@example.com"]
    named = "<CS:common-name>A &lt;guest&gt;</CS:common-name>"
    invite(al, *(setting(each, more=named) for each in strangers), setting("mailto:GUEST@example.com", "read-write"))
    expected = {each.replace("&lt;", "<"): ("invalid", "read") for each in strangers}
    assert users(al) == {**expected, "mailto:guest@example.com": ("invalid", "read-write")}
    assert types(al) >= {"shared-owner"}
    invite(al, *map(removing, strangers))
    assert users(al) is None
    assert types(al) == {"collection", "calendar"}


def test_where_people_do_not_see_each_other_nobody_is_found(al, bob, alice, serve, database, clock):
    with Dav(base_url=serve(app.build(database, now=clock, directory=False)), auth=alice) as dav:
        for path in ("/alice/", FAMILY):
            assert "calendarserver-sharing" not in dav.request("OPTIONS", path).headers["DAV"]
            answer = dav.props(path, "CS:allowed-sharing-modes")
            assert answer.prop(path, "CS:allowed-sharing-modes") is None
        invite(dav)
        assert users(dav) == {BOB: ("invalid", "read")}
        assert listed(bob, "/bob/") == {}
        sharing.add(database, "alice/family", "bob", "read", now=clock())
        invite(dav, setting(BOB, "read-write"))  # him she knows
        assert users(dav) == {"/bob/": ("accepted", "read-write")}


def test_only_the_owner_shares(clients, al, bob, database, clock, anonymous):
    invite(al, setting(BOB, "read-write"))
    there = accept(bob)
    carols = setting("mailto:carol@example.org")

    def needed(got):
        assert got.status_code == 403
        return local(ET.fromstring(got.content).find("D:need-privileges/D:resource/D:privilege", NAMES)[0])

    assert needed(share(bob, carols, path=there)) == "share"
    assert needed(share(bob, carols)) == "read"
    assert needed(share(clients["carol"], carols)) == "read"
    delegating.add(database, "alice", "carol", "write", now=clock())
    assert needed(share(clients["carol"], carols)) == "share"
    assert needed(reply(clients["carol"], "share-1", path="/alice/")) == "bind"
    assert clients["carol"].request("PROPFIND", "/alice/.notifications/").status_code == 403
    assert share(anonymous, carols).status_code == reply(anonymous, "share-1").status_code == 401
    assert users(al) == {"/bob/": ("accepted", "read-write")}
    for dav, href, holds in ((al, FAMILY, True), (bob, there, False), (clients["carol"], FAMILY, False)):
        answer = dav.props(href, "D:current-user-privilege-set", "CS:allowed-sharing-modes")
        held = {local(each[0]) for each in answer.prop(href, "D:current-user-privilege-set")}
        assert ("share" in held, answer.prop(href, "CS:allowed-sharing-modes") is not None) == (holds, holds)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<CS:share/>", "A share holds set or remove."),
        ("<CS:share><CS:set><CS:read/></CS:set></CS:share>", "Each set and remove names somebody by a href."),
        (
            "<CS:share><CS:remove><D:href> </D:href></CS:remove></CS:share>",
            "Each set and remove names somebody by a href.",
        ),
        (f"<CS:share>{setting('x' * 321)}</CS:share>", "Each set and remove names somebody by a href."),
        (f"<CS:share><CS:set><D:href>{BOB}</D:href></CS:set></CS:share>", "Each set says either read or read-write."),
        (f"<CS:share>{setting(BOB, more='<CS:read-write/>')}</CS:share>", "Each set says either read or read-write."),
        (
            f"<CS:share>{setting(BOB, more='<CS:summary>' + 'x' * 256 + '</CS:summary>')}</CS:share>",
            "A summary has at most 255 characters.",
        ),
        (f"<CS:share>{setting(BOB)}{setting('/alice/')}</CS:share>", "alice/family is alice's already."),
        (f"<CS:share>{setting(BOB) * 101}</CS:share>", "At most 100 people are named at once."),
        (
            "<CS:share>" + "".join(setting(f"mailto:{number}@example.com") for number in range(100)) + "</CS:share>",
            "a calendar is shared with at most 100 people.",
        ),
    ],
)
def test_what_cannot_be_shared_is_said_in_plain_words_and_nothing_is_done(al, bob, body, words):
    invite(al, setting("mailto:carol@example.org"))
    before = al.props(FAMILY, "CS:getctag").text(FAMILY, "CS:getctag")
    assert precondition(al.xml("POST", FAMILY, body)) == (403, "valid-request", words)
    assert users(al) == {"/carol/": ("noresponse", "read")}
    assert al.props(FAMILY, "CS:getctag").text(FAMILY, "CS:getctag") == before
    assert listed(bob, "/bob/") == {}


def test_what_is_no_answer_is_refused(clients, al, bob):
    invite(al)
    uid = asked(bob)
    al.xml("MKCALENDAR", "/alice/other/")
    for got in (
        reply(bob, "share-999"),
        reply(bob, "1"),
        reply(bob, "share-99999999999999999999"),
        reply(bob, uid, hosturl="/alice/other/"),
        reply(bob, uid, hosturl="/bob/calendar/"),
        reply(bob, uid, hosturl=""),
        reply(bob, uid, "accepted/><CS:invite-declined"),
        reply(bob, uid, "noresponse"),
        reply(bob, uid, more=f"<CS:summary>{'x' * 256}</CS:summary>"),
        reply(bob, uid, path="/bob/calendar/"),
        reply(clients["carol"], uid, path="/carol/"),
        reply(al, uid, path="/alice/"),
    ):
        code, element, words = precondition(got)
        assert (code, element) == (403, "valid-request")
        assert words
    assert reply(bob, uid, path="/alice/").status_code == 403  # somebody else's home
    assert users(al) == {"/bob/": ("noresponse", "read")}


def test_what_is_no_calendar_is_not_shared(al):
    for path in (
        "/alice/",
        "/",
        f"{FAMILY}a.ics",
        "/alice/.inbox/",
        "/alice/.notifications/",
        "/alice/.notifications/1.xml",
    ):
        assert precondition(share(al, setting(BOB), path=path)) == (
            403,
            "valid-request",
            "Only a calendar can be shared.",
        )
    assert share(al, setting(BOB), path="/alice/nothing/").status_code == 404


def test_a_document_that_is_no_xml_too_long_or_hides_something_is_refused(al, alice, bob, serve, database, clock):
    entity = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><CS:share xmlns:CS="http://calendarserver.org/ns/">&e;</CS:share>'
    for path, content in ((FAMILY, b"<share"), (FAMILY, entity.encode()), ("/bob/", b"\xff<")):
        dav = bob if path == "/bob/" else al
        assert dav.post(path, content=content, headers={"Content-Type": "application/xml"}).status_code == 400
    with Dav(base_url=serve(app.build(database, now=clock)), auth=alice) as dav:  # which takes larger objects
        got = share(dav, setting(BOB), f"<!--{'x' * 100_000}-->")
        assert (got.status_code, "100000 bytes" in got.text) == (413, True)
        parts = (part for part in (b"<a>", b"x" * 100_000, b"</a>"))  # in chunks, of a length that is not told
        assert dav.post(FAMILY, content=parts, headers={"Content-Type": "text/xml"}).status_code == 413
    assert al.xml("POST", FAMILY, "<CS:unshare/>").status_code == 405
    assert users(al) is None


def test_a_file_of_xml_is_still_a_file(al):
    for content in (b"<a", b"<share xmlns='http://calendarserver.org/ns/'/>"):
        got = al.post(f"{FAMILY}a.ics?action=attachment-add", content=content, headers={"Content-Type": "text/xml"})
        assert got.status_code == 201


def test_notifications_are_read_and_dismissed_by_their_owner_and_made_by_nobody(clients, al, bob, event):
    empty = bob.props("/bob/.notifications/", "CS:getctag", depth="1")
    assert empty.hrefs == ["/bob/.notifications/"]
    invite(al)
    (href,) = listed(bob, "/bob/")
    answer = bob.props("/bob/.notifications/", "CS:getctag", "D:displayname")
    assert answer.text("/bob/.notifications/", "CS:getctag") != empty.text("/bob/.notifications/", "CS:getctag")
    etag = bob.get(href).headers["ETag"]
    assert bob.get(href, headers={"If-None-Match": etag}).status_code == 304
    assert bob.head(href).headers["ETag"] == etag
    assert bob.delete(href, headers={"If-Match": '"other"'}).status_code == 412
    for path in ("/bob/.notifications/new.xml", href, "/bob/.notifications/"):
        assert bob.put(path, b"<a/>", Content_Type="text/xml").status_code in (403, 409)
    named = "<D:propertyupdate><D:set><D:prop><D:displayname>X</D:displayname></D:prop></D:set></D:propertyupdate>"
    for path in ("/bob/.notifications/", href):
        assert "403" in bob.xml("PROPPATCH", path, named).text
        for method in ("MKCOL", "MKCALENDAR", "MOVE", "COPY", "LOCK"):
            assert bob.request(method, path, headers={"Destination": "/bob/calendar/x.ics"}).status_code in (403, 405)
        assert bob.xml("REPORT", path, SYNC).status_code == 403
        for other in (al, clients["carol"]):
            for method in ("PROPFIND", "GET", "DELETE"):
                assert other.request(method, path).status_code == 403
    assert bob.delete("/bob/.notifications/").status_code == 403
    own = href.replace("bob", "alice")
    assert al.get(own).status_code == al.delete(own).status_code == 404
    for name in ("0.xml", "x.xml", "1", "01.xml", "99999999999999999999.xml", "%D9%A1.xml"):
        assert bob.get(f"/bob/.notifications/{name}").status_code == 404
    assert bob.get("/bob/.notifications/").status_code == 404
    assert bob.get(href).headers["ETag"] == etag
    assert bob.delete(href).status_code == 204
    assert bob.delete(href).status_code == 404
    assert users(al) == {"/bob/": ("noresponse", "read")}  # to dismiss it is no answer


def test_they_are_told_to_who_asks_and_nobody_sets_them(al, bob):
    names = {"allowed-sharing-modes", "invite", "shared-url", "notification-URL"}
    everything = "<D:propfind><D:allprop/></D:propfind>"
    for path in ("/alice/", FAMILY):
        assert names.isdisjoint({local(each) for each in al.multi("PROPFIND", path, everything, Depth="0").props(path)})
    for name in sorted(names):
        body = f"<D:propertyupdate><D:set><D:prop><CS:{name}>x</CS:{name}></D:prop></D:set></D:propertyupdate>"
        assert "cannot-modify-protected-property" in al.xml("PROPPATCH", FAMILY, body).text
    stranger = bob.props("/alice/", "CS:notification-URL")
    assert stranger.prop("/alice/", "CS:notification-URL") is None


def test_behind_a_proxy_all_paths_are_those_outside(al, alice, bob, serve, database, clock):
    address = serve(app.build(database, now=clock, trusted_proxies=["127.0.0.1"]))
    outside = {"X-Script-Name": "/dav"}
    with Dav(base_url=address, auth=alice, headers=outside) as dav:
        assert share(dav, setting("/dav/bob/")).status_code == 200
    with Dav(base_url=address, auth=bob.auth, headers=outside) as dav:
        (href,) = [
            each for each in dav.props("/bob/.notifications/", "D:getetag", depth="1").hrefs if each.endswith(".xml")
        ]
        assert href.startswith("/dav/bob/.notifications/")
        invitation = read(dav, href.removeprefix("/dav"))
        uid = invitation.findtext("CS:uid", namespaces=NAMES)
        hosturl = invitation.findtext("CS:hosturl/D:href", namespaces=NAMES)
        assert hosturl == "/dav/alice/family/"
        got = reply(dav, uid, hosturl=f"https://calendar.example/{hosturl.strip('/')}/")
        assert ET.fromstring(got.content).findtext("D:href", namespaces=NAMES) == "/dav/bob/family/"


def test_what_is_gone_in_the_same_moment_is_not_there(al, bob, monkeypatch):
    from bridge.errors import NotFound
    from bridge.services import inviting

    invite(al)
    there = accept(bob)

    def gone(*_args, **_kwargs):
        raise NotFound

    monkeypatch.setattr(inviting, "change", gone)
    monkeypatch.setattr(inviting, "decline", gone)
    assert share(al, removing(BOB)).status_code == 404
    assert bob.delete(there).status_code == 204


def test_a_bridged_calendar_is_shared_and_left_like_any_other(al, bob, bridged, event):
    bridged("family")
    invite(al, setting(BOB, "read-write"))
    there = accept(bob)
    assert bob.put(f"{there}b.ics", event("b")).status_code == 201
    assert bob.delete(there).status_code == 204
    assert al.get(f"{FAMILY}b.ics").status_code == 200


def test_who_leaves_the_server_is_gone_from_the_list(al, bob, database):
    from bridge.store import principals

    invite(al)
    with database.write() as conn:
        principals.delete(conn, principals.by_name(conn, "bob").id)
        assert shares.of_calendar(conn, 1) == []
    assert users(al) is None
