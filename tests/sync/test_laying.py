"""What a side says about a series, and what had been said of instances that nobody sees."""

import dataclasses
import datetime as dt

import pytest

from bridge.ical import view
from bridge.ical.fields import MASTER
from bridge.ical.objects import parse
from bridge.providers.caldav.mapping import CaldavLens
from bridge.providers.google.mapping import GoogleLens
from bridge.sync import laying

ENDED = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//a phone//EN\r
BEGIN:VEVENT\r
UID:u\r
DTSTAMP:20260301T000000Z\r
DTSTART:20260302T090000Z\r
DTEND:20260302T100000Z\r
RRULE:FREQ=DAILY;UNTIL=20260305T090000Z\r
EXDATE:20260303T090000Z,20260310T090000Z\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:u\r
DTSTAMP:20260301T000000Z\r
RECURRENCE-ID:20260311T090000Z\r
DTSTART:20260311T120000Z\r
DTEND:20260311T130000Z\r
SUMMARY:Moved long ago\r
END:VEVENT\r
END:VCALENDAR\r
"""
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
LONGER = {(MASTER, "recurrence"): ("RRULE:FREQ=DAILY;COUNT=20",)}
GOOGLE, CALDAV = GoogleLens("UTC"), CaldavLens()


def read(data):
    return view.read(parse(data))


def test_what_was_said_of_instances_behind_the_end_is_not_there_when_the_series_goes_on():
    longer = laying.edited(ENDED, LONGER, GOOGLE, now=NOW)
    fields = read(longer)
    assert (fields.cancelled, dict(fields.overrides)) == ({"20260303T090000Z"}, {})
    assert b"EXDATE:20260303T090000Z\r\n" in longer


@pytest.mark.parametrize("lens", [GOOGLE, CALDAV])
def test_it_stays_as_long_as_the_schedule_does(lens):
    other = laying.edited(ENDED, {(MASTER, "summary"): "Tea"}, lens, now=NOW)
    assert b"EXDATE:20260303T090000Z,20260310T090000Z\r\n" in other
    assert b"Moved long ago" in other


def test_a_server_that_has_shown_the_override_all_along_keeps_it():
    fields = read(laying.edited(ENDED, LONGER, CALDAV, now=NOW))
    assert (fields.cancelled, fields.overrides.keys()) == ({"20260303T090000Z"}, {"20260311T090000Z"})


def test_who_wakes_an_exclusion_of_its_own_has_said_so():
    """A phone that only moves the end of its series finds its old EXDATE again: both sides are to have it."""
    before, after = (
        CALDAV.view(read(ENDED)),
        CALDAV.view(dataclasses.replace(read(ENDED), recurrence=LONGER[MASTER, "recurrence"])),
    )
    assert (before.cancelled, after.cancelled) == ({"20260303T090000Z"}, {"20260303T090000Z", "20260310T090000Z"})
    change = {**LONGER, ("20260310T090000Z", "state"): "cancelled"}
    assert read(laying.edited(ENDED, change, CALDAV, now=NOW)).cancelled == after.cancelled


HIDDEN = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//a phone//EN\r
BEGIN:VEVENT\r
UID:u\r
DTSTAMP:20260301T000000Z\r
DTSTART%(form)s:20260302T090000%(z)s\r
DTEND%(form)s:20260302T100000%(z)s\r
RRULE:FREQ=DAILY;COUNT=5\r
SUMMARY:Tea\r
LOCATION:Kitchen\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:u\r
DTSTAMP:20260301T000000Z\r
RECURRENCE-ID%(form)s:20260303T090000%(z)s\r
DTSTART%(form)s:20260303T090000%(z)s\r
DTEND%(form)s:20260303T100000%(z)s\r
SUMMARY:Tea\r
LOCATION:Kitchen\r
CATEGORIES:With guests\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:u\r
DTSTAMP:20260301T000000Z\r
RECURRENCE-ID%(form)s:20260304T090000%(z)s\r
DTSTART%(form)s:20260304T090000%(z)s\r
DTEND%(form)s:20260304T100000%(z)s\r
SUMMARY:Coffee\r
LOCATION:Kitchen\r
END:VEVENT\r
END:VCALENDAR\r
"""


@pytest.fixture(params=[(b"", b"Z"), (b"", b""), (b";TZID=Europe/Berlin", b"")], ids=["utc", "floating", "zoned"])
def hidden(request):
    form, z = request.param
    return HIDDEN % {b"form": form, b"z": z}


def test_a_series_that_is_retitled_where_a_day_is_like_all_others_is_retitled_on_that_day(hidden):
    """The service has no exception for a day that differs by its categories alone."""
    other = laying.edited(hidden, {(MASTER, "summary"): "Cake", (MASTER, "location"): ""}, GOOGLE, now=NOW)
    series = read(other)
    titles = {key[:8]: (event.summary, event.location, event.categories) for key, event in series.overrides.items()}
    assert titles == {"20260303": ("Cake", "", ("With guests",)), "20260304": ("Coffee", "Kitchen", ())}


def test_a_side_that_sees_the_day_says_itself_what_becomes_of_it(hidden):
    other = laying.edited(hidden, {(MASTER, "summary"): "Cake"}, CALDAV, now=NOW)
    assert sorted(event.summary for event in read(other).overrides.values()) == ["Coffee", "Tea"]


def test_a_series_that_moves_away_from_under_such_a_day_leaves_no_day_behind():
    data = HIDDEN % {b"form": b"", b"z": b"Z"}
    later = read(data).event.when
    later = dataclasses.replace(later, start=later.start.replace(hour=15), end=later.end.replace(hour=16))
    moved = read(
        laying.edited(data, {(MASTER, "when"): later, ("20260304T090000Z", "state"): "regular"}, GOOGLE, now=NOW)
    )
    assert dict(moved.overrides) == {}
