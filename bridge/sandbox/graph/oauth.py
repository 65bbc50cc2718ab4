"""Who may call: Entra's grants and tokens as MSAL sees them (M-02…M-10). No HTTP here; the pages are in signin.py."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bridge.sandbox.graph.errors import GraphError
from bridge.sandbox.graph.mailbox import Person

ACCESS_LIFE = dt.timedelta(hours=1)
CODE_LIFE = dt.timedelta(minutes=10)
REFRESH_LIFE = dt.timedelta(days=90)
DEVICE_LIFE = dt.timedelta(minutes=15)
_OPENID = frozenset({"openid", "profile", "offline_access", "email"})
KNOWN_SCOPES = frozenset({
    "Calendars.Read", "Calendars.ReadBasic", "Calendars.ReadWrite", "Calendars.Read.Shared", "Calendars.ReadWrite.Shared",
    "MailboxSettings.Read", "MailboxSettings.ReadWrite", "Tasks.Read", "Tasks.ReadWrite", "User.Read",
})  # fmt: skip


class Denied(Exception):
    """The token endpoint's refusal: OAuth's word, and Entra's number (M-07)."""

    def __init__(self, error: str, number: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.error = error
        self.number = number
        self.status = status

    def view(self, now: dt.datetime) -> dict[str, Any]:
        """The body of the answer."""
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: {self}",
            "error_codes": [self.number],
            "timestamp": f"{now:%Y-%m-%d %H:%M:%SZ}",
            "trace_id": str(uuid.uuid4()),
            "correlation_id": str(uuid.uuid4()),
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """What an application asked a person for at the authorize page or by a device code."""

    app: str
    scopes: tuple[str, ...]
    redirect_uri: str = ""
    challenge: str = ""
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class _Code:
    asked: Asked
    person: Person
    expires: dt.datetime


@dataclass(frozen=True, slots=True)
class _Device:
    asked: Asked
    user_code: str
    expires: dt.datetime
    person: Person | None = None
    declined: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """A refresh token; ``family`` is common to all that came of one consent."""

    family: str
    app: str
    person: Person
    scopes: tuple[str, ...]
    expires: dt.datetime


@dataclass(frozen=True, slots=True)
class Access:
    """An access token; ``person`` None: app-only (M-09)."""

    app: str
    person: Person | None
    scopes: frozenset[str]
    expires: dt.datetime
    family: str = ""


class Authority:
    """Codes, grants and tokens by the clock. Its callers hold the service's lock."""

    def __init__(self, clock: Callable[[], dt.datetime]) -> None:
        self._clock = clock
        self.secrets: dict[str, str] = {}
        """Client secrets by client id; an app that is not in here may come with any or none."""
        self.revoke_used = False
        """Whether a used refresh token dies at once; the real one lets it live (M-07)."""
        self.clear()

    def clear(self) -> None:
        """Forget every code and token."""
        self._codes: dict[str, _Code] = {}
        self._grants: dict[str, Grant] = {}
        self._access: dict[str, Access] = {}
        self._devices: dict[str, _Device] = {}
        self._used: set[str] = set()
        self._refuse: list[str] = []

    def refuse_next(self, error: str = "interaction_required") -> None:
        """Let the next refresh fail with this OAuth error."""
        self._refuse.append(error)

    def expire_access(self, person: Person | None = None) -> int:
        """Let access tokens expire now; how many lived."""
        now, count = self._clock(), 0
        for token, each in self._access.items():
            if each.expires > now and person in (None, each.person):
                self._access[token] = replace(each, expires=now)
                count += 1
        return count

    def kill_grants(self, person: Person | None = None) -> int:
        """Revoke refresh tokens and the access tokens that came of them; how many."""
        dead = {token for token, each in self._grants.items() if person in (None, each.person)}
        families = {self._grants.pop(token).family for token in dead}
        self._access = {token: each for token, each in self._access.items() if each.family not in families}
        return len(dead)

    def code(self, asked: Asked, person: Person) -> str:
        """The person allowed it: a code, to be used once."""
        code = "M." + secrets.token_urlsafe(40)
        self._codes[code] = _Code(asked, person, self._clock() + CODE_LIFE)
        return code

    def device(self, asked: Asked) -> tuple[str, str]:
        """A device code and the user code that belongs to it (M-08)."""
        device = secrets.token_urlsafe(40)
        user_code = "".join(secrets.choice("BCDFGHJKLMNPQRSTVWXZ23456789") for _ in range(9))
        self._devices[device] = _Device(asked, user_code, self._clock() + DEVICE_LIFE)
        return device, user_code

    def device_asked(self, user_code: str) -> Asked | None:
        """What is asked for under a user code that still waits."""
        found = self._waiting(user_code)
        return self._devices[found].asked if found else None

    def settle_device(self, user_code: str, person: Person | None) -> bool:
        """The person allowed it, or declined (None); False if the code does not wait."""
        found = self._waiting(user_code)
        if found:
            self._devices[found] = replace(self._devices[found], person=person, declined=person is None)
        return found is not None

    def token(self, form: Mapping[str, str], *, issuer: str) -> dict[str, Any]:
        """The token endpoint. Raises Denied."""
        app = form.get("client_id", "")
        if not app:
            raise Denied(
                "invalid_request", 900144, "The request body must contain the following parameter: 'client_id'."
            )
        if app in self.secrets and form.get("client_secret", "") != self.secrets[app]:
            raise Denied("invalid_client", 7000215, "Invalid client secret provided.", 401)
        match form.get("grant_type"):
            case "authorization_code":
                return self._by_code(app, form, issuer)
            case "refresh_token":
                return self._by_refresh(app, form, issuer)
            case "client_credentials":
                return self._by_secret(app, form)
            case "urn:ietf:params:oauth:grant-type:device_code" | "device_code":
                return self._by_device(app, form, issuer)
            case kind:
                raise Denied("unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{kind}'.")

    def access(self, header: str) -> Access:
        """Who calls, by the Authorization header. Raises 401 ``InvalidAuthenticationToken``."""
        kind, _, token = header.partition(" ")
        found = self._access.get(token.strip()) if kind.lower() == "bearer" else None
        if found is None:
            raise _unauthenticated("Access token is empty." if not header else "CompactToken validation failed.")
        if found.expires <= self._clock():
            raise _unauthenticated("Lifetime validation failed, the token is expired.")
        return found

    def _by_code(self, app: str, form: Mapping[str, str], issuer: str) -> dict[str, Any]:
        text = form.get("code", "")
        if text in self._used:
            raise Denied("invalid_grant", 54005, "OAuth2 Authorization code was already redeemed.")
        found = self._codes.pop(text, None)
        if found is None or found.asked.app != app:
            raise Denied("invalid_grant", 9002313, "Invalid request. Request is malformed or invalid.")
        self._used.add(text)
        if found.expires <= self._clock():
            raise Denied("invalid_grant", 70008, "The provided authorization code has expired.")
        if found.asked.redirect_uri != form.get("redirect_uri", ""):
            raise Denied(
                "invalid_client", 500112, "The reply address does not match the one of the authorization request."
            )
        verifier = form.get("code_verifier", "")
        hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if found.asked.challenge and hashed != found.asked.challenge:
            raise Denied("invalid_grant", 501481, "The Code_Verifier does not match the code_challenge.")
        return self._issue(found.asked, found.person, str(uuid.uuid4()), issuer)

    def _by_refresh(self, app: str, form: Mapping[str, str], issuer: str) -> dict[str, Any]:
        if self._refuse:
            error = self._refuse.pop(0)
            raise Denied(
                error, 50076, "Due to a configuration change made by your administrator, you must sign in again."
            )
        text = form.get("refresh_token", "")
        grant = self._grants.get(text)
        if grant is None or grant.app != app:
            raise Denied("invalid_grant", 50173, "The provided grant has expired due to it being revoked.")
        if grant.expires <= self._clock():
            raise Denied("invalid_grant", 700082, "The refresh token has expired due to inactivity.")
        wanted = _scopes(form.get("scope", "")) or grant.scopes
        if not set(wanted) - _OPENID <= set(grant.scopes):
            raise Denied("invalid_grant", 65001, "The user or administrator has not consented to use the application.")
        if self.revoke_used:
            del self._grants[text]
        asked = Asked(app, tuple(dict.fromkeys((*wanted, *(_OPENID & set(grant.scopes))))))
        return self._issue(asked, grant.person, grant.family, issuer, granted=grant.scopes)

    def _by_secret(self, app: str, form: Mapping[str, str]) -> dict[str, Any]:
        if not form.get("scope", "").endswith("/.default"):
            raise Denied("invalid_scope", 1002012, "The provided value for scope is not valid: it ends with /.default.")
        if not form.get("client_secret") and not form.get("client_assertion"):
            raise Denied(
                "invalid_client", 7000218, "The request body must contain client_assertion or client_secret.", 401
            )
        token = self._access_token(app, None, KNOWN_SCOPES, "")
        return {"token_type": "Bearer", "expires_in": _seconds(ACCESS_LIFE), "access_token": token}

    def _by_device(self, app: str, form: Mapping[str, str], issuer: str) -> dict[str, Any]:
        text = form.get("device_code", "")
        found = self._devices.get(text)
        if found is None or found.asked.app != app:
            raise Denied("invalid_grant", 70000, "The provided device code is not valid.")
        if found.expires <= self._clock():
            raise Denied("expired_token", 70020, "The provided device code has expired.")
        if found.declined:
            raise Denied("authorization_declined", 65004, "User declined to consent to access the app.")
        if found.person is None:
            raise Denied("authorization_pending", 70016, "OAuth 2.0 device flow: authorization is pending.")
        del self._devices[text]
        return self._issue(found.asked, found.person, str(uuid.uuid4()), issuer)

    def _issue(
        self, asked: Asked, person: Person, family: str, issuer: str, *, granted: Iterable[str] = ()
    ) -> dict[str, Any]:
        now = self._clock()
        graph = [scope for scope in asked.scopes if scope not in _OPENID]
        answer: dict[str, Any] = {
            "token_type": "Bearer",
            "scope": " ".join(graph),
            "expires_in": _seconds(ACCESS_LIFE),
            "ext_expires_in": _seconds(ACCESS_LIFE),
            "access_token": self._access_token(asked.app, person, frozenset(graph), family),
        }
        if "offline_access" in (*asked.scopes, *granted):
            refresh = "1.A" + secrets.token_urlsafe(48)
            kept = tuple(dict.fromkeys((*granted, *asked.scopes)))
            self._grants[refresh] = Grant(family, asked.app, person, kept, now + REFRESH_LIFE)
            answer["refresh_token"] = refresh
        if "openid" in asked.scopes:
            claims = {
                "ver": "2.0", "iss": issuer, "aud": asked.app, "sub": person.id, "oid": person.id, "tid": person.tenant,
                "name": person.name, "preferred_username": person.address, "iat": int(now.timestamp()),
                "nbf": int(now.timestamp()), "exp": int((now + ACCESS_LIFE).timestamp()),
                **({"nonce": asked.nonce} if asked.nonce else {}),
            }  # fmt: skip
            answer["id_token"] = f"{_encoded({'typ': 'JWT', 'alg': 'none'})}.{_encoded(claims)}."
        answer["client_info"] = _encoded({"uid": person.id, "utid": person.tenant})
        return answer

    def _access_token(self, app: str, person: Person | None, scopes: frozenset[str], family: str) -> str:
        token = "EwB" + secrets.token_urlsafe(60)
        self._access[token] = Access(app, person, scopes, self._clock() + ACCESS_LIFE, family)
        return token

    def _waiting(self, user_code: str) -> str | None:
        wanted, now = user_code.replace("-", "").strip().upper(), self._clock()
        return next(
            (
                device
                for device, each in self._devices.items()
                if each.user_code == wanted and each.expires > now and each.person is None and not each.declined
            ),
            None,
        )


def asked_for(values: Mapping[str, str]) -> Asked:
    """What an authorize or device request asks for. Raises Denied, which is shown to the person."""
    if not values.get("client_id"):
        raise Denied("invalid_request", 900144, "The request must contain the following parameter: 'client_id'.")
    scopes = _scopes(values.get("scope", ""))
    unknown = set(scopes) - _OPENID - KNOWN_SCOPES
    if unknown or not set(scopes) - _OPENID:
        raise Denied(
            "invalid_scope", 70011, f"The provided value for the input parameter 'scope' is not valid: {unknown or ''}"
        )
    if values.get("code_challenge") and values.get("code_challenge_method") != "S256":
        raise Denied("invalid_request", 501491, "The code_challenge_method has to be S256.")
    return Asked(
        values["client_id"],
        scopes,
        values.get("redirect_uri", ""),
        values.get("code_challenge", ""),
        values.get("nonce", ""),
    )


def _scopes(text: str) -> tuple[str, ...]:
    """Scopes without the resource in front of them."""
    return tuple(dict.fromkeys(scope.removeprefix("https://graph.microsoft.com/") for scope in text.split()))


def _unauthenticated(message: str) -> GraphError:
    return GraphError(
        401,
        "InvalidAuthenticationToken",
        message,
        headers={"WWW-Authenticate": 'Bearer realm="", error="invalid_token"'},
    )


def _encoded(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _seconds(span: dt.timedelta) -> int:
    return int(span.total_seconds())
