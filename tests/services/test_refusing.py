"""pair refuse on the simulated services: a parked plan and its owner's no (R1, R6)."""

import pytest

from bridge.errors import NotFound, UsageError
from bridge.services import noticing, refusing, status, subscribing, syncing
from bridge.store import audit, links, notices, objects, pairs
from tests.services.test_subscribing import matches
from tests.support import house as houses
from tests.support import simulated_graph
from tests.support.feeds import FeedServer, Reply, feed
from tests.support.house import EMAIL

PROVIDERS = ("google", "microsoft")


def mass_deleted(house, provider, count=12):
    """All that a pair of many events has is gone at the service, and the plan is parked."""
    pair = house.connect(provider).pair_id
    for number in range(count):
        house.add(provider, f"Event {number:02}")
    assert house.cycle(pair).error is None
    for id in ids(house, provider):
        if provider == "google":
            with house.sandbox.google.transaction():
                house.sandbox.google.writer(EMAIL).delete(id)
        else:
            with simulated_graph.client(house.sandbox.microsoft) as client:
                client.delete(f"me/events/{id}").raise_for_status()
    assert ids(house, provider) == []
    assert house.cycle(pair).parked
    return pair


def ids(house, provider):
    if provider == "google":
        with house.sandbox.google.transaction() as state:
            return [id for one in state.calendars.values() for id, event in one.events.items() if not event.cancelled]
    with simulated_graph.client(house.sandbox.microsoft) as client:
        return [one["id"] for one in client.get("me/events", params={"$top": 500}).raise_for_status().json()["value"]]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r6_what_was_deleted_there_is_there_again_once(house, provider):
    pair = mass_deleted(house, provider)
    noticing.review(house.context)
    assert [one.kind for one in house.read(notices.open_)] == ["parked"]
    done = refusing.refuse(house.context, pair)
    assert len(done.made_there) == 12
    assert house.read(notices.open_) == []
    assert [one.state for one in status.every(house.context)] == ["ok"]
    assert house.pair(pair).due_at == house.context.now()
    outcome = house.cycle(pair)
    assert (outcome.error, outcome.remote_writes, outcome.hub_writes) == (None, 12, 0)
    assert len(ids(house, provider)) == len(house.objects()) == 12
    assert house.quiet(pair)
    (entry,) = [one for one in house.read(audit.of_principal, house.calendar().principal_id) if "refused" in one.action]
    assert (entry.detail["pair"], entry.detail["made_there"], entry.detail["back_here"]) == (pair, 12, 0)


def test_who_has_nothing_parked_is_told(house):
    pair = house.connect().pair_id
    house.cycle(pair)
    with pytest.raises(NotFound, match="no parked plan"):
        refusing.refuse(house.context, pair)
    with pytest.raises(NotFound, match="no pair 99"):
        refusing.refuse(house.context, 99)


def test_what_cannot_be_asked_now_changes_nothing(house):
    pair = mass_deleted(house, "google")
    with house.context.database.write() as conn:
        assert pairs.claim(conn, pair, owner="w", now=house.context.now(), lease=syncing.lease_of(house.context))
    with pytest.raises(UsageError, match="is being synced right now"):
        refusing.refuse(house.context, pair)
    with house.context.database.write() as conn:
        pairs.give_back(conn, pair, owner="w")
    house.sandbox.google.kill_grants()
    house.sandbox.google.expire_tokens()
    house.cycle(pair)
    with pytest.raises(UsageError, match="connect it again"):
        refusing.refuse(house.context, pair)
    assert house.pair(pair).parked is not None
    assert house.pair(pair).lease_owner is None
    assert len(house.objects()) == 12


@pytest.fixture
def feeds():
    running = FeedServer()
    yield running
    running.close()


@pytest.fixture
def follower(sandbox, _folder):
    with houses.opened(sandbox, _folder, "[ics]\nallow_private = true\n") as opened:
        yield opened


def test_r7_what_a_feed_shows_no_more_may_stay_here_and_is_found_again(follower, feeds):
    feeds.at["/club.ics"] = Reply(feed(*matches(follower, *range(20, 35))))
    made = subscribing.subscribe(follower.context, "alex", f"{feeds.base}/club.ics")
    assert follower.cycle(made.pair.id).error is None
    feeds.at["/club.ics"] = Reply(feed(*matches(follower, 50)))
    follower.pass_by(hours=2)
    assert follower.cycle(made.pair.id).parked
    assert len(refusing.refuse(follower.context, made.pair.id).only_here) == 15
    assert follower.cycle(made.pair.id).error is None
    assert not follower.pair(made.pair.id).parked
    feeds.at["/club.ics"] = Reply(feed(*matches(follower, *range(20, 35), 50)))
    follower.pass_by(hours=2)
    assert follower.cycle(made.pair.id).error is None
    with follower.context.database.read() as conn:
        assert len(list(objects.every(conn, made.calendar.id))) == links.count(conn, made.pair.id) == 16
