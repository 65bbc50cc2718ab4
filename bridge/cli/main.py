"""The command ``caldav-bridge``: one file a group of commands, this one puts them together."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli import account, calendar, conflicts, demo, device, history, pair, sandbox, serve, status, sync, user
from bridge.cli.state import Processes, State, fail, state_of
from bridge.errors import BridgeError

app = typer.Typer(
    name="caldav-bridge",
    help="One calendar for your phone, mirrored both ways to Google Calendar and Microsoft Outlook.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("serve")(serve.serve)
app.command("web")(serve.web)
app.command("worker")(serve.worker)
app.command("demo")(demo.demo)
app.command("sandbox")(sandbox.sandbox)
app.command("status")(status.status)
app.add_typer(user.app, name="user")
app.add_typer(device.app, name="device")
app.add_typer(account.app, name="account")
app.add_typer(calendar.app, name="calendar")
app.add_typer(pair.app, name="pair")
app.add_typer(sync.app, name="sync")
app.add_typer(history.app, name="history")
app.add_typer(conflicts.app, name="conflicts")


@app.callback()
def common(
    ctx: typer.Context,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="DIR",
            envvar="CALDAV_BRIDGE_DATA",
            help="Where everything is kept. Default: the XDG data folder.",
        ),
    ] = None,
) -> None:
    state_of(ctx).data = data.absolute() if data else None


def run(processes: Processes) -> None:
    """Run the command line, and turn what we raise on purpose into one plain line."""
    try:
        app(obj=State(processes))
    except BridgeError as error:
        fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
