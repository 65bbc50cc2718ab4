"""Probes for whoever watches the process."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint

from bridge.services.context import Context


def probes(context: Context) -> Blueprint:
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def healthz() -> dict[str, str]:
        """Answers only if the database does."""
        with context.database.read() as conn:
            conn.execute(sa.text("SELECT 1"))
        return {"status": "ok"}

    return blueprint
