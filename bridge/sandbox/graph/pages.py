"""The page for people at ``/microsoft/``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from bridge.sandbox.graph.service import Microsoft


def add_to(app: Flask, service: Microsoft) -> None:
    """Add the routes."""
    del app, service
