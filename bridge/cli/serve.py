"""caldav-bridge serve, web and worker: the processes."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.state import opened, settings_of, state_of
from bridge.config import Settings

Host = Annotated[str | None, typer.Option("--host", help="Where to listen. Default: 127.0.0.1")]
Port = Annotated[int | None, typer.Option("--port", min=1, max=65535, help="On which port. Default: 5232")]


def serve(ctx: typer.Context, host: Host = None, port: Port = None) -> None:
    """Run everything: CalDAV, the web and the sync."""
    state_of(ctx).processes.serve(_listening(settings_of(ctx), host, port), with_worker=True)


def web(ctx: typer.Context, host: Host = None, port: Port = None) -> None:
    """Run CalDAV and the web only; the sync runs in 'worker' processes elsewhere."""
    state_of(ctx).processes.serve(_listening(settings_of(ctx), host, port), with_worker=False)


def worker(
    ctx: typer.Context,
    until_eof: Annotated[bool, typer.Option("--until-eof", help="Stop when standard input ends.", hidden=True)] = False,
) -> None:
    """Run the sync only; any number of these may run on one PostgreSQL."""
    state_of(ctx).processes.work(opened(ctx), until_eof=until_eof)


def _listening(settings: Settings, host: str | None, port: int | None) -> Settings:
    asked = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    return settings.model_copy(update={"server": settings.server.model_copy(update=asked)})
