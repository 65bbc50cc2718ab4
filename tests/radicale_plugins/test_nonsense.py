"""Documents made of the right words in the wrong places, and headers made of anything: a clear no, never an error of ours."""

import random

import pytest

from tests.support.hostile import POISON

CALENDAR = "/alice/calendar/"
PLACES = ("/", "/alice/", CALENDAR, CALENDAR + "a.ics", "/alice/gone/", "/bob/", "/alice/.x/y")
WORDS = [
    "D:sync-collection",
    "D:expand-property",
    "D:principal-match",
    "D:principal-property-search",
    "D:principal-search-property-set",
    "CS:calendarserver-principal-search",
    "D:acl-principal-prop-set",
    "C:calendar-query",
    "C:calendar-multiget",
    "C:free-busy-query",
    "D:propfind",
    "D:propertyupdate",
    "C:mkcalendar",
    "D:mkcol",
    "D:set",
    "D:remove",
    "D:prop",
    "D:allprop",
    "D:propname",
    "D:include",
    "D:href",
    "D:self",
    "D:property",
    "D:property-search",
    "D:match",
    "D:principal-property",
    "D:sync-token",
    "D:sync-level",
    "D:limit",
    "D:nresults",
    "D:owner",
    "D:acl",
    "C:filter",
    "C:comp-filter",
    "C:prop-filter",
    "C:param-filter",
    "C:time-range",
    "C:text-match",
    "C:is-not-defined",
    "C:timezone",
    "C:timezone-id",
    "C:calendar-data",
    "C:comp",
    "C:allcomp",
    "C:allprop",
    "C:expand",
    "C:limit-recurrence-set",
    "C:limit-freebusy-set",
    "C:calendar-timezone",
    "C:calendar-timezone-id",
    "C:supported-calendar-component-set",
    "D:resourcetype",
    "D:displayname",
    "C:calendar-home-set",
    "CS:search-token",
    "CS:limit",
    "CS:nresults",
    "A:calendar-color",
    "D:getetag",
    "tag",
]
ATTRIBUTES = {
    "name": ("VCALENDAR", "VEVENT", "SUMMARY", "owner", "principal-URL", "", "ä"),
    "namespace": ("DAV:", "", "urn:x", "}"),
    "start": ("20260301T000000Z", "99991231T235959Z", "x", "00010101T000000Z"),
    "end": ("20260401T000000Z", "99991231T235959Z", ""),
    "collation": ("i;octet", "i;klingon"),
    "match-type": ("equals", "x"),
    "novalue": ("yes", "no"),
    "test": ("anyof", "allof", "x"),
}
TEXTS = ("", "", "1", "0", "infinite", "-1", "9" * 30, "/alice/", CALENDAR + "a.ics", "mailto:x@example.org", "Asia/Tokyo",
         "http://radicale.org/ns/sync/1-0", "http://radicale.org/ns/sync/home/x", "BEGIN:VTIMEZONE", "//[", "ä")  # fmt: skip
ROOTS = {
    "REPORT": WORDS[:10],
    "PROPFIND": ["D:propfind"],
    "PROPPATCH": ["D:propertyupdate"],
    "MKCALENDAR": ["C:mkcalendar"],
    "MKCOL": ["D:mkcol"],
}


def tree(rnd, name, depth):
    attributes = "".join(f' {key}="{rnd.choice(values)}"' for key, values in ATTRIBUTES.items() if rnd.random() < 0.4)
    inner = "".join(tree(rnd, rnd.choice(WORDS), depth - 1) for _ in range(rnd.randrange(4))) if depth else ""
    return f"<{name}{attributes}>{inner or rnd.choice(TEXTS)}</{name}>"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("method", ROOTS)
def test_words_in_any_order(dav, event, method, seed):
    rnd = random.Random(f"{method} {seed}")
    dav.put(CALENDAR + "a.ics", event("a", "DTSTART:20260310T090000Z", "RRULE:FREQ=DAILY;COUNT=3"))
    for _ in range(60):
        body = tree(rnd, rnd.choice(ROOTS[method]), 4)
        path = rnd.choice(PLACES)
        reply = dav.xml(method, path, body, Depth=rnd.choice(["0", "1", "infinity"]))
        assert reply.status_code < 500 or reply.status_code == 507, (path, body)
    assert dav.multi("PROPFIND", "/alice/", "<D:propfind><D:allprop/></D:propfind>", Depth="1").hrefs


@pytest.mark.parametrize("seed", range(3))
def test_conditions_of_any_characters(dav, event, seed):
    rnd = random.Random(seed)
    etag = dav.put(CALENDAR + "a.ics", event("a")).headers["ETag"]
    pieces = (
        "(",
        ")",
        "<",
        ">",
        "[",
        "]",
        "Not",
        " ",
        '"x"',
        etag,
        "W/",
        "*",
        ",",
        "DAV:no-lock",
        CALENDAR,
        "/bob/",
        "\\",
        "é",
    )
    for _ in range(60):
        value = "".join(rnd.choice(pieces) for _ in range(rnd.randrange(1, 9))).strip().encode("latin-1")
        name = rnd.choice(["If", "If-Match", "If-None-Match", "If-Unmodified-Since", "Prefer", "Destination", "Depth"])
        method = rnd.choice(["GET", "PUT", "DELETE", "COPY", "MOVE", "PROPPATCH"])
        path = rnd.choice([CALENDAR + "a.ics", CALENDAR + "new.ics"])
        body = event("a") if method == "PUT" else b""
        reply = dav.request(method, path, content=body, headers={"Destination": "/alice/tasks/x.ics", name: value})
        assert reply.status_code < 500 or reply.status_code == 502, (method, name, value)


@pytest.mark.parametrize("component", ["VEVENT", "VTODO", "VJOURNAL"])
@pytest.mark.parametrize("form", ["expand", "limit-recurrence-set"])
def test_d10_r32_objects_at_the_ends_of_time_in_every_form(dav, event, component, form):
    dav.xml("MKCALENDAR", "/alice/all/")
    names = [f"/alice/all/{number}.ics" for number in range(len(POISON))]
    for path, lines in zip(names, POISON, strict=True):
        assert dav.put(path, event(path, *lines, component=component)).status_code == 201
    choice = '<C:comp name="VCALENDAR"><C:comp name="VEVENT"><C:prop name="DTSTART"/></C:comp><C:allcomp/></C:comp>'
    for within in (
        'start="20260301T000000Z" end="20260401T000000Z"',
        'start="00010101T000000Z" end="99991231T235959Z"',
    ):
        data = f"<C:calendar-data>{choice}<C:{form} {within}/></C:calendar-data>"
        filtered = '<C:filter><C:comp-filter name="VCALENDAR"/></C:filter>'
        body = f"<C:calendar-query><D:prop><D:getetag/>{data}</D:prop>{filtered}</C:calendar-query>"
        assert sorted(dav.report("/alice/all/", body).hrefs) == sorted(names)
        filtered = filtered.replace(
            'name="VCALENDAR"/>',
            f'name="VCALENDAR"><C:comp-filter name="{component}"><C:time-range {within}/></C:comp-filter></C:comp-filter>',
        )
        ranged = f"<C:calendar-query><D:prop>{data}</D:prop>{filtered}</C:calendar-query>"
        assert dav.xml("REPORT", "/alice/all/", ranged).status_code == 207
