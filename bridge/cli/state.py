"""What all commands share: the opened context, and how a result or an error is printed."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn, Protocol

import typer
from rich.console import Console
from rich.table import Table

from bridge import config
from bridge.services import logs
from bridge.services.context import Context, open_context


class Processes(Protocol):
    """What only the composition root can start; it hands them in, for commands know no servers."""

    def serve(self, settings: config.Settings, *, with_worker: bool) -> None: ...

    def work(self, context: Context, *, until_eof: bool) -> None: ...


@dataclass(slots=True)
class State:
    processes: Processes
    data: Path | None = None


Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def state_of(ctx: typer.Context) -> State:
    state: State = ctx.find_root().obj
    return state


def settings_of(ctx: typer.Context) -> config.Settings:
    settings = config.load(state_of(ctx).data)
    logs.configure(settings.log)
    return settings


def opened(ctx: typer.Context) -> Context:
    """The context of ``--data``. Raises UsageError."""
    return open_context(settings_of(ctx))


def fail(text: str) -> NoReturn:
    """One plain line, and exit code 2."""
    typer.echo(f"caldav-bridge: {' '.join(text.split())}", err=True)
    sys.exit(2)


def show(value: Any, *, as_json: bool, text: str) -> None:
    """Print ``value`` as JSON, or ``text``."""
    typer.echo(json.dumps(value, indent=2, default=_plain) if as_json else text)


def show_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print rows as JSON or as a table whose headings are the first row's keys; ``empty`` where there is none."""
    if as_json:
        typer.echo(json.dumps(list(rows), indent=2, default=_plain))
        return
    if not rows:
        typer.echo(empty)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in rows[0]:
        table.add_column(heading.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    Console(highlight=False, soft_wrap=False).print(table)


def _cell(value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case dt.datetime():
            return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return str(value)


def _plain(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return str(value)


def secret_from_stdin() -> str:
    """A password piped in, without its line end. Raises typer.BadParameter if there is none."""
    text = sys.stdin.readline().rstrip("\r\n")
    if not text:
        raise typer.BadParameter("no password came on standard input")
    return text
