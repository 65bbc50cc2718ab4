"""A world with its owner in it: the use cases, over remote calendars in memory."""

from pathlib import Path

from bridge.config import Settings
from bridge.services.context import Context
from bridge.store.vault import Vault


class MemoryProviders:
    """Provider and signed-in account at once, for each calendar of the world. Nobody asks it for a network."""

    def __init__(self, world):
        self._world = world

    def get(self, name, *, sandbox):
        assert (name, sandbox) == ("memory", False)
        return self

    def account(self, tokens, **_):
        return self

    def remote(self, calendar):
        return next(side.remote for side in self._world.sides if side.calendar.id == calendar.id)


def context_of(world):
    settings = Settings(data=Path("/nonexistent"))
    return Context(settings, world.database, Vault([VAULT_KEY]), MemoryProviders(world), world.clock)


VAULT_KEY = "0123456789012345678901234567890123456789012="
