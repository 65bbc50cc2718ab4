"""Where a password may go: the rule in ``urls``, case by case."""

import pytest

from bridge.errors import Refused, UsageError
from bridge.providers.caldav import urls


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("cal.example.org", "https://cal.example.org/"),
        (" https://Cal.Example.org:443/dav ", "https://cal.example.org/dav"),
        ("https://cal.example.org:8443/dav/?a=b#c", "https://cal.example.org:8443/dav/"),
        ("http://127.0.0.1:5232", "http://127.0.0.1:5232/"),
        ("http://localhost/dav/", "http://localhost/dav/"),
        ("http://[::1]:5232/", "http://[::1]:5232/"),
        ("https://cal.example.org/alex%40example.org/", "https://cal.example.org/alex@example.org/"),
        ("https://cal.example.org/a%2Fb/ü", "https://cal.example.org/a%2Fb/%C3%BC"),
    ],
)
def test_what_a_person_types(text, url):
    assert urls.typed(text) == url


@pytest.mark.parametrize(
    "text",
    ["", "https://", "ftp://cal.example.org", "http://cal.example.org/", "http://192.168.1.9/", "https://a b/",
     "https://cal.example.org:port/", "https://[::1/", "file:///etc/passwd", "http://127.0.0.1.example.org/"],
)  # fmt: skip
def test_what_is_no_address_or_would_tell_the_password_to_everyone(text):
    with pytest.raises(UsageError):
        urls.typed(text)


def test_a_password_in_the_address_is_not_repeated():
    with pytest.raises(UsageError) as told:
        urls.typed("https://alex:canary@cal.example.org/")
    assert "canary" not in str(told.value)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("https://caldav.icloud.com/", "https://p42-caldav.icloud.com/1/calendars/"),
        ("https://caldav.icloud.com/", "https://p42-caldav.icloud.com:443/1/calendars/"),
        ("https://example.org/", "https://dav.example.org/"),
        ("https://cal.example.co.uk/", "https://dav.example.co.uk/"),
        ("https://cal.example.org/", "https://cal.example.org:8443/"),
        ("http://127.0.0.1:5232/", "http://127.0.0.1:5232/dav/"),
        ("http://localhost/", "https://localhost/"),
    ],
)
def test_it_goes_on_within_one_service(here, there):
    assert urls.trusted(here, there)
    assert urls.joined(here, there) == urls.normal(there)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("https://cal.example.org/", "https://evil.example.com/"),
        ("https://cal.example.org/", "http://cal.example.org/"),
        ("https://cal.example.org/", "https://cal.example.org.evil.com/"),
        ("https://caldav.icloud.com/", "https://evilicloud.com/"),
        ("https://example.co.uk/", "https://evil.co.uk/"),
        ("https://example.org/", "https://evil.org/"),
        ("https://co.uk/", "https://evil.co.uk/"),
        ("https://127.0.0.1/", "https://1.127.0.0.1/"),
        ("https://192.0.2.1/", "https://192.0.2.2/"),
        ("http://127.0.0.1:5232/", "http://127.0.0.1:80/"),
        ("http://127.0.0.1:5232/", "http://example.org/"),
        ("https://cal.example.org/", "//evil.example.com/"),
        ("https://cal.example.org/", "javascript:alert(1)"),
        ("https://cal.example.org/", "https://[::1/"),
    ],
)
def test_it_goes_nowhere_else(here, there):
    with pytest.raises(Refused):
        urls.joined(here, there)


def test_one_object_has_one_name_however_the_server_spells_it():
    base = "https://cal.example.org/dav/work/"
    spelt = [
        "a%20b%40c.ics",
        "/dav/work/a b@c.ics",
        "https://CAL.example.org:443/dav/work/a%20b@c.ics",
        "./a%20b@c.ics",
    ]
    assert {urls.path(urls.joined(base, href)) for href in spelt} == {"/dav/work/a%20b@c.ics"}
