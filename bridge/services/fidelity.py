"""The fidelity report of a pair: whatever of its events is not on the other side, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bridge.services import words
from bridge.services.context import Context
from bridge.services.lenses import lens_of
from bridge.store import homes, links, objects, pairs
from bridge.sync import fidelity
from bridge.sync.ledger import Link
from bridge.sync.parts import split

How = Literal["whole", "in parts", "not there"]


@dataclass(frozen=True, slots=True)
class Row:
    """One event of which something stays here. ``kept`` names properties; ``parts`` counts what is shown one by one.

    ``since`` and ``until`` are instance keys where only so much of a series is shown.
    """

    uid: str
    title: str
    how: How
    kept: tuple[str, ...] = ()
    why: str = ""
    parts: int = 0
    since: str = ""
    until: str = ""


@dataclass(slots=True)
class Report:
    """``events`` are all that were looked at, ``exact`` those of which nothing stays here.

    A pair that only pulls shows nothing there, so there is nothing to look at.
    """

    pair: int
    direction: str
    events: int = 0
    holds: str = "events"
    exact: int = 0
    rows: list[Row] = field(default_factory=list)


def report(context: Context, pair_id: int) -> Report:
    """Look at every event of the calendar through the pair's lens; no request is made. Raises NotFound and UsageError.

    What a projection hides is its owner's wish and no loss.
    """
    with context.database.read() as conn:
        pair = pairs.get(conn, pair_id)
    made = Report(pair_id, pair.direction)
    if pair.direction == "pull":
        return made
    lens, now = lens_of(context, pair), context.now()
    made.holds = words.KINDS[lens.component]
    with context.database.read() as conn:
        refused = _refused(links.quarantined(conn, pair_id))
        at_home = frozenset(homes.at(conn, pair_id))
        for stored in objects.every(conn, pair.calendar_id):
            if stored.component != lens.component:
                continue
            made.events += 1
            found = fidelity.assess(stored.data, lens, now=now, home=stored.uid in at_home)
            row = _row(stored.uid, words.title(stored.data), found, refused)
            if row is None:
                made.exact += 1
            else:
                made.rows.append(row)
    return made


def _refused(held: list[Link]) -> dict[tuple[str, bool], str]:
    """Why something is left alone, by the UID of the object and whether that is one occurrence of it, shown as an event."""
    return {(uid, bool(part)): link.quarantine or "" for link in held for uid, part in [split(link.uid)]}


def _row(uid: str, title: str, found: fidelity.Fidelity, refused: Mapping[tuple[str, bool], str]) -> Row | None:
    whole, some = refused.get((uid, False), ""), refused.get((uid, True), "")
    if not found.shown:
        return Row(uid, title, "not there", why=whole or found.why)
    if whole and found.whole:
        return Row(uid, title, "not there", found.kept, whole)
    if found.perfect:
        return None
    how: How = "whole" if found.whole else "in parts"
    why = f"some occurrences are left alone: {some}" if some else whole or found.why
    edges = (found.keys[0], found.keys[-1]) if found.cut else ("", "")
    return Row(uid, title, how, found.kept, why, len(found.keys), *edges)


def told(report: Report) -> Iterator[str]:
    """In words: how it stands, and a paragraph for each event of which something stays here."""
    if report.direction == "pull":
        yield f"Pair {report.pair} only pulls: nothing goes from here to there."
        return
    there = f"{report.exact} there with all that they say" if report.events else "so there is nothing to tell"
    yield f"{report.events} {report.holds.removesuffix('s') if report.events == 1 else report.holds} here, {there}."
    for row in report.rows:
        lines = [f"{row.title or '(no title)'}: {_how(row)}"]
        lines += [f"  why: {row.why}"] if row.why else []
        lines += [f"  stays here: {', '.join(row.kept)}"] if row.kept else []
        yield "\n".join([*lines, f"  {row.uid}"])


def _how(row: Row) -> str:
    if row.how == "not there":
        return "not there, or not as it is here now"
    if row.how == "whole":
        extra = f", and {row.parts} beside it that its rule does not have" if row.parts else ""
        return f"there as one{extra}"
    window = f", those from {row.since[:8]} to {row.until[:8]}" if row.since else ""
    return f"there in parts, {row.parts} {'occurrence' if row.parts == 1 else 'occurrences'}{window}"
