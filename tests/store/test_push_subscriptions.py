"""Who is told of what, and when: a change marks the subscriptions of its own collection, and only those."""

import datetime as dt

import pytest
import sqlalchemy as sa

from bridge.errors import NotFound
from bridge.store import calendars, devices, objects, principals, sealed_settings, tables, vault
from bridge.store import push_subscriptions as subscriptions
from bridge.store.push_subscriptions import Watched, Wish
from bridge.store.vault import Vault

LEASE = dt.timedelta(seconds=30)
QUIET = dt.timedelta(seconds=5)


def second(number):
    return dt.timedelta(seconds=number)


@pytest.fixture
def hub(database, alice, calendar, event, t0):
    """Subscribe, change things, and see who is due."""

    class Hub:
        def subscribe(
            self, name="phone", watched=None, *, content=True, depth=None, at=t0, host="push.example", **more
        ):
            wish = Wish(name, b"sealed", host, content, depth, at + dt.timedelta(days=3))
            on = watched or Watched("calendar", calendar)
            with database.write() as conn:
                return subscriptions.register(
                    conn, on, wish, **{"principal_id": alice.id, "device_id": None, "now": at, **more}
                )

        def put(self, name="a", *, at=t0, quiet=(), calendar=calendar):
            with database.write() as conn:
                subscriptions.keep_quiet(conn, quiet)
                objects.put(conn, calendar, f"{name}.ics", event(name, at.isoformat()), actor="cli", now=at)

        def describe(self, name, *, at=t0):
            with database.write() as conn:
                calendars.set_properties(conn, calendar, {"D:displayname": name}, actor="cli", now=at)

        def claim(self, at, *, limit=10, per_host=10, but=()):
            with database.write() as conn:
                return subscriptions.claim_due(conn, now=at, lease=LEASE, limit=limit, per_host=per_host, but=but)

        def told(self, due, at):
            with database.write() as conn:
                subscriptions.told(conn, due, now=at, quiet=QUIET)

        def failed(self, due, again):
            with database.write() as conn:
                subscriptions.failed(conn, due, again_at=again)

        def any_due(self, at):
            with database.read() as conn:
                return subscriptions.any_due(conn, at)

        def ids(self):
            with database.read() as conn:
                return list(
                    conn.scalars(sa.select(tables.push_subscriptions.c.id).order_by(tables.push_subscriptions.c.id))
                )

    return Hub()


def test_a_change_is_told_once(hub, t0):
    hub.subscribe()
    assert not hub.any_due(t0)
    hub.put()
    assert hub.any_due(t0)
    [due] = hub.claim(t0)
    assert (due.content, due.properties) == (True, False)
    assert hub.claim(t0) == []
    hub.told(due, t0)
    assert not hub.any_due(t0 + dt.timedelta(days=1))


def test_what_happened_before_the_registration_is_no_news(hub, t0):
    hub.put()
    hub.subscribe()
    assert not hub.any_due(t0)


def test_a_burst_is_two_messages_the_first_at_once(hub, t0):
    hub.subscribe()
    hub.put("a")
    [due] = hub.claim(t0)
    hub.put("b", at=t0 + second(0.1))  # while it is being told
    hub.told(due, t0 + second(0.2))
    for number in range(10):
        hub.put(f"c{number}", at=t0 + second(1 + number / 10))
    assert hub.claim(t0 + second(5)) == []
    [due] = hub.claim(t0 + second(5.2))
    hub.told(due, t0 + second(5.3))
    assert not hub.any_due(t0 + dt.timedelta(days=1))
    hub.put("d", at=t0 + second(60))
    assert len(hub.claim(t0 + second(60))) == 1


def test_a_worker_that_dies_has_told_nobody(hub, t0):
    hub.subscribe()
    hub.put()
    assert len(hub.claim(t0)) == 1
    assert hub.claim(t0 + LEASE - second(1)) == []
    [again] = hub.claim(t0 + LEASE)
    assert again.content
    hub.told(again, t0 + LEASE)
    assert not hub.any_due(t0 + dt.timedelta(days=1))


def test_one_that_comes_too_late_changes_nothing(hub, t0):
    hub.subscribe()
    hub.put()
    [late] = hub.claim(t0)
    assert len(hub.claim(t0 + LEASE)) == 1
    hub.told(late, t0 + LEASE)
    hub.failed(late, t0 + dt.timedelta(hours=1))
    [again] = hub.claim(t0 + 2 * LEASE)  # the other one died meanwhile
    assert (again.content, again.failures) == (True, 0)


def test_a_failure_waits_whatever_happens_meanwhile(hub, t0):
    hub.subscribe()
    hub.put("a")
    [due] = hub.claim(t0)
    hub.failed(due, t0 + second(60))
    hub.put("b", at=t0 + second(1))
    assert hub.claim(t0 + second(59)) == []
    [due] = hub.claim(t0 + second(60))
    assert (due.content, due.failures) == (True, 1)


def test_the_device_that_made_the_change_is_not_told_of_it_and_of_others_it_is(hub, t0):
    hub.subscribe("one")
    hub.subscribe("two")
    own, other = hub.ids()
    hub.put("a", quiet=[own])
    assert [due.id for due in hub.claim(t0)] == [other]
    hub.put("b", at=t0 + second(1))
    assert [due.id for due in hub.claim(t0 + second(1))] == [own]


def test_names_and_colours_are_told_to_who_asked_for_properties(hub, alice, t0):
    hub.subscribe("members")
    hub.subscribe("both", depth=0)
    hub.subscribe("home", Watched("home", alice.id), depth=0)
    hub.subscribe("home and below", Watched("home", alice.id), depth=1)
    _, both, _, below = hub.ids()
    hub.describe("Work")
    assert sorted((due.id, due.content, due.properties) for due in hub.claim(t0)) == [
        (both, False, True), (below, False, True),
    ]  # fmt: skip


def test_a_home_is_told_of_calendars_that_come_and_go_and_of_its_own_properties(hub, database, alice, calendar, t0):
    home = Watched("home", alice.id)
    hub.subscribe("home", home, depth=0)
    hub.subscribe("calendar", depth=0)
    at = t0
    for change, expected in (
        (lambda conn, at: calendars.create(conn, alice.id, "new", properties={}, now=at), (True, False)),
        (lambda conn, at: principals.set_properties(conn, alice.id, {"A:x": "1"}, now=at), (False, True)),
        (lambda conn, at: calendars.delete(conn, calendar, now=at), (True, False)),
    ):
        with database.write() as conn:
            change(conn, at)
        [due] = hub.claim(at)
        assert (due.watched, due.content, due.properties) == (home, *expected)
        hub.told(due, at)
        at += second(10)
    assert len(hub.ids()) == 1  # the calendar's went with it


def test_nobody_else_is_told(hub, database, t0):
    with database.write() as conn:
        bob = principals.add(conn, "bob", "b@example.org", now=t0)
        theirs = calendars.create(conn, bob.id, "calendar", properties={}, now=t0).id
    hub.subscribe("bob", Watched("calendar", theirs), principal_id=bob.id)
    hub.subscribe("bob's home", Watched("home", bob.id), depth=1, principal_id=bob.id)
    hub.put()
    hub.describe("Work")
    assert not hub.any_due(t0 + dt.timedelta(days=1))


def test_the_same_push_resource_is_one_subscription_of_a_collection_and_a_person(hub, database, alice, calendar, t0):
    first = hub.subscribe()
    again = hub.subscribe(at=t0 + second(60))
    assert (first.created, again.created, again.token) == (True, False, first.token)
    assert hub.subscribe(watched=Watched("home", alice.id)).created
    assert not hub.subscribe(watched=Watched("home", alice.id)).created
    with database.write() as conn:
        bob = principals.add(conn, "bob", "b@example.org", now=t0)
    assert hub.subscribe(principal_id=bob.id).created  # who knows another's push resource takes nothing from them
    with database.read() as conn:
        assert subscriptions.held(conn, alice.id, Watched("calendar", calendar), but="another") == (1, 2)
        assert subscriptions.held(conn, alice.id, Watched("calendar", calendar), but="phone") == (0, 1)
        assert subscriptions.held(conn, alice.id, Watched("home", alice.id), but="phone") == (0, 1)


def test_a_calendar_that_is_gone_is_not_subscribed_to(hub, t0):
    with pytest.raises(NotFound):
        hub.subscribe(watched=Watched("calendar", 999))


def test_only_its_owner_takes_one_back(hub, database, alice, t0):
    token = hub.subscribe().token
    with database.write() as conn:
        bob = principals.add(conn, "bob", "b@example.org", now=t0)
        assert not subscriptions.unregister(conn, bob.id, token, now=t0)
        assert subscriptions.unregister(conn, alice.id, token, now=t0)
        assert not subscriptions.unregister(conn, alice.id, token, now=t0)


def test_a_device_that_is_revoked_is_told_nothing_more(hub, database, alice, t0):
    with database.write() as conn:
        phone = devices.add(conn, alice.id, "phone", "hash", now=t0).id
    hub.subscribe("lost", device_id=phone)
    hub.subscribe("kept")
    with database.write() as conn:
        devices.revoke(conn, phone, now=t0)
    assert len(hub.ids()) == 1


def test_what_has_expired_is_told_nothing_and_goes(hub, database, t0):
    hub.subscribe("old")
    hub.subscribe("new", at=t0 + second(60))
    hub.put()
    later = t0 + dt.timedelta(days=3)
    assert len(hub.claim(later)) == 1
    with database.write() as conn:
        assert subscriptions.prune(conn, later) == 1
    assert len(hub.ids()) == 1


def test_one_push_service_does_not_take_all_places(hub, t0):
    for number in range(6):
        hub.subscribe(f"slow {number}", host="slow.example")
    hub.subscribe("quick", host="quick.example")
    hub.put()
    assert sorted(due.host for due in hub.claim(t0, per_host=2)) == ["quick.example", "slow.example", "slow.example"]
    assert hub.claim(t0, but=["slow.example"]) == []


def test_of_two_workers_each_takes_others(hub, database, t0):
    for number in range(4):
        hub.subscribe(str(number))
    hub.put()
    one, two = hub.claim(t0, limit=2), hub.claim(t0, limit=5)
    assert sorted(due.id for due in one + two) == hub.ids()


def test_a_change_without_subscriptions_asks_nothing_of_them(hub, database, calendar, event, t0):
    """The writes of people who have no such device cost what they did before."""
    asked = []

    def note(conn, cursor, statement, *_):
        asked.append(statement)

    def statements(name):
        asked.clear()
        with database.write() as conn:
            sa.event.listen(conn, "before_cursor_execute", note)
            objects.put(conn, calendar, f"{name}.ics", event(name), actor="cli", now=t0)
        return [each for each in asked if "push_subscriptions" in each]

    assert statements("a") == []
    hub.subscribe()
    assert len(statements("b")) == 1


def test_a_tick_that_finds_nothing_looks_at_an_index(sqlite_database, t0):
    """As the statement that is really sent is planned."""
    asked = []
    with sqlite_database.read() as conn:
        sa.event.listen(
            conn, "before_cursor_execute", lambda _c, _u, statement, given, *_: asked.append((statement, given))
        )
        subscriptions.any_due(conn, t0, but=["slow.example"])
        [(statement, given)] = asked
        plan = " ".join(row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given))
    assert "SEARCH push_subscriptions USING INDEX ix_push_subscriptions_due_at" in plan


def test_what_has_expired_and_what_is_busy_keeps_no_tick_busy(hub, database, t0):
    hub.subscribe(host="slow.example")
    hub.put()
    with database.read() as conn:
        assert subscriptions.any_due(conn, t0)
        assert not subscriptions.any_due(conn, t0, but=["slow.example"])
        assert not subscriptions.any_due(conn, t0 + dt.timedelta(days=3))


def test_secrets_are_kept_sealed_the_first_one_stands_and_all_are_sealed_anew(hub, database, key, t0):
    from cryptography.fernet import Fernet

    old = Vault([key])
    with database.write() as conn:
        sealed_settings.keep_first(conn, old, "k", "first")
        sealed_settings.keep_first(conn, old, "k", "second")
        assert sealed_settings.get(conn, old, "k") == "first"
        assert sealed_settings.get(conn, old, "other") is None
        assert b"first" not in conn.scalar(sa.select(tables.sealed_settings.c.value))
    hub.subscribe()
    fresh = Fernet.generate_key().decode()
    with database.write() as conn:
        conn.execute(sa.update(tables.push_subscriptions).values(endpoint=old.seal("secret")))
        assert vault.rotate(conn, Vault([fresh, key])) == 2
        assert sealed_settings.get(conn, Vault([fresh]), "k") == "first"
        assert Vault([fresh]).open(conn.scalar(sa.select(tables.push_subscriptions.c.endpoint))) == "secret"
        sealed_settings.replace(conn, old, "k", "third")
        assert sealed_settings.get(conn, old, "k") == "third"
