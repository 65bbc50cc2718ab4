"""Change notifications: subscriptions, their validation handshake, and what is posted to them (M-69…M-75)."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

import httpx

from bridge.sandbox.deliveries import Deliveries, Message
from bridge.sandbox.graph import ids, zones
from bridge.sandbox.graph.errors import GraphError, invalid, not_simulated
from bridge.sandbox.graph.mailbox import Change, Event, Mailbox, Person

LONGEST = dt.timedelta(minutes=10_080)
SHORTEST = dt.timedelta(minutes=45)
LONGEST_CLIENT_STATE = 128
MOST_PER_MAILBOX = 1000
HANDSHAKE_SECONDS = 10.0
LOOPBACK = ("127.0.0.1", "::1", "localhost")

LifecycleEvent = Literal["missed", "subscriptionRemoved", "reauthorizationRequired"]


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription. ``calendar`` None: every calendar of the mailbox."""

    id: str
    person: Person
    app: str
    resource: str
    calendar: int | None
    change_types: tuple[str, ...]
    url: str
    expires: dt.datetime
    client_state: str | None
    lifecycle_url: str | None
    immutable: bool

    def view(self) -> dict[str, Any]:
        """As Graph shows it; clientState is not read back by others, but by its app it is."""
        return {
            "id": self.id,
            "resource": self.resource,
            "applicationId": self.app,
            "changeType": ",".join(self.change_types),
            "clientState": self.client_state,
            "notificationUrl": self.url,
            "notificationQueryOptions": None,
            "lifecycleNotificationUrl": self.lifecycle_url,
            "expirationDateTime": zones.instant_text(self.expires),
            "creatorId": self.person.id,
            "includeResourceData": None,
            "latestSupportedTlsVersion": "v1_2",
            "encryptionCertificate": None,
            "encryptionCertificateId": None,
            "notificationUrlAppId": None,
        }


class Subscriptions:
    """All active subscriptions; those past their time vanish by the clock (M-74). Its callers hold the service's lock."""

    def __init__(
        self, clock: Callable[[], dt.datetime], deliveries: Deliveries, encode: Callable[[ids.Reference], str]
    ) -> None:
        self._clock = clock
        self._deliveries = deliveries
        self._encode = encode
        self._kept: dict[str, Subscription] = {}

    def clear(self) -> None:
        """Forget them all."""
        self._kept.clear()

    def active(self, person: Person | None = None) -> list[Subscription]:
        """Those that live now."""
        now = self._clock()
        self._kept = {key: each for key, each in self._kept.items() if each.expires > now}
        return [each for each in self._kept.values() if person in (None, each.person)]

    def get(self, person: Person, subscription_id: str) -> Subscription:
        """One of a person's own. Raises 404 ``ResourceNotFound``."""
        for each in self.active(person):
            if each.id == subscription_id:
                return each
        raise GraphError(404, "ResourceNotFound", "The object was not found.")

    def prepare(
        self, body: Mapping[str, Any], person: Person, app: str, *, calendar: int | None, immutable: bool
    ) -> Subscription:
        """A subscription as asked for, checked but neither validated nor kept yet."""
        for name in ("changeType", "notificationUrl", "resource", "expirationDateTime"):
            if not body.get(name):
                raise invalid(f"The property '{name}' is required.", "InvalidRequest")
        if body.get("includeResourceData") or body.get("encryptionCertificate"):
            raise not_simulated("Rich notifications (M-76)")
        kinds = tuple(part.strip() for part in body["changeType"].split(","))
        if not set(kinds) <= {"created", "updated", "deleted"}:
            raise invalid("changeType is made of created, updated and deleted.", "InvalidRequest")
        state = body.get("clientState")
        if state and len(state) > LONGEST_CLIENT_STATE:
            raise invalid(f"clientState is longer than {LONGEST_CLIENT_STATE} characters.", "InvalidRequest")
        lifecycle = body.get("lifecycleNotificationUrl")
        _check_url(body["notificationUrl"])
        if lifecycle:
            _check_url(lifecycle)
            if urlsplit(lifecycle).hostname != urlsplit(body["notificationUrl"]).hostname:
                raise invalid("lifecycleNotificationUrl and notificationUrl need the same host.", "InvalidRequest")
        if len(self.active(person)) >= MOST_PER_MAILBOX:
            raise GraphError(403, "ExtensionError", "The mailbox has reached its number of subscriptions.")
        return Subscription(
            str(uuid.uuid4()), person, app, body["resource"], calendar, kinds, body["notificationUrl"],
            self._until(body["expirationDateTime"]), state, lifecycle, immutable,
        )  # fmt: skip

    def keep(self, made: Subscription) -> Subscription:
        """From now on it is notified."""
        self._kept[made.id] = made
        return made

    def renew(self, subscription: Subscription, body: Mapping[str, Any]) -> Subscription:
        """PATCH; a lifecycle URL cannot be added that way (M-75)."""
        extra = set(body) - {"expirationDateTime"}
        if extra:
            raise invalid(f"The property '{min(extra)}' cannot be updated.", "InvalidRequest")
        if not body.get("expirationDateTime"):
            raise invalid("The property 'expirationDateTime' is required.", "InvalidRequest")
        return self.keep(replace(subscription, expires=self._until(body["expirationDateTime"])))

    def drop(self, subscription: Subscription) -> None:
        """It ends at once."""
        self._kept.pop(subscription.id, None)

    def changed(self, box: Mailbox, event: Event, change: Change) -> None:
        """A mailbox's watcher: tell everybody who subscribed to this kind of change (M-72)."""
        for each in self.active(box.person):
            if change in each.change_types and each.calendar in (None, event.calendar):
                placement = None if each.immutable else event.placement
                item = self._encode(ids.Reference("event", box.person.number, event.number, placement))
                path = f"Users/{box.person.id}/Events/{item}"
                key = ids.change_key(box.person.number, event.revision)
                self._post(
                    each.url,
                    each,
                    {
                        "changeType": change,
                        "resource": path,
                        "resourceData": {
                            "@odata.type": "#Microsoft.Graph.Event",
                            "@odata.id": path,
                            "@odata.etag": ids.etag(key),
                            "id": item,
                        },
                    },
                )

    def lifecycle(self, kind: LifecycleEvent, person: Person | None = None) -> int:
        """Send a lifecycle notification to every subscription that has a URL for it (M-75); how many."""
        sent = 0
        for each in self.active(person):
            if kind == "subscriptionRemoved":
                self.drop(each)
            if each.lifecycle_url:
                self._post(each.lifecycle_url, each, {"lifecycleEvent": kind})
                sent += 1
        return sent

    def _post(self, url: str, subscription: Subscription, what: Mapping[str, Any]) -> None:
        one = {
            "id": str(uuid.uuid4()),
            "subscriptionId": subscription.id,
            "subscriptionExpirationDateTime": zones.instant_text(subscription.expires),
            "clientState": subscription.client_state,
            "tenantId": subscription.person.tenant,
            **what,
        }
        self._deliveries.post(
            Message(subscription.id, url, {"Content-Type": "application/json"}, json.dumps({"value": [one]}).encode())
        )

    def _until(self, text: str) -> dt.datetime:
        """The end asked for: raised to the shortest lifetime, refused beyond the longest (M-70)."""
        now, wanted = self._clock(), zones.parse_instant(text, "expirationDateTime")
        if wanted <= now:
            raise invalid("Subscription expiration time is in the past.", "InvalidRequest")
        if wanted - now > LONGEST:
            raise invalid("Subscription expiration can only be 10080 minutes in the future.", "InvalidRequest")
        return max(wanted, now + SHORTEST)


def handshake(url: str) -> None:
    """Ask the receiver to prove itself, before anything is created (M-71). Raises 400. Call it without holding a lock."""
    token = f"Validation: Testing client application reachability for subscription Request-Id: {secrets.token_urlsafe(12)}+/="
    separator = "&" if urlsplit(url).query else "?"
    try:
        answer = httpx.post(
            f"{url}{separator}{urlencode({'validationToken': token})}",
            headers={"Content-Type": "text/plain; charset=utf-8"},
            timeout=HANDSHAKE_SECONDS,
        )
    except httpx.HTTPError as reason:
        raise _failed(f"it did not answer ({type(reason).__name__})") from None
    if answer.status_code != 200:
        raise _failed(f"it answered {answer.status_code}")
    if answer.headers.get("content-type", "").split(";")[0].strip().lower() != "text/plain":
        raise _failed("the answer is not text/plain")
    if answer.text != token:
        raise _failed("the answer is not the decoded token")


def _failed(reason: str) -> GraphError:
    return invalid(
        "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request: "
        f"{reason}.",
        "ValidationError",
    )


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        raise invalid(f"The URL '{url}' is not an https address.", "InvalidRequest")
