"""The page of fidelity: what becomes of a property or a rule on each side, as the services themselves answer."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from bridge.errors import Refused, Unmappable
from bridge.ical import objects, recurrence, times, view
from bridge.ical.fields import EventFields, ObjectFields, TodoFields, When
from bridge.sync import asides, parts
from bridge.sync.identity import creation_key
from tests.contracts import caldav_bench, google_bench, graph_bench
from tests.contracts.todos import google_bench as todo_google_bench
from tests.contracts.todos import graph_bench as todo_graph_bench

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/fidelity.md"
ROWS = Path(__file__).with_name("rows.toml")
TODO_ROWS = Path(__file__).with_name("todos.toml")
BENCHES = {"Google": google_bench, "Outlook": graph_bench, "CalDAV": caldav_bench}
TODO_BENCHES = {"Google Tasks": todo_google_bench, "Microsoft To Do": todo_graph_bench}

_FROM = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
_TO = _FROM + dt.timedelta(days=2 * 366)
_PLAIN = EventFields(When(_FROM.date(), _TO.date()))
_UID = "3f2a6f0e-fidelity"
_HEAD = """\
# Fidelity

What becomes of what an event says, on each side. The hub keeps every object byte for byte, whatever the others can hold; a row
tells what of it arrives elsewhere.

- **exact**: it is there, and says the same.
- **converted**: it is there in the other side's own terms, with the same occurrences; what is written here stays as it is.
- **in parts**: its occurrences are there one by one, as single events, in a window of two years that moves with the time; what is
  done to one of them there is done to that occurrence here.
- **stashed**: that side has no place for it. It is kept in the hub, and noted beside the event there, where nobody sees it: a hub
  that does not know the event gets it back ([0026](../decisions/0026-stash.md)). To one that knows it, a note says nothing, nor
  does its loss. Of what is large or many not everything may be noted.
- **stays here**: that side has no place for it. It is kept in the hub, and its absence there is never taken for a deletion.
- **refused**: nothing is sent rather than something nearly right; the event is left alone and listed by `status` with this reason.

This page is written by `make fidelity`: each row is an object that is created on the (simulated) service and read back.
"""

_OF_TODOS = """\
## To-dos

Lists of to-dos are mirrored with Google Tasks and Microsoft To Do ([how to](../how-to/mirror-to-dos.md)).
"""
ABOVE = ObjectFields(TodoFields(summary="Above"))


@dataclass(frozen=True)
class Outcome:
    word: str
    why: str = ""


def rows():
    return tomllib.loads(ROWS.read_text())


def todo_rows():
    return tomllib.loads(TODO_ROWS.read_text())


def object_of(row) -> bytes:
    """The calendar object of a row."""
    lines = row["lines"].strip("\n").split("\n") if row["lines"] else []
    kind = row.get("kind", "VEVENT")
    if kind == "VEVENT" and not any(line.startswith("DTSTART") for line in lines):
        lines = ["DTSTART;TZID=Europe/Berlin:20260302T090000", "DTEND;TZID=Europe/Berlin:20260302T100000", *lines]
    whole = [
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//a phone//EN",
        row.get("before", "").strip("\n"),
        "\n".join([f"BEGIN:{kind}", f"UID:{_UID}", "DTSTAMP:20260301T000000Z", *lines, f"END:{kind}"]),
        row.get("after", "").strip("\n").replace("UID:u", f"UID:{_UID}"),
        "END:VCALENDAR\n",
    ]
    return "\n".join(part for part in whole if part).replace("\n", "\r\n").encode()


def occurrences(fields, zone):
    """(start, end) of those that take place in two years, as instants; None where the rule cannot be followed."""
    try:
        found = recurrence.instances(fields, _FROM, _TO, floating=times.zone_info(zone))
    except Unmappable:
        return None
    return [
        tuple(
            times.instant(at, name, floating=times.zone_info(zone))
            for at, name in ((when.start, when.zone), (when.end, when.end_zone or when.zone))
        )
        for when in (each.when for each in found)
    ]


def outcome(number, row, bench) -> Outcome:
    """What this service makes of a row. Raises AssertionError where something else arrives than was meant."""
    lens = bench.remote.lens
    zone = getattr(lens, "zone", "Europe/Berlin")
    try:
        seen = parts.read(object_of(row))
        full, spread = seen.fields, parts.spread(seen, lens, now=_FROM)
        if spread.keys:
            return _in_parts(number, full, spread, bench, zone)
        there, back = _made(number, asides.laid(full, lens.view(full), lens), bench)
    except (Unmappable, Refused) as refusal:
        return Outcome("refused", str(refusal))
    words = {_aspect(name, full, there, back, zone) for name in row["shown"]}
    if not words & {"stashed", "stays here"} and row["shown"] and full.master.status != "CANCELLED":
        assert occurrences(full, zone) == occurrences(there, zone), "other occurrences"
    worst = ("stays here", "stashed", "converted", "exact")
    return Outcome(next((word for word in worst if word in words), "stays here"))


def _made(number, fields, bench):
    """As the service has it once it is made, and as it arrives in a hub that does not know it."""
    items = bench.remote.create(fields, key=creation_key("fidelity", number, 1), uid=_UID)
    bench.remove(items[0].series)
    remote = bench.remote.lens.read(items)
    return remote.fields, asides.recalled(remote, bench.remote.lens)


def _in_parts(number, full, spread, bench, zone) -> Outcome:
    """The first few parts are made, and the object itself if it is there, too."""
    lens = bench.remote.lens
    there = [_made(number, lens.view(full), bench)[0]] if spread.whole else []
    there += [_made(f"{number} {key}", lens.view(parts.single(full, key)), bench)[0] for key in spread.keys[:3]]
    shown = sorted(each for fields in there for each in occurrences(fields, zone))
    meant = occurrences(full, zone)
    assert shown == (meant if spread.whole else meant[:3]), "other occurrences"
    return Outcome("in parts", spread.why)


def _aspect(name, full, there, back, zone) -> str:
    if name == "instances":
        return "exact" if occurrences(full, zone) == occurrences(there, zone) else "stays here"
    if name == "recurrence":
        return "exact" if _said(full.recurrence) == _said(there.recurrence) else "converted"
    ours, theirs = getattr(full.master, name), getattr(there.master, name)
    if ours == theirs:
        return "exact"
    if theirs != getattr(_PLAIN, name) or name == "when":
        return "converted"
    return "stashed" if getattr(back.master, name) == ours else "stays here"


def _said(lines):
    """Without the order of a rule's parts, which says nothing."""
    return sorted(";".join(sorted(line.partition(":")[2].split(";"))) for line in lines)


def outcome_of_todo(number, row, bench) -> Outcome:
    """The same of a to-do. One that is a part of another one is made below it."""
    lens = bench.remote.lens
    full = view.read(objects.parse(object_of({**row, "kind": "VTODO"})))
    if full.todo.parent:
        above = bench.remote.create(lens.view(ABOVE), key=creation_key("fidelity", "above", 1), uid="above")
        full = replace(full, master=replace(full.todo, parent=above[0].id))
    there, _ = _made(number, lens.view(full), bench)
    words = {_aspect_of_todo(name, full.todo, there.todo) for name in row["shown"]}
    worst = ("stays here", "converted", "exact")
    return Outcome(next((word for word in worst if word in words), "stays here"))


def _aspect_of_todo(name, full, there) -> str:
    ours, theirs, nothing = (
        getattr(todo.when if name in ("start", "due") else todo, name) for todo in (full, there, TodoFields())
    )
    if ours == theirs:
        return "exact"
    return "stays here" if theirs == nothing else "converted"


def render(told, todos, found) -> str:
    return "\n".join(
        [_HEAD, *_table(told, list(BENCHES), found), "", _OF_TODOS, *_table(todos, list(TODO_BENCHES), found), ""]
    )


def _table(told, sides, found):
    table = ["| row | what it says | " + " | ".join(sides) + " | |", "| --- " * (len(sides) + 3) + "|"]
    table += [
        f"| {number} | {row['title']} | "
        + " | ".join(found[number, side].word for side in sides)
        + f" | {_remarks(row, [(side, found[number, side].why) for side in sides])} |"
        for number, row in told.items()
    ]
    return table


def _remarks(row, reasons) -> str:
    by_reason = {}
    for side, why in reasons:
        if why:
            by_reason.setdefault(why, []).append(side)
    said = [f"{' and '.join(sides)}: {why}." for why, sides in by_reason.items()]
    return " ".join([*([row["note"]] if "note" in row else []), *said])


def measured(sandbox):
    """Every row on every side."""
    found = {}
    for side, module in BENCHES.items():
        with module.open_bench(sandbox) as bench:
            for number, row in rows().items():
                found[number, side] = outcome(number, row, bench)
    for side, module in TODO_BENCHES.items():
        with module.open_bench(sandbox) as bench:
            for number, row in todo_rows().items():
                found[number, side] = outcome_of_todo(number, row, bench)
    return found
