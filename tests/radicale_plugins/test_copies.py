"""COPY of one object (RFC 4918 §9.8), and objects that the calendar itself names (RFC 5995)."""

import xml.etree.ElementTree as ET

import pytest

from bridge.store import calendars, history

CALENDAR, WORK, TASKS = "/alice/calendar/", "/alice/work/", "/alice/tasks/"
A = CALENDAR + "a.ics"


def precondition(reply):
    return reply.status_code, ET.fromstring(reply.content)[0].tag.rpartition("}")[2]


@pytest.fixture
def copy(dav, event):
    assert dav.xml("MKCALENDAR", WORK).status_code == 201
    assert dav.put(A, event("a")).status_code == 201

    def copied(destination, source=A, method="COPY", **headers):
        return dav.request(method, source, headers={"Destination": destination, **headers})

    return copied


@pytest.mark.parametrize("depth", ["0", "infinity", None])
def test_d23_a_copy_is_the_same_bytes(dav, base, event, copy, depth):
    headers = {} if depth is None else {"Depth": depth}
    assert copy(base + WORK + "b%20c.ics", **headers).status_code == 201
    for path in (A, WORK + "b%20c.ics"):
        reply = dav.get(path)
        assert (reply.content, reply.headers["ETag"]) == (event("a"), dav.get(A).headers["ETag"])


def test_a_copy_over_another_one(dav, event, copy, database):
    """The same event is changed, another one makes room; its history stays."""
    dav.put(WORK + "a.ics", event("a", "DTSTART:20260311T090000Z"))
    assert copy(WORK + "a.ics", Overwrite="F").status_code == 412
    assert dav.get(WORK + "a.ics").content != event("a")
    assert copy(WORK + "a.ics").status_code == 204
    dav.request("DELETE", WORK + "a.ics")
    dav.put(WORK + "x.ics", event("x"))
    assert copy(WORK + "x.ics", Overwrite="T").status_code == 204
    assert dav.get(WORK + "x.ics").content == event("a")
    with database.read() as conn:
        versions = history.of_object(conn, calendars.get(conn, "alice", "work").id, "x")
    assert event("x") in [version.data for version in versions]


def test_one_event_is_not_twice_in_a_calendar(dav, event, copy):
    for destination in (CALENDAR + "b.ics",):
        reply = copy(destination)
        assert precondition(reply) == (409, "no-uid-conflict")
        assert ET.fromstring(reply.content).findtext(".//{DAV:}href") == A
        assert dav.get(destination).status_code == 404
    copy(WORK + "a.ics")
    assert precondition(copy(WORK + "b.ics")) == (409, "no-uid-conflict")
    dav.put(CALENDAR + "b.ics", event("b"))
    assert precondition(copy(CALENDAR + "b.ics")) == (409, "no-uid-conflict")  # onto another one of the same calendar
    assert dav.get(CALENDAR + "b.ics").content == event("b")


@pytest.mark.parametrize("method", ["COPY", "MOVE"])
@pytest.mark.parametrize(
    ("destination", "status"),
    [
        ("", 400),
        (A, 403),
        ("/bob/calendar/a.ics", 403),
        ("/alice/", 403),
        (WORK, 403),
        ("/alice/.special/a.ics", 403),
        ("/alice/nowhere/a.ics", 409),
        ("/alice/work/deep/er.ics", 502),
        (TASKS + "a.ics", 403),
    ],
)
def test_where_nothing_goes(dav, event, copy, person, method, destination, status):
    person("bob")
    assert copy(destination, method=method).status_code == status
    assert dav.get(A).content == event("a")


def test_what_is_not_copied(dav, event, copy, person):
    bob = person("bob")
    assert copy(WORK + "x.ics", source=CALENDAR + "gone.ics").status_code == 404
    for source in (CALENDAR, "/alice/", "/"):
        reply = copy("/alice/new/", source=source)
        assert precondition(reply) == (403, "need-privileges"), source
    reply = copy("/bob/calendar/a.ics")
    assert precondition(reply) == (403, "need-privileges")
    assert dav.request("COPY", A, headers={"Destination": "/bob/calendar/a.ics"}, auth=bob).status_code == 403
    assert (
        dav.request("COPY", "/alice/calendar/a.ics", headers={"Destination": WORK + "a.ics"}, auth=bob).status_code
        == 403
    )


def post(dav, content, path=CALENDAR, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return dav.post(path, content=content, headers={"Content-Type": "text/calendar; charset=utf-8", **named})


def test_d24_a_member_is_added_where_the_property_says(dav, event):
    where = dav.props(CALENDAR, "D:add-member").prop(CALENDAR, "D:add-member")[0].text
    made = post(dav, event("one"), where)
    assert made.status_code == 201
    got = dav.get(made.headers["Location"])
    assert got.content == event("one")
    assert got.headers["ETag"] == made.headers["ETag"]
    assert made.headers["Location"] == CALENDAR + "one.ics"
    odd = post(dav, event("../odd"))
    assert odd.status_code == 201
    assert dav.get(odd.headers["Location"]).content == event("../odd")
    dav.put(CALENDAR + "three.ics", event("taken"))
    third = post(dav, event("three"), Prefer="return=representation")
    assert (third.status_code, third.content) == (201, event("three"))
    assert dav.get(CALENDAR + "three.ics").content == event("taken")
    assert dav.get(third.headers["Content-Location"]).content == event("three")


def test_behind_a_prefix_the_location_has_it(serve, database, clock, alice, event):
    from radicale_plugins import app
    from tests.radicale_plugins.conftest import Dav

    inner = app.build(database, now=clock, trusted_proxies=["127.0.0.1"])
    with Dav(base_url=serve(inner), auth=alice, headers={"X-Script-Name": "/cal"}) as client:
        assert post(client, event("one")).headers["Location"] == "/cal/alice/calendar/one.ics"
        assert client.put("/alice/calendar/two.ics", event("two")).headers["Location"] == "/cal/alice/calendar/two.ics"


def test_what_is_not_added(dav, event, person):
    post(dav, event("a"))
    assert precondition(post(dav, event("a", "DTSTART:20260311T090000Z"))) == (409, "no-uid-conflict")
    assert precondition(post(dav, event("t", "SUMMARY:x", component="VTODO"))) == (403, "supported-calendar-component")
    assert precondition(post(dav, b"nonsense")) == (403, "valid-calendar-data")
    assert precondition(post(dav, b"x" * 20_001)) == (403, "max-resource-size")
    assert post(dav, event("x"), "/alice/nowhere/").status_code == 404
    assert post(dav, event("x"), If_Match='"x"').status_code == 412
    for path in ("/alice/", "/", A):
        reply = post(dav, event("x"), path)
        assert reply.status_code == 405
        assert ("POST" in reply.headers["Allow"]) == (path in (A, "/alice/"))  # attachments; answers to invitations
    assert dav.post(CALENDAR, content=b"<x/>", headers={"Content-Type": "text/xml"}).status_code == 405
    bob = person("bob")
    assert (
        dav.post(CALENDAR, content=event("x"), headers={"Content-Type": "text/calendar"}, auth=bob).status_code == 403
    )
    assert dav.props(CALENDAR, depth="1").hrefs == [CALENDAR, CALENDAR + "a.ics"]
