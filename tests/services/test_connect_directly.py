"""Connecting a CalDAV server by address, name and password, and the mirror that comes of it, at real servers."""

import pytest

from bridge.errors import NotFound, Unreachable, UsageError
from bridge.services import connecting, pushes
from bridge.store import accounts, audit, remote_calendars
from tests.contracts.bench import Typed, wall
from tests.support.bridged import Phone, event
from tests.support.caldav_hands import Hands
from tests.support.caldav_server import PASSWORD, USER, radicale, xandikos

START, END = wall("2026-03-02 12:00"), wall("2026-03-02 13:00")
PUSH_FREE_CYCLE = 1  # requests of an idle one


@pytest.fixture(params=[radicale, xandikos])
def server(request, tmp_path):
    with request.param(tmp_path) as running:
        yield running


@pytest.fixture
def hands(server):
    path = server.make_calendar("work", displayname="Work")
    with server.hands() as client:
        yield Hands(client, path)


def connect(house, server, password=PASSWORD, provider="caldav"):
    return connecting.connect_directly(
        house.context, "alex", provider, url=server.url, username=USER, password=password
    )


def change_password(server, folder, password):
    """At Radicale in its own file; in front of Xandikos at the door."""
    if server.screws.passwords is None:
        (folder / "htpasswd").write_text(f"{USER}:{password}\n", encoding="utf-8")
    else:
        server.screws.passwords = {USER: password}


def phone(house):
    return Phone(house.context, house.calendar().id)


def cycle(house, pair_id):
    outcome = house.cycle(pair_id)
    assert outcome.error is None, outcome
    return outcome


def quiet(house, server, pair_id):
    """After one cycle for our own echo: nothing is written, and one request is made."""
    cycle(house, pair_id)
    requests, writes = server.screws.requests, server.screws.writes
    outcome = cycle(house, pair_id)
    assert (outcome.hub_writes, outcome.remote_writes, outcome.quarantined) == (0, 0, 0)
    assert server.screws.writes == writes
    assert server.screws.requests == requests + PUSH_FREE_CYCLE


def test_what_is_typed_becomes_an_account_its_calendars_and_a_first_pair(house, server, hands):
    connected = connect(house, server)
    account = connected.account
    assert (account.provider, account.sandbox, account.needs_reconnect) == ("caldav", False, False)
    assert account.subject == f"{server.url}/{USER}/"
    (known,) = house.read(remote_calendars.of_account, account.id)
    pair = house.pair(connected.pair_id)
    assert (pair.calendar_id, pair.remote_calendar_id, pair.direction) == (house.calendar().id, known.id, "both")
    (entry,) = house.read(audit.of_principal, account.principal_id)
    assert entry.action == "account.connected"


def test_the_password_is_sealed_at_rest(house, server, hands):
    connect(house, server)
    held = b"".join(path.read_bytes() for path in house.context.settings.data.glob("bridge.db*"))
    assert f"{server.url}/{USER}/".encode() in held
    assert PASSWORD.encode() not in held
    assert b"an app-password" not in held


def test_both_sides_come_to_have_the_same_and_then_there_is_quiet(house, server, hands):
    there = hands.add(Typed("Made there", START, END))
    series = hands.add(Typed("Standup", START, END, rule="FREQ=DAILY;COUNT=5"))
    phone(house).put("here", event("Made here", START, END, "LOCATION:Stiege 2"))
    pair_id = connect(house, server).pair_id
    cycle(house, pair_id)
    assert hands.titles() == ["Made here", "Made there", "Standup"]
    quiet(house, server, pair_id)

    phone(house).edit(phone(house).find("Made there"), "Made there", "Renamed here")
    hands.move_occurrence(series, wall("2026-03-03 12:00"), wall("2026-03-03 15:00"), wall("2026-03-03 16:00"))
    house.pass_by(minutes=6)
    cycle(house, pair_id)
    assert hands.titles() == ["Made here", "Renamed here", "Standup"]
    assert "DTSTART;TZID=Europe/Vienna:20260303T150000" in phone(house).stored()[phone(house).find("Standup")]
    quiet(house, server, pair_id)

    hands.remove(there)
    phone(house).remove("here")
    house.pass_by(minutes=6)
    cycle(house, pair_id)
    cycle(house, pair_id)
    assert hands.titles() == ["Standup"]
    assert list(phone(house).stored()) == [phone(house).find("Standup")]
    quiet(house, server, pair_id)


def test_r12_an_answer_that_is_lost_makes_no_second_event(house, server, hands):
    pair_id = connect(house, server).pair_id
    cycle(house, pair_id)
    phone(house).put("here", event("Dentist", START, END))
    server.screws.respond = lambda method, *_: (
        setattr(server.screws, "trouble", "answer lost") if method == "PUT" else None
    )
    assert house.cycle(pair_id).error is not None
    server.screws.respond, server.screws.trouble = None, None
    assert hands.titles() == ["Dentist"]
    house.pass_by(minutes=10)
    cycle(house, pair_id)
    assert hands.titles() == ["Dentist"]
    quiet(house, server, pair_id)


def test_r16_what_is_on_both_sides_already_is_one_event(house, server, hands):
    uid = hands.add(Typed("Dentist", START, END)).rpartition("/")[2].removesuffix(".ics")
    phone(house).put(uid, event("Dentist", START, END))
    pair_id = connect(house, server).pair_id
    cycle(house, pair_id)
    assert hands.titles() == ["Dentist"]
    assert list(phone(house).stored()) == [uid]
    quiet(house, server, pair_id)


def test_r15_a_changed_password_is_given_by_connecting_again(house, server, hands, tmp_path):
    hands.add(Typed("Dentist", START, END))
    first = connect(house, server)
    cycle(house, first.pair_id)
    change_password(server, tmp_path, "another one")
    assert "connect" in house.cycle(first.pair_id).error
    assert house.account(first.account.id).needs_reconnect
    with pytest.raises(UsageError):
        connect(house, server)
    assert house.account(first.account.id).needs_reconnect

    again = connect(house, server, "another one")
    assert again.account.id == first.account.id
    assert again.pair_id is None
    assert not house.account(first.account.id).needs_reconnect
    outcome = cycle(house, first.pair_id)
    assert (outcome.hub_writes, outcome.remote_writes, outcome.linked) == (0, 0, 0)


def test_it_does_without_notifications(house, server, hands):
    pair_id = connect(house, server).pair_id
    assert not pushes.ensure(house.context, pair_id)
    assert house.channels(pair_id) == []


def test_nobody_connects_for_a_person_who_is_not_there(house, server, hands):
    requests = server.screws.requests
    with pytest.raises(NotFound, match="user add bob"):
        connecting.connect_directly(house.context, "bob", "caldav", url=server.url, username=USER, password=PASSWORD)
    assert server.screws.requests == requests


def test_a_server_that_is_down_is_not_a_wrong_password(house, server, hands):
    server.screws.trouble = "answer lost"
    with pytest.raises(Unreachable):
        connect(house, server)
    assert house.read(accounts.every) == []


def test_each_provider_is_connected_its_own_way(house):
    with pytest.raises(UsageError, match="--url"):
        connecting.begin(house.context, "alex", "caldav")
    with pytest.raises(UsageError, match="no simulated caldav"):
        connecting.begin(house.context, "alex", "caldav", sandbox=True)
    with pytest.raises(UsageError, match="takes no address"):
        connecting.connect_directly(
            house.context, "alex", "google", url="https://a.example/", username="a", password="b"
        )
