"""caldav-bridge calendar: what there is to pair."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bridge.cli.state import Json, opened, show_rows
from bridge.services import connecting, pairing

app = typer.Typer(help="Calendars here and at the services.", no_args_is_help=True)


@app.command("list")
def every(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="Whose calendars.")],
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask the services for their lists first.")] = False,
    as_json: Json = False,
) -> None:
    """List a person's calendars here and in each connected account, with the names that 'pair add' takes."""
    context = opened(ctx)
    local, remote = pairing.calendars_of(context, user)
    if refresh:
        for account, _ in remote:
            connecting.refresh_calendars(context, account)
        local, remote = pairing.calendars_of(context, user)
    rows: list[dict[str, Any]] = [
        {
            "name": f"{one.owner}/{one.slug}",
            "where": "here",
            "title": one.properties.get("D:displayname", one.slug),
            "writable": True,
        }
        for one in local
    ]
    rows += [
        {
            "name": str(known.id),
            "where": f"{account.provider} {account.email}",
            "title": known.calendar.name,
            "writable": known.calendar.writable,
        }
        for account, listed in remote
        for known in listed
    ]
    show_rows(rows, as_json=as_json, empty="No calendar.")
