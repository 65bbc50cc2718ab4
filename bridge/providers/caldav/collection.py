"""One calendar collection: its objects read in batches, written with preconditions, and listed by href and ETag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.errors import CursorLost, Gone, Refused, Unreachable, VersionMismatch
from bridge.providers.caldav import etags, urls, xml
from bridge.providers.caldav.api import Answer, Api
from bridge.providers.caldav.mapping import CUT, is_event, item, unreadable
from bridge.providers.caldav.xml import MALFORMED, Multistatus, Resource
from bridge.sync.ports import RemoteItem

ICALENDAR = "text/calendar; charset=utf-8"
TRUNCATED = 507
"""A response for the collection itself with this status: there is more than was answered (RFC 6578 §3.6)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What tells how a calendar can be followed. ``ctag`` "" where it has none."""

    syncs: bool
    ctag: str


@dataclass(frozen=True, slots=True)
class Changes:
    """``changed``: by id the ETag, "" where none is told. ``more``: not everything has been told yet; ``token`` goes on here."""

    changed: Mapping[str, str]
    removed: Sequence[str]
    token: str
    more: bool


class Collection:
    """``url`` is absolute and ends with a slash. Objects are named by their paths (``id``)."""

    def __init__(self, api: Api, url: str) -> None:
        self._api = api
        self._url = url if url.endswith("/") else f"{url}/"
        self.path = urls.path(self._url)

    def member(self, name: str) -> str:
        return f"{self.path}{name}"

    def _at(self, id: str) -> str:
        return urls.joined(self._url, id)

    def _id(self, href: str) -> str:
        return urls.path(urls.joined(self._url, href))

    # --- reading objects

    def fetch(self, ids: Sequence[str]) -> dict[str, RemoteItem | None]:
        """These objects as they are now, None for one that is not there; tasks too (see ``mapping.is_event``).

        One that the batch does not answer, or that spoils the batch (its text is no XML), is asked for by itself (R32).
        """
        found = self._batch(ids)
        return {id: found[id] if id in found else self._single(id) for id in ids}

    def _batch(self, ids: Sequence[str]) -> Mapping[str, RemoteItem | None]:
        try:
            answer = self._api.report(self._url, xml.multiget(ids), depth=1)
        except Gone:
            return {}
        except Refused as refused:
            if refused.status == 403 and refused.code == "need-privileges":
                raise
            return {}
        except Unreachable as broken:
            if broken.code != MALFORMED:
                raise
            return {}
        found: dict[str, RemoteItem | None] = {}
        for resource in answer.resources:
            id = self._id(resource.href)
            if resource.status in (404, 410):
                found[id] = None
            elif (etag := resource.text("d:getetag")) and (
                data := resource.props.get(xml.name("c:calendar-data"))
            ) is not None:
                found[id] = item(id, etag, data.text or "")
        return found

    def _single(self, id: str) -> RemoteItem | None:
        """By GET. Its ETag is taken from the header if no proxy has touched it, else from the property, asked for before."""
        try:
            answer = self._get(id)
            etag = answer.headers.get("ETag", "")
            if not etags.is_strong(etag):
                etag = self._etag(id)
                answer = self._get(id)
        except Gone:
            return None
        try:
            found = item(id, etag, answer.body.decode())
        except UnicodeDecodeError:
            return unreadable(id, etag)
        if found.payload.get("problem") == CUT and not answer.framed:
            raise Unreachable("an object came only in part", status=answer.status, code=MALFORMED)
        return found

    def _get(self, id: str) -> Answer:
        return self._api.send("GET", self._at(id), headers={"Accept": "text/calendar", "Accept-Encoding": "identity"})

    def _etag(self, id: str) -> str:
        _, answer = self._api.propfind(self._at(id), "d:getetag")
        return next((one.text("d:getetag") for one in answer.resources), "")

    def with_uid(self, uid: str) -> RemoteItem | None:
        """The event with this UID, under whichever name. The server's match may be a loose one; its texts are looked at."""
        try:
            answer = self._api.report(self._url, xml.query_uid(uid), depth=1)
        except (Gone, Refused):
            return None
        ids = [self._id(one.href) for one in answer.resources if one.status == 200]
        found = [one for one in self.fetch(ids).values() if one is not None and is_event(one)] if ids else []
        needle = f"UID:{uid}".replace(" ", "")
        same = [
            one for one in found if needle in str(one.payload.get("data", "")).replace("\r\n ", "").replace(" ", "")
        ]
        return same[0] if len(same) == 1 else None

    # --- writing objects

    def put(self, id: str, data: str, *, if_match: str = "") -> tuple[str, str]:
        """Write one: a new one where ``if_match`` is empty. Its id, which may be the server's choice, and its ETag or "".

        Raises VersionMismatch where it exists already, or is another version; Refused; Gone.
        """
        condition = {"If-Match": if_match} if if_match else {"If-None-Match": "*"}
        answer = self._api.send("PUT", self._at(id), data.encode(), {"Content-Type": ICALENDAR, **condition})
        location = answer.headers.get("Location") or answer.headers.get("Content-Location") or ""
        etag = answer.headers.get("ETag", "")
        return self._id(location) if location else id, etag if etags.is_strong(etag) else ""

    def delete(self, id: str, *, if_match: str) -> None:
        """Raises VersionMismatch and Gone. The server must not decline in the owner's name (RFC 6638 §8.1)."""
        self._api.send("DELETE", self._at(id), headers={"If-Match": if_match, "Schedule-Reply": "F"})

    # --- listing

    def facts(self) -> Facts:
        """One cheap request. Raises Refused if this is no calendar (any more)."""
        url, answer = self._propfind("d:resourcetype", "d:supported-report-set", "d:sync-token", "cs:getctag", depth=0)
        own = self._own(url, answer)
        if not own.has("d:resourcetype", "c:calendar"):
            raise Refused("this is no calendar any more", status=404, code="no-calendar")
        return Facts(own.has("d:supported-report-set", "d:sync-collection"), own.text("cs:getctag"))

    def etags(self) -> dict[str, str]:
        """Every object's ETag by id ("" where there is none): all there are, or Unreachable (R5, R7)."""
        url, answer = self._propfind("d:resourcetype", "d:getetag", depth=1)
        self._own(url, answer)
        if any(one.status != 200 for one in answer.resources):
            raise Unreachable("the listing is cut short", status=207, code=MALFORMED)
        return {
            self._id(one.href): one.text("d:getetag")
            for one in answer.resources
            if not one.has("d:resourcetype", "d:collection") and not one.href.endswith("/")
        }

    def sync(self, token: str) -> Changes:
        """What changed since ``token``; everything there is for "" (RFC 6578). Raises CursorLost if the token is no longer good."""
        try:
            answer = self._api.report(self._url, xml.sync_collection(token), depth=0)
        except Gone as gone:
            raise _no_calendar(gone.status) from None
        except (Refused, VersionMismatch) as refused:
            if not token:
                raise
            raise CursorLost("the sync token is not known any more", status=refused.status, code=refused.code) from None
        if not answer.sync_token:
            raise Unreachable("the answer names no sync token", status=207, code=MALFORMED)
        changed: dict[str, str] = {}
        removed, more = [], False
        for one in answer.resources:
            id = self._id(one.href)
            if id.rstrip("/") == self.path.rstrip("/"):
                more = more or one.status == TRUNCATED
            elif one.status in (404, 410):
                removed.append(id)
            elif not id.endswith("/"):
                changed[id] = one.text("d:getetag")
        if more and answer.sync_token == token:
            raise Unreachable("the server goes round in circles", status=207, code=MALFORMED)
        return Changes(changed, removed, answer.sync_token, more)

    def _propfind(self, *names: str, depth: int) -> tuple[str, Multistatus]:
        try:
            return self._api.propfind(self._url, *names, depth=depth)
        except Gone as gone:
            raise _no_calendar(gone.status) from None

    def _own(self, url: str, answer: Multistatus) -> Resource:
        """What is said of the calendar itself. An answer that leaves it out is not about it, so it says nothing (R7)."""
        here = {self.path.rstrip("/"), urls.path(url).rstrip("/")}
        for one in answer.resources:
            if urls.path(urls.joined(url, one.href)).rstrip("/") in here:
                if one.status in (404, 410):
                    raise _no_calendar(one.status)
                if one.status == 200:
                    return one
        raise Unreachable("the answer is not about the calendar", status=207, code=MALFORMED)


def _no_calendar(status: int) -> Refused:
    """404 here means the calendar, not an event."""
    return Refused("the calendar is not there any more", status=status, code="no-calendar")
