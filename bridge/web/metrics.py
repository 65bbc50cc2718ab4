"""Figures for Prometheus, from the database at the time of the question: no process counts anything by itself.

Whoever has the token may ask. Without one, only this machine may, and only if nothing stands before us: behind a reverse proxy
on the same machine everybody's address is ours.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterator
from http import HTTPStatus

from flask import Blueprint, Request, Response, abort, request
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from bridge.services import gauges
from bridge.services.context import Context
from bridge.services.gauges import Gauges

_FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")


def figures(context: Context) -> Blueprint:
    blueprint = Blueprint("metrics", __name__)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_FromDatabase(context))

    @blueprint.get("/metrics")
    def metrics() -> Response:
        token = context.settings.security.metrics_token.get_secret_value()
        if token:
            given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
            if not hmac.compare_digest(given, f"Bearer {token}".encode()):
                return Response(status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
        elif context.settings.server.public_url is not None or not _from_here(request):
            abort(HTTPStatus.NOT_FOUND)
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(registry), content_type=content_type)

    return blueprint


def _from_here(asked: Request) -> bool:
    if any(name in asked.headers for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(asked.remote_addr or "").is_loopback
    except ValueError:
        return False


class _FromDatabase(Collector):
    def __init__(self, context: Context) -> None:
        self._context = context

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing is read when it is registered."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found = gauges.read(self._context)
        yield from _of_pairs(found)
        raised = GaugeMetricFamily("caldav_bridge_open_notices", "What needs a person, by kind.", labels=["kind"])
        for kind, count in found.notices.items():
            raised.add_metric([kind], count)
        yield raised
        yield GaugeMetricFamily(
            "caldav_bridge_paused_accounts", "Accounts whose service makes us wait.", value=found.paused_accounts
        )
        yield GaugeMetricFamily(
            "caldav_bridge_push_subscriptions",
            "Registrations of devices that are told of changes.",
            value=found.push_subscriptions,
        )
        yield GaugeMetricFamily(
            "caldav_bridge_push_failing",
            "Those of them whose push service did not take the last message.",
            value=found.push_failing,
        )


def _of_pairs(found: Gauges) -> Iterator[GaugeMetricFamily]:
    told = {
        "divergences": "Objects that differed when both sides were compared last: its target is 0.",
        "last_comparison_age_seconds": "Since both sides were compared last.",
        "last_success_age_seconds": "Since the last successful sync, or since the pair was made: the figure to alert on.",
        "stale": "1 if that is too long.",
        "parked": "1 if a plan waits for its owner's yes.",
        "links": "Events that are on both sides.",
        "quarantined": "Events left alone.",
        "waiting_intents": "Writes whose answer is awaited.",
        "open_conflicts": "Conflicts that nobody has looked at.",
    }
    for name, text in told.items():
        family = GaugeMetricFamily(f"caldav_bridge_{name}", text, labels=["pair"])
        for pair in found.pairs:
            values: dict[str, float | None] = {
                "divergences": pair.divergences,
                "last_comparison_age_seconds": pair.compared_age_seconds,
                "last_success_age_seconds": pair.age_seconds,
                "stale": pair.stale,
                "parked": pair.parked,
                "links": pair.links,
                "quarantined": pair.quarantined,
                "waiting_intents": pair.waiting,
                "open_conflicts": pair.conflicts,
            }
            value = values[name]
            if value is not None:
                family.add_metric([str(pair.pair)], value)
        yield family
