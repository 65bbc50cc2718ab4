"""What the hub remembers about itself: JSON values by name. What an admin sets is in ``bridge.config``."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa


def get(conn: sa.Connection, name: str, default: Any = None) -> Any:
    raise NotImplementedError


def put(conn: sa.Connection, name: str, value: Any) -> None:
    raise NotImplementedError


def remove(conn: sa.Connection, name: str) -> None:
    """One that is not set is removed already."""
    raise NotImplementedError
