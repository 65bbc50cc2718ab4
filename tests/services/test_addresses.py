"""Under which address the hub is found, and whom it may ask to call it."""

import pytest

from bridge import config
from bridge.services import addresses
from bridge.services.context import open_context

GOOGLE = "https://www.googleapis.com"
SANDBOX = "http://127.0.0.1:5233"


@pytest.fixture
def at(_folder):
    opened = []

    def context(toml=""):
        (_folder / "config.toml").write_text(toml)
        opened.append(open_context(config.load(_folder)))
        return opened[-1]

    yield context
    for one in opened:
        one.close()


def test_before_the_first_start_it_is_where_the_settings_say(at):
    assert addresses.public_url(at()) == "http://127.0.0.1:5232"
    assert addresses.public_url(at('[server]\nhost = "192.0.2.7"\nport = 80\n')) == "http://192.0.2.7:80"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("hub.example", "http://hub.example:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("2001:db8::7", "http://[2001:db8::7]:80"),
    ],
)
def test_an_address_can_be_opened_wherever_the_server_listens(host, url):
    assert addresses.listening(host, 80) == url


def test_where_the_server_listens_counts_more_than_where_it_was_meant_to(at):
    context = at()
    addresses.remember(context, "http://127.0.0.1:6000")
    addresses.remember(context, "http://127.0.0.1:6001")
    assert addresses.public_url(context) == "http://127.0.0.1:6001"
    assert addresses.public_url(at()) == "http://127.0.0.1:6001", "other processes know it, too"


def test_the_address_behind_a_proxy_counts_most(at):
    context = at('[server]\npublic_url = "https://calendar.example.org/"\n')
    addresses.remember(context, "http://127.0.0.1:6000")
    assert addresses.public_url(context) == "https://calendar.example.org"


@pytest.mark.parametrize(
    ("public", "service", "expected"),
    [
        ("https://hub.example.org", GOOGLE, "https://hub.example.org/push/google"),
        ("https://hub.example.org/cal", GOOGLE, "https://hub.example.org/cal/push/google"),
        ("http://hub.example.org", GOOGLE, None),  # G-81: https only
        ("http://127.0.0.1:5232", GOOGLE, None),  # not to be reached from there
        ("http://127.0.0.1:5232", SANDBOX, "http://127.0.0.1:5232/push/google"),
        ("http://[::1]:5232", "http://localhost:5233", "http://[::1]:5232/push/google"),
        ("http://hub.example.org", SANDBOX, None),
        ("https://hub.example.org", SANDBOX, "https://hub.example.org/push/google"),
        ("http://127.0.0.1.example.org", SANDBOX, None),
    ],
)
def test_a_service_is_asked_to_call_only_where_it_can_and_will(at, public, service, expected):
    context = at(f'[server]\npublic_url = "{public}"\n')
    assert addresses.push_url(context, "google", service) == expected
