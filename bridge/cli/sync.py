"""caldav-bridge sync: sync by hand, see beforehand what that does, and take back what was done."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import typer

from bridge.cli import foretelling, prompts
from bridge.cli.state import Json, PairNumber, counted, number, opened, page, say, show, show_rows, warn
from bridge.errors import NotFound, UsageError
from bridge.services import consistency, cycles, pairing, previewing, syncing, undoing
from bridge.services.context import Context

app = typer.Typer(
    help="Sync by hand, see beforehand what that does, and take back what was done.", no_args_is_help=True
)

_NO_PAIR = "No pair yet. Connecting an account makes the first one."

OnePair = Annotated[
    int | None, typer.Argument(parser=number, metavar="PAIR", help="The pair's number. Default: all pairs.")
]


@app.command("now")
def now(
    ctx: typer.Context,
    pair: OnePair = None,
    as_json: Json = False,
) -> None:
    """Run a cycle now and say what it did. Exit code 1 if one failed."""
    context = opened(ctx)
    outcomes = [syncing.run_now(context, pair_id) for pair_id in _wanted(context, pair)]
    rows: list[dict[str, Any]] = [dataclasses.asdict(one) for one in outcomes]
    if not as_json:
        rows = [{**row, "seconds": _rounded(row["seconds"])} for row in rows]
    show_rows(rows, as_json=as_json, empty=_NO_PAIR, below=("error",))
    if any(one.error for one in outcomes):
        raise typer.Exit(1)


@app.command("audit")
def audit(
    ctx: typer.Context,
    pair: OnePair = None,
    as_json: Json = False,
) -> None:
    """Compare both sides whole and say what differs; the next cycle sets it right. Exit code 1 if there was anything."""
    context = opened(ctx)
    feeds = (
        {one.pair.id for one in pairing.every(context) if not consistency.comparable(one)} if pair is None else set()
    )
    outcomes = [consistency.run(context, pair_id) for pair_id in _wanted(context, pair) if pair_id not in feeds]
    rows: list[dict[str, Any]] = [dataclasses.asdict(one) for one in outcomes]
    if as_json:
        show(rows, as_json=True, text="")
    else:
        figures = [
            {**row, "kinds": _counted(row["kinds"]), "seconds": _rounded(row["seconds"]), "found": None} for row in rows
        ]
        show_rows(figures, as_json=False, empty=_NO_PAIR, below=("kinds", "found", "error"))
        for one in outcomes:
            for each in one.found:
                say(f"pair {one.pair}: {each['kind']}: {each['uid']}")
    if any(one.error or one.divergences for one in outcomes):
        raise typer.Exit(1)


def _wanted(context: Context, pair: int | None) -> list[int]:
    wanted = [one.pair.id for one in pairing.every(context) if pair in (None, one.pair.id)]
    if pair is not None and not wanted:
        raise NotFound(f"there is no pair {pair}")
    return wanted


def _counted(kinds: dict[str, int]) -> str | None:
    return ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or None


def _rounded(seconds: float) -> str:
    """Three digits are enough to wonder about."""
    return f"{seconds:.0f}" if seconds >= 100 else f"{seconds:.3g}" if seconds >= 0.1 else f"{seconds:.2f}"


@app.command("preview")
def preview(
    ctx: typer.Context,
    pair: OnePair = None,
    as_json: Json = False,
) -> None:
    """Say what the next cycle would do, event by event, and do nothing. Exit code 1 if a service could not be asked."""
    context = opened(ctx)
    wanted = _wanted(context, pair)
    failed = False
    with foretelling.printing(as_json=as_json) as printer:
        for pair_id in wanted:
            try:
                with previewing.previewed(context, pair_id) as foreseen:
                    printer.show(foreseen)
            except UsageError as error:  # nobody asked wrongly: the service, or another process, is in the way
                failed = True
                warn(str(error))
    if failed:
        raise typer.Exit(1)


@app.command("log")
def log(
    ctx: typer.Context,
    pair: PairNumber,
    cycle: Annotated[
        int | None,
        typer.Argument(parser=number, metavar="CYCLE", help="One cycle, event by event. Default: the latest cycles."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", parser=page, metavar="N", help="How many cycles.")] = cycles.PAGE,
    as_json: Json = False,
) -> None:
    """Show the cycles that did something, newest first, with the numbers that 'sync undo' takes; or what one of them did."""
    context = opened(ctx)
    found = cycles.latest(context, pair, limit=limit) if cycle is None else cycles.deeds(context, pair, cycle)
    rows = [dataclasses.asdict(one) for one in found]
    if not as_json:
        rows = [_cycle(one) if isinstance(one, cycles.Told) else _deed(one) for one in found]
    show_rows(rows, as_json=as_json, empty="No cycle has changed anything yet.", below=("uid",))


def _cycle(one: cycles.Told) -> dict[str, Any]:
    return {
        "cycle": one.cycle,
        "started": f"{one.started_at:%Y-%m-%d %H:%M:%S} UTC",
        "did": one.did if one.finished_at else f"{one.did}; not at its end",
        "undone": f"{one.undone_at:%Y-%m-%d %H:%M} UTC" if one.undone_at else "partly" if one.partly_undone else None,
    }


def _deed(one: cycles.Deed) -> dict[str, Any]:
    return {"what": one.what, "where": one.where, "title": one.title, "uid": one.uid}


@app.command("undo")
def undo(
    ctx: typer.Context,
    pair: PairNumber,
    cycle: Annotated[int, typer.Argument(parser=number, metavar="CYCLE", help="The cycle's number in 'sync log'.")],
    event: Annotated[
        str | None, typer.Option("--event", metavar="UID", help="Only this event. Default: all that it did.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also over what was changed since.")] = False,
    as_json: Json = False,
) -> None:
    """Take back what a cycle did: here at once, on all sides with their next sync. --json without --yes does nothing."""
    context = opened(ctx)
    foreseen = undoing.foresee(context, pair, cycle, uid=event, force=force)
    if as_json and not yes:
        show(_plain(foreseen, done=False), as_json=True, text="")
        return
    if not as_json:
        say(foretelling.undo(foreseen))
    if foreseen.acts and not yes:
        prompts.confirm("Go on?")
    done = undoing.undo(context, pair, cycle, uid=event, force=force)
    them = f"{counted(len(done.acts), 'event')} {'is as it was' if len(done.acts) == 1 else 'are as they were'}"
    text = f"{them} before cycle {cycle}; all sides follow with their next sync."
    if done.acts or as_json:
        show(_plain(done, done=True), as_json=as_json, text=text)


def _plain(undo: undoing.Undo, *, done: bool) -> dict[str, Any]:
    return {**dataclasses.asdict(undo), "done": done}
