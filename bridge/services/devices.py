"""Device passwords: one for each phone or program, so that losing one costs one (DESIGN §3)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from bridge.store.session import Database


@dataclass(frozen=True, slots=True)
class NewDevice:
    """``password`` is shown once and never stored in the clear; ``username`` is what the device signs in with."""

    id: int
    username: str
    label: str
    password: str


@dataclass(frozen=True, slots=True)
class Login:
    """Who signed in, and with which device."""

    principal: str
    device: int


def add(database: Database, principal: str, label: str, *, password: str | None = None, now: dt.datetime) -> NewDevice:
    """Make a password for a device, or take over one that exists (a move from another server).

    Raises NotFound (no such person), AlreadyExists (the label), UsageError (an empty label, a password under 8 characters).
    """
    raise NotImplementedError


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
    """Check a device's name and password; None whatever the reason is."""
    raise NotImplementedError
