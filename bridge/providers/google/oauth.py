"""Consent and grants at Google: authorization code with PKCE and state, then one refresher at a time (R28, R29).

A grant is kept as JSON: ``access_token``, ``refresh_token`` and ``expiry`` (aware UTC, ISO). The OAuth client's own id and
secret are settings and never part of it.
"""

from __future__ import annotations

import datetime as dt
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from google.auth.credentials import Credentials
from google.auth.exceptions import RefreshError, TransportError
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials as UserCredentials
from google_auth_oauthlib.flow import Flow
from oauthlib.oauth2 import OAuth2Error  # type: ignore[import-untyped]

from bridge.errors import NeedsReconnect, Refused, Unreachable, UsageError
from bridge.providers.http import error_for
from bridge.providers.oauth import Consent
from bridge.sync.ledger import Clock
from bridge.sync.ports import TokenStore

SCOPES = (
    "https://www.googleapis.com/auth/calendar.events",
    "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
)
"""The least that reads and writes events and lists calendars (G-13, G-14)."""

TASKS = "https://www.googleapis.com/auth/tasks"
"""Asked for beside them; who grants the calendars only is connected all the same, without lists of to-dos."""

_COVERED_BY = {
    SCOPES[0]: {"https://www.googleapis.com/auth/calendar"},
    SCOPES[1]: {
        "https://www.googleapis.com/auth/calendar",
        "https://www.googleapis.com/auth/calendar.readonly",
        "https://www.googleapis.com/auth/calendar.calendarlist",
    },
}
"""The wider scopes that a person may have granted this client before, and that hold one of ours (G-13)."""

TIMEOUT = 30
"""Seconds until an answer counts as lost."""

USUAL_LIFE = dt.timedelta(hours=1)
"""Of an access token whose answer does not say: ``expires_in`` is only recommended (RFC 6749 §5.1)."""


@dataclass(frozen=True, slots=True)
class Client:
    """The OAuth client registered in Google's console, and the endpoints (G-07) it talks to.

    ``now`` tells when a token ends whose answer does not say; where it does, the libraries reckon by the machine's clock.
    ``tasks``: consent asks for the to-dos, too.
    """

    auth_url: str
    token_url: str
    client_id: str
    client_secret: str
    now: Clock
    tasks: bool = True

    @property
    def scopes(self) -> tuple[str, ...]:
        return (*SCOPES, TASKS) if self.tasks else SCOPES


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person's consent has become. ``expiry`` is that of the access token."""

    access_token: str
    refresh_token: str
    expiry: dt.datetime

    def dump(self) -> str:
        return json.dumps(
            {
                "access_token": self.access_token,
                "refresh_token": self.refresh_token,
                "expiry": self.expiry.isoformat(),
            }
        )

    @classmethod
    def load(cls, text: str) -> Grant:
        held = json.loads(text)
        return cls(held["access_token"], held["refresh_token"], dt.datetime.fromisoformat(held["expiry"]))


def begin(client: Client, *, redirect_uri: str) -> Consent:
    """Make the address of the consent page. ``prompt=consent``: a repeated consent gives a refresh token only so (G-11)."""
    if not client.client_id:
        raise UsageError("no Google OAuth client is set: put [google] client_id and client_secret into the settings")
    flow = _flow(client, redirect_uri=redirect_uri)
    url, state = flow.authorization_url(access_type="offline", prompt="consent")
    memory = {"state": state, "verifier": flow.code_verifier, "redirect_uri": redirect_uri}
    return Consent(_as_configured(url, client.auth_url), state, json.dumps(memory))


def finish(client: Client, memory: str, answer: Mapping[str, str]) -> str:
    """Exchange the code for a grant."""
    begun = json.loads(memory)
    if not hmac.compare_digest(answer.get("state", "").encode(), begun["state"].encode()):
        raise UsageError("this answer belongs to another sign-in: begin again")
    if "error" in answer:
        raise UsageError("Google was not allowed to give access: begin again and agree, or leave it")
    if not answer.get("code"):
        raise UsageError("Google's answer holds no code: begin again")
    flow = _flow(client, redirect_uri=begun["redirect_uri"], state=begun["state"], code_verifier=begun["verifier"])
    flow.oauth2session.register_compliance_hook("access_token_response", _answered)
    flow.oauth2session.max_redirects = 0  # the code and our secret go to the configured endpoint and nowhere else
    try:
        with flow.oauth2session:
            # id and secret in the body, where Google documents them, and not in a header (RFC 6749 §2.3.1)
            token = flow.fetch_token(code=answer["code"], timeout=TIMEOUT, include_client_id=True)
    except OAuth2Error as error:
        raise UsageError(f"Google refused the code ({error.error}): begin again") from None
    except requests.RequestException as error:
        raise Unreachable(f"Google's token endpoint did not answer ({type(error).__name__})") from None
    except Warning as changed:  # oauthlib: the granted scopes are not those asked for
        token = getattr(changed, "token", {})
    granted = token.get("scope") or SCOPES
    held = set(granted.split() if isinstance(granted, str) else granted)
    if missing := {scope for scope in SCOPES if not held & {scope, *_COVERED_BY[scope]}}:
        boxes = ", ".join(sorted(scope.rsplit("/", 1)[-1] for scope in missing))
        raise UsageError(f"not every permission was granted (missing: {boxes}): begin again and tick every box")
    if not token.get("refresh_token"):
        raise UsageError("Google gave no lasting access: remove this app from your Google account and connect anew")
    ends = token.get("expires_at")
    expiry = dt.datetime.fromtimestamp(ends, dt.UTC) if ends else client.now() + USUAL_LIFE
    return Grant(token["access_token"], token["refresh_token"], expiry).dump()


class StoredCredentials(Credentials):
    """Credentials whose every refresh goes through the account's ``TokenStore``: durable before its first use (R29)."""

    def __init__(self, client: Client, tokens: TokenStore) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._client = client
        self._tokens = tokens
        self._adopt(Grant.load(tokens.load()))

    def refresh(self, request: Any = None) -> None:  # noqa: ARG002 - renewing has a transport of its own
        """Called when the token is about to expire, or the API has answered 401 (G-12).

        Raises NeedsReconnect for a dead grant and Unreachable for anything that may pass (R28).
        """
        refused = self.token

        def renewed(grant: str) -> str:
            held = Grant.load(grant)
            if held.access_token != refused:
                return grant  # somebody else has renewed it meanwhile
            return renew(self._client, held).dump()

        self._adopt(Grant.load(self._tokens.exchange(renewed)))

    def _adopt(self, grant: Grant) -> None:
        self.expiry = grant.expiry.astimezone(dt.UTC).replace(tzinfo=None)  # google-auth counts in naive UTC
        self.token = grant.access_token


def renew(client: Client, grant: Grant) -> Grant:
    """Refresh once (G-08). A new refresh token replaces the old one if Google rotates it."""
    user = UserCredentials(  # type: ignore[no-untyped-call]
        None,
        refresh_token=grant.refresh_token,
        token_uri=client.token_url,
        client_id=client.client_id,
        client_secret=client.client_secret,
    )
    try:
        with requests.Session() as session:
            session.max_redirects = 0
            user.refresh(Request(session))  # type: ignore[no-untyped-call]
    except TransportError as error:
        raise Unreachable(f"Google's token endpoint did not answer ({type(error).__name__})") from None
    except RefreshError as error:
        code = _error_code(error)
        if code == "invalid_grant":
            raise NeedsReconnect("Google has ended this grant", status=400, code=code) from None
        raise Unreachable("Google's token endpoint could not renew the grant", code=code) from None
    if not user.token:
        raise Unreachable("Google's token endpoint gave no token")
    expiry = user.expiry.replace(tzinfo=dt.UTC) if user.expiry else client.now() + USUAL_LIFE
    return Grant(user.token, user.refresh_token or grant.refresh_token, expiry)


def revoke(client: Client, grant: str) -> None:
    """End the consent (RFC 7009): its endpoint stands beside the token endpoint (G-07). Raises Unreachable and Refused."""
    url = client.token_url.rpartition("/")[0] + "/revoke"
    try:
        # a redirect would carry the token elsewhere
        answer = requests.post(
            url, data={"token": Grant.load(grant).refresh_token}, timeout=TIMEOUT, allow_redirects=False
        )
    except requests.RequestException as error:
        raise Unreachable(f"Google's revocation endpoint did not answer ({type(error).__name__})") from None
    if answer.ok and not answer.is_redirect:
        return
    code = _code_of(answer)
    if code == "invalid_token":  # revoked or expired already
        return
    kind = Unreachable if answer.status_code == 429 or answer.status_code >= 500 else Refused
    raise kind("Google did not take the consent back", status=answer.status_code, code=code)


def _code_of(answer: requests.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return ""
    code = body.get("error") if isinstance(body, dict) else None
    return code if isinstance(code, str) else ""


class _PlainHttp(requests.adapters.HTTPAdapter):
    """Speaks plain HTTP to the one endpoint that the settings give as http:// (an emulator), though oauthlib was told https.

    oauthlib refuses http:// unless a process-wide environment variable allows it everywhere; so it sees https://, and what was
    configured is put back on the wire. Google's own endpoints are https:// and never come here.
    """

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = "http" + (request.url or "").removeprefix("https")
        return super().send(request, *args, **kwargs)


def _flow(client: Client, *, redirect_uri: str, state: str | None = None, code_verifier: str | None = None) -> Flow:
    config = {
        "web": {
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            "auth_uri": _as_https(client.auth_url),
            "token_uri": _as_https(client.token_url),
            "redirect_uris": [redirect_uri],
        }
    }
    flow = Flow.from_client_config(
        config, client.scopes, redirect_uri=redirect_uri, state=state, code_verifier=code_verifier
    )
    if _as_https(client.token_url) != client.token_url:
        flow.oauth2session.mount(_as_https(client.token_url), _PlainHttp())
    return flow


def _as_https(url: str) -> str:
    return "https" + url.removeprefix("http") if url.startswith("http://") else url


def _as_configured(url: str, auth_url: str) -> str:
    return auth_url + url.removeprefix(_as_https(auth_url))


def _answered(response: requests.Response) -> requests.Response:
    """Tell a service in trouble from a refusal before oauthlib reads the body."""
    if response.status_code == 429 or response.status_code >= 500:
        raise error_for(response.status_code, code="", message="Google's token endpoint is in trouble")
    return response


def _error_code(error: RefreshError) -> str:
    body = error.args[1] if len(error.args) > 1 else None
    code = body.get("error") if isinstance(body, dict) else None
    return code if isinstance(code, str) else ""
