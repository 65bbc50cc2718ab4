"""caldav-bridge sandbox: the simulated Google Calendar and Microsoft Outlook, to try things on."""

from __future__ import annotations

import threading
from typing import Annotated

import typer

from bridge.cli.state import say, settings_of
from bridge.errors import UsageError
from bridge.services import addresses


def sandbox(
    ctx: typer.Context,
    host: Annotated[str | None, typer.Option("--host", help="Where to listen.")] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="On which port (0: any free one).")
    ] = None,
) -> None:
    """Run the simulated services until interrupted. They forget everything when they stop."""
    from bridge.sandbox.server import Sandbox  # noqa: PLC0415 - no other command needs it, and it takes a while to load

    settings = settings_of(ctx).sandbox
    simulated = Sandbox()
    at = (host or settings.host, settings.port if port is None else port)
    try:
        url = simulated.start(*at)
    except OSError as error:
        raise UsageError(addresses.not_free(*at, error)) from None
    say(f"Simulated services: {url}/google/ and {url}/microsoft/ (Ctrl-C stops them)")
    try:
        threading.Event().wait()
    finally:
        simulated.stop()
