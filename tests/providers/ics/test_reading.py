"""From the text of a feed to objects: zones, charsets, and producers that break the rules about UIDs (R23, R24, R25, R32)."""

import datetime as dt
import random

import pytest

from bridge.errors import Unmappable
from bridge.ical import edit, objects, recurrence, times, view
from bridge.ical.fields import EventFields, ObjectFields, Reminder, When
from bridge.providers.ics import following, reading
from bridge.providers.ics.mapping import IcsLens
from tests.support.feeds import event, feed

LENS = IcsLens()
STAMP = "DTSTAMP:20260101T000000Z"
NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
WINDOWS = """
BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""
CUSTOM = WINDOWS.replace("W. Europe Standard Time", "Customized Time Zone")


def seen(body, charset=""):
    """Everything in a feed, read through the lens, sorted by title."""
    found = reading.read(body, charset).objects.values()
    return sorted((LENS.read([following.item(each)]) for each in found), key=lambda each: each.fields.master.summary)


def titles(body, charset=""):
    return [each.fields.master.summary for each in seen(body, charset)]


def local(text):
    return dt.datetime.fromisoformat(text)


# --- time


def test_r23_a_series_over_both_edges_of_summer_time_keeps_wall_clock_and_zone():
    rule = "RRULE:FREQ=WEEKLY;COUNT=40"
    (one,) = seen(feed(f"UID:a\n{STAMP}\nDTSTART;TZID=Europe/Vienna:20260302T090000\nDURATION:PT1H\n{rule}"))
    assert one.fields.master.when == When(local("2026-03-02 09:00"), local("2026-03-02 10:00"), "Europe/Vienna")
    assert one.fields.recurrence == (rule,)
    year = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    starts = [
        times.instant(each.when.start, each.when.zone, floating=dt.UTC)
        for each in recurrence.instances(one.fields, *year, floating=dt.UTC)
    ]
    assert len(starts) == 40
    summer = dt.datetime(2026, 3, 29, 1, tzinfo=dt.UTC), dt.datetime(2026, 10, 25, 1, tzinfo=dt.UTC)
    assert [each.hour for each in starts] == [7 if summer[0] <= each < summer[1] else 8 for each in starts]
    assert {each.hour for each in starts} == {7, 8}


@pytest.mark.parametrize(("zone", "tzid"), [(WINDOWS, "W. Europe Standard Time"), (CUSTOM, "Customized Time Zone")])
def test_r24_zones_by_windows_names_and_by_definition_are_found(zone, tzid):
    (one,) = seen(feed(f'UID:a\n{STAMP}\nDTSTART;TZID="{tzid}":20260702T090000\nDURATION:PT1H', head=zone))
    assert one.fields.master.when.zone == "Europe/Berlin"
    assert one.fields.master.when.start == local("2026-07-02 09:00")


def test_r24_two_calendars_in_one_stream_may_mean_different_zones_by_one_name():
    """D-01: a definition is its own calendar's."""
    tokyo = CUSTOM.replace("+0200", "+0900").replace("+0100", "+0900")
    bodies = [
        feed(f"UID:{uid}\n{STAMP}\nDTSTART;TZID=Customized Time Zone:20260702T090000\nSUMMARY:{uid}", head=head)
        for uid, head in (("a", CUSTOM), ("b", tokyo))
    ]
    assert [each.fields.master.when.zone for each in seen(b"".join(bodies))] == ["Europe/Berlin", "Asia/Tokyo"]


def test_r25_all_day_stays_a_date_with_an_exclusive_end(monkeypatch):
    body = feed(f"UID:a\n{STAMP}\nDTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227\nSUMMARY:Xmas")
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12", "UTC"):
        monkeypatch.setenv("TZ", zone)
        (one,) = seen(body)
        assert one.fields.master.when == When(dt.date(2026, 12, 24), dt.date(2026, 12, 27))


def test_an_override_belongs_to_its_series():
    series = f"UID:a\n{STAMP}\nDTSTART:20260302T090000Z\nDURATION:PT1H\nSUMMARY:Standup\nRRULE:FREQ=DAILY;COUNT=5"
    moved = f"UID:a\n{STAMP}\nRECURRENCE-ID:20260303T090000Z\nDTSTART:20260303T110000Z\nDURATION:PT1H\nSUMMARY:Late"
    (one,) = seen(feed(moved, series))  # in whichever order
    assert list(one.fields.overrides) == ["20260303T090000Z"]
    assert one.fields.overrides["20260303T090000Z"].summary == "Late"
    assert one.uid == "a"


# --- UIDs


def test_without_a_uid_an_event_is_known_by_start_and_title():
    one, other = (f"{STAMP}\nDTSTART:20260302T0{n}0000Z\nSUMMARY:Training" for n in (7, 8))
    found = seen(feed(one, other))
    assert [each.uid for each in found] == ["", ""]
    assert len({each.id for each in found}) == 2
    described = seen(feed(one + "\nDESCRIPTION:bring shoes", other))
    assert {each.id for each in described} == {each.id for each in found}
    assert [each.id for each in found] != [each.id for each in seen(feed(one.replace("Training", "Match"), other))]


def test_one_uid_on_different_events_makes_an_event_of_each_whatever_their_order():
    """Seen where a site writes its page's id into every event."""
    events = [event("page-7", f"2026030{day}T120000Z", f"Match {day}") for day in (2, 3, 4)]
    found = seen(feed(*events))
    assert [each.fields.master.summary for each in found] == ["Match 2", "Match 3", "Match 4"]
    assert [each.uid for each in found] == ["", "", ""], "none of them has the name for itself"
    assert {each.id for each in seen(feed(*reversed(events)))} == {each.id for each in found}


def test_of_several_versions_of_one_event_the_newest_counts():
    old, new = event("a", "20260302T120000Z", "Old", "SEQUENCE:1"), event("a", "20260302T120000Z", "New", "SEQUENCE:2")
    for events in ((old, new), (new, old)):
        (one,) = seen(feed(*events))
        assert (one.fields.master.summary, one.uid) == ("New", "a")


def test_an_instance_whose_series_is_not_shown_is_an_event_of_its_own():
    """Google shows an invitation to a single meeting of a series so (D-10)."""
    alone = event("series", "20260303T120000Z", "Review", "RECURRENCE-ID:20260303T110000Z")
    (one,) = seen(feed(alone))
    assert (one.fields.master.summary, one.uid, dict(one.fields.overrides)) == ("Review", "", {})
    both = feed(alone, event("series", "20260302T110000Z", "Weekly", "RRULE:FREQ=DAILY;COUNT=3"))
    (whole,) = seen(both)
    assert whole.uid == "series"
    assert whole.id != one.id


def test_a_uid_that_is_too_long_or_has_blanks_around_it():
    (one,) = seen(feed(event("  a ", "20260302T120000Z")))
    assert one.uid == "a"
    (long,) = seen(feed(event("x" * 5000, "20260302T120000Z")))
    assert (long.uid, len(long.id)) == ("", 24)


# --- what is wrong with one of them


def test_r32_one_event_that_cannot_be_read_leaves_the_others_alone():
    bad = {
        "no start": f"UID:bad\n{STAMP}\nSUMMARY:Bad",
        "a start that is none": f"UID:bad\n{STAMP}\nDTSTART:tomorrow\nSUMMARY:Bad",
        "this and earlier": event("bad", "20260303T120000Z", "Bad", "RRULE:FREQ=DAILY")
        + "\nEND:VEVENT\nBEGIN:VEVENT\n"
        + event("bad", "20260305T120000Z", "Bad", "RECURRENCE-ID;RANGE=THISANDPRIOR:20260305T120000Z"),
    }
    for why, text in bad.items():
        found = reading.read(feed(text, event("good", "20260302T120000Z", "Good"))).objects.values()
        assert len(found) == 2, why
        told = []
        for each in found:
            try:
                told.append(LENS.read([following.item(each)]).fields.master.summary)
            except Unmappable as reason:
                told.append(str(reason))
        assert "Good" in told, why
        assert len(told) == 2
        assert "Bad" not in told


def test_only_events_are_mirrored():
    body = feed(event("a", "20260302T120000Z")).replace(
        b"BEGIN:VEVENT", b"BEGIN:VTODO\r\nUID:t\r\nSUMMARY:Do\r\nEND:VTODO\r\nBEGIN:VEVENT", 1
    )
    assert titles(body) == ["Match"]
    assert reading.read(feed()).objects == {}


def test_junk_lines_and_control_characters_are_no_reason_to_leave_an_event_out():
    (one,) = seen(feed(event("a", "20260302T120000Z", "Ma\x07tch", "this is no content line\nX-ODD;=:x")))
    assert one.fields.master.summary == "Match"


# --- text


@pytest.mark.parametrize(
    ("encoding", "charset", "mark"),
    [
        ("utf-8", "", b""),
        ("utf-8", "utf-8", b"\xef\xbb\xbf"),
        ("utf-8", "no-such-charset", b""),
        ("utf-8", "iso-8859-15", b"\xef\xbb\xbf"),
        ("iso-8859-1", "ISO-8859-1", b""),
        ("iso-8859-15", "iso-8859-15", b""),
        ("cp1252", "", b""),
        ("utf-16", "", b""),
        ("utf-16-be", "", b"\xfe\xff"),
    ],
)
def test_charsets(encoding, charset, mark):
    body = feed(event("a", "20260302T120000Z", "Prüfung")).decode().encode(encoding)
    assert titles(mark + body, charset) == ["Prüfung"]


def test_a_fold_in_the_middle_of_a_character():
    body = feed(event("a", "20260302T120000Z", "Prüfung 🎉"))
    for at in range(body.index("Prü".encode()), body.index("🎉".encode()) + 4):
        assert titles(body[:at] + b"\r\n " + body[at:]) == ["Prüfung 🎉"]


def test_line_ends_of_all_kinds():
    body = feed(event("a", "20260302T120000Z"), event("b", "20260303T120000Z"))
    for end in (b"\n", b"\r", b"\r\r\n"):
        assert titles(body.replace(b"\r\n", end)) == ["Match", "Match"]


# --- what it says of itself


def test_what_a_feed_says_of_itself():
    head = """
    X-WR-CALNAME:Feiertage\\, Wien
    X-WR-TIMEZONE:W. Europe Standard Time
    X-APPLE-CALENDAR-COLOR:#FF2968FF
    REFRESH-INTERVAL;VALUE=DURATION:PT12H
    X-PUBLISHED-TTL:PT1H
    """
    found = reading.read(feed(head=head))
    assert (found.name, found.zone, found.color) == ("Feiertage, Wien", "Europe/Berlin", "#ff2968")
    assert found.refresh == dt.timedelta(hours=12)
    silent = reading.read(feed(head="COLOR:turquoise\nX-WR-TIMEZONE:Nowhere\nX-PUBLISHED-TTL:soon"))
    assert (silent.name, silent.zone, silent.color, silent.refresh) == ("", "", "", None)


# --- the lens


def test_what_is_written_to_the_hub_reads_as_what_came(full_feed):
    """No diff, so no second write (R20)."""
    for each in seen(full_feed):
        stored = edit.compose(each.fields, uid="u", now=NOW)
        assert LENS.view(view.read(objects.parse(stored))) == each.fields
        assert LENS.view(each.fields) == each.fields


@pytest.fixture
def full_feed():
    alarm = "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nEND:VALARM"
    rich = "DESCRIPTION:a\\nb\nLOCATION:c\\, d\nCLASS:PRIVATE\nTRANSP:TRANSPARENT\nCATEGORIES:x,y\nPRIORITY:1\n" + alarm
    series = "RRULE:FREQ=WEEKLY;COUNT=9\nEXDATE:20260309T120000Z\nRDATE:20260310T120000Z"
    odd = event("s", "20260316T150000Z", "Odd", "RECURRENCE-ID:20260317T120000Z")  # none the rule generates
    return feed(
        event("a", "20260302T120000Z", "Rich", rich),
        event("s", "20260302T120000Z", "Series", series),
        odd,
        f"UID:z\n{STAMP}\nDTSTART;TZID=W. Europe Standard Time:20260329T023000\nSUMMARY:In the gap",
        f"UID:f\n{STAMP}\nDTSTART:20260329T023000\nSUMMARY:Floating",
        f"UID:d\n{STAMP}\nDTSTART;VALUE=DATE:20260329\nSUMMARY:Day",
        head=WINDOWS,
    )


def test_everything_a_feed_tells_of_an_event_is_seen(full_feed):
    rich = next(each for each in seen(full_feed) if each.fields.master.summary == "Rich")
    start = local("2026-03-02 12:00")
    assert rich.fields == ObjectFields(
        EventFields(
            When(start, start + dt.timedelta(hours=1), "UTC"),
            summary="Rich",
            description="a\nb",
            location="c, d",
            classification="PRIVATE",
            transp="TRANSPARENT",
            categories=("x", "y"),
            priority=1,
            reminders=(Reminder(15),),
        )
    )
    assert not rich.organized_elsewhere


def test_r1_guests_do_not_come_along():
    who = "ORGANIZER:mailto:boss@example.com\nATTENDEE;CN=Ann:mailto:ann@example.com"
    (one,) = seen(feed(event("a", "20260302T120000Z", "Meeting", who)))
    assert b"ann@example.com" not in edit.compose(one.fields, uid="u", now=NOW)


def test_the_order_of_events_in_a_feed_means_nothing(full_feed):
    head, *events = full_feed.split(b"BEGIN:VEVENT\r\n")
    events[-1] = events[-1].removesuffix(b"END:VCALENDAR\r\n")
    before = reading.read(full_feed).objects
    for seed in range(5):
        random.Random(seed).shuffle(events)
        again = reading.read(b"BEGIN:VEVENT\r\n".join([head, *events]) + b"END:VCALENDAR\r\n").objects
        assert again == before
