"""caldav-bridge account: a person's accounts at Google, Microsoft and CalDAV servers."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli import parting, prompts
from bridge.cli.state import Json, opened, say, secret_from_stdin, show, show_rows
from bridge.errors import UsageError
from bridge.services import connecting, removing
from bridge.services.context import Context
from bridge.services.providers import DIRECT
from bridge.store import accounts, principals

app = typer.Typer(help="Accounts at Google, Microsoft and CalDAV servers.", no_args_is_help=True)


@app.command("connect")
def connect(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="Whose account.")],
    provider: Annotated[str, typer.Argument(help="google, microsoft or caldav")],
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Use the simulated service of 'caldav-bridge sandbox'.")
    ] = False,
    url: Annotated[str, typer.Option("--url", metavar="URL", help="caldav: the address of the server.")] = "",
    username: Annotated[str, typer.Option("--username", metavar="U", help="caldav: the name to sign in with.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="caldav: read the password from standard input, do not ask.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print the address to open in a browser, where that person gives consent; the server must be running then.

    With caldav connect at once; the password is asked for.
    """
    context = opened(ctx)
    if provider in DIRECT and not sandbox:
        _directly(context, user, provider, url=url, username=username, password_stdin=password_stdin, as_json=as_json)
        return
    if provider not in DIRECT and (url or username or password_stdin):
        raise UsageError(f"--url, --username and --password-stdin are for {', '.join(DIRECT)}")
    url = connecting.begin(context, user, provider, sandbox=sandbox)
    callback = connecting.redirect_uri(context, provider)
    show(
        {"url": url, "redirect_uri": callback},
        as_json=as_json,
        text=f"Open this address, sign in and allow the access:\n\n{url}\n\nThe browser then comes back to {callback}",
    )


def _directly(
    context: Context, user: str, provider: str, *, url: str, username: str, password_stdin: bool, as_json: bool
) -> None:
    if not url:
        raise UsageError(f"{provider} needs --url, the address of the server")
    password = ""
    if password_stdin:
        password = secret_from_stdin()
    elif username:
        password = prompts.password()
    made = connecting.connect_directly(context, user, provider, url=url, username=username, password=password)
    show(
        {
            "account": made.account.id,
            "email": made.account.email,
            "calendars": made.calendars,
            "lists": made.lists,
            "pair": made.pair_id,
        },
        as_json=as_json,
        text=f"Connected: {made.account.email}, calendars: {made.calendars}, lists of to-dos: {made.lists}. More of them can"
        f" be mirrored: caldav-bridge calendar list {user}",
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


@app.command("disconnect")
def disconnect(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="Whose account.")],
    account: Annotated[
        str,
        typer.Argument(
            metavar="PROVIDER",
            help="google, microsoft or caldav; or the e-mail or number in 'account list', where there are several.",
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before.")] = False,
    as_json: Json = False,
) -> None:
    """Remove an account with its pairs and its access; all events stay on both sides. --json without --yes does nothing."""
    context = opened(ctx)
    foreseen = removing.foresee_account(context, user, account)
    if as_json and not yes:
        show(parting.plain(foreseen, done=False), as_json=True, text="")
        return
    if not yes:
        say(parting.before_leaving(foreseen))
        prompts.confirm("Go on?")
    gone = removing.disconnect(context, user, str(foreseen.account))
    show(parting.plain(gone, done=True), as_json=as_json, text=parting.after_leaving(gone))
