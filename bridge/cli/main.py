"""The command ``caldav-bridge``: one file a group of commands, this one puts them together."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from bridge.cli import (
    account,
    calendar,
    conflicts,
    delegate,
    demo,
    device,
    dns,
    feed,
    history,
    notices,
    pair,
    push,
    sandbox,
    serve,
    share,
    status,
    sync,
    user,
)
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
app.command("dns")(dns.dns)
app.command("notices")(notices.notices)
app.add_typer(user.app, name="user")
app.add_typer(device.app, name="device")
app.add_typer(account.app, name="account")
app.add_typer(calendar.app, name="calendar")
app.add_typer(pair.app, name="pair")
app.add_typer(share.app, name="share")
app.add_typer(delegate.app, name="delegate")
app.add_typer(feed.app, name="feed")
app.add_typer(push.app, name="push")
app.add_typer(sync.app, name="sync")
app.add_typer(history.app, name="history")
app.add_typer(conflicts.app, name="conflicts")


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"caldav-bridge {metadata.version('caldav-bridge')}")
        raise typer.Exit


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
    version: Annotated[  # noqa: ARG001 - its callback has told it
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    state_of(ctx).data = data.absolute() if data else None


def run(processes: Processes) -> None:
    """Run the command line, and turn what we raise on purpose into one plain line and exit code 2: that cannot be done.

    A command that ran and met something that needs a look ends with 1 by itself.
    """
    _require_text(sys.argv[1:])
    try:
        code = app(obj=State(processes), standalone_mode=False)
    except typer.TyperException as error:
        _misused(error)
    except BridgeError as error:
        fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


def _require_text(arguments: Sequence[str]) -> None:
    """What is not UTF-8 names nothing here, and can be neither stored nor printed."""
    for each in arguments:
        given = os.fsencode(each)
        try:
            given.decode("utf-8")
        except UnicodeDecodeError:
            fail(f"the argument {given.decode('utf-8', 'backslashreplace')} is not UTF-8 text")


def _misused(error: typer.TyperException) -> NoReturn:
    text = error.format_message()
    if text.startswith("Usage:"):  # a group of commands alone: that is asking for help
        typer.echo(text, err=True)
        sys.exit(error.exit_code)
    asked = getattr(error, "ctx", None)
    help_ = f"; see: {asked.command_path} --help" if asked is not None else ""
    fail(f"{text.rstrip('.')}{help_}")
