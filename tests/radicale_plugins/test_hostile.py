"""Objects and requests that are made to break the server: one bad object harms nobody's reports (R32, D-10), nothing is a 500."""

import re
from wsgiref.util import setup_testing_defaults

import pytest

from tests.support.hostile import ELSEWHERE, NS, POISON, XML

PROP = "<D:prop><D:getetag/></D:prop>"
RANGES = [
    'start="20260301T000000Z" end="20260401T000000Z"',
    'start="00010101T000000Z" end="99991231T235959Z"',
    'start="00010101T000000Z"',
    'end="99991231T235959Z"',
    'start="20260301T000000Z" end="20360401T000000Z"',
]

METHODS = "GET HEAD PUT DELETE PROPFIND PROPPATCH REPORT MKCALENDAR MKCOL MOVE COPY POST LOCK ACL"


def query(within, component="VEVENT", prop=PROP):
    inner = f'<C:comp-filter name="{component}"><C:time-range {within}/></C:comp-filter>'
    whole = f'<C:filter><C:comp-filter name="VCALENDAR">{inner}</C:comp-filter></C:filter>'
    return f"<C:calendar-query>{prop}{whole}</C:calendar-query>"


@pytest.mark.parametrize("component", ["VEVENT", "VTODO"])
def test_d10_r32_objects_at_the_ends_of_time_harm_no_report(dav, event, component):
    place = "/alice/calendar/" if component == "VEVENT" else "/alice/tasks/"
    for number, lines in enumerate(POISON):
        data = event(f"p{number}", *lines, component=component)
        assert dav.put(f"{place}p{number}.ics", data).status_code == 201, lines
        assert dav.get(f"{place}p{number}.ics").content == data
    assert (
        dav.put(f"{place}good.ics", event("good", "DTSTART:20260310T090000Z", component=component)).status_code == 201
    )
    for within in RANGES:
        assert f"{place}good.ics" in dav.report(place, query(within, component), Depth="1").hrefs
    expand = f"<D:prop><C:calendar-data><C:expand {RANGES[0]}/></C:calendar-data></D:prop>"
    assert f"{place}good.ics" in dav.report(place, query(RANGES[0], component, expand), Depth="1").hrefs
    busy = dav.xml("REPORT", place, f"<C:free-busy-query><C:time-range {RANGES[0]}/></C:free-busy-query>", Depth="1")
    assert busy.status_code == 200


@pytest.mark.parametrize("method", METHODS.split())
def test_nobody_gets_at_the_calendars_of_others(dav, event, person, base, method):
    """By no method, whatever the path is written like."""
    import httpx

    bob = person("bob")
    secret = event("secret", "DTSTART:20260310T090000Z", "SUMMARY:canary-of-bob")
    with httpx.Client(base_url=base, auth=bob) as his:
        assert his.put("/bob/calendar/secret.ics", content=secret).status_code == 201
        for path in ELSEWHERE:
            body = secret if method == "PUT" else b""
            headers = {"Depth": "1", "Destination": f"{base}/alice/calendar/stolen.ics", "Overwrite": "T"}
            answer = dav.request(method, path, content=body, headers=headers)
            if (method, answer.status_code) == ("PROPFIND", 207):  # whose home it is may be seen, and nothing of it
                assert not {"/bob/calendar/", "getctag", "sync-token"} & set(re.split(r"[<>]", answer.text))
            else:
                assert answer.status_code in (400, 401, 403, 404, 405), (path, answer.status_code)
            assert "canary-of-bob" not in answer.text
        assert his.get("/bob/calendar/secret.ics").content == secret
        assert his.request("PROPFIND", "/bob/", headers={"Depth": "1"}).text.count("<href>/bob/") >= 3


def test_nobody_gets_at_the_calendars_of_others_by_references(dav, event, person, base):
    """A multiget's hrefs, a MOVE's destination, and what another calendar's token would tell."""
    import httpx

    bob = person("bob")
    secret = event("secret", "DTSTART:20260310T090000Z", "SUMMARY:canary-of-bob")
    with httpx.Client(base_url=base, auth=bob) as his:
        his.put("/bob/calendar/secret.ics", content=secret)
        token = his.request(
            "PROPFIND", "/bob/calendar/", content=f"<D:propfind {NS}><D:prop><D:sync-token/></D:prop></D:propfind>"
        ).text
        hrefs = "".join(f"<D:href>{path}</D:href>" for path in (*ELSEWHERE, f"{base}/bob/calendar/secret.ics"))
        body = f"<C:calendar-multiget><D:prop><D:getetag/><C:calendar-data/></D:prop>{hrefs}</C:calendar-multiget>"
        told = dav.xml("REPORT", "/alice/calendar/", body)
        assert told.status_code == 207
        assert "canary-of-bob" not in told.text
        dav.put("/alice/calendar/mine.ics", event("mine"))
        for target in ("/bob/calendar/x.ics", "/bob/calendar/secret.ics", "/bob/calendar/", "/bob/", "/"):
            moved = dav.request("MOVE", "/alice/calendar/mine.ics", headers={"Destination": base + target})
            assert moved.status_code in (403, 409, 502), target
        (number,) = [part.split("<")[0] for part in token.split("sync/")[1:]]
        foreign = f"<D:sync-token>http://radicale.org/ns/sync/{number}</D:sync-token>{PROP}"
        report = f"<D:sync-collection>{foreign}</D:sync-collection>"
        assert dav.xml("REPORT", "/alice/calendar/", report).status_code == 403
        assert his.get("/bob/calendar/secret.ics").content == secret


@pytest.mark.parametrize("body", XML)
@pytest.mark.parametrize("method", ["PROPFIND", "PROPPATCH", "REPORT", "MKCALENDAR", "MKCOL"])
def test_hostile_xml_is_refused(dav, method, body):
    answer = dav.request(method, "/alice/calendar/", content=body.encode(), headers={"Depth": "0"})
    assert answer.status_code in (400, 403, 405, 409), answer.text
    assert "root:" not in answer.text


@pytest.mark.parametrize(
    "login", ["alice\0", "alice%00", "%00", "", "a" * 10000, "alice\r\nX: y", "ä", "\ud7ff", "'--", "%ED%A0%80"]
)
def test_hostile_names_cannot_sign_in(anonymous, login):
    import base64

    told = base64.b64encode(f"{login}:x".encode()).decode()
    answer = anonymous.request("PROPFIND", "/", headers={"Authorization": f"Basic {told}", "Depth": "0"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "name", ["%00.ics", "a%0ab.ics", "%01", "%ff.ics", "x" * 256, "..", "%2e%2e", "a%2fb.ics", "%7f"]
)
def test_what_cannot_be_asked_for_cannot_be_moved_to_or_referred_to(dav, event, base, name):
    dav.put("/alice/calendar/mine.ics", event("mine"))
    moved = dav.request("MOVE", "/alice/calendar/mine.ics", headers={"Destination": f"{base}/alice/calendar/{name}"})
    assert moved.status_code in (403, 502), moved.status_code
    hrefs = f"<D:href>/alice/calendar/{name}</D:href><D:href>/alice/calendar/mine.ics</D:href>"
    told = dav.report("/alice/calendar/", f"<C:calendar-multiget>{PROP}{hrefs}</C:calendar-multiget>")
    assert told.text("/alice/calendar/mine.ics", "D:getetag")


@pytest.mark.parametrize("name", [".hidden", ".Radicale.props", ".."])
@pytest.mark.parametrize("method", ["MKCALENDAR", "MKCOL", "PUT"])
def test_a_name_that_begins_with_a_dot_is_refused(dav, name, method):
    assert dav.request(method, f"/alice/{name}/").status_code in (400, 403)


class Dawdling:
    """A body that never comes."""

    def read(self, *_):
        raise AssertionError("somebody waits for it")


@pytest.mark.parametrize("method", ["PUT", "REPORT", "PROPFIND", "MKCALENDAR", "POST"])
@pytest.mark.parametrize("body", [{"CONTENT_LENGTH": "1000"}, {"HTTP_TRANSFER_ENCODING": "chunked"}])
def test_a_stranger_who_dawdles_holds_no_thread(application, method, body):
    environ = {"REQUEST_METHOD": method, "PATH_INFO": "/alice/calendar/x.ics", **body}
    setup_testing_defaults(environ)
    environ["wsgi.input"] = Dawdling()
    told = []
    list(application(environ, lambda status, *_: told.append(status)))
    assert told[0].startswith("401")
