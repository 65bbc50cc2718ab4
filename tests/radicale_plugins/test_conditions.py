"""On what condition a request is carried out: dates, etags, and WebDAV's own If (RFC 9110 §13, RFC 4918 §10.4, RFC 6578 §5)."""

import pytest

CALENDAR, TASKS = "/alice/calendar/", "/alice/tasks/"
A = CALENDAR + "a.ics"
NAME = "<D:propertyupdate><D:set><D:prop><D:displayname>New</D:displayname></D:prop></D:set></D:propertyupdate>"
BEFORE, AT, AFTER = (f"Sun, 01 Mar 2026 {time} GMT" for time in ("11:59:59", "12:00:00", "12:00:01"))


@pytest.fixture
def etag(dav, event):
    return dav.put(A, event("a")).headers["ETag"]


def later(event):
    return event("a", "DTSTART:20260311T090000Z")


@pytest.fixture
def token(dav, etag):
    return dav.props(CALENDAR, "D:sync-token").text(CALENDAR, "D:sync-token")


@pytest.fixture
def ctag(dav, etag):
    return dav.props(CALENDAR, "D:getetag").text(CALENDAR, "D:getetag")


def attempts(dav, event, **headers):
    """The status of each method under these headers; all that may change something come last."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    other = {"Destination": CALENDAR + "b.ics"}
    return {
        "GET": dav.get(A, headers=named).status_code,
        "HEAD": dav.head(A, headers=named).status_code,
        "COPY": dav.request("COPY", A, headers={"Destination": "/alice/work/a.ics", **named}).status_code,
        "PUT": dav.put(A, later(event), **headers).status_code,
        "MOVE": dav.request("MOVE", A, headers={**other, **named}).status_code,
        "DELETE": dav.request("DELETE", A, headers=named).status_code,
    }


REFUSED = dict.fromkeys(("GET", "HEAD", "COPY", "PUT", "MOVE", "DELETE"), 412)
DONE = {"GET": 200, "HEAD": 200, "COPY": 201, "PUT": 204, "MOVE": 201, "DELETE": 404}


@pytest.fixture
def work(dav):
    assert dav.xml("MKCALENDAR", "/alice/work/").status_code == 201


@pytest.mark.parametrize(
    ("since", "expected"), [(BEFORE, REFUSED), (AT, DONE), (AFTER, DONE), ("rubbish", DONE), ("", DONE)]
)
def test_if_unmodified_since(dav, event, etag, work, since, expected):
    assert attempts(dav, event, If_Unmodified_Since=since) == expected


def test_a_date_does_not_count_beside_an_etag(dav, event, etag):
    """RFC 9110 §13.1.4."""
    assert dav.put(A, later(event), If_Match=etag, If_Unmodified_Since=BEFORE).status_code == 204
    assert dav.put(CALENDAR + "new.ics", event("new"), If_Unmodified_Since=BEFORE).status_code == 201


@pytest.mark.parametrize("header", ['"x"', 'W/"x"'])
def test_if_match_on_what_only_reads(dav, event, etag, work, header):
    assert attempts(dav, event, If_Match=header) == REFUSED


@pytest.mark.parametrize("condition", ["({etag})", "({other}) ({etag})", "(Not {other})", "({etag} Not {other})",
                                       "(Not <DAV:no-lock> {etag})", "<{a}> ({etag})", "<{base}{a}> ({etag})",
                                       "<{c}> (<{token}>)", "<{c}> ({other}) <{c}> ({ctag})",
                                       "<{a}> ({other}) ({etag})", "(not {other})", "<{home}> (Not {other})"])  # fmt: skip
def test_an_if_header_that_holds(dav, event, base, etag, token, ctag, condition):
    names = {"etag": f"[{etag}]", "other": '["other"]', "a": A, "c": CALENDAR, "home": "/alice/", "base": base}
    header = condition.format(**names, token=token, ctag=f"[{ctag}]")
    assert dav.put(A, later(event), If=header).status_code == 204, header


@pytest.mark.parametrize("condition", ["({other})", "({etag} {other})", "(Not {etag})", "({etag} Not {etag})",
                                       "(<opaquelocktoken:f81d4fae>)", "(<DAV:no-lock>)", "(<{token}>)",
                                       "<{c}> (<{token}0>)", "<{c}> ({etag})", "</alice/gone/> ({etag})",
                                       "</bob/calendar/> (<{bobs}>)", "<mailto:x@example.org> ({etag})"])  # fmt: skip
def test_an_if_header_that_does_not_hold(dav, event, person, etag, token, condition):
    """Nor does what is known of another's calendar: nobody is told of it in this way."""
    person("bob")
    names = {"etag": f"[{etag}]", "other": '["other"]', "c": CALENDAR, "bobs": "http://radicale.org/ns/sync/3-0"}
    header = condition.format(**names, token=token)
    for method, path in (("PUT", A), ("DELETE", A), ("GET", A)):
        reply = dav.request(method, path, content=later(event) if method == "PUT" else b"", headers={"If": header})
        assert reply.status_code == 412, (method, header)
    assert dav.get(A).headers["ETag"] == etag


@pytest.mark.parametrize(
    "header", ["x", "(", "()", "(Not)", "<a>", "(<a>", "((<a>))", "(Not Not <a>)", ")", "[x]", "(<a b>)"]
)
def test_an_if_header_that_is_none(dav, event, etag, header):
    assert dav.put(A, later(event), If=header).status_code == 400
    assert dav.get(A).headers["ETag"] == etag


def test_a_write_if_nothing_in_the_calendar_has_changed(dav, event, token):
    """RFC 6578 §5: its sync token is a state token."""
    condition = {"If": f"<{CALENDAR}> (<{token}>)"}
    assert dav.put(CALENDAR + "b.ics", event("b"), **condition).status_code == 201
    assert dav.put(CALENDAR + "c.ics", event("c"), **condition).status_code == 412
    assert dav.request("DELETE", A, headers=condition).status_code == 412
    state = dav.props("/alice/", "D:sync-token").text("/alice/", "D:sync-token")
    dav.put(TASKS + "t.ics", event("t", component="VTODO"))
    assert dav.put(A, later(event), If=f"</alice/> (<{state}>)").status_code == 412
    state = dav.props("/alice/", "D:sync-token").text("/alice/", "D:sync-token")
    assert dav.put(A, later(event), If=f"</alice/> (<{state}>)").status_code == 204


def test_conditions_on_a_calendar_itself(dav, event, ctag):
    for headers in ({"If-Match": '"x"'}, {"If-None-Match": "*"}, {"If": '(["x"])'}, {"If-Unmodified-Since": BEFORE}):
        assert dav.xml("PROPPATCH", CALENDAR, NAME, **headers).status_code == 412, headers
        assert dav.request("DELETE", CALENDAR, headers=headers).status_code == 412, headers
    assert dav.get(CALENDAR, headers={"If-Match": '"x"'}).status_code == 412
    assert dav.props(CALENDAR, "D:displayname").text(CALENDAR, "D:displayname") == "Calendar"
    assert dav.xml("PROPPATCH", CALENDAR, NAME, If_Match=ctag).status_code == 207
    assert dav.xml("PROPPATCH", CALENDAR, NAME, If_Match=ctag).status_code == 412
    assert dav.request("DELETE", CALENDAR, headers={"If-Match": ctag}).status_code == 412
    now = dav.props(CALENDAR, "D:getetag").text(CALENDAR, "D:getetag")
    assert dav.request("DELETE", CALENDAR, headers={"If-Match": now}).status_code == 204


def test_who_comes_too_late_may_see_at_once_what_is_there(dav, event, etag):
    """RFC 8144 §3.2."""
    assert dav.put(A, later(event), If_Match=etag).status_code == 204
    late = dav.put(A, event("a", "DTSTART:20260312T090000Z"), If_Match=etag, Prefer="return=representation")
    assert late.status_code == 412
    assert late.content == later(event)
    assert late.headers["ETag"] == dav.get(A).headers["ETag"]
    assert late.headers["Content-Location"] == A
    assert late.headers["Preference-Applied"] == "return=representation"
    plain = dav.put(A, event("a"), If_Match=etag)
    assert (plain.status_code, b"BEGIN" in plain.content) == (412, False)
    dav.request("DELETE", A)
    assert dav.put(A, event("a"), If_Match=etag, Prefer="return=representation").status_code == 412


def test_a_put_gives_its_bytes_back_where_that_is_preferred(dav, event):
    made = dav.put(A, event("a"), Prefer="return=representation")
    assert (made.status_code, made.content) == (201, event("a"))
    assert made.headers["Content-Type"] == "text/calendar; charset=utf-8"
    changed = dav.put(A, later(event), Prefer="wait=5, return=representation")
    assert (changed.status_code, changed.content) == (200, later(event))
    assert changed.headers["ETag"] == dav.get(A).headers["ETag"]
    assert dav.put(A, event("a"), Prefer="return=minimal").content == b""
