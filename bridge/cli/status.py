"""caldav-bridge status: how each pair is."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence

import typer

from bridge.cli.state import Json, opened, show
from bridge.services import advice, noticing
from bridge.services import status as statuses
from bridge.services.status import LeftAlone, PairStatus

_WAITS = {"needs reconnect": "to connect it again", "waits for approval": "to let it go on"}
_ARROWS = {"both": "<->", "pull": "<--", "push": "-->"}


def status(ctx: typer.Context, as_json: Json = False) -> None:
    """Show each pair (its last success, lag, links, conflicts, the last error in plain words), then the open notices."""
    context = opened(ctx)
    found = statuses.every(context)
    none = "No pair yet. Connecting an account makes the first one."
    notices = [f"Notice: {one.message.title}\n  {one.message.text}" for one in noticing.open_notices(context)]
    text = "\n\n".join([*(_in_words(one) for one in found), *notices]) or none
    show([dataclasses.asdict(one) for one in found], as_json=as_json, text=text)


def _in_words(one: PairStatus) -> str:
    lines = [
        f"Pair {one.pair}  {one.here} {_ARROWS[one.direction]} {one.there}",
        f"  {one.state}, {_last(one)}",
        f"  {one.links} {one.holds} linked, {one.conflicts} conflicts, {one.waiting} answers awaited",
    ]
    if one.divergences:
        lines.append(
            f"  {one.divergences} {one.holds} differed when both sides were compared; the next sync sets that right"
        )
    if one.trouble:
        lines.append(f"  {one.trouble}")
    if one.command and one.command not in (one.trouble or ""):
        lines.append(f"  {_WAITS.get(one.state, 'to go on')}: {one.command}")
    if one.state == "waits for approval":
        lines.append(f"  to see what it would do: {advice.preview(one.pair)}")
    lines += _left_alone(one.quarantined)
    conflicts = advice.conflicts(one.here)
    if one.conflicts and all(each.command != conflicts for each in one.quarantined):
        lines.append(f"  to see the conflicts: {conflicts}")
    return "\n".join(lines)


def _left_alone(events: Sequence[LeftAlone]) -> Iterator[str]:
    """Those that go by one name, for one reason, are one line: look-alikes are many."""
    alike = Counter((each.title or each.id, each.reason, each.command) for each in events)
    for (name, reason, command), count in alike.items():
        many = f" ({count} events)" if count > 1 else ""
        yield f"  left alone: {name}{many}: {reason}" + (f": {command}" if command else "")


def _last(one: PairStatus) -> str:
    if one.lag_seconds is None:
        return "never synced so far"
    return f"last success {_ago(one.lag_seconds)} ago"


def _ago(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
