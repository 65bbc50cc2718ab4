"""The page for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from bridge.sandbox.google.service import Google


def mount(app: Flask, google: Google) -> None:
    """Put the page on the application."""
    del app, google
