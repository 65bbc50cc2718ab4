"""What the calendars hold: what people's calendars do. And which of it lies in a given week, known without asking a server.

Of a hundred events seventy are single, twenty recur, five recur and have an instance moved, five last whole days. Timed ones are
held in working hours of Vienna or New York, so none is near midnight in UTC; whole days are Wednesdays.
"""

import datetime as dt

FIRST = dt.date(2022, 1, 3)
"""A Monday."""

WEEKS = 260
"""Over five years; what recurs does so for ten weeks."""

LASTS = 10
WEEK = FIRST + dt.timedelta(weeks=150), FIRST + dt.timedelta(weeks=151)
MONTH = FIRST + dt.timedelta(weeks=150), FIRST + dt.timedelta(weeks=154)


def kind(number):
    return (
        "single"
        if number % 20 < 14
        else ("all day", "moved", "recurring", "recurring", "recurring", "recurring")[number % 20 - 14]
    )


def day(number, size):
    """The day of the (first) occurrence: spread evenly; whole days on Wednesdays, the others on one of four other days."""
    monday = FIRST + dt.timedelta(weeks=number * WEEKS // size)
    return monday + dt.timedelta(days=2 if kind(number) == "all day" else (0, 1, 3, 4)[number % 4])


def days(number, size):
    """All on which it takes place."""
    first = day(number, size)
    if kind(number) in ("single", "all day"):
        return [first]
    every = [first + dt.timedelta(weeks=each) for each in range(LASTS)]
    if kind(number) == "moved":
        every[1] += dt.timedelta(days=1)
    return every


def within(number, size, span):
    return any(span[0] <= each < span[1] for each in days(number, size))


def event(number, size, title="Meeting", *, guests=True):
    """As a phone writes it, with the VTIMEZONE of its zone, an alarm, and sometimes guests."""
    zone = ("Europe/Vienna", "America/New_York")[number % 3 == 0]
    first = day(number, size)
    about = [
        f"SUMMARY:{title} {number}", "LOCATION:Room 4", f"DESCRIPTION:What there is to say about number {number}", "SEQUENCE:0",
        "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Reminder", "TRIGGER:-PT15M", "END:VALARM",
    ]  # fmt: skip
    if guests and number % 10 == 1:
        about[4:4] = [
            "ORGANIZER:mailto:boss@elsewhere.example",
            *(
                f"ATTENDEE;CN=Guest {guest};PARTSTAT=ACCEPTED:mailto:guest{guest}@elsewhere.example"
                for guest in range(4)
            ),
        ]
    if kind(number) == "all day":
        held = [f"DTSTART;VALUE=DATE:{first:%Y%m%d}", f"DTEND;VALUE=DATE:{first + dt.timedelta(days=1):%Y%m%d}"]
        return _calendar([], [_component(number, held, about)])
    at = dt.datetime.combine(first, dt.time(9 + number % 6))
    components = []
    rule = [] if kind(number) == "single" else [f"RRULE:FREQ=WEEKLY;COUNT={LASTS}"]
    components.append(_component(number, [*_held(zone, at), *rule], about))
    if kind(number) == "moved":
        second = at + dt.timedelta(weeks=1)
        held = [f"RECURRENCE-ID;TZID={zone}:{second:%Y%m%dT%H%M%S}", *_held(zone, second + dt.timedelta(days=1))]
        components.append(_component(number, held, about))
    return _calendar(ZONES[zone], components)


def _held(zone, at):
    end = at + dt.timedelta(minutes=45)
    return [f"DTSTART;TZID={zone}:{at:%Y%m%dT%H%M%S}", f"DTEND;TZID={zone}:{end:%Y%m%dT%H%M%S}"]


def _component(number, held, about):
    return [
        "BEGIN:VEVENT",
        f"UID:{number}@bench",
        "DTSTAMP:20260101T000000Z",
        "CREATED:20260101T000000Z",
        *held,
        *about,
        "END:VEVENT",
    ]


def _calendar(zone, components):
    inside = [line for component in components for line in component]
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//a phone//EN",
        "CALSCALE:GREGORIAN",
        *zone,
        *inside,
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(lines)


def _zone(name, standard, daylight, spring, autumn):
    return [
        "BEGIN:VTIMEZONE", f"TZID:{name}",
        "BEGIN:DAYLIGHT", f"DTSTART:{spring[0]}", f"RRULE:FREQ=YEARLY;{spring[1]}", "TZNAME:D",
        f"TZOFFSETFROM:{standard}", f"TZOFFSETTO:{daylight}", "END:DAYLIGHT",
        "BEGIN:STANDARD", f"DTSTART:{autumn[0]}", f"RRULE:FREQ=YEARLY;{autumn[1]}", "TZNAME:S",
        f"TZOFFSETFROM:{daylight}", f"TZOFFSETTO:{standard}", "END:STANDARD",
        "END:VTIMEZONE",
    ]  # fmt: skip


ZONES = {
    "Europe/Vienna": _zone(
        "Europe/Vienna",
        "+0100",
        "+0200",
        ("19810329T020000", "BYMONTH=3;BYDAY=-1SU"),
        ("19961027T030000", "BYMONTH=10;BYDAY=-1SU"),
    ),
    "America/New_York": _zone(
        "America/New_York",
        "-0500",
        "-0400",
        ("20070311T020000", "BYMONTH=3;BYDAY=2SU"),
        ("20071104T020000", "BYMONTH=11;BYDAY=1SU"),
    ),
}
