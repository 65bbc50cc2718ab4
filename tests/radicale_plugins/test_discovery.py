"""How clients find their calendars (CLIENTS §1.0): the ladder, and what each rung must say."""

import caldav
import httpx
import pytest

HOME = "/alice/"


def test_well_known_redirects_without_credentials(anonymous):
    for method in ("GET", "HEAD", "PROPFIND", "OPTIONS", "REPORT"):
        for path in ("/.well-known/caldav", "/.well-known/caldav/", "/.well-known/caldav?from=phone"):
            reply = anonymous.request(method, path)
            assert (reply.status_code, reply.headers["Location"]) == (301, "/"), (method, path)


def test_r39_the_ladder_from_well_known_to_the_calendars(dav):
    reply = dav.request("PROPFIND", "/.well-known/caldav")
    root = reply.headers["Location"]
    principal = dav.props(root, "D:current-user-principal").prop(root, "D:current-user-principal")[0].text
    assert principal == HOME
    home = dav.props(principal, "C:calendar-home-set").prop(principal, "C:calendar-home-set")
    assert [href.text for href in home] == [HOME]  # exactly one: Apple picks any
    answer = dav.props(HOME, "D:resourcetype", "D:displayname", "C:supported-calendar-component-set", depth="1")
    assert answer.hrefs == [HOME, "/alice/calendar/", "/alice/tasks/", "/alice/.inbox/", "/alice/.outbox/"]
    kinds = {
        href: [comp.get("name") for comp in answer.prop(href, "C:supported-calendar-component-set")]
        for href in answer.hrefs[1:3]
    }
    assert kinds == {"/alice/calendar/": ["VEVENT"], "/alice/tasks/": ["VTODO"]}
    assert answer.text("/alice/calendar/", "D:displayname") == "Calendar"
    assert [each.tag for each in answer.prop(HOME, "D:resourcetype")] == ["{DAV:}principal", "{DAV:}collection"]


def test_r39_behind_a_prefix_every_href_has_it(serve, database, clock, alice, event):
    from radicale_plugins import app
    from tests.radicale_plugins.conftest import Dav

    inner = app.build(database, now=clock, trusted_proxies=["127.0.0.1"])
    with Dav(base_url=serve(inner), auth=alice, headers={"X-Script-Name": "/cal"}) as client:
        assert client.request("PROPFIND", "/.well-known/caldav").headers["Location"] == "/cal/"
        answer = client.props("/", "D:current-user-principal")
        assert answer.prop("/cal/", "D:current-user-principal")[0].text == "/cal/alice/"
        client.put("/alice/calendar/a.ics", event("a"))
        body = "<C:calendar-multiget><D:prop><D:getetag/></D:prop><D:href>/cal/alice/calendar/a.ics</D:href></C:calendar-multiget>"
        assert client.report("/alice/calendar/", body).text("/cal/alice/calendar/a.ics", "D:getetag")


def test_a_stranger_cannot_move_us_elsewhere(dav):
    reply = dav.request("PROPFIND", "/.well-known/caldav", headers={"X-Script-Name": "//evil.example"})
    assert reply.headers["Location"] == "/"


def test_the_mail_address_comes_first_and_is_preferred(dav):
    addresses = dav.props(HOME, "C:calendar-user-address-set").prop(HOME, "C:calendar-user-address-set")
    assert [(each.text, each.get("preferred")) for each in addresses] == [
        ("mailto:alice@example.org", "1"),
        (HOME, None),
    ]


@pytest.mark.parametrize("path", ["/", HOME, "/alice/calendar/"])
def test_r40_options_advertise_only_what_works(dav, path):
    reply = dav.request("OPTIONS", path)
    assert reply.status_code == 200
    tokens = {token.strip() for token in reply.headers["DAV"].split(",")}
    assert not tokens & {"2", "addressbook", "calendar-schedule", "calendar-no-timezone"}
    assert tokens >= {
        "1",
        "3",
        "access-control",
        "calendar-auto-schedule",
        "calendar-managed-attachments",
        "calendar-access",
        "extended-mkcol",
    }
    methods = reply.headers["Allow"].split(", ")
    assert "REPORT" in methods
    assert ("POST" in methods) == (path != "/")  # add-member; answers to invitations
    assert "LOCK" not in methods


def test_reports_that_do_nothing_are_not_advertised(dav):
    reports = dav.props("/alice/calendar/", "D:supported-report-set").prop("/alice/calendar/", "D:supported-report-set")
    names = {each.tag.partition("}")[2] for each in reports.iter()} - {
        "supported-report-set",
        "supported-report",
        "report",
    }
    assert names >= {"sync-collection", "calendar-multiget", "calendar-query", "free-busy-query", "expand-property"}
    for name in names:
        space = "C" if name.startswith(("calendar-", "free-busy")) else "D"
        reply = dav.xml("REPORT", "/alice/calendar/", f"<{space}:{name}></{space}:{name}>")
        assert "supported-report" not in reply.text, name


def test_write_privileges_as_each_client_looks_for_them(dav):
    found = dav.props("/alice/calendar/", "D:current-user-privilege-set").prop(
        "/alice/calendar/", "D:current-user-privilege-set"
    )
    names = {each[0].tag.partition("}")[2] for each in found}
    assert {"read", "write", "write-content", "bind", "unbind", "write-properties", "read-free-busy"} <= names


def test_d22_prefer_minimal_and_brief_leave_out_what_is_not_there(dav):
    wanted = ("D:displayname", "CS:pushkey", "CS:xmpp-uri")
    full = dav.props("/alice/calendar/", *wanted)
    assert len(full.props("/alice/calendar/", "404")) == 2
    for headers in ({"Prefer": "return=minimal"}, {"Brief": "t"}):
        brief = dav.props("/alice/calendar/", *wanted, **headers)
        assert brief.props("/alice/calendar/", "404") == []
        assert len(brief.props("/alice/calendar/")) == 1


def test_propstat_200_stands_first_for_kde(dav):
    reply = dav.xml("PROPFIND", HOME, "<D:propfind><D:prop><CS:nothing/><D:displayname/></D:prop></D:propfind>")
    assert reply.text.index("200 OK") < reply.text.index("404 Not Found")


def test_no_displayname_is_invented(dav):
    """vdirsyncer's metasync takes an invented one for an edit (CLIENTS 1.7)."""
    assert dav.xml("MKCALENDAR", "/alice/nameless/").status_code == 201
    assert dav.props("/alice/nameless/", "D:displayname").prop("/alice/nameless/", "D:displayname") is None


def test_allprop_and_propname(dav):
    for body in ("", "<D:propfind><D:allprop/></D:propfind>"):
        answer = dav.multi("PROPFIND", "/alice/calendar/", body, Depth="0")
        assert answer.text("/alice/calendar/", "CS:getctag")
        assert answer.text("/alice/calendar/", "D:displayname") == "Calendar"
        assert answer.prop("/alice/calendar/", "D:sync-token") is None  # RFC 6578 §4
    names = dav.multi("PROPFIND", "/alice/calendar/", "<D:propfind><D:propname/></D:propfind>", Depth="0")
    assert names.text("/alice/calendar/", "D:displayname") is None
    assert names.prop("/alice/calendar/", "C:supported-collation-set") is not None


def test_the_root_shows_only_oneself(dav, person):
    person("bob")
    assert dav.props("/", "D:resourcetype", depth="1").hrefs == ["/", HOME]


def test_the_home_of_another_is_forbidden(dav, person, event):
    person("bob")
    for method, path in (("PROPFIND", "/bob/calendar/"), ("GET", "/bob/calendar/a.ics"), ("DELETE", "/bob/calendar/")):
        reply = dav.request(method, path)
        assert reply.status_code == 403
        assert "need-privileges" in reply.text
    assert dav.put("/bob/calendar/a.ics", event("a")).status_code == 403


def test_the_caldav_client_walks_it_alone(base, alice):
    name, password = alice
    with caldav.DAVClient(base + "/.well-known/caldav", username=name, password=password) as client:
        calendars = client.principal().calendars()
        assert {calendar.get_display_name() for calendar in calendars} == {"Calendar", "Tasks"}
        assert client.principal().calendar_home_set.url.path == HOME


def test_infinite_depth_is_refused_by_name(dav):
    reply = dav.request("PROPFIND", HOME, headers={"Depth": "infinity"})
    assert reply.status_code == 403
    assert "propfind-finite-depth" in reply.text


def test_whatever_is_got_has_a_head_and_a_query_does_no_harm(dav, event):
    dav.put("/alice/calendar/a.ics", event("a"))
    for path in (
        "/alice/calendar/",
        "/alice/calendar/a.ics",
        "/alice/calendar/a.ics?download=1",
        "/alice/calendar/gone.ics",
    ):
        got, head = dav.get(path), dav.head(path)
        assert (head.status_code, head.content) == (got.status_code, b"")
        for name in ("ETag", "Content-Length", "Content-Type", "Last-Modified"):
            assert head.headers.get(name) == got.headers.get(name)
    assert dav.props("/alice/?x=y", "D:displayname").hrefs == [HOME]


def test_kept_alive_connections(base, alice):
    with httpx.Client(base_url=base, auth=alice) as client:
        assert client.request("OPTIONS", "/").http_version == "HTTP/1.1"
