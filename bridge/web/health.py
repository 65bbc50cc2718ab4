"""Probes for whoever watches the process."""

from __future__ import annotations

from flask import Blueprint

from bridge.services import noticing
from bridge.services.context import Context


def probes(context: Context) -> Blueprint:
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def healthz() -> dict[str, str | int]:
        """Answers only if the database does; ``stale_pairs`` have not been synced for too long, by whatever fault (R28)."""
        return {"status": "ok", "stale_pairs": len(noticing.stale_pairs(context))}

    return blueprint
