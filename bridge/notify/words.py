"""What a notice says: in plain words what is the matter, and what to do next. Pure; ids and counts, never an event's content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WEEKLY = 8
"""Days. Grants of a Google app whose consent screen is in "Testing" die after seven (G-10)."""


@dataclass(frozen=True, slots=True)
class About:
    """What a notice is about, as people know it: "alice/calendar <-> google alice@example.com".

    ``reconnect`` is the command that connects an account again, where that is what it needs.
    """

    name: str
    provider: str
    reconnect: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    title: str
    text: str


def words(kind: str, detail: Mapping[str, int | str], about: About) -> Message:
    """The message of a notice."""
    match kind:
        case "needs_reconnect":
            return _reconnect(detail, about)
        case "stale":
            return Message(
                f"Not synced for {_age(_count(detail, 'minutes'))}: {about.name}",
                f"The last successful sync of {about.name} is {_age(_count(detail, 'minutes'))} ago; what is changed on one"
                " side does not reach the other. See that a worker runs ('caldav-bridge serve' or 'caldav-bridge worker'),"
                f" then what 'caldav-bridge status' says of pair {detail.get('pair', '')}.",
            )
        case "parked":
            return _parked(detail, about)
        case "paused":
            return Message(
                f"The service makes us wait: {about.name}",
                f"{about.name} is asked for nothing for a while, because the service took too many requests or gave no answer;"
                " 'caldav-bridge status' says which, and until when. The sync goes on by itself; nothing is lost.",
            )
        case "quarantined":
            events = _events(_count(detail, "events"))
            return Message(
                f"{events} left alone: {about.name}",
                f"{events} of {about.name} could not be synced; the others are. 'caldav-bridge status' names them under pair"
                f" {detail.get('pair', '')}, each with the reason. One that is changed is tried again.",
            )
        case "diverged":
            return Message(
                f"The two sides differed: {about.name}",
                f"Comparing both sides of {about.name} found {_events(_count(detail, 'events'))} that differed though"
                " nothing had been told of it. The next sync sets that right. The next comparison shows whether it did; to see"
                f" now: caldav-bridge sync audit {detail.get('pair', '')}",
            )
    return Message(f"{kind}: {about.name}", "See 'caldav-bridge status'.")


def _parked(detail: Mapping[str, int | str], about: About) -> Message:
    hub, remote, mails = (_count(detail, name) for name in ("hub", "remote", "mails"))
    wanted = [f"delete {_events(hub)} here and {_events(remote)} there"] if hub or remote else []
    wanted += [f"invite the guests of {_events(mails)}"] if mails else []
    return Message(
        f"A yes is needed: {about.name}",
        f"The next sync of {about.name} would {' and '.join(wanted)}, which is more than usual. Nothing was changed. If that is"
        f" wanted: caldav-bridge pair approve {detail.get('pair', '')}. 'caldav-bridge sync preview {detail.get('pair', '')}'"
        f" shows each of them. If it is not wanted: caldav-bridge pair refuse {detail.get('pair', '')}. Then nothing of it happens:"
        " what is gone from one side comes back there, and nobody is mailed about it.",
    )


def _reconnect(detail: Mapping[str, int | str], about: About) -> Message:
    """The command is the end of it, so that it can be copied whole."""
    if about.provider == "caldav":
        text = f"The server takes the password of {about.name} no more, so nothing of it is synced."
        how = "with the new password"
    else:
        text = f"The consent that {about.name} was connected with has ended, so nothing of it is synced."
        how = "open the address that this prints"
    days = detail.get("days")
    if about.provider == "google" and isinstance(days, int) and days <= WEEKLY:
        text += (
            f" It lasted {days} day{'' if days == 1 else 's'}: if the consent screen of your Google app is in the state"
            ' "Testing", Google ends every consent after seven days. Publish the app (Google Auth Platform, Audience)'
            " before connecting again."
        )
    text += f" To go on where it stopped, without anything synced twice or lost, {how}: {about.reconnect}"
    return Message(f"Please connect again: {about.name}", text)


def _count(detail: Mapping[str, int | str], name: str) -> int:
    value = detail.get(name, 0)
    return value if isinstance(value, int) else 0


def _events(count: int) -> str:
    return "1 event" if count == 1 else f"{count} events"


def _age(minutes: int) -> str:
    for size, unit in ((24 * 60, "days"), (60, "hours")):
        if minutes >= 2 * size:
            return f"{minutes // size} {unit}"
    return f"{minutes} minutes"
