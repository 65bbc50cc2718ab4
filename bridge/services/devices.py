"""Device passwords: one for each phone or program, so that losing one costs one (DESIGN §3).

Failed logins are counted by account *and* address: after ``max_failures`` that account waits at that address. Somebody
who guesses from elsewhere therefore cannot lock the owner out. Two wider counts stop what that leaves open:

- one address trying many accounts waits after five times as many failures (an office behind one address has more phones);
- one account tried from many addresses, after ten times as many, takes no *chosen* password any more from an address that
  none of its devices signed in from before. The 120 bits of a password of ours cannot be guessed, so those always pass.

A phone that goes on with a password which was revoked is no guesser and is not counted.
"""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import unquote

import sqlalchemy as sa

from bridge.errors import NotFound, UsageError
from bridge.services import passwords
from bridge.services.naming import nobody
from bridge.store import devices, fetches, login_failures, principals, setup_links
from bridge.store.devices import Device, Key
from bridge.store.principals import Principal
from bridge.store.session import Database

_SEEN_EVERY = dt.timedelta(minutes=1)
_MIN_CHOSEN = 8
_LABEL_LENGTH = 100
_WHOLE_ADDRESS = 5
_WHOLE_ACCOUNT = 10


@dataclass(frozen=True, slots=True)
class NewDevice:
    """``password`` is shown once and never stored in the clear; ``username`` is what the device signs in with."""

    id: int
    username: str
    label: str
    password: str


@dataclass(frozen=True, slots=True)
class Login:
    """Who signed in, with which device, and (``store.devices.key_of``) with which password of it."""

    principal: str
    device: int
    key: str


def add(database: Database, principal: str, label: str, *, password: str | None = None, now: dt.datetime) -> NewDevice:
    """Make a password for a device, or take over one that exists (a move from another server).

    Raises NotFound (no such person), AlreadyExists (the label), UsageError (a bad label, a password under 8 characters).
    """
    label = label.strip()
    if not label or len(label) > _LABEL_LENGTH or not label.isprintable():
        raise UsageError(f"a device needs a name of 1 to {_LABEL_LENGTH} printable characters")
    if password is None:
        password = passwords.generate()
        password_hash = passwords.hash_generated(password)
    elif len(password) < _MIN_CHOSEN:
        raise UsageError(f"a device password needs at least {_MIN_CHOSEN} characters")
    else:
        password_hash = passwords.hash_chosen(password)
    with database.write() as conn:
        owner = principals.by_name(conn, principal)
        if owner is None:
            raise nobody(principal)
        device = devices.add(conn, owner.id, label, password_hash, now=now)
        fetches.forget(conn, device.id)
    return NewDevice(device.id, owner.name, label, password)


def revoke(database: Database, principal: str, label: str, *, now: dt.datetime) -> None:
    """Its password is refused from the next request on. Raises NotFound."""
    with database.write() as conn:
        owner = principals.by_name(conn, principal)
        for device in [] if owner is None else devices.of_principal(conn, owner.id):
            if device.label == label:
                devices.revoke(conn, device.id, now=now)
                setup_links.remove(conn, device.id)
                return
    raise NotFound(f"{principal!r} has no device {label!r}")


def authenticate(
    database: Database,
    login: str,
    password: str,
    *,
    address: str,
    agent: str,
    now: dt.datetime,
    max_failures: int = 10,
    block_seconds: int = 300,
) -> Login | None:
    """Check a device's name and password; None whatever the reason is.

    ``login`` is the principal's name or e-mail address, also as iOS may send it (``alice%40example.org``). A failure takes as
    long for an unknown name as for a wrong password: one argon2id. The time of its last use is written at most once a minute.
    """
    login = unquote(login).strip()
    there = login_failures.of_address(address)
    if (key := _at_once(database, login, password, there, now=now)) is not None:
        return Login(login, key.id, devices.key_of(key.password_hash))
    with database.read() as conn:
        owner = _find(conn, login)
        account = owner.name if owner is not None else login.lower()
        here = login_failures.of_account(f"{account} at {there}")
        everywhere = login_failures.of_account(account)
        if login_failures.blocked_until(conn, [here, there], now=now) is not None:
            return None
        known = [] if owner is None else devices.of_principal(conn, owner.id, revoked=True)
        active = [device for device in known if device.revoked_at is None]
        device = _generated(active, password)
        familiar = any(login_failures.of_address(each.last_address or "") == there for each in active)
        may_guess = device is None and (familiar or login_failures.blocked_until(conn, [everywhere], now=now) is None)
    if may_guess:
        device = _chosen(active, password, now=now)
    if device is None or owner is None:
        if _generated(known, password) is None:  # else it is a phone that does not know yet that it was revoked
            with database.write() as conn:
                for subject, factor in ((here, 1), (there, _WHOLE_ADDRESS), (everywhere, _WHOLE_ACCOUNT)):
                    login_failures.record(
                        conn, subject, now=now, max_failures=max_failures * factor, block_seconds=block_seconds
                    )
        return None
    if is_to_be_noted(device.last_used_at, now):
        with database.write() as conn:
            devices.used(conn, device.id, now=now, address=address[:64], agent=agent[:255])
            login_failures.clear(conn, here)
            setup_links.remove(conn, device.id, password_hash=device.password_hash)
    return Login(owner.name, device.id, devices.key_of(device.password_hash))


def _at_once(database: Database, login: str, password: str, there: str, *, now: dt.datetime) -> Key | None:
    """The device of nearly all requests: a name as it is written here, a password of ours, and nothing to be noted."""
    if not login.isprintable():
        return None
    here = login_failures.of_account(f"{login} at {there}")
    key = _generated(devices.unhindered(database, login, (here, there), now=now), password)
    return None if key is None or is_to_be_noted(key.last_used_at, now) else key


def is_to_be_noted(last_used_at: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether it is time to write down that a device was used: then nobody may be let in without ``authenticate``."""
    return last_used_at is None or now - last_used_at >= _SEEN_EVERY


def _find(conn: sa.Connection, login: str) -> Principal | None:
    if not login.isprintable():  # PostgreSQL would not even look for a name that holds a NUL
        return None
    return (
        principals.by_name(conn, login) or principals.by_name(conn, login.lower()) or principals.by_email(conn, login)
    )


_Holder = TypeVar("_Holder", Device, Key)


def _generated(among: Sequence[_Holder], password: str) -> _Holder | None:
    """The device whose password of ours this is. All are compared, whichever matches."""
    found = None
    for device in among:
        if passwords.is_fast(device.password_hash) and passwords.verify(device.password_hash, password):
            found = device
    return found


def _chosen(active: Sequence[Device], password: str, *, now: dt.datetime) -> Device | None:
    """The device whose chosen password this is. All are compared; if there is none, as long as if there were one."""
    slow = [device for device in active if not passwords.is_fast(device.password_hash)]
    for device in slow:
        if _recent.holds(device.password_hash, password, now):
            return device
    found = None
    for device in slow:
        if passwords.verify(device.password_hash, password):
            found = device
    if not slow:
        passwords.verify_nobody(password)
    if found is not None:
        _recent.add(found.password_hash, password, now)
    return found


class _Recent:
    """Chosen passwords that were right within the last minute, so that a phone's burst of requests costs one argon2id.

    Nothing is let in by it alone: the device's row is read anew each time, so a revoked one is out at once. What it holds is
    keyed with a secret of this process and no password can be read from it.
    """

    _LIFETIME = dt.timedelta(minutes=1)
    _SIZE = 1024

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._until: dict[bytes, dt.datetime] = {}
        self._lock = threading.Lock()

    def holds(self, password_hash: str, password: str, now: dt.datetime) -> bool:
        with self._lock:
            until = self._until.get(self._of(password_hash, password))
        return until is not None and until - self._LIFETIME <= now < until

    def add(self, password_hash: str, password: str, now: dt.datetime) -> None:
        with self._lock:
            if len(self._until) >= self._SIZE:
                self._until.clear()
            self._until[self._of(password_hash, password)] = now + self._LIFETIME

    def _of(self, password_hash: str, password: str) -> bytes:
        return hmac.digest(self._key, f"{password_hash}\0{password}".encode(), "sha256")


_recent = _Recent()
