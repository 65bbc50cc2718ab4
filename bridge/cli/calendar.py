"""caldav-bridge calendar: what there is to pair, and feeds to follow."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bridge.cli.state import Json, opened, secret_from_stdin, show, show_rows
from bridge.services import connecting, pairing, subscribing

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


@app.command("subscribe")
def subscribe(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="For whom.")],
    url: Annotated[str, typer.Argument(help="The feed's address; '-' reads it from standard input.")],
    name: Annotated[str | None, typer.Option("--name", help="What to call it. Default: as the feed does.")] = None,
    every: Annotated[
        str | None,
        typer.Option("--every", help="manual, or a number of minutes. Default: as the feed asks, or 60."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Follow a feed (a holiday calendar, a secret address of Google or Outlook) in a calendar of its own, read-only."""
    address = secret_from_stdin() if url == "-" else url
    made = subscribing.subscribe(opened(ctx), user, address, name=name, how_often=every)
    path = f"{made.calendar.owner}/{made.calendar.slug}"
    seconds = made.pair.interval_seconds
    often = "when told to" if seconds is None else f"every {seconds // 60} minutes"
    show(
        {"calendar": path, "pair": made.pair.id, "events": made.events, "interval_seconds": seconds},
        as_json=as_json,
        text=f"{path} follows a feed at {made.account.email} {often} (pair {made.pair.id}); it shows {made.events} events.",
    )


@app.command("unsubscribe")
def unsubscribe(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="Whose calendar.")],
    local: Annotated[str, typer.Argument(help="The calendar here: its name in 'calendar list', with or without USER/")],
    keep: Annotated[bool, typer.Option("--keep", help="Keep the calendar, with its events as they are.")] = False,
) -> None:
    """Stop following a feed, and delete the calendar that was made for it."""
    slug = local.removeprefix(f"{user}/")
    subscribing.unsubscribe(opened(ctx), user, slug, keep=keep)
    typer.echo(f"{user}/{slug} does not follow the feed any more" + (" and stays." if keep else " and is gone."))
