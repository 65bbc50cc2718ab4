"""Hypothesis strategies for calendar objects as bytes, the way other programs write them: not one line is ours.

What is drawn is real in its kinds: the properties, parameters and components of phones and of Outlook, time zones spelt in
five ways, odd folds and line ends, clocks that are put forward and back, days that some months lack, zones from UTC-12 to
UTC+14. Times lie in the year after the stories' Monday, so that every service looks at them.
"""

import datetime as dt
import random
import re
import unicodedata
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

import icalendar
from hypothesis import strategies as st

from bridge.ical import recurrence
from bridge.ical.fields import Attendee, Reminder
from tests.laws.dates import MONDAY

DAY = dt.timedelta(days=1)
FIRST = dt.datetime.combine(MONDAY, dt.time())

ZONES = [
    "America/New_York",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Etc/GMT+12",
    "Europe/Dublin",
    "Europe/Vienna",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
]
ALIASES = {
    "Europe/Vienna": [
        "W. Europe Standard Time",
        "/mozilla.org/20070129_1/Europe/Vienna",
        "(UTC+01:00) Amsterdam\\, Berlin\\, Wien",
    ],
    "America/New_York": ["Eastern Standard Time", "US/Eastern"],
}
TEXTS = [
    "Tea",
    "Zahnärztin; Röntgen, dann Café",
    "One\nand two\n\n and three",
    "back\\slash \\n is no line break",
    "a" * 200 + "ü" * 60,
    "  blanks around  ",
    "decomposed u\u0308 and 👩‍👩‍👧 and \u202eright to left",
    '<p>Not a page</p> & it\'s &amp; "quoted"',
    "BEGIN:VEVENT",
    "=C3=BC 50 %",
    "100,000.-; net",
]
EXTRAS = [
    'X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-ADDRESS="Ring 1\\n1010 Wien";X-TITLE=Café:geo:48.2,16.37',
    'X-NOTE;X-P="a:b;c":kept, as;it is\\',
    "X-ALT-DESC;FMTTYPE=text/html:<html><body><p>Tea</p></body></html>",
    "X-MOZ-GENERATION:4",
    "X-MICROSOFT-CDO-IMPORTANCE:1",
    "x-lower-case;x-param=yes:as it is",
    "COLOR:#a0b0c0",
    "ATTACH;FMTTYPE=application/pdf:https://example.org/a,b.pdf",
    "ATTACH;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=a.bin:AAECAwQFBgcICQ==",
    "COMMENT;LANGUAGE=de:Bitte, pünktlich",
    "CONTACT:Jim\\, at the desk",
    "RESOURCES:Beamer,Room 1",
    "RELATED-TO;RELTYPE=PARENT:another@example.org",
    "CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO;LABEL=Ours:https://meet.example.org/abc",
    "REQUEST-STATUS:2.0;Success",
    "IMAGE;VALUE=URI;DISPLAY=BADGE:https://example.org/i.png",
    "CREATED:20250101T120000Z",
    "SEQUENCE:4",
    "LAST-MODIFIED:20260102T030405Z",
    "STRUCTURED-DATA;VALUE=TEXT:{\\;}",
]
ALARMS = [
    ["ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:Soon"],
    ["TRIGGER;RELATED=START:-P1D", "ACTION:AUDIO", "ATTACH;VALUE=URI:Basso", "X-WR-ALARMUID:AB-12", "UID:AB-12"],
    [
        "ACTION:EMAIL",
        "TRIGGER:-PT2H",
        "SUMMARY:Tea",
        "DESCRIPTION:Tea, soon",
        "ATTENDEE:mailto:alex@example.com",
    ],
    ["ACTION:DISPLAY", "TRIGGER;VALUE=DATE-TIME:20300101T090000Z", "DESCRIPTION:At a time"],
    ["ACTION:DISPLAY", "TRIGGER;RELATED=END:PT0S", "DESCRIPTION:Over", "REPEAT:2", "DURATION:PT5M"],
    ["ACTION:DISPLAY", "TRIGGER:PT10M", "DESCRIPTION:Began", "ACKNOWLEDGED:20260101T000000Z"],
    ["ACTION:DISPLAY", "TRIGGER:-PT90S", "DESCRIPTION:Now", "X-APPLE-DEFAULT-ALARM:TRUE"],
]
RULES = [  # and how far apart two occurrences are; None where that is not said in days
    ("FREQ=DAILY;COUNT=9", 1),
    ("COUNT=8;FREQ=DAILY;INTERVAL=3", 3),
    ("FREQ=WEEKLY", 7),
    ("FREQ=WEEKLY;INTERVAL=2;COUNT=6;WKST=SU", 14),
    ("FREQ=WEEKLY;BYDAY={day};UNTIL={until}", 7),
    ("freq=weekly;byday={day};count=5", 7),
    ("FREQ=MONTHLY;COUNT=7", None),
    ("FREQ=MONTHLY;BYMONTHDAY={date};COUNT=5", None),
    ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=5", None),
    ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=6", None),
    ("FREQ=YEARLY;COUNT=3", None),
]


@dataclass(frozen=True)
class Written:
    """One object. ``series``: it has a rule; ``instances``: and something is said of single occurrences."""

    uid: str
    data: bytes
    series: bool = False
    instances: bool = False


# --- values


def escaped(text):
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


@st.composite
def texts(draw):
    """As it stands behind the colon; some writers leave commas and semicolons bare (D-02)."""
    text = draw(st.sampled_from(TEXTS) | st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"])))
    text = "".join(each for each in text if unicodedata.category(each) != "Cc" or each == "\n")
    if draw(st.integers(0, 4)) == 0:
        return text.replace("\n", "\\n")
    return escaped(text)


@cache
def shifts(zone):
    """The hours of the stories' year at which the clocks of a zone change, by its own clock: a gap or an hour that comes twice."""
    place, found = ZoneInfo(zone), []
    start = FIRST.replace(tzinfo=dt.UTC)
    for hour in range(24 * 366):
        moment = start + dt.timedelta(hours=hour)
        offsets = [(moment + dt.timedelta(hours=each)).astimezone(place).utcoffset() for each in (0, 1)]
        if offsets[0] != offsets[1]:
            found.append((moment + dt.timedelta(hours=1) + min(offsets)).replace(tzinfo=None))
    return found


@st.composite
def moments(draw, zone=None):
    """A wall-clock time of the stories' year, every third of an unpleasant kind."""
    kind = draw(st.integers(0, 5))
    if kind == 0 and zone and shifts(zone):
        return draw(st.sampled_from(shifts(zone))) + dt.timedelta(minutes=draw(st.sampled_from([0, 15, 30])))
    day = FIRST + draw(st.integers(1, 360)) * DAY
    if kind == 1:
        while day.day < 29:
            day += DAY
    minutes = draw(st.sampled_from([0, 1, 150, 480, 570, 735, 1080, 1410, 1439]))
    return day + dt.timedelta(minutes=minutes, seconds=draw(st.sampled_from([0, 0, 0, 0, 17])))


@lru_cache(64)
def definition(zone, name):
    """The lines of a VTIMEZONE that calls a zone by this (escaped) name."""
    made = icalendar.Timezone.from_tzid(zone, first_date=dt.date(MONDAY.year, 1, 1), last_date=dt.date(2040, 1, 1))
    rows = made.to_ical().decode().replace("\r\n ", "").split("\r\n")[:-1]
    return [f"TZID:{name}" if row.startswith("TZID") else row for row in rows]


@dataclass(frozen=True)
class Clock:
    """How one object writes its times."""

    kind: str
    params: str = ""
    zone: str = ""
    name: str = ""

    def line(self, name, value):
        return f"{name}{self.params}:{self.value(value)}"

    def value(self, value):
        if self.kind == "date":
            return f"{value:%Y%m%d}"
        return f"{value:%Y%m%dT%H%M%S}{'Z' if self.kind == 'utc' else ''}"

    def until(self, value):
        return (
            f"{value:%Y%m%d}"
            if self.kind == "date"
            else f"{value:%Y%m%dT%H%M%S}{'' if self.kind == 'floating' else 'Z'}"
        )


@st.composite
def clocks(draw):
    kind = draw(st.sampled_from(["zoned", "zoned", "zoned", "zoned", "date", "floating", "utc"]))
    if kind == "date":
        return Clock(kind, ";VALUE=DATE")
    if kind != "zoned":
        return Clock(kind)
    zone = draw(st.sampled_from(ZONES))
    name = draw(st.sampled_from([zone, zone, *ALIASES.get(zone, [])]))
    shown = name.replace("\\", "")
    quoted = f'"{shown}"' if re.search("[,;:]", shown) or draw(st.booleans()) else shown
    return Clock(kind, f";TZID={quoted}", zone, name)


# --- lines


@st.composite
def details(draw):
    """The lines of one event beside its times and names, in any order."""
    lines = []
    for name, params in (
        ("SUMMARY", ["", "", ";LANGUAGE=de"]),
        ("DESCRIPTION", ["", ';ALTREP="cid:part1"']),
        ("LOCATION", ["", ';LANGUAGE=de;ALTREP="https://example.org/a,b"']),
    ):
        if draw(st.integers(0, 4)):
            lines.append(f"{name}{draw(st.sampled_from(params))}:{draw(texts())}")
    seldom = (
        st.sampled_from(["STATUS:CONFIRMED", "STATUS:TENTATIVE", "status:Confirmed"]),
        st.sampled_from(["TRANSP:OPAQUE", "TRANSP:TRANSPARENT"]),
        st.sampled_from(["X-MICROSOFT-CDO-BUSYSTATUS:OOF", "X-MICROSOFT-CDO-BUSYSTATUS:BUSY"]),
        st.sampled_from(["CLASS:PUBLIC", "CLASS:PRIVATE", "CLASS:CONFIDENTIAL"]),
        st.sampled_from(["PRIORITY:0", "PRIORITY:3", "PRIORITY:7"]),
        st.sampled_from(["URL:https://example.org/a,b;c?d=e%2Cf", "URL;VALUE=URI:message:%3Cx@y%3E"]),
        st.sampled_from(["COLOR:turquoise", "color;X-P=1:Tomato"]),
        st.sampled_from(["GEO:48.2085;16.3721", "GEO;X-P=1:-33.90;+151.20"]),
        st.sampled_from(["CATEGORIES:Work", "CATEGORIES;LANGUAGE=de:Büro,a\\,b, c "]),
    )
    lines += [draw(line) for line in seldom if draw(st.integers(0, 2)) == 0]
    lines += draw(st.lists(st.sampled_from(EXTRAS), max_size=5, unique_by=lambda line: re.split("[:;]", line)[0]))
    return draw(st.permutations(lines))


GUESTS = [
    "ORGANIZER;CN=Alex:mailto:alex@example.com",
    'ATTENDEE;CN="Zoë, the first";ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:zoe@example.org',
    "ATTENDEE;CUTYPE=ROOM;PARTSTAT=ACCEPTED;X-NUM-GUESTS=0:MAILTO:Room@example.org",
]


@st.composite
def alarms(draw):
    found = draw(st.lists(st.sampled_from(ALARMS), max_size=3, unique_by=id))
    return [line for alarm in found for line in ("BEGIN:VALARM", *alarm, "END:VALARM")]


@st.composite
def ends(draw, clock, start):
    """The line that says the end, or none."""
    length = draw(st.sampled_from([15, 60, 90, 1440, 4320]))
    if clock.kind == "date":
        days = 1 + length // 1440
        return draw(st.sampled_from([[clock.line("DTEND", start + days * DAY)], [f"DURATION:P{days}D"], []]))
    forms = [[clock.line("DTEND", start + dt.timedelta(minutes=length))], [f"DURATION:PT{length}M"]]
    return draw(st.sampled_from([*forms, *forms, *forms, []]))


@st.composite
def calendar_objects(draw, uid=None, *, onward=False):
    """A single event, or a series with moved, renamed, cancelled, added and excluded occurrences.

    ``onward``: an override may hold for all later occurrences, too, which no service knows.
    """
    uid = uid or draw(st.uuids()).hex + draw(st.sampled_from(["", "@example.org", "-ü{;}"]))
    clock = draw(clocks())
    start = draw(moments(clock.zone or None))
    guests = GUESTS if draw(st.integers(0, 7)) == 0 else []
    names = [f"UID:{escaped(uid)}", "DTSTAMP:20260101T000000Z"]
    when = [clock.line("DTSTART", start), *draw(ends(clock, start))]
    rule, others, told = [], [], set()
    if draw(st.integers(0, 2)):
        pattern, step = draw(st.sampled_from(RULES))
        until = clock.until(start + 40 * DAY)
        day = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")[start.weekday()]
        rule = [f"RRULE:{pattern.format(day=day, until=until, date=start.day)}"]
        places = draw(st.permutations(range(1, 5))) if step else [0]
        if step and draw(st.integers(0, 2)) == 0:
            told.add("EXDATE")
            rule.append(clock.line("EXDATE", start + places.pop() * step * DAY))
        if step and draw(st.integers(0, 5)) == 0:
            told.add("RDATE")
            rule.append(clock.line("RDATE", start + 100 * DAY + DAY / 2))
        for place in places[: draw(st.integers(0, 2))]:
            told.add("RECURRENCE-ID")
            reach = ";RANGE=THISANDFUTURE" if onward and step and draw(st.integers(0, 2)) == 0 else ""
            others.append(draw(overrides(clock, names, start + place * (step or 0) * DAY, reach)))
    lines = draw(st.permutations([*names, *when, *rule, *guests]))
    master = ["BEGIN:VEVENT", *lines, *draw(details()), *draw(alarms()), "END:VEVENT"]
    events = draw(st.permutations([master, *others]))
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Somebody//Else 1.0//DE"]
    head += draw(st.sampled_from([[], ["CALSCALE:GREGORIAN"], ["X-WR-CALNAME:Home, sweet"]]))
    if clock.zone and (clock.name.startswith("(") or draw(st.integers(0, 3))):
        head += definition(clock.zone, clock.name)
    rows = [*head, *(line for event in events for line in event), "END:VCALENDAR"]
    return Written(uid, folded(rows, draw(st.integers(0, 1 << 20))), bool(rule), bool(told))


@st.composite
def overrides(draw, clock, names, original, reach=""):
    """One occurrence: moved, called off, or said in other words."""
    identity = clock.line(f"RECURRENCE-ID{reach}", original)
    moved = original + draw(st.sampled_from([0, 0, 60, 1440])) * dt.timedelta(minutes=1)
    lines = [*names, identity, clock.line("DTSTART", moved), *draw(ends(clock, moved)), *draw(details())]
    if draw(st.integers(0, 4)) == 0:
        lines = [*(line for line in lines if not line.lower().startswith("status")), "STATUS:CANCELLED"]
    return ["BEGIN:VEVENT", *draw(st.permutations(lines)), *draw(alarms()), "END:VEVENT"]


def folded(rows, seed):
    """With one kind of line end, and folds where the book, nobody or everybody would put them."""
    chance = random.Random(seed)
    eol = chance.choice([b"\r\n", b"\r\n", b"\n"])
    out = []
    for row in rows:
        octets, pieces = row.encode(), []
        while len(octets) > 75 and chance.random() < 0.9:
            cut = chance.choice([75, 60, 74, 33])
            pieces.append(octets[:cut])
            octets = octets[cut:]
        if len(octets) > 1 and chance.random() < 0.1:
            cut = chance.randrange(1, len(octets))
            pieces, octets = [*pieces, octets[:cut]], octets[cut:]
        out.append((eol + chance.choice([b" ", b" ", b"\t"])).join([*pieces, octets]))
    return eol.join(out) + chance.choice([eol, eol, b""])


# --- edits


def other(field, value):
    """Values of a field that differ from this one; ``when`` stays in its zone, and a series on its day of the week."""
    if field == "when":
        by = DAY if value.all_day else dt.timedelta(minutes=30)
        return [replace(value, end=value.end + by)]
    if field == "categories":
        found = [("Something", "Else, too"), ()]
    else:
        found = {
            "status": ["CONFIRMED", "TENTATIVE"],
            "transp": ["OPAQUE", "TRANSPARENT"],
            "show_as": ["", "OOF", "TENTATIVE"],
            "classification": ["PRIVATE", "CONFIDENTIAL", ""],
            "reminders": [(Reminder(7),), ()],
            "priority": [1, 9, 0],
            "url": ["https://example.net/other", ""],
            "color": ["tomato", "plum", ""],
            "geo": ["47.07;15.44", ""],
            "attendees": [(*value, Attendee("yan@example.org"))] if field == "attendees" and value else [],
        }.get(field, ["Other words; and, more\nlines \\", ""])
    return [each for each in found if each != value]


EDITED = (
    "summary", "description", "location", "status", "transp", "show_as", "classification", "reminders", "categories",
    "priority", "url", "color", "geo", "attendees", "when",
)  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """One field of one component: the master's (key "") or an occurrence's."""

    key: str
    field: str
    value: object

    def event(self, fields):
        """The component as it is before."""
        if not self.key:
            return fields.master
        return fields.overrides.get(self.key) or recurrence.inherited(fields, self.key)

    def upon(self, fields):
        """The object with it."""
        changed = replace(self.event(fields), **{self.field: self.value})
        if not self.key:
            return replace(fields, master=changed)
        return replace(fields, overrides={**fields.overrides, self.key: changed})


def keys(fields):
    """The master and some of the occurrences that take place and are said in order: overrides, and regular ones."""
    if not fields.recurrence:
        return [""]
    there = islice(recurrence.keys(fields), 6)
    begin = {
        each.removesuffix("+") for each in fields.overrides if each.endswith("+")
    }  # those are two events at one place
    standing = (
        key
        for key in there
        if key not in fields.cancelled | begin and Edit(key, "", None).event(fields).status != "CANCELLED"
    )
    return ["", *standing, *(f"{key}+" for key in sorted(begin))]


@st.composite
def edits(draw, fields, names=EDITED):
    """One field of one component of these (neutral) fields."""
    key, field = draw(st.sampled_from(keys(fields))), draw(st.sampled_from(names))
    event = Edit(key, field, None).event(fields)
    if (field == "show_as" and event.transp == "TRANSPARENT") or not other(field, getattr(event, field)):
        field = "summary"  # time that is free is shown as nothing finer; whom nobody joins has no organizer
    return Edit(key, field, draw(st.sampled_from(other(field, getattr(event, field)))))
