"""caldav-bridge sync: sync by hand."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import typer

from bridge.cli.state import Json, opened, show_rows
from bridge.errors import NotFound
from bridge.services import pairing, syncing

app = typer.Typer(help="Sync by hand.", no_args_is_help=True)


@app.command("now")
def now(
    ctx: typer.Context,
    pair: Annotated[int | None, typer.Argument(help="The pair's number. Default: all pairs.")] = None,
    as_json: Json = False,
) -> None:
    """Run a cycle now and say what it did. Exit code 1 if one failed."""
    context = opened(ctx)
    wanted = [one.pair.id for one in pairing.every(context) if pair in (None, one.pair.id)]
    if pair is not None and not wanted:
        raise NotFound(f"there is no pair {pair}")
    outcomes = [syncing.run_now(context, pair_id) for pair_id in wanted]
    rows: list[dict[str, Any]] = [dataclasses.asdict(one) for one in outcomes]
    show_rows(rows, as_json=as_json, empty="No pair yet. Connecting an account makes the first one.")
    if any(one.error for one in outcomes):
        raise typer.Exit(1)
