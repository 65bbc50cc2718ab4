"""caldav-bridge share: calendars that several people see."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.state import Json, opened, say, show, show_rows
from bridge.services import sharing
from bridge.services.naming import name_of
from bridge.services.sharing import Shared

app = typer.Typer(help="Calendars that several people see.", no_args_is_help=True)

Named = Annotated[
    str, typer.Argument(metavar="USER/CALENDAR", help="The calendar that is shared, by its owner's name.")
]
Sharee = Annotated[str, typer.Argument(metavar="WITH", help="The other person.")]


@app.command("add")
def add(
    ctx: typer.Context,
    calendar: Named,
    sharee: Sharee,
    access: Annotated[str, typer.Argument(metavar="read|write", help="What they may do with its events.")],
    as_json: Json = False,
) -> None:
    """Show a calendar in somebody else's home, too; once more changes what they may do."""
    context = opened(ctx)
    made = sharing.add(context.database, calendar, sharee, access, now=context.now())
    row = _row(made)
    show(row, as_json=as_json, text=f"{sharee} has {row['calendar']} as {row['path']} now, to {row['access']}.")


@app.command("list")
def every(
    ctx: typer.Context,
    user: Annotated[
        str | None, typer.Argument(help="What this person shares, and what others share with them.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List which calendars are shared with whom."""
    context = opened(ctx)
    rows = [_row(each) for each in sharing.every(context.database, user)]
    show_rows(rows, as_json=as_json, empty="Nothing is shared.")


@app.command("remove")
def remove(ctx: typer.Context, calendar: Named, sharee: Sharee) -> None:
    """Take a calendar back from somebody. Its events stay where they are."""
    context = opened(ctx)
    taken = sharing.remove(context.database, calendar, sharee, now=context.now())
    say(f"{sharee} does not see {name_of(taken)} any more.")


def _row(shared: Shared) -> dict[str, str | None]:
    """``path`` is None where it is not accepted."""
    slug = shared.share.slug
    return {
        "calendar": name_of(shared.calendar),
        "with": shared.share.sharee,
        "access": sharing.access_named(shared.share.access),
        "status": shared.share.status,
        "path": None if slug is None else f"{shared.share.sharee}/{slug}",
    }
