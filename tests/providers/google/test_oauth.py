"""Consent as Google knows it: scopes one may leave out, refresh tokens one may not get (G-08…G-14)."""

import datetime as dt
import os

import httpx
import pytest

from bridge.errors import NeedsReconnect, Refused, Unreachable, UsageError
from bridge.providers.google import oauth
from bridge.services.context import utc_now
from tests.contracts import google_bench
from tests.contracts.bench import KeptTokens
from tests.contracts.google_bench import PERSON, REDIRECT, decide, provider


@pytest.fixture
def google(sandbox):
    sandbox.reset()
    return provider(sandbox)


def client(sandbox, **changed):
    base = f"{sandbox.url}/google"
    known = {"auth_url": f"{base}/auth", "token_url": f"{base}/token", "client_id": "id", "client_secret": "secret"}
    known["now"] = utc_now
    return oauth.Client(**{**known, **changed})


def test_g13_the_least_is_asked_for(google):
    query = dict(httpx.URL(google.begin(redirect_uri=REDIRECT).url).params)
    assert query["scope"].split() == [*oauth.SCOPES, oauth.TASKS]
    assert (query["access_type"], query["prompt"], query["response_type"]) == ("offline", "consent", "code")


def test_tasks_are_not_asked_for_where_an_organisation_does_not_want_them(sandbox):
    query = dict(httpx.URL(oauth.begin(client(sandbox, tasks=False), redirect_uri=REDIRECT).url).params)
    assert query["scope"].split() == list(oauth.SCOPES)


@pytest.mark.parametrize("granted", [oauth.SCOPES, (*oauth.SCOPES, oauth.TASKS)])
def test_tasks_may_be_left_unticked_and_the_grant_is_renewed_as_it_was_given(google, sandbox, granted):
    """R28: a renewal that asked for more than was granted would be refused."""
    consent = google.begin(redirect_uri=REDIRECT)
    tokens = KeptTokens(
        google.finish(consent.memory, decide(consent.url, decision="allow", person=PERSON, scope=granted))
    )
    account = google.account(tokens)
    before = account.calendars()
    sandbox.google.expire_tokens()
    assert account.calendars() == before
    assert len(tokens.durable) == 2
    assert ("VTODO" in {each.component for each in before}) is (oauth.TASKS in granted)


def test_plain_http_needs_no_switch_for_the_whole_process(google):
    google_bench.connect(google)
    assert "OAUTHLIB_INSECURE_TRANSPORT" not in os.environ
    assert "OAUTHLIB_RELAX_TOKEN_SCOPE" not in os.environ


@pytest.mark.parametrize("granted", oauth.SCOPES)
def test_a_box_left_unticked_is_named(google, granted):
    consent = google.begin(redirect_uri=REDIRECT)
    answer = decide(consent.url, decision="allow", person=PERSON, scope=[granted])
    (missing,) = set(oauth.SCOPES) - {granted}
    with pytest.raises(UsageError, match=missing.rsplit("/", 1)[-1]):
        google.finish(consent.memory, answer)


def test_without_a_client_it_says_what_to_set(sandbox):
    with pytest.raises(UsageError, match="client_id"):
        oauth.begin(client(sandbox, client_id=""), redirect_uri=REDIRECT)


def test_an_answer_without_a_code_is_refused(google):
    consent = google.begin(redirect_uri=REDIRECT)
    with pytest.raises(UsageError):
        google.finish(consent.memory, {"state": consent.state})


def test_nobody_there_is_unreachable(sandbox):
    nobody = client(sandbox, token_url="http://127.0.0.1:9/token")
    consent = oauth.begin(nobody, redirect_uri=REDIRECT)
    with pytest.raises(Unreachable):
        oauth.finish(nobody, consent.memory, {"state": consent.state, "code": "x"})
    held = oauth.Grant("a", "r", dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    with pytest.raises(Unreachable):
        oauth.renew(nobody, held)


def test_g09_only_invalid_grant_ends_a_grant(sandbox):
    sandbox.reset()
    held = oauth.Grant("a", "r", dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    with pytest.raises(NeedsReconnect):
        oauth.renew(client(sandbox), held)
    for status, error in ((401, "invalid_client"), (400, "temporarily_unavailable"), (403, "org_internal")):
        sandbox.faults.inject(path="^/google/token", status=status, body={"error": error}, times=9)
        with pytest.raises(Unreachable):
            oauth.renew(client(sandbox), held)
        sandbox.faults.clear()


def test_a_grant_survives_being_kept():
    held = oauth.Grant("access", "refresh", dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC))
    assert oauth.Grant.load(held.dump()) == held


# --- giving a consent back

GRANT = oauth.Grant("access", "refresh-canary", dt.datetime(2026, 1, 1, tzinfo=dt.UTC))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (503, {}, Unreachable),
        (429, {}, Unreachable),
        (400, {"error": "invalid_request"}, Refused),
        (404, {}, Refused),
    ],
)
def test_a_consent_that_google_does_not_take_back_is_told(sandbox, status, body, kind):
    sandbox.reset()
    sandbox.faults.inject(path="/revoke", status=status, body=body)
    with pytest.raises(kind) as told:
        oauth.revoke(client(sandbox), GRANT.dump())
    assert (type(told.value), told.value.status) == (kind, status)
    assert GRANT.refresh_token not in str(told.value)


def test_a_consent_that_is_not_known_any_more_is_taken_back(sandbox):
    sandbox.reset()
    oauth.revoke(client(sandbox), GRANT.dump())


def test_a_token_to_be_revoked_goes_where_tokens_come_from_and_nowhere_else(sandbox):
    with pytest.raises(Unreachable):
        oauth.revoke(client(sandbox, token_url="http://127.0.0.1:9/token"), GRANT.dump())
    sandbox.reset()
    sandbox.faults.inject(path="/revoke", status=302, headers={"Location": f"{sandbox.url}/google/token"})
    with pytest.raises(Refused):
        oauth.revoke(client(sandbox), GRANT.dump())
