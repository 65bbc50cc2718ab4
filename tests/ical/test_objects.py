"""Reading calendar objects: what is refused, what is kept to the byte (D-02 … D-04)."""

import time

import pytest

from bridge.errors import InvalidCalendarData
from bridge.ical import lines, objects
from bridge.ical.lines import Line

EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\nUID:u1\r\nDTSTAMP:20260101T000000Z\r\n"
    "DTSTART:20260101T090000Z\r\nSUMMARY:a\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def with_lines(*more: str) -> bytes:
    return EVENT.replace("SUMMARY:a\r\n", "SUMMARY:a\r\n" + "".join(f"{line}\r\n" for line in more)).encode()


def vevent(*more: str) -> str:
    return "".join(f"{line}\r\n" for line in ("BEGIN:VEVENT", *more, "END:VEVENT"))


def refused(data: bytes) -> str:
    with pytest.raises(InvalidCalendarData) as error:
        objects.parse(data)
    assert error.value.reason
    return error.value.precondition


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"Hello, world",
        b'{"vcalendar": []}',
        b"BEGIN:VCARD\r\nEND:VCARD\r\n",
        EVENT.replace("END:VEVENT\r\n", "").encode(),
        EVENT.replace("END:VCALENDAR\r\n", "").encode(),
        EVENT.replace("BEGIN:VEVENT\r\n", "").encode(),
        EVENT.replace("END:VEVENT", "END:VTODO").encode(),
        EVENT.replace("UID:u1\r\n", "").encode(),
        EVENT.replace("UID:u1", "UID:").encode(),
        EVENT.replace("SUMMARY:a", "SUMMARY:\xe9").encode("latin-1"),
        EVENT.replace("SUMMARY:a", "SUMMARY:a\x00b").encode(),
        EVENT.replace("SUMMARY:a", "SUMMARY:a\x0bb").encode(),
        EVENT.replace("SUMMARY:a", "SUMMARY:a\x7f").encode(),
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n",
        b"BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:X\r\nEND:VTIMEZONE\r\nEND:VCALENDAR\r\n",
        EVENT.encode() + b"rubbish\r\n",
    ],
)
def test_what_is_no_icalendar_is_refused(data):
    assert refused(data) == "valid-calendar-data"


@pytest.mark.parametrize(
    "data",
    [
        EVENT.replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST"),
        EVENT.replace("END:VCALENDAR", vevent("UID:u2", "DTSTART:20260101T090000Z") + "END:VCALENDAR"),
        EVENT.replace("END:VCALENDAR", vevent("UID:u1", "DTSTART:20260101T090000Z") + "END:VCALENDAR"),
        EVENT.replace("END:VCALENDAR", "BEGIN:VTODO\r\nUID:u1\r\nEND:VTODO\r\nEND:VCALENDAR"),
        EVENT + EVENT,
    ],
)
def test_what_is_no_single_object_is_refused(data):
    assert refused(data.encode()) == "valid-calendar-object-resource"


@pytest.mark.parametrize(
    "data",
    [
        EVENT.encode(),
        EVENT.replace("\r\n", "\n").encode(),
        EVENT.replace("\r\n", "\r").encode(),
        EVENT.replace("\r\n", "\r\r\n").encode(),
        b"\xef\xbb\xbf" + EVENT.encode(),
        b"\r\n" + EVENT.encode() + b"\r\n\n",
        EVENT.strip().encode(),
        EVENT.lower().encode(),
        EVENT.replace("DTSTAMP:20260101T000000Z\r\n", "").encode(),
        EVENT.replace("PRODID:-//x//y//EN\r\n", "").encode(),
        EVENT.replace("SUMMARY:a", "SUMMARY:a\r\n\r\n").encode(),
        with_lines('X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-APPLE-RADIUS=70;X-TITLE="Café, Wien":geo:48.2,16.3'),
        with_lines("LOCATION:Wien, Graz; Linz", "RRULE:RSCALE=CHINESE;FREQ=YEARLY", "X-BROKEN", "=?"),
        with_lines("RDATE;VALUE=PERIOD:20260101T090000Z/PT1H", "RRULE:FREQ=DAILY;UNTIL=20200101"),
        with_lines("IMAGE;VALUE=BINARY;ENCODING=BASE64:" + "QUFB" * 500, 'ATTENDEE;CN="a:b;c,d:mailto:x@y'),
        with_lines("BEGIN:X-UNKNOWN", "X-A:1", "BEGIN:X-INNER", "END:X-INNER", "END:X-UNKNOWN"),
        with_lines("DESCRIPTION:foo\r\n  bar\r\n\tbaz"),
        with_lines("SUMMARY;LANGUAGE=de: \t x", "COMMENT:C1 \x85 and \u2028 are text"),
        with_lines("SUMMARY:€").replace("€".encode(), b"\xe2\r\n \x82\r\n \xac"),
    ],
)
def test_everything_else_is_kept_to_the_byte(data):
    obj = objects.parse(data)
    assert obj.to_bytes() == data
    assert obj.uid == "u1"
    assert obj.component == "VEVENT"


@pytest.mark.parametrize("kind", ["VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY", "VPOLL", "X-THING"])
def test_every_kind_of_component(kind):
    data = EVENT.replace("VEVENT", kind).encode()
    assert objects.parse(data).component == kind
    assert objects.parse(data).to_bytes() == data


def test_an_unknown_component_beside_an_event_is_a_guest():
    data = EVENT.replace("END:VCALENDAR", "BEGIN:X-GUEST\r\nX-A:1\r\nEND:X-GUEST\r\nEND:VCALENDAR").encode()
    assert objects.parse(data).component == "VEVENT"
    assert objects.parse(data).to_bytes() == data


def test_master_overrides_and_zones():
    text = EVENT.replace("BEGIN:VEVENT", "BEGIN:VTIMEZONE\r\nTZID:Z\\,1\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT", 1)
    text = text.replace("END:VCALENDAR", vevent("UID:u1", "RECURRENCE-ID:20260102T090000Z") + "END:VCALENDAR")
    obj = objects.parse(text.encode())
    assert list(obj.timezones) == ["Z,1"]
    assert obj.master is not None
    assert [each.first("RECURRENCE-ID").value for each in obj.overrides] == ["20260102T090000Z"]


def test_an_override_without_a_master_is_an_object():
    """D-10"""
    obj = objects.parse(EVENT.replace("SUMMARY:a", "RECURRENCE-ID:20260102T090000Z").encode())
    assert obj.master is None
    assert len(obj.overrides) == 1


def one(text: str) -> Line:
    return next(lines.read(text))


@pytest.mark.parametrize(
    ("text", "name", "params", "value"),
    [
        ("A:b", "A", {}, "b"),
        ('a;x=1,2;Y="3:4;5",6:v:w', "A", {"X": ("1", "2"), "Y": ("3:4;5", "6")}, "v:w"),
        ("A;CN=^'J^n^^K^x^':v", "A", {"CN": ('"J\n^K^x"',)}, "v"),
        ('A;CN="":v', "A", {"CN": ("",)}, "v"),
        ('A;CN="a:b', "A", {}, "b"),
        ("A;X=:v", "A", {"X": ("",)}, "v"),
        ("A", "", {}, ""),
    ],
)
def test_parts_of_a_content_line(text, name, params, value):
    line = one(text)
    assert (line.name, line.value) == (name, value)
    if params:
        assert line.params == params


def test_lines_are_written_folded_at_75_octets_and_never_within_a_character():
    line = lines.write("SUMMARY", "€" * 100, [("X", 'a:"b"\n')], eol="\r\n")
    physical = line.raw.encode().split(b"\r\n")
    assert all(len(each) <= 75 for each in physical)
    assert "".join(each.decode().removeprefix(" ") if n else each.decode() for n, each in enumerate(physical)) == (
        "SUMMARY;X=\"a:^'b^'^n\":" + "€" * 100
    )
    again = one(line.raw)
    assert again.value == "€" * 100
    assert again.param("X") == 'a:"b"\n'


@pytest.mark.parametrize(
    "nasty",
    [
        "X" + ";A=" * 50_000,
        "X" + ';A="' * 50_000,
        "X;" + '"' * 99_999,
        "X;" + '""' * 50_000 + ":",
        "X:" + "\\" * 200_000,
        "CATEGORIES:" + "\\," * 100_000,
        "\r" * 100_000 + "x",
        "X:a" + "\r\n " * 50_000,
        "X:a" + "\r" * 100_000 + "\n b",
    ],
)
def test_no_input_makes_reading_slow(nasty):
    began = time.process_time()
    objects.parse(with_lines(nasty)).master.first("X")
    for line in lines.read(nasty):
        assert line.params is not None
    assert time.process_time() - began < 2
