"""caldav-bridge pair: which calendar here is mirrored with which one there."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import typer

from bridge.cli import parting, prompts
from bridge.cli.state import Json, PairNumber, counted, opened, say, show, show_rows
from bridge.errors import UsageError
from bridge.services import fidelity, pairing, refusing, removing
from bridge.services import questions as asked
from bridge.store import pairs
from bridge.sync import projection

app = typer.Typer(help="Which calendar here is mirrored with which one there.", no_args_is_help=True)


@app.command("add")
def add(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="Whose calendars.")],
    local: Annotated[str, typer.Argument(help="The calendar here: its name in 'calendar list', with or without USER/")],
    remote: Annotated[str, typer.Argument(help="The remote calendar's number in 'calendar list'.")],
    direction: Annotated[
        str, typer.Option("--direction", help="both, pull (from there only) or push (to there only)")
    ] = "both",
    every: Annotated[str, typer.Option("--every", help="realtime, manual, or a number of minutes")] = "realtime",
    as_json: Json = False,
) -> None:
    """Mirror two calendars."""
    context = opened(ctx)
    here = local if local.startswith(f"{user}/") else f"{user}/{local}"
    made = pairing.add(context, here, remote, direction=direction, how_often=every)
    show({"pair": made.pair.id}, as_json=as_json, text=f"Pair {made.pair.id}: {here} and {made.remote.calendar.name}.")


@app.command("list")
def listing(ctx: typer.Context, as_json: Json = False) -> None:
    """List the pairs."""
    context = opened(ctx)
    rows = [
        {
            "pair": one.pair.id,
            "here": f"{one.calendar.owner}/{one.calendar.slug}",
            "there": f"{one.account.provider} {one.account.email}: {one.remote.calendar.name}",
            "direction": one.pair.direction,
            "every": _how_often(one.pair),
            **_shown(one.pair, as_json=as_json),
        }
        for one in pairing.every(context)
    ]
    show_rows(
        rows,
        as_json=as_json,
        empty="No pair yet. Connecting an account makes the first one.",
        below=("shows", "invitations"),
    )


def _shown(pair: pairs.Pair, *, as_json: bool) -> dict[str, Any]:
    """What it is shown of events from elsewhere, and whether it tells guests; in words only where that is not the usual."""
    level, *rules = projection.names(projection.Projection.from_json(pair.projection))
    if as_json:
        return {"show": level, "redact": rules, "invitations": pair.invitations}
    less = ", ".join([level, *rules]) if rules or level != "full" else None
    return {"shows": less, "invitations": None if pair.invitations else "no"}


@app.command("set")
def change(
    ctx: typer.Context,
    pair: PairNumber,
    direction: Annotated[str | None, typer.Option("--direction", help="both, pull or push")] = None,
    every: Annotated[str | None, typer.Option("--every", help="realtime, manual, or a number of minutes")] = None,
    show_: Annotated[
        str | None,
        typer.Option("--show", help="What it is shown of events from elsewhere: full, titles or busy."),
    ] = None,
    redact: Annotated[
        list[str] | None,
        typer.Option(
            "--redact",
            help="Show less of some: class=PRIVATE:busy or category=Health:titles. All its rules, in the place of the old ones.",
        ),
    ] = None,
    no_redact: Annotated[bool, typer.Option("--no-redact", help="Forget the rules of --redact.")] = False,
    invitations: Annotated[
        bool | None,
        typer.Option("--invitations/--no-invitations", help="Whether guests of events at home here are told by it."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before events are changed.")] = False,
) -> None:
    """Change how a pair is kept."""
    context = opened(ctx)
    if redact and no_redact:
        raise UsageError("say either --redact or --no-redact")
    wanted = None
    if show_ is not None or redact or no_redact:
        wanted = pairing.projected(context, pair, level=show_, rules=() if no_redact else redact or None)
        changes, of = pairing.effect(context, pair, wanted)
        if changes and not yes:
            prompts.confirm(f"This changes {changes} of {counted(of, 'event')} there. Go on?")
    changed = pairing.change(
        context, pair, direction=direction, how_often=every, projection=wanted, invitations=invitations
    )
    shown = " ".join(projection.names(projection.Projection.from_json(changed.projection)))
    say(f"Pair {changed.id}: {changed.direction}, {_how_often(changed)}, shows {shown}.")


@app.command("approve")
def approve(ctx: typer.Context, pair: PairNumber) -> None:
    """Let a parked plan run: it wanted to delete more than usual, see 'status'."""
    context = opened(ctx)
    with context.database.write() as conn:
        pairs.get(conn, pair)
        pairs.approve(conn, pair, now=context.now())
    say(f"Pair {pair} goes on with its next sync.")


@app.command("questions")
def questions(ctx: typer.Context, pair: PairNumber, as_json: Json = False) -> None:
    """Show the events of which only you can tell which belongs to which: they look alike, or have lost each other."""
    found = asked.unanswered(opened(ctx), pair)
    text = "\n\n".join(_question(one) for one in found) or "No open question."
    show([_plain(one) for one in found], as_json=as_json, text=text)


def _question(one: asked.Question) -> str:
    lines = []
    for side, candidates in (("here", one.here), ("there", one.there)):
        lines += [f"{side + ':':7}{each.title}, {each.when}\n       {each.id}" for each in candidates]
        lines += [] if candidates else [f"{side + ':':7}nothing like it (any more)"]
    return "\n".join(lines)


def _plain(one: asked.Question) -> dict[str, Any]:
    return {
        side: [{"id": each.id, "title": each.title, "when": each.when} for each in candidates]
        for side, candidates in (("here", one.here), ("there", one.there))
    }


@app.command("fidelity")
def losses(ctx: typer.Context, pair: PairNumber, as_json: Json = False) -> None:
    """Show what of the events here is not on the other side, for its service has no place for it."""
    found = fidelity.report(opened(ctx), pair)
    show(dataclasses.asdict(found), as_json=as_json, text="\n\n".join(fidelity.told(found)))


@app.command("same")
def same(
    ctx: typer.Context,
    pair: PairNumber,
    uid: Annotated[str, typer.Argument(help="The event here, as 'pair questions' names it.")],
    remote_id: Annotated[str, typer.Argument(help="The event there.")],
) -> None:
    """Answer a question: these two are one event."""
    asked.same(opened(ctx), pair, uid, remote_id)
    say("They are one event with the next sync.")


@app.command("different")
def different(
    ctx: typer.Context,
    pair: PairNumber,
    events: Annotated[list[str] | None, typer.Argument(help="The events, here or there.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are in question.")] = False,
) -> None:
    """Answer a question: these are events of their own, each to be copied to the other side."""
    if bool(events) == everything:
        raise UsageError("name the events, or say --all")
    count = asked.different(opened(ctx), pair, None if everything else events)
    them = f"{counted(count, 'event')} {'is' if count == 1 else 'are'}"
    say(f"{them} no longer in question; what a side lacks it gets with the next sync.")


def _how_often(pair: pairs.Pair) -> str:
    if pair.realtime:
        return "realtime"
    return "manual" if pair.interval_seconds is None else f"{pair.interval_seconds // 60} min"


@app.command("remove")
def remove(
    ctx: typer.Context,
    pair: PairNumber,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before.")] = False,
    as_json: Json = False,
) -> None:
    """Mirror two calendars no more; all events stay on both sides. --json without --yes does nothing."""
    context = opened(ctx)
    foreseen = removing.foresee_pair(context, pair)
    if as_json and not yes:
        show(parting.plain(foreseen, done=False), as_json=True, text="")
        return
    if not yes:
        say(parting.before(foreseen))
        prompts.confirm("Go on?")
    gone = removing.remove_pair(context, pair)
    show(parting.plain(gone, done=True), as_json=as_json, text=parting.after(gone))


@app.command("refuse")
def refuse(ctx: typer.Context, pair: PairNumber, as_json: Json = False) -> None:
    """Refuse a parked plan: what it wanted to delete stays, or comes back where it was deleted, and nobody is mailed."""
    context = opened(ctx)
    done = refusing.refuse(context, pair)
    show({"pair": pair, **dataclasses.asdict(done)}, as_json=as_json, text=parting.refused(pair, done))
