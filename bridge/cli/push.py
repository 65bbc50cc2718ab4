"""caldav-bridge push: devices that are told when a calendar changes."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.prompts import confirm
from bridge.cli.state import Json, counted, opened, show, show_rows
from bridge.services import push_keys
from bridge.services.naming import nobody
from bridge.store import principals, push_subscriptions

app = typer.Typer(help="Devices that are told when a calendar changes.", no_args_is_help=True)


@app.command("list")
def every(
    ctx: typer.Context,
    user: Annotated[str | None, typer.Argument(help="Whose devices. Default: everybody's.")] = None,
    as_json: Json = False,
) -> None:
    """List what devices have registered for, and when each was told last."""
    context = opened(ctx)
    with context.database.read() as conn:
        if user is not None and principals.by_name(conn, user) is None:
            raise nobody(user)
        held = push_subscriptions.every(conn, now=context.now(), user=user)
    rows = [
        {
            "user": one.user,
            "device": one.device,
            "collection": f"{one.owner}/{one.calendar}",
            "through": one.host,
            "told": one.told_at,
            "failures": one.failures,
            "until": one.expires_at,
        }
        for one in held
    ]
    show_rows(rows, as_json=as_json, empty="No device has registered; see docs/how-to/push-to-phones.md")


@app.command("key")
def key(
    ctx: typer.Context,
    renew: Annotated[
        bool,
        typer.Option("--renew", help="Make a new key; all devices have to register anew, and do so by themselves."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Show the key by which push services know this server (VAPID). It is made once and never changes by itself."""
    context = opened(ctx)
    done = ""
    if renew:
        if not yes:
            confirm("No device is told of anything until it has registered anew. Make a new key?")
        gone = push_keys.renew(context)
        done = f"\n{counted(gone, 'registration')} went with the old key. Restart the server, or it goes on showing that one."
    public_key = push_keys.load(context).signer.public_key
    show({"public_key": public_key, "renewed": renew}, as_json=as_json, text=public_key + done)
