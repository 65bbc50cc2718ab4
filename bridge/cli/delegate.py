"""caldav-bridge delegate: people who look after somebody else's calendars."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from bridge.cli.state import Json, opened, say, show_rows
from bridge.services import delegating

app = typer.Typer(help="People who look after the calendars of others.", no_args_is_help=True)

Owner = Annotated[str, typer.Argument(metavar="USER", help="Whose calendars.")]
Delegate = Annotated[str, typer.Argument(metavar="DELEGATE", help="Who looks after them.")]


@app.command("add")
def add(
    ctx: typer.Context,
    owner: Owner,
    delegate: Delegate,
    access: Annotated[str, typer.Argument(metavar="read|write", help="What they may do with the events.")],
) -> None:
    """Let somebody see, or change, the events in all calendars of a person; once more changes what they may."""
    context = opened(ctx)
    delegating.add(context.database, owner, delegate, access, now=context.now())
    say(f"{delegate} may {access} {owner}'s calendars now.")


@app.command("list")
def every(
    ctx: typer.Context,
    user: Annotated[str | None, typer.Argument(help="This person's, and those that they are themselves.")] = None,
    as_json: Json = False,
) -> None:
    """List who looks after whose calendars."""
    rows = [asdict(each) for each in delegating.every(opened(ctx).database, user)]
    show_rows(rows, as_json=as_json, empty="Nobody looks after somebody else's calendars.")


@app.command("remove")
def remove(ctx: typer.Context, owner: Owner, delegate: Delegate) -> None:
    """Let somebody look after a person's calendars no more."""
    context = opened(ctx)
    delegating.remove(context.database, owner, delegate, now=context.now())
    say(f"{delegate} does not look after {owner}'s calendars any more.")
