"""caldav-bridge user: people."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.state import Json, opened, secret_from_stdin, show, show_rows
from bridge.services import principals
from bridge.store import principals as stored

app = typer.Typer(help="People.", no_args_is_help=True)


@app.command("add")
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="How they sign in, and the first part of their address.")],
    email: Annotated[str, typer.Option("--email", metavar="E", help="Their e-mail address.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read a portal password from standard input.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add a person with a calendar and a task list."""
    context = opened(ctx)
    password = secret_from_stdin() if password_stdin else None
    person = principals.add(context.database, name, email, password=password, now=context.now())
    show(
        {"name": person.name, "email": person.email},
        as_json=as_json,
        text=f"{person.name} is in. Next: caldav-bridge device add {person.name} phone",
    )


@app.command("list")
def every(ctx: typer.Context, as_json: Json = False) -> None:
    """List the people."""
    context = opened(ctx)
    with context.database.read() as conn:
        people = stored.every(conn)
    rows = [{"name": one.name, "email": one.email, "since": one.created_at} for one in people]
    show_rows(rows, as_json=as_json, empty="Nobody yet. Add someone with: caldav-bridge user add NAME --email E")
