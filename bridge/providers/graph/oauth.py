"""Consent and grants at Microsoft with MSAL: authorization code with PKCE and state, one refresher at a time (R28, R29).

A grant is MSAL's token cache, serialised (M-06). What MSAL is asked to do it does over our own HTTP client, which also lets
an emulator's authority be plain http (M-03).
"""

from __future__ import annotations

import base64
import hmac
import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import msal
from msal.exceptions import MsalError

from bridge.errors import NeedsReconnect, Refused, Unreachable, UsageError
from bridge.providers.oauth import Consent
from bridge.sync.ports import TokenStore

SCOPES = ("Calendars.ReadWrite", "User.Read", "MailboxSettings.Read")
"""The last tells the mailbox's time zone, where floating times go (M-10, X-04). MSAL adds ``openid profile offline_access``
itself (M-04)."""

TASKS = "Tasks.ReadWrite"
"""Asked for beside them; whoever grants the calendars only is connected all the same, without lists of to-dos."""

DEAD = {"invalid_grant", "interaction_required", "consent_required", "login_required"}
"""Only the person can help (M-07); everything else is either passing or a wrong setting (R28)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What MSAL reads of an HTTP answer."""

    status_code: int
    text: str
    headers: Mapping[str, str]

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise Unreachable("Microsoft's sign-in did not answer as it should", status=self.status_code)


class MsalHttp:
    """The HTTP client MSAL is given. MSAL insists on https (M-03): to it, the origins of an http authority are https ones."""

    def __init__(self, client: httpx.Client, authority: str) -> None:
        self._client = client
        self._plain = {_origin(authority)} if authority.startswith("http://") else set[str]()

    def get(self, url: str, **kwargs: Any) -> Answer:
        answer = self._send("GET", url, **kwargs)
        authority, _, asked = url.partition("/v2.0/.well-known/openid-configuration")
        if authority != url and not asked and answer.status_code == 404:
            return Answer(200, json.dumps(_documented(authority)), {})
        if not self._plain or not urlsplit(url).path.endswith("/openid-configuration") or answer.status_code != 200:
            return answer
        document = json.loads(answer.text)
        self._plain |= {_origin(value) for value in document.values() if _is_plain(value)}
        secured = {
            name: f"https{value.removeprefix('http')}" if _is_plain(value) else value
            for name, value in document.items()
        }
        return Answer(answer.status_code, json.dumps(secured), answer.headers)

    def post(self, url: str, **kwargs: Any) -> Answer:
        answer = self._send("POST", url, **kwargs)
        return _without_loose_identity(answer) if self._plain else answer

    def close(self) -> None:
        """The client belongs to the provider."""

    def real(self, url: str) -> str:
        """Where a URL of MSAL's leads in truth."""
        http = f"http{url.removeprefix('https')}"
        return http if url.startswith("https://") and _origin(http) in self._plain else url

    def _send(self, method: str, url: str, **kwargs: Any) -> Answer:
        known = {name: kwargs[name] for name in ("params", "data", "headers") if kwargs.get(name)}
        try:
            answer = self._client.request(method, self.real(url), **known)
        except httpx.TransportError as error:
            raise Unreachable(f"Microsoft's sign-in did not answer ({type(error).__name__})") from None
        return Answer(answer.status_code, answer.text, dict(answer.headers))


def _documented(authority: str) -> dict[str, str]:
    """The endpoints that Microsoft documents, of an authority that has no document of its own (M-02)."""
    return {
        "issuer": f"{authority}/v2.0",
        "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
        "token_endpoint": f"{authority}/oauth2/v2.0/token",
        "device_authorization_endpoint": f"{authority}/oauth2/v2.0/devicecode",
    }


def _without_loose_identity(answer: Answer) -> Answer:
    """An emulator's token answer, less an ID token that does not carry our nonce: MSAL would refuse the whole answer.

    Who gave consent is then asked of Graph, by the access token. Microsoft itself is https and never comes here.
    """
    try:
        body = dict(json.loads(answer.text))
    except (ValueError, TypeError):
        return answer
    if "id_token" not in body or "nonce" in _claims(body["id_token"]):
        return answer
    del body["id_token"]
    return Answer(answer.status_code, json.dumps(body), answer.headers)


def _claims(token: object) -> dict[str, Any]:
    """What a JWT says, unverified; nothing, if it is none."""
    try:
        part = str(token).split(".")[1]
        return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))
    except (IndexError, ValueError, TypeError):
        return {}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and value.startswith("http://")


@dataclass(frozen=True)
class Client:
    """The app registration in Entra and the authority that it talks to (M-02). ``tasks``: consent asks for the to-dos, too."""

    http: httpx.Client
    authority: str
    client_id: str
    client_secret: str
    tasks: bool = True

    @property
    def scopes(self) -> list[str]:
        return [*SCOPES, TASKS] if self.tasks else [*SCOPES]

    def begin(self, *, redirect_uri: str) -> Consent:
        """Make the address of the consent page. Asks the authority where that is: raises Unreachable."""
        if not self.client_id:
            raise UsageError("no Microsoft app registration is set: put [microsoft] client_id into the settings")
        app, http = self._app(msal.SerializableTokenCache())
        with _words(), warnings.catch_warnings():
            # The answer comes in the query: a form posted from another site would arrive without our session's cookie
            warnings.filterwarnings("ignore", message="response_mode='form_post'")
            flow = app.initiate_auth_code_flow(self.scopes, redirect_uri=redirect_uri, prompt="select_account")
        return Consent(http.real(flow["auth_uri"]), flow["state"], json.dumps(flow))

    def finish(self, memory: str, answer: Mapping[str, str]) -> str:
        """Exchange the answer's code for a grant."""
        flow = json.loads(memory)
        if not hmac.compare_digest(answer.get("state", "").encode(), flow["state"].encode()):
            raise UsageError("this answer belongs to another sign-in: begin again")
        if "error" in answer:
            raise UsageError("Microsoft was not allowed to give access: begin again and agree, or leave it")
        if not answer.get("code"):
            raise UsageError("Microsoft's answer holds no code: begin again")
        cache = msal.SerializableTokenCache()
        app, _ = self._app(cache)
        with _words():
            result = app.acquire_token_by_auth_code_flow(flow, dict(answer))
        if "error" in result:
            raise UsageError(f"Microsoft refused the code ({result['error']}): begin again")
        if SCOPES[0].lower() not in result.get("scope", SCOPES[0]).lower():
            raise UsageError("access to the calendars was not granted: begin again and agree to it")
        grant: str = cache.serialize()
        if not _found(grant, msal.TokenCache.CredentialType.REFRESH_TOKEN):
            raise UsageError("Microsoft gave no lasting access: begin again")
        return grant

    def renewed(self, grant: str) -> str:
        """A grant with a new access token, and with the new refresh token where one came along (M-07)."""
        cache = msal.SerializableTokenCache()
        cache.deserialize(grant)
        app, _ = self._app(cache)
        scopes = _granted(grant)
        with _words():
            people, tokens = app.get_accounts(), _found(grant, msal.TokenCache.CredentialType.REFRESH_TOKEN)
            if people:
                result = app.acquire_token_silent_with_error(scopes, people[0], force_refresh=True)
            else:  # an answer without an ID token makes no account (M-05)
                latest = max(tokens, key=lambda token: int(token["last_modification_time"]), default=None)
                result = latest and app.acquire_token_by_refresh_token(latest["secret"], scopes)
        if not result:
            raise NeedsReconnect("the grant holds no refresh token")
        if "error" in result:
            code = str(result["error"])
            kind = NeedsReconnect if code in DEAD else Unreachable if code in _PASSING else Refused
            raise kind("Microsoft did not renew the access", status=400, code=code)
        renewed: str = cache.serialize()
        return renewed

    def _app(self, cache: msal.SerializableTokenCache) -> tuple[Any, MsalHttp]:
        """MSAL looks the authority up at once, hence one app for each use: it must not fail a server's start."""
        http = MsalHttp(self.http, self.authority)
        settings: dict[str, Any] = {
            "authority": f"https{self.authority.removeprefix('http').removeprefix('s')}",
            "token_cache": cache,
            "http_client": http,
            "instance_discovery": False,
        }
        with _words():
            if self.client_secret:
                app = msal.ConfidentialClientApplication(
                    self.client_id, client_credential=self.client_secret, **settings
                )
            else:
                app = msal.PublicClientApplication(self.client_id, **settings)
        return app, http


_PASSING = {"temporarily_unavailable", "server_error", "slow_down"}


@contextmanager
def _words() -> Iterator[None]:
    """MSAL's exceptions in our own: it raises ValueError and RuntimeError for answers that it cannot read."""
    try:
        yield
    except (MsalError, ValueError, RuntimeError, KeyError) as error:
        raise Unreachable(f"Microsoft's sign-in did not answer as it should ({type(error).__name__})") from None


def _found(grant: str, kind: str) -> list[dict[str, Any]]:
    cache = msal.SerializableTokenCache()
    cache.deserialize(grant)
    return list(cache.search(kind))


def _granted(grant: str) -> list[str]:
    """What to ask for again: never more than was granted, or the renewal would be refused (R28).

    Grants are older than the to-dos, or were given without them. What else we ask for was always asked for.
    """
    kinds = (msal.TokenCache.CredentialType.REFRESH_TOKEN, msal.TokenCache.CredentialType.ACCESS_TOKEN)
    targets = (str(token.get("target") or "") for kind in kinds for token in _found(grant, kind))
    named = {scope.rpartition("/")[2].lower() for target in targets for scope in target.split()}
    return [*SCOPES, TASKS] if TASKS.lower() in named else [*SCOPES]


def home_account(grant: str) -> tuple[str, str]:
    """(home account id, user name) of the person who gave the grant (M-05); "" where Microsoft did not say."""
    accounts = _found(grant, msal.TokenCache.CredentialType.ACCOUNT)
    if not accounts:
        return "", ""
    return accounts[0].get("home_account_id") or "", accounts[0].get("username") or ""


def access_token(grant: str) -> str:
    """The youngest access token of a grant; "" if it holds none."""
    tokens = _found(grant, msal.TokenCache.CredentialType.ACCESS_TOKEN)
    return max(tokens, key=lambda token: int(token["expires_on"]))["secret"] if tokens else ""


class AccessTokens:
    """The account's access token, renewed when Graph refuses it, not by a clock of ours.

    Each renewal runs under the account's lock and is durable before its first use; whoever comes second finds the first
    one's token and uses that (R29).
    """

    def __init__(self, renew: Callable[[str], str], store: TokenStore) -> None:
        self._renew = renew
        self._store = store
        self._token = ""

    def current(self) -> str:
        self._token = self._token or access_token(self._store.load())
        return self._token or self.instead_of("")

    def instead_of(self, refused: str) -> str:
        """A token for one that Graph does not take any more. Raises NeedsReconnect, Unreachable."""

        def refresh(grant: str) -> str:
            return grant if access_token(grant) not in ("", refused) else self._renew(grant)

        self._token = access_token(self._store.exchange(refresh))
        return self._token

    def home_account(self) -> tuple[str, str]:
        return home_account(self._store.load())
