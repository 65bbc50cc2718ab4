"""What every provider offers to the one who connects accounts: consent by OAuth (RFC 6749 §4.1, PKCE RFC 7636), then an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bridge.sync.ports import Account, TokenStore


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent that has been asked for. ``memory`` (it holds the PKCE verifier) is needed to finish it, and secret."""

    url: str
    state: str
    memory: str


class Provider(Protocol):
    """A calendar service at its endpoints, with the OAuth client registered there."""

    @property
    def name(self) -> str:
        """Google or microsoft."""
        ...

    def begin(self, *, redirect_uri: str) -> Consent:
        """Make the address at which a person gives consent."""
        ...

    def finish(self, memory: str, answer: Mapping[str, str]) -> str:
        """Exchange the answer's code (its query parameters: code, state, error …) for a grant, serialised.

        Raises UsageError if the person declined, the state is not ours or the code is refused; Unreachable if the service
        did not answer.
        """
        ...

    def account(self, tokens: TokenStore, *, key: str = "") -> Account:
        """The account that this grant opens. ``key`` names it: all that are opened under one key keep one pace (R33)."""
        ...

    def close(self) -> None:
        """Let go of the connections."""
        ...


@runtime_checkable
class Revokes(Protocol):
    """A provider that can give a consent back at the service."""

    def revoke(self, grant: str) -> None:
        """End the whole consent that this grant belongs to: no token of it opens anything any more. One that is dead is ended.

        Raises Unreachable and Refused.
        """
        ...
