"""caldav-bridge history: what became of a calendar's events, and getting one back."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Annotated

import typer

from bridge.cli.state import Json, number, opened, page, show, show_rows
from bridge.errors import UsageError
from bridge.services import history
from bridge.services.history import Entry

app = typer.Typer(help="Every version of every event, and getting one back.", no_args_is_help=True)

Calendar = Annotated[str, typer.Argument(metavar="USER/CALENDAR", help="The calendar here.")]


@app.command("list")
def every(
    ctx: typer.Context,
    calendar: Calendar,
    uid: Annotated[str | None, typer.Argument(help="One event's UID. Default: all of the calendar.")] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Only from then on: 2026-03-01 or 2026-03-01T09:00, UTC."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", parser=page, metavar="N", help="About how many, of a whole calendar.")
    ] = history.PAGE,
    before: Annotated[
        int | None,
        typer.Option(
            "--before", parser=number, metavar="REVISION", help="The next page: what was before that revision."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show who did what and when, newest first, with the revisions that 'history restore' takes."""
    context = opened(ctx)
    start = _moment(since)
    if uid is not None:
        found = history.of_object(context, calendar, uid, since=start)
    else:
        found = history.of_calendar(context, calendar, since=start, before=before, limit=limit)
    rows = [dataclasses.asdict(one) for one in found] if as_json else [_row(one) for one in found]
    show_rows(rows, as_json=as_json, empty="Nothing has been changed.", below=("uid",))


def _moment(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is no time like 2026-03-01 or 2026-03-01T09:00") from None


def _row(one: Entry) -> dict[str, object]:
    what = f"changed: {', '.join(one.fields)}" if one.fields else one.what
    return {
        "revision": one.revision,
        "when": one.at,
        "who": one.who,
        "what": what,
        "title": one.title,
        "uid": one.uid,
    }


@app.command("restore")
def restore(
    ctx: typer.Context,
    calendar: Calendar,
    uid: Annotated[str, typer.Argument(help="The event's UID in 'history list', or the beginning of it.")],
    revision: Annotated[
        int | None,
        typer.Option(
            "--revision",
            parser=number,
            metavar="N",
            help="The version to put back. Default: the one before the present one.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Put a version of an event back, or one that was deleted; all sides follow with their next sync."""
    done = history.restore(opened(ctx), calendar, uid, revision=revision)
    name = f"{done.title!r}" if done.title else uid
    text = f"{name} is as it was at revision {done.revision}." if done.changed else f"{name} is like that already."
    show(dataclasses.asdict(done), as_json=as_json, text=text)
