"""What all commands share: the opened context, and how a result or an error is printed."""

from __future__ import annotations

import datetime as dt
import json
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn, Protocol

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from bridge import config
from bridge.errors import UsageError
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

_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and line end, and those that turn the direction of writing."""

LARGEST = 2**63 - 1
"""No number in the database is larger."""
LONGEST_PAGE = 100_000


def number(text: str) -> int:
    """Read what names a pair, a cycle, a revision … Raises typer.BadParameter, which the command line tells."""
    return _within(text, LARGEST)


def page(text: str | int) -> int:
    """Read how many are to be shown; its default comes as the number that it is. Raises typer.BadParameter."""
    return _within(str(text), LONGEST_PAGE)


def _within(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit()):
        raise typer.BadParameter(f"{text!r} is not a number")
    # Python itself refuses to read some thousands of digits
    if len(text) > len(str(LARGEST)) or not 1 <= int(text) <= most:
        raise typer.BadParameter(f"{text} is not a number from 1 to {most}")
    return int(text)


PairNumber = Annotated[int, typer.Argument(parser=number, metavar="PAIR", help="The pair's number.")]


def counted(count: int, noun: str) -> str:
    """``1 event``, ``2 events``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def state_of(ctx: typer.Context) -> State:
    state: State = ctx.find_root().obj
    return state


def settings_of(ctx: typer.Context) -> config.Settings:
    settings = config.load(state_of(ctx).data)
    logs.configure(settings.log)
    return settings


def opened(ctx: typer.Context) -> Context:
    """The context of ``--data``, which is closed when the command ends. Raises UsageError."""
    context = open_context(settings_of(ctx))
    ctx.call_on_close(context.close)
    return context


def say(text: str) -> None:
    """Print lines for a person."""
    typer.echo(printable(text))


def printable(text: str) -> str:
    """Without what a terminal would obey: whoever invites somebody writes the title that is shown here."""
    return _COMMANDS.sub("\N{REPLACEMENT CHARACTER}", text)


def warn(text: str) -> None:
    """One plain line on standard error."""
    typer.echo(f"caldav-bridge: {printable(' '.join(text.split()))}", err=True)


def fail(text: str, *, code: int = 2) -> NoReturn:
    """One plain line, and the end: 2 where what was asked cannot be done, 1 where it was and needs a look."""
    warn(text)
    sys.exit(code)


def show(value: Any, *, as_json: bool, text: str) -> None:
    """Print ``value`` as JSON, or ``text``."""
    if as_json:
        typer.echo(json.dumps(value, indent=2, default=_plain))
    else:
        say(text)


def show_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str, below: Collection[str] = ()) -> None:
    """Print rows as JSON or as a table whose headings are the first row's keys; ``empty`` where there is none.

    What ``below`` names stands on a line of its own under its row, if there is any, and is never folded: what is long, and
    what somebody wants to copy.
    """
    if as_json:
        typer.echo(json.dumps(list(rows), indent=2, default=_plain))
        return
    if not rows:
        say(empty)
        return
    console = Console(highlight=False, markup=False, emoji=False)
    headings = [name for name in rows[0] if name not in below]
    cells = [[_cell(row[name]) for name in headings] for row in rows]
    titles = [name.replace("_", " ") for name in headings]
    widths = _widths(titles, cells, console.width)
    console.print(_line(titles, widths, style="bold"))
    for row, line in zip(rows, cells, strict=True):
        console.print(_line(line, widths))
        for name in below:
            if row.get(name):
                say(f"  {name.replace('_', ' ')}: {_cell(row[name])}")


def _line(cells: Sequence[str], widths: Sequence[int], style: str = "") -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0), pad_edge=False)
    for width in widths:
        grid.add_column(width=width, overflow="fold", style=style)
    grid.add_row(*cells)
    return grid


def _widths(titles: Sequence[str], cells: Sequence[Sequence[str]], room: int) -> list[int]:
    """As wide as the widest cell; where that is too much for the screen the widest column is folded, but no heading is."""
    widths = [max(map(cell_len, column)) for column in zip(titles, *cells, strict=True)]
    least = [max(map(cell_len, title.split())) for title in titles]
    while sum(widths) + len(widths) - 1 > room:
        widest = max(range(len(widths)), key=lambda each: widths[each] - least[each])
        if widths[widest] <= least[widest]:
            break
        widths[widest] -= 1
    return widths


def _cell(value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case dt.datetime():
            return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return printable(str(value))


def _plain(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return str(value)


def secret_from_stdin(what: str = "password") -> str:
    """What is piped in, without its line end. Raises UsageError if there is nothing, or no text."""
    try:
        text = sys.stdin.readline().rstrip("\r\n")
        text.encode()
    except UnicodeError:
        raise UsageError(f"the {what} on standard input is not UTF-8 text") from None
    if not text:
        raise UsageError(f"no {what} came on standard input")
    return _COMMANDS.sub("\N{REPLACEMENT CHARACTER}", text)
