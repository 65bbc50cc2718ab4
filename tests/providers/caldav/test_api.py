"""Signing in, redirects, and what errors mean; every server here is real HTTP."""

import base64
import hashlib
import re
from contextlib import contextmanager

import pytest

from bridge.errors import Gone, NeedsReconnect, Refused, Throttled, Unreachable, UsageError, VersionMismatch
from bridge.providers.caldav.api import Api, Credentials, connections
from bridge.providers.caldav.provider import CaldavProvider
from tests.contracts.caldav_bench import clock
from tests.support.caldav_server import serving

EMPTY = b'<multistatus xmlns="DAV:"/>'


class Scripted:
    """A WSGI application that notes what it is asked and answers what ``answer`` says."""

    def __init__(self, answer):
        self.answer, self.seen = answer, []

    def __call__(self, environ, start_response):
        self.seen.append(dict(environ))
        status, headers, body = self.answer(environ)
        start_response(status, headers)
        return [body]


@contextmanager
def talking(answer, password="secret"):
    http = connections()
    app = Scripted(answer)
    try:
        with serving(app, "/") as server:
            yield Api(http, Credentials("alex", password)), server.url, app
    finally:
        http.close()


@pytest.mark.parametrize(
    ("status", "headers", "body", "error", "code"),
    [
        ("401 Unauthorized", [], b"", NeedsReconnect, ""),
        ("403 Forbidden", [], b'<error xmlns="DAV:"><need-privileges/></error>', Refused, "need-privileges"),
        ("404 Not Found", [], b"", Gone, ""),
        ("410 Gone", [], b"", Gone, ""),
        ("412 Precondition Failed", [], b"", VersionMismatch, ""),
        ("413 Too Large", [], b"", Refused, ""),
        ("423 Locked", [], b"", Refused, ""),
        ("429 Too Many Requests", [("Retry-After", "7")], b"", Throttled, ""),
        ("500 Internal Server Error", [], b"<html>Canary</html>", Unreachable, ""),
        ("503 Service Unavailable", [("Retry-After", "7")], b"", Throttled, ""),
        ("507 Insufficient Storage", [], b"", Refused, "insufficient-storage"),
        ("200 OK", [], EMPTY, Unreachable, "malformed"),
        ("207 Multi-Status", [], b"<html/>", Unreachable, "malformed"),
        ("207 Multi-Status", [], b"", Unreachable, "malformed"),
        (
            "207 Multi-Status",
            [],
            b'<!DOCTYPE x [<!ENTITY a "b">]><multistatus xmlns="DAV:"/>',
            Unreachable,
            "malformed",
        ),
        ("301 Moved", [("Location", "https://elsewhere.example.com/")], b"", Refused, "foreign-address"),
        ("302 Found", [], b"", Refused, ""),
        ("303 See Other", [("Location", "/there")], b"", Refused, ""),
    ],
)
def test_what_an_answer_means(status, headers, body, error, code):
    with talking(lambda _: (status, headers, body)) as (api, url, _), pytest.raises(error) as caught:
        api.propfind(f"{url}/", "d:getetag")
    assert type(caught.value) is error
    assert caught.value.code == code
    assert "Canary" not in str(caught.value)
    if error is Throttled:
        assert caught.value.retry_after == 7


def test_a_redirect_is_followed_with_method_body_and_password():
    def answer(environ):
        if environ["PATH_INFO"] != "/there/":
            return "308 Permanent Redirect", [("Location", "/there/")], b""
        return "207 Multi-Status", [], EMPTY

    with talking(answer) as (api, url, app):
        assert api.propfind(f"{url}/here/", "d:getetag")[0] == f"{url}/there/"
    first, second = app.seen
    for name in ("REQUEST_METHOD", "HTTP_DEPTH", "HTTP_AUTHORIZATION", "CONTENT_LENGTH", "CONTENT_TYPE"):
        assert first[name] == second[name]


def test_redirects_in_a_circle_end():
    with talking(lambda _: ("301 Moved", [("Location", "/")], b"")) as (api, url, app), pytest.raises(Refused):
        api.propfind(f"{url}/", "d:getetag")
    assert len(app.seen) == 6


def test_nothing_is_sent_to_another_port_of_this_machine():
    """It may be another person's server."""
    with talking(lambda _: ("207 Multi-Status", [], EMPTY)) as (_, other, stranger):
        with (
            talking(lambda _: ("301 Moved", [("Location", f"{other}/")], b"")) as (api, url, _),
            pytest.raises(Refused),
        ):
            api.propfind(f"{url}/", "d:getetag")
        assert stranger.seen == []


def test_a_name_and_a_password_beyond_ascii():
    with talking(lambda _: ("207 Multi-Status", [], EMPTY), "pä:ss wörd") as (api, url, app):
        api.propfind(f"{url}/", "d:getetag")
    assert base64.b64decode(app.seen[0]["HTTP_AUTHORIZATION"].split()[1]).decode() == "alex:pä:ss wörd"


def test_a_server_that_wants_digest_gets_it():
    """Baïkal's default. The password itself is sent no more once the server has said so."""

    def answer(environ):
        given = environ.get("HTTP_AUTHORIZATION", "")
        if not given.startswith("Digest"):
            return (
                "401 Unauthorized",
                [("WWW-Authenticate", 'Digest realm="dav", qop="auth", nonce="n1", opaque="o"')],
                b"",
            )
        said = dict(re.findall(r'(\w+)="?([^",]+)"?', given))
        one = hashlib.md5(b"alex:dav:secret").hexdigest()
        two = hashlib.md5(f"{environ['REQUEST_METHOD']}:{said['uri']}".encode()).hexdigest()
        proof = hashlib.md5(f"{one}:n1:{said['nc']}:{said['cnonce']}:auth:{two}".encode()).hexdigest()
        return ("207 Multi-Status", [], EMPTY) if said["response"] == proof else ("401 Unauthorized", [], b"")

    with talking(answer) as (api, url, app):
        api.propfind(f"{url}/", "d:getetag")
        api.propfind(f"{url}/", "d:getetag")
    kinds = [each.get("HTTP_AUTHORIZATION", "none").split()[0] for each in app.seen]
    assert kinds[0] == "Basic"
    assert kinds.count("Basic") == 1
    assert kinds[-1] == "Digest"


def test_no_cookie_of_one_person_goes_with_anothers_request():
    http = connections()
    app = Scripted(lambda _: ("207 Multi-Status", [("Set-Cookie", "session=alex; Path=/")], EMPTY))
    with serving(app, "/") as server:
        for name in ("alex", "bob"):
            Api(http, Credentials(name, "secret")).propfind(f"{server.url}/", "d:getetag")
    http.close()
    assert not [each for each in app.seen if "HTTP_COOKIE" in each]


def test_nothing_listens():
    with talking(lambda _: ("207 Multi-Status", [], EMPTY)) as (_, url, _):
        pass
    provider = CaldavProvider(clock=clock)
    with pytest.raises(Unreachable) as caught:
        provider.grant(url=url, username="alex", password="canary")
    provider.close()
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("typed", [("", "x"), ("alex", "")])
def test_a_name_and_a_password_are_wanted(typed):
    provider = CaldavProvider(clock=clock)
    with pytest.raises(UsageError, match="user name"):
        provider.grant(url="https://cal.example.org/", username=typed[0], password=typed[1])
    provider.close()
