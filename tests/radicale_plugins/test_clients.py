"""What the common clients send from first contact to a change, request by request (CLIENTS §1.1, 1.3 to 1.6)."""

import xml.etree.ElementTree as ET

import pytest

HOME, CALENDAR, TASKS = "/alice/", "/alice/calendar/", "/alice/tasks/"
NEW = "/alice/6F1C4D2E-0000-4000-8000-000000000001/"


def hrefs(element):
    return [each.text for each in element if each.tag == "{DAV:}href"]


def token_in(answer):
    return answer.root.findtext("{DAV:}sync-token")


def sync(token, props="<D:getetag/>", level="<D:sync-level>1</D:sync-level>"):
    return f"<D:sync-collection><D:sync-token>{token}</D:sync-token>{level}<D:prop>{props}</D:prop></D:sync-collection>"


def multiget(paths, props="<D:getetag/><C:calendar-data/>"):
    asked = "".join(f"<D:href>{path}</D:href>" for path in paths)
    return f"<C:calendar-multiget><D:prop>{props}</D:prop>{asked}</C:calendar-multiget>"


# --- Apple ---------------------------------------------------------------------------------------------------------

BRIEF = {"Brief": "t", "Prefer": "return=minimal"}
APPLE_HOME = (
    "D:add-member", "CS:allowed-sharing-modes", "A:autoprovisioned", "D:bulk-requests", "A:calendar-color",
    "C:calendar-description", "C:calendar-free-busy-set", "A:calendar-order", "C:calendar-timezone",
    "D:current-user-privilege-set", "C:default-alarm-vevent-date", "C:default-alarm-vevent-datetime", "D:displayname",
    "CS:getctag", "CS:invite", "A:language-code", "A:location-code", "D:owner", "CS:pre-publish-url", "CS:publish-url",
    "CS:push-transports", "CS:pushkey", "D:quota-available-bytes", "D:quota-used-bytes", "A:refreshrate", "D:resource-id",
    "D:resourcetype", "C:schedule-calendar-transp", "C:schedule-default-calendar-URL", "CS:source",
    "CS:subscribed-strip-alarms", "CS:subscribed-strip-attachments", "CS:subscribed-strip-todos",
    "C:supported-calendar-component-set", "C:supported-calendar-component-sets", "D:supported-report-set", "D:sync-token",
)  # fmt: skip


def apple_setup(dav, anonymous):
    """The ladder of accountsd; gives the home's listing."""
    assert anonymous.request("PROPFIND", "/.well-known/caldav").status_code == 301
    assert anonymous.request("PROPFIND", "/").status_code == 401
    answer = dav.props("/", "D:current-user-principal", "D:principal-URL", "D:resourcetype", **BRIEF)
    (principal,) = hrefs(answer.prop("/", "D:current-user-principal"))
    tokens = dav.request("OPTIONS", principal).headers["DAV"]
    assert "calendar-access" in tokens
    assert "calendarserver-principal-property-search" in tokens
    answer = dav.props(
        principal, "C:calendar-home-set", "C:calendar-user-address-set", "D:current-user-principal", "D:displayname",
        "C:dropbox-home-URL", "CS:email-address-set", "CS:notification-URL", "D:principal-collection-set",
        "D:principal-URL", "D:resource-id", "D:supported-report-set", **BRIEF,
    )  # fmt: skip
    assert answer.props(principal, "404") == []
    assert hrefs(answer.prop(principal, "C:calendar-user-address-set"))[0].startswith("mailto:")
    (collection,) = hrefs(answer.prop(principal, "D:principal-collection-set"))
    assert dav.xml("REPORT", collection, "<D:principal-search-property-set/>", Depth="0").status_code == 200
    (home,) = hrefs(answer.prop(principal, "C:calendar-home-set"))
    return dav.props(home, *APPLE_HOME, depth="1", **BRIEF)


def test_macos_from_setup_to_the_first_event(dav, anonymous, event):
    listing = apple_setup(dav, anonymous)
    assert listing.hrefs == [HOME, CALENDAR, TASKS, "/alice/.inbox/", "/alice/.outbox/"]
    assert not [each for href in listing.hrefs for each in listing.props(href, "404")]
    alarms = "BEGIN:VALARM\nTRIGGER:-PT15M\nEND:VALARM"
    for path, content in (
        (HOME, f"<C:default-alarm-vevent-datetime>{alarms}</C:default-alarm-vevent-datetime>"),
        (
            CALENDAR,
            '<A:calendar-color symbolic-color="blue">#1BADF8FF</A:calendar-color><A:calendar-order>1</A:calendar-order>',
        ),
    ):
        body = f"<D:propertyupdate><D:set><D:prop>{content}</D:prop></D:set></D:propertyupdate>"
        reply = dav.xml("PROPPATCH", path, body, **BRIEF)
        assert (reply.status_code, reply.content) == (200, b"")
    home = dav.report(HOME, sync(dav.props(HOME, "D:sync-token").text(HOME, "D:sync-token")), Depth="0", **BRIEF)
    assert home.hrefs == []
    made = (
        '<C:mkcalendar><D:set><D:prop><C:supported-calendar-component-set><C:comp name="VEVENT"/>'
        "</C:supported-calendar-component-set><D:displayname>Work</D:displayname><A:calendar-order>2</A:calendar-order>"
        "<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>"
        '<A:calendar-color symbolic-color="red">#FF2968FF</A:calendar-color></D:prop></D:set></C:mkcalendar>'
    )
    assert dav.xml("MKCALENDAR", NEW, made).status_code == 201
    put = dav.put(NEW + "1.ics", event("1"), If_None_Match="*")
    assert (put.status_code, bool(put.headers["ETag"])) == (201, True)
    changed = dav.report(HOME, sync(token_in(home), "<D:getetag/><CS:getctag/><D:resourcetype/>"), Depth="0", **BRIEF)
    assert changed.hrefs == [NEW]
    inside = dav.report(NEW, sync("", level=""), Depth="1", **BRIEF)  # as older agents ask
    assert inside.text(NEW + "1.ics", "D:getetag") == put.headers["ETag"]


def test_ios_asks_for_all_that_is_to_come(dav, anonymous, event):
    apple_setup(dav, anonymous)
    dav.put(CALENDAR + "old.ics", event("old", "DTSTART:20250310T090000Z", "DTEND:20250310T100000Z"))
    dav.put(CALENDAR + "new.ics", event("new"))
    query = (
        "<C:calendar-query><D:prop><D:getetag/><D:getcontenttype/></D:prop><C:filter>"
        '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range start="20260209T000000Z"/>'
        "</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
    )
    found = dav.report(CALENDAR, query, Depth="1", **BRIEF)
    assert found.hrefs == [CALENDAR + "new.ics"]
    props = "<D:getetag/><C:schedule-tag/><C:calendar-data/>"
    data = dav.report(CALENDAR, multiget(found.hrefs, props), Depth="1", **BRIEF)
    assert "UID:new" in data.text(CALENDAR + "new.ics", "C:calendar-data")
    assert data.props(CALENDAR + "new.ics", "404") == []


def test_macos_looks_for_delegates_and_for_guests(dav, person):
    """Who it may invite; and that nobody has delegated anything (yet) does not stop it."""
    person("bob")
    asked = (
        '<D:expand-property><D:property name="calendar-proxy-write-for" namespace="http://calendarserver.org/ns/">'
        '<D:property name="displayname"/><D:property name="calendar-user-address-set" namespace="urn:ietf:params:xml:ns:caldav"/>'
        '</D:property><D:property name="calendar-proxy-read-for" namespace="http://calendarserver.org/ns/">'
        '<D:property name="displayname"/></D:property></D:expand-property>'
    )
    assert dav.report(HOME, asked, Depth="0", **BRIEF).hrefs == [HOME]
    search = (
        '<CS:calendarserver-principal-search context="attendee"><CS:search-token>bob</CS:search-token>'
        "<CS:limit><CS:nresults>50</CS:nresults></CS:limit><D:prop><C:calendar-user-address-set/><D:displayname/>"
        "<C:calendar-user-type/><D:principal-URL/></D:prop></CS:calendarserver-principal-search>"
    )
    found = dav.report("/", search, **BRIEF)
    assert hrefs(found.prop("/bob/", "C:calendar-user-address-set"))[0] == "mailto:bob@example.org"


# --- Thunderbird, Evolution, KDE, Outlook ----------------------------------------------------------------------------


def test_thunderbird(dav, event):
    """CLIENTS 1.3: every response needs a resourcetype; sync with Depth 1; what it put is fetched again."""
    names = ("D:resourcetype", "D:owner", "D:displayname", "D:current-user-principal", "D:current-user-privilege-set",
             "A:calendar-color", "C:calendar-home-set")  # fmt: skip
    for path, depth in (("/", "0"), (HOME, "0"), (HOME, "1"), (CALENDAR, "0")):
        answer = dav.props(path, *names, depth=depth)
        assert all(answer.prop(href, "D:resourcetype") is not None for href in answer.hrefs)
    assert "calendar-access" in dav.request("OPTIONS", HOME).headers["DAV"]  # of the calendar's parent
    first = dav.report(CALENDAR, sync("", "<D:getcontenttype/><D:getetag/>"), Depth="1")
    etag = dav.put(CALENDAR + "1.ics", event("1"), If_None_Match="*").headers["ETag"]
    again = dav.report(CALENDAR, multiget([CALENDAR + "1.ics"]), Depth="1")
    assert again.text(CALENDAR + "1.ics", "D:getetag") == etag
    second = dav.report(CALENDAR, sync(token_in(first), "<D:getcontenttype/><D:getetag/>"), Depth="1")
    assert second.hrefs == [CALENDAR + "1.ics"]
    assert second.text(CALENDAR + "1.ics", "D:getcontenttype").startswith("text/calendar")


def test_evolution(dav, event):
    """CLIENTS 1.4: a token with a colon, strong etags, free-busy of the home, the right to write."""
    assert "calendar-access" in dav.request("OPTIONS", CALENDAR).headers["DAV"]
    assert "MKCALENDAR" in dav.request("OPTIONS", HOME).headers["Allow"]
    held = dav.props(CALENDAR, "D:current-user-privilege-set").prop(CALENDAR, "D:current-user-privilege-set")
    assert {"{DAV:}write", "{DAV:}write-content"} & {each[0].tag for each in held}
    token = token_in(dav.report(CALENDAR, sync(""), Depth="0"))
    assert ":" in token
    etag = dav.put(CALENDAR + "1.ics", event("1"), If_None_Match="*", Prefer="return=minimal").headers["ETag"]
    assert etag.startswith('"')
    assert dav.report(CALENDAR, sync(token), Depth="0").hrefs == [CALENDAR + "1.ics"]
    within = '<C:time-range start="20260310T000000Z" end="20260311T000000Z"/>'
    busy = dav.xml("REPORT", HOME, f"<C:free-busy-query>{within}</C:free-busy-query>", Depth="infinity")
    assert "20260310T090000Z/20260310T100000Z" in busy.text
    search = (
        "<D:principal-property-search><D:property-search><D:prop><CS:email-address-set/></D:prop>"
        "<D:match>alice@example.org</D:match></D:property-search><D:prop><C:calendar-home-set/></D:prop>"
        "</D:principal-property-search>"
    )
    assert hrefs(dav.report("/", search).prop(HOME, "C:calendar-home-set")) == [HOME]
    stale = dav.xml("REPORT", CALENDAR, sync(token + "9"), Depth="0")
    assert (stale.status_code, ET.fromstring(stale.content)[0].tag) == (403, "{DAV:}valid-sync-token")


@pytest.mark.parametrize("component", ["VEVENT", "VTODO", "VJOURNAL"])
def test_kde(dav, event, component):
    """CLIENTS 1.5: the ctag, then everything of one kind; the first propstat alone is read; made by extended MKCOL."""
    kind = "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype>"
    only = f'<C:supported-calendar-component-set><C:comp name="{component}"/></C:supported-calendar-component-set>'
    body = f"<D:mkcol><D:set><D:prop>{kind}<D:displayname>K</D:displayname>{only}</D:prop></D:set></D:mkcol>"
    assert dav.xml("MKCOL", "/alice/k/", body).status_code == 201
    names = ("CS:getctag", "D:current-user-privilege-set", "CS:push-transports", "C:supported-calendar-component-set")
    listing = dav.props(HOME, *names, depth="1")
    first = listing.responses["/alice/k/"].find("D:propstat", dav.NAMES)
    assert first.findtext("D:status", namespaces=dav.NAMES) == "HTTP/1.1 200 OK"
    assert first.find("D:prop/CS:getctag", dav.NAMES) is not None
    assert dav.put("/alice/k/1.ics", event("1", "DTSTART:20260310T090000Z", component=component)).status_code == 201
    query = (
        '<C:calendar-query><D:prop><D:getetag/><D:resourcetype/></D:prop><C:filter><C:comp-filter name="VCALENDAR">'
        f'<C:comp-filter name="{component}"/></C:comp-filter></C:filter></C:calendar-query>'
    )
    assert dav.report("/alice/k/", query, Depth="1").hrefs == ["/alice/k/1.ics"]
    assert "UID:1" in dav.report("/alice/k/", multiget(["/alice/k/1.ics"]), Depth="1").text(
        "/alice/k/1.ics", "C:calendar-data"
    )


def test_outlook_caldav_synchronizer(dav, event):
    """CLIENTS 1.6: made in two steps; owner and address; rooms; a window of time; Location of what was put."""
    kind = "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype>"
    assert (
        dav.xml("MKCOL", "/alice/o/", f"<D:mkcol><D:set><D:prop>{kind}</D:prop></D:set></D:mkcol>").status_code == 201
    )
    name = "<D:propertyupdate><D:set><D:prop><D:displayname>Outlook</D:displayname></D:prop></D:set></D:propertyupdate>"
    assert dav.multi("PROPPATCH", "/alice/o/", name).props("/alice/o/")
    listing = dav.props(HOME, "D:displayname", "C:supported-calendar-component-set", "D:owner", depth="1")
    assert listing.text("/alice/o/", "D:displayname") == "Outlook"
    assert len(listing.prop("/alice/o/", "C:supported-calendar-component-set")) == 3
    (owner,) = hrefs(listing.prop("/alice/o/", "D:owner"))
    addresses = dav.props(owner, "C:calendar-user-address-set").prop(owner, "C:calendar-user-address-set")
    assert "mailto:alice@example.org" in hrefs(addresses)
    rooms = (
        "<D:principal-property-search><D:property-search><D:prop><C:calendar-user-type/></D:prop><D:match>ROOM</D:match>"
        "</D:property-search><D:prop><D:displayname/></D:prop></D:principal-property-search>"
    )
    assert dav.report("/", rooms).hrefs == []
    made = dav.put("/alice/o/1.ics", event("1"), If_None_Match="*")
    assert dav.get(made.headers["Location"]).headers["ETag"] == made.headers["ETag"]
    query = (
        '<C:calendar-query><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR">'
        '<C:comp-filter name="VEVENT"><C:time-range start="20260101T000000Z" end="20270301T000000Z"/></C:comp-filter>'
        "</C:comp-filter></C:filter></C:calendar-query>"
    )
    assert dav.report("/alice/o/", query, Depth="1").hrefs == ["/alice/o/1.ics"]
    assert dav.request("DELETE", "/alice/o/1.ics", headers={"If-Match": made.headers["ETag"]}).status_code == 204
