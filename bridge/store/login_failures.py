"""How often signing in has failed lately, counted by address and by account: guessing must not pay."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
from collections.abc import Iterable

import sqlalchemy as sa

from bridge.store.dialects import insert
from bridge.store.tables import Instant, login_failures


def of_address(address: str) -> str:
    """The subject that counts an address. An IPv6 network of 64 bits is one: whoever has an address there has them all."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return _subject("address", address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return _subject("address", str(ip.ipv4_mapped))
        return _subject("address", str(ipaddress.ip_network((ip, 64), strict=False)))
    return _subject("address", str(ip))


def of_account(name: str) -> str:
    """The subject that counts an account, be there one of this name or not: the answer must not tell."""
    return _subject("account", name)


def blocked_until(conn: sa.Connection, subjects: Iterable[str], *, now: dt.datetime) -> dt.datetime | None:
    """Until when at least one of these must wait; None: go ahead."""
    until: dt.datetime | None = conn.scalar(
        sa.select(sa.func.max(login_failures.c.blocked_until, type_=Instant())).where(
            login_failures.c.subject.in_(list(subjects)), login_failures.c.blocked_until > now
        )
    )
    return until


def record(
    conn: sa.Connection, subject: str, *, now: dt.datetime, max_failures: int, block_seconds: int
) -> dt.datetime | None:
    """Count a failure; the ``max_failures``-th within the block's length, and each after it, blocks.

    Returns until when the subject has to wait now, or None. Failures further apart than ``block_seconds`` are forgiven.
    One statement, so that failures at the same moment all count.
    """
    window = dt.timedelta(seconds=block_seconds)
    instant = login_failures.c.last_at.type
    failures = sa.case((login_failures.c.last_at < now - window, 1), else_=login_failures.c.failures + 1)
    row = conn.execute(
        insert(conn, login_failures)
        .values(
            subject=subject,
            failures=1,
            blocked_until=now + window if max_failures <= 1 else None,
            last_at=now,
        )
        .on_conflict_do_update(
            index_elements=["subject"],
            set_={
                "failures": failures,
                "blocked_until": sa.case((failures >= max_failures, sa.literal(now + window, instant)), else_=None),
                "last_at": now,
            },
        )
        .returning(login_failures.c.blocked_until)
    ).one()
    until: dt.datetime | None = row.blocked_until
    return until


def clear(conn: sa.Connection, subject: str) -> None:
    """Forget them: somebody signed in."""
    conn.execute(sa.delete(login_failures).where(login_failures.c.subject == subject))


def prune(conn: sa.Connection, before: dt.datetime) -> int:
    """Forget those whose last failure is older. Returns how many subjects went."""
    return conn.execute(sa.delete(login_failures).where(login_failures.c.last_at < before)).rowcount


def _subject(kind: str, name: str) -> str:
    """What somebody sent as a name may be anything of any length; a digest keeps long ones apart."""
    if len(name) > 200 or not name.isprintable():
        name = "sha256-" + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{kind}:{name}"
