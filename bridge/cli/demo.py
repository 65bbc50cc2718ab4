"""caldav-bridge demo: the hub and both simulated services, connected, to be played with."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urljoin

import httpx
import typer
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from bridge.cli.state import settings_of, state_of
from bridge.config import Settings
from bridge.errors import BridgeError, UsageError
from bridge.services import connecting, devices, pairing, principals, providers, status
from bridge.services.context import Context, open_context

if TYPE_CHECKING:
    from bridge.sandbox.server import Sandbox

USER = "alex"
EMAIL = "alex@example.com"
EVENTS = 28
MARKER = "this-is-a-demo"
"""A file in the data directory: the database beside it is a demo's, and may be deleted by the next one."""
READY_WITHIN = 60.0


def demo(
    ctx: typer.Context,
    host: Annotated[str | None, typer.Option("--host", help="Where to listen. Default: 127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535, help="On which port. Default: 5232")] = None,
) -> None:
    """Run the hub and both simulated services, connected by the real OAuth flow. Every demo begins anew."""
    from bridge.sandbox.server import Sandbox  # noqa: PLC0415 - no other command needs it, and it takes a while to load

    with contextlib.ExitStack() as stack:
        state = state_of(ctx)
        if state.data is None:
            state.data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="caldav-bridge-")))
        _begin_anew(state.data)
        asked = settings_of(ctx)
        if asked.database_url:
            raise UsageError("the demo keeps its own small database: unset database_url, or run 'sandbox' and 'serve'")
        simulated = Sandbox()
        listening = host or asked.server.host
        url = simulated.start(asked.sandbox.host, _free(asked.sandbox.host, asked.sandbox.port))
        stack.callback(simulated.stop)
        for service in (simulated.google, simulated.microsoft):
            service.seed(EMAIL, EVENTS)
        web_port = _free(listening, port or asked.server.port)
        settings = asked.model_copy(
            update={
                "server": asked.server.model_copy(update={"host": listening, "port": web_port}),
                "sandbox": asked.sandbox.model_copy(update={"port": int(url.rpartition(":")[2])}),
            }
        )
        os.environ["CALDAV_BRIDGE_SANDBOX__PORT"] = str(settings.sandbox.port)  # for the processes of ``serve``
        guide = threading.Thread(target=_connect_and_tell, args=[settings, simulated], daemon=True)
        guide.start()
        state.processes.serve(settings, with_worker=True)


def _begin_anew(data: Path) -> None:
    """Forget the demo that ran in this folder before, as the simulated services do. Raises UsageError for a real hub's."""
    marker, database = data / MARKER, data / "bridge.db"
    if database.exists() and not marker.exists():
        raise UsageError(f"{data} holds a hub that is not a demo; give the demo a folder of its own with --data")
    data.mkdir(parents=True, exist_ok=True)
    marker.touch()
    for part in ("", "-wal", "-shm"):
        database.with_name(f"{database.name}{part}").unlink(missing_ok=True)


def _free(host: str, port: int) -> int:
    """This port, or any other if it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _connect_and_tell(settings: Settings, simulated: Sandbox) -> None:
    """Wait for the server, give consent as a person would, wait for the first sync, print what to open."""
    console = Console(highlight=False)
    started = time.monotonic()
    try:
        hub = f"http://{settings.server.host}:{settings.server.port}"
        _until(lambda: _answers(hub), "the server does not answer")
        context = open_context(settings)
        principals.add(context.database, USER, EMAIL, now=context.now())
        device = devices.add(context.database, USER, "demo", now=context.now())
        for name in providers.NAMES:
            consent(connecting.begin(context, USER, name, sandbox=True))
        _pair_lists(context)
        _until(lambda: _everything_is_everywhere(context), "the first sync does not end")
        context.close()
    except (BridgeError, httpx.HTTPError) as error:
        console.print(f"[bold red]The demo could not be set up:[/] {error} Ctrl-C ends it.")
        return
    table = Table.grid(padding=(0, 2))
    table.add_row("CalDAV address", f"[bold]{hub}/[/]")
    table.add_row("User name", f"[bold]{device.username}[/]")
    table.add_row("Password", f"[bold]{device.password}[/]")
    table.add_row()
    table.add_row("The hub", f"{hub}/")
    table.add_row("Google Calendar (simulated)", f"{simulated.url}/google/")
    table.add_row("Outlook (simulated)", f"{simulated.url}/microsoft/")
    table.add_row("Google Tasks (simulated)", f"{simulated.url}/google/todo/")
    table.add_row("Microsoft To Do (simulated)", f"{simulated.url}/microsoft/todo/")
    console.print(Panel(table, title=f"ready after {time.monotonic() - started:.0f} s", expand=False))
    console.print(
        "Add, move or delete events on any of the three; the other two follow within seconds. So do to-dos that you tick off on the"
        " phone; where they are ticked off elsewhere, it is seen within a minute or two. Ctrl-C ends the demo."
    )


def _pair_lists(context: Context) -> None:
    """What a person chooses with ``pair add``: the default list of each service with *Tasks*."""
    _, held = pairing.calendars_of(context, USER)
    for _, listed in held:
        for known in listed:
            if known.calendar.component == "VTODO" and known.calendar.primary:
                pairing.add(context, f"{USER}/tasks", str(known.id), direction="both", how_often="realtime")


def _everything_is_everywhere(context: Context) -> bool:
    """What came from the second service reached the first, too."""
    found = status.every(context)
    linked: dict[str, set[int]] = {}
    for one in found:
        linked.setdefault(one.here, set()).add(one.links)
    return all(one.state == "ok" and not one.waiting for one in found) and all(
        len(each) == 1 for each in linked.values()
    )


def _answers(hub: str) -> bool:
    try:
        return httpx.get(f"{hub}/healthz", timeout=2).is_success
    except httpx.HTTPError:
        return False


def _until(true: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while not true():
        if time.monotonic() > deadline:
            raise UsageError(f"{complaint} (waited {READY_WITHIN:.0f} s)")
        time.sleep(0.1)


class _ConsentForm(HTMLParser):
    """The page's form as a browser would send it untouched, by the button that allows."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "form":
            self.action = given.get("action", "")
        elif tag == "input" and name and (given.get("type") not in ("radio", "checkbox") or "checked" in given):
            self.fields.setdefault(name, []).append(value)
        elif tag == "button" and value == "allow":
            self.fields[name] = [value]


def consent(url: str) -> None:
    """Open the consent page, allow what it asks for, and follow the browser back to the hub. Raises UsageError."""
    with httpx.Client(follow_redirects=True, timeout=30) as browser:
        page = browser.get(url).raise_for_status()
        form = _ConsentForm()
        form.feed(page.text)
        back = browser.post(urljoin(str(page.url), form.action), data=form.fields)
        if not back.is_success:
            raise UsageError(f"the consent was not taken: {back.status_code} at {back.url.path}")
