"""The places where the one calendar is kept. A further provider is added here, and nowhere else.

Each has the hands of ``HubSide``; where ``meetings`` is true those of a home, too. ``provider`` None is the hub itself.
"""

from tests.proof.google_side import GoogleSide
from tests.proof.graph_side import GraphSide
from tests.proof.hub_side import HubSide

SIDES = (HubSide, GoogleSide, GraphSide)
