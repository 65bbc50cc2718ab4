"""A poll that is answered from memory says what one that is not would say, whoever has changed what meanwhile."""

import pytest

from bridge.services import sharing
from bridge.store import calendars
from radicale_plugins import app, remembered
from radicale_plugins.remembered import Remembered
from tests.radicale_plugins.conftest import Dav

CALENDAR = "/alice/calendar/"
POLL = ("CS:getctag", "D:sync-token", "D:displayname", "D:current-user-privilege-set", "D:resourcetype")


def polled(client, path=CALENDAR, **headers):
    answer = client.props(path, *POLL, **headers)
    return {name: answer.text(path, name) for name in POLL[:3]}, answer.prop(path, POLL[3]), answer.prop(path, POLL[4])


def told(client, path=CALENDAR):
    """A multistatus, byte by byte."""
    body = "".join(f"<{name}/>" for name in POLL)
    return client.xml("PROPFIND", path, f"<D:propfind><D:prop>{body}</D:prop></D:propfind>", Depth="0").content


@pytest.fixture
def elsewhere(serve, database, clock, alice):
    """The same hub from another process: it shares nothing with the first but the database."""
    with Dav(base_url=serve(app.build(database, now=clock)), auth=alice) as client:
        yield client


def test_an_unchanged_calendar_is_answered_alike_for_two_queries(dav, statements):
    first = told(dav)
    statements.clear()
    assert told(dav) == first
    assert len(statements) == 2  # who is it, and what is the calendar's row


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_every_change_is_seen_at_once(dav, elsewhere, event, where):
    other = {"here": dav, "elsewhere": elsewhere}[where]
    seen = [told(dav)]

    def changes(status, answered):
        assert answered.status_code == status
        seen.append(told(dav))
        assert seen[-1] not in seen[:-1]
        assert seen[-1] == told(elsewhere)  # as one says who has never answered before

    changes(201, other.put(CALENDAR + "a.ics", event("a")))
    changes(204, other.put(CALENDAR + "a.ics", event("a", "DTSTART:20260311T090000Z", "SUMMARY:Tea")))
    changes(204, other.request("DELETE", CALENDAR + "a.ics"))
    name = "<D:propertyupdate><D:set><D:prop><D:displayname>Work</D:displayname></D:prop></D:set></D:propertyupdate>"
    changes(207, other.xml("PROPPATCH", CALENDAR, name))
    assert polled(dav)[0]["D:displayname"] == "Work"


def test_a_calendar_that_is_made_anew_is_another_one(dav):
    before = told(dav)
    assert dav.request("DELETE", CALENDAR).status_code == 204
    assert dav.xml("PROPFIND", CALENDAR, "<D:propfind><D:prop><CS:getctag/></D:prop></D:propfind>").status_code == 404
    assert dav.request("MKCALENDAR", CALENDAR).status_code == 201
    assert told(dav) != before


def test_each_sees_what_is_theirs_to_do(dav, base, person, database, clock):
    """One calendar, two people, and rights that change between two polls."""
    with Dav(base_url=base, auth=person("bob")) as bob:
        sharing.add(database, "alice/calendar", "bob", "read", now=clock())
        path = next(href for href in bob.props("/bob/", "D:resourcetype", depth="1").hrefs if "alice" in href)

        def privileges(client, where):
            return [each[0].tag.partition("}")[2] for each in polled(client, where)[1]]

        assert "write-content" in privileges(dav, CALENDAR)
        assert "write-content" not in privileges(bob, path)
        sharing.add(database, "alice/calendar", "bob", "write", now=clock())
        assert "write-content" in privileges(bob, path)
        sharing.remove(database, "alice/calendar", "bob", now=clock())
        assert bob.request("PROPFIND", path, headers={"Depth": "0"}).status_code == 404


def test_what_a_client_prefers_and_where_a_proxy_put_us_is_part_of_the_question(serve, database, clock, alice):
    application = app.build(database, now=clock, trusted_proxies=["127.0.0.1"])
    with Dav(base_url=serve(application), auth=alice) as client:
        whole = client.props(CALENDAR, "D:displayname", "CS:none")
        brief = client.props(CALENDAR, "D:displayname", "CS:none", Prefer="return=minimal")
        assert whole.props(CALENDAR, "404")
        assert not brief.props(CALENDAR, "404")
        below = client.props(CALENDAR, "D:displayname", "CS:none", X_Script_Name="/dav")
        assert list(below.hrefs) == [f"/dav{CALENDAR}"]


def test_what_is_not_in_the_row_is_never_remembered(dav, base, person, database, clock):
    """What a sharee calls themselves, for instance."""

    def invited():
        return dav.xml("PROPFIND", CALENDAR, "<D:propfind><D:prop><CS:invite/></D:prop></D:propfind>", Depth="0").text

    with Dav(base_url=base, auth=person("bob")) as bob:
        sharing.add(database, "alice/calendar", "bob", "read", now=clock())
        assert "Bobby" not in invited()
        called = "<D:set><D:prop><D:displayname>Bobby</D:displayname></D:prop></D:set>"
        assert bob.xml("PROPPATCH", "/bob/", f"<D:propertyupdate>{called}</D:propertyupdate>").status_code == 207
        assert "Bobby" in invited()


def test_nobody_is_answered_from_memory_who_may_not_ask(dav, base, alice):
    told(dav)
    with Dav(base_url=base, auth=("alice", "wrong")) as guesser:
        assert guesser.request("PROPFIND", CALENDAR, headers={"Depth": "0"}).status_code == 401


def test_its_memory_has_an_end(database, alice, monkeypatch):
    monkeypatch.setattr(remembered, "MOST", 3)
    with database.read() as conn:
        calendar = calendars.get(conn, "alice", "calendar")
    kept = Remembered()
    for number in range(10):
        kept.keep(number, calendar, (207, {}, b"", None))
        assert kept.get(number, calendar) is not None
    assert sum(kept.get(number, calendar) is not None for number in range(10)) <= 3
