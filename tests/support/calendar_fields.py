# ruff: noqa: DTZ001 - wall-clock times are naive here
"""Hypothesis strategies for neutral fields, in their normal form, and the changes between them."""

import datetime as dt
from dataclasses import replace
from itertools import islice

from hypothesis import strategies as st

from bridge.ical import normal, onward
from bridge.ical import spans as todo_spans
from bridge.ical.fields import Attendee, EventFields, ObjectFields, Reminder, Span, TodoFields, When
from bridge.ical.recurrence import keys

ZONES = [
    "Africa/Casablanca",
    "America/New_York",
    "America/Santiago",
    "America/St_Johns",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Kyiv",
    "Pacific/Auckland",
    "Pacific/Kiritimati",
    "UTC",
]
RULES = [
    "RRULE:FREQ=DAILY",
    "RRULE:FREQ=DAILY;INTERVAL=3;COUNT=20",
    "RRULE:FREQ=WEEKLY;BYDAY=MO,WE,FR;WKST=SU;INTERVAL=2",
    "RRULE:FREQ=WEEKLY;UNTIL=20270601T120000Z",
    "RRULE:FREQ=MONTHLY;BYDAY=-1FR",
    "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "RRULE:FREQ=MONTHLY;BYMONTHDAY=31",
    "RRULE:FREQ=YEARLY",
]
# What people type, and what breaks parsers: separators, escapes, folds, line ends, controls, characters beyond the BMP.
texts = st.text(
    st.sampled_from("abc \t\n\r\\,;:\"'^=üß€𝄞é\u0301\x07\x7f\u2028NnZ") | st.characters(codec="utf-8"), max_size=60
)
labels = st.text(st.sampled_from("abc ,;\\üN"), max_size=8)
moments = st.datetimes(dt.datetime(2025, 1, 1), dt.datetime(2028, 1, 1)).map(
    lambda at: at.replace(microsecond=0, fold=0)
)
guests = st.builds(
    Attendee,
    st.sampled_from(
        ["alice@example.org", "bob@example.org", "Zoë.O'Hara@example.org", "room@example.org", "no address"]
    ),
    texts,
    st.sampled_from(["REQUIRED", "OPTIONAL", "RESOURCE"]),
    st.sampled_from(["NEEDS-ACTION", "ACCEPTED", "DECLINED", "TENTATIVE"]),
)
lengths = st.sampled_from([dt.timedelta(minutes=m) for m in (0, 15, 60, 90, 600, 1440, 4320, 20000)])


@st.composite
def whens(draw, kind=None):
    kind = kind or draw(st.sampled_from(["all-day", "floating", "zoned", "zoned", "zoned"]))
    start, length = draw(moments), draw(lengths)
    if kind == "all-day":
        return When(start.date(), start.date() + dt.timedelta(days=1 + length.days))
    if kind == "floating":
        return When(start, start + length)
    end_zone = draw(st.none() | st.sampled_from(ZONES)) if draw(st.booleans()) else None
    return When(start, start + length, draw(st.sampled_from(ZONES)), end_zone)


@st.composite
def events(draw, when=None):
    return normal.event(
        EventFields(
            when or draw(whens()),
            summary=draw(texts),
            description=draw(texts),
            location=draw(texts),
            status=draw(st.sampled_from(["", "CONFIRMED", "TENTATIVE"])),
            transp=draw(st.sampled_from(["OPAQUE", "TRANSPARENT"])),
            show_as=draw(st.sampled_from(["", "TENTATIVE", "OOF", "WORKINGELSEWHERE"])),
            classification=draw(st.sampled_from(["", "PUBLIC", "PRIVATE", "CONFIDENTIAL"])),
            reminders=tuple(
                draw(
                    st.lists(
                        st.builds(Reminder, st.integers(0, 40320), st.sampled_from(["DISPLAY", "EMAIL"])), max_size=3
                    )
                )
            ),
            categories=tuple(draw(st.lists(labels, max_size=3))),
            priority=draw(st.integers(0, 9)),
            organizer=draw(st.sampled_from(["", "", "alice@example.org", "Bob@Example.org"])),
            attendees=tuple(draw(st.lists(guests, max_size=3))) if draw(st.booleans()) else (),
            url=draw(st.sampled_from(["", "https://example.org/a,b;c?d=e%2Cf#g", "message:%3Cx@y%3E"])),
            others=tuple(
                draw(
                    st.sets(
                        st.sampled_from(
                            [
                                "COLOR:#a0b0c0",
                                "GEO:here",
                                'X-OURS;P="a:b":1,2',
                                "ATTACH:https://x.org/",
                                "UID:no",
                                "bad",
                            ]
                        )
                    )
                )
            ),
            conference=draw(
                st.sampled_from(["", "https://meet.example.org/a,b;c?d=e", "tel:+431234", " http://x.y/z"])
            ),
            color=draw(st.sampled_from(["", "tomato", "Gray", "#a0b0c0"])),
            geo=draw(st.sampled_from(["", "48.2;16.3", "-33.90;+151.2", "91;0"])),
        )
    )


@st.composite
def objects(draw):
    """A single event or a series with some instances moved, changed and cancelled, and some with all that come later."""
    master = draw(events())
    if draw(st.integers(0, 3)) == 0:
        return ObjectFields(master)
    rules = tuple(dict.fromkeys(draw(st.lists(st.sampled_from(RULES), min_size=1, max_size=2))))
    if draw(st.integers(0, 3)) == 0:
        rules += (draw(rdates(master.when)),)
    fields = ObjectFields(master, rules)
    there = sorted(set(islice(keys(fields), 12)))
    if not there:
        return normal.fields(fields)
    cancelled = draw(st.sets(st.sampled_from(there), max_size=3))
    chosen = draw(st.sets(st.sampled_from(there), max_size=3)) - cancelled
    ranges = draw(st.sets(st.sampled_from(there), max_size=2)) if draw(st.integers(0, 2)) == 0 else set()
    overrides = {key: draw(overrides_of(master)) for key in sorted(chosen | set(map(onward.named, ranges)))}
    return normal.fields(ObjectFields(master, rules, overrides, frozenset(cancelled)))


@st.composite
def overrides_of(draw, master):
    other = draw(events())
    names = draw(
        st.sets(
            st.sampled_from(
                ["summary", "when", "reminders", "location", "categories", "status", "show_as", "attendees"]
            )
        )
    )
    return replace(master, **{name: getattr(other, name) for name in names})


@st.composite
def rdates(draw, when):
    extra = draw(moments)
    if when.all_day:
        return f"RDATE;VALUE=DATE:{extra:%Y%m%d}"
    if when.zone in (None, "UTC"):
        return f"RDATE:{extra:%Y%m%dT%H%M%S}{'Z' if when.zone else ''}"
    return draw(
        st.sampled_from(
            [
                f"RDATE;TZID={when.zone}:{extra:%Y%m%dT%H%M%S}",
                f"RDATE;TZID=Asia/Tokyo:{extra:%Y%m%dT%H%M%S}",
                f"RDATE;VALUE=PERIOD:{extra:%Y%m%dT%H%M%S}Z/PT2H",
            ]
        )
    )


places = st.one_of(
    moments.map(lambda at: (at.date(), None)),
    moments.map(lambda at: (at, None)),
    st.tuples(moments, st.sampled_from(ZONES)),
)
spans = st.builds(Span, st.none() | places, st.none() | places).map(todo_spans.normal)
instants = moments.map(lambda at: at.replace(tzinfo=dt.UTC))


@st.composite
def todos(draw):
    """What ``view.read`` may show of a to-do; an alarm that floats needs a time to be relative to."""
    when = draw(spans)
    rings = st.tuples(moments, st.just("UTC"))
    return normal.todo(
        TodoFields(
            when,
            summary=draw(texts),
            description=draw(texts),
            location=draw(texts),
            status=draw(st.sampled_from(["", "NEEDS-ACTION", "IN-PROCESS", "COMPLETED", "CANCELLED"])),
            completed=draw(st.none() | instants),
            percent=draw(st.integers(0, 100)),
            classification=draw(st.sampled_from(["", "PUBLIC", "PRIVATE", "CONFIDENTIAL"])),
            categories=tuple(draw(st.lists(labels, max_size=3))),
            priority=draw(st.integers(0, 9)),
            url=draw(st.sampled_from(["", "https://example.org/a,b;c?d=e%2Cf#g", "message:%3Cx@y%3E"])),
            rules=tuple(draw(st.lists(st.sampled_from(RULES), max_size=1))),
            alarms=tuple(draw(st.lists(rings, max_size=2))),
            parent=draw(st.sampled_from(["", "parent@example.org", "a,b;c\\d"])),
        )
    )
