"""Device passwords at Radicale's door: ``[auth] type = radicale_plugins.auth``."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

from radicale import config, types
from radicale.auth import AuthContext, BaseAuth

from bridge.services import devices
from bridge.store.session import Database
from radicale_plugins.database import open_configured, utc_now

OPTIONS = {
    "auth": {
        "database_url": {"value": "", "help": "SQLAlchemy URL; empty: that of [storage]", "type": str},
        "max_failures": {"value": "10", "help": "failed logins before an address has to wait", "type": int},
        "block_seconds": {"value": "300", "help": "how long it has to wait", "type": int},
    }
}

_DEVICE, _KEY = "device:", "key:"


class Auth(BaseAuth):
    """Checks against ``bridge.services.devices``; the device that signed in travels on as the user's groups."""

    def __init__(
        self,
        configuration: config.Configuration,
        *,
        database: Database | None = None,
        now: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        super().__init__(configuration.copy(OPTIONS))
        self._database = database or open_configured(self.configuration, "auth")
        self._now = now
        self._request = threading.local()
        self._type = "device passwords"  # what Radicale's line about a failed login names

    def get_external_login(self, environ: types.WSGIEnviron) -> tuple[()] | tuple[str, str]:
        """Nobody signs in elsewhere; but only here does Radicale show a plugin the request's headers."""
        self._request.agent = environ.get("HTTP_USER_AGENT", "")
        return ()

    def _login_ext_with_groups(self, login: str, password: str, context: AuthContext) -> tuple[str, set[str]]:
        address = context.remote_addr or ""
        if self.configuration.get("auth", "remote_ip_source") == "X-Remote-Addr" and context.x_remote_addr:
            address = context.x_remote_addr
        found = devices.authenticate(
            self._database,
            login,
            password,
            address=address,
            agent=getattr(self._request, "agent", ""),
            now=self._now(),
            max_failures=self.configuration.get("auth", "max_failures"),
            block_seconds=self.configuration.get("auth", "block_seconds"),
        )
        return ("", set()) if found is None else (found.principal, groups(found.device, found.key))

    def _sleep_for_constant_exec_time(self, time_ns_begin: int) -> None:
        """Not Radicale's way: it makes every failure as slow as the slowest ever. ``authenticate`` is constant itself."""


def groups(device: int, key: str) -> set[str]:
    """How a device that signed in travels on, and with which of its passwords it did."""
    return {f"{_DEVICE}{device}", f"{_KEY}{key}"}


def key(user_groups: set[str]) -> str:
    """Of the password that was right; "" where another auth plugin let the person in."""
    return next((group.removeprefix(_KEY) for group in user_groups if group.startswith(_KEY)), "")


def actor(user: str, user_groups: set[str]) -> str:
    """Who the history says it was: the device, or the person where another auth plugin let them in."""
    return next((group for group in user_groups if group.startswith(_DEVICE)), f"dav:{user}")


def device(user_groups: set[str]) -> int | None:
    """The number of the device that signed in; None where another auth plugin let the person in."""
    found = next((group.removeprefix(_DEVICE) for group in user_groups if group.startswith(_DEVICE)), "")
    return int(found) if found.isdecimal() else None
