"""The providers at the endpoints of the settings, or at the sandbox's."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, runtime_checkable

from pydantic import SecretStr

from bridge.config import Google, Microsoft, Settings
from bridge.errors import UsageError
from bridge.providers.oauth import Provider
from bridge.providers.pace import Limits, Paces
from bridge.sync.ledger import Clock
from bridge.sync.ports import Account, TokenStore

NAMES = ("google", "microsoft")
"""Those at which people give consent in a browser."""

DIRECT = ("caldav",)
"""Those that take an address, and a name and a password where they want them."""

FEEDS = ("ics",)
"""Those that take an address to be followed (``services.subscribing``)."""

_NO_CONSENT = "a feed needs no consent but its address: caldav-bridge calendar subscribe USER URL"
_STAND_IN_CLIENT = "caldav-bridge"


@runtime_checkable
class SignsInDirectly(Protocol):
    """A provider that needs no consent page: what a person types is the grant."""

    @property
    def name(self) -> str: ...

    def grant(self, *, url: str, username: str, password: str) -> str:
        """Try what was typed and make a grant of it, serialised. Raises UsageError in plain words, or ProviderError."""
        ...

    def account(self, tokens: TokenStore, *, key: str = "") -> Account:
        """The account that this grant opens. ``key`` names it: all that are opened under one key keep one pace (R33)."""
        ...

    def close(self) -> None:
        """Let go of the connections."""
        ...


AnyProvider = Provider | SignsInDirectly


class Providers:
    """The providers of these settings, each made when it is first asked for and then kept: they hold connections and paces.

    ``now`` (aware UTC) and ``sleep`` pace them; ``now`` stamps what they write where the service does not.
    """

    def __init__(self, settings: Settings, now: Clock, sleep: Callable[[float], None] = time.sleep) -> None:
        self._settings = settings
        self._now = now
        self._sleep = sleep
        self._made: dict[tuple[str, bool], AnyProvider] = {}
        self._lock = threading.Lock()

    def get(self, name: str, *, sandbox: bool) -> AnyProvider:
        """Raises UsageError for an unknown one or where its OAuth client is not set."""
        with self._lock:
            if (name, sandbox) not in self._made:
                self._made[name, sandbox] = self._make(name, sandbox=sandbox)
            return self._made[name, sandbox]

    def by_consent(self, name: str, *, sandbox: bool) -> Provider:
        """Raises UsageError for one that has no consent page, too."""
        if name in FEEDS:
            raise UsageError(_NO_CONSENT)
        provider = self.get(name, sandbox=sandbox)
        if isinstance(provider, SignsInDirectly):
            raise UsageError(f"{name} has no consent page: caldav-bridge account connect USER {name} --url URL")
        return provider

    def direct(self, name: str) -> SignsInDirectly:
        """Raises UsageError for one that has a consent page, too."""
        if name in FEEDS:
            raise UsageError(_NO_CONSENT)
        provider = self.get(name, sandbox=False) if name not in NAMES else None
        if not isinstance(provider, SignsInDirectly):
            raise UsageError(f"{name} takes no address and password: caldav-bridge account connect USER {name}")
        return provider

    def close(self) -> None:
        for provider in self._made.values():
            provider.close()

    def _make(self, name: str, *, sandbox: bool) -> AnyProvider:
        settings = self._settings
        match name:
            case "google":
                return _google(sandboxed_google(settings) if sandbox else settings.google, self._paces, self._now)
            case "microsoft":
                return _graph(sandboxed_microsoft(settings) if sandbox else settings.microsoft, self._paces)
            case _ if sandbox and name in (*DIRECT, *FEEDS):
                raise UsageError(f"there is no simulated {name}: connect to a real server of your own")
            case "caldav":
                return _caldav(self._paces, self._now)
            case "ics":
                return _ics(self._paces, allow_private=settings.ics.allow_private)
        raise UsageError(f"there is no provider {name!r}; choose one of {', '.join((*NAMES, *DIRECT))}")

    def _paces(self, limits: Limits) -> Paces:
        return Paces(limits, clock=self._seconds, sleep=self._sleep)

    def _seconds(self) -> float:
        return self._now().timestamp()


def service_url(settings: Settings, name: str, *, sandbox: bool) -> str | None:
    """The API's address, which decides what it may be asked to call (``addresses.push_url``); None: it calls nobody."""
    if name in (*DIRECT, *FEEDS):
        return None
    if sandbox:
        return settings.sandbox.url
    return settings.google.api_url if name == "google" else settings.microsoft.graph_url


def sandboxed_google(settings: Settings) -> Google:
    base = f"{settings.sandbox.url}/google"
    return settings.google.model_copy(
        update={
            "api_url": base,
            "auth_url": f"{base}/o/oauth2/v2/auth",
            "token_url": f"{base}/token",
            "client_id": _STAND_IN_CLIENT,
            "client_secret": SecretStr(_STAND_IN_CLIENT),
            "requests_per_minute": 0,  # it refuses by itself, if its switches say so
            "writes_per_minute": 0,
        }
    )


def sandboxed_microsoft(settings: Settings) -> Microsoft:
    base = f"{settings.sandbox.url}/microsoft"
    return settings.microsoft.model_copy(
        update={
            "graph_url": f"{base}/v1.0",
            "authority": f"{base}/common",
            "client_id": _STAND_IN_CLIENT,
            "requests_per_minute": 0,
        }
    )


def _client(settings: Google | Microsoft, *, url: str, vendor: str, name: str) -> tuple[str, str]:
    """The OAuth client's id and secret. An emulator knows no registered clients; the vendor's own service does."""
    if settings.client_id:
        return settings.client_id, settings.client_secret.get_secret_value()
    if url != vendor:
        return _STAND_IN_CLIENT, _STAND_IN_CLIENT
    raise UsageError(
        f"no OAuth client for {name} yet: set [{name}] client_id and client_secret in config.toml"
        f" (docs/how-to/connect-{name}.md says how to get them), or try --sandbox"
    )


# The vendors' libraries take most of a second to load, and most commands and processes need none or one of them.


def _caldav(paces: Callable[[Limits], Paces], now: Clock) -> AnyProvider:
    from bridge.providers.caldav.api import LIMITS  # noqa: PLC0415
    from bridge.providers.caldav.provider import CaldavProvider  # noqa: PLC0415

    return CaldavProvider(clock=now, paces=paces(LIMITS))


def _ics(paces: Callable[[Limits], Paces], *, allow_private: bool) -> AnyProvider:
    from bridge.providers.ics.feed import Fetcher  # noqa: PLC0415
    from bridge.providers.ics.provider import LIMITS, IcsProvider  # noqa: PLC0415

    return IcsProvider(Fetcher(allow_private=allow_private), paces=paces(LIMITS))


def _google(settings: Google, paces: Callable[[Limits], Paces], now: Clock) -> Provider:
    from bridge.providers.google.provider import GoogleProvider  # noqa: PLC0415

    vendor = Google.model_fields["auth_url"].default
    client_id, client_secret = _client(settings, url=settings.auth_url, vendor=vendor, name="google")
    return GoogleProvider(
        api_url=settings.api_url,
        auth_url=settings.auth_url,
        token_url=settings.token_url,
        client_id=client_id,
        client_secret=client_secret,
        now=now,
        paces=paces(Limits(settings.requests_per_minute, settings.writes_per_minute)),
        tasks=settings.tasks,
    )


def _graph(settings: Microsoft, paces: Callable[[Limits], Paces]) -> Provider:
    from bridge.providers.graph.api import LIMITS  # noqa: PLC0415
    from bridge.providers.graph.provider import GraphProvider  # noqa: PLC0415

    vendor = Microsoft.model_fields["authority"].default
    client_id, client_secret = _client(settings, url=settings.authority, vendor=vendor, name="microsoft")
    return GraphProvider(
        graph_url=settings.graph_url,
        authority=settings.authority,
        client_id=client_id,
        client_secret=client_secret,
        window_past=dt.timedelta(days=settings.window_past_days),
        window_future=dt.timedelta(days=settings.window_future_days),
        paces=paces(replace(LIMITS, per_minute=settings.requests_per_minute)),
        tasks=settings.tasks,
    )
