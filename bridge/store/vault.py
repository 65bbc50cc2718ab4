"""Secrets at rest: Fernet keys, newest first. The newest seals, every one opens, so a key can be replaced without a pause."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from bridge.errors import UsageError
from bridge.store.tables import accounts, oauth_flows, push_subscriptions, sealed_settings, setup_links

_SEALED: tuple[tuple[sa.Column[Any], sa.Column[bytes]], ...] = (
    (accounts.c.id, accounts.c.grant),
    (oauth_flows.c.state, oauth_flows.c.flow),
    (push_subscriptions.c.id, push_subscriptions.c.endpoint),
    (sealed_settings.c.name, sealed_settings.c.value),
    (setup_links.c.device_id, setup_links.c.password),
)
"""Where secrets lie: each row's key, and the secret."""

_NO_KEY_FITS = "a stored secret does not open: the vault's key is not the one it was sealed with"


class Vault:
    """Keys in memory. To rotate: put a new key in front, ``rotate``, then take the old one away."""

    def __init__(self, keys: Sequence[str]) -> None:
        """``keys`` newest first. Raises UsageError if there is none or one is no Fernet key; it is never shown."""
        named = [key.strip() for key in keys if key.strip()]
        if not named:
            raise UsageError("the vault needs at least one key")
        try:
            self._fernet = MultiFernet([Fernet(key) for key in named])
        except ValueError:
            raise UsageError("a vault key must be 32 bytes in URL-safe base64, as Fernet makes them") from None

    def seal(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """Raises UsageError if none of the keys fits."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise UsageError(_NO_KEY_FITS) from None

    def reseal(self, sealed: bytes) -> bytes:
        """The same secret under the newest key. Raises UsageError if none of the keys fits."""
        try:
            return self._fernet.rotate(sealed)
        except InvalidToken:
            raise UsageError(_NO_KEY_FITS) from None


def from_keys(keys: str) -> Vault:
    """From the setting ``key``: newest first, comma separated. Raises UsageError."""
    return Vault(keys.split(","))


def from_file(path: Path) -> Vault:
    """From a file, one key a line, newest first. It is made if it does not exist, readable for its owner alone.

    Two processes that start at once end up with the same key. Raises UsageError.
    """
    try:
        if not path.exists():
            _make(path)
        return Vault(path.read_text(encoding="ascii").split())
    except OSError as error:
        raise UsageError(f"the key file {path} cannot be used: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"the key file {path} cannot be used: it holds no keys") from None
    except UsageError as error:
        raise UsageError(f"the key file {path} cannot be used: {error}") from None


def rotate(conn: sa.Connection, vault: Vault) -> int:
    """Reseal every secret in the database under the newest key; returns how many. All or none: it is one transaction."""
    count = 0
    for key, secret in _SEALED:
        for name, sealed in conn.execute(sa.select(key, secret).where(secret != b"").with_for_update()).all():
            conn.execute(sa.update(key.table).where(key == name).values({secret.name: vault.reseal(sealed)}))
            count += 1
    return count


def _make(path: Path) -> None:
    """Write a new key aside and link it to its place: whoever finds the file finds it whole, and the first one wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(aside, path)
    finally:
        aside.unlink()
