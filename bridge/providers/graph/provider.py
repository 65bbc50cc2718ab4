"""Microsoft as a provider: where people give consent, and the account that a grant opens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from bridge.providers.oauth import Consent
from bridge.sync.ports import Account, TokenStore


class GraphProvider:
    """Microsoft Graph at these endpoints, with the app registration made for them in Entra.

    ``graph_url`` may stand with or without ``/v1.0``, ``authority`` with or without a tenant. ``client_secret`` "" makes a
    public client. ``window_past`` and ``window_future`` bound what a delta round sees (M-19); the rest is found by the
    next complete listing.
    """

    name = "microsoft"

    def __init__(
        self,
        graph_url: str,
        authority: str,
        client_id: str,
        client_secret: str,
        window_past: dt.timedelta,
        window_future: dt.timedelta,
    ) -> None:
        raise NotImplementedError

    def begin(self, *, redirect_uri: str) -> Consent:
        raise NotImplementedError

    def finish(self, memory: str, answer: Mapping[str, str]) -> str:
        raise NotImplementedError

    def account(self, tokens: TokenStore) -> Account:
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the connections."""
        raise NotImplementedError
