"""What the web answers: the welcome page, the way back from consent, notifications, the probe."""

import datetime as dt

import pytest

from bridge import config
from bridge.services import addresses, connecting, principals, pushes
from bridge.services.context import open_context
from bridge.store import accounts, calendars, channels, pairs, remote_calendars
from bridge.sync.ports import Channel, RemoteCalendar
from bridge.web.app import create_app
from bridge.wsgi import dispatch
from tests.support import databases

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


@pytest.fixture
def context(tmp_path):
    databases.lay(tmp_path)
    opened = open_context(config.load(tmp_path), now=lambda: NOW)
    principals.add(opened.database, "alice", "alice@example.com", now=NOW)
    yield opened
    opened.close()


@pytest.fixture
def web(context):
    return create_app(context).test_client()


@pytest.fixture
def pair(context):
    """A pair that is due in an hour, with a channel "c1" whose secret is "s3cret"."""
    with context.database.write() as conn:
        local = calendars.get(conn, "alice", "calendar")
        account = accounts.add(
            conn,
            context.vault,
            principal_id=local.principal_id,
            provider="google",
            sandbox=True,
            subject="alice@example.com",
            email="alice@example.com",
            grant="{}",
            now=NOW,
        )
        known = remote_calendars.remember(
            conn, account.id, [RemoteCalendar("alice@example.com", "Alice", writable=True, primary=True)]
        )
        made = pairs.add(conn, calendar_id=local.id, remote_calendar_id=known[0].id, now=NOW)
        pairs.claim(conn, made.id, owner="test", now=NOW, lease=dt.timedelta(minutes=1))
        pairs.finish(conn, made.id, owner="test", now=NOW)
        channels.add(conn, made.id, Channel("c1", "r1", NOW + dt.timedelta(days=7)), secret="s3cret", now=NOW)
    return made.id


def due(context, pair_id):
    with context.database.read() as conn:
        return pairs.get(conn, pair_id).due_at


def test_the_welcome_page_tells_the_address(web, context):
    addresses.remember(context, "http://127.0.0.1:6000")
    page = web.get("/")
    assert page.status_code == 200
    assert "http://127.0.0.1:6000/" in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self'")


def test_the_probe_answers(web):
    assert web.get("/healthz").json == {"status": "ok", "stale_pairs": 0}


@pytest.mark.parametrize(
    "query", ["", "state=unknown&code=x", "state=&error=access_denied", "state=%00%ff&code=" + "x" * 5000]
)
def test_an_unknown_sign_in_is_told_and_nothing_stored(web, context, query):
    page = web.get(f"/oauth/google/callback?{query}")
    assert page.status_code == 400
    assert "start it again" in page.text
    with context.database.read() as conn:
        assert accounts.every(conn) == []


def test_a_state_is_good_for_its_own_provider_only(web, context):
    url = connecting.begin(context, "alice", "google", sandbox=True)
    state = dict(part.partition("=")[::2] for part in url.partition("?")[2].split("&"))["state"]
    assert web.get(f"/oauth/microsoft/callback?state={state}&code=x").status_code == 400


def test_a_look_at_the_address_does_not_use_up_the_sign_in(web, context):
    url = connecting.begin(context, "alice", "google", sandbox=True)
    state = dict(part.partition("=")[::2] for part in url.partition("?")[2].split("&"))["state"]
    assert web.head(f"/oauth/google/callback?state={state}&code=x").status_code == 405
    declined = web.get(f"/oauth/google/callback?state={state}&error=access_denied")
    assert (declined.status_code, "start it again" in declined.text) == (400, False)


def test_an_unknown_page_is_a_page(web):
    page = web.get("/oauth/yahoo/callback")
    assert page.status_code == 404
    assert "Not Found" in page.text


def google_headers(channel="c1", token="s3cret"):
    return {
        "X-Goog-Channel-ID": channel,
        "X-Goog-Channel-Token": token,
        "X-Goog-Resource-State": "exists",
        "X-Goog-Message-Number": "7",
    }


def test_a_google_notification_makes_the_pair_due_and_nothing_else(web, context, pair):
    assert due(context, pair) > NOW
    assert web.post("/push/google", headers=google_headers()).status_code == 204
    assert due(context, pair) == NOW


@pytest.mark.parametrize(
    "headers", [{}, google_headers(token="wrong"), google_headers(channel="c2"), google_headers(token="")]
)
def test_r31_a_google_notification_without_the_secret_does_nothing(web, context, pair, headers):
    before = due(context, pair)
    assert web.post("/push/google", headers=headers).status_code == 404
    assert due(context, pair) == before


def test_m71_the_validation_token_comes_back_decoded_as_plain_text(web):
    answer = web.post("/push/microsoft?validationToken=Validation%3A+Testing+%3Cb%3E")
    assert (answer.status_code, answer.text) == (200, "Validation: Testing <b>")
    assert answer.mimetype == "text/plain"


def test_m72_one_post_may_hold_notices_of_several_subscriptions(web, context, pair):
    value = [
        {"subscriptionId": "unknown", "clientState": "s3cret"},
        {"subscriptionId": "c1", "clientState": "s3cret", "changeType": "updated"},
        "nonsense",
    ]
    assert web.post("/push/microsoft", json={"value": value}).status_code == 202
    assert due(context, pair) == NOW


def test_r31_a_graph_notice_with_a_wrong_client_state_does_nothing(web, context, pair):
    before = due(context, pair)
    web.post("/push/microsoft", json={"value": [{"subscriptionId": "c1", "clientState": "guess"}]})
    assert due(context, pair) == before


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"value": 1}', b"\xff\xfe"])
def test_a_malformed_graph_notice_is_a_bad_request(web, body):
    assert web.post("/push/microsoft", data=body, content_type="application/json").status_code == 400


def test_r31_a_flood_of_notifications_is_one_due_pair(web, context, pair):
    for number in range(200):
        web.post("/push/google", headers=google_headers() | {"X-Goog-Message-Number": str(number)})
    with context.database.read() as conn:
        assert [one.id for one in pairs.every(conn) if one.due_at <= NOW] == [pair]


@pytest.mark.parametrize(
    ("event", "wanting"), [("missed", False), ("subscriptionRemoved", True), ("reauthorizationRequired", True)]
)
def test_m75_a_lifecycle_notice_makes_the_pair_due_and_an_ended_channel_is_made_anew(
    web, context, pair, event, wanting
):
    notice = {"subscriptionId": "c1", "clientState": "s3cret", "lifecycleEvent": event}
    assert web.post("/push/microsoft", json={"value": [notice]}).status_code == 202
    assert due(context, pair) == NOW
    assert (pushes.due(context) == [pair]) is wanting


@pytest.mark.parametrize(
    ("method", "path", "side"),
    [
        ("GET", "/", "web"),
        ("HEAD", "/", "web"),
        ("PROPFIND", "/", "dav"),
        ("OPTIONS", "/", "dav"),
        ("GET", "/healthz", "web"),
        ("POST", "/push/google", "web"),
        ("GET", "/oauth/google/callback", "web"),
        ("GET", "/.well-known/caldav", "dav"),
        ("PROPFIND", "/alice/", "dav"),
        ("GET", "/alice/calendar/1.ics", "dav"),
        ("PUT", "/pushy/calendar/1.ics", "dav"),
    ],
)
def test_the_web_has_its_reserved_paths_and_caldav_the_rest(method, path, side):
    application = dispatch(lambda *_: ["web"], lambda *_: ["dav"])
    assert application({"PATH_INFO": path, "REQUEST_METHOD": method}, None) == [side]
