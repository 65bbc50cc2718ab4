"""The tokens that delta rounds give out: opaque, and forgotten when there are too many of them (M-28)."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import Generic, TypeVar

from bridge.sandbox.graph.errors import GraphError

MOST_TOKENS = 5000
State = TypeVar("State")


class Tokens(Generic[State]):
    """What each token stands for. The cache is bounded, so old ones are forgotten (M-28)."""

    def __init__(self, most: int = MOST_TOKENS) -> None:
        self.most = most
        self._kept: OrderedDict[str, State] = OrderedDict()

    def lose(self) -> int:
        """Forget every token, as a moved mailbox does; how many."""
        lost = len(self._kept)
        self._kept.clear()
        return lost

    def keep(self, state: State) -> str:
        """A new token for a state."""
        token = secrets.token_urlsafe(48)
        self._kept[token] = state
        while len(self._kept) > self.most:
            self._kept.popitem(last=False)
        return token

    def find(self, token: str) -> State:
        """What a token stands for. Raises 410 ``SyncStateNotFound`` (M-28)."""
        found = self._kept.get(token)
        if found is None:
            raise GraphError(
                410,
                "SyncStateNotFound",
                "The sync state generation is not found; continuation token is invalid. Start the synchronization over.",
            )
        self._kept.move_to_end(token)
        return found
