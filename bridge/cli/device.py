"""caldav-bridge device: phones and programs, each with a password of its own."""

from __future__ import annotations

import datetime as dt
import sys
from typing import Annotated

import segno
import typer

from bridge.cli.state import Json, counted, opened, say, secret_from_stdin, show, show_rows
from bridge.services import addresses, device_check, devices, setting_up
from bridge.services.device_check import RoundTrip, Standing
from bridge.services.devices import NewDevice
from bridge.services.naming import name_of, nobody
from bridge.services.setting_up import Link
from bridge.store import devices as stored
from bridge.store import principals

app = typer.Typer(help="Phones and programs, each with a password of its own.", no_args_is_help=True)

Hours = Annotated[
    int | None,
    typer.Option(
        "--hours", min=1, max=720, help="How long the setup link is good for.  [default: onboarding.link_hours]"
    ),
]


@app.command("add")
def add(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="Whose device.")],
    label: Annotated[str, typer.Argument(help="What to call it, for instance: phone")],
    password_stdin: Annotated[
        bool,
        typer.Option(
            "--password-stdin", help="Take over a password from standard input, when moving from another server."
        ),
    ] = False,
    hours: Hours = None,
    as_json: Json = False,
) -> None:
    """Make the password for a device and show it, once, with a link that sets the device up."""
    context = opened(ctx)
    password = secret_from_stdin() if password_stdin else None
    device = devices.add(context.database, user, label, password=password, now=context.now())
    link = None if password_stdin else setting_up.link(context, device, hours=hours)  # what one brings, one knows
    _handed_over(device, f"{addresses.public_url(context)}/", link, as_json=as_json)


@app.command("link")
def link_anew(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="Whose device.")],
    label: Annotated[str, typer.Argument(help="Which one.")],
    hours: Hours = None,
    as_json: Json = False,
) -> None:
    """Make a new password and a new setup link for a device; its old ones are good no more."""
    context = opened(ctx)
    device, link = setting_up.renew(context, user, label, hours=hours)
    _handed_over(device, f"{addresses.public_url(context)}/", link, as_json=as_json)


def _handed_over(device: NewDevice, url: str, link: Link | None, *, as_json: bool) -> None:
    """Everything that the device's owner needs, once. On a terminal the link is a QR code as well."""
    setup_url = None if link is None else link.url
    text = f"URL       {url}\nUser name {device.username}\nPassword  {device.password}\n"
    if link is not None:
        text += f"Setup     {link.url}\n\nOpen the setup link on the device, until {_time(link.expires_at)} or its first sign-in.\n"
    show(
        {"url": url, "username": device.username, "password": device.password, "setup_url": setup_url},
        as_json=as_json,
        text=f"{text}\nThe password is not shown again.",
    )
    if link is not None and not as_json and sys.stdout.isatty():
        segno.make(link.url, error="l", micro=False).terminal(compact=True)


@app.command("list")
def every(
    ctx: typer.Context, user: Annotated[str, typer.Argument(help="Whose devices.")], as_json: Json = False
) -> None:
    """List a person's devices and when each was used last."""
    context = opened(ctx)
    with context.database.read() as conn:
        principal = principals.by_name(conn, user)
        if principal is None:
            raise nobody(user)
        held = stored.of_principal(conn, principal.id, revoked=True)
        stands = {one.id: device_check.summary(conn, one) for one in held if one.revoked_at is None}
    rows = [
        {
            "label": one.label,
            "added": one.created_at,
            "last_used": one.last_used_at,
            "from": one.last_address,
            "with": one.last_agent,
            "state": _state(*stands[one.id]) if one.id in stands else "revoked",
            "revoked": one.revoked_at is not None,
        }
        for one in held
    ]
    if not as_json:
        rows = [{name: value for name, value in row.items() if name != "revoked"} for row in rows]
    show_rows(rows, as_json=as_json, empty=f"No device yet. Add one with: caldav-bridge device add {user} phone")


def _state(standing: Standing, behind: int, since: dt.datetime | None) -> str:
    """``up to date``, ``never fetched``, ``12 changes behind since 2026-03-01 12:00 UTC``."""
    if standing is not Standing.BEHIND or since is None:
        return standing.value
    return f"{counted(behind, 'change')} behind since {since.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


@app.command("show")
def show_one(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="Whose device.")],
    label: Annotated[str, typer.Argument(help="Which one.")],
    as_json: Json = False,
) -> None:
    """Show what a device has fetched of each calendar, what it does not know yet, and how its test event fares."""
    context = opened(ctx)
    with context.database.read() as conn:
        device = device_check.named(conn, user, label)
        rows = [
            {
                "calendar": name_of(each.calendar),
                "state": _state(each.standing, each.behind, each.since),
                "behind": each.behind,
                "since": each.since,
                "fetched": each.fetched_at,
                "asked": each.asked_at,
            }
            for each in device_check.progress(conn, device)
        ]
        trip = device_check.round_trip(conn, device)
    if as_json:
        show({"calendars": rows, "test": None if trip is None else _fields(trip)}, as_json=True, text="")
        return
    shown = [{name: value for name, value in row.items() if name not in ("behind", "since")} for row in rows]
    show_rows(shown, as_json=False, empty=f"{user} has no calendar.")
    if trip is not None:
        say(f"\n{_told(trip, user, label)}")


def _fields(trip: RoundTrip) -> dict[str, object]:
    return {
        "calendar": name_of(trip.calendar),
        "made": trip.made_at,
        "fetched": trip.fetched_at,
        "returned": trip.returned_at,
    }


def _told(trip: RoundTrip, user: str, label: str) -> str:
    """Where the test event is on its way, and what to do next."""
    if trip.returned_at is not None:
        had = _time(trip.fetched_at or trip.returned_at)
        answered = _time(trip.returned_at)
        return f"Test event: the round trip is complete. {label} had it at {had} and answered at {answered}."
    if trip.fetched_at is not None:
        took = max(0, round((trip.fetched_at - trip.made_at).total_seconds()))
        return f"Test event: {label} fetched it after {counted(took, 'second')}. Delete it there to complete the round trip."
    return (
        f"Test event: it has stood in {name_of(trip.calendar)} since {_time(trip.made_at)}, and {label} has not fetched it yet. "
        f"Open the calendar there, and look again with: caldav-bridge device show {user} {label}"
    )


def _time(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"


@app.command("test")
def try_out(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="Whose device.")],
    label: Annotated[str, typer.Argument(help="Which one.")],
    calendar: Annotated[
        str, typer.Option("--calendar", help="Which of the person's calendars gets the event.")
    ] = "calendar",
    as_json: Json = False,
) -> None:
    """Put an event into a calendar, to be seen on the device and deleted there: the whole way, there and back."""
    context = opened(ctx)
    trip = device_check.try_out(context.database, user, label, calendar=calendar, now=context.now())
    show(
        _fields(trip),
        as_json=as_json,
        text=f"A test event stands in {name_of(trip.calendar)}, within the next hour. Look for it on {label} and delete it there.\n"
        f"Then see: caldav-bridge device show {user} {label}\n"
        "It mails nobody, is mirrored as any other event, and goes by itself after a day.",
    )


@app.command("revoke")
def revoke(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="Whose device.")],
    label: Annotated[str, typer.Argument(help="Which one.")],
) -> None:
    """Take a device's password away; its next request is refused."""
    context = opened(ctx)
    devices.revoke(context.database, user, label, now=context.now())
    say(f"{label} can no longer sign in.")
