"""caldav-bridge device: phones and programs, each with a password of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.state import Json, opened, say, secret_from_stdin, show, show_rows
from bridge.services import addresses, devices
from bridge.services.naming import nobody
from bridge.store import devices as stored
from bridge.store import principals

app = typer.Typer(help="Phones and programs, each with a password of its own.", no_args_is_help=True)


@app.command("add")
def add(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="Whose device.")],
    label: Annotated[str, typer.Argument(help="What to call it, for instance: phone")],
    password_stdin: Annotated[
        bool,
        typer.Option(
            "--password-stdin", help="Take over a password from standard input, when moving from another server."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Make the password for a device and show it, once."""
    context = opened(ctx)
    password = secret_from_stdin() if password_stdin else None
    device = devices.add(context.database, user, label, password=password, now=context.now())
    url = f"{addresses.public_url(context)}/"
    show(
        {"url": url, "username": device.username, "password": device.password},
        as_json=as_json,
        text=f"URL       {url}\nUser name {device.username}\nPassword  {device.password}\n\nThe password is not shown again.",
    )


@app.command("list")
def every(
    ctx: typer.Context, user: Annotated[str, typer.Argument(help="Whose devices.")], as_json: Json = False
) -> None:
    """List a person's devices and when each was used last."""
    context = opened(ctx)
    with context.database.read() as conn:
        principal = principals.by_name(conn, user)
        if principal is None:
            raise nobody(user)
        held = stored.of_principal(conn, principal.id, revoked=True)
    rows = [
        {
            "label": one.label,
            "added": one.created_at,
            "last_used": one.last_used_at,
            "from": one.last_address,
            "with": one.last_agent,
            "revoked": one.revoked_at is not None,
        }
        for one in held
    ]
    show_rows(rows, as_json=as_json, empty=f"No device yet. Add one with: caldav-bridge device add {user} phone")


@app.command("revoke")
def revoke(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="Whose device.")],
    label: Annotated[str, typer.Argument(help="Which one.")],
) -> None:
    """Take a device's password away; its next request is refused."""
    context = opened(ctx)
    devices.revoke(context.database, user, label, now=context.now())
    say(f"{label} can no longer sign in.")
