"""What a person reads: what is the matter, and what to do next."""

import pytest

from bridge.notify.words import About, words

PAIR = About("alice/calendar <-> google alice@example.org", "google")
ACCOUNT = About("google alice@example.org", "google", "caldav-bridge account connect alice google")


@pytest.mark.parametrize(
    ("kind", "detail", "about", "says"),
    [
        ("needs_reconnect", {"account": 1, "days": 90}, ACCOUNT, "caldav-bridge account connect alice google"),
        ("stale", {"pair": 3, "minutes": 200}, PAIR, "3 hours ago"),
        ("parked", {"pair": 3, "hub": 12, "remote": 1}, PAIR, "caldav-bridge pair approve 3"),
        ("paused", {"account": 1}, ACCOUNT, "goes on by itself"),
        ("quarantined", {"pair": 3, "events": 1}, PAIR, "1 event of"),
        ("diverged", {"pair": 3, "events": 4}, PAIR, "caldav-bridge sync audit 3"),
        ("another", {}, PAIR, "caldav-bridge status"),
    ],
)
def test_it_says_whom_it_is_about_and_what_to_do(kind, detail, about, says):
    message = words(kind, detail, about)
    assert about.name in message.title
    assert says in message.text
    assert "  " not in message.text


@pytest.mark.parametrize(
    ("days", "provider", "warns"), [(7, "google", True), (9, "google", False), (7, "microsoft", False)]
)
def test_r28_g10_a_consent_that_lasted_a_week_points_at_the_consent_screen(days, provider, warns):
    about = About(f"{provider} alice@example.org", provider, "command")
    assert ('"Testing"' in words("needs_reconnect", {"account": 1, "days": days}, about).text) is warns
    assert '"Testing"' not in words("needs_reconnect", {"account": 1}, about).text


def test_a_plan_that_would_only_invite_says_so():
    text = words("parked", {"pair": 3, "hub": 0, "remote": 0, "mails": 14}, PAIR).text
    assert "invite the guests of 14 events" in text
    assert "delete" not in text


def test_a_server_without_a_consent_page_wants_the_password():
    again = "caldav-bridge account connect alice caldav --url https://cal.example.org/alice/ --username alice"
    text = words("needs_reconnect", {"account": 1, "days": 2}, About("caldav alice", "caldav", again)).text
    assert text.endswith(f"with the new password: {again}")
    assert not any(word in text for word in ("consent", "Testing"))


def test_a_command_to_connect_again_ends_the_text_so_that_it_can_be_copied():
    for days in (7, 90):
        text = words("needs_reconnect", {"account": 1, "days": days}, ACCOUNT).text
        assert text.endswith(f": {ACCOUNT.reconnect}")
