"""Grants: codes, access tokens and refresh tokens (RFC 6749, RFC 7636; G-07…G-14)."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from bridge.sandbox.clock import Clock
from bridge.sandbox.google import schema
from bridge.sandbox.google.switches import Switches

ACCESS_LIFE = dt.timedelta(hours=1)
CODE_LIFE = dt.timedelta(minutes=10)
UNUSED_LIFE = dt.timedelta(days=183)
TESTING_LIFE = dt.timedelta(days=7)
MOST_GRANTS = 100
"""Live refresh tokens of one person and client; the oldest dies in silence (G-10)."""
PROFILE = ("openid", "email", "profile")
PROFILE_URLS = tuple(f"https://www.googleapis.com/auth/userinfo.{name}" for name in ("email", "profile"))


class Denied(Exception):
    """What the token endpoint answers instead of a token (RFC 6749, 5.2)."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


@dataclass(frozen=True, slots=True)
class Ask:
    """A request for consent that is in order."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str
    challenge: str
    offline: bool
    prompt_consent: bool
    hint: str


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code, good once."""

    ask: Ask
    person: str
    scopes: tuple[str, ...]
    expires: dt.datetime
    refreshable: bool


@dataclass(frozen=True, slots=True)
class Access:
    """An access token's worth."""

    person: str
    client_id: str
    scopes: tuple[str, ...]
    expires: dt.datetime
    grant: str
    """The refresh token it came with, "" for none."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A refresh token's worth."""

    person: str
    client_id: str
    scopes: tuple[str, ...]
    issued: dt.datetime
    used: dt.datetime


def read_ask(query: dict[str, str]) -> Ask:
    """Check what the authorize page was asked. ValueError with the reason, to be shown to the person, if it will not do."""
    client_id, redirect = query.get("client_id", ""), urlsplit(query.get("redirect_uri", ""))
    if not client_id:
        raise ValueError("Missing required parameter: client_id")
    loopback = redirect.hostname in ("127.0.0.1", "localhost", "::1")
    if (
        not redirect.hostname
        or redirect.fragment
        or redirect.scheme not in (("http", "https") if loopback else ("https",))
    ):
        raise ValueError("redirect_uri must be https, or http on this machine, and have no fragment")
    if query.get("response_type") != "code":
        raise ValueError("Invalid parameter value for response_type: code is the only one here")
    scopes = tuple(dict.fromkeys(query.get("scope", "").split()))
    unknown = [each for each in scopes if each not in schema.scopes() and each not in PROFILE + PROFILE_URLS]
    if not scopes or unknown:
        raise ValueError(f"Some requested scopes were invalid: {', '.join(unknown) or 'none was given'}")
    challenge = query.get("code_challenge", "")
    if (challenge or query.get("code_challenge_method")) and query.get("code_challenge_method") != "S256":
        raise ValueError("code_challenge_method must be S256")
    if challenge and len(challenge) != 43:
        raise ValueError("code_challenge must be the base64url form of a SHA-256")
    if query.get("access_type", "online") not in ("online", "offline"):
        raise ValueError("access_type is online or offline")
    return Ask(
        client_id,
        query["redirect_uri"],
        scopes,
        query.get("state", ""),
        challenge,
        query.get("access_type") == "offline",
        "consent" in query.get("prompt", "").split(),
        query.get("login_hint", ""),
    )


class Grants:
    """Who let which client do what."""

    def __init__(self, clock: Clock, switches: Switches) -> None:
        self._clock = clock
        self._switches = switches
        self.codes: dict[str, Code] = {}
        self.access: dict[str, Access] = {}
        self.refresh: dict[str, Grant] = {}
        self._consented: set[tuple[str, str]] = set()

    def consent(self, ask: Ask, person: str, scopes: tuple[str, ...]) -> str:
        """The person agreed, to those scopes of the asked ones; an authorization code.

        A refresh token comes with the first consent for offline use, later only if the client insisted (G-11).
        """
        first = (person, ask.client_id) not in self._consented
        self._consented.add((person, ask.client_id))
        code = f"4/0{secrets.token_urlsafe(32)}"
        refreshable = ask.offline and (first or ask.prompt_consent)
        self.codes[code] = Code(ask, person, scopes, self._clock() + CODE_LIFE, refreshable)
        return code

    def exchange(self, code: str, client_id: str, redirect_uri: str, verifier: str) -> dict[str, object]:
        """The token answer for a code, which is used up even if refused."""
        held = self.codes.pop(code, None)
        if held is None or held.expires <= self._clock():
            raise Denied("invalid_grant", "Malformed auth code.")
        if held.ask.client_id != client_id:
            raise Denied("invalid_grant", "The code was issued to another client.")
        if held.ask.redirect_uri != redirect_uri:
            raise Denied("redirect_uri_mismatch", "Bad Request")
        if held.ask.challenge:
            digest = hashlib.sha256(verifier.encode()).digest()
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != held.ask.challenge:
                raise Denied("invalid_grant", "Invalid code verifier.")
        elif verifier:
            raise Denied("invalid_grant", "code_verifier or verifier is not needed.")
        grant = ""
        if held.refreshable:
            grant = self._new_grant(Grant(held.person, client_id, held.scopes, self._clock(), self._clock()))
        answer = self._new_access(held.person, client_id, held.scopes, grant)
        return answer | ({"refresh_token": grant} if grant else {})

    def renew(self, token: str, client_id: str, scopes: tuple[str, ...]) -> dict[str, object]:
        """The token answer for a refresh token (G-08), without a new refresh token unless they rotate."""
        grant = self.refresh.get(token)
        now = self._clock()
        dead = (
            grant is None
            or now - grant.used > UNUSED_LIFE
            or (self._switches.testing and now - grant.issued > TESTING_LIFE)
        )
        if grant is None or dead:
            raise Denied("invalid_grant", "Token has been expired or revoked.")  # G-09
        if grant.client_id != client_id:
            raise Denied("unauthorized_client", "Unauthorized", 401)
        if set(scopes) - set(grant.scopes):
            raise Denied("invalid_scope", "Some requested scopes were not granted.")
        self.refresh[token] = replace(grant, used=now)
        if not self._switches.rotate_refresh_tokens:
            return self._new_access(grant.person, client_id, scopes or grant.scopes, token)
        del self.refresh[token]
        fresh = self._new_grant(replace(grant, issued=now, used=now))
        return self._new_access(grant.person, client_id, scopes or grant.scopes, fresh) | {"refresh_token": fresh}

    def of(self, token: str) -> Access | None:
        """What an access token allows; None if it is unknown or expired."""
        access = self.access.get(token)
        return access if access is not None and access.expires > self._clock() else None

    def revoke(self, token: str) -> bool:
        """End a grant by either of its tokens; False if it is unknown."""
        if token in self.access:
            grant = self.access.pop(token).grant
            return self._end(grant) or True
        return self._end(token)

    def expire_access(self, person: str | None = None) -> int:
        """Let access tokens expire now."""
        gone = [token for token, each in self.access.items() if person in (None, each.person)]
        for token in gone:
            del self.access[token]
        return len(gone)

    def kill(self, person: str | None = None) -> int:
        """Revoke grants, as if the people had done so in their account settings."""
        gone = [token for token, each in self.refresh.items() if person in (None, each.person)]
        for token in gone:
            self._end(token)
        self._consented = {each for each in self._consented if person not in (None, each[0])}
        return len(gone)

    def _end(self, grant: str) -> bool:
        if grant not in self.refresh:
            return False
        del self.refresh[grant]
        for token in [token for token, each in self.access.items() if each.grant == grant]:
            del self.access[token]
        return True

    def _new_grant(self, grant: Grant) -> str:
        token = f"1//0{secrets.token_urlsafe(48)}"
        self.refresh[token] = grant
        same = [
            each
            for each, held in self.refresh.items()
            if (held.person, held.client_id) == (grant.person, grant.client_id)
        ]
        for oldest in same[:-MOST_GRANTS]:
            self._end(oldest)
        return token

    def _new_access(self, person: str, client_id: str, scopes: tuple[str, ...], grant: str) -> dict[str, object]:
        token = f"ya29.{secrets.token_urlsafe(48)}"
        self.access[token] = Access(person, client_id, scopes, self._clock() + ACCESS_LIFE, grant)
        seconds = int(ACCESS_LIFE.total_seconds())
        return {"access_token": token, "expires_in": seconds, "scope": " ".join(scopes), "token_type": "Bearer"}
