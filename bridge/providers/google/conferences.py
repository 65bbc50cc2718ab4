"""Where an event is joined by video (X-16): the link that Google has made, unless something else was said here. Pure.

A link can be read and not written: Google makes its own (G-75). So what is said here instead, be it that there is none, stands
in private properties beside Google's link, which is left alone. It counts as long as that link is the one it was said about: a
new link in Google's own page is news, and a copy of the event, which copies the properties, has a new one (S-03, R9).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.ical.normal import conference

SAID = "cdb.conference"
ABOUT = "cdb.conference.of"
NONE = "-"
LONGEST = 1024  # G-69: what is longer would be cut in silence


def normal(address: str) -> str:
    address = conference(address)
    return address if len(address) <= LONGEST else ""


def read(event: Mapping[str, Any]) -> str:
    private = (event.get("extendedProperties") or {}).get("private") or {}
    said, own = private.get(SAID), made(event)
    if said and private.get(ABOUT, "") == own:
        return "" if said == NONE else normal(said)
    return own


def made(event: Mapping[str, Any]) -> str:
    """Google's link, or that of another conference service whose video entry it shows."""
    entries = (event.get("conferenceData") or {}).get("entryPoints") or ()
    videos = (each.get("uri", "") for each in entries if each.get("entryPointType") == "video")
    found = (normal(address) for address in (event.get("hangoutLink") or "", *videos))
    return next(filter(None, found), "")


def render(address: str, held: Mapping[str, Any]) -> dict[str, Any]:
    """What to put into the event's private properties, so that this is read."""
    own = made(held)
    if address == own:
        return {SAID: None, ABOUT: None}
    return {SAID: address or NONE, ABOUT: own or None}
