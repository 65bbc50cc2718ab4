"""Consent at an authority that does no more than Microsoft's documents ask of it (M-02…M-07)."""

import base64
import json
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bridge.errors import Unreachable
from bridge.providers.graph import oauth
from tests.support.elsewhere import Elsewhere

REDIRECT = "http://127.0.0.1:5232/oauth/microsoft/callback"
SCOPE = "Calendars.ReadWrite User.Read"
DOCUMENT = "/common/v2.0/.well-known/openid-configuration"


def jwt(**claims):
    parts = (json.dumps(each).encode() for each in ({"alg": "none"}, {"sub": "s", "aud": "id", **claims}))
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), "x"])


class Authority(Elsewhere):
    """``document`` is its discovery document (None: it has none), ``extra`` what its token answers hold besides."""

    def __init__(self, document=None, **extra):
        super().__init__(self._answer)
        self._document, self._extra, self._given = document, extra, 0

    def _answer(self, asked):
        if asked.path == DOCUMENT:
            return (404, None) if self._document is None else (200, self._document(self.url))
        if asked.path != "/common/oauth2/v2.0/token":
            return 404, None
        self._given += 1
        tokens = {"access_token": f"access{self._given}", "refresh_token": f"refresh{self._given}"}
        return 200, {"token_type": "Bearer", "expires_in": 3600, "scope": SCOPE, **tokens, **self._extra}


def documented(url):
    paths = {name: f"{url}/common/oauth2/v2.0/{name.partition('_')[0]}" for name in ("token_endpoint",)}
    paths["authorization_endpoint"] = f"{url}/common/oauth2/v2.0/authorize"
    return {"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0", "jwks_uri": f"{url}/keys", **paths}


def secured(url):
    return {name: value.replace("http://", "https://") for name, value in documented(url).items()}


def signed_in(service):
    """(the client, the grant)."""
    with httpx.Client() as http:
        client = oauth.Client(http, f"{service.url}/common", "id", "")
        consent = client.begin(redirect_uri=REDIRECT)
        assert consent.url.startswith(f"{service.url}/common/oauth2/v2.0/authorize?")
        assert parse_qs(urlsplit(consent.url).query)["redirect_uri"] == [REDIRECT]
        answer = {"state": consent.state, "code": "c", "session_state": "s", "iss": "https://elsewhere/v2.0"}
        grant = client.finish(consent.memory, answer)
        return grant, client.renewed(client.renewed(grant))


@pytest.mark.parametrize("document", [None, documented, secured])
def test_m02_the_endpoints_are_found(document):
    with Authority(document) as service:
        grant, _ = signed_in(service)
    assert oauth.access_token(grant) == "access1"


@pytest.mark.parametrize(
    "extra",
    [{}, {"expires_in": "3600"}, {"id_token": jwt()}, {"id_token": "none"}, {"scope": f"https://graph/{SCOPE}"}],
)
def test_m05_a_grant_without_an_account_is_renewed_with_its_latest_refresh_token(extra):
    with Authority(**extra) as service:
        _, renewed = signed_in(service)
        sent = [each.form.get("refresh_token") for each in service.asked if each.path.endswith("/token")]
    assert sent == [None, "refresh1", "refresh2"]
    assert oauth.access_token(renewed) == "access3"
    assert oauth.home_account(renewed) == ("", "")  # so Graph is asked whose it is


def test_an_id_token_for_another_sign_in_is_refused():
    with Authority(id_token=jwt(nonce="another")) as service, pytest.raises(Unreachable):
        signed_in(service)


def test_an_authority_in_trouble_is_not_taken_for_one_without_a_document():
    with Elsewhere(lambda _: (503, None)) as service, httpx.Client() as http, pytest.raises(Unreachable):
        oauth.Client(http, f"{service.url}/common", "id", "").begin(redirect_uri=REDIRECT)
