"""caldav-bridge sync: sync by hand."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Annotated, Any

import typer

from bridge.cli.state import Json, opened, show, show_rows
from bridge.errors import NotFound
from bridge.services import pairing, previewing, syncing, undoing
from bridge.services.previewing import Foretold
from bridge.services.undoing import Undoing, Undone

app = typer.Typer(help="Sync by hand; see before what it will do, and take back what it did.", no_args_is_help=True)

_WHERE = {"hub": "here", "remote": "there", "": ""}


@app.command("now")
def now(
    ctx: typer.Context,
    pair: Annotated[int | None, typer.Argument(help="The pair's number. Default: all pairs.")] = None,
    as_json: Json = False,
) -> None:
    """Run a cycle now and say what it did. Exit code 1 if one failed."""
    context = opened(ctx)
    wanted = [one.pair.id for one in pairing.every(context) if pair in (None, one.pair.id)]
    if pair is not None and not wanted:
        raise NotFound(f"there is no pair {pair}")
    outcomes = [syncing.run_now(context, pair_id) for pair_id in wanted]
    rows: list[dict[str, Any]] = [dataclasses.asdict(one) for one in outcomes]
    show_rows(rows, as_json=as_json, empty="No pair yet. Connecting an account makes the first one.")
    if any(one.error for one in outcomes):
        raise typer.Exit(1)


@app.command("preview")
def preview(
    ctx: typer.Context,
    pair: Annotated[int, typer.Argument(help="The pair's number.")],
    as_json: Json = False,
) -> None:
    """Tell what the next sync of a pair would do, event by event. Nothing is written on either side."""
    counted: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    with previewing.preview(opened(ctx), pair) as found:
        for row in found.rows:
            counted[" ".join(filter(None, (row.act, _WHERE[row.side])))] += 1
            if as_json:
                rows.append(dataclasses.asdict(row))
            else:
                typer.echo(_in_words(row))
        held = found.held
    total = ", ".join(f"{number} to {what}" for what, number in sorted(counted.items())) or "Nothing to do"
    question = " It waits for 'pair approve' first." if held is not None else ""
    show({"rows": rows, "counts": dict(counted), "held": held}, as_json=as_json, text=f"{total}.{question}")


def _in_words(row: Foretold) -> str:
    what = " ".join(filter(None, (row.act, _WHERE[row.side])))
    details = ", ".join(filter(None, (*row.fields, "invites guests" if row.mails else "", row.reason)))
    return f"{what}: {row.title or row.uid}" + (f" ({details})" if details else "")


@app.command("log")
def log(
    ctx: typer.Context,
    pair: Annotated[int, typer.Argument(help="The pair's number.")],
    cycle: Annotated[int | None, typer.Argument(help="One cycle's number: what it did, event by event.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many cycles.")] = 20,
    as_json: Json = False,
) -> None:
    """List the syncs of a pair that changed something, newest first."""
    context = opened(ctx)
    if cycle is not None:
        entries = [dataclasses.asdict(each) for each in undoing.entries(context, pair, cycle)]
        show_rows([row | {"side": _WHERE[row["side"]]} for row in entries], as_json=as_json, empty="It did nothing.")
        return
    rows = [
        {"cycle": each.number, "at": each.started_at, "did": undoing.in_words(each), "undone": each.undone_at}
        for each in undoing.cycles(context, pair, limit=limit)
    ]
    show_rows(rows, as_json=as_json, empty="No sync of this pair has changed anything yet.")


@app.command("undo")
def undo(
    ctx: typer.Context,
    pair: Annotated[int, typer.Argument(help="The pair's number.")],
    cycle: Annotated[int, typer.Argument(help="The cycle's number in 'sync log'.")],
    event: Annotated[str | None, typer.Option("--event", metavar="UID", help="Only this event.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Also what was changed since.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    as_json: Json = False,
) -> None:
    """Give events back the state that they had before a sync; all sides follow with their next one."""
    context = opened(ctx)
    if not yes:
        _tell(undoing.foresee(context, pair, cycle, uid=event, force=force))
        typer.confirm("Go on?", abort=True)
    done = undoing.undo(context, pair, cycle, uid=event, force=force)
    if as_json:
        show(dataclasses.asdict(done), as_json=True, text="")
    elif yes:
        _tell(done)


def _tell(undone: Undone) -> None:
    for each in undone.steps:
        typer.echo(_undoing(each))
    if undone.waits:
        typer.echo("So many deletions will wait for 'pair approve'.")


def _undoing(each: Undoing) -> str:
    words = {"restore": "put back", "delete": "delete", "leave": "leave", "done": "as it was already"}
    return f"{words[each.act]}: {each.title or each.uid}" + (f" ({each.reason})" if each.reason else "")
