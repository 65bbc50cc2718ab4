"""A simulated Microsoft Graph v1.0 calendar: mailboxes, delta, subscriptions, sign-in, and a page for people.

It is written from the vendor's facts (docs/reference/sandbox-microsoft.md, M-nn) and knows nothing of the bridge it judges.
"""

from bridge.sandbox.graph.service import Microsoft

__all__ = ["Microsoft"]
