"""Objects over HTTP: the very bytes back, strict conditions, refusals with a name."""

import xml.etree.ElementTree as ET

import pytest
import sqlalchemy as sa

from bridge.store import calendars, history, tables

CALENDAR = "/alice/calendar/"
A = CALENDAR + "a.ics"

HARD = {
    "an Apple location with a bare comma": (
        'X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE="Café":geo:48.2,16.3',
        "DTSTART:20260310T090000Z",
        "SUMMARY:Kaffee",
    ),
    "an unknown component": ("DTSTART:20260310T090000Z", "BEGIN:X-SEAT", "ROW:7", "END:X-SEAT", "SUMMARY:Theatre"),
    "folded lines": ("DTSTART:20260310T090000Z", "SUMMARY:A very\r\n  long\r\n\t title", "LOCATION:a\\, b"),
    "RSCALE": ("DTSTART;VALUE=DATE:20260210", "RRULE:RSCALE=CHINESE;FREQ=YEARLY", "SUMMARY:New Year"),
    "a period": ("DTSTART:20260310T090000Z", "RDATE;VALUE=PERIOD:20260311T090000Z/PT2H", "SUMMARY:Twice"),
    "until before the start": ("DTSTART:20260310T090000Z", "RRULE:FREQ=DAILY;UNTIL=20200101T000000Z", "SUMMARY:Never"),
    "an inline image": ("DTSTART:20260310T090000Z", "IMAGE;VALUE=BINARY;ENCODING=BASE64;FMTTYPE=image/png:aGk=", "SUMMARY:x"),
    "only an override": ("RECURRENCE-ID:20260310T090000Z", "DTSTART:20260310T100000Z", "SUMMARY:One of many"),
    "an alarm with a bare comma": (
        "DTSTART:20260310T090000Z", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:a, b", "END:VALARM",
    ),
}  # fmt: skip


@pytest.mark.parametrize("lines", HARD.values(), ids=HARD.keys())
@pytest.mark.parametrize("end", ["\r\n", "\n"], ids=["CRLF", "LF"])
def test_d02_bytes_come_back_as_they_went_and_are_equal_everywhere(dav, event, lines, end):
    data = event("a", *lines).replace(b"\r\n", end.encode())
    made = dav.put(A, data)
    assert made.status_code == 201, made.text
    got = dav.get(A)
    assert got.content == data
    assert got.headers["Content-Type"] == "text/calendar; charset=utf-8"
    etag = made.headers["ETag"]
    assert etag.startswith('"')
    assert got.headers["ETag"] == etag
    multiget = f"<C:calendar-multiget><D:prop><D:getetag/><C:calendar-data/></D:prop><D:href>{A}</D:href></C:calendar-multiget>"
    query = (
        "<C:calendar-query><D:prop><D:getetag/><C:calendar-data/></D:prop>"
        '<C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>'
    )
    for body in (multiget, query):
        answer = dav.report(CALENDAR, body)
        assert answer.text(A, "C:calendar-data") == data.decode().replace("\r\n", "\n")  # as XML reads line ends
        assert answer.text(A, "D:getetag") == etag
    assert dav.props(A, "D:getetag").text(A, "D:getetag") == etag
    assert dav.props(CALENDAR, "D:getetag", depth="1").text(A, "D:getetag") == etag


def test_a_fold_inside_a_character(dav):
    """RFC 5545 §3.1 folds octets: the bytes are no UTF-8 as a whole, and still come back."""
    data = (
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20260101T000000Z\r\n"
        b"DTSTART:20260310T090000Z\r\nSUMMARY:Caf\xc3\r\n \xa9\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    assert dav.put(A, data).status_code == 201
    assert dav.get(A).content == data
    body = f"<C:calendar-multiget><D:prop><C:calendar-data/></D:prop><D:href>{A}</D:href></C:calendar-multiget>"
    assert "SUMMARY:Café\n" in dav.report(CALENDAR, body).text(A, "C:calendar-data")


def test_head_is_get_without_a_body(dav, event):
    dav.put(A, event("a"))
    got, head = dav.get(A), dav.head(A)
    assert head.content == b""
    for name in ("ETag", "Content-Length", "Content-Type", "Last-Modified"):
        assert head.headers[name] == got.headers[name]


def test_d21_conditional_get(dav, event):
    etag = dav.put(A, event("a")).headers["ETag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        reply = dav.get(A, headers={"If-None-Match": known})
        assert (reply.status_code, reply.content, reply.headers["ETag"]) == (304, b"", etag)
    assert dav.get(A, headers={"If-None-Match": '"other"'}).status_code == 200
    modified = dav.get(A).headers["Last-Modified"]
    assert modified == "Sun, 01 Mar 2026 12:00:00 GMT"
    assert dav.get(A, headers={"If-Modified-Since": modified}).status_code == 304
    assert dav.get(A, headers={"If-Modified-Since": "Sat, 28 Feb 2026 12:00:00 GMT"}).status_code == 200
    assert dav.get(A, headers={"If-Modified-Since": "nonsense"}).status_code == 200


def test_put_answers_201_then_204_and_the_ctag_moves_once_each(dav, event):
    ctag = dav.props(CALENDAR, "CS:getctag").text(CALENDAR, "CS:getctag")
    assert dav.put(A, event("a")).status_code == 201
    second = dav.props(CALENDAR, "CS:getctag").text(CALENDAR, "CS:getctag")
    assert second != ctag
    assert dav.put(A, event("a", "DTSTART:20260311T090000Z")).status_code == 204
    assert dav.props(CALENDAR, "CS:getctag").text(CALENDAR, "CS:getctag") not in (ctag, second)


def test_r38_the_same_bytes_again_change_nothing(dav, event):
    """R38: no churn of etags without a change."""
    etag = dav.put(A, event("a")).headers["ETag"]
    before = dav.props(CALENDAR, "CS:getctag").text(CALENDAR, "CS:getctag")
    again = dav.put(A, event("a"), If_Match=etag)
    assert (again.status_code, again.headers["ETag"]) == (204, etag)
    assert dav.props(CALENDAR, "CS:getctag").text(CALENDAR, "CS:getctag") == before


def test_r36_if_match_is_strict(dav, event):
    old = dav.put(A, event("a")).headers["ETag"]
    new = dav.put(A, event("a", "DTSTART:20260311T090000Z"), If_Match=old).headers["ETag"]
    for wrong in (old, f"W/{new}", new.strip('"'), '"x", "y"', '""'):
        reply = dav.put(A, event("a", "DTSTART:20260312T090000Z"), If_Match=wrong)
        assert reply.status_code == 412, wrong
        assert dav.request("DELETE", A, headers={"If-Match": wrong}).status_code == 412, wrong
    assert dav.get(A).headers["ETag"] == new
    assert dav.put(A, event("a", "DTSTART:20260312T090000Z"), If_Match=f'"x", {new}').status_code == 204
    assert dav.put(A, event("a", "DTSTART:20260313T090000Z"), If_Match="*").status_code == 204


def test_r37_if_match_for_an_object_that_is_gone_makes_davx5_settle(dav, event):
    """R37: it asks with the old etag for ever unless it is told 412."""
    etag = dav.put(A, event("a")).headers["ETag"]
    assert dav.request("DELETE", A).status_code == 204
    assert dav.put(A, event("a"), If_Match=etag).status_code == 412
    assert dav.put(A, event("a"), If_Match="*").status_code == 412
    assert dav.get(A).status_code == 404


def test_r36_if_none_match_never_overwrites(dav, event):
    assert dav.put(A, event("a"), If_None_Match="*").status_code == 201
    assert dav.put(A, event("a", "DTSTART:20260311T090000Z"), If_None_Match="*").status_code == 412
    assert dav.get(A).content == event("a")


def test_deleting(dav, event):
    etag = dav.put(A, event("a")).headers["ETag"]
    assert dav.request("DELETE", A, headers={"If-Match": etag}).status_code == 204
    assert dav.get(A).status_code == 404
    assert dav.request("DELETE", A).status_code == 404


def precondition(reply):
    root = ET.fromstring(reply.content)
    assert root.tag == "{DAV:}error"
    return root[0]


C = "{urn:ietf:params:xml:ns:caldav}"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"nothing of the kind", "valid-calendar-data"),
        (b"", "valid-calendar-data"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\n", "valid-calendar-data"),
        (b"\xff\xfe", "valid-calendar-data"),
    ],
)
def test_d04_what_is_no_calendar_object_is_refused_by_name(dav, data, name):
    reply = dav.put(A, data)
    assert reply.status_code == 403
    assert precondition(reply).tag == C + name
    assert dav.get(A).status_code == 404


def test_objects_that_are_not_one_are_refused_by_name(dav, event):
    for data in (
        event("a").replace(b"VERSION:2.0", b"VERSION:2.0\r\nMETHOD:REQUEST"),  # D-04
        event("a").replace(
            b"END:VCALENDAR", b"BEGIN:VEVENT\r\nUID:b\r\nDTSTAMP:20260101T000000Z\r\nEND:VEVENT\r\nEND:VCALENDAR"
        ),
    ):
        reply = dav.put(A, data)
        assert reply.status_code == 403
        assert precondition(reply).tag == C + "valid-calendar-object-resource"


def test_a_uid_lives_under_one_href(dav, event):
    dav.put(A, event("a"))
    reply = dav.put(CALENDAR + "b.ics", event("a"))
    assert reply.status_code == 409  # what DAVx5 settles on
    conflict = precondition(reply)
    assert conflict.tag == C + "no-uid-conflict"
    assert conflict[0].text == A
    reply = dav.put(A, event("other"))
    assert (reply.status_code, precondition(reply).tag) == (409, C + "no-uid-conflict")
    assert dav.get(A).content == event("a")


def test_d04_the_collections_components_are_kept(dav, event):
    """D-04: a to-do in a calendar of events is shown by nobody."""
    todo = event("t", "SUMMARY:Milk", component="VTODO")
    reply = dav.put(A, todo)
    assert reply.status_code == 403
    assert precondition(reply).tag == C + "supported-calendar-component"
    assert dav.put("/alice/tasks/t.ics", todo).status_code == 201
    assert dav.put("/alice/tasks/e.ics", event("e")).status_code == 403


def test_other_media_types_are_refused_by_name(dav, event):
    reply = dav.request("PUT", A, content=event("a"), headers={"Content-Type": "text/vcard"})
    assert reply.status_code == 403
    assert precondition(reply).tag == C + "supported-calendar-data"
    assert dav.request("PUT", A, content=event("a")).status_code == 201  # curl and others send none


def test_too_large_an_object_is_refused_by_name(dav, event):
    big = event("a", "DTSTART:20260310T090000Z", "X-BIG:" + "x" * 20_000)
    reply = dav.put(A, big)
    assert reply.status_code == 403
    assert precondition(reply).tag == C + "max-resource-size"
    assert dav.props(CALENDAR, "C:max-resource-size").text(CALENDAR, "C:max-resource-size") == "20000"


def test_hrefs_of_any_characters(dav, event):
    for n, name in enumerate(["ümläut", "a,b", "a:b", "it's", "100%", "a b", "日本", "q?x", "a#b", "a+b&c", "%41"]):
        from urllib.parse import quote

        path = CALENDAR + quote(name + ".ics", safe="")
        assert dav.put(path, event(f"uid{n}")).status_code == 201, name
        assert dav.get(path).content == event(f"uid{n}")
        body = f"<C:calendar-multiget><D:prop><D:getetag/></D:prop><D:href>{path}</D:href></C:calendar-multiget>"
        assert dav.report(CALENDAR, body).text(path, "D:getetag"), name


def test_moving_between_own_calendars(dav, base, event):
    dav.xml("MKCALENDAR", "/alice/other/")
    dav.put(A, event("a"))
    moved = dav.request("MOVE", A, headers={"Destination": base + "/alice/other/x.ics"})
    assert moved.status_code == 201
    assert dav.get(A).status_code == 404
    assert dav.get("/alice/other/x.ics").content == event("a")
    back = dav.request("MOVE", "/alice/other/x.ics", headers={"Destination": "/alice/calendar/renamed.ics"})
    assert back.status_code == 201
    within = dav.request("MOVE", CALENDAR + "renamed.ics", headers={"Destination": A})
    assert within.status_code == 201
    assert dav.get(A).content == event("a")


def test_moving_onto_an_object(dav, event):
    dav.put(A, event("a"))
    dav.put(CALENDAR + "b.ics", event("b"))
    refused = dav.request("MOVE", A, headers={"Destination": CALENDAR + "b.ics", "Overwrite": "F"})
    assert refused.status_code == 412
    assert dav.get(CALENDAR + "b.ics").content == event("b")
    moved = dav.request("MOVE", A, headers={"Destination": CALENDAR + "b.ics"})
    assert moved.status_code == 204
    assert dav.get(CALENDAR + "b.ics").content == event("a")


def test_moves_that_are_refused(dav, base, person, event):
    person("bob")
    dav.put(A, event("a"))
    expected = {
        "/bob/calendar/a.ics": 403,
        "/alice/tasks/": 403,
        "/alice/tasks/a.ics": 403,  # takes no events
        "/alice/": 403,
        "/alice/nowhere/a.ics": 409,
        A: 403,
        "/alice/calendar/../../bob/calendar/a.ics": 502,
    }
    for destination, status in expected.items():
        assert dav.request("MOVE", A, headers={"Destination": destination}).status_code == status, destination
    assert dav.request("MOVE", CALENDAR, headers={"Destination": "/alice/elsewhere/"}).status_code == 403
    assert dav.request("MOVE", A).status_code == 400
    assert dav.get(A).content == event("a")


def test_a_whole_calendar_as_one_file(dav, event):
    zone = (
        "BEGIN:VTIMEZONE", "TZID:Europe/Vienna", "BEGIN:STANDARD", "DTSTART:19701025T030000", "TZOFFSETFROM:+0200",
        "TZOFFSETTO:+0100", "END:STANDARD", "END:VTIMEZONE",
    )  # fmt: skip
    for name in ("a", "b"):
        dav.put(CALENDAR + f"{name}.ics", event(name, "DTSTART;TZID=Europe/Vienna:20260310T090000", before=zone))
    reply = dav.get(CALENDAR)
    assert reply.text.count("BEGIN:VTIMEZONE") == 1
    assert reply.text.count("BEGIN:VEVENT") == 2
    assert "X-WR-CALNAME:Calendar\r\n" in reply.text
    assert reply.text.startswith("BEGIN:VCALENDAR\r\n")
    assert reply.text.endswith("END:VCALENDAR\r\n")
    assert dav.get(CALENDAR, headers={"If-None-Match": reply.headers["ETag"]}).status_code == 304


def test_a_whole_calendar_without_what_cannot_be_read(dav, database, event):
    """R32: stored by an older version of ours. Of zones that differ under one name the first stands for all."""
    zones = [
        ("BEGIN:VTIMEZONE", "TZID:A", "BEGIN:STANDARD", "DTSTART:19700101T000000", f"TZOFFSETFROM:{offset}",
         f"TZOFFSETTO:{offset}", "END:STANDARD", "END:VTIMEZONE")
        for offset in ("+0100", "+0200")
    ]  # fmt: skip
    for name, zone in zip("abc", (*zones, zones[0]), strict=True):
        dav.put(CALENDAR + f"{name}.ics", event(name, "DTSTART;TZID=A:20260310T090000", before=zone))
    with database.write() as conn:
        bad = event("b").replace(b"BEGIN:VEVENT", b"METHOD:REQUEST\r\nBEGIN:VEVENT")
        conn.execute(sa.update(tables.objects).where(tables.objects.c.href == "b.ics").values(data=bad))
    lines = dav.get(CALENDAR).content.split(b"\r\n")
    assert [line for line in lines if line[:3] == b"UID"] == [b"UID:a", b"UID:c"]
    assert [line for line in lines if line[:8] == b"TZOFFSET"] == [b"TZOFFSETFROM:+0100", b"TZOFFSETTO:+0100"]
    assert b"METHOD:REQUEST" not in lines


def test_the_history_names_the_device(dav, database, event):
    dav.put(A, event("a"))
    with database.read() as conn:
        calendar = calendars.get(conn, "alice", "calendar")
        versions = history.of_object(conn, calendar.id, "a")
    assert [(version.data, version.actor) for version in versions] == [(event("a"), "device:1")]
