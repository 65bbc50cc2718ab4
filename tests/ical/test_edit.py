# ruff: noqa: DTZ001 - wall-clock times are naive here
"""Edits to the line: what a phone wrote stays, in its spelling, its line ends, its order (DESIGN §1, D-02)."""

import datetime as dt
from dataclasses import replace

import pytest

from bridge.errors import InvalidCalendarData, Unmappable
from bridge.ical import edit, normal, objects, view
from bridge.ical.fields import MASTER, EventFields, ObjectFields, Reminder, When, diff

PHONE = b"""\xef\xbb\xbfBEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Apple Inc.//iOS 17.0//EN\r
X-WR-CALNAME:Caf\xc3\xa9\r
BEGIN:VTIMEZONE\r
TZID:Mitteleuropa\r
X-LIC-LOCATION:Europe/Berlin\r
BEGIN:STANDARD\r
DTSTART:19701025T030000\r
TZOFFSETFROM:+0200\r
TZOFFSETTO:+0100\r
END:STANDARD\r
END:VTIMEZONE\r
BEGIN:VEVENT\r
UID:u1\r
SEQUENCE:4\r
SUMMARY;LANGUAGE=de:Alt\r
DESCRIPTION;ALTREP="cid:1":first, second; third and so much more that the line has to be fold\r
 ed, here within a character: \xc3\r
 \xa9\r
DTSTART;X-KEPT="a:b";TZID=Mitteleuropa:20260327T090000\r
DURATION:PT90M\r
RRULE:FREQ=DAILY;X-PART=1;\r
\tCOUNT=10\r
EXDATE;TZID=Mitteleuropa:20260328T090000,20260329T090000\r
X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-APPLE-RADIUS=70;X-TITLE="Caf\xc3\xa9, Wien":geo:48.2,16.3\r
ATTENDEE;CN="A, B";PARTSTAT=ACCEPTED:mailto:a@example.org\r
BEGIN:VALARM\r
UID:alarm-1\r
ACTION:DISPLAY\r
TRIGGER:-PT15M\r
X-APPLE-DEFAULT-ALARM:TRUE\r
END:VALARM\r
BEGIN:VALARM\r
ACTION:AUDIO\r
TRIGGER;RELATED=END:PT0S\r
END:VALARM\r
BEGIN:X-UNKNOWN\r
X-A:1\r
END:X-UNKNOWN\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:u1\r
RECURRENCE-ID;TZID=Mitteleuropa:20260330T090000\r
DTSTART;TZID=Mitteleuropa:20260330T110000\r
DTEND;TZID=Mitteleuropa:20260330T120000\r
SUMMARY:Anders\r
X-OWN:kept\r
END:VEVENT\r
BEGIN:X-GUEST\r
END:X-GUEST\r
END:VCALENDAR"""
STAMPS = [b"DTSTAMP:20261121T023000Z\r", b"LAST-MODIFIED:20261121T023000Z\r"]


def at(day, hour=9, minute=0, month=3):
    return dt.datetime(2026, month, day, hour, minute)


def seen(data):
    return view.read(objects.parse(data))


def changed(data, change, now):
    """(lines gone, lines new without the stamps, the object)."""
    edited = edit.apply(data, change, now=now)
    before, after = data.split(b"\n"), edited.split(b"\n")
    rest = list(after)
    gone = []
    for line in before:
        if line in rest:
            rest.remove(line)
        else:
            gone.append(line)
    return gone, [line for line in rest if line not in STAMPS], edited


def test_a_summary(now):
    gone, new, edited = changed(PHONE, {(MASTER, "summary"): "Neu, \\;\nzwei"}, now)
    assert gone == [b"SUMMARY;LANGUAGE=de:Alt\r"]
    assert new == [b"SUMMARY;LANGUAGE=de:Neu\\, \\\\\\;\\nzwei\r"]
    assert edited.startswith(b"\xef\xbb\xbfBEGIN")
    assert edited.endswith(b"END:VCALENDAR")


@pytest.mark.parametrize("eol", [b"\n", b"\r", b"\r\r\n"])
def test_line_ends_are_the_objects_own(now, eol):
    data = PHONE.replace(b"\r\n", eol)
    edited = edit.apply(data, {(MASTER, "location"): "x" * 100, (MASTER, "reminders"): (Reminder(5),)}, now=now)
    assert edited.replace(eol, b"").count(b"\r") == edited.replace(eol, b"").count(b"\n") == 0
    assert seen(edited).master.location == "x" * 100


def test_an_empty_text_removes_its_line_and_a_representation_of_the_old_text_is_dropped(now):
    gone, new, _ = changed(PHONE, {(MASTER, "summary"): ""}, now)
    assert (gone, new) == ([b"SUMMARY;LANGUAGE=de:Alt\r"], [])
    _, new, _ = changed(PHONE, {(MASTER, "description"): "short"}, now)
    assert new == [b"DESCRIPTION:short\r"]


def test_a_move_keeps_the_form(now):
    """X-07: DURATION stays DURATION; parameters and the spelling of the zone stay, and SEQUENCE counts."""
    when = When(at(27, 10), at(27, 11, 30), "Europe/Berlin")
    gone, new, _ = changed(PHONE, {(MASTER, "when"): when}, now)
    assert b'DTSTART;TZID=Mitteleuropa;X-KEPT="a:b":20260327T100000\r' in new
    assert b"SEQUENCE:5\r" in new
    assert not [line for line in gone + new if b"DURATION" in line or b"DTEND" in line]
    _, new, _ = changed(PHONE, {(MASTER, "when"): When(at(27), at(27, 11), "Europe/Berlin")}, now)
    assert new == [b"SEQUENCE:5\r", b"DURATION:PT2H\r"]


def test_a_new_zone_brings_its_definition_once(now):
    when = When(at(27), at(28, 10), "America/New_York", "Asia/Tokyo")
    _, new, edited = changed(PHONE, {(MASTER, "when"): when}, now)
    assert edited.count(b"TZID:America/New_York\r\n") == edited.count(b"TZID:Asia/Tokyo\r\n") == 1
    assert edited.index(b"TZID:Asia/Tokyo") < edited.index(b"BEGIN:VEVENT")
    assert b"DTEND;TZID=Asia/Tokyo:20260328T100000\r" in new
    assert seen(edited).master.when == when
    again = edit.apply(edited, {(MASTER, "when"): replace(when, end=at(28, 11))}, now=now)
    assert again.count(b"BEGIN:VTIMEZONE") == edited.count(b"BEGIN:VTIMEZONE") == 3


def test_from_timed_to_all_day_and_back(now):
    day = When(dt.date(2026, 3, 27), dt.date(2026, 3, 29))
    _, new, edited = changed(PHONE, {(MASTER, "when"): day}, now)
    assert b'DTSTART;VALUE=DATE;X-KEPT="a:b":20260327\r' in new
    assert b"DURATION:P2D\r" in new
    assert seen(edited).master.when == day
    back = edit.apply(edited, {(MASTER, "when"): When(at(27), at(27, 10, 30), "Europe/Berlin")}, now=now)
    assert b'DTSTART;TZID=Mitteleuropa;X-KEPT="a:b":20260327T090000' in back


def test_a_cancelled_instance_is_excluded_in_the_form_of_its_series(now):
    gone, new, _ = changed(PHONE, {("20260331T070000Z", "state"): "cancelled"}, now)
    assert gone == [b"SEQUENCE:4\r"]
    assert new == [b"SEQUENCE:5\r", b"EXDATE;TZID=Mitteleuropa:20260331T090000\r"]


def test_a_cancelled_override_goes(now):
    gone, new, edited = changed(PHONE, {("20260330T070000Z", "state"): "cancelled"}, now)
    assert b"X-OWN:kept\r" in gone
    assert b"EXDATE;TZID=Mitteleuropa:20260330T090000\r" in new
    assert seen(edited).overrides == {}


def test_a_cancelled_instance_comes_back(now):
    gone, new, _ = changed(PHONE, {("20260328T080000Z", "state"): "regular"}, now)
    assert b"EXDATE;TZID=Mitteleuropa:20260329T090000\r" in new
    assert b"EXDATE;TZID=Mitteleuropa:20260328T090000,20260329T090000\r" in gone
    both = {("20260328T080000Z", "state"): "regular", ("20260329T070000Z", "state"): "regular"}
    assert b"EXDATE" not in edit.apply(PHONE, both, now=now)


def test_a_regular_instance_loses_its_override(now):
    gone, new, _ = changed(PHONE, {("20260330T070000Z", "state"): "regular"}, now)
    assert (len(gone), new) == (8, [])


def test_a_new_override_is_a_complete_copy_of_the_master(now):
    fields = seen(PHONE)
    key = "20260401T070000Z"
    event = replace(
        fields.master, when=When(at(1, 12, month=4), at(1, 13, month=4), "Europe/Berlin"), summary="Verlegt"
    )
    edited = edit.apply(PHONE, diff(fields, replace(fields, overrides={**fields.overrides, key: event})), now=now)
    override = objects.parse(edited).overrides[-1]
    text = "".join(override.raws()).encode("utf-8", "surrogateescape")
    assert b"RECURRENCE-ID;TZID=Mitteleuropa:20260401T090000\r\n" in text
    assert b'X-TITLE="Caf\xc3\xa9, Wien":geo:48.2,16.3\r\n' in text
    for kept in (b"TRIGGER;RELATED=END:PT0S\r\n", b"UID:alarm-1\r\n", b"BEGIN:X-UNKNOWN\r\n"):
        assert kept in text
    assert not [line for line in text.split(b"\r\n") if line.startswith((b"RRULE", b"EXDATE"))]
    assert edited.index(b"Verlegt") < edited.index(b"BEGIN:X-GUEST")
    assert seen(edited).overrides[key] == event
    # and the rest of the object is what it was
    assert edited.replace(text, b"") == PHONE


def test_an_edited_override_keeps_its_own_lines(now):
    gone, new, _ = changed(PHONE, {("20260330T070000Z", "summary"): "Neu"}, now)
    assert (gone, new) == ([b"SUMMARY:Anders\r"], [b"SUMMARY:Neu\r"])


def test_overrides_follow_a_series_that_moves(now):
    """A remote names instances anew when a series moves; what only we hold about them must not be lost (R35)."""
    fields = seen(PHONE)
    later = dt.timedelta(hours=1)
    when = When(fields.master.when.start + later, fields.master.when.end + later, "Europe/Berlin")
    target = replace(
        fields,
        master=replace(fields.master, when=when),
        overrides={"20260330T080000Z": fields.overrides["20260330T070000Z"]},
        cancelled=frozenset({"20260328T090000Z", "20260329T080000Z"}),
    )
    edited = edit.apply(PHONE, diff(fields, target), now=now)
    assert seen(edited) == target
    assert b"X-OWN:kept" in edited
    assert b"RECURRENCE-ID;TZID=Mitteleuropa:20260330T100000" in edited
    assert len(objects.parse(edited).overrides) == 1


def test_reminders_touch_only_the_alarms_of_the_view(now):
    """X-53, X-57"""
    gone, new, edited = changed(PHONE, {(MASTER, "reminders"): (Reminder(15), Reminder(60, "EMAIL"))}, now)
    assert gone == []
    assert {b"TRIGGER:-PT1H\r", b"ACTION:EMAIL\r"} <= set(new)
    none = edit.apply(edited, {(MASTER, "reminders"): ()}, now=now)
    assert none.count(b"BEGIN:VALARM") == 1
    assert b"TRIGGER;RELATED=END:PT0S" in none


def test_a_rule_that_stays_keeps_its_line(now):
    kept = "RRULE:FREQ=DAILY;X-PART=1;COUNT=10"
    change = {(MASTER, "recurrence"): (kept, "RDATE;TZID=Asia/Tokyo:20260501T090000")}
    gone, new, edited = changed(PHONE, change, now)
    assert gone == [b"SEQUENCE:4\r"]
    assert {b"RDATE;TZID=Asia/Tokyo:20260501T090000\r", b"TZID:Asia/Tokyo\r"} <= set(new)
    _, new, _ = changed(PHONE, {(MASTER, "recurrence"): ("RRULE:FREQ=WEEKLY",)}, now)
    assert new == [b"SEQUENCE:5\r", b"RRULE:FREQ=WEEKLY\r"]
    assert b"RRULE" not in edit.apply(edited, {(MASTER, "recurrence"): ()}, now=now)


def test_a_value_from_elsewhere_begins_no_line(now):
    evil = "x\r\nATTENDEE:mailto:victim@example.org\r\n"
    change = {(MASTER, name): evil for name in ("summary", "description", "location", "url")}
    change |= {(MASTER, "categories"): (evil,), (MASTER, "recurrence"): (f"RRULE:FREQ=DAILY{evil}",)}
    edited = edit.apply(PHONE, change, now=now)
    assert len([line for line in edited.split(b"\r\n") if line.startswith(b"ATTENDEE")]) == 1
    with pytest.raises(Unmappable):
        edit.apply(PHONE, {(MASTER, "recurrence"): ("ATTENDEE:mailto:x@y",)}, now=now)
    composed = edit.compose(ObjectFields(EventFields(When(at(1), at(1)))), uid="a\r\nATTENDEE:mailto:x@y", now=now)
    assert b"\r\nATTENDEE" not in composed


def test_an_instance_in_the_second_of_a_repeated_hour_is_named_in_utc(now):
    when = When(dt.datetime(2026, 10, 24, 2, 30), dt.datetime(2026, 10, 24, 3), "Europe/Berlin")
    fields = ObjectFields(EventFields(when), ("RRULE:FREQ=DAILY",), {}, frozenset({"20261025T013000Z"}))
    data = edit.compose(fields, uid="u", now=now)
    assert b"EXDATE:20261025T013000Z\r\n" in data
    assert seen(data) == fields


def test_a_duration_that_ends_in_the_second_of_a_repeated_hour_is_no_end_before_the_start(now):
    lines = ["BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:u", "DTSTART;TZID=Europe/Vienna:20261025T023000", "DURATION:PT45M"]
    data = "\r\n".join([*lines, "END:VEVENT", "END:VCALENDAR", ""]).encode()
    assert seen(data) == normal.fields(seen(data))
    assert seen(data).master.when == When(at(25, 2, 30, 10), at(25, 1, 15, 10), "Europe/Vienna", "UTC")
    assert b"DURATION:PT45M\r\n" in edit.apply(data, {(MASTER, "summary"): "Other"}, now=now)


def test_nothing_changes_means_the_same_bytes(now):
    fields = seen(PHONE)
    assert edit.apply(PHONE, {}, now=now) is PHONE
    same = {(MASTER, "summary"): fields.master.summary, ("20260330T070000Z", "state"): "override"}
    assert edit.apply(PHONE, same, now=now) is PHONE


def test_what_has_no_view_is_not_edited(now):
    with pytest.raises(Unmappable):
        edit.apply(PHONE.replace(b"VEVENT", b"VJOURNAL"), {(MASTER, "summary"): "x"}, now=now)


def test_x20_how_busy_is_said_in_the_events_own_line(now):
    out = edit.apply(PHONE, {(MASTER, "show_as"): "OOF"}, now=now)
    assert b"X-MICROSOFT-CDO-BUSYSTATUS:OOF\r\n" in out
    free = edit.apply(out, {(MASTER, "transp"): "TRANSPARENT"}, now=now)
    assert b"X-MICROSOFT-CDO-BUSYSTATUS:FREE\r\n" in free
    assert view.read(objects.parse(free)).master.show_as == ""
    taken = edit.apply(free, {(MASTER, "transp"): "OPAQUE"}, now=now)
    assert b"X-MICROSOFT-CDO-BUSYSTATUS:BUSY\r\n" in taken
    stale = out.replace(b"X-MICROSOFT-CDO", b"TRANSP:TRANSPARENT\r\nX-MICROSOFT-CDO")
    assert view.read(objects.parse(stale)).master.show_as == "", "what is free is not out of office"
    woken = view.read(objects.parse(edit.apply(stale, {(MASTER, "transp"): "OPAQUE"}, now=now)))
    assert (woken.master.transp, woken.master.show_as) == ("OPAQUE", "")


def test_x16_where_to_join_stands_in_the_line_that_said_it(now):
    out = edit.apply(PHONE, {(MASTER, "conference"): "https://meet.example.com/tea"}, now=now)
    assert b"CONFERENCE;VALUE=URI;FEATURE=VIDEO:https://meet.example.com/tea\r\n" in out
    labelled = out.replace(b";FEATURE=VIDEO", b';FEATURE="AUDIO,VIDEO";LABEL=Join').replace(
        b"CONFERENCE;", b"CONFERENCE:tel:+431234\r\nCONFERENCE;", 1
    )
    moved = edit.apply(labelled, {(MASTER, "conference"): "https://meet.example.com/cake"}, now=now)
    assert b"CONFERENCE:tel:+431234\r\n" in moved
    assert b'CONFERENCE;VALUE=URI;FEATURE="AUDIO,VIDEO";LABEL=Join:https://meet.example.com/cake\r\n' in moved.replace(
        b"\r\n ", b""
    )
    gone = edit.apply(moved, {(MASTER, "conference"): ""}, now=now)
    assert b"meet.example.com" not in gone
    assert b"CONFERENCE:tel:+431234\r\n" in gone


def test_x16_googles_own_caldav_has_another_name_for_it(now):
    said = PHONE.replace(b"SUMMARY", b"X-GOOGLE-CONFERENCE:https://meet.example.com/tea\r\nSUMMARY", 1)
    assert view.read(objects.parse(said)).master.conference == "https://meet.example.com/tea"
    moved = edit.apply(said, {(MASTER, "conference"): "https://meet.example.com/cake"}, now=now)
    assert b"X-GOOGLE-CONFERENCE:https://meet.example.com/cake\r\n" in moved


STRAYS = b"""BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:u
DTSTAMP:20260101T000000Z
RECURRENCE-ID:20260310T090000Z
DTSTART:20260310T140000Z
DTEND:20260310T150000Z
SUMMARY:One
X-OURS:1
END:VEVENT
BEGIN:VEVENT
UID:u
DTSTAMP:20260101T000000Z
RECURRENCE-ID:20260317T090000Z
DTSTART:20260317T140000Z
SUMMARY:Two
END:VEVENT
END:VCALENDAR
"""


def test_an_instance_without_its_series_is_edited_in_its_place(now):
    found = view.strays(objects.parse(STRAYS))
    assert sorted(found) == ["20260310T090000Z", "20260317T090000Z"]
    key = "20260310T090000Z"
    out = edit.apply_to_stray(STRAYS, key, replace(found[key], summary="Other"), now=now)
    stamps = (b"DTSTAMP", b"LAST-MODIFIED")
    kept = [
        line for line in STRAYS.replace(b"SUMMARY:One", b"SUMMARY:Other").splitlines() if not line.startswith(stamps)
    ]
    assert [line for line in out.splitlines() if not line.startswith(stamps)] == kept
    assert edit.apply_to_stray(STRAYS, key, found[key], now=now) == STRAYS


def test_an_instance_without_its_series_is_taken_out_but_not_the_last_one(now):
    key = "20260310T090000Z"
    out = edit.apply_to_stray(STRAYS, key, None, now=now)
    assert list(view.strays(objects.parse(out))) == ["20260317T090000Z"]
    with pytest.raises(InvalidCalendarData):
        edit.apply_to_stray(out, "20260317T090000Z", None, now=now)
