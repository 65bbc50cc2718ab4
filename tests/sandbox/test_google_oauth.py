"""Consent, tokens, scopes: G-07…G-14, G-90, G-93."""

import base64
import datetime as dt
import hashlib
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials

from tests.support.simulated_google import client, refused

SCOPE = "https://www.googleapis.com/auth/calendar"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ASK = {
    "client_id": "app",
    "redirect_uri": "http://127.0.0.1:9/back",
    "response_type": "code",
    "scope": SCOPE,
    "state": "st4te",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "access_type": "offline",
    "prompt": "consent",
}


@pytest.fixture
def web(google):
    with httpx.Client(base_url=google.base_url) as browser:
        yield browser


def agreed(web, ask=ASK, person="alex@example.com", scopes=(SCOPE,), decision="allow"):
    form = {"person": person, "scope": list(scopes), "decision": decision}
    answer = web.post("o/oauth2/v2/auth", params=ask, data=form)
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def exchanged(web, code, **change):
    form = {"grant_type": "authorization_code", "client_id": "app", "client_secret": "s", "code": code}
    form |= {"redirect_uri": ASK["redirect_uri"], "code_verifier": VERIFIER}
    return web.post("token", data=form | change)


def granted(web, ask=ASK, **agreement):
    answer = exchanged(web, agreed(web, ask, **agreement)["code"])
    assert answer.status_code == 200, answer.text
    return answer.json()


def renewed(web, token, **change):
    form = {"grant_type": "refresh_token", "client_id": "app", "client_secret": "s", "refresh_token": token}
    return web.post("token", data=form | change)


def test_g07_consent_leads_to_a_token_that_opens_the_calendar(web):
    page = web.get("o/oauth2/v2/auth", params=ASK)
    assert page.status_code == 200
    assert "alex@example.com" in page.text
    assert "sam@example.com" in page.text
    back = agreed(web, person="sam@example.com")
    assert (back["state"], back["scope"]) == ("st4te", SCOPE)
    token = exchanged(web, back["code"]).json()
    assert (token["token_type"], token["expires_in"], token["scope"]) == ("Bearer", 3600, SCOPE)
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    entries = web.get("calendar/v3/users/me/calendarList", headers=headers).json()["items"]
    assert [entry["id"] for entry in entries] == ["sam@example.com"]


def test_denying_goes_back_with_access_denied(web):
    assert agreed(web, decision="deny") == {"error": "access_denied", "state": "st4te"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": ""},
        {"redirect_uri": "http://example.com/back"},
        {"redirect_uri": "ftp://127.0.0.1/"},
        {"response_type": "token"},
        {"scope": ""},
        {"scope": f"{SCOPE} https://www.googleapis.com/auth/nonsense"},
        {"code_challenge_method": "plain"},
        {"code_challenge": "short"},
    ],
)
def test_a_wrong_request_is_shown_and_never_redirected(web, wrong):
    for answer in (web.get("o/oauth2/v2/auth", params=ASK | wrong), web.post("o/oauth2/v2/auth", params=ASK | wrong)):
        assert answer.status_code == 400
        assert "alert" in answer.text


@pytest.mark.parametrize(
    "change",
    [
        {"code_verifier": "x" * 64},
        {"code_verifier": ""},
        {"client_id": "other"},
        {"redirect_uri": "http://127.0.0.1:9/other"},
    ],
)
def test_a_code_is_bound_to_client_redirect_and_verifier_and_good_once(web, change):
    code = agreed(web)["code"]
    assert exchanged(web, code, **change).status_code == 400
    assert exchanged(web, code).json()["error"] == "invalid_grant"  # used up


def test_a_code_expires_and_a_client_needs_its_secret(world, web):
    code = agreed(web)["code"]
    assert exchanged(web, code, client_secret="").json()["error"] == "invalid_client"
    world.clock.advance(dt.timedelta(minutes=11))
    assert exchanged(web, code).json()["error"] == "invalid_grant"


def test_g08_a_refresh_gives_an_access_token_and_no_new_refresh_token(google, web):
    first = granted(web)
    answer = renewed(web, first["refresh_token"]).json()
    assert "refresh_token" not in answer
    assert answer["access_token"] != first["access_token"]
    held = Credentials(
        None,
        refresh_token=first["refresh_token"],
        token_uri=f"{google.base_url}/token",
        client_id="app",
        client_secret="s",
    )
    request = Request()
    held.refresh(request)
    assert held.valid
    google.kill_grants()
    with pytest.raises(RefreshError) as dead:
        held.refresh(request)
    assert dead.value.args[1] == {
        "error": "invalid_grant",
        "error_description": "Token has been expired or revoked.",  # G-09
    }
    assert not dead.value.retryable
    request.session.close()


@pytest.mark.parametrize("how", ["revoked", "unused", "testing", "hundred others"])
def test_g10_a_refresh_token_dies(world, google, web, how):
    first = granted(web)
    if how == "revoked":
        assert web.post("revoke", data={"token": first["refresh_token"]}).status_code == 200
        assert web.post("revoke", data={"token": first["refresh_token"]}).status_code == 400
        headers = {"Authorization": f"Bearer {first['access_token']}"}
        assert web.get("calendar/v3/colors", headers=headers).status_code == 401
    elif how == "unused":
        world.clock.advance(dt.timedelta(days=184))
    elif how == "testing":
        google.configure({"testing": True})
        world.clock.advance(dt.timedelta(days=6))
        assert renewed(web, first["refresh_token"]).status_code == 200
        world.clock.advance(dt.timedelta(days=2))
    else:
        for _ in range(100):
            granted(web)
    answer = renewed(web, first["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_g11_a_refresh_token_needs_offline_and_on_repeat_prompt_consent(web):
    online = {name: value for name, value in ASK.items() if name != "access_type"}
    assert "refresh_token" not in granted(web, online)
    unprompted = {name: value for name, value in ASK.items() if name != "prompt"}
    assert "refresh_token" not in granted(web, unprompted)  # they consented before
    assert "refresh_token" in granted(web, unprompted, person="sam@example.com")
    assert "refresh_token" in granted(web)


def test_rotation_ends_the_old_refresh_token(google, web):
    first = granted(web)["refresh_token"]
    google.configure({"rotate_refresh_tokens": True})
    second = renewed(web, first).json()["refresh_token"]
    assert renewed(web, first).json()["error"] == "invalid_grant"
    assert "refresh_token" in renewed(web, second).json()


def test_g12_the_library_renews_after_a_401(world, google, web):
    first = granted(web)
    held = Credentials(
        first["access_token"],
        refresh_token=first["refresh_token"],
        token_uri=f"{google.base_url}/token",
        client_id="app",
        client_secret="s",
    )
    google.expire_tokens()
    import google_auth_httplib2
    import httplib2

    transport = google_auth_httplib2.AuthorizedHttp(held, http=httplib2.Http())
    answer, _ = transport.request(f"{google.base_url}/calendar/v3/colors")
    assert answer.status == 200
    assert google.meter.refusals[0].reason == "authError"
    transport.close()


def test_g90_no_wrong_and_expired_tokens_are_401(world, google, web):
    assert web.get("calendar/v3/colors").json()["error"]["errors"][0]["reason"] == "required"
    token = granted(web)["access_token"]
    world.clock.advance(dt.timedelta(minutes=61))
    for value in (token, "nonsense"):
        answer = web.get("calendar/v3/colors", headers={"Authorization": f"Bearer {value}"})
        assert answer.status_code == 401
        assert answer.json()["error"]["errors"][0] == {
            "domain": "global",
            "reason": "authError",
            "message": "Invalid Credentials",
            "locationType": "header",
            "location": "Authorization",
        }


def test_g13_only_the_permissions_that_were_ticked_are_granted(web):
    ask = ASK | {"scope": f"{SCOPE}.events {SCOPE}.calendarlist.readonly openid email"}
    token = granted(web, ask, scopes=(f"{SCOPE}.events",))
    assert token["scope"] == f"{SCOPE}.events"


def test_g13_tasks_are_granted_to_those_who_asked_for_them_and_ticked_them(web):
    tasks = f"{SCOPE.rpartition('/')[0]}/tasks"
    both = ASK | {"scope": f"{SCOPE} {tasks}"}
    words = "Create, edit, organize, and delete all your tasks"
    assert words not in web.get("o/oauth2/v2/auth", params=ASK).text
    assert words in web.get("o/oauth2/v2/auth", params=both).text

    def opens(token):
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        return [
            web.get(path, headers=headers).status_code for path in ("calendar/v3/colors", "tasks/v1/users/@me/lists")
        ]

    assert opens(granted(web, scopes=(SCOPE, tasks))) == [200, 403], "ticked, but nobody asked"
    calendars = granted(web, both)
    assert opens(calendars) == [200, 403], "asked for, but not ticked"
    assert opens(renewed(web, calendars["refresh_token"]).json()) == [200, 403]
    assert renewed(web, calendars["refresh_token"], scope=tasks).json()["error"] == "invalid_scope"
    allowed = granted(web, both, scopes=(SCOPE, tasks))
    assert set(allowed["scope"].split()) == {SCOPE, tasks}
    assert opens(allowed) == [200, 200]
    assert opens(granted(web)) == [200, 403], "what was once granted comes not by itself"


def test_g14_calendar_events_does_not_open_the_list(google):
    body = {"timeMin": "2026-03-01T00:00:00Z", "timeMax": "2026-03-02T00:00:00Z"}
    with client(google, "alex@example.com", f"{SCOPE}.events") as service:
        assert service.events().list(calendarId="primary").execute()["items"] == []
        for call in (
            service.calendarList().list(),
            service.calendars().insert(body={"summary": "x"}),
            service.acl().list(calendarId="primary"),
            service.freebusy().query(body=body),
        ):
            assert refused(call) == (403, "insufficientPermissions")
    with client(google, "alex@example.com", f"{SCOPE}.readonly") as service:
        assert refused(service.events().delete(calendarId="primary", eventId="x"))[0] == 403
