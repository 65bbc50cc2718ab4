"""Channels: asked for, renewed before half their life is over, the new one before the old one goes; and doing without (R30)."""

import pytest

from bridge.errors import ProviderError
from bridge.policy import polling
from bridge.services import pushes, syncing
from bridge.store import channels, pairs
from bridge.sync.ports import Channel

PROVIDERS = ("google", "microsoft")


def open_channels(house, provider):
    """The ids that the service itself holds open."""
    if provider == "google":
        now = house.sandbox.clock()
        return {id for id, one in house.sandbox.google.channels.open.items() if one.expires > now}
    with house.sandbox.microsoft.lock:
        return {one.id for one in house.sandbox.microsoft.subscriptions.active()}


def told(house, receiver, provider, title):
    """Whom the service tells of a new event."""
    receiver.forget()
    house.add(provider, title)
    assert house.services[provider].deliveries.wait_idle(10)
    return receiver.seen()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_new_pair_gets_a_channel_that_makes_it_due(reachable, receiver, provider):
    pair_id = reachable.connect(provider).pair_id
    reachable.cycle(pair_id)
    assert pushes.due(reachable.context) == [pair_id]
    assert pushes.ensure(reachable.context, pair_id)
    assert pushes.due(reachable.context) == []
    (held,) = reachable.channels(pair_id)
    assert open_channels(reachable, provider) == {held.channel.id}

    reachable.pass_by(seconds=1)
    reachable.cycle(pair_id)
    assert reachable.pair(pair_id).due_at > reachable.context.now()
    assert told(reachable, receiver, provider, "Tea") == {held.channel.id}
    assert pushes.notified(reachable.context, held.channel.id, held.secret)
    assert reachable.pair(pair_id).due_at == reachable.context.now()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_happened_before_the_first_channel_stood_is_looked_for(reachable, provider):
    pair_id = reachable.connect(provider).pair_id
    reachable.cycle(pair_id)
    assert reachable.pair(pair_id).due_at > reachable.context.now()
    pushes.ensure(reachable.context, pair_id)
    assert reachable.pair(pair_id).due_at == reachable.context.now()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_g85_m74_a_channel_is_renewed_from_half_its_life_on_and_never_missing(reachable, receiver, provider):
    pair_id = reachable.connect(provider).pair_id
    pushes.ensure(reachable.context, pair_id)
    (first,) = reachable.channels(pair_id)
    life = first.channel.expires - reachable.context.now()

    reachable.pass_by(seconds=life.total_seconds() / 2 - 60)
    assert pushes.due(reachable.context) == []
    reachable.pass_by(seconds=120)
    assert pushes.due(reachable.context) == [pair_id]
    assert pushes.ensure(reachable.context, pair_id)

    (second,) = reachable.channels(pair_id)
    assert second.channel.expires > first.channel.expires
    assert second.secret == first.secret
    assert (second.channel.id == first.channel.id) is (provider == "microsoft"), "Graph renews, Google makes a new one"
    assert open_channels(reachable, provider) == {second.channel.id}
    assert pushes.due(reachable.context) == []
    assert told(reachable, receiver, provider, "Tea") == {second.channel.id}


def test_g85_the_new_channel_stands_before_the_old_one_is_stopped(reachable):
    """Stopping fails: then there are two for a while, and both make the pair due."""
    pair_id = reachable.connect().pair_id
    pushes.ensure(reachable.context, pair_id)
    (old,) = reachable.channels(pair_id)
    reachable.pass_by(days=4)
    reachable.sandbox.faults.inject(path="/channels/stop", status=503, times=100)
    assert pushes.ensure(reachable.context, pair_id)
    assert len(open_channels(reachable, "google")) == 2
    (new,) = reachable.channels(pair_id)
    assert new.channel.id in open_channels(reachable, "google") - {old.channel.id}


def test_g85_where_no_new_channel_can_be_had_the_old_one_stays(reachable, receiver):
    pair_id = reachable.connect().pair_id
    pushes.ensure(reachable.context, pair_id)
    before = reachable.channels(pair_id)
    reachable.pass_by(days=4)
    reachable.sandbox.faults.inject(path="/events/watch", status=503, times=100)
    with pytest.raises(ProviderError):
        pushes.ensure(reachable.context, pair_id)
    assert reachable.channels(pair_id) == before
    assert told(reachable, receiver, "google", "Tea") == {before[0].channel.id}
    assert pushes.due(reachable.context) == [pair_id], "it is tried again"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_channel_that_has_died_is_made_anew_and_the_time_without_it_looked_through(reachable, receiver, provider):
    pair_id = reachable.connect(provider).pair_id
    pushes.ensure(reachable.context, pair_id)
    (dead,) = reachable.channels(pair_id)
    reachable.pass_by(days=8)
    reachable.cycle(pair_id)
    assert told(reachable, receiver, provider, "Unheard") == set()
    assert reachable.pair(pair_id).due_at > reachable.context.now()

    assert pushes.ensure(reachable.context, pair_id)
    (alive,) = reachable.channels(pair_id)
    assert alive.channel.id != dead.channel.id
    assert alive.secret != dead.secret
    assert open_channels(reachable, provider) == {alive.channel.id}
    assert reachable.pair(pair_id).due_at == reachable.context.now()
    assert told(reachable, receiver, provider, "Heard") == {alive.channel.id}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r30_without_any_channel_the_safety_poll_does_it_all(house, provider):
    """Every notification lost: the same end state, later."""
    pair_id = house.connect(provider).pair_id
    assert syncing.claim_due(house.context, owner="w", limit=9) == [pair_id]
    assert syncing.run(house.context, pair_id, owner="w").error is None
    house.add(provider, "Unheard")
    sooner = house.context.settings.sync.interval_seconds // polling.SOONER  # the first sync is news
    house.pass_by(seconds=sooner - 1)
    assert syncing.claim_due(house.context, owner="w", limit=9) == []
    house.pass_by(seconds=1)
    assert syncing.claim_due(house.context, owner="w", limit=9) == [pair_id]
    assert syncing.run(house.context, pair_id, owner="w").hub_writes == 1


def test_a_pair_that_is_not_real_time_needs_no_channel(reachable):
    pair_id = reachable.connect().pair_id
    with reachable.context.database.write() as conn:
        pairs.set_terms(
            conn,
            pair_id,
            direction="both",
            interval_seconds=900,
            realtime=False,
            projection=None,
            invitations=True,
            now=reachable.context.now(),
        )
    assert pushes.due(reachable.context) == []


def test_a_dead_account_is_not_asked_for_channels(reachable):
    connected = reachable.connect()
    reachable.sandbox.google.kill_grants()
    reachable.cycle(connected.pair_id)
    asked = reachable.sandbox.google.meter.requests
    assert not pushes.ensure(reachable.context, connected.pair_id)
    assert reachable.sandbox.google.meter.requests == asked


def test_g87_a_calendar_that_knows_no_notifications_is_polled(reachable):
    pair_id = reachable.connect().pair_id
    body = {"error": {"code": 400, "errors": [{"reason": "pushNotSupportedForRequestedResource"}]}}
    reachable.sandbox.faults.inject(path="/events/watch", status=400, body=body)
    with pytest.raises(ProviderError) as told_so:
        pushes.ensure(reachable.context, pair_id)
    assert told_so.value.code == "pushNotSupportedForRequestedResource"
    assert reachable.cycle(pair_id).error is None


def test_r31_a_call_with_a_wrong_secret_or_an_unknown_channel_does_nothing(house):
    pair_id = house.connect().pair_id
    house.cycle(pair_id)
    expires = house.context.now().replace(year=house.context.now().year + 1)
    with house.context.database.write() as conn:
        channels.add(conn, pair_id, Channel("c1", "r1", expires), secret="s3cret", now=house.context.now())
    due = house.pair(pair_id).due_at
    assert not pushes.notified(house.context, "c1", "")
    assert not pushes.notified(house.context, "c1", "s3cret ")
    assert not pushes.notified(house.context, "c2", "s3cret")
    assert not pushes.notified(house.context, "c1", "ß")
    assert house.pair(pair_id).due_at == due


def test_m75_a_channel_that_the_service_has_ended_is_made_anew(reachable):
    pair_id = reachable.connect("microsoft").pair_id
    pushes.ensure(reachable.context, pair_id)
    (ended,) = reachable.channels(pair_id)
    pushes.lapsed(reachable.context, ended.channel.id)
    pushes.lapsed(reachable.context, ended.channel.id)
    assert pushes.due(reachable.context) == [pair_id]
    pushes.ensure(reachable.context, pair_id)
    assert reachable.channels(pair_id)[0].channel.id != ended.channel.id
