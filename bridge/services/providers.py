"""The providers at the endpoints of the settings, or at the sandbox's."""

from __future__ import annotations

import datetime as dt
import threading

from pydantic import SecretStr

from bridge.config import Google, Microsoft, Settings
from bridge.errors import UsageError
from bridge.providers.google.provider import GoogleProvider
from bridge.providers.graph.provider import GraphProvider
from bridge.providers.ics.feed import Fetcher
from bridge.providers.ics.provider import IcsProvider
from bridge.providers.oauth import Provider

CONSENT = ("google", "microsoft")
"""Those where a person gives consent in a browser."""
NAMES = (*CONSENT, "ics")
_STAND_IN_CLIENT = "caldav-bridge"


class Providers:
    """The providers of these settings, each made when it is first asked for and then kept: they hold connections."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: dict[tuple[str, bool], Provider] = {}
        self._lock = threading.Lock()

    def get(self, name: str, *, sandbox: bool) -> Provider:
        """Raises UsageError for an unknown one or where its OAuth client is not set."""
        with self._lock:
            if (name, sandbox) not in self._made:
                self._made[name, sandbox] = _make(self._settings, name, sandbox=sandbox)
            return self._made[name, sandbox]

    def close(self) -> None:
        for provider in self._made.values():
            provider.close()


def _make(settings: Settings, name: str, *, sandbox: bool) -> Provider:
    match name:
        case "google":
            return _google(sandboxed_google(settings) if sandbox else settings.google)
        case "microsoft":
            return _graph(sandboxed_microsoft(settings) if sandbox else settings.microsoft)
        case "ics":
            return IcsProvider(Fetcher(allow_private=settings.ics.allow_private))
    raise UsageError(f"there is no provider {name!r}; choose one of {', '.join(NAMES)}")


def service_url(settings: Settings, name: str, *, sandbox: bool) -> str:
    """The API's address, which decides what it may be asked to call (``addresses.push_url``)."""
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
        }
    )


def sandboxed_microsoft(settings: Settings) -> Microsoft:
    base = f"{settings.sandbox.url}/microsoft"
    return settings.microsoft.model_copy(
        update={"graph_url": f"{base}/v1.0", "authority": f"{base}/common", "client_id": _STAND_IN_CLIENT}
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


def _google(settings: Google) -> Provider:
    vendor = Google.model_fields["auth_url"].default
    client_id, client_secret = _client(settings, url=settings.auth_url, vendor=vendor, name="google")
    return GoogleProvider(
        api_url=settings.api_url,
        auth_url=settings.auth_url,
        token_url=settings.token_url,
        client_id=client_id,
        client_secret=client_secret,
    )


def _graph(settings: Microsoft) -> Provider:
    vendor = Microsoft.model_fields["authority"].default
    client_id, client_secret = _client(settings, url=settings.authority, vendor=vendor, name="microsoft")
    return GraphProvider(
        graph_url=settings.graph_url,
        authority=settings.authority,
        client_id=client_id,
        client_secret=client_secret,
        window_past=dt.timedelta(days=settings.window_past_days),
        window_future=dt.timedelta(days=settings.window_future_days),
    )
