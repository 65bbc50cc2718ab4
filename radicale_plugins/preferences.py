"""What a client prefers of an answer, and that it was heeded (RFC 7240, RFC 8144; Apple's and Microsoft's Brief)."""

from __future__ import annotations

from collections.abc import Mapping
from http import client

from radicale_plugins import dav, markup
from radicale_plugins.dav import Answer
from radicale_plugins.request import Request

VARY = {"Vary": "Prefer, Brief"}


def wants(request: Request, preference: str) -> bool:
    wishes = request.header("Prefer").lower().split(",")
    return preference in {wish.partition(";")[0].replace(" ", "") for wish in wishes}


def applied(request: Request) -> dict[str, str]:
    """The headers of an answer that is short because the client wants it so, and of one that might have been."""
    is_preferred = wants(request, "return=minimal")
    return {**VARY, **({"Preference-Applied": "return=minimal"} if is_preferred else {})}


def multistatus(request: Request, responses: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Without the properties that are not there if the client does not want to hear of them (``request.minimal``)."""
    body = markup.document("multistatus", responses)
    return client.MULTI_STATUS, {"Content-Type": dav.XML_TYPE, **applied(request), **(headers or {})}, body, None
