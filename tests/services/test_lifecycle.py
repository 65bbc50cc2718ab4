"""What services send to our own web, over HTTP: changes, floods of them, and what becomes of a subscription (R30, R31, M-75)."""

import threading

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from bridge.services import pushes, syncing
from bridge.store import pairs
from bridge.web.app import create_app
from tests.support import house as houses

PROVIDERS = ("google", "microsoft")


class _Quiet(WSGIRequestHandler):
    def log(self, *args):
        pass


@pytest.fixture
def called(sandbox, _folder):
    """A hub whose own web takes the calls; ``called.served["app"]`` is who does."""
    served = {}

    def application(environ, start_response):
        return served["app"](environ, start_response)

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet)
    public = f'[server]\npublic_url = "http://127.0.0.1:{server.server_port}"\n'
    with houses.opened(sandbox, _folder, public) as house:
        served["app"] = create_app(house.context)
        house.served = served
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield house
        server.shutdown()
        thread.join()
        server.server_close()


def swallowing(environ, start_response):
    """Taken, and lost on the way."""
    start_response("202 Accepted", [("Content-Length", "0")])
    return [b""]


def subscribed(house, provider):
    """A pair at rest with its channel; nothing is due."""
    pair_id = house.connect(provider).pair_id
    assert pushes.ensure(house.context, pair_id)
    assert house.services[provider].deliveries.wait_idle(
        10
    )  # Google's first call says only that there is a channel (G-83)
    house.pass_by(seconds=1)
    assert house.cycle(pair_id).error is None
    assert not is_due(house)
    return pair_id


def is_due(house):
    return [one.id for one in house.read(pairs.every) if one.due_at <= house.context.now()]


def lifecycle(house, kind):
    service = house.sandbox.microsoft
    with service.lock:
        assert service.subscriptions.lifecycle(kind) == 1
    assert service.deliveries.wait_idle(10)


def active(house):
    service = house.sandbox.microsoft
    with service.lock:
        return {one.id: one.expires for one in service.subscriptions.active()}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("heard", [True, False])
def test_r30_with_all_notifications_or_without_any_it_comes_to_the_same(called, provider, heard):
    pair_id = subscribed(called, provider)
    if not heard:
        called.served["app"] = swallowing
    for title in ("Tea", "Cake"):
        called.add(provider, title)
    assert called.services[provider].deliveries.wait_idle(10)
    assert is_due(called) == ([pair_id] if heard else [])
    if not heard:
        called.pass_by(seconds=called.context.settings.sync.interval_seconds)
    assert syncing.claim_due(called.context, owner="w", limit=9) == [pair_id]
    assert syncing.run(called.context, pair_id, owner="w").error is None
    titles = sorted(line for one in called.objects() for line in one.data.decode().split("\r\n") if "SUMMARY" in line)
    assert titles == ["SUMMARY:Cake", "SUMMARY:Tea"]


def test_r30_m75_missed_has_the_calendar_read_and_keeps_the_subscription(called):
    pair_id = subscribed(called, "microsoft")
    held, app = active(called), called.served["app"]
    called.served["app"] = swallowing
    called.add("microsoft", "Unheard")
    assert called.sandbox.microsoft.deliveries.wait_idle(10)
    called.served["app"] = app
    assert not is_due(called)
    lifecycle(called, "missed")
    assert is_due(called) == [pair_id]
    assert called.cycle(pair_id).hub_writes == 1
    assert pushes.due(called.context) == []
    assert active(called) == held


def test_r30_m75_a_removed_subscription_is_made_anew_and_the_calendar_read(called):
    pair_id = subscribed(called, "microsoft")
    (old,) = active(called)
    lifecycle(called, "subscriptionRemoved")
    assert active(called) == {}
    called.add("microsoft", "Unheard")
    assert is_due(called) == [pair_id]
    assert pushes.due(called.context) == [pair_id]
    assert pushes.ensure(called.context, pair_id)
    assert set(active(called)) == {one.channel.id for one in called.channels(pair_id)} != {old}
    assert called.cycle(pair_id).hub_writes == 1


def test_r30_m75_one_that_wants_to_be_authorised_again_is_renewed_and_never_missing(called):
    pair_id = subscribed(called, "microsoft")
    before = active(called)
    called.pass_by(hours=1)
    lifecycle(called, "reauthorizationRequired")
    assert active(called) == before, "it stays until it is renewed"
    assert pushes.due(called.context) == [pair_id]
    assert pushes.ensure(called.context, pair_id)
    after = active(called)
    assert after.keys() == before.keys()
    assert all(after[id] > before[id] for id in after)
    assert pushes.due(called.context) == []


def test_r31_ten_thousand_notifications_are_one_job(called):
    pair_id = subscribed(called, "microsoft")
    (held,) = called.channels(pair_id)
    notice = {"subscriptionId": held.channel.id, "clientState": held.secret, "changeType": "updated"}
    web = called.served["app"].test_client()
    for _ in range(10):
        assert web.post("/push/microsoft", json={"value": [notice] * 1000}).status_code == 202
    assert syncing.claim_due(called.context, owner="w", limit=9) == [pair_id]
    assert syncing.claim_due(called.context, owner="x", limit=9) == []
    assert syncing.run(called.context, pair_id, owner="w").error is None
    assert syncing.claim_due(called.context, owner="w", limit=9) == []
