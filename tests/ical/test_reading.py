"""What is read in a quick way is what the slow way would read: lines that end alike, time zones that were met before."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import InvalidCalendarData
from bridge.ical import lines, objects

PIECES = ["A:b", "X;P=1:", "", " folded", "\tfolded", "no colon", 'Q;P="a:b":c', "\ufeffZ:1", "ü:é", "\x0b:\u2028"]
ZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:Somewhere\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
    "TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)
EVENT = "BEGIN:VEVENT\r\nUID:u\r\nDTSTART;TZID=Somewhere:20260601T090000\r\nEND:VEVENT\r\n"


def one_by_one(text):
    """By the pattern of a line, whatever ends it."""
    for m in lines._LOGICAL.finditer(text):
        if m[0]:
            yield lines._line(m[0], m[1] + lines._FOLD.sub("", m[2]))


@given(
    st.lists(st.sampled_from(PIECES), max_size=8), st.lists(st.sampled_from(["\r\n", "\n", "\r", "\r\r\n"]), min_size=1)
)
@settings(max_examples=300, deadline=None)
def test_lines_that_end_alike(pieces, ends):
    for eol in ({*ends}, {"\r\n"}, {"\n"}):
        text = "".join(piece + sorted(eol)[number % len(eol)] for number, piece in enumerate(pieces))
        for each in (text, text + "LAST:1", text + " folded"):
            assert list(lines.read(each)) == list(one_by_one(each))
            assert "".join(line.raw for line in lines.read(each)) == each


def whole(*inside):
    return "".join(["BEGIN:VCALENDAR\r\n", *inside, "END:VCALENDAR\r\n"]).encode()


def test_a_time_zone_met_before_is_the_same_and_keeps_its_bytes():
    first, second = (objects.parse(whole(ZONE, EVENT, *more)) for more in ([], ["X-A:b\r\n"]))
    assert first.timezones["Somewhere"] is second.timezones["Somewhere"]
    assert second.to_bytes() == whole(ZONE, EVENT, "X-A:b\r\n")
    assert objects.parse(whole(ZONE, ZONE.replace("Somewhere", "Else"), EVENT)).timezones.keys() == {
        "Somewhere",
        "Else",
    }


@pytest.mark.parametrize(
    "zone",
    [
        ZONE.replace("\r\n", "\n"),
        ZONE.replace("END:VTIMEZONE\r\n", "END:VTIMEZONE\r\n \r\n"),
        ZONE.replace("BEGIN:VTIMEZONE\r\n", "BEGIN:VTIME\r\n ZONE\r\n"),
        ZONE.replace("BEGIN:VTIMEZONE", "begin:vtimezone"),
        ZONE.replace("TZID:Somewhere", "TZID:Some\r\n where"),
        ZONE.replace("BEGIN:STANDARD", "X-LONG:" + "x" * 9000 + "\r\nBEGIN:STANDARD"),
    ],
)
def test_however_a_time_zone_is_written(zone):
    found = objects.parse(whole(zone, EVENT))
    assert [*found.timezones] == ["Somewhere"]
    assert found.to_bytes() == whole(zone, EVENT)


@pytest.mark.parametrize(
    "data",
    [
        ZONE.encode() + whole(EVENT),
        b"\r\n" + ZONE.encode(),
        whole(ZONE.replace("END:STANDARD\r\n", ""), EVENT),
        whole(ZONE.replace("END:VTIMEZONE\r\n", ""), EVENT),
        whole(*["BEGIN:X-A\r\n"] * 62, ZONE, *["END:X-A\r\n"] * 62, EVENT),
        whole(ZONE),
    ],
)
def test_a_time_zone_where_none_can_be(data):
    with pytest.raises(InvalidCalendarData):
        objects.parse(data)
    with pytest.raises(InvalidCalendarData):
        objects.parse(data)


def test_the_last_of_two_parameters_of_a_name_counts():
    (line,) = lines.read("DTSTART;TZID=One;X-A=b;tzid=Two:1")
    assert line.param("TZID") == line.params["TZID"][0] == "Two"
