"""Collections: made as clients make them, described without loss, and not destroyed by one request."""

import xml.etree.ElementTree as ET

import pytest

HOME, CALENDAR = "/alice/", "/alice/calendar/"
C = "{urn:ietf:params:xml:ns:caldav}"


def precondition(reply):
    root = ET.fromstring(reply.content)
    assert root.tag == "{DAV:}error"
    return root[0]


def patch(*instructions):
    return f"<D:propertyupdate>{''.join(instructions)}</D:propertyupdate>"


def setting(content):
    return f"<D:set><D:prop>{content}</D:prop></D:set>"


def removing(content):
    return f"<D:remove><D:prop>{content}</D:prop></D:remove>"


APPLE = setting(
    '<A:calendar-order>3</A:calendar-order><A:calendar-color symbolic-color="red">#FF0000FF</A:calendar-color>'
    '<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>'
    "<D:displayname>Work &amp; play</D:displayname><C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>"
)


def test_mkcalendar_as_apple_sends_it(dav):
    """CLIENTS 1.1: one component, a colour with an attribute, a structured value."""
    path = "/alice/8C0A-UUID/"
    assert dav.xml("MKCALENDAR", path, f"<C:mkcalendar>{APPLE}</C:mkcalendar>").status_code == 201
    names = ("D:displayname", "A:calendar-color", "A:calendar-order", "C:schedule-calendar-transp", "D:resourcetype")
    answer = dav.props(path, *names, "C:supported-calendar-component-set")
    assert answer.text(path, "D:displayname") == "Work & play"
    assert answer.text(path, "A:calendar-color") == "#FF0000FF"
    assert answer.text(path, "A:calendar-order") == "3"
    assert [each.tag for each in answer.prop(path, "C:schedule-calendar-transp")] == [C + "transparent"]
    assert answer.prop(path, "A:calendar-color").get("symbolic-color") == "red"
    assert [each.get("name") for each in answer.prop(path, "C:supported-calendar-component-set")] == ["VEVENT"]
    assert C + "calendar" in [each.tag for each in answer.prop(path, "D:resourcetype")]


def test_extended_mkcol_without_a_trailing_slash_as_vdirsyncer_sends_it(dav, event):
    body = f"<D:mkcol>{setting('<D:resourcetype><D:collection/><C:calendar/></D:resourcetype>')}</D:mkcol>"
    assert dav.xml("MKCOL", "/alice/vdir", body).status_code == 201
    assert dav.xml("MKCOL", "/alice/vdir", body).status_code == 405
    for component in ("VEVENT", "VTODO", "VJOURNAL"):  # no set was given: it takes all (RFC 4791 §5.2.3)
        assert (
            dav.put(f"/alice/vdir/{component}.ics", event(component, "SUMMARY:x", component=component)).status_code
            == 201
        )


def test_a_subscription_is_kept_as_one(dav):
    kind = "<D:resourcetype><D:collection/><CS:subscribed/></D:resourcetype>"
    source = "<CS:source><D:href>https://example.org/feed.ics</D:href></CS:source>"
    assert dav.xml("MKCOL", "/alice/feed/", f"<D:mkcol>{setting(kind + source)}</D:mkcol>").status_code == 201
    answer = dav.props("/alice/feed/", "D:resourcetype", "CS:source")
    assert "{http://calendarserver.org/ns/}subscribed" in [
        each.tag for each in answer.prop("/alice/feed/", "D:resourcetype")
    ]
    assert answer.prop("/alice/feed/", "CS:source")[0].text == "https://example.org/feed.ics"


def test_what_is_not_made(dav):
    def name(method, path, body=""):
        reply = dav.xml(method, path, body)
        assert reply.status_code == 403, (path, reply.text)
        return precondition(reply).tag.partition("}")[2]

    book = setting(
        '<D:resourcetype><D:collection/><R:addressbook xmlns:R="urn:ietf:params:xml:ns:carddav"/></D:resourcetype>'
    )
    assert name("MKCOL", "/alice/book/", f"<D:mkcol>{book}</D:mkcol>") == "valid-resourcetype"
    assert (
        name(
            "MKCOL",
            "/alice/plain/",
            f"<D:mkcol>{setting('<D:resourcetype><D:collection/></D:resourcetype>')}</D:mkcol>",
        )
        == "valid-resourcetype"
    )
    assert name("MKCALENDAR", "/alice/calendar/inner/") == "calendar-collection-location-ok"
    assert name("MKCALENDAR", HOME) == "calendar-collection-location-ok"
    assert name("MKCALENDAR", CALENDAR) == "resource-must-be-null"
    poll = setting('<C:supported-calendar-component-set><C:comp name="VPOLL"/></C:supported-calendar-component-set>')
    assert name("MKCALENDAR", "/alice/x/", f"<C:mkcalendar>{poll}</C:mkcalendar>") == "supported-calendar-component"
    token = setting("<D:sync-token>x</D:sync-token>")
    assert (
        name("MKCALENDAR", "/alice/x/", f"<C:mkcalendar>{token}</C:mkcalendar>") == "cannot-modify-protected-property"
    )
    assert dav.props(HOME, "D:displayname", depth="1").hrefs == [
        HOME,
        CALENDAR,
        "/alice/tasks/",
        "/alice/.inbox/",
        "/alice/.outbox/",
    ]


def test_d05_a_put_to_a_collection_is_refused(dav, event, bridged):
    """D-05: it would replace everything that is in it."""
    dav.put(CALENDAR + "a.ics", event("a"))
    for path in (CALENDAR, "/alice/calendar", "/alice/new/", HOME):
        reply = dav.put(path, event("b"))
        assert reply.status_code == 403, path
        assert precondition(reply).tag == "{DAV:}need-privileges"
    bridged("calendar")
    assert dav.put(CALENDAR, event("b")).status_code == 403
    assert dav.get(CALENDAR + "a.ics").content == event("a")


def test_a_put_into_a_calendar_that_is_not_there(dav, event):
    assert dav.put("/alice/nowhere/a.ics", event("a")).status_code == 409


def test_a_bridged_calendar_is_not_deleted_by_a_phone(dav, event, bridged):
    dav.put(CALENDAR + "a.ics", event("a"))
    bridged("calendar")
    reply = dav.request("DELETE", CALENDAR)
    assert reply.status_code == 403
    needed = precondition(reply)
    assert needed.tag == "{DAV:}need-privileges"
    assert needed.find("D:resource/D:href", dav.NAMES).text == HOME
    assert needed.find("D:resource/D:privilege/D:unbind", dav.NAMES) is not None
    assert dav.get(CALENDAR + "a.ics").content == event("a")
    assert dav.request("DELETE", CALENDAR + "a.ics").status_code == 204


def test_a_calendar_of_ones_own_may_be_deleted_the_home_may_not(dav):
    assert dav.request("DELETE", CALENDAR).status_code == 204
    assert dav.request("PROPFIND", CALENDAR).status_code == 404
    assert dav.request("DELETE", CALENDAR).status_code == 404
    for path in (HOME, "/"):
        reply = dav.request("DELETE", path)
        assert reply.status_code == 403
        assert precondition(reply).tag == "{DAV:}need-privileges"
    assert dav.request("PROPFIND", HOME, headers={"Depth": "0"}).status_code == 207


def test_a_calendar_made_anew_is_another_one(dav, event):
    """Its tokens and ctags must not be taken for the old one's."""
    dav.put(CALENDAR + "a.ics", event("a"))
    old = dav.props(CALENDAR, "D:sync-token", "CS:getctag")
    dav.request("DELETE", CALENDAR)
    dav.xml("MKCALENDAR", CALENDAR)
    dav.put(CALENDAR + "b.ics", event("b"))
    assert dav.props(CALENDAR, "CS:getctag").text(CALENDAR, "CS:getctag") != old.text(CALENDAR, "CS:getctag")
    token = old.text(CALENDAR, "D:sync-token")
    body = f"<D:sync-collection><D:sync-token>{token}</D:sync-token><D:prop><D:getetag/></D:prop></D:sync-collection>"
    reply = dav.xml("REPORT", CALENDAR, body)
    assert (reply.status_code, precondition(reply).tag) == (403, "{DAV:}valid-sync-token")


@pytest.mark.parametrize("path", [CALENDAR, HOME])
def test_d07_what_clients_set_comes_back(dav, path):
    """D-07: with its structure. Apple sets default alarms on the home, and a refusal stops its setup (CLIENTS 1.1)."""
    alarm = "BEGIN:VALARM\nTRIGGER:-PT15M\nACTION:DISPLAY\nEND:VALARM\n"
    content = (
        f"<C:default-alarm-vevent-datetime>{alarm}</C:default-alarm-vevent-datetime>"
        "<C:calendar-free-busy-set><D:href>/alice/calendar/</D:href></C:calendar-free-busy-set>"
        "<C:schedule-calendar-transp><C:opaque/></C:schedule-calendar-transp>"
        '<X:note xmlns:X="urn:x-test">ünder</X:note><D:displayname>Mine</D:displayname>'
    )
    answer = dav.multi("PROPPATCH", path, patch(setting(content)))
    assert len(answer.props(path)) == 5
    names = (
        "C:default-alarm-vevent-datetime",
        "C:calendar-free-busy-set",
        "C:schedule-calendar-transp",
        "D:displayname",
    )
    kept = dav.props(path, *names)
    assert kept.text(path, "C:default-alarm-vevent-datetime") == alarm
    assert kept.prop(path, "C:calendar-free-busy-set")[0].text == "/alice/calendar/"
    assert [each.tag for each in kept.prop(path, "C:schedule-calendar-transp")] == [C + "opaque"]
    assert kept.text(path, "D:displayname") == "Mine"
    everything = dav.multi("PROPFIND", path, "", Depth="0")
    assert [each.text for each in everything.props(path) if each.tag == "{urn:x-test}note"] == ["ünder"]
    dav.multi("PROPPATCH", path, patch(removing("<C:calendar-free-busy-set/>")))
    assert dav.props(path, "C:calendar-free-busy-set").prop(path, "C:calendar-free-busy-set") is None


@pytest.mark.parametrize(
    "content",
    [
        "<D:resourcetype><D:collection/></D:resourcetype>",  # D-06: destroyed the calendar
        "<D:resourcetype/>",
        "<D:getetag>x</D:getetag>",
        "<D:getcontenttype>text/plain</D:getcontenttype>",
        "<D:sync-token>x</D:sync-token>",
        "<CS:getctag>x</CS:getctag>",
        '<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>',
        "<D:current-user-privilege-set/>",
    ],
)
def test_d06_d07_what_the_server_says_nobody_sets(dav, event, content):
    dav.put(CALENDAR + "a.ics", event("a"))
    before = dav.multi("PROPFIND", CALENDAR, "", Depth="0")
    for instruction in (setting, removing):
        body = patch(setting("<D:displayname>Changed</D:displayname>"), instruction(content))
        answer = dav.multi("PROPPATCH", CALENDAR, body)
        assert len(answer.props(CALENDAR, "403")) == 1
        assert [each.tag for each in answer.props(CALENDAR, "424")] == ["{DAV:}displayname"]
        error = answer.root.find(".//D:propstat/D:error/D:cannot-modify-protected-property", dav.NAMES)
        assert error is not None
    after = dav.multi("PROPFIND", CALENDAR, "", Depth="0")
    assert ET.tostring(after.root) == ET.tostring(before.root)
    assert dav.get(CALENDAR + "a.ics").content == event("a")


def test_nothing_is_set_on_the_root(dav):
    assert dav.xml("PROPPATCH", "/", patch(setting("<D:displayname>x</D:displayname>"))).status_code == 403


def test_a_property_has_a_size(dav):
    reply = dav.xml("PROPPATCH", CALENDAR, patch(setting(f"<D:displayname>{'x' * 9_000}</D:displayname>")))
    assert reply.status_code == 207
    small = dav.props(CALENDAR, "D:displayname").text(CALENDAR, "D:displayname")
    assert small == "x" * 9_000


def test_who_does_not_say_what_kind_gets_a_calendar(dav):
    """RFC 4918 §9.3, and the only kind there is; Outlook's synchronizer makes one so (CLIENTS 1.6)."""
    assert dav.request("MKCOL", "/alice/plain/").status_code == 201
    kinds = dav.props("/alice/plain/", "D:resourcetype").prop("/alice/plain/", "D:resourcetype")
    assert {each.tag for each in kinds} == {"{DAV:}collection", "{urn:ietf:params:xml:ns:caldav}calendar"}


def test_a_body_of_another_kind_makes_nothing(dav):
    odd = {"Content-Type": "xzy-foo/bar-512"}
    assert dav.request("MKCOL", "/alice/odd/", content=b"afafafaf", headers=odd).status_code == 415
    assert dav.request("PROPFIND", "/alice/odd/").status_code == 404


@pytest.mark.parametrize("method", ["MKCOL", "MKCALENDAR", "PUT"])
def test_nothing_is_made_where_nothing_could_hold_it(dav, event, method):
    content = event("a") if method == "PUT" else b""
    assert dav.request(method, "/alice/calendar/no/parent.ics", content=content).status_code == 409


def patched(dav, path, content, method=setting):
    return dav.multi("PROPPATCH", path, patch(method(content)))


@pytest.mark.parametrize("path", [CALENDAR, HOME])
def test_d07_the_attributes_of_a_value_are_part_of_it(dav, path):
    """Apple's symbolic-color, a language; with a new value they are gone."""
    red = '<A:calendar-color symbolic-color="red">#FF0000FF</A:calendar-color>'
    patched(dav, path, f'{red}<D:displayname xml:lang="de">Arbeit</D:displayname><A:x a="1"/>')
    answer = dav.props(path, "A:calendar-color", "D:displayname", "A:x")
    assert answer.prop(path, "A:calendar-color").attrib == {"symbolic-color": "red"}
    assert answer.text(path, "A:calendar-color") == "#FF0000FF"
    assert answer.prop(path, "D:displayname").attrib == {"{http://www.w3.org/XML/1998/namespace}lang": "de"}
    assert answer.prop(path, "A:x").attrib == {"a": "1"}
    names = dav.multi("PROPFIND", path, "<D:propfind><D:propname/></D:propfind>", Depth="0")
    assert len([each for each in names.props(path) if each.tag.endswith("calendar-color")]) == 1
    patched(dav, path, "<A:calendar-color>#00FF00FF</A:calendar-color>")
    assert dav.props(path, "A:calendar-color").prop(path, "A:calendar-color").attrib == {}
    patched(dav, path, red)
    patched(dav, path, "<A:calendar-color/>", removing)
    assert dav.props(path, "A:calendar-color").prop(path, "A:calendar-color") is None
    patched(dav, path, "<A:calendar-color>#00FF00FF</A:calendar-color>")
    assert dav.props(path, "A:calendar-color").prop(path, "A:calendar-color").attrib == {}


@pytest.mark.parametrize("path", [CALENDAR, HOME])
def test_a_property_of_no_namespace(dav, path):
    """It stopped every allprop of the calendar, and of the home (RFC 4918 §4.3)."""
    for content, inner in (("mine", 0), ('<inner xmlns=""/>', 1)):
        body = f'<nul xmlns="">{content}</nul>'
        assert [each.tag for each in patched(dav, path, body).props(path)] == ["nul"]
        for asked in ("<D:allprop/>", '<D:prop><nul xmlns=""/></D:prop>'):
            answer = dav.multi("PROPFIND", path, f"<D:propfind>{asked}</D:propfind>", Depth="0")
            (found,) = (each for each in answer.props(path) if each.tag == "nul")
            assert [each.tag for each in found] == ["inner"] * inner
            assert (found.text or "").strip() == ("" if inner else "mine")
        names = dav.multi("PROPFIND", path, "<D:propfind><D:propname/></D:propfind>", Depth="0")
        assert "nul" in [each.tag for each in names.props(path)]
    patched(dav, path, '<nul xmlns=""/>', removing)
    answer = dav.multi("PROPFIND", path, '<D:propfind><D:prop><nul xmlns=""/></D:prop></D:propfind>', Depth="0")
    assert [each.tag for each in answer.props(path, "404")] == ["nul"]
    kinds = dav.props(path, "D:resourcetype")
    assert [each.tag for each in patched(dav, path, '<tag xmlns="">VADDRESSBOOK</tag>').props(path)] == ["tag"]
    answer = dav.multi("PROPFIND", path, "<D:propfind><D:allprop/></D:propfind>", Depth="0")
    assert [each.text for each in answer.props(path) if each.tag == "tag"] == ["VADDRESSBOOK"]
    assert ET.tostring(dav.props(path, "D:resourcetype").root) == ET.tostring(kinds.root)


ZONE = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VTIMEZONE\nTZID:{}\nEND:VTIMEZONE\nEND:VCALENDAR\n"


def test_a_time_zone_by_its_name_and_by_its_definition(dav):
    """RFC 7809 §5.2: the two are one."""

    def told():
        answer = dav.props(CALENDAR, "C:calendar-timezone", "C:calendar-timezone-id")
        return answer.text(CALENDAR, "C:calendar-timezone"), answer.text(CALENDAR, "C:calendar-timezone-id")

    assert told() == (None, None)
    patched(dav, CALENDAR, f"<C:calendar-timezone>{ZONE.format('Asia/Tokyo')}</C:calendar-timezone>")
    assert told() == (ZONE.format("Asia/Tokyo"), "Asia/Tokyo")
    patched(dav, CALENDAR, "<C:calendar-timezone-id>Europe/Vienna</C:calendar-timezone-id>")
    text, name = told()
    assert name == "Europe/Vienna"
    assert "TZID:Europe/Vienna" in text
    assert "TZOFFSETTO:+0200" in text
    patched(dav, CALENDAR, "<C:calendar-timezone-id>Asia/Tokyo</C:calendar-timezone-id>")
    definition = f"<C:calendar-timezone>{ZONE.format('Asia/Tokyo')}</C:calendar-timezone>"
    both = f"<C:calendar-timezone-id>Asia/Tokyo</C:calendar-timezone-id>{definition}"
    patched(dav, CALENDAR, both)  # as DAVx5 sends them, in whatever order: the definition stays as it came
    assert told() == (ZONE.format("Asia/Tokyo"), "Asia/Tokyo")
    for name in ("calendar-timezone", "calendar-timezone-id"):
        patched(dav, CALENDAR, both)
        patched(dav, CALENDAR, f"<C:{name}/>", removing)
        assert told() == (None, None)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<C:calendar-timezone-id>Mars/Olympus</C:calendar-timezone-id>", "valid-timezone"),
        ("<C:calendar-timezone-id/>", "valid-timezone"),
        ("<C:calendar-timezone>nonsense</C:calendar-timezone>", "valid-calendar-data"),
        ("<C:calendar-timezone><x>BEGIN:VTIMEZONE</x></C:calendar-timezone>", "valid-calendar-data"),
        ("<C:calendar-timezone/>", "valid-calendar-data"),
    ],
)
def test_time_zones_that_are_none(dav, content, reason):
    answer = patched(dav, CALENDAR, f"<D:displayname>New</D:displayname>{content}")
    assert len(answer.props(CALENDAR, "403")) == len(answer.props(CALENDAR, "424")) == 1
    assert answer.root.find(f".//D:error/C:{reason}", dav.NAMES) is not None
    assert dav.props(CALENDAR, "D:displayname").text(CALENDAR, "D:displayname") == "Calendar"
    reply = dav.xml("MKCALENDAR", "/alice/new/", f"<C:mkcalendar>{setting(content)}</C:mkcalendar>")
    assert (reply.status_code, precondition(reply).tag) == (403, C + reason)


def test_which_components_a_calendar_may_have(dav):
    """As macOS asks the home, and so keeps reminders apart."""
    sets = dav.props(HOME, "C:supported-calendar-component-sets").prop(HOME, "C:supported-calendar-component-sets")
    assert [[comp.get("name") for comp in each] for each in sets] == [["VEVENT"], ["VTODO"], ["VJOURNAL"]]


def test_minimal_answers_say_so(dav):
    """RFC 8144, RFC 7240."""
    body = patch(setting("<D:displayname>New</D:displayname>"))
    full = dav.xml("PROPPATCH", CALENDAR, body)
    assert full.status_code == 207
    assert "Preference-Applied" not in full.headers
    for headers in ({"Prefer": "return=minimal"}, {"Brief": "t"}):
        brief = dav.xml("PROPPATCH", CALENDAR, body, **headers)
        assert (brief.status_code, brief.content) == (200, b"")
        refused = dav.xml("PROPPATCH", CALENDAR, patch(setting("<D:getetag>x</D:getetag>")), **headers)
        assert refused.status_code == 207
        assert "403 Forbidden" in refused.text
    asked = "<D:propfind><D:prop><D:displayname/><D:none/></D:prop></D:propfind>"
    multiget = (
        "<C:calendar-multiget><D:prop><D:none/></D:prop><D:href>/alice/calendar/a.ics</D:href></C:calendar-multiget>"
    )
    for method, content in (("PROPFIND", asked), ("REPORT", multiget)):
        reply = dav.xml(method, CALENDAR, content, Depth="0", Prefer="return=minimal")
        assert reply.headers["Preference-Applied"] == "return=minimal"
        assert {"Prefer", "Brief"} <= {each.strip() for each in reply.headers["Vary"].split(",")}
        assert "Preference-Applied" not in dav.xml(method, CALENDAR, content, Depth="0").headers
