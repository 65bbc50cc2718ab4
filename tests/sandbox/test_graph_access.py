"""The simulated Graph: sign-in through the real MSAL, tokens, scopes, throttling, batches."""

import contextlib
import datetime as dt
import re
import threading
from urllib.parse import parse_qsl, urlsplit

import httpx
import msal
import pytest

from bridge.sandbox.server import Sandbox
from tests.support.simulated_graph import body, client, code, made, tokens

GRAPH = ["Calendars.ReadWrite", "User.Read"]
REDIRECT = "http://localhost:1/cb"
PLAIN = httpx.Client(verify=False, timeout=20)

# MSAL recommends form_post; the bridge may use either, so both are tried here.
pytestmark = pytest.mark.filterwarnings("ignore:response_mode='form_post' is recommended:UserWarning")


class Plain:
    """MSAL's http_client: MSAL demands https addresses (M-03), the sandbox speaks http."""

    def __init__(self):
        self.client = httpx.Client(verify=False)

    def get(self, url, params=None, headers=None, **_):
        return self.client.get(url.replace("https://", "http://"), params=params, headers=headers)

    def post(self, url, params=None, data=None, headers=None, **_):
        return self.client.post(url.replace("https://", "http://"), params=params, data=data, headers=headers)

    def close(self):
        self.client.close()


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as running, PLAIN:
        yield running


@pytest.fixture
def api(sandbox):
    sandbox.reset()
    with client(sandbox.microsoft) as connected:
        yield connected


@pytest.fixture
def app(sandbox):
    sandbox.reset()
    plain = Plain()
    authority = sandbox.microsoft.base_url.replace("http://", "https://") + "/common"
    yield msal.PublicClientApplication("bridge", authority=authority, instance_discovery=False, http_client=plain)
    plain.close()


def decide(flow, decision="allow", person="alex@example.com"):
    """Press a button on the consent page; where the browser is sent."""
    page = PLAIN.get(flow["auth_uri"])
    assert page.status_code == 200, page.text
    assert person in page.text
    form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    form = {name: value.replace("&amp;", "&") for name, value in form.items()}
    address = flow["auth_uri"].partition("?")[0]
    return PLAIN.post(address, data=form | {"person": person, "decision": decision})


def signed_in(app):
    flow = app.initiate_auth_code_flow(GRAPH, redirect_uri=REDIRECT)
    answer = decide(flow)
    assert answer.status_code == 302
    result = app.acquire_token_by_auth_code_flow(flow, dict(parse_qsl(urlsplit(answer.headers["location"]).query)))
    assert "access_token" in result, result
    return result


def test_m02_m05_auth_code_flow_with_pkce(app, sandbox):
    result = signed_in(app)
    assert result["id_token_claims"]["preferred_username"] == "alex@example.com"
    assert app.get_accounts()[0]["home_account_id"].startswith(result["id_token_claims"]["oid"])
    me = PLAIN.get(
        f"{sandbox.microsoft.base_url}/v1.0/me", headers={"Authorization": f"Bearer {result['access_token']}"}
    )
    assert me.json()["mail"] == "alex@example.com"


def test_m07_refresh_tokens_rotate(app, sandbox):
    first = signed_in(app)
    second = app.acquire_token_silent_with_error(GRAPH, account=app.get_accounts()[0], force_refresh=True)
    assert second["access_token"] != first["access_token"]
    again = PLAIN.post(
        f"{sandbox.microsoft.base_url}/common/oauth2/v2.0/token",
        data={"client_id": "bridge", "grant_type": "refresh_token", "refresh_token": first["refresh_token"]},
    )
    assert again.status_code == 200
    assert again.json()["refresh_token"] != first["refresh_token"]


def test_m07_a_used_refresh_token_may_die(app, sandbox):
    sandbox.microsoft.configure({"revoke_used_refresh_tokens": True})
    first = signed_in(app)
    form = {"client_id": "bridge", "grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    where = f"{sandbox.microsoft.base_url}/common/oauth2/v2.0/token"
    assert [PLAIN.post(where, data=form).status_code for _ in range(2)] == [200, 400]


def test_m06_interaction_required_on_demand(app, sandbox):
    signed_in(app)
    sandbox.microsoft.authority.refuse_next("interaction_required")
    refused = app.acquire_token_silent_with_error(GRAPH, account=app.get_accounts()[0], force_refresh=True)
    assert refused["error"] == "interaction_required"


def test_m06_m07_dead_grants(app, sandbox):
    signed_in(app)
    account = app.get_accounts()[0]
    assert sandbox.microsoft.kill_grants("alex@example.com") == 1
    dead = app.acquire_token_silent_with_error(GRAPH, account=account, force_refresh=True)
    assert dead["error"] == "invalid_grant"
    assert dead["error_description"].startswith("AADSTS50173")


def test_missing_consent(app):
    signed_in(app)
    more = app.acquire_token_silent_with_error(
        [*GRAPH, "Tasks.Read"], account=app.get_accounts()[0], force_refresh=True
    )
    assert more["error_description"].startswith("AADSTS65001")


def test_declining(app):
    flow = app.initiate_auth_code_flow(GRAPH, redirect_uri=REDIRECT)
    answer = dict(parse_qsl(urlsplit(decide(flow, "deny").headers["location"]).query))
    assert (answer["error"], answer["state"]) == ("access_denied", flow["state"])
    assert app.acquire_token_by_auth_code_flow(flow, answer)["error"] == "access_denied"


def test_form_post(app):
    flow = app.initiate_auth_code_flow(GRAPH, redirect_uri=REDIRECT, response_mode="form_post")
    page = decide(flow)
    assert page.status_code == 200
    assert f'action="{REDIRECT}"' in page.text
    answer = dict(re.findall(r'name="(code|state)" value="([^"]+)"', page.text))
    assert "access_token" in app.acquire_token_by_auth_code_flow(flow, answer)


def test_a_code_works_once_and_only_with_its_verifier(app):
    flow = app.initiate_auth_code_flow(GRAPH, redirect_uri=REDIRECT)
    answer = dict(parse_qsl(urlsplit(decide(flow).headers["location"]).query))
    wrong = app.acquire_token_by_auth_code_flow(flow | {"code_verifier": "x" * 50}, answer)
    assert wrong["error"] == "invalid_grant"
    flow = app.initiate_auth_code_flow(GRAPH, redirect_uri=REDIRECT)
    answer = dict(parse_qsl(urlsplit(decide(flow).headers["location"]).query))
    assert "access_token" in app.acquire_token_by_auth_code_flow(flow, answer)
    assert app.acquire_token_by_auth_code_flow(flow, answer)["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "change", [{"redirect_uri": "http://evil.example/cb"}, {"client_id": ""}, {"scope": "Mail.Send"}]
)
def test_a_wrong_request_is_shown_and_not_sent_back(app, change):
    flow = app.initiate_auth_code_flow(GRAPH, redirect_uri=REDIRECT)
    address, _, query = flow["auth_uri"].partition("?")
    assert PLAIN.get(address, params=dict(parse_qsl(query)) | change).status_code == 400


def test_m08_device_flow(app, sandbox):
    flow = app.initiate_device_flow(GRAPH)
    flow["expires_at"] = 0  # poll once
    assert app.acquire_token_by_device_flow(flow)["error"] == "authorization_pending"
    assert PLAIN.get(flow["verification_uri"], params={"user_code": "WRONG"}).status_code == 400
    form = {"user_code": flow["user_code"], "person": "megan@example.com", "decision": "allow"}
    assert PLAIN.post(flow["verification_uri"], data=form).status_code == 200
    result = app.acquire_token_by_device_flow(flow)
    assert result["id_token_claims"]["preferred_username"] == "megan@example.com"


def test_m09_app_only(sandbox):
    sandbox.reset()
    form = {"client_id": "daemon", "grant_type": "client_credentials", "client_secret": "s",
            "scope": "https://graph.microsoft.com/.default"}  # fmt: skip
    answer = PLAIN.post(f"{sandbox.microsoft.base_url}/common/oauth2/v2.0/token", data=form).json()
    with httpx.Client(headers={"Authorization": f"Bearer {answer['access_token']}"}) as api:
        base = f"{sandbox.microsoft.base_url}/v1.0"
        assert api.get(f"{base}/me/events").status_code == 400
        assert api.get(f"{base}/users/ravi@example.com/events").status_code == 200
        sandbox.microsoft.closed_to_apps.add("ravi@example.com")
        refused = api.get(f"{base}/users/ravi@example.com/events")
        assert code(refused) == (403, "ErrorAccessDenied")
        assert refused.json()["error"]["message"] == "Access to OData is disabled."


def test_tokens_expire_by_the_clock(sandbox):
    sandbox.reset()
    sandbox.clock.freeze(dt.datetime(2026, 3, 1, tzinfo=dt.UTC))
    with client(sandbox.microsoft) as api:
        assert api.get("me").status_code == 200
        sandbox.clock.advance(dt.timedelta(minutes=61))
        assert code(api.get("me")) == (401, "InvalidAuthenticationToken")
    with client(sandbox.microsoft) as api:
        assert sandbox.microsoft.expire_tokens("alex@example.com") == 1
        assert api.get("me").status_code == 401
    assert PLAIN.get(f"{sandbox.microsoft.base_url}/v1.0/me").status_code == 401


def test_m07_a_refresh_token_dies_of_inactivity(sandbox):
    sandbox.reset()
    sandbox.clock.freeze(dt.datetime(2026, 3, 1, tzinfo=dt.UTC))
    refresh = tokens(sandbox.microsoft)["refresh_token"]
    sandbox.clock.advance(dt.timedelta(days=91))
    form = {"client_id": "app", "grant_type": "refresh_token", "refresh_token": refresh}
    answer = PLAIN.post(f"{sandbox.microsoft.base_url}/common/oauth2/v2.0/token", data=form).json()
    assert (answer["error"], answer["error_codes"]) == ("invalid_grant", [700082])


def test_m10_scopes(sandbox):
    sandbox.reset()
    with client(sandbox.microsoft) as owner:
        event = made(owner, body(body={"contentType": "text", "content": "secret"}))
    with client(sandbox.microsoft, scopes=("Calendars.Read",)) as reader:
        assert reader.get(f"me/events/{event['id']}").json()["bodyPreview"] == "secret"
        assert code(reader.delete(f"me/events/{event['id']}")) == (403, "ErrorAccessDenied")
        assert reader.get("me/mailboxSettings").status_code == 403
    with client(sandbox.microsoft, scopes=("Calendars.ReadBasic",)) as reader:
        assert "secret" not in reader.get("me/events").text


def test_m01_own_mailbox_by_address_and_nobody_elses(api):
    assert api.get("users/ALEX@example.com/events").status_code == 200
    assert api.get("users/megan@example.com/events").status_code == 403
    assert api.get("users/nobody@example.com/events").status_code == 404


def test_an_id_of_another_mailbox_is_not_found(api, sandbox):
    theirs = sandbox.microsoft.create("megan@example.com", body())
    assert code(api.get(f"me/events/{theirs}")) == (404, "ErrorItemNotFound")


def test_m77_more_than_four_at_once(api, sandbox):
    microsoft = sandbox.microsoft
    with contextlib.ExitStack() as under_way:
        for _ in range(4):
            under_way.enter_context(microsoft.gate.entered("app", 1, limited=True))
        refused = api.get("me/events")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
        assert "MailboxConcurrency" in refused.json()["error"]["message"]
        with client(microsoft, "megan@example.com") as another:
            assert another.get("me/events").status_code == 200
        microsoft.configure({"concurrency_limit": False})
        assert api.get("me/events").status_code == 200
    microsoft.configure({"concurrency_limit": True})
    assert api.get("me/events").status_code == 200


def test_many_threads_at_once_leave_a_sound_mailbox(api, sandbox):
    sandbox.microsoft.configure({"concurrency_limit": False})
    statuses = []

    def write(number):
        statuses.append(
            api.post("me/events", json=body(subject=str(number), transactionId=str(number % 8))).status_code
        )

    workers = [threading.Thread(target=write, args=(number,)) for number in range(16)]
    for each in workers:
        each.start()
    for each in workers:
        each.join(20)
    assert sorted(statuses) == [201] * 8 + [409] * 8
    assert len(api.get("me/events?$top=50").json()["value"]) == 8


def test_m78_throttling_on_demand(api, sandbox):
    sandbox.faults.inject(method="GET", path="/microsoft/v1.0/me/events", **sandbox.microsoft.throttled(2.128))
    answer = api.get("me/events")
    assert (*code(answer), answer.headers["Retry-After"]) == (429, "TooManyRequests", "2.128")
    assert api.get("me/events").status_code == 200


def test_m79_batches(api, sandbox):
    created = made(api, body())
    requests = [
        {"id": "1", "method": "POST", "url": "/me/events", "headers": {"Content-Type": "application/json"}, "body": body()},
        {"id": "2", "method": "DELETE", "url": f"/me/events/{created['id']}", "headers": {"If-Match": 'W/"stale"'}},
        {"id": "3", "method": "GET", "url": f"/me/events/{created['id']}?$select=subject", "dependsOn": ["2"]},
        {"id": "4", "method": "GET", "url": f"me/events/{created['id']}?$select=subject", "dependsOn": ["1"],
         "headers": {"Prefer": 'IdType="ImmutableId"'}},
        {"id": "5", "method": "GET", "url": "/me/calendar"},
    ]  # fmt: skip
    before = sandbox.microsoft.meter.requests
    found = {}
    for some in (requests[:3], [requests[0], requests[3], requests[4]]):
        answer = api.post("$batch", json={"requests": some})
        assert answer.status_code == 200
        found |= {each["id"]: each for each in answer.json()["responses"]}
    assert {name: each["status"] for name, each in found.items()} == {"1": 201, "2": 412, "3": 424, "4": 200, "5": 200}
    assert found["4"]["body"]["id"] == created["id"]
    assert (
        sandbox.microsoft.meter.requests == before + 5
    )  # each part counts by itself, the failed dependency was not run


def depending(**needs):
    return [
        {"id": name, "method": "GET", "url": "/me/calendar", **({"dependsOn": list(needed)} if needed else {})}
        for name, needed in needs.items()
    ]


@pytest.mark.parametrize(
    ("requests", "status"),
    [
        (depending(a="", b="a", c="b", d="c"), 200),
        (depending(a="", b="a", c="a", d=""), 200),
        (depending(a="", b="", c="a", d="b"), 400),
        (depending(a="", b="a", c="b", d=""), 400),
        (depending(a="", b="", c="ab"), 400),
    ],
)
def test_m79_dependencies_follow_one_of_three_patterns(api, requests, status):
    assert api.post("$batch", json={"requests": requests}).status_code == status


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [{"id": "1", "method": "GET", "url": "/me"}] * 2,
        [{"id": str(number), "method": "GET", "url": "/me"} for number in range(21)],
        [{"id": "1", "method": "POST", "url": "/me/events", "body": {}}],
        [{"id": "1", "method": "GET", "url": "/me", "dependsOn": ["2"]}],
        [{"id": "1", "method": "GET", "url": "https://graph.microsoft.com/v1.0/me"}],
    ],
)
def test_m79_malformed_batches(api, requests):
    assert api.post("$batch", json={"requests": requests}).status_code == 400


def test_m79_a_part_of_a_batch_can_fail_on_demand(api, sandbox):
    sandbox.faults.inject(method="GET", path="/microsoft/v1.0/me/calendars", **sandbox.microsoft.throttled(None))
    requests = [
        {"id": name, "method": "GET", "url": url} for name, url in (("1", "/me/calendars"), ("2", "/me/calendar"))
    ]
    found = {each["id"]: each["status"] for each in api.post("$batch", json={"requests": requests}).json()["responses"]}
    assert found == {"1": 429, "2": 200}


def test_m80_what_is_not_there_or_not_simulated(api):
    event = made(api, body())
    assert api.get("me/nothing").status_code == 400
    assert code(api.get(f"me/events/{event['id']}/attachments")) == (501, "notSupported")
    assert code(api.post("me/events", json=body(attachments=[{"name": "x"}]))) == (501, "notSupported")
    assert api.post("me/events", content=b"{", headers={"Content-Type": "application/json"}).status_code == 400
    assert api.post("me/events", content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 400


def test_the_switches(sandbox):
    sandbox.reset()
    assert sandbox.microsoft.configure({})["delta_masters"] is True
    for wrong in ({"delta": True}, {"delta_masters": 1}):
        with pytest.raises(ValueError, match="switch"):
            sandbox.microsoft.configure(wrong)
    with pytest.raises(ValueError, match="already"):
        sandbox.microsoft.add_person("ALEX@example.com")
    with pytest.raises(ValueError, match="TimeZone"):
        sandbox.microsoft.add_person("new@example.com", zone="Mars")
    assert sandbox.microsoft.add_person("new@example.com", zone="Europe/Berlin").zone == "W. Europe Standard Time"
