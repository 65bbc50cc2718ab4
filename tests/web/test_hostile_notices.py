"""What strangers post at the doors that anybody can reach: an answer without a traceback, and nothing is done."""

import datetime as dt
import json

import pytest

from bridge import config
from bridge.services import connecting, principals
from bridge.services.context import open_context
from bridge.web.app import create_app
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


@pytest.mark.parametrize(
    "odd", ["\0", "\ud800", "x" * 100_000, "'; DROP TABLE pairs; --", "\r\nX-Evil: 1", 7, None, {}, []]
)
def test_r31_odd_names_in_notices(web, odd):
    for notice in ({"subscriptionId": odd, "clientState": "s"}, {"subscriptionId": "s", "clientState": odd}, odd):
        body = json.dumps({"value": [notice]})
        answer = web.post("/push/microsoft", data=body, content_type="application/json")
        assert answer.status_code == 202, (notice, answer.status_code)


def test_r31_a_huge_list_of_notices_costs_little(web, context, monkeypatch):
    from bridge.services import pushes

    asked = []
    monkeypatch.setattr(pushes, "notified", lambda *args: asked.append(args))
    web.post("/push/microsoft", json={"value": [{"subscriptionId": str(n)} for n in range(20_000)]})
    assert len(asked) == 1000


def test_a_body_beyond_the_limit_is_refused(web):
    answer = web.post("/push/microsoft", data=b"[" * (2 << 20), content_type="application/json")
    assert answer.status_code in (400, 413)


@pytest.mark.parametrize("state", ["%00", "%ff", "%ED%A0%80", "%0d%0aX:%20y", "x" * 5000])
@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_odd_states(web, provider, state):
    assert web.get(f"/oauth/{provider}/callback?state={state}&code=x").status_code == 400


def test_what_the_service_says_in_an_address_is_not_shown_as_markup(web, context):
    url = connecting.begin(context, "alice", "google", sandbox=True)
    state = dict(part.partition("=")[::2] for part in url.partition("?")[2].split("&"))["state"]
    page = web.get(f"/oauth/google/callback?state={state}&error=<script>alert(1)</script>&error_description=<b>x")
    assert page.status_code == 400
    assert "<script>alert" not in page.text
    assert "<b>x" not in page.text


def test_strangers_who_dawdle_over_notices_do_not_hold_all_threads(context, monkeypatch):
    import threading

    from bridge.web import push

    monkeypatch.setattr(push, "_PATIENCE", 0.05)
    app, free, began = create_app(context), threading.Event(), threading.Semaphore(0)

    class Dawdling:
        def read(self, *_):
            began.release()
            free.wait(20)
            return b""

    def post():
        environ = {"wsgi.input": Dawdling(), "CONTENT_LENGTH": "10", "CONTENT_TYPE": "application/json"}
        app.test_client().post("/push/microsoft", environ_overrides=environ)

    strangers = [threading.Thread(target=post) for _ in range(2)]
    for each in strangers:
        each.start()
    assert began.acquire(timeout=20)
    assert began.acquire(timeout=20)
    try:
        assert app.test_client().post("/push/microsoft", json={"value": []}).status_code == 503
        assert app.test_client().get("/healthz").status_code == 200
    finally:
        free.set()
        for each in strangers:
            each.join()
    assert app.test_client().post("/push/microsoft", json={"value": []}).status_code == 202


def test_strangers_who_dawdle_over_refused_bodies_do_not_hold_all_threads():
    """The rest of a refused body is waited for, but by two threads at most."""
    import threading

    from bridge.wsgi import dispatch

    free, began = threading.Event(), threading.Semaphore(0)

    class Dawdling:
        def read(self, *_):
            began.release()
            free.wait(20)
            return b""

    application = dispatch(lambda *_: [], lambda *_: [])

    def ask():
        application({"PATH_INFO": "/alice/", "REQUEST_METHOD": "PUT", "wsgi.input": Dawdling()}, None)

    strangers = [threading.Thread(target=ask) for _ in range(2)]
    for each in strangers:
        each.start()
    try:
        assert began.acquire(timeout=20)
        assert began.acquire(timeout=20)
        ask()
        assert not began.acquire(blocking=False)
    finally:
        free.set()
        for each in strangers:
            each.join()
