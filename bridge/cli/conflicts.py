"""caldav-bridge conflicts: what both sides had changed, and which version stands."""

from __future__ import annotations

import dataclasses
from typing import Annotated, cast

import typer

from bridge.cli.state import Json, number, opened, show
from bridge.errors import UsageError
from bridge.services import conflicts
from bridge.services.conflicts import OpenConflict, Outcome
from bridge.sync.ledger import Winner

app = typer.Typer(help="What both sides had changed, and which version stands.", no_args_is_help=True)

_OUTCOMES: dict[Outcome, str] = {
    "kept": "stays as it is.",
    "taken": "is changed here; all sides follow with their next sync.",
    "answered": "is answered; its pair's next sync does it.",
    "already so": "is settled: the event says just that already.",
}


@app.command("list")
def every(
    ctx: typer.Context,
    calendar: Annotated[
        str | None, typer.Argument(metavar="[USER/CALENDAR]", help="The calendar here. Default: all.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show both versions side by side, when that was, and which one stands."""
    found = conflicts.unresolved(opened(ctx), calendar)
    text = "\n\n".join(_in_words(one) for one in found) or "No conflict."
    show([dataclasses.asdict(one) for one in found], as_json=as_json, text=text)


def _in_words(one: OpenConflict) -> str:
    stands = "waits for your word" if one.winner == "ask" else f"the {one.winner}'s version stands"
    lines = [
        f"Conflict {one.id}  {one.title or one.uid}  ({one.calendar} and {one.there}, pair {one.pair})",
        f"  {one.at:%Y-%m-%d %H:%M:%S} UTC, {stands}",
    ]
    for each in one.differences:
        lines += [f"  {each.field}:", f"    hub:    {_side(each.hub)}", f"    remote: {_side(each.remote)}"]
    return "\n".join(lines)


def _side(value: str | None) -> str:
    return "(unchanged)" if value is None else value or "(empty)"


@app.command("resolve")
def resolve(
    ctx: typer.Context,
    conflict: Annotated[
        int, typer.Argument(parser=number, metavar="CONFLICT", help="The conflict's number in 'conflicts list'.")
    ],
    take: Annotated[
        str | None, typer.Option("--take", metavar="SIDE", help="hub or remote: that version stands.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Accept it as it was decided.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also over what was changed since.")] = False,
    as_json: Json = False,
) -> None:
    """Say which version stands. What gives way stays in the history."""
    if keep == (take is not None) or take not in (None, "hub", "remote"):
        raise UsageError("say either --take hub, --take remote or --keep")
    outcome = conflicts.resolve(opened(ctx), conflict, take=cast("Winner | None", take), force=force)
    show(
        {"conflict": conflict, "outcome": outcome},
        as_json=as_json,
        text=f"Conflict {conflict} {_OUTCOMES[outcome]}",
    )
