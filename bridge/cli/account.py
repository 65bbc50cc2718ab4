"""caldav-bridge account: a person's accounts at Google and Microsoft."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.state import Json, opened, show, show_rows
from bridge.services import connecting
from bridge.store import accounts, principals

app = typer.Typer(help="Accounts at Google and Microsoft.", no_args_is_help=True)


@app.command("connect")
def connect(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="Whose account.")],
    provider: Annotated[str, typer.Argument(help="google or microsoft")],
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Use the simulated service of 'caldav-bridge sandbox'.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print the address to open in a browser, where that person gives consent. The server must be running."""
    context = opened(ctx)
    url = connecting.begin(context, user, provider, sandbox=sandbox)
    callback = connecting.redirect_uri(context, provider)
    show(
        {"url": url, "redirect_uri": callback},
        as_json=as_json,
        text=f"Open this address, sign in and allow the access:\n\n{url}\n\nThe browser then comes back to {callback}",
    )


@app.command("list")
def every(ctx: typer.Context, as_json: Json = False) -> None:
    """List the connected accounts."""
    context = opened(ctx)
    with context.database.read() as conn:
        names = {one.id: one.name for one in principals.every(conn)}
        held = accounts.every(conn)
    rows = [
        {
            "account": one.id,
            "user": names[one.principal_id],
            "provider": f"{one.provider} (sandbox)" if one.sandbox else one.provider,
            "email": one.email,
            "state": "needs reconnect" if one.needs_reconnect else "connected",
        }
        for one in held
    ]
    show_rows(
        rows, as_json=as_json, empty="No account yet. Connect one with: caldav-bridge account connect USER google"
    )
