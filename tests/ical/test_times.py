# ruff: noqa: DTZ001, DTZ007, DTZ901 - wall-clock times are naive here
"""Zones (R24), instants, keys; and the VTIMEZONEs we read and write."""

import datetime as dt
import os
import random
import subprocess
import sys
import zoneinfo

import pytest
from dateutil.tz import tzical

from bridge.ical import edit, objects, times, tzdefine, view, vtimezone
from bridge.ical.fields import EventFields, ObjectFields, When

EU = (
    "DAYLIGHT:20070325T020000:+0100:+0200:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    "STANDARD:20071028T030000:+0200:+0100:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
)
EU_OUTLOOK = (
    "STANDARD:16010101T030000:+0200:+0100:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
    "DAYLIGHT:16010101T020000:+0100:+0200:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
)
UK = (
    "DAYLIGHT:19960331T010000:+0000:+0100:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    "STANDARD:19961027T020000:+0100:+0000:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
)
US = (
    "DAYLIGHT:20070311T020000:-0500:-0400:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU",
    "STANDARD:20071104T020000:-0400:-0500:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU",
)
INDIA = ("STANDARD:16010101T000000:+0530:+0530:",)
ZERO = ("STANDARD:16010101T000000:+0000:+0000:",)
US_2019_ONLY = ("DAYLIGHT:20190310T020000:-0500:-0400:", "STANDARD:20191103T020000:-0400:-0500:")
NOWHERE = (
    "DAYLIGHT:20070325T020000:+0117:+0217:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    "STANDARD:20071028T030000:+0217:+0117:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
)


def vtimezone_text(tzid, observances, *extra):
    content = ["BEGIN:VTIMEZONE", f"TZID:{tzid}", *extra]
    for part in observances:
        kind, start, before, after, rule = part.split(":")
        content += [f"BEGIN:{kind}", f"DTSTART:{start}", f"TZOFFSETFROM:{before}", f"TZOFFSETTO:{after}"]
        content += [f"RRULE:{rule}"] if rule else []
        content += [f"END:{kind}"]
    return "\n".join([*content, "END:VTIMEZONE"])


def component(tzid, observances, *extra):
    text = f"BEGIN:VCALENDAR\n{vtimezone_text(tzid, observances, *extra)}\nBEGIN:VEVENT\nUID:u\nEND:VEVENT\nEND:VCALENDAR\n"
    return next(iter(objects.parse(text.encode()).timezones.values()))


@pytest.mark.parametrize(
    ("tzid", "definition", "zone"),
    [
        # an IANA name, with what producers put before it
        ("Europe/Berlin", None, "Europe/Berlin"),
        ("europe/berlin", None, "Europe/Berlin"),
        ("America/New York", None, "America/New_York"),
        ("Europe/Kiev", None, "Europe/Kyiv"),
        ("Asia/Calcutta", None, "Asia/Kolkata"),
        ("/mozilla.org/20050126_1/Europe/Berlin", None, "Europe/Berlin"),
        ("/freeassociation.sourceforge.net/Tzfile/Europe/Vienna", None, "Europe/Vienna"),
        ("/freeassociation.sourceforge.net/America/Argentina/Buenos_Aires", None, "America/Argentina/Buenos_Aires"),
        ("/citadel.org/20210210_1/Europe/London", None, "Europe/London"),
        ("Etc/UTC", None, "UTC"),
        ("tzone://Microsoft/Utc", None, "UTC"),
        # it wins over its definition: those are often simplified
        ("Europe/Berlin", US, "Europe/Berlin"),
        # a Windows name
        ("W. Europe Standard Time", None, "Europe/Berlin"),
        ("w. europe standard time", US, "Europe/Berlin"),
        ("Eastern Standard Time", None, "America/New_York"),
        ("India Standard Time", None, "Asia/Kolkata"),
        ("FLE Standard Time", None, "Europe/Kyiv"),
        ("UTC", None, "UTC"),
        # the embedded definition
        ("Customized Time Zone", EU_OUTLOOK, "Europe/Berlin"),
        ("tzone://Microsoft/Custom", EU, "Europe/Berlin"),
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rom, Stockholm, Wien", EU, "Europe/Amsterdam"),
        ("(UTC+01:00) Brussels, Copenhagen, Madrid, Paris", EU, "Europe/Brussels"),
        ("My Zone", US, "America/New_York"),
        ("My Zone", INDIA, "Asia/Kolkata"),
        ("My Zone", ZERO, "UTC"),
        ("My Zone", US_2019_ONLY, "America/New_York"),
        # an abbreviation is believed if its definition agrees: the GMT that is London
        ("GMT", None, "Etc/GMT"),
        ("GMT", ZERO, "Etc/GMT"),
        ("GMT", UK, "Europe/London"),
        ("EST", US, "America/New_York"),
        # neither
        ("Customized Time Zone", None, None),
        ("Customized Time Zone", NOWHERE, None),
        ("Customized Time Zone", ("STANDARD:rubbish:::",), None),
        ("", None, None),
    ],
)
def test_r24_what_a_tzid_means(tzid, definition, zone):
    assert times.resolve_zone(tzid, definition and component(tzid, definition)) == zone


def test_r24_a_definition_names_its_origin():
    assert times.resolve_zone("1", component("1", EU, "X-LIC-LOCATION:Europe/Vienna")) == "Europe/Vienna"


def test_r24_the_instant_is_kept_where_there_is_no_zone():
    text = (
        "BEGIN:VCALENDAR\n" + vtimezone_text("Z", NOWHERE) + "\nBEGIN:VEVENT\nUID:u\nDTSTART;TZID=Z:20260701T120000\n"
        "DTEND;TZID=Z:20261201T120000\nRDATE;TZID=Z:20260702T120000\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    fields = view.read(objects.parse(text.encode()))
    assert fields.master.when == When(dt.datetime(2026, 7, 1, 9, 43), dt.datetime(2026, 12, 1, 10, 43), "UTC")
    assert fields.recurrence == ("RDATE:20260702T094300Z",)


def test_d01_a_definition_is_its_objects_own():
    def start(offset):
        zone = vtimezone_text("Office", (f"STANDARD:19700101T000000:{offset}:{offset}:",))
        text = f"BEGIN:VCALENDAR\n{zone}\nBEGIN:VEVENT\nUID:u\nDTSTART;TZID=Office:20260101T120000\nEND:VEVENT\nEND:VCALENDAR\n"
        when = view.read(objects.parse(text.encode())).master.when
        return times.instant(when.start, when.zone, floating=dt.UTC)

    for _ in range(2):
        assert start("+0500") == dt.datetime(2026, 1, 1, 7, tzinfo=dt.UTC)
        assert start("-0500") == dt.datetime(2026, 1, 1, 17, tzinfo=dt.UTC)


def test_windows_names_both_ways():
    """X-03"""
    assert times.to_windows("Europe/Vienna") == "W. Europe Standard Time"
    assert times.to_windows("Europe/Kiev") == times.to_windows("Europe/Kyiv") == "FLE Standard Time"
    assert times.to_windows("US/Pacific") == "Pacific Standard Time"
    assert times.to_windows("UTC") == "UTC"
    assert times.to_windows("Nowhere/City") is None
    assert times.from_windows("Customized Time Zone") is None
    for name in ("Romance Standard Time", "Samoa Standard Time", "Newfoundland Standard Time", "Nepal Standard Time"):
        assert times.to_windows(times.from_windows(name)) == name


def test_every_zone_has_one_canonical_name_which_zoneinfo_knows():
    for name in sorted(zoneinfo.available_timezones() - {"localtime", "Factory"}):
        canonical = times.canonical_zone(name)
        assert times.canonical_zone(canonical) == canonical
        assert times.zone_info(canonical)
    assert times.canonical_zone("Europe/Oslo") == "Europe/Oslo"  # a link in the data, a country of its own to people
    assert times.canonical_zone("Nowhere/City") == "Nowhere/City"


def test_instants():
    """R23: a missing time takes the offset before the gap, a repeated one is the first (RFC 5545 §3.3.5)."""
    tokyo = zoneinfo.ZoneInfo("Asia/Tokyo")
    at = dt.datetime
    assert times.instant(at(2026, 3, 29, 2, 30), "Europe/Berlin", floating=tokyo) == at(
        2026, 3, 29, 1, 30, tzinfo=dt.UTC
    )
    assert times.instant(at(2026, 10, 25, 2, 30), "Europe/Berlin", floating=tokyo) == at(
        2026, 10, 25, 0, 30, tzinfo=dt.UTC
    )
    assert times.instant(at(2026, 10, 25, 2, 30, fold=1), "Europe/Berlin", floating=tokyo).hour == 0
    assert times.instant(at(2026, 1, 1, 9), None, floating=tokyo) == at(2026, 1, 1, 0, tzinfo=dt.UTC)
    assert times.instant(dt.date(2026, 1, 1), None, floating=tokyo) == at(2025, 12, 31, 15, tzinfo=dt.UTC)
    assert times.instant(dt.date.min, None, floating=tokyo).year == 1
    assert times.instant(dt.datetime.max, "America/New_York", floating=tokyo).year == 9999
    assert times.wall(at(2026, 10, 25, 1, 30, tzinfo=dt.UTC), "Europe/Berlin") == at(2026, 10, 25, 2, 30)
    assert times.wall(at(2026, 10, 25, 1, 30, tzinfo=dt.UTC), "Europe/Berlin").fold == 0


def test_keys():
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    assert times.instance_key(dt.datetime(2026, 3, 29, 9, tzinfo=berlin)) == "20260329T070000Z"
    assert times.instance_key(dt.datetime(2026, 3, 29, 9)) == "20260329T090000"
    assert times.instance_key(dt.date(2026, 3, 29)) == "20260329"
    assert times.instance_key(dt.date(33, 4, 3)) == "00330403"


WRITTEN = ["Africa/Cairo", "Africa/Casablanca", "America/New_York", "America/Santiago", "America/St_Johns", "Asia/Gaza",
           "Asia/Jerusalem", "Asia/Kolkata", "Asia/Tehran", "Australia/Lord_Howe", "Europe/Berlin", "Europe/Dublin",
           "Pacific/Auckland", "Pacific/Chatham", "Pacific/Kiritimati", "UTC"]  # fmt: skip


@pytest.mark.parametrize("zone", WRITTEN)
def test_a_written_definition_has_the_offsets_of_its_zone(zone):
    """dateutil's reader judges, and our own; in every year from the event's on, far beyond 2038."""
    written = tzdefine.define(zone, 2019)
    theirs = tzical(__import__("io").StringIO("".join(written.raws()))).get()
    ours = vtimezone.read(written)
    truth = zoneinfo.ZoneInfo(zone)
    rnd = random.Random(zone)
    for _ in range(150):
        utc = dt.datetime(2019, 1, 1) + dt.timedelta(minutes=rnd.randrange(48 * 365 * 1440))
        aware = utc.replace(tzinfo=dt.UTC).astimezone(truth)
        assert ours.offset(utc) == aware.utcoffset()
        wall = aware.replace(tzinfo=None, fold=0)
        assert ours.to_utc(wall) == times.instant(wall, zone, floating=dt.UTC).replace(tzinfo=None)
        if times.wall(utc.replace(tzinfo=dt.UTC) - dt.timedelta(hours=3), zone) == wall - dt.timedelta(
            hours=3
        ) and times.wall(utc.replace(tzinfo=dt.UTC) + dt.timedelta(hours=3), zone) == wall + dt.timedelta(
            hours=3
        ):  # dateutil takes repeated and missing hours in its own way
            assert wall.replace(tzinfo=theirs).utcoffset() == aware.utcoffset()


@pytest.mark.parametrize("zone", WRITTEN)
def test_a_written_definition_is_recognised_by_its_rules(zone):
    found = times.resolve_zone("Customized Time Zone", tzdefine.define(zone, 2024))
    truth, other = zoneinfo.ZoneInfo(zone), zoneinfo.ZoneInfo(found)
    for day in range(0, 365 * 3, 7):
        moment = dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=day)
        assert moment.astimezone(truth).utcoffset() == moment.astimezone(other).utcoffset()


def test_to_utc_around_the_changes():
    definition = vtimezone.read(component("Z", EU))
    for text in (
        "20260329T013000",
        "20260329T023000",
        "20260329T033000",
        "20261025T013000",
        "20261025T023000",
        "20261025T033000",
    ):
        wall = dt.datetime.strptime(text, "%Y%m%dT%H%M%S")
        assert definition.to_utc(wall) == times.instant(wall, "Europe/Berlin", floating=dt.UTC).replace(tzinfo=None)
    assert definition.offset(dt.datetime(1990, 7, 1)) == dt.timedelta(hours=1)  # before its first onset


@pytest.mark.parametrize("machine", ["Etc/GMT+12", "UTC", "Pacific/Kiritimati"])
def test_r25_a_date_stays_a_date_wherever_the_server_stands(machine):
    fields = ObjectFields(
        EventFields(When(dt.date(2026, 3, 29), dt.date(2026, 3, 30))), ("RRULE:FREQ=DAILY;UNTIL=20260401",)
    )
    code = (
        "import datetime as dt; from bridge.ical import edit, objects, view, fields, recurrence\n"
        f"f = fields.from_json({__import__('bridge.ical.fields').ical.fields.to_json(fields)!r})\n"
        "d = edit.compose(f, uid='u', now=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)); assert view.read(objects.parse(d)) == f\n"
        "print(d.decode(), list(recurrence.keys(f)))"
    )
    env = {**os.environ, "TZ": machine}
    there = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    here = edit.compose(fields, uid="u", now=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)).decode()
    expected = f"{here} ['20260329', '20260330', '20260331', '20260401']\n"
    assert there.stdout.replace("\r\n", "\n") == expected.replace("\r\n", "\n")
    assert "DTSTART;VALUE=DATE:20260329" in here
