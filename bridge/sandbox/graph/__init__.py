"""Simulated Microsoft Graph calendars: API v1.0, its OAuth pages, its subscriptions, and a page for people."""

from bridge.sandbox.graph.service import Microsoft

__all__ = ["Microsoft"]
