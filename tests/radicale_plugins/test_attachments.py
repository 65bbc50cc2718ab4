"""Attachments that the server keeps (RFC 8607), over HTTP."""

import re

import pytest

from bridge.ical import objects as ical
from bridge.store import attachments, calendars, objects
from radicale_plugins import app
from radicale_plugins.request import Limits
from tests.radicale_plugins.conftest import Dav

CALENDAR = "/alice/calendar/"
A = CALENDAR + "a.ics"
ADD = A + "?action=attachment-add"


@pytest.fixture
def tea(dav, event):
    """An event as it was PUT."""
    data = event("a")
    assert dav.put(A, data).status_code == 201
    return data


def _post(dav, path, content=b"hello", name="hello.txt", **headers):
    sent = {"Content-Type": "text/plain", "Content-Disposition": f'attachment; filename="{name}"', **headers}
    return dav.request("POST", path, content=content, headers=sent)


def _lines(dav, path=A):
    parsed = ical.parse(dav.get(path).content)
    return [line for part in (parsed.master, *parsed.overrides) for line in part.every("ATTACH")]


def _error(reply):
    return re.search(r"<C:([a-z-]+)", reply.text)[1]


def test_a_file_is_added_fetched_replaced_and_removed(dav, base, tea, clock):
    clock.move(hours=1)
    reply = _post(dav, ADD)
    assert reply.status_code == 201
    managed_id = reply.headers["Cal-Managed-ID"]
    (line,) = _lines(dav)
    assert line.value == f"{base}/alice/.attachments/{managed_id}"
    assert {name: line.param(name) for name in line.params} == {
        "MANAGED-ID": managed_id, "FMTTYPE": "text/plain", "FILENAME": "hello.txt", "SIZE": "5",
    }  # fmt: skip
    got = dav.get(line.value)
    assert (got.status_code, got.content, got.headers["Content-Type"]) == (200, b"hello", "text/plain")
    assert "attachment" in got.headers["Content-Disposition"]
    assert "sandbox" in got.headers["Content-Security-Policy"]
    assert dav.get(line.value, headers={"If-None-Match": got.headers["ETag"]}).status_code == 304
    assert dav.request("HEAD", line.value, headers={"Accept-Encoding": "identity"}).headers["Content-Length"] == "5"

    reply = _post(dav, f"{A}?action=attachment-update&managed-id={managed_id}", b"hello again", "again.txt")
    assert reply.status_code == 204
    (new,) = _lines(dav)
    assert new.param("MANAGED-ID") == reply.headers["Cal-Managed-ID"] != managed_id
    assert dav.get(new.value).content == b"hello again"

    reply = dav.request("POST", f"{A}?action=attachment-remove&managed-id={new.param('MANAGED-ID')}")
    assert (reply.status_code, _lines(dav)) == (204, [])
    assert "Cal-Managed-ID" not in reply.headers
    kept = [line for line in dav.get(A).content.splitlines() if not line.startswith((b"DTSTAMP", b"LAST-MODIFIED"))]
    assert kept == [line for line in tea.splitlines() if not line.startswith(b"DTSTAMP")]


def test_who_wants_to_see_the_object_gets_it(dav, tea):
    reply = _post(dav, ADD, Prefer="return=representation")
    assert reply.status_code == 201
    assert reply.headers["Content-Location"] == A
    current = dav.get(A)
    assert (reply.content, reply.headers["ETag"]) == (current.content, current.headers["ETag"])
    reply = _post(
        dav,
        f"{A}?action=attachment-update&managed-id={reply.headers['Cal-Managed-ID']}",
        Prefer="return=representation",
    )
    assert (reply.status_code, reply.content) == (200, dav.get(A).content)


def test_every_instance_has_it(dav, event):
    series = event("a", "DTSTART:20260310T090000Z", "RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:Tea")
    override = (
        b"BEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID:20260311T090000Z\r\n"
        b"DTSTART:20260311T100000Z\r\nEND:VEVENT\r\n"
    )
    dav.put(A, series.replace(b"END:VCALENDAR", override + b"END:VCALENDAR"))
    managed_id = _post(dav, ADD).headers["Cal-Managed-ID"]
    assert [line.param("MANAGED-ID") for line in _lines(dav)] == [managed_id] * 2
    reply = _post(dav, f"{ADD}&rid=20260311T090000Z")
    assert (reply.status_code, _error(reply)) == (403, "valid-rid")
    dav.request("POST", f"{A}?action=attachment-remove&managed-id={managed_id}")
    assert _lines(dav) == []


@pytest.mark.parametrize(
    ("query", "precondition"),
    [
        ("action=attachment-ad", "valid-action"),
        ("action=", "valid-action"),
        ("action=attachment-add&action=attachment-remove", "valid-action"),
        ("action=attachment-add&managed-id=x", "valid-managed-id"),
        ("action=attachment-remove", "valid-managed-id"),
        ("action=attachment-remove&managed-id=x", "valid-managed-id"),
        ("action=attachment-update&managed-id=", "valid-managed-id"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(dav, tea, query, precondition):
    reply = _post(dav, f"{A}?{query}")
    assert (reply.status_code, _error(reply)) == (403, precondition)
    assert dav.get(A).content == tea


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (CALENDAR + "b.ics?action=attachment-add", 404),
        (CALENDAR + "?action=attachment-add", 405),
        (A, 405),
        ("/alice/.attachments/x?action=attachment-add", 405),
        ("/alice/work/a.ics?action=attachment-add", 404),
    ],
)
@pytest.mark.usefixtures("tea")
def test_only_to_an_object_that_is_there(dav, path, status):
    assert _post(dav, path).status_code == status


def test_r36_an_object_that_has_changed_meanwhile_stays_as_it_is(dav, tea):
    etag = dav.get(A).headers["ETag"]
    assert _post(dav, ADD, **{"If-Match": '"other"'}).status_code == 412
    assert dav.get(A).content == tea
    assert _post(dav, ADD, **{"If-Match": etag}).status_code == 201


@pytest.mark.usefixtures("tea")
def test_r41_what_stands_in_nobodys_object_is_nobodys_to_fetch(dav, base, person):
    managed_id = _post(dav, ADD).headers["Cal-Managed-ID"]
    path = f"/alice/.attachments/{managed_id}"
    with Dav(base_url=base, auth=person("bob")) as bob, Dav(base_url=base) as stranger:
        assert bob.get(path).status_code == 404
        assert stranger.get(path).status_code == 401
        assert bob.get("/bob/.attachments/" + managed_id).status_code == 404
        assert dav.get("/alice/.attachments/" + "x" * 32).status_code == 404
        copy = dav.get(A).content
        assert bob.put("/bob/calendar/a.ics", copy).status_code == 201
        assert bob.get(path).content == b"hello"
        bob.request("DELETE", "/bob/calendar/a.ics")
        assert bob.get(path).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PROPPATCH", "MKCALENDAR", "MOVE", "PROPFIND", "REPORT"])
@pytest.mark.usefixtures("tea")
def test_nothing_else_is_done_to_it(dav, method):
    path = f"/alice/.attachments/{_post(dav, ADD).headers['Cal-Managed-ID']}"
    assert dav.request(method, path, content=b"", headers={"Destination": CALENDAR + "b.ics"}).status_code in (
        400,
        403,
        404,
        405,
    )
    assert dav.get(path).content == b"hello"


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="C:\\\\temp\\\\plan.pdf"', "plan.pdf"),
        ("attachment; filename*=UTF-8''Z%C3%BCrich%2C%20%22x%22.pdf", "Zürich, x.pdf"),
        ("attachment", "attachment"),
        ("", "attachment"),
        ("attachment; filename=" + "x" * 500, "x" * 200),
    ],
)
@pytest.mark.usefixtures("tea")
def test_a_name_is_a_name_and_nothing_else(dav, sent, name):
    _post(dav, ADD, **{"Content-Disposition": sent})
    (line,) = _lines(dav)
    assert line.param("FILENAME") == name


@pytest.mark.usefixtures("tea")
def test_a_media_type_that_is_none_is_bytes(dav):
    _post(dav, ADD, **{"Content-Type": "text/html<script>"})
    (line,) = _lines(dav)
    assert line.param("FMTTYPE") == "application/octet-stream"


def test_what_came_from_elsewhere_is_kept_as_it_came(dav, event):
    """RFC 8607 §3.11 would have it refused; then an event that is moved here from another server would be lost."""
    data = event(
        "a", "DTSTART:20260310T090000Z", "ATTACH;MANAGED-ID=theirs;FILENAME=x.pdf:https://cal.example.net/x.pdf"
    )
    assert dav.put(A, data).status_code == 201
    assert dav.get(A).content == data
    assert _post(dav, f"{A}?action=attachment-remove&managed-id=theirs").status_code == 204
    assert _lines(dav) == []


def _bare(serve, database, clock, **limits):
    return serve(app.build(database, now=clock, limits=Limits(**limits)))


def test_limits(serve, database, clock, alice, event):
    base = _bare(serve, database, clock, attachment_bytes=10, attachments_per_object=2)
    with Dav(base_url=base, auth=alice) as dav:
        dav.put(A, event("a"))
        answer = dav.props(CALENDAR, "C:max-attachment-size", "C:max-attachments-per-resource")
        assert answer.text(CALENDAR, "C:max-attachment-size") == "10"
        assert answer.text(CALENDAR, "C:max-attachments-per-resource") == "2"
        assert _error(_post(dav, ADD, b"x" * 11)) == "max-attachment-size"
        assert [_post(dav, ADD, b"x" * 10).status_code for _ in range(3)] == [201, 201, 403]
        assert _error(_post(dav, ADD)) == "max-attachments-per-resource"


def test_where_none_are_kept_none_are_offered(serve, database, clock, alice, event):
    with Dav(base_url=_bare(serve, database, clock, attachment_bytes=0), auth=alice) as dav:
        dav.put(A, event("a"))
        assert _post(dav, ADD).status_code == 405
        assert "attachments" not in dav.request("OPTIONS", "/alice/").headers["DAV"]
        assert dav.props(CALENDAR, "C:max-attachment-size").prop(CALENDAR, "C:max-attachment-size") is None


@pytest.mark.usefixtures("tea")
def test_it_is_offered(dav):
    tokens = dav.request("OPTIONS", "/alice/").headers["DAV"].split(", ")
    assert {"calendar-managed-attachments", "calendar-managed-attachments-no-recurrence"} <= set(tokens)


def test_quota(serve, database, clock, alice, event):
    """RFC 4331: what is kept counts, what is gone does not, and what becomes smaller is always taken."""
    base = _bare(serve, database, clock, quota_bytes=1000)
    with Dav(base_url=base, auth=alice) as dav:

        def told():
            answer = dav.props("/alice/", "D:quota-used-bytes", "D:quota-available-bytes")
            return [int(answer.text("/alice/", f"D:quota-{name}-bytes")) for name in ("used", "available")]

        assert told() == [0, 1000]
        data = event("a")
        dav.put(A, data)
        assert told() == [len(data), 1000 - len(data)]
        assert dav.props(CALENDAR, "D:quota-used-bytes").text(CALENDAR, "D:quota-used-bytes") == str(len(data))
        reply = _post(dav, ADD, b"x" * 1000)
        assert (reply.status_code, "quota-not-exceeded" in reply.text) == (507, True)
        assert (
            dav.put(CALENDAR + "b.ics", event("b", "DTSTART:20260310T090000Z", "X-BIG:" + "x" * 1000)).status_code
            == 507
        )
        assert dav.put(A, data.replace(b"Tea", b"T")).status_code == 204
        assert dav.request("DELETE", A).status_code == 204
        assert told() == [0, 1000]


def test_without_a_quota_there_is_no_telling_what_is_left(dav):
    answer = dav.props("/alice/", "D:quota-used-bytes", "D:quota-available-bytes")
    assert answer.text("/alice/", "D:quota-used-bytes") == "0"
    assert answer.prop("/alice/", "D:quota-available-bytes") is None


@pytest.mark.usefixtures("tea")
def test_it_is_kept_as_long_as_history_can_bring_the_object_back(dav, database, clock):
    managed_id = _post(dav, ADD).headers["Cal-Managed-ID"]
    path = f"/alice/.attachments/{managed_id}"
    data = dav.get(A).content

    def prune():
        with database.write() as conn:
            return attachments.prune(conn, clock())

    clock.move(days=400)
    assert prune() == 0
    dav.request("DELETE", A)
    assert dav.get(path).content == b"hello"
    with database.write() as conn:
        calendar = calendars.get(conn, "alice", "calendar")
        objects.put(conn, calendar.id, "a.ics", data, actor="cli", now=clock())
    clock.move(days=1)
    assert prune() == 0
    dav.request("DELETE", A)
    clock.move(days=1)
    assert prune() == 1
    assert dav.get(path).status_code == 404
