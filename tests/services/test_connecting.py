"""Connecting accounts at both simulated services: consent, the first pair, and what a reconnect finds again (R15)."""

import datetime as dt
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from bridge.errors import NotFound, UsageError
from bridge.services import connecting, status
from bridge.store import accounts, audit, pairs, remote_calendars
from bridge.store.tables import oauth_flows
from tests.contracts import google_bench, graph_bench
from tests.support.house import BENCHES, EMAIL

PROVIDERS = list(BENCHES)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_consent_becomes_an_account_its_calendars_and_a_first_pair(house, provider):
    connected = house.connect(provider)
    account = connected.account
    assert (account.provider, account.email, account.sandbox, account.needs_reconnect) == (provider, EMAIL, True, False)
    known = house.read(remote_calendars.of_account, account.id)
    assert (connected.calendars, connected.lists) == (len(known) - 1, 1)
    pair = house.pair(connected.pair_id)
    assert pair.calendar_id == house.calendar().id
    primary = [one.id for one in known if one.calendar.primary and one.calendar.component == "VEVENT"]
    assert primary == [pair.remote_calendar_id]
    assert (pair.direction, pair.realtime, pair.interval_seconds, pair.due_at) == (
        "both",
        True,
        house.context.settings.sync.interval_seconds,
        house.context.now(),
    )
    (entry,) = house.read(audit.of_principal, account.principal_id)
    assert entry.action == "account.connected"
    assert EMAIL not in str(entry.detail)


def test_both_accounts_of_a_person_share_the_unified_calendar(house):
    first, second = (house.pair(house.connect(provider).pair_id) for provider in PROVIDERS)
    assert first.calendar_id == second.calendar_id
    assert first.remote_calendar_id != second.remote_calendar_id


def test_the_grant_is_sealed_at_rest(house):
    house.connect()
    grants = house.sandbox.google.grants
    tokens = [*grants.refresh, *grants.access]
    held = b"".join(path.read_bytes() for path in house.context.settings.data.glob("bridge.db*"))
    assert EMAIL.encode() in held
    assert len(tokens) == 2
    assert not [token for token in tokens if token.encode() in held]


def test_nobody_begins_for_a_person_who_is_not_there(house):
    with pytest.raises(NotFound, match="user add bob"):
        connecting.begin(house.context, "bob", "google", sandbox=True)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_is_good_once(house, provider):
    url = connecting.begin(house.context, "alex", provider, sandbox=True)
    answer = BENCHES[provider].agree(url)
    connecting.finish(house.context, provider, answer)
    with pytest.raises(UsageError, match="already used"):
        connecting.finish(house.context, provider, answer)


def test_a_sign_in_expires(house):
    url = connecting.begin(house.context, "alex", "google", sandbox=True)
    answer = google_bench.agree(url)
    house.pass_by(seconds=connecting.FLOW_LIFETIME.total_seconds())
    with pytest.raises(UsageError, match="start it again"):
        connecting.finish(house.context, "google", answer)
    assert house.read(accounts.every) == []


@pytest.mark.parametrize(("provider", "bench"), [("google", google_bench), ("microsoft", graph_bench)])
def test_who_declines_is_told_so_and_nothing_is_kept(house, provider, bench):
    url = connecting.begin(house.context, "alex", provider, sandbox=True)
    with pytest.raises(UsageError, match="not allowed to give access"):
        connecting.finish(house.context, provider, bench.decide(url, decision="deny"))
    assert house.read(accounts.every) == []


@pytest.mark.parametrize("unticked", ["calendar.events", "calendar.calendarlist.readonly"])
def test_who_unticks_a_box_at_google_is_told_which(house, unticked):
    """Google lets people grant part of what is asked; half of it makes no mirror (G-13, G-14)."""
    url = connecting.begin(house.context, "alex", "google", sandbox=True)
    asked = ["calendar.events", "calendar.calendarlist.readonly"]
    left = [f"https://www.googleapis.com/auth/{name}" for name in asked if name != unticked]
    answer = google_bench.decide(url, decision="allow", person=EMAIL, scope=left)
    with pytest.raises(UsageError) as told:
        connecting.finish(house.context, "google", answer)
    assert f"missing: {unticked})" in str(told.value)
    assert "tick every box" in str(told.value)
    assert house.read(accounts.every) == []


def test_a_read_only_default_calendar_is_mirrored_one_way(house):
    entry = {"id": EMAIL, "summary": "Alex", "accessRole": "reader", "primary": True, "timeZone": "Europe/Vienna"}
    house.sandbox.faults.inject(path=r"/calendarList\?", status=200, body={"items": [entry]})
    pair_id = house.connect().pair_id
    assert house.pair(pair_id).direction == "pull"
    house.sandbox.google.seed(EMAIL, 3)
    assert house.cycle(pair_id).hub_writes == 3
    assert house.quiet(pair_id)


def test_an_account_without_a_default_calendar_is_connected_and_not_paired(house):
    entry = {"id": "team@example.com", "summary": "Team", "accessRole": "owner", "timeZone": "UTC"}
    house.sandbox.faults.inject(path=r"/calendarList\?", status=200, body={"items": [entry]})
    connected = house.connect()
    assert (connected.calendars, connected.lists, connected.pair_id) == (1, 1, None)


def test_a_calendar_made_later_is_found_by_asking_again(house):
    account = house.connect().account
    house.sandbox.google.add_calendar(EMAIL, "Climbing")
    names = {one.calendar.name for one in connecting.refresh_calendars(house.context, account)}
    assert "Climbing" in names


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r15_reconnecting_finds_everything_again(house, provider):
    """A dead grant stops the pair with one clear word; after a reconnect nothing is created, nothing asked, nothing lost."""
    service = house.services[provider]
    first = house.connect(provider)
    service.seed(EMAIL, 25)
    assert house.cycle(first.pair_id).hub_writes == 25
    before = {(one.href, one.etag) for one in house.objects()}

    service.kill_grants()
    assert "connect it again" in house.cycle(first.pair_id).error
    assert house.account(first.account.id).needs_reconnect
    assert [one.state for one in status.every(house.context)] == ["needs reconnect"]
    waiting = house.pair(first.pair_id)
    assert waiting.failures == 1
    assert waiting.due_at > house.context.now()

    house.pass_by(minutes=5)
    second = house.connect(provider)
    assert (second.account.id, second.pair_id) == (first.account.id, None)
    assert not house.account(first.account.id).needs_reconnect
    revived = house.pair(first.pair_id)
    assert (revived.failures, revived.last_error, revived.due_at) == (0, None, house.context.now())
    assert [pair.id for pair in house.read(pairs.every)] == [first.pair_id]

    assert house.quiet(first.pair_id)
    assert {(one.href, one.etag) for one in house.objects()} == before
    assert [one.state for one in status.every(house.context)] == ["ok"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r15_what_changed_while_disconnected_arrives_once(house, provider):
    service = house.services[provider]
    pair_id = house.connect(provider).pair_id
    service.seed(EMAIL, 5)
    house.cycle(pair_id)
    service.kill_grants()
    house.cycle(pair_id)
    house.add(provider, "Meanwhile")
    house.connect(provider)
    assert house.cycle(pair_id).hub_writes == 1
    assert len(house.objects()) == 6
    assert house.quiet(pair_id)


def test_r15_a_manual_pair_stays_manual_when_its_account_is_reconnected(house):
    pair_id = house.connect().pair_id
    with house.context.database.write() as conn:
        pairs.set_terms(
            conn,
            pair_id,
            direction="both",
            interval_seconds=None,
            realtime=False,
            projection=None,
            invitations=True,
            now=house.context.now(),
        )
    house.sandbox.google.kill_grants()
    assert house.cycle(pair_id).error
    house.connect()
    pair = house.pair(pair_id)
    assert (pair.failures, pair.last_error, pair.due_at) == (0, None, None)


def test_another_person_at_the_same_service_is_another_account(house):
    first = house.connect()
    url = connecting.begin(house.context, "alex", "google", sandbox=True)
    answer = google_bench.decide(url, decision="allow", person="sam@example.com", scope=_scopes(url))
    second = connecting.finish(house.context, "google", answer)
    assert second.account.id != first.account.id
    assert house.pair(second.pair_id).remote_calendar_id != house.pair(first.pair_id).remote_calendar_id


def _scopes(url):
    return parse_qs(urlsplit(url).query)["scope"][0].split()


def test_abandoned_sign_ins_are_forgotten_by_the_next(house):
    for _ in range(3):
        connecting.begin(house.context, "alex", "google", sandbox=True)
    house.pass_by(seconds=(connecting.FLOW_LIFETIME + dt.timedelta(seconds=1)).total_seconds())
    connecting.begin(house.context, "alex", "google", sandbox=True)
    assert house.read(lambda conn: conn.scalar(sa.select(sa.func.count()).select_from(oauth_flows))) == 1
