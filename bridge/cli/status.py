"""caldav-bridge status: how each pair is."""

from __future__ import annotations

import dataclasses
from typing import Any

import typer

from bridge.cli.state import Json, opened, show_rows
from bridge.services import status as statuses


def status(ctx: typer.Context, as_json: Json = False) -> None:
    """Show each pair: its last success, lag, links, conflicts, and the last error in plain words."""
    found = statuses.every(opened(ctx))
    rows: list[dict[str, Any]] = [dataclasses.asdict(one) for one in found]
    if not as_json:
        for row in rows:
            row["quarantined"] = len(row["quarantined"])
            row["lag_seconds"] = None if row["lag_seconds"] is None else round(row["lag_seconds"])
    show_rows(rows, as_json=as_json, empty="No pair yet. Connecting an account makes the first one.")
    if not as_json:
        for one in found:
            for item in one.quarantined:
                typer.echo(f"pair {one.pair}: {item['uid']} is left alone: {item['reason']}")
