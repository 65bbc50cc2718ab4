"""The places where the one calendar is kept. A further provider is added here, and nowhere else.

Each has the hands of ``HubSide``; all but that, whose ``provider`` is None, may lose their cursors and have another calendar to
move things to; where ``meetings`` is true, the service invites, and they have the hands of a home.
"""

from tests.proof.caldav_side import CaldavSide
from tests.proof.google_side import GoogleSide
from tests.proof.graph_side import GraphSide
from tests.proof.hub_side import HubSide

SIDES = (HubSide, GoogleSide, GraphSide, CaldavSide)
