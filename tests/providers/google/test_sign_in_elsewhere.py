"""Consent at a service that does no more than Google's documents ask of it (G-08, RFC 6749)."""

import datetime as dt

import pytest

from bridge.errors import UsageError
from bridge.providers.google import oauth
from tests.support.elsewhere import Elsewhere

REDIRECT = "http://127.0.0.1:5232/oauth/google/callback"
WHOLE_CALENDAR = "https://www.googleapis.com/auth/calendar"
ANSWER = {"access_token": "access", "refresh_token": "refresh", "token_type": "Bearer", "expires_in": 3599}

NOW = dt.datetime(2031, 1, 1, tzinfo=dt.UTC)


def without(*names, **more):
    return {name: value for name, value in {**ANSWER, **more}.items() if name not in names}


def signed_in(token):
    """(the grant that this token answer makes, the requests the token endpoint got)."""
    with Elsewhere(lambda _: (200, token)) as service:
        client = oauth.Client(f"{service.url}/consent", f"{service.url}/token", "id", "secret", lambda: NOW)
        consent = oauth.begin(client, redirect_uri=REDIRECT)
        answer = {"state": consent.state, "code": "c", "iss": "https://accounts.google.com", "authuser": "0"}
        return oauth.Grant.load(oauth.finish(client, consent.memory, answer)), service.asked


def test_id_and_secret_stand_in_the_body_as_documented():
    _, (asked,) = signed_in(ANSWER)
    assert {
        "client_id": "id",
        "client_secret": "secret",
        "grant_type": "authorization_code",
    }.items() <= asked.form.items()
    assert {"code", "code_verifier", "redirect_uri"} <= asked.form.keys()
    assert "authorization" not in asked.headers


@pytest.mark.parametrize(
    "token",
    [ANSWER, without("token_type"), without(expires_in="3599"), without(id_token="no.j.wt"), without("expires_in")],
)
def test_what_an_answer_may_leave_out_is_not_missed(token):
    grant, _ = signed_in(token)
    assert (grant.access_token, grant.refresh_token) == ("access", "refresh")
    began = dt.datetime.now(dt.UTC) if "expires_in" in token else NOW  # the library reckons by the machine's clock
    assert dt.timedelta(minutes=30) < grant.expiry - began <= dt.timedelta(hours=1)


@pytest.mark.parametrize("granted", [WHOLE_CALENDAR, f"openid {WHOLE_CALENDAR}.events {WHOLE_CALENDAR}.calendarlist"])
def test_g13_a_wider_scope_covers_ours(granted):
    assert signed_in(without(scope=granted))[0].refresh_token == "refresh"


def test_g13_a_wider_scope_that_only_reads_does_not():
    with pytest.raises(UsageError, match=r"calendar\.events"):
        signed_in(without(scope=f"{WHOLE_CALENDAR}.readonly"))


def test_a_renewal_that_names_no_end_is_one():
    with Elsewhere(lambda _: (200, {"access_token": "new"})) as service:
        client = oauth.Client(f"{service.url}/consent", f"{service.url}/token", "id", "secret", lambda: NOW)
        held = oauth.Grant("old", "refresh", dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        renewed = oauth.renew(client, held)
    assert (renewed.access_token, renewed.refresh_token) == ("new", "refresh")
    assert renewed.expiry == NOW + dt.timedelta(hours=1)
