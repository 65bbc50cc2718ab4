"""What differs between two calendar texts, physical line by physical line; it shares no code with the bridge.

A line is known by where it stands and by its name: ``("", "SUMMARY")`` in the master, ``("20260302T090000", "SUMMARY")`` in the
override with that RECURRENCE-ID, ``("/VALARM", "TRIGGER")`` in an alarm of the master, ``("VTIMEZONE", "TZID")``.
"""

import re
from typing import NamedTuple

_PHYSICAL = re.compile(rb"[^\r\n]*(?:\r+\n?|\n)|[^\r\n]+\Z")
_FOLD = re.compile(rb"(?:\r+\n?|\n)[ \t]")

BOOKKEEPING = {"DTSTAMP", "LAST-MODIFIED"}
"""Of a component that is changed (RFC 5545 §3.8.7.2, §3.8.7.3)."""
RESCHEDULING = {*BOOKKEEPING, "SEQUENCE"}
"""Of one whose times are changed (RFC 5545 §3.8.7.4, RFC 5546 §2.1.4)."""


class Told(NamedTuple):
    where: str
    name: str
    raw: bytes

    @property
    def text(self):
        return _FOLD.sub(b"", self.raw).rstrip(b"\r\n").decode()


def told(data):
    """The content lines of a text with what they are part of, in their order."""
    logical = []
    for raw in _PHYSICAL.findall(data):
        if logical and raw[:1] in (b" ", b"\t"):
            logical[-1] += raw
        else:
            logical.append(raw)
    lines, path, begun = [], [], []
    for raw in logical:
        line = Told("", re.match(r"[^:;]*", Told("", "", raw).text)[0].strip("\ufeff \t").upper(), raw)
        kind = line.text.partition(":")[2].strip().upper()
        if line.name == "BEGIN":
            path.append(kind)
            begun.append(len(lines))
        lines.append(line._replace(where="/".join(path[1:])))
        if line.name == "END":
            path.pop()
            first = begun.pop()
            if kind == "VEVENT":
                lines[first:] = _named(lines[first:])
    return lines


def _named(event):
    here = event[0].where
    ids = [
        line.text.rpartition(":")[2].strip() for line in event if line.name == "RECURRENCE-ID" and line.where == here
    ]
    label = ids[0] if ids else ""
    return [line._replace(where=label + line.where.removeprefix(here)) for line in event]


def places(data):
    """The events of an object: "" and the overrides' RECURRENCE-IDs."""
    return [
        line.where
        for line in told(data)
        if line.name == "BEGIN" and line.text.upper().split(":")[-1].strip() == "VEVENT"
    ]


def rest(data, touched):
    """All physical lines but the ``touched``: (where, name), or (where, "*") for a whole component with those in it."""

    def is_touched(line):
        within = {line.where[:cut] for cut in range(len(line.where) + 1) if line.where[cut : cut + 1] in ("", "/")}
        return (line.where, line.name) in touched or any((where, "*") in touched for where in within)

    return [line.raw for line in told(data) if not is_touched(line)]


def differing(before, after):
    """(where, name) of the lines that stand in only one of both texts, as they stand there."""
    one, other = ({(line.where, line.name, line.raw) for line in told(data)} for data in (before, after))
    return {(where, name) for where, name, _ in one ^ other}


TIMES = {"DTSTART", "DTEND", "DURATION"}
SERIES = {"RRULE", "RDATE", "EXRULE", "EXDATE"}
SAID = {
    "summary": {"SUMMARY"},
    "description": {"DESCRIPTION"},
    "location": {"LOCATION", "GEO"},  # at another place no coordinates of the old one are true
    "status": {"STATUS"},
    "transp": {"TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS"},
    "show_as": {"TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS"},
    "classification": {"CLASS"},
    "categories": {"CATEGORIES"},
    "priority": {"PRIORITY"},
    "url": {"URL"},
    "color": {"COLOR"},
    "geo": {"GEO"},
    "organizer": {"ORGANIZER"},
    "attendees": {"ATTENDEE", "ORGANIZER"},  # who is asked to come is asked by somebody (RFC 5545 §3.8.4.3)
    "reminders": set(),  # components of their own
    "when": TIMES | RESCHEDULING,
    "recurrence": {"RRULE", "RDATE", "EXRULE"} | RESCHEDULING,
    "cancelled": {"EXDATE"} | RESCHEDULING,
}
"""The properties that say a field. With a time that is written comes its zone's definition, if the text had none."""


def assert_only(before, after, field, *, where=""):
    """Between two texts of an object nothing but ``field`` differs: in the master, or (``where`` None) in one override.

    An occurrence that had no event of its own gets one: the master's lines, without what makes a series, but for this field.
    One that is called off is excluded, and loses its event. One that is as its series has it loses its own, too.
    """
    old, new = places(before), places(after)
    come, gone = [each for each in new if each not in old], [each for each in old if each not in new]
    touched = set()
    if field == "cancelled":
        assert not come
        assert len(gone) <= 1
        touched = {("", name) for name in SAID[field] | BOOKKEEPING} | {(each, "*") for each in gone}
    elif where is None and come:
        assert len(come) == 1, f"come {come}"
        (label,) = come
        assert not gone
        touched = {(label, "*")}
        apart = SAID[field] | BOOKKEEPING | TIMES | SERIES | {"RECURRENCE-ID"}
        assert _copied(after, label, field, apart) == _copied(before, _describing(before, label), field, apart)
    else:
        apart = SAID[field] | BOOKKEEPING | TIMES | SERIES | {"RECURRENCE-ID"}
        for label in gone:  # the series now says what this exception alone has said: it is one no longer
            assert where == "" or len(gone) == 1, f"gone {gone}"
            assert _copied(before, label, field, apart) == _copied(before, "", field, apart)
        assert not come or (where == "" and field in ("when", "recurrence")), f"come {come}"
        # by another rule what the service had kept of single occurrences may be told again
        touched |= {(each, "*") for each in (*come, *gone)}
        if where is None:
            events = {each.partition("/")[0] for each, _ in differing(before, after)} - {"VTIMEZONE"}
            assert "" not in events
            assert len(events) == 1
            (where,) = events
        # what the series says, its exceptions say too where they have said nothing else: so the services have it
        for each in old if where == "" else [where]:
            touched |= {(each, name) for name in SAID[field] | BOOKKEEPING}
            if field == "reminders":
                touched.add((f"{each}/VALARM", "*"))
    if come or field in ("when", "recurrence", "cancelled"):
        assert [line for line in told(before) if _is_zone(line) and line not in told(after)] == []
        touched.add(("VTIMEZONE", "*"))
    one, other = rest(before, touched), rest(after, touched)
    assert other == one, {
        "gone": [each for each in one if each not in other],
        "come": [each for each in other if each not in one],
    }


def _describing(data, label):
    """What an occurrence without an event of its own is a copy of: the series, or the last range that has begun."""
    ranges = [line for line in told(data) if line.name == "RECURRENCE-ID" and "RANGE=THISANDFUTURE" in line.text]
    return max((line.where for line in ranges if line.where <= label), default="")


def _is_zone(line):
    return line.where.partition("/")[0] == "VTIMEZONE"


def _copied(data, label, field, apart):
    """The lines of one event as a copy has them, without what is ``apart``."""
    found = [line for line in told(data) if line.where == label or line.where.startswith(f"{label}/VALARM")]
    if not label:
        found = [line for line in found if line.where in ("", "/VALARM") and line.where != "VTIMEZONE"]
        first = next(
            index for index, line in enumerate(found) if line.name == "BEGIN" and "VEVENT" in line.text.upper()
        )
        found = found[first:]
        last = max(index for index, line in enumerate(found) if line.name == "END" and "VEVENT" in line.text.upper())
        found = found[: last + 1]
    if field == "reminders":
        found = [line for line in found if not line.where.endswith("/VALARM")]
    return [line.text for line in found if line.name not in apart or line.where.endswith("/VALARM")]
