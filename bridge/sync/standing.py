"""How a link stands: left alone for a while, to be planned again, or taken up although its answer was lost. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import replace

from bridge.ical.fields import ObjectFields
from bridge.sync.ledger import Intent, Link
from bridge.sync.ports import RemoteObject

FIRST_RETRY = dt.timedelta(minutes=5)
LAST_RETRY = dt.timedelta(days=1)


def quarantined(link: Link, reason: str, *, now: dt.datetime, retry: bool = True) -> Link:
    """``retry``: try again after 5 minutes, 10, 20 … a day."""
    wait = min(FIRST_RETRY * (1 << min(link.attempts, 16)), LAST_RETRY)
    return replace(
        link,
        dirty=retry,
        quarantine=reason,
        attempts=link.attempts + 1,
        retry_at=now + wait if retry else None,
    )


def again(link: Link) -> Link:
    """To be planned again, at once."""
    return replace(link, dirty=True, retry_at=None)


def clean(link: Link) -> Link:
    """Nothing is the matter with it, and nothing is to be done about it."""
    return replace(link, dirty=False, quarantine=None, attempts=0, retry_at=None, decision=None)


def trying(link: Link, before: Link | None) -> Link:
    """What is to be sent may be refused as often as before: only an answer makes the waits short again (R32)."""
    return replace(link, attempts=before.attempts if before else 0)


def adopted(link: Link, intent: Intent, remote: RemoteObject) -> Link:
    """The link of an object that turns out to have been created by an intent whose answer was lost (R12).

    The target is taken for what the service answered then, so what its owner changed since is found by the next plan.
    But instances may not have been written before the creation broke off: those that are not there count as still to be told.
    """
    written = remote.fields.overrides.keys() | remote.fields.cancelled
    return _adopted(link, intent, remote.id, remote.version, written)


def adopted_unread(link: Link, intent: Intent, series: str) -> Link:
    """The same of one that is there and cannot be read: which of its instances were written is unknown."""
    return _adopted(link, intent, series, "", ())


def _adopted(link: Link, intent: Intent, series: str, version: str, written: Collection[str]) -> Link:
    if intent.target is None or intent.hub_base is None:
        raise ValueError("only a creation can be adopted")
    return replace(
        link,
        remote_id=series,
        version=version,
        hub_base=_with_instances(intent.hub_base, written),
        remote_base=_with_instances(intent.target, written),
        dirty=True,
        quarantine=None,
        attempts=0,
        retry_at=None,
        decision=None,
    )


def _with_instances(fields: ObjectFields, keys: Collection[str]) -> ObjectFields:
    overrides = {key: event for key, event in fields.overrides.items() if key in keys}
    return replace(fields, overrides=overrides, cancelled=fields.cancelled.intersection(keys))
