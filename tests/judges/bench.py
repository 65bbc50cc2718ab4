"""What the judges are shown: a server with three people on it, each with a device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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
        for name in PEOPLE:
            hub.command("user", "add", name, "--email", f"{name}@example.org")
        made = {name: hub.command("device", "add", name, "judge") for name in PEOPLE}
        yield {name: Device(one["url"], one["username"], one["password"]) for name, one in made.items()}
