"""Consent, refresh, rotation, and a grant that has died (R15, R28, R29)."""

from urllib.parse import parse_qs, urlsplit

import pytest

from bridge.errors import NeedsReconnect, Unreachable, UsageError
from tests.contracts.bench import KeptTokens

REDIRECT = "http://127.0.0.1:5232/oauth/return"


def connect(sign_in):
    consent = sign_in.provider.begin(redirect_uri=REDIRECT)
    return KeptTokens(sign_in.provider.finish(consent.memory, sign_in.consent(consent.url)))


def test_consent_opens_an_account(sign_in):
    account = sign_in.provider.account(connect(sign_in))
    subject, email = account.identity()
    assert subject
    assert "@" in email
    assert account.calendars()


def test_the_consent_is_asked_for_with_pkce_and_state(sign_in):
    consent = sign_in.provider.begin(redirect_uri=REDIRECT)
    query = {name: values[0] for name, values in parse_qs(urlsplit(consent.url).query).items()}
    assert query["code_challenge_method"] == "S256"
    assert len(query["code_challenge"]) == 43
    assert query["state"] == consent.state
    assert query["redirect_uri"] == REDIRECT
    assert len(consent.state) >= 16
    assert sign_in.provider.begin(redirect_uri=REDIRECT).state != consent.state


def test_who_declines_is_told_so(sign_in):
    consent = sign_in.provider.begin(redirect_uri=REDIRECT)
    with pytest.raises(UsageError):
        sign_in.provider.finish(consent.memory, sign_in.decline(consent.url))


def test_an_answer_to_another_sign_in_is_refused(sign_in):
    one, other = (sign_in.provider.begin(redirect_uri=REDIRECT) for _ in range(2))
    with pytest.raises(UsageError):
        sign_in.provider.finish(one.memory, sign_in.consent(other.url))


def test_a_stolen_code_is_worth_nothing_without_the_verifier(sign_in):
    victim, thief = (sign_in.provider.begin(redirect_uri=REDIRECT) for _ in range(2))
    stolen = sign_in.consent(victim.url)
    with pytest.raises(UsageError):
        sign_in.provider.finish(thief.memory, {**stolen, "state": thief.state})


def test_a_code_is_good_once(sign_in):
    consent = sign_in.provider.begin(redirect_uri=REDIRECT)
    answer = sign_in.consent(consent.url)
    sign_in.provider.finish(consent.memory, answer)
    with pytest.raises(UsageError):
        sign_in.provider.finish(consent.memory, answer)


def test_r15_connecting_again_is_the_same_person(sign_in):
    """R15: a reconnect re-adopts."""
    first = sign_in.provider.account(connect(sign_in)).identity()
    assert sign_in.provider.account(connect(sign_in)).identity() == first


def test_an_expired_token_is_renewed_and_kept(sign_in):
    tokens = connect(sign_in)
    account = sign_in.provider.account(tokens)
    account.calendars()
    sign_in.expire_tokens()
    account.calendars()
    assert len(tokens.durable) == 2
    assert sign_in.provider.account(tokens).calendars()
    assert len(tokens.durable) == 2


def test_r29_a_rotated_grant_is_durable_before_it_is_used(sign_in):
    """R29: if keeping it fails, no request is made with it, and the error is not swallowed."""
    sign_in.rotate()
    tokens = connect(sign_in)
    account = sign_in.provider.account(tokens)
    account.calendars()
    sign_in.expire_tokens()
    tokens.fail_next_commit = True
    calls = sign_in.api_calls()
    with pytest.raises(OSError, match="disk full"):
        account.calendars()
    assert sign_in.api_calls() <= calls + 1  # the one that was answered 401


def test_a_rotated_grant_replaces_the_old_one(sign_in):
    sign_in.rotate()
    tokens = connect(sign_in)
    for _ in range(3):
        sign_in.expire_tokens()
        assert sign_in.provider.account(tokens).calendars()
    assert len(set(tokens.durable)) == 4


def test_two_readers_of_one_account_refresh_once(sign_in):
    """Whoever comes second finds the grant renewed."""
    tokens = connect(sign_in)
    one, other = (sign_in.provider.account(tokens) for _ in range(2))
    one.calendars()
    other.calendars()
    sign_in.expire_tokens()
    refreshes = sign_in.refreshes()
    one.calendars()
    other.calendars()
    assert sign_in.refreshes() == refreshes + 1


def test_a_dead_grant_needs_its_owner(sign_in):
    tokens = connect(sign_in)
    account = sign_in.provider.account(tokens)
    account.calendars()
    sign_in.kill_grants()
    with pytest.raises(NeedsReconnect):
        account.calendars()
    with pytest.raises(NeedsReconnect):
        sign_in.provider.account(tokens).calendars()


def test_r28_a_token_endpoint_in_trouble_is_no_dead_grant(sign_in):
    """R28: 5xx never means that the owner must consent again."""
    tokens = connect(sign_in)
    account = sign_in.provider.account(tokens)
    sign_in.expire_tokens()
    with sign_in.token_endpoint_down(), pytest.raises(Unreachable):
        account.calendars()
    assert account.calendars()


def test_a_token_endpoint_in_trouble_at_the_consent(sign_in):
    consent = sign_in.provider.begin(redirect_uri=REDIRECT)
    answer = sign_in.consent(consent.url)
    with sign_in.token_endpoint_down(), pytest.raises(Unreachable):
        sign_in.provider.finish(consent.memory, answer)


def test_the_grant_holds_no_client_secret(sign_in):
    tokens = connect(sign_in)
    assert sign_in.client_secret
    assert sign_in.client_secret not in tokens.load()
