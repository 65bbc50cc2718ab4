"""What needs a person is noticed whatever else fails, told once, and cleared by itself (R28)."""

import datetime as dt

import pytest
import sqlalchemy as sa

from bridge import config
from bridge.services import noticing, status
from bridge.services.context import Context
from bridge.store import accounts, figures, notices, pairs, tables
from tests.support.house import EMAIL
from tests.support.mailbox import Mailbox

API = r"^/google/calendar/v3/calendars/"


@pytest.fixture
def pair(house):
    pair_id = house.connect().pair_id
    assert house.cycle(pair_id).error is None
    return pair_id


@pytest.fixture
def mailbox():
    box = Mailbox()
    yield box
    box.close()


def told(house):
    """(kind, subject, detail) of what is open after a review."""
    noticing.review(house.context)
    return [(each.kind, each.subject, dict(each.detail)) for each in house.read(notices.open_)]


def kinds(house):
    return [kind for kind, _, _ in told(house)]


def sql(house, statement):
    with house.context.database.write() as conn:
        conn.execute(statement)


def test_at_rest_there_is_nothing_to_tell_and_nothing_is_written(house, pair, monkeypatch):
    assert told(house) == []
    monkeypatch.setattr(type(house.context.database), "write", pytest.fail)
    noticing.review(house.context)


def test_r28_stale_is_the_age_of_the_last_success_though_no_worker_ever_runs(house, pair):
    """Nothing fails here: nothing happens at all."""
    house.pass_by(minutes=60)
    assert kinds(house) == []
    assert noticing.stale_pairs(house.context) == []
    house.pass_by(minutes=1)
    assert told(house) == [("stale", f"pair:{pair}", {"pair": pair, "minutes": 61})]
    assert noticing.stale_pairs(house.context) == [pair]
    assert [(one.state, one.stale) for one in status.every(house.context)] == [("stale", True)]
    house.cycle(pair)
    assert kinds(house) == []


def test_r28_a_first_sync_that_never_comes_is_stale(house):
    house.connect()
    house.pass_by(minutes=61)
    assert kinds(house) == ["stale"]


def test_r28_stale_is_told_beside_the_error(house, pair):
    house.sandbox.faults.inject(path=API, status=503, times=1000)
    house.pass_by(minutes=61)
    house.cycle(pair)
    assert kinds(house) == ["stale"]


def test_a_slow_pair_is_late_by_its_own_interval_and_a_manual_one_never(house, pair):
    def terms(interval):
        with house.context.database.write() as conn:
            now = house.context.now()
            pairs.set_terms(
                conn,
                pair,
                direction="both",
                interval_seconds=interval,
                realtime=False,
                projection=None,
                invitations=True,
                now=now,
            )

    terms(3600)
    house.pass_by(hours=3)
    assert kinds(house) == []
    house.pass_by(minutes=1)
    assert kinds(house) == ["stale"]
    terms(None)
    house.pass_by(days=30)
    assert kinds(house) == []


def test_r28_a_pair_that_is_looked_after_as_it_is_used_is_not_stale_for_being_quiet(house, pair):
    """In real time without notifications the pauses grow, to an hour at most."""
    sql(house, sa.update(tables.pairs).values(interval_seconds=1200, idle=500))
    assert house.cycle(pair).error is None
    pause = house.pair(pair).due_at - house.context.now()
    assert pause == dt.timedelta(hours=1)
    house.pass_by(seconds=pause.total_seconds() + 60)
    assert kinds(house) == []
    house.pass_by(hours=2)
    assert kinds(house) == ["stale"]


@pytest.mark.parametrize(("days", "testing"), [(7, True), (30, False)])
def test_r28_g09_a_dead_grant_is_told_with_the_way_back(house, pair, days, testing):
    """G-10: one that died a week after the consent points at the app's consent screen."""
    house.pass_by(days=days)
    house.sandbox.google.expire_tokens()
    house.sandbox.google.kill_grants()
    house.cycle(pair)
    account = house.read(accounts.every)[0]
    found = [each for each in told(house) if each[0] == "needs_reconnect"]
    assert found == [("needs_reconnect", f"account:{account.id}", {"account": account.id, "days": days})]
    house.pass_by(days=3)
    assert [each for each in told(house) if each[0] == "needs_reconnect"] == found, "it died then, not now"
    (shown,) = [one for one in noticing.open_notices(house.context) if one.notice.kind == "needs_reconnect"]
    assert "caldav-bridge account connect alex google --sandbox" in shown.message.text
    assert ('"Testing"' in shown.message.text) is testing
    house.connect()
    house.cycle(pair)
    assert kinds(house) == []


def test_r28_the_week_counts_from_the_last_consent_not_the_first(house, pair):
    house.pass_by(days=60)
    house.connect()
    house.pass_by(days=7)
    house.sandbox.google.expire_tokens()
    house.sandbox.google.kill_grants()
    house.cycle(pair)
    assert ("needs_reconnect", "account:1", {"account": 1, "days": 7}) in told(house)


def test_r28_trouble_at_the_token_endpoint_is_nobodys_consent(house, pair):
    house.sandbox.google.expire_tokens()
    house.sandbox.faults.inject(path="^/google/token", status=503, times=1000)
    assert "cannot be reached" in house.cycle(pair).error
    assert kinds(house) == []


def test_r6_a_parked_plan_is_told_until_somebody_has_said_yes(house, pair):
    parked = {"hub": 12, "remote": 3, "links": 20, "hub_uids": ["secret-uid"], "remote_uids": []}
    sql(house, sa.update(tables.pairs).values(parked=parked))
    assert told(house) == [("parked", f"pair:{pair}", {"pair": pair, "hub": 12, "remote": 3, "mails": 0})]
    with house.context.database.write() as conn:
        pairs.approve(conn, pair, now=house.context.now())
    assert kinds(house) == []


def test_r33_a_circuit_that_stays_open_is_told(house, pair):
    now = house.context.now()
    sql(house, sa.update(tables.accounts).values(closed_until=now + dt.timedelta(minutes=10)))
    assert kinds(house) == []
    sql(house, sa.update(tables.accounts).values(closed_until=now + dt.timedelta(hours=2)))
    assert told(house) == [("paused", "account:1", {"account": 1})]
    house.pass_by(hours=2)
    house.cycle(pair)
    assert kinds(house) == []


def test_r33_or_one_that_is_opened_again_and_again(house, pair):
    house.pass_by(minutes=40)
    sql(house, sa.update(tables.accounts).values(closed_until=house.context.now() + dt.timedelta(minutes=5)))
    assert kinds(house) == ["paused"]


def test_r32_events_left_alone_are_one_notice_and_the_first_retries_none(house, pair):
    house.sandbox.google.seed(EMAIL, 5)
    house.cycle(pair)
    retried = {"quarantine": "why", "dirty": True, "attempts": 2, "retry_at": house.context.now()}
    sql(house, sa.update(tables.links).values(retried))
    assert kinds(house) == []
    sql(house, sa.update(tables.links).values(attempts=figures.LASTING))
    assert told(house) == [("quarantined", f"pair:{pair}", {"pair": pair, "events": 5})]
    sql(house, sa.update(tables.links).where(tables.links.c.uid == house.objects()[0].uid).values(quarantine=None))
    assert told(house) == [("quarantined", f"pair:{pair}", {"pair": pair, "events": 4})]
    # as a worker asks, which looks at the links of what has moved only
    later = house.pass_by(seconds=1)
    noticing.review(house.context, since=later)
    assert house.read(notices.open_)[0].detail["events"] == 4
    sql(house, sa.update(tables.links).values(quarantine=None, dirty=False))
    noticing.review(house.context, since=later)
    assert len(house.read(notices.open_)) == 1
    house.cycle(pair)
    noticing.review(house.context, since=later)
    assert house.read(notices.open_) == []


def test_r42_sides_that_differed_are_told_until_they_were_found_alike(house, pair):
    sql(house, sa.update(tables.pairs).values(divergences=3))
    assert told(house) == [("diverged", f"pair:{pair}", {"pair": pair, "events": 3})]
    sql(house, sa.update(tables.pairs).values(divergences=0))
    assert kinds(house) == []


def test_a_notice_of_what_is_gone_is_cleared(house, pair):
    house.pass_by(minutes=61)
    assert kinds(house) == ["stale"]
    with house.context.database.write() as conn:
        pairs.remove(conn, pair)
    assert kinds(house) == []


# --- telling


def telling(house, **notify):
    """The same house with addresses to send to."""
    held = house.context
    settings = held.settings.model_copy(update={"notify": config.Notify(**notify)})
    return Context(settings, held.database, held.vault, held.providers, held.now)


def test_the_admin_and_the_person_are_told_once(house, pair, mailbox):
    context = telling(house, urls=[mailbox.url("admin")], person_url=mailbox.url("person") + "?to={email}")
    house.pass_by(minutes=61)
    noticing.review(context)
    assert noticing.deliver(context) == 2
    assert sorted(name for name, _, _ in mailbox.got) == ["admin", "person"]
    assert all("alex/calendar" in title for _, title, _ in mailbox.got)
    noticing.review(context)
    assert noticing.deliver(context) == 0
    assert len(mailbox.got) == 2


def test_who_cannot_be_reached_is_tried_ever_more_slowly_and_the_other_is_not_told_again(house, pair, mailbox):
    context = telling(house, urls=[mailbox.url("admin")], person_url=mailbox.url("person"))
    house.pass_by(minutes=61)
    noticing.review(context)
    mailbox.refusing.add("person")
    assert noticing.deliver(context) == 1
    waits, last = [], house.context.now()
    for _ in range(70):
        house.pass_by(minutes=1)
        before = house.read(notices.open_)[0].tries
        assert noticing.deliver(context) == 0
        if house.read(notices.open_)[0].tries > before:
            waits.append(round((house.context.now() - last).total_seconds() / 60))
            last = house.context.now()
    assert waits == [1, 2, 4, 8, 16, 32]
    mailbox.refusing.clear()
    house.pass_by(hours=6)
    assert noticing.deliver(context) == 1
    assert [name for name, _, _ in mailbox.got] == ["admin", "person"]
    assert house.read(notices.open_)[0].sent_at == house.context.now()


def test_without_addresses_nothing_is_taken_to_be_sent(house, pair):
    house.pass_by(minutes=61)
    noticing.review(house.context)
    assert noticing.deliver(house.context) == 0
    with house.context.database.write() as conn:
        assert len(notices.unsent(conn, now=house.context.now())) == 1


def test_no_event_is_in_a_message(house, pair, mailbox):
    """R41."""
    house.add("google", "Canary")
    house.cycle(pair)
    sql(house, sa.update(tables.links).values(quarantine="Canary", attempts=9))
    context = telling(house, urls=[mailbox.url("admin")])
    noticing.review(context)
    noticing.deliver(context)
    assert len(mailbox.got) == 1
    assert "Canary" not in repr(mailbox.got)
