"""What /metrics tells, and whom (R28, R42)."""

import datetime as dt

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from bridge import config
from bridge.services import noticing, principals
from bridge.services.context import Context, open_context
from bridge.store import accounts, calendars, pairs, push_subscriptions, remote_calendars, tables
from bridge.store.push_subscriptions import Watched, Wish
from bridge.sync.ports import RemoteCalendar
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
def pair(context):
    """Made three hours ago, and never synced."""
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
        calendar = RemoteCalendar("alice@example.com", "Canary", writable=True, primary=True)
        (known,) = remote_calendars.remember(conn, account.id, [calendar])
        long_ago = NOW - dt.timedelta(hours=3)
        return pairs.add(conn, calendar_id=local.id, remote_calendar_id=known.id, now=long_ago).id


def asking(context, **changes):
    """A client of a web with these settings, section by section."""
    sections = {name: getattr(context.settings, name).model_copy(update=new) for name, new in changes.items()}
    settings = context.settings.model_copy(update=sections)
    changed = Context(settings, context.database, context.vault, context.providers, context.now)
    return create_app(changed).test_client()


def figures(web):
    answer = web.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain")
    return {
        (sample.name.removeprefix("caldav_bridge_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def note(context, **values):
    with context.database.write() as conn:
        conn.execute(sa.update(tables.pairs).values(values))


def test_r28_a_pair_that_was_never_synced_is_late_since_it_was_made(context, pair):
    noticing.review(context)
    found = figures(asking(context))
    assert found["last_success_age_seconds", str(pair)] == 3 * 3600
    assert found["stale", str(pair)] == 1
    assert found["open_notices", "stale"] == 1
    assert found["open_notices", "diverged"] == 0
    assert ("divergences", str(pair)) not in found, "never compared"


def test_r42_each_scrape_reads_the_database_anew(context, pair):
    web = asking(context)
    figures(web)
    note(context, divergences=3, audited_at=NOW - dt.timedelta(minutes=5), last_success_at=NOW)
    found = figures(web)
    assert found["divergences", str(pair)] == 3
    assert found["last_comparison_age_seconds", str(pair)] == 300
    assert (found["stale", str(pair)], found["last_success_age_seconds", str(pair)]) == (0, 0)


def test_what_waits_and_what_is_left_alone_is_counted_by_pair(context, pair):
    note(context, parked={"hub": 20, "remote": 0})
    with context.database.write() as conn:
        for number in range(3):
            row = {"pair_id": pair, "uid": f"u{number}", "dirty": False, "attempts": 1}
            conn.execute(sa.insert(tables.links).values(**row, quarantine="why" if number else None))
        conn.execute(sa.update(tables.accounts).values(closed_until=NOW + dt.timedelta(hours=1)))
    found = figures(asking(context))
    assert (found["parked", str(pair)], found["quarantined", str(pair)], found["links", str(pair)]) == (1, 2, 0)
    assert found[("paused_accounts",)] == 1


def test_devices_that_are_told_are_counted_and_those_that_could_not_be(context):
    with context.database.write() as conn:
        calendar = calendars.get(conn, "alice", "calendar")
        for number, days in enumerate((1, 1, -1)):
            wish = Wish(f"d{number}", b"sealed", "push.example", True, None, NOW + dt.timedelta(days=days))
            watched = Watched("calendar", calendar.id)
            push_subscriptions.register(
                conn, watched, wish, principal_id=calendar.principal_id, device_id=None, now=NOW - dt.timedelta(days=2)
            )
        conn.execute(sa.update(tables.push_subscriptions).where(tables.push_subscriptions.c.id == 2).values(failures=3))
    found = figures(asking(context))
    assert (found[("push_subscriptions",)], found[("push_failing",)]) == (2, 1)


@pytest.mark.usefixtures("pair")
def test_no_name_of_anybody_is_in_it(context):
    text = asking(context).get("/metrics").text
    assert not any(word in text for word in ("alice", "Canary", "example.com"))


@pytest.mark.parametrize("given", [None, "", "Bearer", "Bearer wrong", "Bearer s3cret ", "Basic s3cret", "Bearer ß"])
def test_where_a_token_is_set_nobody_gets_anything_without_it(context, given):
    web = asking(context, security={"metrics_token": SecretStr("s3cret")})
    answer = web.get("/metrics", headers={} if given is None else {"Authorization": given})
    assert (answer.status_code, answer.data) == (401, b"")


def test_where_a_token_is_set_whoever_has_it_may_ask_from_anywhere(context):
    web = asking(
        context, security={"metrics_token": SecretStr("s3cret")}, server={"public_url": "https://cal.example.org"}
    )
    headers = {"Authorization": "Bearer s3cret", "X-Forwarded-For": "203.0.113.9"}
    answer = web.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert answer.status_code == 200


@pytest.mark.parametrize("address", ["203.0.113.9", "10.0.0.2", "::ffff:203.0.113.9", "", "nonsense"])
def test_without_a_token_no_other_machine_may_ask(context, address):
    assert asking(context).get("/metrics", environ_base={"REMOTE_ADDR": address}).status_code == 404


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
def test_without_a_token_nobody_behind_a_proxy_may_ask(context, header):
    """There everybody's address is this machine's."""
    assert asking(context).get("/metrics", headers={header: "127.0.0.1"}).status_code == 404


def test_without_a_token_a_public_server_tells_nobody(context):
    assert asking(context, server={"public_url": "https://cal.example.org"}).get("/metrics").status_code == 404


def test_it_is_the_webs_path():
    application = dispatch(lambda *_: ["web"], lambda *_: ["dav"])
    assert application({"PATH_INFO": "/metrics", "REQUEST_METHOD": "GET"}, None) == ["web"]


@pytest.mark.usefixtures("pair")
def test_r28_the_probe_counts_what_is_stale_and_stays_well(context):
    """A restart would mend nothing."""
    answer = asking(context).get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok", "stale_pairs": 1})
