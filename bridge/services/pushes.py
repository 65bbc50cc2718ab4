"""Notifications from the services: asking for them, prolonging them, and what happens when one comes (R30, R31)."""

from __future__ import annotations

import contextlib
import secrets
import uuid
from collections.abc import Sequence

from bridge.errors import BridgeError, NotFound, ProviderError, Throttled
from bridge.services import addresses, connecting, providers, syncing
from bridge.services.context import Context
from bridge.store import accounts, channels, pairs, remote_calendars
from bridge.store.accounts import Account
from bridge.store.channels import PairChannel
from bridge.sync.ports import Channel, RemoteCalendar, SupportsPush


def notified(context: Context, channel_id: str, secret: str) -> bool:
    """A notification came: make its pair due. False if the channel is not ours or the secret is wrong.

    It costs one read and at most one small write, so a flood of them is one sync (R31).
    """
    if not (channel_id.isprintable() and secret.isprintable()):
        return False  # nor can a database be asked for a NUL or half a character
    with context.database.read() as conn:
        channel = channels.get(conn, channel_id)
    # compare even where there is no such channel: the answer's time tells nothing
    expected = channel.secret if channel else secrets.token_urlsafe(32)
    if not secrets.compare_digest(secret.encode(), expected.encode()) or channel is None:
        return False
    with context.database.write() as conn:
        pairs.wake(conn, channel.pair_id, now=context.now())
    return True


def lapsed(context: Context, channel_id: str) -> None:
    """The service has ended a channel: the worker makes a new one (M-75)."""
    with context.database.write() as conn:
        channels.remove(conn, channel_id)


def doubted(context: Context, channel_id: str) -> None:
    """The service wants a channel renewed: the worker does it, and the old one stays until then (M-75, R30)."""
    with context.database.write() as conn:
        channels.let_lapse(conn, channel_id)


def due(context: Context) -> list[int]:
    """The real-time pairs that have no channel, or none that is still in the first half of its life (R30)."""
    with context.database.read() as conn:
        return pairs.without_fresh_channel(conn, context.now())


def ensure(context: Context, pair_id: int) -> bool:
    """See to it that this pair has a fresh channel; the new one stands before the old one is stopped.

    False where push cannot be had: the safety poll does all the work then. Raises ProviderError if the service fails, NotFound.
    """
    now = context.now()
    with context.database.read() as conn:
        pair = pairs.get(conn, pair_id)
        calendar = remote_calendars.by_id(conn, pair.remote_calendar_id)
        account = accounts.by_id(conn, calendar.account_id) if calendar else None
        held = channels.of_pair(conn, pair_id)
    if calendar is None or account is None or account.needs_reconnect or account.rests(now):
        return False
    service = providers.service_url(context.settings, account.provider, sandbox=account.sandbox)
    address = addresses.push_url(context, account.provider, service)
    if address is None:
        return False
    remote = connecting.sign_in(context, account).remote(calendar.calendar)
    if not isinstance(remote, SupportsPush):
        return False
    new_id = str(uuid.uuid4())
    alive = bool(held) and held[0].channel.expires > now
    secret = held[0].secret if alive else secrets.token_urlsafe(32)
    try:
        if alive:
            fresh = remote.renew(held[0].channel, address=address, secret=secret, channel_id=new_id, now=now)
        else:
            fresh = remote.watch(channel_id=new_id, address=address, secret=secret, now=now)
    except Throttled as refusal:
        syncing.strain(context, account, refusal)
        raise
    try:
        with context.database.write() as conn:
            pairs.get(conn, pair_id)
            channels.add(conn, pair_id, fresh, secret=secret, now=now)
            if not alive:  # what happened between the last reading and now was told to nobody
                pairs.wake(conn, pair_id, now=now)
    except NotFound:  # it was removed meanwhile, and nobody else knows of this one
        with contextlib.suppress(ProviderError):
            remote.unwatch(fresh)
        raise
    for old in held:
        if old.channel.id != fresh.id:
            _stop(context, remote, old.channel)
    return True


def stop(context: Context, account: Account, calendar: RemoteCalendar, held: Sequence[PairChannel]) -> bool:
    """Stop the channels of a pair that is no more. False: the service could not be told; they die at their expiry.

    What it calls us about until then is refused, for we know no such channel.
    """
    alive = [one.channel for one in held if one.channel.expires > context.now()]
    if not alive:
        return True
    if account.needs_reconnect or account.rests(context.now()):
        return False
    try:
        remote = connecting.sign_in(context, account).remote(calendar)
        if isinstance(remote, SupportsPush):
            for channel in alive:
                remote.unwatch(channel)
    except BridgeError:
        return False
    return True


def _stop(context: Context, remote: SupportsPush, channel: Channel) -> None:
    # a channel that cannot be stopped dies at its expiry; until then it only makes the pair due
    with contextlib.suppress(ProviderError):
        remote.unwatch(channel)
    with context.database.write() as conn:
        channels.remove(conn, channel.id)
