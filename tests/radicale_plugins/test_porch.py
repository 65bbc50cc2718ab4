"""A poll that is answered at the door says what one that is not would say, whoever has changed what meanwhile."""

import socket
import threading
import time

import pytest

from bridge.services import devices, sharing
from bridge.store import login_failures
from radicale_plugins import app, porch
from tests.radicale_plugins.conftest import Dav
from tests.radicale_plugins.polls import CALENDAR, HOME, POLL, listed, synced, told


def polled(client, path=CALENDAR, **headers):
    answer = client.props(path, *POLL, **headers)
    return {name: answer.text(path, name) for name in POLL[:3]}, answer.prop(path, POLL[3]), answer.prop(path, POLL[4])


@pytest.mark.parametrize("ask", [told, listed, synced], ids=lambda ask: ask.__name__)
def test_what_has_not_changed_is_answered_alike_at_the_door(dav, statements, at_the_door, ask):
    first = ask(dav)
    assert at_the_door == []
    statements.clear()
    assert ask(dav) == first
    assert len(at_the_door) == 1
    assert statements == []  # but for the one that the porch asks by itself


@pytest.mark.parametrize("where", ["here", "elsewhere"])
@pytest.mark.parametrize("ask", [told, listed, synced], ids=lambda ask: ask.__name__)
def test_every_change_is_seen_at_once(dav, elsewhere, serve, database, clock, alice, event, where, ask, at_the_door):
    other = {"here": dav, "elsewhere": elsewhere}[where]
    seen = [ask(dav)]

    def changes(status, answered):
        assert answered.status_code == status
        seen.append(ask(dav))
        assert seen[-1] not in seen[:-1]
        with Dav(base_url=serve(app.build(database, now=clock)), auth=alice) as newcomer:
            assert seen[-1] == ask(newcomer)  # as one says who has never answered before
        at_the_door.clear()
        assert ask(dav) == seen[-1]
        assert at_the_door

    changes(201, other.put(CALENDAR + "a.ics", event("a")))
    changes(204, other.put(CALENDAR + "a.ics", event("a", "DTSTART:20260311T090000Z", "SUMMARY:Tea")))
    changes(204, other.request("DELETE", CALENDAR + "a.ics"))
    name = "<D:propertyupdate><D:set><D:prop><D:displayname>Work</D:displayname></D:prop></D:set></D:propertyupdate>"
    if ask is not synced:  # a calendar's name is not among its members
        changes(207, other.xml("PROPPATCH", CALENDAR, name))
        assert polled(dav)[0]["D:displayname"] == "Work"


def test_a_home_with_one_calendar_more_or_less_is_another_one(dav):
    seen = [listed(dav)]
    for method, status in (("MKCALENDAR", 201), ("DELETE", 204)):
        assert dav.request(method, "/alice/new/").status_code == status
        seen.append(listed(dav))
    assert seen[0] == seen[2] != seen[1]


def test_a_home_is_told_of_what_is_shared_with_it(dav, person, database, clock):
    person("bob")
    seen = [listed(dav)]
    sharing.add(database, "bob/calendar", "alice", "read", now=clock())
    seen.append(listed(dav))
    sharing.add(database, "bob/calendar", "alice", "write", now=clock())
    seen.append(listed(dav))
    sharing.remove(database, "bob/calendar", "alice", now=clock())
    assert listed(dav) == seen[0]
    assert len({*seen}) == 3


def test_a_home_with_a_message_in_its_inbox_is_told_of_it(dav, base, person, event):
    with Dav(base_url=base, auth=person("bob")) as bob:
        before = listed(dav)
        guests = "ORGANIZER:mailto:bob@example.org", "ATTENDEE:mailto:alice@example.org"
        meeting = event("m", "DTSTART:20260310T090000Z", "SUMMARY:Tea", *guests)
        assert bob.put("/bob/calendar/m.ics", meeting).status_code == 201
        assert listed(dav) != before


def test_a_name_and_an_address_of_the_person_are_theirs_at_once(dav):
    asked = "<D:propfind><D:prop><D:displayname/></D:prop></D:propfind>"
    before = dav.xml("PROPFIND", HOME, asked, Depth="0").content
    called = "<D:set><D:prop><D:displayname>Ali</D:displayname></D:prop></D:set>"
    assert dav.xml("PROPPATCH", HOME, f"<D:propertyupdate>{called}</D:propertyupdate>").status_code == 207
    after = dav.xml("PROPFIND", HOME, asked, Depth="0").content
    assert b"Ali" in after
    assert after != before


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


def test_what_is_not_in_the_rows_is_never_kept(dav, base, person, database, clock):
    """What a sharee calls themselves, for instance."""

    def invited():
        return dav.xml("PROPFIND", CALENDAR, "<D:propfind><D:prop><CS:invite/></D:prop></D:propfind>", Depth="0").text

    with Dav(base_url=base, auth=person("bob")) as bob:
        sharing.add(database, "alice/calendar", "bob", "read", now=clock())
        assert "Bobby" not in invited()
        called = "<D:set><D:prop><D:displayname>Bobby</D:displayname></D:prop></D:set>"
        assert bob.xml("PROPPATCH", "/bob/", f"<D:propertyupdate>{called}</D:propertyupdate>").status_code == 207
        assert "Bobby" in invited()


def test_the_properties_of_objects_are_never_answered_at_the_door(dav, event, at_the_door):
    """No revision tells of those that a client made up for them (decision 0037)."""
    dav.put(CALENDAR + "a.ics", event("a"))
    asked = "<D:sync-token/><D:sync-level>1</D:sync-level><D:prop><D:displayname/></D:prop>"

    def told_of():
        return dav.xml("REPORT", CALENDAR, f"<D:sync-collection>{asked}</D:sync-collection>").text

    assert "mine" not in told_of() + told_of()
    mine = "<D:set><D:prop><D:displayname>mine</D:displayname></D:prop></D:set>"
    assert dav.xml("PROPPATCH", CALENDAR + "a.ics", f"<D:propertyupdate>{mine}</D:propertyupdate>").status_code == 207
    assert "mine" in told_of()
    assert at_the_door == []


def test_a_wrong_password_is_never_answered_at_the_door(dav, base, at_the_door):
    assert told(dav) == told(dav)
    at_the_door.clear()
    with Dav(base_url=base, auth=("alice", "wrong")) as guesser:
        for _ in range(2):
            assert guesser.request("PROPFIND", CALENDAR, headers={"Depth": "0"}).status_code == 401
    assert at_the_door == []


def test_a_revoked_device_is_refused_at_once(dav, database, clock):
    told(dav)
    told(dav)
    devices.revoke(database, "alice", "Phone", now=clock())
    assert dav.request("PROPFIND", CALENDAR, headers={"Depth": "0"}).status_code == 401
    body = "".join(f"<{name}/>" for name in POLL)
    polled = f"<D:propfind><D:prop>{body}</D:prop></D:propfind>"
    assert dav.xml("PROPFIND", CALENDAR, polled, Depth="0").status_code == 401


def test_who_has_to_wait_waits_before_the_door(dav, database, clock):
    told(dav)
    told(dav)
    with database.write() as conn:
        there = login_failures.of_address("127.0.0.1")
        login_failures.record(conn, there, now=clock(), max_failures=1, block_seconds=300)
    body = "".join(f"<{name}/>" for name in POLL)
    polled = f"<D:propfind><D:prop>{body}</D:prop></D:propfind>"
    assert dav.xml("PROPFIND", CALENDAR, polled, Depth="0").status_code == 401
    clock.move(minutes=6)
    assert dav.xml("PROPFIND", CALENDAR, polled, Depth="0").status_code == 207


def test_that_a_device_is_used_is_noted_each_minute_all_the_same(dav, database, clock, at_the_door):
    def used_at():
        with database.read() as conn:
            return devices.devices.by_id(conn, 1).last_used_at

    told(dav)
    first = used_at()
    clock.move(seconds=30)
    told(dav)
    assert used_at() == first
    assert len(at_the_door) == 1
    clock.move(seconds=31)
    told(dav)
    assert used_at() == clock()
    assert len(at_the_door) == 1


def test_another_program_asks_another_question(dav, at_the_door):
    """Thunderbird is told less of what it may do than others (``live``)."""
    for agent in ("DAVx5", "Thunderbird/128", "DAVx5"):
        dav.headers["User-Agent"] = agent
        told(dav)
    assert len(at_the_door) == 1


def test_a_number_that_a_proxy_gives_each_request_makes_no_new_one(dav, at_the_door):
    for number in range(3):
        dav.headers["X-Request-Id"] = str(number)
        told(dav)
    assert len(at_the_door) == 2


def test_the_body_of_a_stranger_is_not_waited_for(base, dav):
    """Whoever has never signed in so is refused before a byte of the body is there."""
    told(dav)
    host, _, port = base.removeprefix("http://").partition(":")
    head = f"PROPFIND {CALENDAR} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic eDp5\r\nContent-Length: 400\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=5) as stranger:
        stranger.sendall(head.encode())
        assert stranger.recv(100).startswith(b"HTTP/1.1 401")


WHOLE = b"<propfind xmlns='DAV:'><prop><sync-token/></prop></propfind>"


@pytest.mark.parametrize("ended", [b"<propfind", WHOLE])
def test_a_body_that_ends_early_is_refused_as_ever(base, dav, alice, at_the_door, ended):
    """Where the beginning is known from before, and even where what has come would be a question by itself."""
    for content in (WHOLE, WHOLE, WHOLE + b"    "):
        request = dav.build_request("PROPFIND", CALENDAR, content=content, headers={"Depth": "0"})
        assert dav.send(request).status_code == 207
    assert len(at_the_door) == 1
    kept = [(name, value) for name, value in request.headers.raw if name.lower() != b"authorization"]
    host, _, port = base.removeprefix("http://").partition(":")
    authorization = dav.auth.auth_flow(dav.build_request("GET", "/")).__next__().headers["Authorization"]
    lines = [f"PROPFIND {CALENDAR} HTTP/1.1".encode(), *(b": ".join(each) for each in kept)]
    lines += [f"Authorization: {authorization}".encode(), b"", ended]
    with socket.create_connection((host, int(port)), timeout=5) as client:
        client.sendall(b"\r\n".join(lines))
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("path", ["/alice/.notifications/", "/alice/.proxy-read/", "/alice/.outbox/", "/alice/none/"])
@pytest.mark.parametrize("depth", ["0", "1"])
def test_what_has_other_rows_is_never_answered_at_the_door(dav, at_the_door, path, depth):
    asked = "<D:propfind><D:prop><D:getetag/><D:resourcetype/></D:prop></D:propfind>"
    for _ in range(3):
        assert dav.xml("PROPFIND", path, asked, Depth=depth).status_code in (207, 404)
    assert at_the_door == []


def test_a_notification_is_seen_at_once(dav, base, person, database, clock):
    asked = "<D:propfind><D:prop><D:getetag/><D:resourcetype/></D:prop></D:propfind>"

    def listed_there():
        return dav.multi("PROPFIND", "/alice/.notifications/", asked, Depth="1").hrefs

    assert len(listed_there()) == len(listed_there()) == 1
    with Dav(base_url=base, auth=person("bob")) as bob:
        share = "<CS:share><CS:set><D:href>mailto:alice@example.org</D:href><CS:read/></CS:set></CS:share>"
        assert bob.xml("POST", "/bob/calendar/", share).status_code == 200
    assert len(listed_there()) == 2


def test_its_memory_has_an_end(dav, monkeypatch, at_the_door):
    monkeypatch.setattr(porch, "MOST_BYTES", 20_000)
    for number in range(30):
        dav.headers["User-Agent"] = f"program {number}"
        told(dav)
    for number in range(30):
        dav.headers["User-Agent"] = f"program {number}"
        told(dav)
    assert len(at_the_door) < 10


def test_many_ask_while_one_writes_and_nobody_is_told_less_than_they_knew(base, alice, event):
    """An answer that is kept is never newer than the rows beside which it is kept."""
    ended = threading.Event()
    found = []

    def ask():
        known = -1
        with Dav(base_url=base, auth=alice) as client:
            while not ended.is_set():
                number = int(
                    client.props(CALENDAR, "CS:getctag").text(CALENDAR, "CS:getctag").strip('"').partition("-")[2]
                )
                found.append(number >= known)
                known = number

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    with Dav(base_url=base, auth=alice) as client:
        for number in range(40):
            assert client.put(f"{CALENDAR}{number}.ics", event(str(number))).status_code == 201
            told_now = client.props(CALENDAR, "CS:getctag").text(CALENDAR, "CS:getctag")
            assert told_now == f'"1-{number + 1}"'  # what this writer knows, it is told
            time.sleep(0.002)
    ended.set()
    for asker in askers:
        asker.join()
    assert found
    assert all(found)
