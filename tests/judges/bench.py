"""What the judges are shown: a server with three people on it, each with a device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bridge.config import Settings
from bridge.services import devices, principals
from bridge.services.context import open_context
from tests.support.hub import Hub

PEOPLE = ("alice", "bob", "carol")
_HOST = "127.0.0.2"


@dataclass(frozen=True)
class Device:
    url: str
    username: str
    password: str


@contextmanager
def opened(folder: Path) -> Iterator[dict[str, Device]]:
    """The people's devices, by name."""
    hub = Hub(folder / "data")
    # not 127.0.0.1: there the tester does not ask how a server is found
    hub.url = f"http://{_HOST}:{hub.port}"
    hub.parts = [["serve", "--host", _HOST]]
    with hub:
        yield {name: Device(f"{hub.url}/", name, password) for name, password in _devices(hub.data)}


def _devices(data: Path) -> Iterator[tuple[str, str]]:
    """Not by the commands, each of which would load the whole program anew: that took longer than all judges together."""
    context = open_context(Settings(data=data))
    try:
        for name in PEOPLE:
            principals.add(context.database, name, f"{name}@example.org", now=context.now())
            yield name, devices.add(context.database, name, "judge", now=context.now()).password
    finally:
        context.close()
