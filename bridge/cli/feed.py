"""caldav-bridge feed: addresses under which somebody may read a calendar."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, urlsplit

import typer

from bridge.cli.state import Json, counted, opened, say, show, show_rows
from bridge.services import addresses, feeds
from bridge.services.context import Context
from bridge.services.feeds import Address, Listed

app = typer.Typer(help="Addresses under which somebody may read a calendar.", no_args_is_help=True)

User = Annotated[str, typer.Argument(help="Whose feed.")]
Name = Annotated[str, typer.Argument(help="Which one, as `feed list` names it.")]


@app.command("add")
def add(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="Whose calendars.")],
    calendars: Annotated[
        list[str], typer.Argument(metavar="CALENDAR...", help="Which, as `calendar list` names them.")
    ],
    name: Annotated[str, typer.Option("--name", help="What readers see; unset: the first calendar's name.")] = "",
    shows: Annotated[str, typer.Option("--shows", help="full, titles or busy.")] = "full",
    past_days: Annotated[int, typer.Option("--past-days", help="How far back.")] = 90,
    future_days: Annotated[int, typer.Option("--future-days", help="How far ahead.")] = 730,
    as_json: Json = False,
) -> None:
    """Make a feed and show its address, once: whoever has it can read, and nobody can change anything."""
    context = opened(ctx)
    slugs = [each.removeprefix(f"{user}/") for each in calendars]
    made = feeds.add(
        context.database,
        user,
        slugs,
        name=name,
        shows=shows,
        past_days=past_days,
        future_days=future_days,
        now=context.now(),
    )
    _tell(context, made, as_json=as_json)


def _tell(context: Context, made: Address, *, as_json: bool) -> None:
    base = addresses.public_url(context)
    url = base + made.path
    webcal = "webcal" + url[url.index(":") :]
    profile = url.removesuffix(".ics") + ".mobileconfig"
    google = f"https://calendar.google.com/calendar/render?cid={quote(url, safe='')}"
    out_of_reach = urlsplit(base).scheme != "https" or addresses.is_inside(base)
    lines = [
        f"Address   {url}",
        f"Apple     {webcal}",
        f"Profile   {profile}",
        f"Google    {google}",
        "",
        "The address is a secret and is not shown again.",
    ]
    if out_of_reach:
        lines.append(
            "Google and Outlook on the web cannot read it: they want an address that the internet reaches by https "
            "(the setting public_url)."
        )
    value = {"name": made.feed.name, "url": url, "webcal": webcal, "profile": profile, "google": google}
    show(value, as_json=as_json, text="\n".join(lines))


@app.command("list")
def every(ctx: typer.Context, user: Annotated[str, typer.Argument(help="Whose feeds.")], as_json: Json = False) -> None:
    """List a person's feeds, what each shows, and who fetched it last."""
    context = opened(ctx)
    with context.database.read() as conn:
        rows = [_row(each) for each in feeds.listed(conn, user)]
    show_rows(
        rows,
        as_json=as_json,
        empty=f"No feed yet. Make one with: caldav-bridge feed add {user} calendar",
        below=("note",),
    )


def _row(each: Listed) -> dict[str, object]:
    feed = each.feed
    notes = []
    if feed.narrowed is not None:
        past, future = feed.narrowed
        notes.append(f"cut to {past} days back and {future} ahead, for Google takes no more than a megabyte")
    if feed.left_out:
        notes.append(f"without {counted(feed.left_out, 'event')} that cannot be read, or are too large")
    return {
        "name": feed.name,
        "address": f"/feeds/{feed.hint}…" if feed.hint else "",
        "calendars": ", ".join(each.calendars),
        "shows": feed.shows,
        "past_days": feed.past_days,
        "future_days": feed.future_days,
        "last_fetched": feed.fetched_at,
        "with": feed.agent,
        "note": "; ".join(notes),
    }


@app.command("rotate")
def rotate(ctx: typer.Context, user: User, name: Name, as_json: Json = False) -> None:
    """Give a feed another address; the old one is good no more, at once."""
    context = opened(ctx)
    _tell(context, feeds.rotate(context.database, user, name, now=context.now()), as_json=as_json)


@app.command("revoke")
def revoke(ctx: typer.Context, user: User, name: Name) -> None:
    """Take a feed back; programs that know its address are told that it is gone."""
    context = opened(ctx)
    feeds.revoke(context.database, user, name, now=context.now())
    say(f"The feed {name} is gone.")
