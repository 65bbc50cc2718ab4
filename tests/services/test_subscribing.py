"""Following a feed from end to end: a calendar of its own, its changes, and all the ways in which a feed goes wrong (R7, R26)."""

import dataclasses
import datetime as dt
import gzip
import io
import json
import logging

import pytest
import structlog

from bridge.config import Log
from bridge.errors import AlreadyExists, NotFound, UsageError
from bridge.ical import objects as ical
from bridge.ical import view
from bridge.services import connecting, logs, pairing, status, subscribing
from bridge.store import accounts, audit, calendars, links, objects, pairs
from tests.providers.ics.test_feed import PAGE
from tests.support import house as houses
from tests.support.feeds import FeedServer, Reply, event, feed

PATH = "/private-canary4711/basic.ics"


@pytest.fixture
def server():
    running = FeedServer()
    yield running
    running.close()


@pytest.fixture
def house(sandbox, _folder):
    with houses.opened(sandbox, _folder, "[ics]\nallow_private = true\n") as opened:
        yield opened


@pytest.fixture
def guarded(sandbox, _folder):
    """As an admin gets it who says nothing about feeds."""
    with houses.opened(sandbox, _folder) as opened:
        yield opened


def at(house, days, hour=12):
    return f"{house.context.now() + dt.timedelta(days=days):%Y%m%d}T{hour:02}0000Z"


def matches(house, *days):
    return [event(f"{day}@club", at(house, day), f"Match {day}") for day in days]


class Following:
    """A person who follows the feed at PATH."""

    def __init__(self, house, server, *events, head="X-WR-CALNAME:Club", **asked):
        self.house, self.server, self.head = house, server, head
        self.publish(*events)
        self.made = subscribing.subscribe(house.context, "alex", f"{server.base}{PATH}", **asked)
        self.pair = self.made.pair.id

    def publish(self, *events, **more):
        self.server.at[PATH] = Reply(feed(*events, head=self.head), **more)

    def cycle(self):
        return self.house.cycle(self.pair)

    def ok(self):
        outcome = self.cycle()
        assert outcome.error is None, outcome
        return outcome

    def stored(self):
        return [each.data for each in self.house.read(lambda c: list(objects.every(c, self.made.calendar.id)))]

    def titles(self):
        return sorted(view.read(ical.parse(data)).master.summary for data in self.stored())

    def status(self):
        (one,) = [each for each in status.every(self.house.context) if each.pair == self.pair]
        return one


@pytest.fixture
def follow(house, server):
    return lambda *events, **asked: Following(house, server, *events, **asked)


# --- subscribing


def test_a_subscription_is_a_calendar_of_its_own_that_only_pulls(house, follow):
    club = follow(*matches(house, 1, 2))
    made = club.made
    assert (made.calendar.owner, made.calendar.slug, made.events) == ("alex", "club", 2)
    assert made.calendar.properties["D:displayname"] == "Club"
    assert made.calendar.properties["C:supported-calendar-component-set"] == "VEVENT"
    assert (made.pair.direction, made.pair.realtime, made.pair.interval_seconds) == ("pull", False, 3600)
    assert (made.account.provider, made.account.email) == ("ics", "127.0.0.1")
    club.ok()
    assert club.titles() == ["Match 1", "Match 2"]
    assert club.status().there == "ics 127.0.0.1: Club"
    assert [each.action for each in house.read(audit.of_principal, made.account.principal_id)] == ["feed.subscribed"]
    with pytest.raises(UsageError, match="read-only"):
        pairing.change(house.context, club.pair, direction="both", how_often=None)


@pytest.mark.parametrize(
    ("head", "seconds"),
    [
        ("", 3600),
        ("REFRESH-INTERVAL;VALUE=DURATION:PT12H", 43200),
        ("X-PUBLISHED-TTL:PT1M", 900),
        ("X-PUBLISHED-TTL:P4W", 86400),
        ("X-PUBLISHED-TTL:soon", 3600),
    ],
)
def test_a_feed_says_how_often_to_come_within_reason(follow, head, seconds):
    assert follow(head=head).made.pair.interval_seconds == seconds


def test_a_person_may_say_how_often_and_what_to_call_it(follow):
    made = follow(name="Müllabfuhr  2026", how_often="5").made
    assert (made.calendar.slug, made.pair.interval_seconds) == ("mullabfuhr-2026", 300)
    assert made.calendar.properties["D:displayname"] == "Müllabfuhr 2026"


def test_by_hand_only(follow):
    assert follow(how_often="manual").made.pair.due_at is None


@pytest.mark.parametrize("often", ["realtime", "now", "0"])
def test_a_feed_cannot_be_followed_in_real_time(follow, often):
    with pytest.raises(UsageError):
        follow(how_often=often)


def test_two_feeds_of_one_name_get_two_calendars_and_one_feed_is_followed_once(house, server, follow):
    follow()
    server.at["/other.ics"] = Reply(feed(head="X-WR-CALNAME:Club"))
    other = subscribing.subscribe(house.context, "alex", f"{server.base}/other.ics")
    assert other.calendar.slug == "club-2"
    with pytest.raises(AlreadyExists, match="alex/club follows this feed already"):
        follow()
    assert len(house.read(accounts.every)) == 2


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(PAGE, type="text/html"), "a web page"),
        (Reply(b"", 404), "nothing at this address"),
        (Reply(b"", 503), "trouble"),
    ],
)
def test_what_is_no_feed_now_is_said_at_once_and_nothing_is_made(house, server, reply, reason):
    server.at[PATH] = reply
    with pytest.raises(UsageError, match=reason) as told:
        subscribing.subscribe(house.context, "alex", f"{server.base}{PATH}")
    assert "canary" not in str(told.value)
    assert house.read(accounts.every) == []
    assert [each.slug for each in house.read(calendars.of_principal, "alex")] == ["calendar", "tasks"]


def test_nobody_subscribes_for_a_person_who_is_not_there(house, server):
    with pytest.raises(NotFound, match="user add bob"):
        subscribing.subscribe(house.context, "bob", f"{server.base}{PATH}")
    assert server.asked == []


def test_the_inside_is_not_looked_at_unless_the_admin_allows_it(guarded, server):
    server.at[PATH] = Reply(feed())
    with pytest.raises(UsageError, match="private network"):
        subscribing.subscribe(guarded.context, "alex", f"{server.base}{PATH}")
    assert server.asked == []


def test_a_feed_needs_no_consent(house):
    with pytest.raises(UsageError, match="calendar subscribe"):
        connecting.begin(house.context, "alex", "ics")


# --- following


def test_a_feed_changes_and_the_calendar_follows(house, server, follow):
    club = follow(*matches(house, 1, 2, 3))
    club.ok()
    moved = event("2@club", at(house, 2, 15), "Match 2, later")
    club.publish(*matches(house, 1), moved, *matches(house, 4))
    outcome = club.ok()
    assert club.titles() == ["Match 1", "Match 2, later", "Match 4"]
    assert outcome.hub_writes == 3, "one changed, one new, one gone"
    server.asked.clear()
    assert club.ok().hub_writes == 0
    assert len(server.asked) == 1


def test_a_feed_that_says_not_modified_costs_one_request_and_no_write(house, server, follow):
    club = follow(*matches(house, 1))
    club.publish(*matches(house, 1), etag='"7"')
    club.ok()
    before = house.pair(club.pair).remote_cursor
    server.asked.clear()
    assert club.ok().hub_writes == 0
    assert [headers.get("if-none-match") for _, headers in server.asked] == ['"7"']
    assert house.pair(club.pair).remote_cursor == before


def test_r26_a_window_that_moves_on_deletes_nothing(house, follow):
    days = range(-20, 20)
    club = follow(*matches(house, *days))
    club.ok()
    for first in (-10, 0, 10):
        house.pass_by(days=10)
        # today has moved on by that much; the matches have not
        club.publish(
            *(event(f"{day}@club", at(house, day - first - 20), f"Match {day}") for day in days if day > first)
        )
        assert club.ok().hub_writes == 0
    assert len(club.titles()) == 40
    assert club.status().state == "ok"


def test_a_person_may_change_a_copy_and_the_feed_wins_only_where_it_changes_the_same(house, follow):
    club = follow(*matches(house, 1))
    club.ok()
    stored = house.read(lambda c: next(iter(objects.every(c, club.made.calendar.id))))
    with house.context.database.write() as conn:
        data = stored.data.replace(b"SUMMARY:Match 1", b"SUMMARY:Match 1\r\nLOCATION:my seat")
        objects.put(conn, club.made.calendar.id, stored.href, data, actor="device:1", now=house.context.now())
    club.ok()
    club.publish(event("1@club", at(house, 1), "Match 1, moved"))
    club.ok()
    (kept,) = club.stored()
    assert b"LOCATION:my seat" in kept
    assert b"SUMMARY:Match 1\\, moved" in kept


def test_r32_one_bad_event_is_left_alone_with_its_reason(house, follow):
    club = follow("UID:bad\nDTSTART:tomorrow\nSUMMARY:Bad", *matches(house, 1))
    club.ok()
    assert club.titles() == ["Match 1"]
    (left,) = club.status().quarantined
    assert left.reason == "no DTSTART that can be read"


def test_events_without_names_of_their_own(house, follow):
    nameless = [f"DTSTART:{at(house, day)}\nSUMMARY:Nameless {day}" for day in (1, 2)]
    shared = [event("page-7", at(house, day), f"Shared {day}") for day in (3, 4)]
    club = follow(*nameless, *shared)
    club.ok()
    assert club.titles() == ["Nameless 1", "Nameless 2", "Shared 3", "Shared 4"]
    assert club.ok().hub_writes == 0
    club.publish(nameless[0], shared[1])
    assert club.ok().hub_writes == 4, "two are gone, and one that has the name to itself now is another than before"
    assert club.titles() == ["Nameless 1", "Shared 4"]
    assert club.ok().hub_writes == 0


def test_a_feed_of_a_thousand_events_is_taken_over_and_told_from_itself(house, follow):
    many = [event(f"{n}@club", at(house, n % 300, n % 20), f"Match {n}") for n in range(1000)]
    club = follow(*many)
    assert club.ok().hub_writes == 1000
    assert club.ok().hub_writes == 0
    club.publish(*many[:-1])
    assert club.ok().hub_writes == 1


# --- when it goes wrong


@pytest.fixture
def logged():
    """All that an admin sees who asks for the most."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    ours = {name: logging.getLogger(name).level for name in logs._OURS}
    logs.configure(Log(level="debug", format="json"))
    stream = root.handlers[0].stream = io.StringIO()
    yield stream
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)
    for name, kept in ours.items():
        logging.getLogger(name).setLevel(kept)


TROUBLES = {
    "401": (Reply(b"", 401), "wants a user name and password"),
    "403": (Reply(b"", 403), "refuses access"),
    "404": (Reply(b"", 404), "nothing at this address"),
    "410": (Reply(b"", 410), "taken away for good"),
    "500": (Reply(b"", 500), "in trouble"),
    "503": (Reply(b"", 503, headers={"Retry-After": "3600"}), "asks us to slow down"),
    "HTML": (Reply(PAGE, type="text/html"), "a web page"),
    "empty": (Reply(b""), "it is empty"),
    "JSON": (Reply(b"{}", type="application/json"), "something else than a calendar"),
    "cut": (Reply(feed(event("1@club", "20260302T120000Z"))[:-16]), "breaks off"),
    "no gzip": (Reply(b"nonsense", headers={"Content-Encoding": "gzip"}), "broke off"),
    "too large": (
        Reply(gzip.compress(b"BEGIN:VCALENDAR" + b" " * 33 * 1024 * 1024, 1), headers={"Content-Encoding": "gzip"}),
        "larger than 32 MiB",
    ),
    "circles": (Reply(b"", 302, headers={"Location": PATH}), "without an end"),
    "login": (Reply(b"", 302, headers={"Location": "/login"}), "a web page"),
}  # fmt: skip


@pytest.mark.parametrize("name", TROUBLES)
def test_r7_a_feed_in_trouble_deletes_nothing_and_its_owner_is_told_why(house, server, follow, name, logged):
    club = follow(*matches(house, *range(1, 13)))
    club.ok()
    server.at["/login"] = Reply(PAGE, type="text/html")
    server.at[PATH], reason = TROUBLES[name]
    outcomes = [club.cycle() for _ in range(3)]
    assert reason in outcomes[0].error
    assert [each.hub_writes for each in outcomes] == [0, 0, 0]
    assert len(club.titles()) == 12
    told = club.status()
    assert told.state == ("paused" if name == "503" else "failing")
    assert told.last_error == outcomes[0].error
    assert not house.account(club.made.account.id).needs_reconnect
    said = logged.getvalue()
    assert "cycle ended early" in said
    assert "canary" not in said + json.dumps(dataclasses.asdict(told), default=str) + str(outcomes)
    club.publish(*matches(house, *range(1, 13)))
    house.pass_by(hours=2)
    assert club.ok().hub_writes == 0
    assert club.status().state == "ok"


def test_r7_r5_a_feed_cut_at_any_place_deletes_nothing(house, server, follow):
    club = follow(*matches(house, *range(1, 13)))
    club.ok()
    whole = server.at[PATH].body.rstrip()
    for length in range(0, len(whole), len(whole) // 40):
        server.at[PATH] = Reply(whole[:length])
        outcome = club.cycle()
        assert outcome.error
        assert outcome.hub_writes == 0
        house.pass_by(hours=1)  # or it would be left alone for a while (R33)
    assert len(server.asked) > 40
    assert len(club.titles()) == 12


def test_r33_a_feed_that_stays_away_is_asked_less_and_less_and_the_reason_stays_plain(house, server, follow):
    club = follow(*matches(house, 1))
    club.ok()
    server.at[PATH] = Reply(b"", 404)
    for _ in range(20):
        club.cycle()
        if club.status().state == "paused":
            break
    assert "has nothing at this address" in club.status().paused_because
    server.asked.clear()
    assert "has nothing at this address" in club.cycle().error
    assert server.asked == []
    assert club.titles() == ["Match 1"]


def test_r7_r6_a_feed_that_shows_nothing_any_more_is_parked_and_comes_back(house, follow):
    """An empty calendar is legal, so somebody has to look; if the feed comes to its senses first, nothing was done."""
    club = follow(*matches(house, *range(1, 13)))
    club.ok()
    club.publish()
    assert club.ok().parked
    assert club.status().state == "waits for approval"
    assert len(club.titles()) == 12
    club.publish(*matches(house, *range(1, 13)))
    assert not club.ok().parked
    assert len(club.titles()) == 12
    assert club.status().state == "ok"


def test_r6_what_the_owner_approves_is_deleted(house, follow):
    club = follow(*matches(house, *range(1, 13)))
    club.ok()
    club.publish()
    club.ok()
    with house.context.database.write() as conn:
        pairs.approve(conn, club.pair, now=house.context.now())
    club.ok()
    assert club.titles() == []


# --- the secret


def test_the_address_is_sealed_at_rest(house, follow):
    club = follow(*matches(house, 1))
    club.ok()
    held = b"".join(path.read_bytes() for path in house.context.settings.data.glob("bridge.db*"))
    assert b"Match 1" in held
    assert b"canary4711" not in held


# --- unsubscribing


def test_unsubscribing_takes_the_calendar_with_it(house, follow):
    club = follow(*matches(house, 1))
    club.ok()
    subscribing.unsubscribe(house.context, "alex", "club")
    assert house.read(calendars.get, "alex", "club") is None
    assert house.read(accounts.every) == []
    assert house.read(pairs.every) == []
    again = follow(*matches(house, 1))
    again.ok()
    assert again.titles() == ["Match 1"]


def test_unsubscribing_may_keep_the_calendar(house, follow):
    club = follow(*matches(house, 1))
    club.ok()
    subscribing.unsubscribe(house.context, "alex", "club", keep=True)
    assert club.titles() == ["Match 1"]
    assert house.read(accounts.every) == []
    with pytest.raises(NotFound, match="does not follow a feed"):
        subscribing.unsubscribe(house.context, "alex", "club")


def test_unsubscribing_does_not_take_a_persons_own_events(house, follow):
    club = follow(*matches(house, 1))
    club.ok()
    with house.context.database.write() as conn:
        own = feed(event("own", at(house, 3), "My own"))
        objects.put(conn, club.made.calendar.id, "own.ics", own, actor="device:1", now=house.context.now())
    with pytest.raises(UsageError, match="holds 1 event"):
        subscribing.unsubscribe(house.context, "alex", "club")
    assert club.titles() == ["Match 1", "My own"]
    assert len(house.read(links.by_uid, club.pair, ["1@club"])) == 1


def test_a_calendar_that_is_no_subscription_is_not_taken_away(house):
    with pytest.raises(NotFound, match="does not follow a feed"):
        subscribing.unsubscribe(house.context, "alex", "calendar")
    with pytest.raises(NotFound, match="no calendar alex/club"):
        subscribing.unsubscribe(house.context, "alex", "club")
