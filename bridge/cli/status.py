"""caldav-bridge status: how each pair is."""

from __future__ import annotations

import dataclasses

import typer

from bridge.cli.state import Json, opened, show
from bridge.services import status as statuses
from bridge.services.status import PairStatus

_ARROWS = {"both": "<->", "pull": "<--", "push": "-->"}


def status(ctx: typer.Context, as_json: Json = False) -> None:
    """Show each pair: its last success, lag, links, conflicts, and the last error in plain words."""
    found = statuses.every(opened(ctx))
    none = "No pair yet. Connecting an account makes the first one."
    text = "\n\n".join(_in_words(one) for one in found) or none
    show([dataclasses.asdict(one) for one in found], as_json=as_json, text=text)


def _in_words(one: PairStatus) -> str:
    lines = [
        f"Pair {one.pair}  {one.here} {_ARROWS[one.direction]} {one.there}",
        f"  {one.state}, {_last(one)}",
        f"  {one.links} events linked, {one.conflicts} conflicts, {one.waiting} answers awaited",
    ]
    if one.paused_until:
        lines.append(
            f"  paused until {one.paused_until:%Y-%m-%d %H:%M} UTC: {one.paused_because}; everything goes on by itself"
        )
    elif one.last_error:
        lines.append(f"  {one.last_error}")
    lines += [f"  left alone: {each['uid']}: {each['reason']}" for each in one.quarantined]
    return "\n".join(lines)


def _last(one: PairStatus) -> str:
    if one.lag_seconds is None:
        return "never synced so far"
    return f"last success {_ago(one.lag_seconds)} ago"


def _ago(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
