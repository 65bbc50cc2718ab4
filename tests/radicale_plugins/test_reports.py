"""REPORTs: what changed, what was asked for, what lies in a time, who is busy."""

import xml.etree.ElementTree as ET

import pytest

CALENDAR = "/alice/calendar/"
C = "{urn:ietf:params:xml:ns:caldav}"


def sync(token="", prop="<D:getetag/>", extra=""):
    return f"<D:sync-collection><D:sync-token>{token}</D:sync-token>{extra}<D:prop>{prop}</D:prop></D:sync-collection>"


def token_in(answer):
    return answer.root.findtext("{DAV:}sync-token")


def test_sync_is_only_what_changed(dav, event):
    for name in "abc":
        dav.put(f"{CALENDAR}{name}.ics", event(name))
    first = dav.report(CALENDAR, sync(), Depth="0")
    assert [href[-5:] for href in first.hrefs] == ["a.ics", "b.ics", "c.ics"]
    token = token_in(first)
    assert token == dav.props(CALENDAR, "D:sync-token").text(CALENDAR, "D:sync-token")
    assert ":" in token  # Evolution takes it for none otherwise
    assert dav.report(CALENDAR, sync(token)).hrefs == []
    changed = dav.put(CALENDAR + "a.ics", event("a", "DTSTART:20260311T090000Z")).headers["ETag"]
    dav.request("DELETE", CALENDAR + "b.ics")
    dav.put(CALENDAR + "d.ics", event("d"))
    dav.put(CALENDAR + "e.ics", event("e"))
    dav.request("DELETE", CALENDAR + "e.ics")
    second = dav.report(CALENDAR, sync(token))
    assert set(second.hrefs) == {CALENDAR + name for name in ("a.ics", "b.ics", "d.ics", "e.ics")}
    assert second.text(CALENDAR + "a.ics", "D:getetag") == changed
    assert second.status(CALENDAR + "b.ics") == second.status(CALENDAR + "e.ics") == "HTTP/1.1 404 Not Found"
    assert second.status(CALENDAR + "d.ics") is None
    assert dav.report(CALENDAR, sync(token_in(second))).hrefs == []


def test_d11_a_first_sync_names_no_dead(dav, event):
    """D-11."""
    dav.put(CALENDAR + "a.ics", event("a"))
    dav.request("DELETE", CALENDAR + "a.ics")
    assert dav.report(CALENDAR, sync()).hrefs == []


def test_d11_members_are_named_even_if_nothing_is_asked_of_them(dav, event):
    """D-11: with an empty prop they were left out."""
    dav.put(CALENDAR + "a.ics", event("a"))
    answer = dav.report(CALENDAR, sync(prop=""))
    assert answer.hrefs == [CALENDAR + "a.ics"]
    assert answer.props(CALENDAR + "a.ics") == []


def test_sync_with_data_as_some_clients_want_it(dav, event):
    dav.put(CALENDAR + "a.ics", event("a"))
    answer = dav.report(CALENDAR, sync(prop="<D:getetag/><D:getcontenttype/><C:calendar-data/>"))
    assert answer.text(CALENDAR + "a.ics", "C:calendar-data") == event("a").decode().replace("\r\n", "\n")
    assert answer.text(CALENDAR + "a.ics", "D:getcontenttype").startswith("text/calendar;")


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        "http://radicale.org/ns/sync/1-99",
        "http://radicale.org/ns/sync/2-0",
        "http://radicale.org/ns/sync/1--1",
        "http://radicale.org/ns/sync/1-0x",
        "data:,1",
    ],
)
def test_a_token_that_is_not_ours_is_refused_by_name(dav, event, token):
    dav.put(CALENDAR + "a.ics", event("a"))
    reply = dav.xml("REPORT", CALENDAR, sync(token))
    assert reply.status_code == 403
    assert ET.fromstring(reply.content)[0].tag == "{DAV:}valid-sync-token"


def test_a_token_below_the_floor_is_refused_by_name(dav, database, clock, event):
    from bridge.store import calendars, changes

    dav.put(CALENDAR + "a.ics", event("a"))
    token = token_in(dav.report(CALENDAR, sync()))
    dav.request("DELETE", CALENDAR + "a.ics")
    clock.move(days=200)
    with database.write() as conn:
        changes.compact(conn, calendars.get(conn, "alice", "calendar").id, clock())
    assert dav.xml("REPORT", CALENDAR, sync(token)).status_code == 403
    assert dav.report(CALENDAR, sync()).hrefs == []


def test_multiget_as_davx5_and_vdirsyncer_send_it_without_depth(dav, base, event):
    for name in "ab":
        dav.put(f"{CALENDAR}{name}.ics", event(name))
    hrefs = [
        CALENDAR + "a.ics",
        base + CALENDAR + "b.ics",  # an absolute URL
        CALENDAR + "gone.ics",
        "/bob/calendar/a.ics",
        "/alice/calendar/../../bob/calendar/a.ics",
        CALENDAR,
        "",
    ]
    asked = "".join(f"<D:href>{href}</D:href>" for href in hrefs)
    answer = dav.report(
        CALENDAR, f"<C:calendar-multiget><D:prop><D:getetag/><C:calendar-data/></D:prop>{asked}</C:calendar-multiget>"
    )
    assert answer.text(CALENDAR + "a.ics", "C:calendar-data") == event("a").decode().replace("\r\n", "\n")
    assert answer.text(CALENDAR + "b.ics", "C:calendar-data") == event("b").decode().replace("\r\n", "\n")
    for href in hrefs[2:6]:
        assert answer.status(href) == "HTTP/1.1 404 Not Found", href


def query(inner, prop="<D:getetag/>", extra=""):
    return (
        f"<C:calendar-query><D:prop>{prop}</D:prop>"
        f'<C:filter><C:comp-filter name="VCALENDAR">{inner}</C:comp-filter></C:filter>{extra}</C:calendar-query>'
    )


def events(inner=""):
    return query(f'<C:comp-filter name="VEVENT">{inner}</C:comp-filter>')


def between(start, end, **kwargs):
    attributes = "".join(f' {name}="{value}"' for name, value in (("start", start), ("end", end)) if value)
    return f"<C:time-range{attributes}/>"


def found(dav, body, path=CALENDAR):
    return {href.rpartition("/")[2].removesuffix(".ics") for href in dav.report(path, body).hrefs}


@pytest.fixture
def week(dav, event):
    """Objects around Tuesday, 10 March 2026."""
    made = {
        "single": ("DTSTART:20260310T090000Z", "DTEND:20260310T100000Z", "SUMMARY:Tea", "LOCATION:Café Central"),
        "zoned": ("DTSTART;TZID=Europe/Vienna:20260310T110000", "DURATION:PT1H"),
        "allday": ("DTSTART;VALUE=DATE:20260310", "SUMMARY:Holiday"),
        "weekly": (
            "DTSTART:20260106T150000Z",
            "DTEND:20260106T160000Z",
            "RRULE:FREQ=WEEKLY",
            "EXDATE:20260317T150000Z",
        ),
        "yearly": ("DTSTART:20100611T080000Z", "RRULE:FREQ=YEARLY"),
        "long": ("DTSTART:20260301T000000Z", "DTEND:20260401T000000Z", "TRANSP:TRANSPARENT"),
        "instant": ("DTSTART:20260310T120000Z",),
        "cancelled": ("DTSTART:20260310T130000Z", "DTEND:20260310T133000Z", "STATUS:CANCELLED"),
        "chinese": ("DTSTART;VALUE=DATE:20260217", "RRULE:RSCALE=CHINESE;FREQ=YEARLY"),
    }
    for name, lines in made.items():
        assert dav.put(f"{CALENDAR}{name}.ics", event(name, *lines)).status_code == 201
    alone = event("orphan", "RECURRENCE-ID:20260310T170000Z", "DTSTART:20260310T180000Z", "DTEND:20260310T190000Z")
    assert dav.put(f"{CALENDAR}orphan.ics", alone).status_code == 201
    return dav


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("20260310T090000Z", "20260310T100000Z", {"single", "allday", "long"}),
        ("20260310T100000Z", "20260310T110000Z", {"zoned", "allday", "long"}),  # an end is exclusive
        ("20260310T120000Z", "20260310T130000Z", {"instant", "allday", "long"}),
        ("20260310T130000Z", "20260310T140000Z", {"cancelled", "allday", "long"}),
        ("20260310T153000Z", "20260310T154500Z", {"weekly", "allday", "long"}),
        ("20260310T170000Z", "20260310T180000Z", {"allday", "long"}),  # moved away from here
        ("20260310T180000Z", "20260310T190000Z", {"orphan", "allday", "long"}),
        ("20260317T150000Z", "20260317T160000Z", {"long"}),  # excluded there
        ("20260324T150000Z", "20260324T160000Z", {"long", "weekly"}),
        ("20290611T080000Z", "20290611T080001Z", {"yearly"}),
        ("20290612T080000Z", "20290612T090000Z", set()),
        ("20260101T000000Z", "20260102T000000Z", set()),
    ],
)
def test_time_ranges(week, start, end, expected):
    """RFC 4791 §9.9. RSCALE cannot be expanded: it is always named rather than lost."""
    assert found(week, events(between(start, end))) - {"chinese"} == expected


def test_open_ranges(week):
    assert {"weekly", "yearly", "long"} <= found(week, events(between("20260325T000000Z", None)))  # as iOS asks
    assert found(week, events(between("20270101T000000Z", None))) == {"weekly", "yearly", "chinese"}
    assert found(week, events(between(None, "20260107T000000Z"))) == {"weekly", "yearly", "chinese"}
    assert found(week, events(between(None, "20100101T000000Z"))) == {"chinese"}


def test_d01_a_time_zone_of_one_person_does_not_reach_another(base, dav, person, event):
    """D-01: the same TZID at +0500 and at -0500; stock Radicale gives the second the first one's offset."""
    from tests.radicale_plugins.conftest import Dav

    def zone(offset):
        return (
            "BEGIN:VTIMEZONE", "TZID:Local", "BEGIN:STANDARD", "DTSTART:19700101T000000", f"TZOFFSETFROM:{offset}",
            f"TZOFFSETTO:{offset}", "END:STANDARD", "END:VTIMEZONE",
        )  # fmt: skip

    noon = ("DTSTART;TZID=Local:20260310T120000", "DTEND;TZID=Local:20260310T130000")
    bob = person("bob")
    with Dav(base_url=base, auth=bob) as other:
        dav.put(CALENDAR + "a.ics", event("a", *noon, before=zone("+0500")))
        other.put("/bob/calendar/b.ics", event("b", *noon, before=zone("-0500")))
        east, west = between("20260310T070000Z", "20260310T080000Z"), between("20260310T170000Z", "20260310T180000Z")
        assert found(dav, events(east)) == {"a"}
        assert found(dav, events(west)) == set()
        assert found(other, events(east), "/bob/calendar/") == set()
        assert found(other, events(west), "/bob/calendar/") == {"b"}
        busy = f"<C:free-busy-query>{between('20260310T000000Z', '20260311T000000Z')}</C:free-busy-query>"
        assert "20260310T070000Z/20260310T080000Z" in dav.xml("REPORT", CALENDAR, busy).text
        assert "20260310T170000Z/20260310T180000Z" in other.xml("REPORT", "/bob/calendar/", busy).text


def test_d12_floating_and_all_day_times_in_the_zone_of_query_or_calendar(dav, event):
    """RFC 4791 §7.3."""
    dav.put(CALENDAR + "a.ics", event("a", "DTSTART:20260310T090000", "DTEND:20260310T100000"))
    dav.put(CALENDAR + "b.ics", event("b", "DTSTART;VALUE=DATE:20260310"))
    utc, tokyo = between("20260310T090000Z", "20260310T093000Z"), between("20260310T000000Z", "20260310T003000Z")
    late = between("20260310T150000Z", "20260310T160000Z")
    assert found(dav, events(utc)) == {"a", "b"}
    zone = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VTIMEZONE\nTZID:Asia/Tokyo\nEND:VTIMEZONE\nEND:VCALENDAR\n"
    inner = f'<C:comp-filter name="VEVENT">{tokyo}</C:comp-filter>'
    assert found(dav, query(inner, extra=f"<C:timezone>{zone}</C:timezone>")) == {"a", "b"}
    body = f"<D:propertyupdate><D:set><D:prop><C:calendar-timezone>{zone}</C:calendar-timezone></D:prop></D:set></D:propertyupdate>"
    dav.multi("PROPPATCH", CALENDAR, body)
    assert found(dav, events(utc)) == {"b"}
    assert found(dav, events(tokyo)) == {"a", "b"}
    assert found(dav, events(late)) == set()


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ('<C:prop-filter name="LOCATION"/>', {"single"}),
        (
            '<C:prop-filter name="RRULE"><C:is-not-defined/></C:prop-filter><C:prop-filter name="SUMMARY"/>',
            {"single", "allday"},
        ),
        ('<C:prop-filter name="LOCATION"><C:text-match>CAFÉ</C:text-match></C:prop-filter>', {"single"}),
        ('<C:prop-filter name="LOCATION"><C:text-match collation="i;octet">CAFÉ</C:text-match></C:prop-filter>', set()),
        (
            '<C:prop-filter name="UID"><C:text-match collation="i;octet">weekly</C:text-match></C:prop-filter>',
            {"weekly"},
        ),
        (
            '<C:prop-filter name="SUMMARY"><C:text-match negate-condition="yes">tea</C:text-match></C:prop-filter>',
            {"allday"},
        ),
        (
            (
                '<C:prop-filter name="DTSTART"><C:param-filter name="TZID"><C:text-match>vienna</C:text-match>'
                "</C:param-filter></C:prop-filter>"
            ),
            {"zoned"},
        ),
        (
            (
                '<C:prop-filter name="DTSTART"><C:param-filter name="VALUE"><C:is-not-defined/></C:param-filter></C:prop-filter>'
                '<C:prop-filter name="SUMMARY"/>'
            ),
            {"single"},
        ),
        ('<C:prop-filter name="DTEND"><C:time-range start="20260331T000000Z"/></C:prop-filter>', {"long"}),
        ('<C:comp-filter name="VALARM"/>', set()),
        (
            (
                '<C:time-range start="20260310T000000Z" end="20260311T000000Z"/>'
                '<C:prop-filter name="SUMMARY"><C:text-match>holi</C:text-match></C:prop-filter>'
            ),
            {"allday"},
        ),
    ],
)
def test_d12_filters(week, inner, expected):
    assert found(week, events(inner)) == expected


def test_components_that_are_not_there(week):
    assert found(week, query('<C:comp-filter name="VTODO"/>')) == set()
    assert len(found(week, query('<C:comp-filter name="VTODO"><C:is-not-defined/></C:comp-filter>'))) == 10
    assert found(week, query('<C:comp-filter name="VEVENT"><C:is-not-defined/></C:comp-filter>')) == set()
    assert len(found(week, query(""))) == 10


def test_d12_conditions_must_meet_in_one_instance(dav, event):
    """D-12: the override alone has the word, the master alone the time."""
    override = (
        b"BEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID:20260310T090000Z\r\n"
        b"DTSTART:20260310T120000Z\r\nDTEND:20260310T130000Z\r\nSUMMARY:Lunch\r\nEND:VEVENT\r\nEND:VCALENDAR"
    )
    data = event("a", "DTSTART:20260309T090000Z", "DTEND:20260309T100000Z", "RRULE:FREQ=DAILY", "SUMMARY:Tea")
    dav.put(CALENDAR + "a.ics", data.replace(b"END:VCALENDAR", override))
    lunch = '<C:prop-filter name="SUMMARY"><C:text-match>lunch</C:text-match></C:prop-filter>'
    assert found(dav, events(between("20260310T120000Z", "20260310T130000Z") + lunch)) == {"a"}
    assert found(dav, events(between("20260311T090000Z", "20260311T100000Z") + lunch)) == set()
    assert found(dav, events(between("20260310T090000Z", "20260310T100000Z"))) == set()


def test_d12_alarms_in_a_time_range(dav, event):
    alarm = (
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "DESCRIPTION:x",
        "TRIGGER:-PT2H",
        "REPEAT:1",
        "DURATION:PT30M",
        "END:VALARM",
    )
    dav.put(CALENDAR + "a.ics", event("a", "DTSTART:20260310T090000Z", "RRULE:FREQ=DAILY", *alarm))
    inside = '<C:comp-filter name="VALARM">{}</C:comp-filter>'
    at = {"0700": {"a"}, "0730": {"a"}, "0800": set(), "0900": set()}
    for time, expected in at.items():
        window = between(f"20260320T{time}00Z", f"20260320T{time}30Z")
        assert found(dav, events(inside.format(window))) == expected, time


@pytest.mark.parametrize(
    ("lines", "start", "end", "matches"),
    [
        (("DUE:20260310T090000Z",), "20260310T083000Z", "20260310T090000Z", True),
        (("DUE:20260310T090000Z",), "20260310T090000Z", "20260310T100000Z", False),
        (("DTSTART:20260310T090000Z", "DUE:20260312T090000Z"), "20260311T000000Z", "20260311T010000Z", True),
        (("DTSTART:20260310T090000Z", "DURATION:PT1H"), "20260310T093000Z", "20260310T094500Z", True),
        (("DTSTART:20260310T090000Z",), "20260310T090000Z", "20260310T090100Z", True),
        (("COMPLETED:20260310T090000Z", "CREATED:20260301T090000Z"), "20260305T000000Z", "20260306T000000Z", True),
        (("CREATED:20260301T090000Z",), "20270305T000000Z", "20270306T000000Z", True),
        (("CREATED:20260301T090000Z",), "20260201T000000Z", "20260202T000000Z", False),
        (("SUMMARY:Some day",), "20260201T000000Z", "20260202T000000Z", True),
    ],
)
def test_to_dos_in_a_time_range(dav, event, lines, start, end, matches):
    """The table of RFC 4791 §9.9."""
    assert dav.put("/alice/tasks/t.ics", event("t", *lines, component="VTODO")).status_code == 201
    body = query(f'<C:comp-filter name="VTODO">{between(start, end)}</C:comp-filter>')
    assert found(dav, body, "/alice/tasks/") == ({"t"} if matches else set())


@pytest.mark.parametrize(
    ("inner", "name"),
    [
        ('<C:comp-filter name="VEVENT"><C:time-range/></C:comp-filter>', "valid-filter"),
        ('<C:comp-filter name="VEVENT"><C:time-range start="20260310"/></C:comp-filter>', "valid-filter"),
        (
            '<C:comp-filter name="VEVENT"><C:time-range start="20260311T000000Z" end="20260310T000000Z"/></C:comp-filter>',
            "valid-filter",
        ),
        ('<C:comp-filter name="VEVENT"><C:nonsense/></C:comp-filter>', "valid-filter"),
        ("<C:comp-filter/>", "valid-filter"),
        (
            (
                '<C:comp-filter name="VEVENT"><C:prop-filter name="SUMMARY">'
                '<C:text-match collation="i;klingon">x</C:text-match></C:prop-filter></C:comp-filter>'
            ),
            "supported-collation",
        ),
    ],
)
def test_d12_invalid_filters_are_refused_by_name(dav, inner, name):
    reply = dav.xml("REPORT", CALENDAR, query(inner))
    assert reply.status_code == 403
    assert ET.fromstring(reply.content)[0].tag == C + name


def test_d10_expand(week):
    """RFC 4791 §9.6.5; D-10: an override without its master does not spoil it."""
    wish = '<C:calendar-data><C:expand start="20260309T000000Z" end="20260325T000000Z"/></C:calendar-data>'
    window = between("20260309T000000Z", "20260325T000000Z")
    body = query(f'<C:comp-filter name="VEVENT">{window}</C:comp-filter>', prop=f"<D:getetag/>{wish}")
    answer = week.report(CALENDAR, body)
    weekly = answer.text(CALENDAR + "weekly.ics", "C:calendar-data")
    assert weekly.count("BEGIN:VEVENT") == 2  # 10 and 24 March; the 17th is excluded
    assert "RRULE" not in weekly
    assert "DTSTART:20260310T150000Z" in weekly
    assert "RECURRENCE-ID:20260324T150000Z" in weekly
    zoned = answer.text(CALENDAR + "zoned.ics", "C:calendar-data")
    assert "DTSTART:20260310T100000Z" in zoned
    assert "DTEND:20260310T110000Z" in zoned
    assert "RECURRENCE-ID" not in zoned
    orphan = answer.text(CALENDAR + "orphan.ics", "C:calendar-data")
    assert "DTSTART:20260310T180000Z" in orphan
    assert "RECURRENCE-ID:20260310T170000Z" in orphan
    assert "DTSTART;VALUE=DATE:20260310" in answer.text(CALENDAR + "allday.ics", "C:calendar-data")


def test_d13_free_busy(week):
    body = f"<C:free-busy-query>{between('20260310T083000Z', '20260310T200000Z')}</C:free-busy-query>"
    for path in (CALENDAR, "/alice/"):  # Evolution asks the home
        reply = week.xml("REPORT", path, body, Depth="infinity")
        assert reply.status_code == 200
        assert reply.headers["Content-Type"] == "text/calendar; charset=utf-8"
        busy = [line.partition(":")[2] for line in reply.text.splitlines() if line.startswith("FREEBUSY")]
        # an all-day event is busy all day, and swallows the others
        assert busy == ["20260310T083000Z/20260310T200000Z"]
    week.request("DELETE", CALENDAR + "allday.ics")
    reply = week.xml("REPORT", CALENDAR, body)
    lines = [line for line in reply.text.splitlines() if line.startswith("FREEBUSY")]
    assert lines == [
        "FREEBUSY;FBTYPE=BUSY:20260310T090000Z/20260310T110000Z",
        "FREEBUSY;FBTYPE=BUSY:20260310T150000Z/20260310T160000Z",
        "FREEBUSY;FBTYPE=BUSY:20260310T180000Z/20260310T190000Z",
    ]
    assert week.xml("REPORT", CALENDAR, "<C:free-busy-query/>").status_code == 403


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("D:principal-search-property-set", 200),
        ("D:principal-property-search", 207),
        ("D:expand-property", 207),
        ("D:acl-principal-prop-set", 403),
        ("C:nonsense", 403),
    ],
)
def test_other_reports(dav, name, status):
    """Those of principals are tested in test_people.py (D-14)."""
    assert dav.xml("REPORT", "/", f"<{name}></{name}>").status_code == status


def test_one_broken_object_does_not_spoil_a_report(dav, database, event):
    """R32: stored by an older version of ours, or by hand."""
    import sqlalchemy as sa

    from bridge.store import tables

    for name in "ab":
        dav.put(f"{CALENDAR}{name}.ics", event(name))
    with database.write() as conn:
        conn.execute(
            sa.update(tables.objects).where(tables.objects.c.href == "a.ics").values(data=b"BEGIN:VCALENDAR\r\n\xff")
        )
    word = '<C:prop-filter name="SUMMARY"><C:text-match>tea</C:text-match></C:prop-filter>'
    assert found(dav, events(word)) == {"b"}
    assert found(dav, events(between("20260310T000000Z", "20260311T000000Z"))) == {"a", "b"}
    wish = '<C:calendar-data><C:expand start="20260309T000000Z" end="20260325T000000Z"/></C:calendar-data>'
    answer = dav.report(CALENDAR, query("", prop=wish))
    assert answer.text(CALENDAR + "b.ics", "C:calendar-data")
    assert answer.text(CALENDAR + "a.ics", "C:calendar-data") == "BEGIN:VCALENDAR\n\ufffd"


@pytest.fixture
def moved(dav, event):
    """Tuesdays at nine; from 17 March on Wednesdays at three, for two hours, with an alarm an hour before; the 24th is off."""
    master = event("moved", "DTSTART:20260303T090000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=5", "SUMMARY:Tea")
    later = (
        "RECURRENCE-ID;RANGE=THISANDFUTURE:20260317T090000Z", "DTSTART:20260318T150000Z", "DURATION:PT2H", "SUMMARY:Later",
        "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT1H", "END:VALARM",
    )  # fmt: skip
    end = b"END:VCALENDAR"
    text = master.replace(b"SUMMARY:Tea", b"SUMMARY:Tea\r\nEXDATE:20260324T090000Z")
    override = event("moved", *later).partition(b"//EN\r\n")[2]
    assert dav.put(f"{CALENDAR}moved.ics", text.replace(end + b"\r\n", override)).status_code == 201
    return dav


@pytest.mark.parametrize(
    ("start", "end", "there"),
    [
        ("20260310T093000Z", "20260310T094500Z", True),
        ("20260317T093000Z", "20260317T094500Z", False),  # moved away from here
        ("20260318T163000Z", "20260318T164500Z", True),
        ("20260325T153000Z", "20260325T164500Z", False),  # called off
        ("20260401T163000Z", "20260401T164500Z", True),  # behind the last occurrence that the rule has
        ("20260402T000000Z", None, False),
    ],
)
def test_x02_an_override_for_all_later_instances_in_time_ranges(moved, start, end, there):
    assert found(moved, events(between(start, end))) == ({"moved"} if there else set())


def test_x02_its_alarms_go_off_with_every_later_instance(moved):
    def alarm(start, end):
        return found(moved, events(f'<C:comp-filter name="VALARM">{between(start, end)}</C:comp-filter>'))

    assert alarm("20260401T135500Z", "20260401T140500Z") == {"moved"}
    assert alarm("20260331T075500Z", "20260331T080500Z") == set()
    assert alarm("20260325T135500Z", "20260325T140500Z") == set()


def test_x02_it_is_expanded_and_busy_like_that(moved):
    window = between("20260309T000000Z", "20260501T000000Z")
    wish = '<C:calendar-data><C:expand start="20260309T000000Z" end="20260501T000000Z"/></C:calendar-data>'
    answer = moved.report(CALENDAR, query(f'<C:comp-filter name="VEVENT">{window}</C:comp-filter>', prop=wish))
    lines = answer.text(CALENDAR + "moved.ics", "C:calendar-data").splitlines()
    told = [line for line in lines if line.startswith(("DTSTART", "DTEND", "RECURRENCE-ID", "SUMMARY"))]
    assert told == [
        *("DTSTART:20260310T090000Z", "DTEND:20260310T100000Z", "RECURRENCE-ID:20260310T090000Z", "SUMMARY:Tea"),
        *("DTSTART:20260318T150000Z", "DTEND:20260318T170000Z", "RECURRENCE-ID:20260317T090000Z", "SUMMARY:Later"),
        *("DTSTART:20260401T150000Z", "DTEND:20260401T170000Z", "RECURRENCE-ID:20260331T090000Z", "SUMMARY:Later"),
    ]
    assert lines.count("BEGIN:VALARM") == 2
    busy = moved.xml("REPORT", CALENDAR, f"<C:free-busy-query>{window}</C:free-busy-query>").text
    assert [line.partition(":")[2] for line in busy.splitlines() if line.startswith("FREEBUSY")] == [
        "20260310T090000Z/20260310T100000Z",
        "20260318T150000Z/20260318T170000Z",
        "20260401T150000Z/20260401T170000Z",
    ]
