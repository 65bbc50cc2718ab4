"""Simulated Google Calendar: API v3, its OAuth pages, its push channels, and a page for people."""

from bridge.sandbox.google.service import Google

__all__ = ["Google"]
