"""COLOR and GEO: fields where they can be read, lines among others where they cannot (X-14, X-24)."""

import datetime as dt
from dataclasses import replace

import pytest

from bridge.ical import colors, edit, geo, objects, view
from bridge.ical.fields import (
    MASTER,
    EventFields,
    ObjectFields,
    change_from_json,
    change_to_json,
    diff,
    from_json,
    patch,
    to_json,
)

NOW = dt.datetime(2026, 4, 1, 12, tzinfo=dt.UTC)


def event(*lines):
    head = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN", "BEGIN:VEVENT", "UID:u", "DTSTAMP:20260101T000000Z")
    return "\r\n".join([*head, "DTSTART:20260302T090000Z", *lines, "END:VEVENT", "END:VCALENDAR", ""]).encode()


def seen(data):
    return view.read(objects.parse(data))


def told(*lines):
    master = seen(event(*lines)).master
    return master.color, master.geo, master.others


def changed(data, **values):
    return edit.apply(data, {(MASTER, name): value for name, value in values.items()}, now=NOW)


def test_they_are_read_in_any_spelling():
    assert told("color;X-P=1: Turquoise ", "GEO:+48.200;016.37") == ("turquoise", "48.2;16.37", ())


@pytest.mark.parametrize(
    "line", ["COLOR:#ff0000", "COLOR:my favourite", "GEO:48.2", "GEO:91;0", "GEO:48.2,16.3", "GEO:1e1;2"]
)
def test_what_cannot_be_read_is_carried_as_it_stands(line):
    assert told(line) == ("", "", (line,))
    data = event(line)
    assert line.encode() in changed(data, summary="Tea")
    out = changed(data, color="red", geo="1;2")
    assert told("COLOR:red", "GEO:1;2")[:2] == (seen(out).master.color, seen(out).master.geo)
    assert seen(out).master.others == (line,)


def test_x14_another_spelling_of_the_same_number_is_no_change():
    data = event("GEO;X-P=1:48.20;16.370000")
    assert changed(data, geo="48.2;16.37", color="") == data
    assert b"GEO;X-P=1:48.21;16.37\r\n" in changed(data, geo="48.21;16.37")
    assert b"GEO" not in changed(data, geo="")


def test_of_several_one_counts_whatever_their_order():
    lines = ("COLOR:red", "COLOR:blue", "GEO:1;2", "GEO:1;1")
    assert told(*lines) == told(*reversed(lines)) == ("blue", "1;1", ())
    out = changed(event(*lines), color="plum", geo="")
    assert out.count(b"COLOR:") == 1
    assert (seen(out).master.color, seen(out).master.geo, seen(out).master.others) == ("plum", "", ())


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("48.2082;16.3738", "48.2082;16.3738"),
        (" -33.90 ; +151.20 ", "-33.9;151.2"),
        ("-0.0;0", "0;0"),
        ("090.0;-180", "90;-180"),
        ("100;200", ""),
        ("nan;0", ""),
        ("", ""),
    ],
)
def test_numbers_have_one_form(written, normal):
    assert geo.normal(written) == normal
    assert geo.normal(normal) == normal


def test_numbers_of_computers_keep_their_digits():
    assert geo.of(*geo.numbers("48.20849;-0.00001")) == "48.20849;-0.00001"
    assert geo.of(48, 16.37) == "48;16.37"
    assert geo.of(float("nan"), 1) == ""


def test_the_names_are_those_of_css():
    assert len(colors.RGB) == 147
    assert {len(each) for each in colors.RGB.values()} == {6}
    assert colors.RGB["gray"] == colors.RGB["grey"] == "808080"
    assert colors.named("808080") == "gray"


# --- what was kept before there were these fields


def test_a_base_from_before_says_the_same_as_what_is_read_now():
    master = seen(event("COLOR:Turquoise", "GEO:48.20;16.37", "CONTACT:Robin", "COLOR:#ff0000")).master
    whole = ObjectFields(master, ("RRULE:FREQ=DAILY",), {"20260303T090000Z": replace(master, summary="b")})
    kept = to_json(whole)
    for each in (kept["master"], *kept["overrides"].values()):
        del each["color"], each["geo"]
        each["others"] = ["COLOR:#ff0000", "COLOR:Turquoise", "CONTACT:Robin", "GEO:48.20;16.37"]
    assert from_json(kept) == whole
    assert diff(from_json(kept), whole) == {}


def test_a_change_from_before_can_still_be_made():
    master = EventFields(seen(event()).master.when, "a")
    series = ObjectFields(master, ("RRULE:FREQ=DAILY",))
    key = "20260303T090000Z"
    whole = replace(series, overrides={key: replace(master, summary="b", color="red", others=("CONTACT:Robin",))})
    change = diff(series, whole)
    assert change_from_json(change_to_json(change)) == change
    before = [each for each in change_to_json(change) if each[1] not in ("color", "geo")]
    before = [[k, n, ["COLOR:red", "CONTACT:Robin"] if n == "others" else v] for k, n, v in before]
    assert patch(series, change_from_json(before)) == whole
