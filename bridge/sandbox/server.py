"""Both simulated services, their control API and a front page, on one port."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from bridge.sandbox import control, pages
from bridge.sandbox.clock import Clock
from bridge.sandbox.faults import Faults
from bridge.sandbox.frontdoor import FrontDoor
from bridge.sandbox.google import Google
from bridge.sandbox.graph import Microsoft
from bridge.sandbox.listener import Listener
from bridge.sandbox.service import Service


class Sandbox:
    """``with Sandbox() as sandbox:`` serves on a free port of this machine; ``sandbox.url`` is the base URL.

    ``google`` and ``microsoft`` are mounted under their names. They may be driven directly as well: what a method does is
    seen over HTTP at once, and notifies like any other change.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.faults = Faults()
        self.google = Google(self.clock)
        self.microsoft = Microsoft(self.clock)
        self.services: dict[str, Service] = {"google": self.google, "microsoft": self.microsoft}
        self.url = ""
        self._listener: Listener | None = None
        self._mounts: dict[str, WSGIApplication] = {"_sandbox": control.build(self), "": pages.front(self)}
        for name, each in self.services.items():
            door = FrontDoor(each, self.faults)
            each.entrance = door
            self._mounts[name] = door

    def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen (port 0: any free one) and return the base URL, without a slash at its end."""
        self._listener = Listener(host, port, self)
        self.url = f"http://{host}:{self._listener.server_address[1]}"
        for name, each in self.services.items():
            each.base_url = f"{self.url}/{name}"
        return self.url

    def stop(self) -> None:
        """Stop listening and delivering. The state stays, so it can be started again."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for each in self.services.values():
            each.deliveries.stop()

    def reset(self) -> None:
        """As if newly made: real time, no faults, the demo people with empty calendars."""
        self.clock.thaw()
        self.faults.clear()
        for each in self.services.values():
            each.reset()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        first, _, rest = environ["PATH_INFO"].lstrip("/").partition("/")
        if first not in self._mounts or first == "":
            return self._mounts[""](environ, start_response)
        environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}/{first}"
        environ["PATH_INFO"] = f"/{rest}"
        return self._mounts[first](environ, start_response)
