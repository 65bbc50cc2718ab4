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
