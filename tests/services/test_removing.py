"""Removing pairs and disconnecting accounts: what is forgotten, what is told to the services, and what never goes (R1, R15)."""

import datetime as dt

import pytest
import sqlalchemy as sa

from bridge.errors import NotFound, UsageError
from bridge.ical import edit
from bridge.ical.fields import EventFields, ObjectFields, When
from bridge.providers.google import oauth
from bridge.providers.google.remote import GoogleRemote
from bridge.services import (
    connecting,
    noticing,
    pairing,
    precedence,
    principals,
    pushes,
    removing,
    subscribing,
    syncing,
)
from bridge.store import accounts, audit, calendars, homes, notices, objects, pairs, remote_calendars, tables
from bridge.sync import engine
from tests.contracts import google_bench
from tests.support import house as houses
from tests.support.feeds import FeedServer, Reply, event, feed
from tests.support.house import EMAIL

PROVIDERS = ("google", "microsoft")

MEMORY = [each for each in tables.metadata.sorted_tables if "pair_id" in each.c]


@pytest.fixture
def filled(house):
    """A pair with events from both sides."""
    pair = house.connect().pair_id
    house.add("google", "Theirs")
    put(house, "mine")
    house.cycle(pair)
    house.cycle(pair)
    return pair


def put(house, uid, title="Mine"):
    start = (house.context.now() + dt.timedelta(days=2)).replace(microsecond=0, tzinfo=None)
    fields = ObjectFields(EventFields(When(start, start + dt.timedelta(hours=1), "UTC"), title))
    data = edit.compose(fields, uid=uid, now=house.context.now())
    with house.context.database.write() as conn:
        objects.put(conn, house.calendar().id, f"{uid}.ics", data, actor="device:1", now=house.context.now())


def there(house):
    with house.sandbox.google.transaction() as state:
        return sorted(
            one.body["summary"]
            for calendar in state.calendars.values()
            for one in calendar.events.values()
            if not one.cancelled
        )


def open_channels(house, provider):
    if provider == "google":
        return set(house.sandbox.google.channels.open)
    with house.sandbox.microsoft.lock:
        return {one.id for one in house.sandbox.microsoft.subscriptions.active()}


def actions(house):
    return [(one.action, dict(one.detail)) for one in house.read(audit.of_principal, house.calendar().principal_id)]


def test_a_removed_pair_leaves_no_row_of_its_own_and_every_event(house, filled):
    with house.context.database.write() as conn:
        notices.raise_(conn, "stale", f"pair:{filled}", principal_id=None, detail={}, now=house.context.now())
    pair, before = house.pair(filled), {(one.href, one.data) for one in house.objects()}
    writes = house.sandbox.google.meter.writes
    gone = removing.remove_pair(house.context, filled)
    assert (gone.pair, gone.here, gone.unsent, gone.silenced) == (filled, "alex/calendar", 0, True)
    assert {(one.href, one.data) for one in house.objects()} == before
    assert there(house) == ["Mine", "Theirs"]
    assert house.sandbox.google.meter.writes == writes
    with house.context.database.read() as conn:
        left = {each.name: conn.scalar(sa.select(sa.func.count()).select_from(each)) for each in MEMORY}
        assert set(left.values()) == {0}
        assert notices.open_(conn) == []
    detail = {
        "pair": filled,
        "calendar": pair.calendar_id,
        "remote_calendar": pair.remote_calendar_id,
        "unsent": 0,
    }
    assert actions(house)[0] == ("pair.removed", detail)
    for remove in (removing.remove_pair, removing.foresee_pair):
        with pytest.raises(NotFound):
            remove(house.context, filled)


def test_what_was_not_sent_yet_is_counted(house, filled):
    assert removing.foresee_pair(house.context, filled).unsent == 0
    put(house, "mine", "Mine, edited")
    put(house, "second")
    assert removing.foresee_pair(house.context, filled).unsent == 2
    house.sandbox.faults.inject(path=r"/events", method="POST", status=503, times=20)
    house.cycle(filled)  # planned, and one of them sent
    assert removing.foresee_pair(house.context, filled).unsent == 1
    house.sandbox.faults.clear()
    house.add("google", "More")
    house.pass_by(hours=1)
    house.cycle(filled)
    assert removing.foresee_pair(house.context, filled).unsent == 0  # what came from there need not go there
    put(house, "third")
    pairing.change(house.context, filled, direction="pull")
    assert removing.foresee_pair(house.context, filled).unsent == 0


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_service_is_told_to_notify_no_more(reachable, provider):
    pair = reachable.connect(provider).pair_id
    reachable.cycle(pair)
    assert pushes.ensure(reachable.context, pair)
    assert open_channels(reachable, provider)
    assert removing.remove_pair(reachable.context, pair).silenced
    assert open_channels(reachable, provider) == set()


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("trouble", ["away", "consent ended", "paused"])
def test_a_service_that_cannot_be_told_holds_up_nothing(reachable, provider, trouble):
    connected = reachable.connect(provider)
    reachable.cycle(connected.pair_id)
    assert pushes.ensure(reachable.context, connected.pair_id)
    now = reachable.context.now()
    with reachable.context.database.write() as conn:
        if trouble == "consent ended":
            accounts.needs_reconnect(conn, connected.account.id)
        elif trouble == "paused":
            accounts.strain(conn, connected.account.id, refused=True, retry_after=900, reason="x", now=now)
    if trouble == "away":
        reachable.sandbox.faults.inject(status=503, times=100)
    assert not removing.remove_pair(reachable.context, connected.pair_id).silenced
    assert reachable.read(pairs.every) == []
    reachable.sandbox.faults.clear()


def test_a_channel_that_is_opened_while_its_pair_is_removed_is_stopped_again(reachable, monkeypatch):
    pair = reachable.connect().pair_id
    reachable.cycle(pair)
    watch = GoogleRemote.watch

    def watch_then_remove(*arguments, **named):
        fresh = watch(*arguments, **named)
        removing.remove_pair(reachable.context, pair)
        return fresh

    monkeypatch.setattr(GoogleRemote, "watch", watch_then_remove)
    with pytest.raises(NotFound):
        pushes.ensure(reachable.context, pair)
    assert open_channels(reachable, "google") == set()


def test_what_named_the_pair_goes_back_to_its_default(house, filled):
    precedence.set_truth(house.context, "alex/calendar", str(filled))
    precedence.set_home(house.context, "alex/calendar", str(filled))
    gone = removing.remove_pair(house.context, filled)
    assert gone.settings == ("calendar truth", "calendar home")
    assert (house.calendar().truth, house.calendar().home_pair_id) == ("newest", None)


def test_r1_what_was_at_home_there_is_at_home_nowhere(house, filled):
    other = house.connect("microsoft").pair_id
    house.cycle(other)
    with house.context.database.read() as conn:
        uids = [one.uid for one in house.objects()]
        assert set(homes.of(conn, house.calendar().id, uids).values()) == {filled}
    removing.remove_pair(house.context, filled)
    house.cycle(other)
    with house.context.database.read() as conn:
        assert homes.of(conn, house.calendar().id, uids) == {}


def test_a_worker_at_work_on_a_removed_pair_ends_without_harm(house, filled, monkeypatch):
    """Whatever it has read by then, nothing of it is written, on either side, and the next pair finds it again."""
    cycle, known = engine.cycle, house.pair(filled).remote_calendar_id
    house.add("google", "Late")
    put(house, "late", "Late here")

    def removed_in_between(ledger, remote, **more):
        page = remote.page

        def page_then_remove(*arguments, **named):
            found = page(*arguments, **named)
            removing.remove_pair(house.context, filled)
            return found

        monkeypatch.setattr(remote, "page", page_then_remove)
        return cycle(ledger, remote, **more)

    monkeypatch.setattr(engine, "cycle", removed_in_between)
    assert house.cycle(filled).error == "the pair has been removed"
    assert len(house.objects()) == 3
    assert there(house) == ["Late", "Mine", "Theirs"]
    monkeypatch.undo()
    made = pairing.add(house.context, "alex/calendar", str(known), direction="both", how_often="manual")
    house.cycle(made.pair.id)
    house.cycle(made.pair.id)
    assert there(house) == ["Late", "Late here", "Mine", "Theirs"]
    assert len(house.objects()) == 4


@pytest.fixture
def feeds():
    running = FeedServer()
    running.at["/club.ics"] = Reply(feed(event("1@club", "20990302T120000Z"), head="X-WR-CALNAME:Club"))
    yield running
    running.close()


@pytest.fixture
def follower(sandbox, _folder):
    with houses.opened(sandbox, _folder, "[ics]\nallow_private = true\n") as opened:
        yield opened


def test_a_calendar_that_a_feed_fills_is_given_up_otherwise(follower, feeds):
    made = subscribing.subscribe(follower.context, "alex", f"{feeds.base}/club.ics")
    for remove in (removing.foresee_pair, removing.remove_pair):
        with pytest.raises(UsageError, match="calendar unsubscribe alex club"):
            remove(follower.context, made.pair.id)
    for which in ("ics", str(made.account.id)):
        with pytest.raises(UsageError, match="calendar unsubscribe alex CALENDAR"):
            removing.disconnect(follower.context, "alex", which)
    assert follower.pair(made.pair.id)


# --- accounts


def test_a_disconnected_account_is_forgotten_with_its_access(reachable):
    connected = reachable.connect()
    reachable.add("google", "Theirs")
    reachable.cycle(connected.pair_id)
    pushes.ensure(reachable.context, connected.pair_id)
    more = reachable.more_pairs("google", 2)
    with reachable.context.database.write() as conn:
        subject = f"account:{connected.account.id}"
        notices.raise_(conn, "paused", subject, principal_id=None, detail={}, now=reachable.context.now())
    assert reachable.sandbox.google.grants.refresh
    gone = removing.disconnect(reachable.context, "alex", "google")
    assert [one.pair for one in gone.pairs] == [connected.pair_id, *more]
    assert (gone.revoked, gone.by_hand, gone.email) == (True, "", EMAIL)
    assert all(one.silenced for one in gone.pairs)
    assert open_channels(reachable, "google") == set()
    assert reachable.sandbox.google.grants.refresh == reachable.sandbox.google.grants.access == {}
    assert reachable.read(accounts.every) == reachable.read(pairs.every) == reachable.read(notices.open_) == []
    assert len(reachable.objects()) == 1
    assert there(reachable) == ["Theirs"]
    detail = {"account": connected.account.id, "pairs": 3, "revoked": 1}
    assert actions(reachable)[0] == ("account.disconnected", detail)
    noticing.review(reachable.context)
    assert reachable.read(notices.open_) == []  # nobody is asked to connect again what she has disconnected


def test_microsoft_takes_no_consent_back_and_that_is_said(house):
    house.connect("microsoft")
    gone = removing.disconnect(house.context, "alex", "microsoft")
    assert gone.revoked is None
    assert "account.live.com/consent" in gone.by_hand
    assert house.read(accounts.every) == []


def test_a_consent_that_could_not_be_given_back_is_told_and_gone_here(house):
    house.connect()
    house.sandbox.faults.inject(path="/revoke", status=503, times=5)
    gone = removing.disconnect(house.context, "alex", "google")
    assert gone.revoked is False
    assert "myaccount.google.com/connections" in gone.by_hand
    assert house.read(accounts.every) == []


def test_a_consent_that_has_ended_is_given_back_already(house):
    house.connect()
    house.sandbox.google.kill_grants()
    assert removing.disconnect(house.context, "alex", "google").revoked


def test_a_consent_that_somebody_else_here_lives_by_is_left_as_it_is(house):
    house.connect()
    principals.add(house.context.database, "kim", "kim@example.com", now=house.context.now())
    url = connecting.begin(house.context, "kim", "google", sandbox=True)
    others = connecting.finish(house.context, "google", google_bench.agree(url))
    gone = removing.disconnect(house.context, "alex", "google")
    assert gone.revoked is None
    assert "somebody else here" in gone.by_hand
    assert syncing.run_now(house.context, others.pair_id).error is None
    assert removing.disconnect(house.context, "kim", "google").revoked


def test_of_several_accounts_one_is_named_by_its_number_or_address(house):
    first = house.connect().account
    with house.context.database.write() as conn:
        second = accounts.add(
            conn,
            house.context.vault,
            principal_id=first.principal_id,
            provider="google",
            sandbox=True,
            subject="other",
            email="other@example.com",
            grant="x",
            now=house.context.now(),
        )
    with pytest.raises(
        UsageError, match=rf"{first.id} \(google sandbox {EMAIL}\), {second.id} \(google sandbox other@"
    ):
        removing.foresee_account(house.context, "alex", "google")
    assert removing.foresee_account(house.context, "alex", "other@example.com").account == second.id
    removing.disconnect(house.context, "alex", str(first.id))
    assert [one.id for one in house.read(accounts.every)] == [second.id]
    with pytest.raises(NotFound, match="account list"):
        removing.foresee_account(house.context, "alex", "microsoft")
    with pytest.raises(NotFound, match="no user 'kim'"):
        removing.foresee_account(house.context, "kim", "google")


def test_a_token_renewed_meanwhile_does_not_come_back(house, monkeypatch):
    """The refresher that a disconnection overtakes finds no account to store what it got."""
    connected = house.connect()
    house.sandbox.google.expire_tokens()
    known = house.read(remote_calendars.of_account, connected.account.id)
    signed_in = connecting.sign_in(house.context, connected.account)
    renew = oauth.renew

    def renewed(client, grant):
        fresh = renew(client, grant)
        removing.disconnect(house.context, "alex", "google")
        return fresh

    monkeypatch.setattr(oauth, "renew", renewed)
    with pytest.raises(NotFound):
        signed_in.remote(known[0].calendar).page(None, now=house.context.now())
    assert house.read(accounts.every) == []
    assert house.read(calendars.get, "alex", "calendar")
