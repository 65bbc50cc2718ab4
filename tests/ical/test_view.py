# ruff: noqa: DTZ001 - wall-clock times are naive here
"""From iCalendar text to neutral fields (MAPPING §1-2)."""

import datetime as dt

import pytest

from bridge.errors import Unmappable
from bridge.ical import objects, view
from bridge.ical.fields import Reminder, When

DAY = dt.date(2026, 3, 28)
NINE = dt.datetime(2026, 3, 28, 9)
BERLIN = "Europe/Berlin"


def event(*content, start="DTSTART;TZID=Europe/Berlin:20260328T090000", more=()):
    inner = [f"BEGIN:VEVENT\nUID:u\n{start}", *content, "END:VEVENT"]
    others = [f"BEGIN:VEVENT\nUID:u\n{text}\nEND:VEVENT" for text in more]
    return objects.parse("\n".join(["BEGIN:VCALENDAR", *inner, *others, "END:VCALENDAR\n"]).encode())


def master(*content, **kw):
    return view.read(event(*content, **kw)).master


@pytest.mark.parametrize(
    ("start", "end", "when"),
    [
        #
        ("DTSTART;VALUE=DATE:20260328", "", When(DAY, dt.date(2026, 3, 29))),
        ("DTSTART:20260328", "DTEND:20260330", When(DAY, dt.date(2026, 3, 30))),
        ("DTSTART;VALUE=DATE:20260328", "DTEND;VALUE=DATE:20260328", When(DAY, dt.date(2026, 3, 29))),
        ("DTSTART;VALUE=DATE:20260328", "DURATION:P2D", When(DAY, dt.date(2026, 3, 30))),
        ("DTSTART;VALUE=DATE:20260328", "DURATION:PT36H", When(DAY, dt.date(2026, 3, 30))),
        ("DTSTART;VALUE=DATE:20260328", "DTEND:20260329T120000Z", When(DAY, dt.date(2026, 3, 30))),
        #
        ("DTSTART:20260328T090000", "", When(NINE, NINE)),
        ("DTSTART:20260328T090000Z", "DTEND:20260328T080000Z", When(NINE, NINE, "UTC")),
        # a nominal day over the change to summer time, and 24 exact hours
        ("DTSTART;TZID=Europe/Berlin:20260328T090000", "DURATION:P1D", When(NINE, dt.datetime(2026, 3, 29, 9), BERLIN)),
        (
            "DTSTART;TZID=Europe/Berlin:20260328T090000",
            "DURATION:PT24H",
            When(NINE, dt.datetime(2026, 3, 29, 10), BERLIN),
        ),
        (
            "DTSTART;TZID=Europe/Berlin:20260328T090000",
            "DURATION:P1DT1H",
            When(NINE, dt.datetime(2026, 3, 29, 10), BERLIN),
        ),
        ("DTSTART;TZID=Europe/Berlin:20260328T090000", "DURATION:-PT1H", When(NINE, NINE, BERLIN)),
        ("DTSTART;TZID=Europe/Berlin:20260328T090000", "DURATION:P1W", When(NINE, dt.datetime(2026, 4, 4, 9), BERLIN)),
        ("DTSTART;TZID=Europe/Berlin:20260328T090000", "DURATION:P999999999D", When(NINE, NINE, BERLIN)),
        #
        (
            "DTSTART;TZID=Europe/Berlin:20260328T090000",
            "DTEND;TZID=America/New_York:20260328T080000",
            When(NINE, dt.datetime(2026, 3, 28, 8), BERLIN, "America/New_York"),
        ),
        ("DTSTART;TZID=Europe/Kiev:20260328T090000", "", When(NINE, NINE, "Europe/Kyiv")),
        ("DTSTART;TZID=Nowhere:20260328T090000", "", When(NINE, NINE)),
        ("DTSTART:20260328T090060", "", When(NINE.replace(second=59), NINE.replace(second=59))),
    ],
)
def test_when(start, end, when):
    assert master(end, start=start).when == when


def test_text():
    fields = master(
        "SUMMARY:a\\, b; c, d\\\\n\\n\\x e\u0301",
        'DESCRIPTION;ALTREP="cid:x,y":one\\N',
        "  two",
        "LOCATION:",
    )
    assert fields.summary == "a, b; c, d\\n\n\\x é"
    assert fields.description == "one\n two"
    assert fields.location == ""


def test_words_and_numbers():
    fields = master("STATUS:tentative", "TRANSP:transparent", "CLASS:X-SECRET", "PRIORITY:5", "URL:https://x/a,b;c")
    assert (fields.status, fields.transp, fields.classification) == ("TENTATIVE", "TRANSPARENT", "PRIVATE")
    assert (fields.priority, fields.url) == (5, "https://x/a,b;c")
    bare = master("STATUS:X-ODD", "TRANSP:X-ODD", "PRIORITY:high")
    assert (bare.status, bare.transp, bare.classification, bare.priority) == ("", "OPAQUE", "", 0)


def test_categories_on_several_lines():
    """X-23"""
    assert master("CATEGORIES:a,b\\,c, d", "CATEGORIES:a,,e").categories == ("a", "b,c", "d", "e")


def alarm(*content):
    return "\n".join(["BEGIN:VALARM", *content, "END:VALARM"])


@pytest.mark.parametrize(
    ("content", "reminder"),
    [
        (("ACTION:DISPLAY", "TRIGGER:-PT15M"), Reminder(15)),
        (("ACTION:AUDIO", "TRIGGER;RELATED=START:-P1DT1H"), Reminder(1500)),
        (("ACTION:EMAIL", "TRIGGER:-P1W"), Reminder(10080, "EMAIL")),
        (("ACTION:DISPLAY", "TRIGGER:PT0S"), Reminder(0)),
        (("ACTION:DISPLAY", "TRIGGER:-PT90S"), Reminder(2)),
        (("ACTION:DISPLAY", "TRIGGER:PT5M"), None),
        (("ACTION:DISPLAY", "TRIGGER;RELATED=END:-PT5M"), None),
        (("ACTION:DISPLAY", "TRIGGER;VALUE=DATE-TIME:20260328T080000Z"), None),
        (("ACTION:NONE", "TRIGGER:-PT5M"), None),
        (("ACTION:PROCEDURE", "TRIGGER:-PT5M"), None),
        (("TRIGGER:-PT5M",), None),
    ],
)
def test_plain_alarms_are_reminders(content, reminder):
    """X-50 … X-54"""
    assert master(alarm(*content)).reminders == ((reminder,) if reminder else ())


def test_exclusions_in_every_form():
    fields = view.read(
        event(
            "RRULE:FREQ=DAILY",
            "EXDATE;TZID=Europe/Berlin:20260329T090000,20260330T090000",
            "EXDATE:20260331T070000Z,rubbish",
            "EXDATE;VALUE=DATE:20260401",
            "EXDATE;TZID=W. Europe Standard Time:20260402T090000",
            "EXDATE:20260403T090000",
        )
    )
    days = (29, 30, 31), (1, 2, 3)
    assert fields.cancelled == {f"2026{m:02}{d:02}T070000Z" for m, part in zip((3, 4), days, strict=True) for d in part}
    assert fields.recurrence == ("RRULE:FREQ=DAILY",)


def test_overrides_are_complete_and_named_by_their_original_start():
    fields = view.read(
        event(
            "RRULE:FREQ=DAILY",
            "SUMMARY:master",
            more=[
                "RECURRENCE-ID:20260329T070000Z\nDTSTART:20260329T120000Z\nDTEND:20260329T130000Z\nSUMMARY:moved",
                "RECURRENCE-ID;TZID=Europe/Berlin:20260330T090000\nDTSTART;VALUE=DATE:20260330\nSTATUS:CANCELLED",
                "RECURRENCE-ID;VALUE=DATE:20260331\nDTSTART;TZID=Europe/Berlin:20260331T090000",
            ],
        )
    )
    assert set(fields.overrides) == {"20260329T070000Z", "20260331T070000Z"}
    assert fields.overrides["20260329T070000Z"].summary == "moved"
    assert fields.overrides["20260331T070000Z"].summary == ""
    assert fields.cancelled == {"20260330T070000Z"}


def test_an_excluded_override_is_cancelled():
    more = ["RECURRENCE-ID:20260329T070000Z\nDTSTART:20260329T120000Z"]
    fields = view.read(event("RRULE:FREQ=DAILY", "EXDATE:20260329T070000Z", more=more))
    assert fields.overrides == {}
    assert fields.cancelled == {"20260329T070000Z"}


def test_all_day_and_floating_series():
    day = view.read(
        event(
            "RRULE:FREQ=DAILY",
            "EXDATE:20260329,20260330T000000Z",
            start="DTSTART;VALUE=DATE:20260328",
            more=["RECURRENCE-ID;TZID=Europe/Berlin:20260401T000000\nDTSTART;VALUE=DATE:20260402"],
        )
    )
    assert day.cancelled == {"20260329", "20260330"}
    assert set(day.overrides) == {"20260401"}
    floating = view.read(event("RRULE:FREQ=DAILY", "EXDATE:20260329T090000", start="DTSTART:20260328T090000"))
    assert floating.cancelled == {"20260329T090000"}


def test_rules_keep_their_order_and_lose_their_zone_spelling():
    fields = view.read(
        event(
            "EXRULE:freq=monthly",
            'RDATE;TZID="/mozilla.org/20050126_1/Europe/Berlin":20260330T090000,20260401T090000',
            "RRULE:FREQ=DAI",
            " LY;COUNT=3",
            "RDATE;VALUE=PERIOD:20260329T070000Z/PT2H",
            "RDATE;TZID=Etc/UTC:20260330T090000",
        )
    )
    assert fields.recurrence == (
        "EXRULE:FREQ=MONTHLY",
        "RDATE;TZID=Europe/Berlin:20260330T090000,20260401T090000",
        "RRULE:FREQ=DAILY;COUNT=3",
        "RDATE;VALUE=PERIOD:20260329T070000Z/PT2H",
        "RDATE:20260330T090000Z",
    )


@pytest.mark.parametrize(
    "obj",
    [
        objects.parse(b"BEGIN:VCALENDAR\nBEGIN:VJOURNAL\nUID:u\nEND:VJOURNAL\nEND:VCALENDAR\n"),
        event("RECURRENCE-ID:20260329T070000Z"),
        event(start="DTSTART:soon"),
        event(start="SUMMARY:no start"),
        event("RRULE:FREQ=DAILY", more=["RECURRENCE-ID;RANGE=THISANDPRIOR:20260329T070000Z\nDTSTART:20260329T120000Z"]),
        event("RRULE:FREQ=DAILY", more=["RECURRENCE-ID:soon\nDTSTART:20260329T120000Z"]),
    ],
)
def test_what_has_no_view(obj):
    with pytest.raises(Unmappable):
        view.read(obj)
