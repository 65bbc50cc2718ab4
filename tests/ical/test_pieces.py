"""Cutting objects gives what reading them as trees gives: the same zones, the same bytes, the same objects left out."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import InvalidCalendarData
from bridge.ical import objects, pieces
from tests.support.corpus import ACCEPTED, REFUSED

CORPUS = [*ACCEPTED.values(), *REFUSED.values()]
HEADS = [
    "VERSION:2.0",
    "version:2.0",
    "VERSION:1.0",
    "PRODID:-//a phone//EN",
    "CALSCALE:GREGORIAN",
    "CALSCALE:hebrew",
    "METHOD:REQUEST",
    "X-WR-CALNAME:Übrig",
    "no line at all",
]
PROPERTIES = [
    "LOCATION:Room 4",
    "UID:1@example.org",
    "UID:1@example.org",
    "UID:2@example.org",
    "uid:1@example.org",
    "UID;X-A=b:1@example.org",
    "UID:",
    "UID:\\n",
    "UID: 1@example.org ",
    "UID:\u00a0",
    "UıD:2@example.org",
    "RECURRENCE-ID:20260501T090000Z",
    "RECURRENCE-ID;TZID=A:20260502T090000",
    "recurrence-id:20260501T090000Z",
    "SUMMARY:Tea",
    'X-A;B="c:BEGIN;":BEGIN:VEVENT',
    "DESCRIPTION:" + "Zahnärztin, 👩‍👩‍👧; " * 9,
    "BEGIN;X=1:VALARM",
    "BEG",
    "IN:VALARM",
    "END:VEVENT",
    "END:VCALENDAR",
    "VERSION:1.0",
    "X-CONTROL:\x07",
    "X-DEL:\x7f",
    "\ufeffUID:3@example.org",
    "X-TAB:\tYes",
    "no line at all",
    "",
    " ",
    " continued",
    "\tcontinued",
]
TZIDS = ["Europe/Vienna", "A", "A", "a\\,b", "a,b", ""]
KINDS = ["VEVENT", "VEVENT", "VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "X-OTHER", "vevent", "VEVENT ", "VCALENDAR"]
WITHIN = ["VALARM", "VALARM", "valarm", "VLOCATION", "VEVENT", "X-OTHER", "VCALENDAR", "VTıMEZONE"]


def referee(data):
    """As it was done before anything was cut."""
    try:
        obj = objects.parse(data)
    except InvalidCalendarData:
        return None
    zones = {tzid: ended("".join(zone.raws())) for tzid, zone in obj.timezones.items()}
    others = ("".join(part.raws()) for part in obj.calendar.components() if part.name != "VTIMEZONE")
    return zones, b"".join(map(ended, others))


def ended(raw):
    return (raw if raw.endswith("\n") else raw + "\r\n").encode("utf-8", "surrogateescape")


def bring(texts):
    return [(dict(zones), components) for zones, components in pieces.cut(texts)]


class Hand:
    """Writes an object, mostly well."""

    def __init__(self, rnd, slips):
        self.rnd = rnd
        self.slips = slips

    def often(self, share):
        return self.rnd.random() < share

    def slipping(self):
        return self.often(self.slips)

    def pick(self, known):
        """The first of them is right."""
        return self.rnd.choice(known) if self.slipping() else known[0]

    def component(self, name, inside):
        return [f"BEGIN:{name}", *inside, f"END:{self.pick([name, name.lower(), 'VEVENT', name + ' '])}"]

    def zone(self):
        tzid = self.rnd.choice(TZIDS)
        rule = self.component("STANDARD", [f"TZOFFSETTO:+0{self.rnd.randrange(3)}00", "TZOFFSETFROM:+0200"])
        return self.component("VTIMEZONE", [*([f"TZID:{tzid}"] if tzid else []), *rule])

    def instance(self, place):
        lines = ["SUMMARY:Tea", self.pick(PROPERTIES)]
        if place and not self.slipping():
            lines.append(f"RECURRENCE-ID:2026050{place}T090000Z")
        if not self.slipping():
            lines.append("UID:1@example.org")
        lines += [self.rnd.choice(PROPERTIES) for _ in range(3) if self.slipping()]
        self.rnd.shuffle(lines)
        for _ in range(self.rnd.randrange(3)):
            inside = ["ACTION:DISPLAY", *(self.rnd.choice(PROPERTIES) for _ in range(3) if self.slipping())]
            if self.slipping():
                inside += self.component(self.rnd.choice(WITHIN), ["X-A:b"])
            lines += self.component(self.pick(WITHIN), inside)
            lines += ["X-AFTER:an alarm"] if self.often(0.2) else []
        return self.component(self.pick(KINDS), lines)

    def calendar(self):
        blocks = [self.instance(place) for place in range(self.rnd.choice([1, 1, 1, 2, 3]))]
        for _ in range(self.rnd.choice([0, 1, 1, 2])):
            places = range(len(blocks) + 1) if self.slipping() else (0, 0, len(blocks))
            blocks.insert(self.rnd.choice(places), self.zone())
        if self.slipping():
            blocks.insert(self.rnd.randrange(len(blocks) + 1), [self.rnd.choice([*HEADS, *PROPERTIES])])
        inside = [line for block in blocks for line in block]
        lines = self.component("VCALENDAR", ["VERSION:2.0", self.pick(HEADS), *inside])
        if self.slipping():
            del lines[self.rnd.randrange(len(lines))]
        if self.slipping():
            lines.append(self.rnd.choice(["X-BEHIND:it", "", "BEGIN:VCALENDAR"]))
        return lines

    def written(self):
        eol = self.rnd.choice([b"\r\n", b"\r\n", b"\n", b"\r\r\n", b"\r"] if self.slipping() else [b"\r\n", b"\n"])
        folds, out = self.rnd.choice([0, 0, 0.3]), b""
        for line in self.calendar():
            raw = line.encode()
            start = 1 if self.slipping() else raw.find(b":") + 1
            foldable = start < len(raw) and (self.slipping() or not line.startswith(("BEGIN", "END", "UID")))
            if foldable and self.often(folds):
                at = self.rnd.randrange(start, len(raw))
                raw = raw[:at] + eol + self.rnd.choice([b" ", b"\t"]) + raw[at:]
            out += raw + (self.rnd.choice([b"\n", b"\r\n", b"\r", b"\n\n", b"\r\n\r\n"]) if self.slipping() else eol)
        out = out.rstrip(b"\r\n") if self.slipping() else out
        if self.slipping():
            out = self.rnd.choice([b"\xef\xbb\xbf", b"\r\n", b"\n ", b" "]) + out
        if self.slipping():
            at = self.rnd.randrange(len(out))
            out = out[:at] + self.rnd.choice([b"\xff", b"\0", b"\r", b"\n", b"\n ", b":", b""]) + out[at + 1 :]
        return out


@given(st.integers(0, 1 << 60), st.sampled_from([0, 0.02, 0.05, 0.3]))
@settings(max_examples=2000, deadline=None)
def test_what_is_cut_is_what_would_be_read(seed, slips):
    hand = Hand(random.Random(seed), slips)
    texts = [hand.written() for _ in range(4)]
    assert bring(texts) == [each for each in map(referee, texts) if each is not None]


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r\r\n", b"\r"])
def test_every_object_that_anybody_has_sent_is_cut_as_it_would_be_read(end):
    for data in CORPUS:
        text = data.replace(b"\r\n", b"\n").replace(b"\n", end)
        assert bring([text]) == [each for each in [referee(text)] if each is not None]


def test_an_object_of_one_frame_is_not_judged_by_another():
    """The second has what no object may have, and the rest of it is the first's."""
    hand = Hand(random.Random(1), 0)
    good = "\r\n".join(hand.calendar()).encode()
    bad = good.replace(b"VERSION:2.0", b"METHOD:REQUEST")
    assert bring([good, bad, good]) == [referee(good)] * 2


def test_what_is_written_well_is_not_read_as_a_tree(monkeypatch):
    """However it is folded and ended, with alarms and with instances that differ."""
    hand = Hand(random.Random(2), 0)
    texts = [hand.written() for _ in range(300)]
    expected = [referee(each) for each in texts]
    read = []
    parse = objects.parse
    monkeypatch.setattr(objects, "parse", lambda data: read.append(data) or parse(data))
    assert bring(texts) == expected
    assert not set(read) & set(texts)


def test_what_is_kept_in_mind_is_short(monkeypatch):
    """Or somebody's objects with a megabyte around them, each another one, would be in memory together."""
    text = "\r\n".join(Hand(random.Random(3), 0).calendar()).encode()
    texts = [text.replace(b"VERSION", b"X-A:%d\r\n" % size + b"X-B:c\r\n" * size + b"VERSION", 1) for size in (9, 9999)]
    framed = []
    zones_around = pieces._zones_around
    monkeypatch.setattr(pieces, "_zones_around", lambda *around: framed.append(around) or zones_around(*around))
    assert bring(texts) == [referee(each) for each in texts]
    assert [b"X-A:9\r\n" in before for _, before, _ in framed] == [True]


@pytest.mark.parametrize(
    "lines",
    [
        b"X-A:b\r\n" * 100_000,
        b"UID:1\r\n" * 100_000,
        b"RECURRENCE-ID:1\r\n" * 100_000,
        b"X-A:b\r\n" + b" c\r\n" * 100_000,
        b"BEGIN:VALARM\r\nEND:VALARM\r\n" * 50_000,
        b"BEGIN:VALARM\r\n" * 50_000,
        b"X-A:b\r\nRECURRENCE-ID:1\r\n" * 50_000,
    ],
)
def test_nothing_that_is_long_takes_long(lines):
    """None of these has an end, so every way in which the pattern might match is tried."""
    began = time.process_time()
    assert bring([b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n" + lines]) == []
    assert time.process_time() - began < 5
