"""What somebody sends who means harm, or whose program is broken."""

NS = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'

POISON = [
    ("DTSTART:99991231T235959Z",),
    ("DTSTART:00010101T000000Z",),
    ("DTSTART;VALUE=DATE:99991231",),
    ("DTSTART;VALUE=DATE:00010101", "DTEND;VALUE=DATE:99991231"),
    ("DTSTART;TZID=Europe/Vienna:00010101T000000",),
    ("DTSTART;TZID=America/New_York:99991231T235959", "DURATION:P9999999D"),
    ("DTSTART:20260101T000000Z", "DURATION:P99999999999999W"),
    ("DTSTART:20260101T000000Z", "DURATION:-P999999D"),
    ("DTSTART:00010101T000000Z", "RRULE:FREQ=DAILY;COUNT=3"),
    ("DTSTART:20260101T000000Z", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
    ("DTSTART:20260101T000000Z", "RRULE:FREQ=DAILY;INTERVAL=999999999999"),
    ("DTSTART:20260101T000000Z", "RRULE:FREQ=WEEKLY;BYDAY=99MO"),
    ("DTSTART:20260101T000000Z", "RDATE:99991231T235959Z"),
    ("DTSTART:20260101T000000Z", "RDATE;VALUE=PERIOD:20260101T000000Z/P99999999D"),
    ("DTSTART:nonsense", "EXDATE:nonsense"),
    ('DTSTART;TZID="../../etc/passwd":20260101T000000',),
    ("SUMMARY:no start",),
    ("DTSTART:20260101T000000Z", "RECURRENCE-ID:99991231T235959Z"),
    ("DTSTART:20260101T000000Z", "BEGIN:VALARM", "TRIGGER:-P99999999999W", "ACTION:DISPLAY", "END:VALARM"),
    ("DTSTART:20260101T000000Z", "SUMMARY:\ufffe\uffff"),
    ("DTSTART:20261332T256199Z",),
    ("DTSTART:20260101T000000Z", "GEO:abc", "DURATION:", "SEQUENCE:99999999999999999999", "PRIORITY:x"),
]
"""Lines of components that can be stored and say next to nothing."""

ELSEWHERE = [
    "/bob/",
    "/bob/calendar/",
    "/bob/calendar/secret.ics",
    "/bob/calendar/new.ics",
    "/alice/../bob/calendar/secret.ics",
    "/alice/calendar/../../bob/calendar/secret.ics",
    "/alice/%2e%2e/bob/calendar/secret.ics",
    "/alice%2f..%2fbob/calendar/secret.ics",
    "//bob/calendar/secret.ics",
    "/./bob/calendar/secret.ics",
    "/bob%2fcalendar/secret.ics",
    "/bob/calendar%2fsecret.ics",
    "/%62ob/calendar/secret.ics",
    "/BOB/calendar/secret.ics",
    "/bob /calendar/secret.ics",
    "/bob%00/calendar/secret.ics",
    "/bob@example.org/calendar/secret.ics",
    "/bob/calendar/secret.ics/deeper",
]
"""Ways to write a path to somebody else's calendar."""

_OPEN = f"<D:propfind {NS}>"
XML = [
    f'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>{_OPEN}<D:prop>&x;</D:prop></D:propfind>',
    f'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>{_OPEN}<D:allprop>&b;</D:allprop></D:propfind>',
    f'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd">{_OPEN}<D:allprop/></D:propfind>',
    f'<?xml version="1.0" encoding="nonsense"?>{_OPEN}</D:propfind>',
    '<?xml version="1.0" encoding="utf-7"?>+ADw-a/+AD4-',
    "<a>" * 10000,
    "<a>" * 500 + "</a>" * 500,
    "\x00",
    "xmlns",
]
"""Documents with entities, without an end, or too deep."""
