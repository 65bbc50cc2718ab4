"""What the index of occurrences answers is what reading every event anew would: the reading is the referee."""

import datetime as dt
import xml.etree.ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import InvalidCalendarData, Unmappable
from bridge.ical import edit, recurrence, timing, unrolled, view
from bridge.ical import objects as ical
from bridge.ical.recurrence import instants
from bridge.store import calendars, objects, occurrences, principals, tables
from radicale_plugins import freebusy
from radicale_plugins.filters import Query
from radicale_plugins.matching import matching
from radicale_plugins.occurrences import EARLIEST, LATEST, Range
from tests.laws import texts
from tests.support import calendar_fields as some

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
DAY, HOUR, SECOND = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(seconds=1)
OWN = "alice@example.org"
ZONES = [
    dt.UTC,
    *map(ZoneInfo, ("Pacific/Kiritimati", "Etc/GMT+12", "Europe/Berlin", "America/St_Johns", "Pacific/Apia")),
]
COMPARED = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# What other programs and hostile ones write, by the lines of an event or several: each begins in 2026.
ODD = [
    ["DTSTART:20260601T090000Z", "RRULE:FREQ=HOURLY;INTERVAL=5;COUNT=40"],
    ["DTSTART:20260601T090000Z", "RRULE:FREQ=DAILY;BYHOUR=9,14,15,16,17;COUNT=200"],
    ["DTSTART:20260601T090000Z", "RRULE:FREQ=DAILY;BYHOUR=9,14", "DURATION:PT1H"],
    ["DTSTART:20260601T090000Z", "RRULE:FREQ=DAILY", "EXRULE:FREQ=DAILY;INTERVAL=2", "DURATION:PT1H"],
    ["DTSTART:20260601T090000Z", "EXRULE:FREQ=DAILY", "DURATION:PT1H"],
    ["DTSTART:20260601T090000Z", "EXDATE:20260601T090000Z", "DURATION:PT1H"],
    ["DTSTART:20260601T090000Z", "RDATE:20260701T090000Z,20200101T090000Z", "DURATION:PT1H"],
    ["DTSTART:20260601T090000Z", "RDATE;VALUE=PERIOD:20260701T090000Z/P3D"],
    ["DTSTART:20260601T090000Z", "RRULE:FREQ=DAILY;RSCALE=HEBREW"],
    ["DTSTART:20260601T090000Z", "RRULE:FREQ=OFTEN"],
    ["DTSTART:20260601T090000Z", "RRULE:FREQ=DAILY;COUNT=1500", "DURATION:PT1H"],
    ["DTSTART:20260601T090000Z", "RRULE:FREQ=DAILY;UNTIL=20260901T000000Z", "DURATION:P2D", "STATUS:CANCELLED"],
    ["DTSTART:20260601T090000Z", "RRULE:FREQ=DAILY", "STATUS:TENTATIVE", "DTEND:20260603T100000Z"],
    ["DTSTART:20260601T090000Z", "DTEND:20290601T090000Z"],
    ["DTSTART;VALUE=DATE:20260601", "DTEND;VALUE=DATE:20260820", "RRULE:FREQ=YEARLY"],
    ["DTSTART;VALUE=DATE:20260601", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"],
    ["DTSTART:20260329T023000", "DTEND:20260329T031500", "RRULE:FREQ=YEARLY;COUNT=3"],
    ["DTSTART:20260329T023000", "DTEND:20260329T031500"],
    ["DTSTART;TZID=Europe/Berlin:20261024T025000", "DURATION:PT45M", "RRULE:FREQ=DAILY;COUNT=4"],
    ["DTSTART:20260601T090000", "RRULE:FREQ=WEEKLY", "DURATION:PT26H"],
    ["DTSTART:20111228T100000", "RRULE:FREQ=DAILY;COUNT=4", "DURATION:P1D"],
    ["DTSTART:20260601T090000Z"],
    ["DTSTART:20260601T090000Z", "TRANSP:TRANSPARENT", "DURATION:PT1H"],
    ["DTSTART:20260601T090000Z", "DURATION:PT1H", f"ATTENDEE;PARTSTAT=DECLINED:mailto:{OWN}"],
    ["DTSTART:20260601T090000Z", "DURATION:PT1H", f"ATTENDEE;PARTSTAT=TENTATIVE:mailto:{OWN}", "RRULE:FREQ=DAILY"],
    ["DTSTART:20260601T090000Z", "DURATION:PT1H", f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{OWN}"],
    ["DTSTART:00010110T000000Z"],
    ["DTSTART:99991220T235959"],
    ["DTSTART:soon"],
    ["RECURRENCE-ID:20260601T090000Z", "DTSTART:20260602T090000Z", "DURATION:PT1H"],
]  # fmt: skip
MORE = [
    [],
    ["RECURRENCE-ID:20260603T090000Z", "DTSTART:20290603T110000Z", "DURATION:PT1H"],
    ["RECURRENCE-ID:20260603T090000Z", "DTSTART:20190603T110000Z", "DURATION:PT1H", "STATUS:CANCELLED"],
    ["RECURRENCE-ID;RANGE=THISANDFUTURE:20260603T090000Z", "DTSTART:20260603T110000Z", "DURATION:PT2H"],
    ["RECURRENCE-ID;RANGE=THISANDFUTURE:20260601T090000Z", "DTSTART:20260601T110000Z", "STATUS:CANCELLED"],
    ["RECURRENCE-ID;RANGE=THISANDPRIOR:20260603T090000Z", "DTSTART:20260603T110000Z", "DURATION:PT2H"],
    ["RECURRENCE-ID:20260601T090000Z", "DTSTART:20260601T100000Z", f"ATTENDEE;PARTSTAT=DECLINED:mailto:{OWN}"],
    ["RECURRENCE-ID:20260601T090000Z", "SUMMARY:no start"],
    ["RECURRENCE-ID;VALUE=DATE:20260608", "DTSTART;VALUE=DATE:20260609"],
]


def written(*components, uid="u"):
    inside = [line for each in components if each for line in ("BEGIN:VEVENT", f"UID:{uid}", *each, "END:VEVENT")]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *inside, "END:VCALENDAR", ""]).encode()


odd = st.builds(written, st.sampled_from(ODD), st.sampled_from(MORE))
as_others_write = texts.calendar_objects(onward=True).map(lambda each: each.data)
as_we_write = some.objects().map(lambda fields: edit.compose(fields, uid="u", now=NOW))
# when it is written: near what it says, or so far away that the window does not reach it
moments = st.sampled_from([NOW, NOW, NOW.replace(year=2035), NOW.replace(year=2035), NOW.replace(year=2012)])


def asked(within, floating, more=""):
    names = {"start": within.start, "end": within.end}
    times = " ".join(f'{name}="{each:%Y%m%dT%H%M%SZ}"' for name, each in names.items() if each)
    return Query(
        [
            ET.fromstring(
                '<C:filter xmlns:C="urn:ietf:params:xml:ns:caldav"><C:comp-filter name="VCALENDAR">'
                f'<C:comp-filter name="VEVENT"><C:time-range {times}/>{more}</C:comp-filter></C:comp-filter></C:filter>'
            )
        ],
        floating=floating,
    )


def reading(query, stored):
    """Without the index. Where lines are folded also without the shortcut by bounds, which may take a series for a single event."""
    if b"\n " not in stored.data and b"\n\t" not in stored.data:
        return query.matches(stored)
    try:
        return query._decide(stored)
    except (InvalidCalendarData, OverflowError):
        return query.is_of_nothing_else


def busy_by_reading(stored, within, floating):
    found = []
    for each in stored:
        try:
            obj = ical.parse(each.data)
            if obj.master is None:
                zones = timing.Zones.of(obj)
                events = [view.event(one, zones) for one in obj.overrides if timing.read(one, zones)]
            else:
                placed = recurrence.instances(view.read(obj), within.from_(), within.to(), floating=floating)
                events = [one.fields for one in placed]
            times = [(one, instants(one.when, floating)) for one in events]
        except (InvalidCalendarData, Unmappable, OverflowError):
            continue
        for event, (start, end) in times:
            answer = next((one.partstat for one in event.attendees if one.address == OWN), "")
            if event.transp == "OPAQUE" and event.status != "CANCELLED" and answer != "DECLINED":
                kind = "BUSY-TENTATIVE" if "TENTATIVE" in (event.status, answer) else "BUSY"
                found.append(occurrences.Taken(tables.micros(start), tables.micros(end), kind, None))
    return freebusy.text(freebusy.Taken(found, []), within, floating=floating, now=NOW, own=OWN)


def edges(stored):
    """Moments at which an answer may change: the ends of some occurrences, as they are and in the zones furthest away."""
    found = [NOW]
    for each in stored:
        found += [at for at in (each.first_at, each.last_at) if at is not None]
        try:
            fields = view.read(ical.parse(each.data))
            for at in (NOW, NOW.replace(year=2035)):
                for one in recurrence.instances(fields, at - 40 * DAY, at + 800 * DAY, floating=dt.UTC)[::7][:12]:
                    found += instants(one.when, dt.UTC)
        except (InvalidCalendarData, Unmappable, OverflowError):
            continue
    found += [NOW + years * 366 * DAY for years in (-1, 1, 2, 9)]
    return [each for each in found if EARLIEST + 40 * DAY < each < LATEST - 4000 * DAY]


@st.composite
def ranges(draw, stored):
    start = draw(st.sampled_from(edges(stored)))
    start += draw(st.sampled_from([0 * DAY, SECOND, -SECOND, -HOUR, -12 * HOUR, 14 * HOUR, -DAY, -30 * DAY]))
    length = draw(st.sampled_from([SECOND, HOUR, DAY, 7 * DAY, 31 * DAY, 400 * DAY, 1100 * DAY]))
    kind = draw(st.integers(0, 7))
    return Range(None if kind == 0 else start, None if kind == 1 else start + length)


@pytest.fixture
def calendar(database):
    with database.write() as conn:
        person = principals.add(conn, "alice", OWN, now=NOW)
        return calendars.create(conn, person.id, "calendar", properties={"tag": "VCALENDAR"}, now=NOW).id


def put(conn, calendar, contents):
    for number, (data, now) in enumerate(contents):
        try:
            unlike = data.replace(b"\r\nUID:u\r\n", b"\r\nUID:u%d\r\n" % number)
            objects.put(conn, calendar, f"{number}.ics", unlike, actor="cli", now=now)
        except InvalidCalendarData:  # two of the same UID
            continue
    return list(objects.every(conn, calendar))


def widen(conn, stored, now):
    """As whoever keeps house does."""
    for each in stored:
        listed = unrolled.of(ical.parse(each.data), each.first_at, each.last_at, now=now)
        if listed != unrolled.UNKNOWN:
            occurrences.write(conn, each.calendar_id, each.href, listed)
            occurrences.mark(conn, each.calendar_id, each.href, listed)


def compare(conn, calendar, stored, within, floating):
    query = asked(within, floating)
    read = [each.href for each in stored if reading(query, each)]
    assert [each.href for each in matching(conn, calendar, query)] == read
    if within.start is not None and within.end is not None:
        taken = freebusy.taken(conn, [calendar], within, floating=floating)
        assert freebusy.text(taken, within, floating=floating, now=NOW, own=OWN) == busy_by_reading(
            stored, within, floating
        )


@pytest.mark.parametrize("kind", ["as others write", "as we write", "odd"])
@COMPARED
@given(data=st.data())
def test_the_index_answers_as_reading_does(database, calendar, kind, data):
    strategy = {"as others write": as_others_write, "as we write": as_we_write, "odd": odd}[kind]
    with database.write() as conn:
        for href, _ in objects.hrefs(conn, calendar):
            objects.delete(conn, calendar, href, actor="cli", now=NOW)
        contents = data.draw(st.lists(st.tuples(strategy, moments), min_size=1, max_size=4))
        stored = put(conn, calendar, contents)
        if data.draw(st.booleans()):
            widen(conn, stored, data.draw(moments))
        for within in data.draw(st.lists(ranges(stored), min_size=3, max_size=6)):
            compare(conn, calendar, stored, within, data.draw(st.sampled_from(ZONES)))
