"""MSAL over our own HTTP client, and grants as its token cache (M-02…M-07)."""

import datetime as dt
import json
from urllib.parse import urlsplit

import httpx
import pytest

from bridge.errors import NeedsReconnect, Refused, Unreachable, UsageError
from bridge.providers.graph.oauth import MsalHttp, access_token, home_account
from bridge.providers.graph.provider import GraphProvider
from tests.contracts.bench import KeptTokens
from tests.contracts.graph_bench import REDIRECT, agree, connect, opened

DAYS = dt.timedelta(days=100)


def provider(graph_url, authority, *, client_id="caldav-bridge", client_secret=""):
    return GraphProvider(graph_url, authority, client_id, client_secret, DAYS, DAYS)


@pytest.fixture
def microsoft(sandbox):
    with opened(sandbox) as found:
        yield found


def test_m03_an_authority_may_be_plain_http_and_public(sandbox):
    sandbox.reset()
    made = provider(f"{sandbox.url}/microsoft", f"{sandbox.url}/microsoft/common")
    consent = made.begin(redirect_uri=REDIRECT)
    assert urlsplit(consent.url).scheme == "http"
    grant = made.finish(consent.memory, agree(consent.url))
    assert made.account(KeptTokens(grant)).calendars()
    made.close()


def test_m03_http_endpoints_in_a_discovery_document_become_https_ones_and_are_reached_by_http():
    """An emulator that names its token endpoint as it is, on another port."""
    asked = []

    def answer(request):
        asked.append(str(request.url))
        return httpx.Response(200, json={"token_endpoint": "http://login.test:81/token", "issuer": "https://x/"})

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        http = MsalHttp(client, "http://login.test:80/common")
        document = json.loads(http.get("https://login.test:80/common/v2.0/.well-known/openid-configuration").text)
        assert document == {"token_endpoint": "https://login.test:81/token", "issuer": "https://x/"}
        http.post(document["token_endpoint"], data={"a": "b"})
    assert asked == ["http://login.test/common/v2.0/.well-known/openid-configuration", "http://login.test:81/token"]


@pytest.mark.parametrize(
    ("authority", "discovery"),
    [
        ("https://login.microsoftonline.com", "https://login.microsoftonline.com/common/v2.0"),
        ("https://login.microsoftonline.com/organizations/", "https://login.microsoftonline.com/organizations/v2.0"),
        ("https://emulator.test:8443/tenant", "https://emulator.test:8443/tenant/v2.0"),
        ("http://emulator.test:8080", "http://emulator.test:8080/common/v2.0"),
    ],
)
def test_m02_authorities_with_and_without_a_tenant(authority, discovery):
    asked = []

    def answer(request):
        asked.append(str(request.url))
        raise httpx.ConnectError("none", request=request)

    made = provider("https://graph.test", authority)
    made._http.close()
    object.__setattr__(made._client, "http", httpx.Client(transport=httpx.MockTransport(answer)))
    with pytest.raises(Unreachable):
        made.begin(redirect_uri=REDIRECT)
    assert asked == [f"{discovery}/.well-known/openid-configuration"]
    made._client.http.close()


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://graph.microsoft.com", "https://graph.microsoft.com/v1.0"),
        ("https://graph.microsoft.com/v1.0/", "https://graph.microsoft.com/v1.0"),
        ("http://127.0.0.1:1/microsoft", "http://127.0.0.1:1/microsoft/v1.0"),
    ],
)
def test_m01_the_version_is_added_where_it_is_missing(given, url):
    made = provider(given, "https://login.test/common")
    assert made._url == url
    made.close()


def test_m15_a_window_that_graph_would_not_show_is_refused():
    with pytest.raises(UsageError, match="1825"):
        GraphProvider("https://graph.test", "https://login.test", "id", "", 10 * DAYS, 9 * DAYS)


def test_without_a_registration_nothing_begins():
    made = provider("https://graph.test", "https://login.test", client_id="")
    with pytest.raises(UsageError, match="client_id"):
        made.begin(redirect_uri=REDIRECT)
    made.close()


def test_a_wrong_secret_is_a_setting_and_no_dead_grant(sandbox, microsoft):
    tokens = connect(microsoft)
    sandbox.microsoft.authority.secrets["caldav-bridge"] = "another"
    sandbox.microsoft.expire_tokens()
    with pytest.raises(Refused) as caught:
        microsoft.account(tokens).calendars()
    assert caught.value.code == "invalid_client"
    assert not isinstance(caught.value, NeedsReconnect)


@pytest.mark.parametrize("error", ["interaction_required", "invalid_grant", "consent_required"])
def test_m07_what_only_the_person_can_mend(sandbox, microsoft, error):
    tokens = connect(microsoft)
    sandbox.microsoft.expire_tokens()
    sandbox.microsoft.authority.refuse_next(error)
    with pytest.raises(NeedsReconnect) as caught:
        microsoft.account(tokens).calendars()
    assert caught.value.code == error
    assert len(tokens.durable) == 1


def test_the_token_is_refused_even_after_a_renewal(sandbox, microsoft):
    tokens = connect(microsoft)
    sandbox.faults.inject(
        path="/me/calendars", times=2, status=401, body={"error": {"code": "InvalidAuthenticationToken"}}
    )
    with pytest.raises(NeedsReconnect):
        microsoft.account(tokens).calendars()
    assert len(tokens.durable) == 2


def test_m05_who_it_is_stands_in_the_grant(sandbox, microsoft):
    tokens = connect(microsoft)
    id, address = home_account(tokens.load())
    assert address == "alex@example.com"
    calls = sandbox.microsoft.meter.routes["GET /me"]
    assert microsoft.account(tokens).identity() == (id, address)
    assert sandbox.microsoft.meter.routes["GET /me"] == calls


def test_m05_otherwise_graph_is_asked(sandbox, microsoft):
    tokens = connect(microsoft)
    grant = json.loads(tokens.load())
    del grant["Account"]
    id, address = microsoft.account(KeptTokens(json.dumps(grant))).identity()
    assert id
    assert address == "alex@example.com"


def test_the_mailboxs_zone_is_the_calendars(sandbox, microsoft):
    """X-04, M-10."""
    account = microsoft.account(connect(microsoft))
    assert {each.zone for each in account.calendars()} == {"Europe/Berlin"}
    sandbox.faults.inject(path="/me/mailboxSettings", status=403, body={"error": {"code": "ErrorAccessDenied"}})
    assert {each.zone for each in account.calendars()} == {""}


def test_a_grant_without_tokens_needs_its_owner(sandbox, microsoft):
    assert access_token("{}") == ""
    with pytest.raises(NeedsReconnect):
        microsoft.account(KeptTokens("{}")).calendars()
