"""sync-collection with a limit, and of a home: which calendars changed (RFC 6578; CLIENTS §1.1)."""

import base64
import xml.etree.ElementTree as ET
import zlib

import pytest

from bridge.store import calendars, changes, objects
from tests.radicale_plugins.conftest import START

HOME, CALENDAR, TASKS = "/alice/", "/alice/calendar/", "/alice/tasks/"


def sync(token="", *, level="<D:sync-level>1</D:sync-level>", limit=None, prop="<D:getetag/>"):
    limited = "" if limit is None else f"<D:limit><D:nresults>{limit}</D:nresults></D:limit>"
    return f"<D:sync-collection><D:sync-token>{token}</D:sync-token>{level}{limited}<D:prop>{prop}</D:prop></D:sync-collection>"


INFINITE = "<D:sync-level>infinite</D:sync-level>"


def token_in(answer):
    return answer.root.findtext("{DAV:}sync-token")


def precondition(reply):
    return reply.status_code, ET.fromstring(reply.content)[0].tag.removeprefix("{DAV:}")


def states(answer):
    return {
        href: (answer.status(href) or "200").split()[-1 if answer.status(href) is None else 1] for href in answer.hrefs
    }


@pytest.fixture
def home(dav):
    """The home's ctag and token, always as a PROPFIND says them."""

    def state():
        answer = dav.props(HOME, "CS:getctag", "D:sync-token")
        return answer.text(HOME, "CS:getctag"), answer.text(HOME, "D:sync-token")

    return state


# --- the home ------------------------------------------------------------------------------------------------------


def test_a_homes_state_moves_with_its_calendars_and_only_then(dav, home, event):
    """As iOS polls it: without a ctag of the home it missed changes (CLIENTS 1.1)."""
    seen = [home()]
    assert home() == seen[0]
    dav.put(CALENDAR + "a.ics", event("a"))
    seen.append(home())
    dav.put(CALENDAR + "a.ics", event("a"))  # the same bytes
    assert home() == seen[-1]
    dav.xml("MKCALENDAR", "/alice/new/")
    seen.append(home())
    dav.request("DELETE", "/alice/new/")
    assert home() == seen[1]
    dav.xml("MKCALENDAR", "/alice/new/")  # another one of that name
    seen.append(home())
    assert len(set(seen)) == len(seen)
    assert dav.props("/", "CS:getctag", depth="1").text(HOME, "CS:getctag") == home()[0]


@pytest.mark.parametrize(
    ("level", "depth"), [("<D:sync-level>1</D:sync-level>", "0"), ("", "1")], ids=["standard", "older agents"]
)
def test_d11_a_home_syncs_as_macos_asks_it(dav, home, event, level, depth):
    first = dav.report(HOME, sync(level=level), Depth=depth)
    assert states(first) == {CALENDAR: "200", TASKS: "200"}
    token = token_in(first)
    assert token == home()[1]
    assert dav.report(HOME, sync(token, level=level), Depth=depth).hrefs == []
    dav.put(CALENDAR + "a.ics", event("a"))
    dav.xml("MKCALENDAR", "/alice/new/")
    second = dav.report(HOME, sync(token, level=level, prop="<D:resourcetype/><CS:getctag/>"), Depth=depth)
    assert states(second) == {CALENDAR: "200", "/alice/new/": "200"}
    assert second.text(CALENDAR, "CS:getctag") == dav.props(CALENDAR, "CS:getctag").text(CALENDAR, "CS:getctag")
    dav.request("DELETE", "/alice/new/")
    dav.request("DELETE", TASKS)
    third = dav.report(HOME, sync(token_in(second), level=level), Depth=depth)
    assert states(third) == {"/alice/new/": "404", TASKS: "404"}
    assert token_in(third) == home()[1]
    assert dav.report(HOME, sync(token_in(third), level=level), Depth=depth).hrefs == []


def test_a_home_syncs_to_its_objects(dav, event):
    dav.put(CALENDAR + "a.ics", event("a"))
    dav.put(CALENDAR + "gone.ics", event("gone"))
    dav.request("DELETE", CALENDAR + "gone.ics")
    first = dav.report(HOME, sync(level=INFINITE))
    assert states(first) == {CALENDAR: "200", TASKS: "200", CALENDAR + "a.ics": "200"}
    dav.put(CALENDAR + "b.ics", event("b"))
    dav.request("DELETE", CALENDAR + "a.ics")
    dav.request("DELETE", TASKS)
    second = dav.report(HOME, sync(token_in(first), level=INFINITE, prop="<D:getetag/><C:calendar-data/>"))
    assert states(second) == {CALENDAR: "200", CALENDAR + "b.ics": "200", CALENDAR + "a.ics": "404", TASKS: "404"}
    assert "UID:b" in second.text(CALENDAR + "b.ics", "C:calendar-data")
    assert dav.report(HOME, sync(token_in(second), level=INFINITE)).hrefs == []


def test_what_a_replaced_calendar_held_is_read_anew(dav, event):
    dav.put(CALENDAR + "a.ics", event("a"))
    token = token_in(dav.report(HOME, sync(level=INFINITE)))
    dav.request("DELETE", CALENDAR)
    dav.xml("MKCALENDAR", CALENDAR)
    assert precondition(dav.xml("REPORT", HOME, sync(token, level=INFINITE))) == (403, "valid-sync-token")
    assert states(dav.report(HOME, sync(token))) == {CALENDAR: "200"}


def test_a_home_that_is_told_in_portions_is_told_whole(dav, home):
    for number in range(5):
        dav.xml("MKCALENDAR", f"/alice/c{number}/")
    told, token, answers = [], "", 0
    while True:
        answer = dav.report(HOME, sync(token, limit=2))
        token, answers = token_in(answer), answers + 1
        told += [href for href in answer.hrefs if href != HOME]
        if HOME not in answer.hrefs:
            break
        assert answer.status(HOME) == "HTTP/1.1 507 Insufficient Storage"
        dav.request("DELETE", "/alice/c0/")  # told or not, this must not upset the rest
    assert answers == 3
    assert set(told) - {"/alice/c0/"} == {CALENDAR, TASKS, *(f"/alice/c{number}/" for number in range(1, 5))}
    assert token == home()[1]


def test_a_limit_that_not_even_one_calendar_fits_in(dav, event):
    for name in "abc":
        dav.put(f"{CALENDAR}{name}.ics", event(name))
    refused = precondition(dav.xml("REPORT", HOME, sync(level=INFINITE, limit=2)))
    assert refused == (403, "number-of-matches-within-limits")


def packed(text):
    return "http://radicale.org/ns/sync/home/" + base64.urlsafe_b64encode(zlib.compress(text.encode())).decode()


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        "http://radicale.org/ns/sync/1-0",  # a calendar's
        "http://radicale.org/ns/sync/home/",
        "http://radicale.org/ns/sync/home/!!",
        "http://radicale.org/ns/sync/home/ü",
        "http://radicale.org/ns/sync/home/AAAA",
        packed("1"),
        packed("x y calendar"),
        packed("1 99 calendar"),  # from the future
        packed("1 0 calendar\n" * 200_000),  # a bomb
    ],
)
def test_a_homes_token_that_is_not_ours_is_refused_by_name(dav, token):
    assert precondition(dav.xml("REPORT", HOME, sync(token))) == (403, "valid-sync-token")


def test_a_home_without_calendars_still_has_a_state(dav, home):
    for path in (CALENDAR, TASKS):
        dav.request("DELETE", path)
    token = home()[1]
    assert dav.report(HOME, sync(token)).hrefs == []
    assert token_in(dav.report(HOME, sync())) == token


def test_another_ones_home_does_not_sync(dav, person):
    person("bob")
    assert dav.xml("REPORT", "/bob/", sync()).status_code == 403


def test_a_poll_of_a_home_reads_no_objects(dav, event, statements):
    """O(calendars): how many objects there are does not matter."""
    dav.put(CALENDAR + "a.ics", event("a"))
    token = token_in(dav.report(HOME, sync()))
    statements.clear()
    dav.props(HOME, "CS:getctag", "D:sync-token")
    dav.report(HOME, sync(token))
    assert [each for each, _ in statements if "calendars" in each]
    assert not [each for each, _ in statements if "objects" in each or "tombstones" in each]


# --- a limit on a calendar -----------------------------------------------------------------------------------------


def in_portions(dav, token="", limit=2, between=lambda: None):
    """(href, status) as they come in, and the last token."""
    told = []
    for _ in range(50):
        answer = dav.report(CALENDAR, sync(token, limit=limit))
        told += [(href.rpartition("/")[2], state) for href, state in states(answer).items() if href != CALENDAR]
        token = token_in(answer)
        if CALENDAR not in answer.hrefs:
            return told, token
        assert answer.status(CALENDAR) == "HTTP/1.1 507 Insufficient Storage"
        assert answer.responses[CALENDAR].find("D:error/D:number-of-matches-within-limits", dav.NAMES) is not None
        assert len(answer.hrefs) == limit + 1
        between()
    raise AssertionError("it never ends")


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_d11_a_limit_is_kept_and_the_token_goes_on(dav, event, limit):
    for name in "abcdefg":
        dav.put(f"{CALENDAR}{name}.ics", event(name))
    dav.request("DELETE", CALENDAR + "c.ics")
    told, token = in_portions(dav, limit=limit)
    assert sorted(told) == [(f"{name}.ics", "200") for name in "abdefg"]  # no deleted member in an initial sync
    assert token == dav.props(CALENDAR, "D:sync-token").text(CALENDAR, "D:sync-token")
    for name in "ab":
        dav.request("DELETE", f"{CALENDAR}{name}.ics")
    dav.put(CALENDAR + "h.ics", event("h"))
    told, token = in_portions(dav, token, limit=limit)
    assert sorted(told) == [("a.ics", "404"), ("b.ics", "404"), ("h.ics", "200")]
    assert in_portions(dav, token, limit=limit)[0] == []


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_d11_a_limit_inside_one_transaction(dav, database, event, limit):
    """What one transaction changed has one revision: the token stands in the middle of it."""
    with database.write() as conn:
        calendar = calendars.get(conn, "alice", "calendar")
        for number in range(9):
            objects.put(conn, calendar.id, f"ä{number} %.ics", event(f"u{number}"), actor="test", now=START)
    told, token = in_portions(dav, limit=limit)
    assert len(told) == len(set(told)) == 9
    with database.write() as conn:
        for number in (0, 3, 4, 8):
            objects.delete(conn, calendar.id, f"ä{number} %.ics", actor="test", now=START)
        for number in (1, 5):
            moved = event(f"u{number}", "DTSTART:20260311T090000Z")
            objects.put(conn, calendar.id, f"ä{number} %.ics", moved, actor="test", now=START)
    told, _ = in_portions(dav, token, limit=limit)
    assert sorted(state for _, state in told) == ["200"] * 2 + ["404"] * 4
    assert len(set(told)) == 6


def test_d11_changes_between_the_portions_are_told_too(dav, event):
    for name in "abcdef":
        dav.put(f"{CALENDAR}{name}.ics", event(name))
    steps = [
        lambda: dav.request("DELETE", CALENDAR + "a.ics"),  # was told
        lambda: dav.put(CALENDAR + "c.ics", event("c", "DTSTART:20260312T090000Z")),  # was told, changed since
    ]
    told, token = in_portions(dav, limit=2, between=lambda: steps and steps.pop(0)())
    assert dict(told) == {"a.ics": "404", **{f"{name}.ics": "200" for name in "bcdef"}}
    assert token == dav.props(CALENDAR, "D:sync-token").text(CALENDAR, "D:sync-token")


def test_d11_an_initial_sync_in_portions_survives_a_compaction(dav, database, clock, event):
    """It was told of nothing that is gone; but who had seen it must be told to begin anew."""
    for name in "abc":
        dav.put(f"{CALENDAR}{name}.ics", event(name))
    dav.request("DELETE", CALENDAR + "b.ics")
    first = dav.report(CALENDAR, sync(limit=1))
    old = "http://radicale.org/ns/sync/1-2"
    assert states(dav.report(CALENDAR, sync(old))) == {CALENDAR + "c.ics": "200", CALENDAR + "b.ics": "404"}
    clock.move(days=400)
    with database.write() as conn:
        assert changes.compact(conn, calendars.get(conn, "alice", "calendar").id, clock()) == 1
    assert in_portions(dav, token_in(first), limit=1)[0] == [("c.ics", "200")]
    assert precondition(dav.xml("REPORT", CALENDAR, sync(old))) == (403, "valid-sync-token")


def test_a_token_inside_a_revision_whose_deletions_were_compacted(dav, database, clock, event):
    for name in "ab":
        dav.put(f"{CALENDAR}{name}.ics", event(name))
    token = dav.props(CALENDAR, "D:sync-token").text(CALENDAR, "D:sync-token")
    with database.write() as conn:
        calendar = calendars.get(conn, "alice", "calendar")
        for name in "ab":
            objects.delete(conn, calendar.id, f"{name}.ics", actor="test", now=clock())
    middle = token_in(dav.report(CALENDAR, sync(token, limit=1)))
    clock.move(days=400)
    with database.write() as conn:
        changes.compact(conn, calendar.id, clock())
    assert precondition(dav.xml("REPORT", CALENDAR, sync(middle))) == (403, "valid-sync-token")


@pytest.mark.parametrize(
    "rest",
    ["/9/alive/a.ics", "/0/alive/%ff", "/0/alive/%00", "/0/dead/a.ics", "/0/alive/", "/alive/a.ics", "/x/alive/a.ics"],
)
def test_a_token_for_the_middle_that_is_not_ours(dav, event, rest):
    dav.put(CALENDAR + "a.ics", event("a"))
    reply = dav.xml("REPORT", CALENDAR, sync(f"http://radicale.org/ns/sync/1-0{rest}"))
    assert precondition(reply) == (403, "valid-sync-token")


def test_limits_and_levels_that_make_no_sense(dav):
    for path in (HOME, CALENDAR):
        for limit in ("0", "00"):
            assert precondition(dav.xml("REPORT", path, sync(limit=limit))) == (403, "number-of-matches-within-limits")
        for limit in ("", "-1", "many", "٣"):
            assert dav.xml("REPORT", path, sync(limit=limit)).status_code == 400
        assert dav.xml("REPORT", path, sync(level="<D:sync-level>2</D:sync-level>")).status_code == 400
        assert dav.report(path, sync(limit="9" * 50)).root is not None


@pytest.mark.parametrize("depth", ["0", "1", "infinity"])
@pytest.mark.parametrize("level", ["1", "infinite"])
def test_depths_and_levels_as_clients_send_them(dav, event, depth, level):
    dav.put(CALENDAR + "a.ics", event("a"))
    body = sync(level=f"<D:sync-level>{level}</D:sync-level>")
    assert dav.report(CALENDAR, body, Depth=depth).hrefs == [CALENDAR + "a.ics"]
