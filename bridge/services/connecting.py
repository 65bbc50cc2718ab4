"""Connecting an account: consent is asked for, given in a browser, and becomes an account with its calendars and a first pair."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from bridge.errors import UsageError
from bridge.services import addresses
from bridge.services.context import Context
from bridge.services.naming import nobody
from bridge.services.pairing import same_calendar_paired
from bridge.services.principals import DEFAULT_CALENDAR
from bridge.services.providers import AnyProvider
from bridge.store import accounts, audit, calendars, oauth_flows, pairs, principals, remote_calendars
from bridge.store.accounts import Account
from bridge.store.grants import Grants
from bridge.store.oauth_flows import OAuthFlow
from bridge.store.pairs import Pair
from bridge.store.remote_calendars import KnownCalendar
from bridge.sync.ports import Account as SignedIn
from bridge.sync.ports import Refresh

FLOW_LIFETIME = dt.timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Connected:
    """An account that is ready. ``pair_id`` is the pair made for its default calendar, None if that was paired before.

    ``calendars`` of events and ``lists`` of to-dos it has.
    """

    account: Account
    calendars: int
    lists: int
    pair_id: int | None


def begin(context: Context, name: str, provider_name: str, *, sandbox: bool = False) -> str:
    """The address at which ``name`` gives consent. It is good for FLOW_LIFETIME and only once."""
    provider = context.providers.by_consent(provider_name, sandbox=sandbox)
    consent = provider.begin(redirect_uri=redirect_uri(context, provider_name))
    now = context.now()
    with context.database.write() as conn:
        principal = principals.by_name(conn, name)
        if principal is None:
            raise nobody(name)
        flow = OAuthFlow(consent.state, principal.id, provider_name, sandbox, consent.memory)
        oauth_flows.prune(conn, now)
        oauth_flows.begin(conn, context.vault, flow, expires_at=now + FLOW_LIFETIME)
    return consent.url


def redirect_uri(context: Context, provider_name: str) -> str:
    return f"{addresses.public_url(context)}/oauth/{provider_name}/callback"


def finish(context: Context, provider_name: str, answer: Mapping[str, str]) -> Connected:
    """Take the browser's answer: the flow is used up, the grant stored, the calendars listed, the first pair made.

    Reconnecting the same account finds its old row, and with it all pairs and links (R15). Raises UsageError if the state is
    unknown, expired or another provider's, or if consent was declined.
    """
    now = context.now()
    state = answer.get("state", "")
    with context.database.write() as conn:
        flow = oauth_flows.take(conn, context.vault, state, now=now) if state.isprintable() else None
    if flow is None or flow.provider != provider_name:
        raise UsageError("this sign-in has expired or was already used; start it again")
    provider = context.providers.by_consent(provider_name, sandbox=flow.sandbox)
    grant = provider.finish(flow.memory, answer)
    return _connected(context, provider, grant, principal_id=flow.principal_id, sandbox=flow.sandbox)


def connect_directly(
    context: Context, name: str, provider_name: str, *, url: str, username: str, password: str
) -> Connected:
    """Connect ``name`` with what she typed, without a consent page; connecting again gives a changed password (R15).

    Raises NotFound, UsageError for what does not open anything, and ProviderError if the server does not answer.
    """
    provider = context.providers.direct(provider_name)
    with context.database.read() as conn:
        principal = principals.by_name(conn, name)
    if principal is None:
        raise nobody(name)
    grant = provider.grant(url=url, username=username, password=password)
    return _connected(context, provider, grant, principal_id=principal.id, sandbox=False)


def _connected(context: Context, provider: AnyProvider, grant: str, *, principal_id: int, sandbox: bool) -> Connected:
    """A grant becomes an account, or the old row of the same one; its calendars are listed, the first pair is made."""
    now = context.now()
    fresh = _FreshGrant(grant)
    signed_in = provider.account(fresh)
    subject, email = signed_in.identity()
    listed = signed_in.calendars()
    with context.database.write() as conn:
        account = accounts.add(
            conn,
            context.vault,
            principal_id=principal_id,
            provider=provider.name,
            sandbox=sandbox,
            subject=subject,
            email=email,
            grant=fresh.load(),
            now=now,
        )
        known = remote_calendars.remember(conn, account.id, listed)
        pairs.revive_account(conn, account.id, now=now)
        pair_id = _pair_default(conn, context, account, known, now)
        audit.record(
            conn,
            "account.connected",
            actor=f"principal:{principal_id}",
            principal_id=principal_id,
            detail={"account": account.id, "calendars": len(known)},
            now=now,
        )
    lists = sum(one.calendar.component == "VTODO" for one in known)
    return Connected(account, len(known) - lists, lists, pair_id)


class _FreshGrant:
    """A grant that has no row yet: nobody else can refresh it, and it is stored before ``_connected`` returns."""

    def __init__(self, grant: str) -> None:
        self._grant = grant

    def load(self) -> str:
        return self._grant

    def exchange(self, refresh: Refresh) -> str:
        self._grant = refresh(self._grant)
        return self._grant


def sign_in(context: Context, account: Account) -> SignedIn:
    """The account, ready to be used with its stored grant."""
    provider = context.providers.get(account.provider, sandbox=account.sandbox)
    grants = Grants(context.database, context.vault, account.id, now=context.now)
    return provider.account(grants, key=str(account.id))


def refresh_calendars(context: Context, account: Account) -> list[KnownCalendar]:
    """Ask the service for the account's calendars and remember them; those that vanished stay while a pair needs them."""
    return _listed_anew(context, account)[0]


def vanished(context: Context, account: Account) -> list[tuple[KnownCalendar, Pair]]:
    """As ``refresh_calendars``; returns those that the service lists no more, though a pair still mirrors them."""
    known, listed = _listed_anew(context, account)
    with context.database.read() as conn:
        missing = [(one, pairs.of_remote_calendar(conn, one.id)) for one in known if one.calendar.id not in listed]
    return [(one, pair) for one, pair in missing if pair is not None]


def _listed_anew(context: Context, account: Account) -> tuple[list[KnownCalendar], set[str]]:
    listed = sign_in(context, account).calendars()
    with context.database.write() as conn:
        return remote_calendars.remember(conn, account.id, listed), {one.id for one in listed}


def _pair_default(
    conn: Connection, context: Context, account: Account, known: list[KnownCalendar], now: dt.datetime
) -> int | None:
    """Pair the unified calendar with the account's default calendar (DESIGN §2, "What unified means").

    Lists of to-dos are paired by choice: what was done in years is on them, and not everybody wants it on a phone.
    """
    remote = next((one for one in known if one.calendar.primary and one.calendar.component == "VEVENT"), None)
    if remote is None or pairs.of_remote_calendar(conn, remote.id) is not None:
        return None
    owner = principals.by_id(conn, account.principal_id)
    local = calendars.get(conn, owner.name, DEFAULT_CALENDAR) if owner else None
    if local is None or same_calendar_paired(conn, local.id, account, remote) is not None:
        return None
    return pairs.add(
        conn,
        calendar_id=local.id,
        remote_calendar_id=remote.id,
        direction="both" if remote.calendar.writable else "pull",
        interval_seconds=context.settings.sync.interval_seconds,
        realtime=True,
        now=now,
    ).id
