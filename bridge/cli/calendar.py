"""caldav-bridge calendar: what there is to pair, and feeds to follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from bridge.cli.state import Json, counted, opened, say, secret_from_stdin, show, show_rows, warn
from bridge.errors import BridgeError, NeedsReconnect
from bridge.services import advice, connecting, pairing, precedence, subscribing, words
from bridge.services.context import Context
from bridge.store.accounts import Account
from bridge.store.calendars import components

app = typer.Typer(help="Calendars here and at the services.", no_args_is_help=True)

_TRUTHS = {
    "newest": "the newest edit wins",
    "hub": "what stands here wins",
    "ask": "you are asked, and nothing is overwritten meanwhile",
}


@app.command("list")
def every(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="Whose calendars.")],
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask the services for their lists first.")] = False,
    as_json: Json = False,
) -> None:
    """List a person's calendars here and in each connected account, with the names that 'pair add' takes."""
    context = opened(ctx)
    local, remote = pairing.calendars_of(context, user)
    failed: list[Account] = []
    if refresh:
        failed = [account for account, _ in remote if not _refreshed(context, account)]
        local, remote = pairing.calendars_of(context, user)
    rows: list[dict[str, Any]] = [
        {
            "name": f"{one.owner}/{one.slug}",
            "where": "here",
            "title": one.properties.get("D:displayname", one.slug),
            "holds": _held(components(one.properties)),
            "writable": True,
            "truth": one.truth.replace(":", " "),
            "home": "auto" if one.home_pair_id is None else f"pair {one.home_pair_id}",
        }
        for one in local
    ]
    rows += [
        {
            "name": str(known.id),
            "where": f"{account.provider} {account.email}",
            "title": known.calendar.name,
            "holds": _held((known.calendar.component,)),
            "writable": known.calendar.writable,
            "truth": None,
            "home": None,
        }
        for account, listed in remote
        for known in listed
    ]
    if not as_json:  # what is usual goes without saying
        rows = [{**row, "holds": "" if row["holds"] == "events" else row["holds"]} for row in rows]
    show_rows(rows, as_json=as_json, empty="No calendar.", below=("holds",))
    if failed:
        raise typer.Exit(1)


def _held(kinds: Sequence[str]) -> str:
    return ", ".join(words.KINDS.get(kind, kind) for kind in kinds)


def _refreshed(context: Context, account: Account) -> bool:
    """Ask for the account's list, and say if that fails: the others' lists do not depend on it. A feed has none.

    A paired calendar that is gone stays in the list, so it is told of beside it.
    """
    if account.provider == subscribing.PROVIDER:
        return True
    try:
        gone = connecting.vanished(context, account)
    except BridgeError as error:
        warn(f"{account.provider} {account.email}: {_why(context, account, error)}")
        return False
    for known, pair in gone:
        where = f"{known.calendar.name!r} is not among the calendars of {account.provider} {account.email} any more"
        warn(f"{where}; to mirror it no more: caldav-bridge pair remove {pair.id}")
    return True


def _why(context: Context, account: Account, error: BridgeError) -> str:
    if not isinstance(error, NeedsReconnect):
        return str(error)
    with context.database.read() as conn:
        return f"connect it again: {advice.reconnect(context, conn, account)}"


Named = Annotated[str, typer.Argument(metavar="USER/CALENDAR", help="The calendar here.")]


@app.command("truth")
def truth(
    ctx: typer.Context,
    calendar: Named,
    whose: Annotated[
        str, typer.Argument(help="newest, hub, ask, or the number of a pair whose remote calendar is always right")
    ],
) -> None:
    """Say whose word counts where both sides have changed the same field."""
    stored = precedence.set_truth(opened(ctx), calendar, whose)
    other = f"what stands in the remote calendar of {stored.replace(':', ' ')} wins"
    say(f"{calendar}: {_TRUTHS.get(stored, other)}.")


@app.command("home")
def home(
    ctx: typer.Context,
    calendar: Named,
    pair: Annotated[str, typer.Argument(help="The number of a pair, or auto: the first that may be written")],
) -> None:
    """Say to which account events belong that are made here: it is the one that invites their guests."""
    pair_id = precedence.set_home(opened(ctx), calendar, pair)
    where = "the first pair that may be written" if pair_id is None else f"pair {pair_id}"
    say(f"{calendar}: events made here are at home in {where}.")


@app.command("subscribe")
def subscribe(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="For whom.")],
    url: Annotated[str, typer.Argument(help="The feed's address; '-' reads it from standard input.")],
    name: Annotated[str | None, typer.Option("--name", help="What to call it. Default: as the feed does.")] = None,
    every: Annotated[
        str | None,
        typer.Option("--every", help="manual, or a number of minutes. Default: as the feed asks, or 60."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Follow a feed (a holiday calendar, a secret address of Google or Outlook) in a calendar of its own, read-only."""
    address = secret_from_stdin("address") if url == "-" else url
    made = subscribing.subscribe(opened(ctx), user, address, name=name, how_often=every)
    path = f"{made.calendar.owner}/{made.calendar.slug}"
    seconds = made.pair.interval_seconds
    often = "when told to" if seconds is None else f"every {counted(seconds // 60, 'minute')}"
    show(
        {"calendar": path, "pair": made.pair.id, "events": made.events, "interval_seconds": seconds},
        as_json=as_json,
        text=f"{path} follows a feed at {made.account.email} {often} (pair {made.pair.id});"
        f" it shows {counted(made.events, 'event')}.",
    )


@app.command("unsubscribe")
def unsubscribe(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="Whose calendar.")],
    local: Annotated[str, typer.Argument(help="The calendar here: its name in 'calendar list', with or without USER/")],
    keep: Annotated[bool, typer.Option("--keep", help="Keep the calendar, with its events as they are.")] = False,
) -> None:
    """Stop following a feed, and delete the calendar that was made for it."""
    slug = local.removeprefix(f"{user}/")
    subscribing.unsubscribe(opened(ctx), user, slug, keep=keep)
    say(f"{user}/{slug} does not follow the feed any more" + (" and stays." if keep else " and is gone."))
