"""What opens an account goes to the configured addresses and nowhere else, whatever an answer says."""

import datetime as dt
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bridge.errors import Unreachable
from bridge.providers.google import oauth
from bridge.services.context import utc_now

REDIRECT = "http://127.0.0.1:5232/oauth/google/callback"


@pytest.fixture
def servers():
    """A token endpoint that sends its callers on with 307, and the place it sends them to; what that got."""
    got = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps({"access_token": "a", "refresh_token": "r", "expires_in": 3600}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    elsewhere = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)

    class Sends(Elsewhere):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(307)
            self.send_header("Location", f"http://127.0.0.1:{elsewhere.server_port}/token")
            self.send_header("Content-Length", "0")
            self.end_headers()

    sends = ThreadingHTTPServer(("127.0.0.1", 0), Sends)
    for each in (elsewhere, sends):
        threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{sends.server_port}/token", got
    for each in (elsewhere, sends):
        each.shutdown()
        each.server_close()


@pytest.fixture
def client(servers):
    return oauth.Client("http://127.0.0.1:1/auth", servers[0], "id", "the-clients-secret", utc_now)


def test_a_code_is_not_sent_on(client, servers):
    consent = oauth.begin(client, redirect_uri=REDIRECT)
    with pytest.raises(Unreachable):
        oauth.finish(client, consent.memory, {"state": consent.state, "code": "the-code"})
    assert servers[1] == []


def test_a_refresh_token_is_not_sent_on(client, servers):
    grant = oauth.Grant("a", "the-refresh-token", dt.datetime.now(dt.UTC))
    with pytest.raises(Unreachable):
        oauth.renew(client, grant)
    assert servers[1] == []
