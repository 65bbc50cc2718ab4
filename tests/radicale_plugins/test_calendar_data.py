"""Calendar data in the form asked for, and which objects a query covers (RFC 4791 §7.8, §9.6; D-12)."""

import xml.etree.ElementTree as ET

import pytest

CALENDAR, TASKS = "/alice/calendar/", "/alice/tasks/"
A = CALENDAR + "a.ics"
ALL = '<C:filter><C:comp-filter name="VCALENDAR"/></C:filter>'
MARCH = 'start="20260301T000000Z" end="20260401T000000Z"'
ZONE = (
    "BEGIN:VTIMEZONE", "TZID:Europe/Vienna", "BEGIN:STANDARD", "DTSTART:19701025T030000", "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100", "END:STANDARD", "END:VTIMEZONE",
)  # fmt: skip
LINES = (
    "DTSTART;TZID=Europe/Vienna:20260310T090000", "DTEND;TZID=Europe/Vienna:20260310T100000", "SUMMARY:Tea, a\r\n  lot",
    "ATTENDEE;CN=Kim:mailto:kim@example.net", "ATTENDEE:mailto:lee@example.net",
    "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "END:VALARM",
)  # fmt: skip


def precondition(reply):
    return reply.status_code, ET.fromstring(reply.content)[0].tag.rpartition("}")[2]


def query(inner="", *, prop="<D:getetag/>", filtered=ALL, extra=""):
    data = f"<C:calendar-data>{inner}</C:calendar-data>" if inner else ""
    return f"<C:calendar-query><D:prop>{prop}{data}</D:prop>{filtered}{extra}</C:calendar-query>"


def those(condition, component="VEVENT"):
    inner = f'<C:comp-filter name="{component}">{condition}</C:comp-filter>'
    return f'<C:filter><C:comp-filter name="VCALENDAR">{inner}</C:comp-filter></C:filter>'


def data_of(dav, inner, path=A):
    answer = dav.report(path.rpartition("/")[0] + "/", query(inner))
    text = answer.text(path, "C:calendar-data")
    return None if text is None else text.splitlines()


@pytest.fixture
def one(dav, event):
    assert dav.put(A, event("a", *LINES, before=ZONE)).status_code == 201
    return dav


# --- parts ---------------------------------------------------------------------------------------------------------


def test_d12_components_and_properties_are_chosen(one):
    """The example of RFC 4791 §7.8.1, whose VTIMEZONE says nothing and comes whole."""
    inner = (
        '<C:comp name="VCALENDAR"><C:prop name="VERSION"/><C:comp name="VEVENT"><C:prop name="SUMMARY"/>'
        '<C:prop name="UID"/><C:prop name="ATTENDEE"/></C:comp><C:comp name="VTIMEZONE"/></C:comp>'
    )
    assert data_of(one, inner) == [
        *("BEGIN:VCALENDAR", "VERSION:2.0", *ZONE, "BEGIN:VEVENT", "UID:a", "SUMMARY:Tea, a", "  lot"),
        *("ATTENDEE;CN=Kim:mailto:kim@example.net", "ATTENDEE:mailto:lee@example.net", "END:VEVENT", "END:VCALENDAR"),
    ]


def test_d12_all_of_one_kind_and_names_alone(one):
    no_components = '<C:comp name="vcalendar"><C:comp name="vevent"><C:allprop/></C:comp></C:comp>'
    lines = data_of(one, no_components)
    assert "BEGIN:VALARM" not in lines
    assert "BEGIN:VTIMEZONE" not in lines
    assert "VERSION:2.0" not in lines
    assert "DTEND;TZID=Europe/Vienna:20260310T100000" in lines
    every = '<C:comp name="VCALENDAR"><C:allprop/><C:allcomp/></C:comp>'
    assert data_of(one, every) == one.get(A).text.splitlines()
    bare = (
        '<C:comp name="VCALENDAR"><C:comp name="VEVENT"><C:allprop/>'
        '<C:prop name="SUMMARY" novalue="yes"/><C:prop name="UID" novalue="no"/></C:comp></C:comp>'
    )
    lines = data_of(one, bare)
    assert "SUMMARY:" in lines
    assert "UID:a" in lines
    assert "  lot" not in lines


@pytest.mark.parametrize(
    "inner",
    [
        '<C:comp name="VEVENT"/>',
        "<C:comp/>",
        '<C:comp name="VCALENDAR"><C:comp/></C:comp>',
        '<C:comp name="VCALENDAR"><C:prop/></C:comp>',
        '<C:comp name="VCALENDAR"><C:nonsense name="x"/></C:comp>',
    ],
)
def test_a_choice_that_is_none(one, inner):
    assert precondition(one.xml("REPORT", CALENDAR, query(inner))) == (403, "supported-calendar-data")


@pytest.mark.parametrize("attributes", ['content-type="application/calendar+json"', 'version="1.0"'])
def test_data_in_a_form_that_there_is_none_of(one, attributes):
    prop = f"<C:calendar-data {attributes}/>"
    for body in (
        query(prop=prop),
        f"<C:calendar-multiget><D:prop>{prop}</D:prop><D:href>{A}</D:href></C:calendar-multiget>",
        f"<D:sync-collection><D:sync-token/><D:prop>{prop}</D:prop></D:sync-collection>",
    ):
        assert precondition(one.xml("REPORT", CALENDAR, body)) == (403, "supported-calendar-data")


@pytest.mark.parametrize("name", ["expand", "limit-recurrence-set", "limit-freebusy-set"])
def test_ranges_that_are_none(one, name):
    for attributes in (
        "",
        'start="20260301T000000Z"',
        'start="x" end="y"',
        'start="20260401T000000Z" end="20260301T000000Z"',
    ):
        assert precondition(one.xml("REPORT", CALENDAR, query(f"<C:{name} {attributes}/>"))) == (403, "valid-filter")


def test_two_forms_at_once(one):
    both = f"<C:expand {MARCH}/><C:limit-recurrence-set {MARCH}/>"
    assert precondition(one.xml("REPORT", CALENDAR, query(both))) == (403, "supported-calendar-data")
    assert data_of(one, f"<C:limit-freebusy-set {MARCH}/>") == one.get(A).text.splitlines()


# --- series --------------------------------------------------------------------------------------------------------


def override(original, start, *more, component="VEVENT", reach=""):
    return "\r\n".join([
        f"BEGIN:{component}", "UID:a", "DTSTAMP:20260101T000000Z", f"RECURRENCE-ID{reach}:{original}", f"DTSTART:{start}", *more,
        f"END:{component}", "END:VCALENDAR", "",
    ]).encode()  # fmt: skip


@pytest.fixture
def series(dav, event):
    """Weekly from 3 March at nine; with a changed instance in March, April, May, from March to May, from May to March."""
    data = event("a", "DTSTART:20260303T090000Z", "DTEND:20260303T100000Z", "RRULE:FREQ=WEEKLY", "SUMMARY:Tea")
    for original, start in (
        ("20260310T090000Z", "20260310T110000Z"),
        ("20260407T090000Z", "20260407T110000Z"),
        ("20260317T090000Z", "20260517T110000Z"),
        ("20260505T090000Z", "20260305T110000Z"),
        ("20260512T090000Z", "20260512T110000Z"),
    ):
        data = data.replace(b"END:VCALENDAR\r\n", override(original, start, "SUMMARY:Changed"))
    later = override("20260106T090000Z", "20260106T120000Z", reach=";RANGE=THISANDFUTURE")
    assert dav.put(A, data).status_code == 201
    assert dav.put(CALENDAR + "b.ics", data.replace(b"UID:a", b"UID:b").replace(
        b"END:VCALENDAR\r\n", later.replace(b"UID:a", b"UID:b"))).status_code == 201  # fmt: skip
    return dav


def originals(lines):
    return [line.rpartition(":")[2][:8] for line in lines if line.startswith("RECURRENCE-ID")]


def test_d12_a_recurrence_set_is_limited_to_what_matters(series):
    lines = data_of(series, f"<C:limit-recurrence-set {MARCH}/>")
    assert originals(lines) == ["20260310", "20260317", "20260505"]  # there, from there, to there
    assert "RRULE:FREQ=WEEKLY" in lines
    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") == 4
    outside = 'start="20250101T000000Z" end="20250201T000000Z"'
    assert originals(data_of(series, f"<C:limit-recurrence-set {outside}/>")) == []
    assert originals(data_of(series, f"<C:limit-recurrence-set {outside}/>", CALENDAR + "b.ics")) == ["20260106"]


def test_d12_a_limited_set_in_part(series):
    inner = (
        '<C:comp name="VCALENDAR"><C:comp name="VEVENT"><C:prop name="RECURRENCE-ID"/></C:comp></C:comp>'
        f"<C:limit-recurrence-set {MARCH}/>"
    )
    assert data_of(series, inner) == [
        "BEGIN:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT",
        "BEGIN:VEVENT", "RECURRENCE-ID:20260310T090000Z", "END:VEVENT",
        "BEGIN:VEVENT", "RECURRENCE-ID:20260317T090000Z", "END:VEVENT",
        "BEGIN:VEVENT", "RECURRENCE-ID:20260505T090000Z", "END:VEVENT",
        "END:VCALENDAR",
    ]  # fmt: skip
    expanded = inner.replace("limit-recurrence-set", "expand")
    assert originals(data_of(series, expanded)) == ["20260303", "20260505", "20260310", "20260324", "20260331"]


def test_what_cannot_be_limited_is_given_whole(dav, event):
    alone = event("a", "RECURRENCE-ID:20260310T170000Z", "DTSTART:20260310T180000Z")
    dav.put(A, alone)
    chinese = event("c", "DTSTART;VALUE=DATE:20260217", "RRULE:RSCALE=CHINESE;FREQ=YEARLY")
    dav.put(CALENDAR + "c.ics", chinese)
    for path in (A, CALENDAR + "c.ics"):
        assert data_of(dav, f"<C:limit-recurrence-set {MARCH}/>", path) == dav.get(path).text.splitlines()


WEEKLY = ("RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE:20260310T090000Z", "SUMMARY:Water")


def test_d12_to_dos_are_expanded(dav, event):
    path = TASKS + "a.ics"
    data = event("a", "DTSTART:20260303T090000Z", "DUE:20260303T120000Z", *WEEKLY, component="VTODO")
    changed = override("20260317T090000Z", "20260318T090000Z", "DUE:20260318T100000Z", component="VTODO")
    dav.put(path, data.replace(b"END:VCALENDAR\r\n", changed))
    lines = data_of(dav, f"<C:expand {MARCH}/>", path)
    assert lines.count("BEGIN:VTODO") == 2
    assert [
        line for line in lines if line.startswith(("DTSTART", "DUE", "DTEND", "RECURRENCE-ID", "RRULE", "SUMMARY"))
    ] == [
        *("DTSTART:20260303T090000Z", "DUE:20260303T120000Z", "RECURRENCE-ID:20260303T090000Z", "SUMMARY:Water"),
        *("DTSTART:20260318T090000Z", "DUE:20260318T100000Z", "RECURRENCE-ID:20260317T090000Z"),
    ]


@pytest.mark.parametrize(
    ("component", "given", "expected"),
    [
        ("VTODO", ("DTSTART;VALUE=DATE:20260303", "RRULE:FREQ=DAILY;COUNT=2"), ["DTSTART;VALUE=DATE:20260303",
            "RECURRENCE-ID;VALUE=DATE:20260303", "DTSTART;VALUE=DATE:20260304", "RECURRENCE-ID;VALUE=DATE:20260304"]),
        ("VTODO", ("DTSTART:20260303T090000Z", "DURATION:PT1H"), ["DTSTART:20260303T090000Z", "DUE:20260303T100000Z"]),
        ("VTODO", ("DUE:20260303T090000Z",), ["DUE:20260303T090000Z"]),
        ("VJOURNAL", ("DTSTART;VALUE=DATE:20260303", "RRULE:FREQ=DAILY;COUNT=2"), ["DTSTART;VALUE=DATE:20260303",
            "RECURRENCE-ID;VALUE=DATE:20260303", "DTSTART;VALUE=DATE:20260304", "RECURRENCE-ID;VALUE=DATE:20260304"]),
    ],
)  # fmt: skip
def test_d12_an_end_is_not_invented(dav, event, component, given, expected):
    dav.xml("MKCALENDAR", "/alice/all/")
    dav.put("/alice/all/a.ics", event("a", *given, component=component))
    lines = data_of(dav, f"<C:expand {MARCH}/>", "/alice/all/a.ics")
    assert [
        line for line in lines if line.startswith(("DTSTART", "DUE", "DTEND", "DURATION", "RECURRENCE-ID"))
    ] == expected


@pytest.mark.parametrize(
    ("start", "end", "there"),
    [
        ("20260303T100000Z", "20260303T110000Z", True),
        ("20260310T090000Z", "20260310T120000Z", False),  # excluded
        ("20260312T000000Z", "20260313T000000Z", False),  # a gap
        ("20260317T090000Z", "20260317T093000Z", True),
        ("20260401T000000Z", "20260501T000000Z", False),
    ],
)
@pytest.mark.parametrize("component", ["VTODO", "VJOURNAL"])
def test_d12_what_repeats_is_found_where_it_is(dav, event, component, start, end, there):
    lasts = ("DUE:20260303T120000Z",) if component == "VTODO" else ()
    start_of_day = {"VTODO": "DTSTART:20260303T090000Z", "VJOURNAL": "DTSTART:20260303T100000Z"}[component]
    exdate = WEEKLY[1] if component == "VTODO" else WEEKLY[1].replace("T09", "T10")
    dav.xml("MKCALENDAR", "/alice/all/")
    assert (
        dav.put(
            "/alice/all/a.ics", event("a", start_of_day, *lasts, WEEKLY[0], exdate, component=component)
        ).status_code
        == 201
    )
    within = f'<C:time-range start="{start}" end="{end}"/>'
    wish = those(within, component)
    expected = there and not (component == "VJOURNAL" and start == "20260317T090000Z")
    assert bool(dav.report("/alice/all/", query(filtered=wish)).hrefs) == expected


# --- what a report covers ------------------------------------------------------------------------------------------


def test_the_depth_of_a_query(one, event):
    one.put(TASKS + "t.ics", event("t", "SUMMARY:x", component="VTODO"))
    for depth, expected in (("0", []), ("1", [A]), ("infinity", [A])):
        assert one.report(CALENDAR, query(), Depth=depth).hrefs == expected
    assert one.report(CALENDAR, query()).hrefs == [A]  # no Depth: as many clients mean it
    for depth, expected in (("0", []), ("1", []), ("infinity", [A, TASKS + "t.ics"])):
        assert one.report("/alice/", query(), Depth=depth).hrefs == expected
    assert one.report("/alice/", query()).hrefs == []


def test_reports_on_one_object(one, event):
    one.put(CALENDAR + "b.ics", event("b"))
    for depth in ("0", "1"):
        assert one.report(A, query(), Depth=depth).hrefs == [A]
    todos = '<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VTODO"/></C:comp-filter></C:filter>'
    assert one.report(A, query(filtered=todos)).hrefs == []
    assert one.xml("REPORT", CALENDAR + "gone.ics", query()).status_code == 404
    multiget = "<C:calendar-multiget><D:prop><D:getetag/></D:prop><D:href>{}</D:href></C:calendar-multiget>"
    assert one.report(A, multiget.format(A)).text(A, "D:getetag")
    assert one.report(A, multiget.format(CALENDAR + "b.ics")).status(CALENDAR + "b.ics") == "HTTP/1.1 404 Not Found"


def test_a_multiget_of_all_properties_and_of_their_names(one):
    answer = one.report(CALENDAR, f"<C:calendar-multiget><D:allprop/><D:href>{A}</D:href></C:calendar-multiget>")
    assert answer.text(A, "D:getetag")
    assert answer.text(A, "D:getcontentlength")
    names = one.report(CALENDAR, f"<C:calendar-multiget><D:propname/><D:href>{A}</D:href></C:calendar-multiget>")
    assert names.prop(A, "D:getetag") is not None
    assert names.text(A, "D:getetag") is None
    plain = one.report(CALENDAR, f"<C:calendar-multiget><D:href>{A}</D:href></C:calendar-multiget>")
    assert plain.text(A, "D:getetag")
    assert one.xml("REPORT", CALENDAR, "<C:calendar-multiget><D:prop/></C:calendar-multiget>").status_code == 400


def test_a_zone_by_its_name(dav, event):
    """RFC 7809 §4.4."""
    dav.put(A, event("a", "DTSTART:20260310T090000", "DTEND:20260310T100000"))
    tokyo = '<C:time-range start="20260310T000000Z" end="20260310T003000Z"/>'
    wish = those(tokyo)
    zone = "<C:timezone-id>{}</C:timezone-id>"
    assert dav.report(CALENDAR, query(filtered=wish)).hrefs == []
    assert dav.report(CALENDAR, query(filtered=wish, extra=zone.format("Asia/Tokyo"))).hrefs == [A]
    reply = dav.xml("REPORT", CALENDAR, query(filtered=wish, extra=zone.format("Mars/Olympus")))
    assert precondition(reply) == (403, "valid-timezone")


@pytest.mark.parametrize(
    ("attributes", "text", "there"),
    [
        ("", "CAFÉ", True),
        ('collation="i;unicode-casemap"', "CAFÉ", True),
        ('collation="i;ascii-casemap"', "CAFÉ", False),
        ('collation="i;ascii-casemap"', "CAFé", True),
        ('collation="i;octet"', "Café", True),
        ('collation="i;octet"', "café", False),
        ('match-type="equals"', "café central", True),
        ('match-type="equals"', "café", False),
        ('match-type="starts-with"', "café", True),
        ('match-type="starts-with"', "central", False),
        ('match-type="ends-with"', "central", True),
        ('match-type="ends-with" negate-condition="yes"', "central", False),
        ('match-type="contains" negate-condition="no"', "fé ce", True),
    ],
)
def test_how_text_is_compared(dav, event, attributes, text, there):
    dav.put(A, event("a", "DTSTART:20260310T090000Z", "LOCATION:Café Central"))
    match = f'<C:prop-filter name="LOCATION"><C:text-match {attributes}>{text}</C:text-match></C:prop-filter>'
    wish = those(match)
    assert bool(dav.report(CALENDAR, query(filtered=wish)).hrefs) == there


@pytest.mark.parametrize("attributes", ['match-type="sounds-like"', 'negate-condition="maybe"', 'match-type=""'])
def test_comparisons_that_are_none(dav, attributes):
    match = f'<C:prop-filter name="LOCATION"><C:text-match {attributes}>x</C:text-match></C:prop-filter>'
    wish = those(match)
    assert precondition(dav.xml("REPORT", CALENDAR, query(filtered=wish))) == (403, "valid-filter")


def test_the_collations_are_told(dav):
    told = dav.props(CALENDAR, "C:supported-collation-set").prop(CALENDAR, "C:supported-collation-set")
    assert {each.text for each in told} == {"i;ascii-casemap", "i;octet", "i;unicode-casemap"}
