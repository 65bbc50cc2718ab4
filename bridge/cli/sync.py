"""caldav-bridge sync: sync by hand."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import typer

from bridge.cli.state import Json, opened, show, show_rows
from bridge.errors import NotFound
from bridge.services import consistency, pairing, syncing
from bridge.services.context import Context

app = typer.Typer(help="Sync by hand.", no_args_is_help=True)

_NO_PAIR = "No pair yet. Connecting an account makes the first one."


@app.command("now")
def now(
    ctx: typer.Context,
    pair: Annotated[int | None, typer.Argument(help="The pair's number. Default: all pairs.")] = None,
    as_json: Json = False,
) -> None:
    """Run a cycle now and say what it did. Exit code 1 if one failed."""
    context = opened(ctx)
    outcomes = [syncing.run_now(context, pair_id) for pair_id in _wanted(context, pair)]
    rows: list[dict[str, Any]] = [dataclasses.asdict(one) for one in outcomes]
    show_rows(rows, as_json=as_json, empty=_NO_PAIR)
    if any(one.error for one in outcomes):
        raise typer.Exit(1)


@app.command("audit")
def audit(
    ctx: typer.Context,
    pair: Annotated[int | None, typer.Argument(help="The pair's number. Default: all pairs.")] = None,
    as_json: Json = False,
) -> None:
    """Compare both sides whole and say what differs; the next cycle sets it right. Exit code 1 if there was anything."""
    context = opened(ctx)
    outcomes = [consistency.run(context, pair_id) for pair_id in _wanted(context, pair)]
    rows: list[dict[str, Any]] = [dataclasses.asdict(one) for one in outcomes]
    if as_json:
        show(rows, as_json=True, text="")
    else:
        figures = [{**row, "kinds": _counted(row["kinds"])} for row in rows]
        show_rows([_without(row, "found") for row in figures], as_json=False, empty=_NO_PAIR)
        for one in outcomes:
            for each in one.found:
                typer.echo(f"pair {one.pair}: {each['kind']}: {each['uid']}")
    if any(one.error or one.divergences for one in outcomes):
        raise typer.Exit(1)


def _wanted(context: Context, pair: int | None) -> list[int]:
    wanted = [one.pair.id for one in pairing.every(context) if pair in (None, one.pair.id)]
    if pair is not None and not wanted:
        raise NotFound(f"there is no pair {pair}")
    return wanted


def _counted(kinds: dict[str, int]) -> str | None:
    return ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or None


def _without(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}
