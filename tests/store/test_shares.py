"""Calendars in the homes of others, on both databases: paths, properties, and who is told of what."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bridge.errors import AlreadyExists
from bridge.policy.access import Access
from bridge.store import calendars, principals, push_subscriptions, shares
from bridge.store.push_subscriptions import Watched, Wish


@pytest.fixture
def bob(database, t0):
    with database.write() as conn:
        return principals.add(conn, "bob", "bob@example.org", now=t0)


@pytest.fixture
def shared(database, calendar, bob, t0):
    """Share alice/calendar with Bob as bob/hers."""

    def do(access="read", slug="hers", properties=None):
        with database.write() as conn:
            return shares.add(
                conn, calendar, bob.id, access=access, slug=slug, properties=properties or {}, now=t0
            )  # fmt: skip

    return do


@pytest.fixture
def seen(database):
    def at(slug="hers", home="bob"):
        with database.read() as conn:
            return shares.at(conn, home, slug)

    return at


@pytest.fixture
def homes(database):
    def of(name):
        with database.read() as conn:
            return [(each.owner, each.slug, each.access, each.is_shared) for each in shares.members(conn, name)]

    return of


def test_a_home_shows_its_own_first(shared, homes, database, bob, t0):
    assert homes("bob") == []
    shared()
    with database.write() as conn:
        calendars.create(conn, bob.id, "own", properties={}, now=t0)
        calendars.inbox(conn, bob.id, now=t0)
    assert homes("bob") == [("bob", "own", Access.OWNER, False), ("alice", "hers", Access.READ, True)]
    assert homes("alice") == [("alice", "calendar", Access.OWNER, True)]
    assert homes("nobody") == []


def test_a_path_leads_to_it_only_in_the_sharees_home(shared, seen, calendar):
    shared()
    assert seen().id == calendar
    assert seen(home="alice") is None
    assert seen("calendar") is None


def test_once_more_changes_what_they_may(shared, seen):
    first = shared("read")
    again = shared("write", slug="other")
    assert (again.id, again.slug, again.access) == (first.id, "hers", Access.WRITE)
    assert seen().access is Access.WRITE


def test_a_path_is_one_calendars_only(shared, database, bob, t0):
    with database.write() as conn:
        calendars.create(conn, bob.id, "hers", properties={}, now=t0)
    with pytest.raises(AlreadyExists):
        shared()
    shared(slug="else")
    with database.write() as conn, pytest.raises(AlreadyExists):
        calendars.create(conn, bob.id, "else", properties={}, now=t0)
    with database.read() as conn:
        assert [each.slug for each in calendars.of_principal(conn, "bob")] == ["hers"]


def test_properties_are_the_owners_until_they_are_ones_own(shared, seen, database, calendar, t0):
    owners = {
        "tag": "VCALENDAR", "D:displayname": "Ours", "ICAL:calendar-color": "#ff0000", "@ICAL:calendar-color": {"x": "red"},
        "ICAL:calendar-order": "3",
    }  # fmt: skip
    with database.write() as conn:
        calendars.set_properties(conn, calendar, owners, actor="cli", now=t0)
    shared()
    transp = seen().properties["C:schedule-calendar-transp"]
    inherited = {name: value for name, value in owners.items() if name != "ICAL:calendar-order"}
    assert seen().properties == {**inherited, "C:schedule-calendar-transp": transp}

    def describe(properties):
        with database.write() as conn:
            shares.describe(conn, seen(), properties, actor="cli", now=t0)

    revision = seen().revision
    describe({"tag": "VCALENDAR", "D:displayname": "Theirs", "ICAL:calendar-order": "1"})
    assert seen().properties == {"tag": "VCALENDAR", "D:displayname": "Theirs", "ICAL:calendar-order": "1"}
    assert seen().revision == revision + 1
    describe(seen().properties)
    assert seen().revision == revision + 1
    with database.write() as conn:
        assert calendars.by_id(conn, calendar).properties == owners
        calendars.set_properties(conn, calendar, {**owners, "C:calendar-description": "News"}, actor="cli", now=t0)
    assert seen().properties["C:calendar-description"] == "News"
    assert "ICAL:calendar-color" not in seen().properties


def test_it_goes_with_the_calendar_and_when_it_is_taken_back(shared, homes, database, calendar, bob, t0):
    shared()
    with database.write() as conn:
        assert shares.remove(conn, calendar, bob.id, now=t0)
        assert not shares.remove(conn, calendar, bob.id, now=t0)
    assert homes("bob") == []
    shared()
    with database.write() as conn:
        calendars.delete(conn, calendar, now=t0)
    assert homes("bob") == []


@pytest.fixture
def watch(database, t0):
    def register(watched, principal_id):
        wish = Wish(f"{watched}", b"sealed", "push.example", True, 1, t0 + dt.timedelta(days=3))
        with database.write() as conn:
            push_subscriptions.register(conn, watched, wish, principal_id=principal_id, device_id=None, now=t0)

    return register


@pytest.fixture
def due(database, t0):
    """Which collections have news for somebody; they are told."""

    def claim():
        with database.write() as conn:
            found = push_subscriptions.claim_due(conn, now=t0, lease=dt.timedelta(seconds=30), limit=9, per_host=9)
            for each in found:
                push_subscriptions.told(conn, each, now=t0, quiet=dt.timedelta(0))
            return sorted((each.watched.kind, each.content, each.properties) for each in found)

    return claim


def test_a_sharees_devices_are_told_and_then_not_any_more(
    shared, watch, due, database, calendar, alice, bob, event, t0
):
    from bridge.store import objects

    watch(Watched("home", bob.id), bob.id)
    assert due() == []
    share = shared()
    assert due() == [("home", True, False)]
    watch(Watched("calendar", calendar), bob.id)
    with database.write() as conn:
        objects.put(conn, calendar, "a.ics", event("a"), actor="cli", now=t0)
    assert due() == [("calendar", True, False)]
    with database.write() as conn:
        calendars.set_properties(conn, calendar, {"D:displayname": "New"}, actor="cli", now=t0)
    assert due() == [("calendar", False, True), ("home", False, True)]
    with database.write() as conn:
        assert shares.hold(conn, share.id)
        shares.remove(conn, calendar, bob.id, now=t0)
    with database.write() as conn:
        assert not shares.hold(conn, share.id)
        objects.put(conn, calendar, "b.ics", event("b"), actor="cli", now=t0)
    assert due() == [("home", True, False)]
    shared()
    due()
    with database.write() as conn:
        calendars.delete(conn, calendar, now=t0)
    assert due() == [("home", True, False)]


@pytest.fixture
def asked(database, calendar, bob, t0):
    """Bob is asked to share alice/calendar."""

    def do(access="read", summary=None):
        with database.write() as conn:
            return shares.invite(conn, calendar, bob.id, access=access, summary=summary, now=t0)

    return do


def test_who_was_asked_sees_nothing_and_has_no_path(asked, shared, homes, database, calendar, bob, t0):
    share = asked("write", "Ours")
    assert (share.status, share.slug, share.access, share.summary) == ("noresponse", None, Access.WRITE, "Ours")
    assert homes("bob") == []
    assert homes("alice") == [("alice", "calendar", Access.OWNER, True)]  # the owner sees that somebody was asked
    with database.write() as conn:
        assert not shares.hold(conn, share.id)
        assert shares.by_id(conn, share.id) == share
    with database.write() as conn:
        calendars.create(conn, bob.id, "hers", properties={}, now=t0)
        with pytest.raises(AlreadyExists):
            shares.accept(conn, share, slug="hers", properties={}, now=t0)
        accepted = shares.accept(conn, share, slug="theirs", properties={"D:displayname": "X"}, now=t0)
    assert (accepted.id, accepted.status, accepted.access, accepted.summary) == (
        share.id, "accepted", Access.WRITE, "Ours",
    )  # fmt: skip
    assert ("alice", "theirs", Access.WRITE, True) in homes("bob")
    assert asked("read").status == "accepted"  # other rights cost nobody their answer
    assert ("alice", "theirs", Access.READ, True) in homes("bob")


def test_a_no_takes_it_out_of_the_home_and_can_be_asked_again(asked, shared, homes, seen, database, bob, t0):
    share = shared("write", properties={"D:displayname": "Theirs"})
    with database.write() as conn:
        declined = shares.decline(conn, share, now=t0)
    assert (declined.status, declined.slug) == ("declined", None)
    assert homes("bob") == []
    assert seen() is None
    assert asked("write").status == "noresponse"
    again = shared("read", slug="again")
    assert (again.id, again.status, again.slug, again.declined_at) == (declined.id, "accepted", "again", None)
    assert "D:displayname" not in seen("again").properties


def test_devices_of_who_was_asked_are_told_when_they_have_said_yes(
    asked, watch, due, database, calendar, bob, event, t0
):
    watch(Watched("home", bob.id), bob.id)
    share = asked()
    with database.write() as conn:
        calendars.set_properties(conn, calendar, {"D:displayname": "New"}, actor="cli", now=t0)
    assert due() == []
    with database.write() as conn:
        shares.accept(conn, share, slug="hers", properties={}, now=t0)
    assert due() == [("home", True, False)]
    with database.write() as conn:
        calendars.set_properties(conn, calendar, {"D:displayname": "Newer"}, actor="cli", now=t0)
    assert due() == [("home", False, True)]
    with database.write() as conn:
        share = shares.decline(conn, shares.by_id(conn, share.id), now=t0)
    assert due() == [("home", True, False)]
    with database.write() as conn:
        shares.decline(conn, share, now=t0)
        assert shares.remove(conn, calendar, bob.id, now=t0)
    assert due() == []


def test_two_at_once_do_not_give_one_path_to_two_calendars(database, calendar, bob, t0):
    """One makes a calendar in Bob's home, the other shares one into it: whoever comes second is refused."""
    meet = threading.Barrier(2)

    def make(name):
        meet.wait(timeout=10)
        with database.write() as conn:
            calendars.create(conn, bob.id, name, properties={}, now=t0)

    def give(name):
        meet.wait(timeout=10)
        with database.write() as conn:
            shares.add(conn, calendar, bob.id, access="read", slug=name, properties={}, now=t0)

    for number in range(5):
        with ThreadPoolExecutor(2) as pool:
            done = [pool.submit(do, f"same-{number}") for do in (make, give)]
            failed = [each.exception() for each in done if each.exception() is not None]
        assert [type(each) for each in failed] == [AlreadyExists]
        with database.read() as conn:
            slugs = [each.slug for each in shares.members(conn, "bob")]
        assert len(slugs) == len(set(slugs)) == number + 1
        with database.write() as conn:  # the next one is shared anew
            if shares.remove(conn, calendar, bob.id, now=t0):
                calendars.create(conn, bob.id, f"same-{number}", properties={}, now=t0)
