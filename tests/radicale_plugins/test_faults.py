"""What stock Radicale does wrong and this server must not: each fault has a test that bears its number, and these are the rest."""

import re
from pathlib import Path

import pytest

from bridge.ical import objects as ical

CALENDAR = "/alice/calendar/"
A = CALENDAR + "a.ics"
FAULTS = (*range(1, 8), *range(10, 16), *range(20, 25), *range(30, 33))


def test_every_fault_has_a_test():
    tests = Path(__file__).parents[1].rglob("test_*.py")
    named = {
        int(number)
        for file in tests
        for name in re.findall(r"def test_((?:[a-z]\d\d_)+)", file.read_text())
        for number in re.findall(r"d(\d\d)_", name)
    }
    assert not set(FAULTS) - named


VALID = {
    "RSCALE": ("DTSTART;VALUE=DATE:20260217", "RRULE:RSCALE=CHINESE;FREQ=YEARLY"),
    "a period": ("DTSTART:20260310T090000Z", "RDATE;VALUE=PERIOD:20260311T090000Z/PT2H"),
    "until before start": ("DTSTART:20260310T090000Z", "RRULE:FREQ=DAILY;UNTIL=20200101T000000Z"),
    "an image": ("DTSTART:20260310T090000Z", "IMAGE;VALUE=BINARY;ENCODING=BASE64;FMTTYPE=image/png:aGk="),
}


@pytest.mark.parametrize("lines", VALID.values(), ids=VALID.keys())
def test_d03_what_is_valid_is_stored(dav, event, lines):
    data = event("a", *lines)
    assert dav.put(A, data).status_code == 201
    assert dav.get(A).content == data
    mark = b"\xef\xbb\xbf" + event("b")
    assert dav.put(CALENDAR + "b.ics", mark).status_code == 201
    assert dav.get(CALENDAR + "b.ics").content == mark


@pytest.mark.parametrize("component", ["VAVAILABILITY", "VFREEBUSY"])
def test_d03_what_no_calendar_takes_is_refused_by_name(dav, event, component):
    reply = dav.put(A, event("a", "DTSTART:20260310T090000Z", "DTEND:20260311T090000Z", component=component))
    assert reply.status_code == 403
    assert "supported-calendar-component" in reply.text


def test_d15_expanding_costs_what_is_found_and_not_what_there_is(dav, event, monkeypatch):
    """Of many events only those in the range are read at all; stock Radicale reads, and expands, every one."""
    for number in range(1, 29):
        day = f"202602{number:02}"
        dav.put(f"{CALENDAR}{number}.ics", event(f"u{number}", f"DTSTART:{day}T090000Z", f"DTEND:{day}T100000Z"))
    read = []
    parse = ical.parse
    monkeypatch.setattr(ical, "parse", lambda data: read.append(data) or parse(data))
    window = 'start="20260210T000000Z" end="20260211T000000Z"'
    body = (
        f"<C:calendar-query><D:prop><C:calendar-data><C:expand {window}/></C:calendar-data></D:prop>"
        '<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
        f"<C:time-range {window}/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
    )
    assert dav.report(CALENDAR, body).hrefs == [CALENDAR + "10.ics"]
    assert 0 < len(read) <= 2


def test_d22_a_home_as_macos_asks_for_it_without_what_is_not_there(dav):
    """94 empty properties in one listing."""
    names = ("D:quota-used-bytes", "CS:pushkey", "CS:source", "A:calendar-order", "CS:getctag", "D:displayname")
    full = dav.props("/alice/", *names, depth="1")
    brief = dav.props("/alice/", *names, depth="1", Brief="t")
    for href in full.hrefs:
        assert brief.props(href) == [] or [each.tag for each in brief.props(href)] == [
            each.tag for each in full.props(href)
        ]
        assert brief.props(href, "404") == []
        assert full.props(href, "404")


def test_d23_nothing_is_advertised_that_is_not_there(dav, event):
    dav.put(A, event("a"))
    for path in ("/", "/alice/", CALENDAR, A):
        reply = dav.request("OPTIONS", path)
        assert "2" not in [token.strip() for token in reply.headers["DAV"].split(",")]
        assert "LOCK" not in reply.headers["Allow"]
        assert dav.request("LOCK", path).status_code == 405
    deleted = dav.request("DELETE", A)
    assert (deleted.status_code, deleted.content) == (204, b"")


def test_d32_a_list_of_etags_reads_no_data(dav, event, statements):
    for name in "abc":
        dav.put(f"{CALENDAR}{name}.ics", event(name))
    statements.clear()
    assert len(dav.props(CALENDAR, "D:getetag", "D:getcontenttype", "D:resourcetype", depth="1").hrefs) == 4
    body = "<D:sync-collection><D:sync-token/><D:prop><D:getetag/></D:prop></D:sync-collection>"
    assert len(dav.report(CALENDAR, body).hrefs) == 3
    asked = [each for each, _ in statements if "objects" in each]
    assert len(asked) == 2
    assert not [each for each in asked if "data" in each]
