"""WebDAV-Push as a device meets it: what it is shown, how it registers, and what it is refused (CLIENTS 4)."""

import datetime as dt
import xml.etree.ElementTree as ET
from email.utils import format_datetime, parsedate_to_datetime

import httpx
import pytest
from cryptography.fernet import Fernet

from bridge.notify import webpush
from bridge.notify.webpush import Client, Signer
from bridge.outside import Allowed
from bridge.services import delegating, devices, sharing
from bridge.services.push_keys import PushKeys
from bridge.services.registering import MOST_OF_COLLECTION, Registrar
from bridge.store import push_subscriptions as subscriptions
from bridge.store.vault import Vault
from radicale_plugins import app
from tests.radicale_plugins.conftest import Dav

CALENDAR, HOME = "/alice/calendar/", "/alice/"
NS = "https://bitfire.at/webdav-push"
P = f"{{{NS}}}"
DEVICE = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
RESOURCE = "https://push.example/device-1"
CONTENT = '<content-update><depth xmlns="DAV:">1</depth></content-update>'
PROPERTIES = '<property-update><depth xmlns="DAV:">{}</depth></property-update>'
ADDRESSES = {"push.example": ["192.0.43.8"], "inside.example": ["10.0.0.1"], "ntfy.lan": ["10.0.0.2"]}


@pytest.fixture
def registrar():
    keys = PushKeys(Signer(webpush.key_from(webpush.new_key())), b"k" * 32)
    services = Client(Allowed.of(["ntfy.lan"]), resolve=lambda host, port: ADDRESSES[host])
    yield Registrar(keys, Vault([Fernet.generate_key().decode()]), services, dt.timedelta(days=7))
    services.close()


@pytest.fixture
def application(database, clock, registrar):
    return app.build(database, now=clock, push=registrar)


def body(resource=RESOURCE, *, trigger="", expires="", encoding="", key=DEVICE, auth=AUTH, type='type="p256dh"'):
    """What DAVx5 sends, unless more is said: no trigger, no content encoding."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><push-register xmlns="{NS}"><subscription><web-push-subscription>'
        f"<push-resource>{resource}</push-resource>{encoding and f'<content-encoding>{encoding}</content-encoding>'}"
        f"<subscription-public-key {type}>{key}</subscription-public-key><auth-secret>{auth}</auth-secret>"
        f"</web-push-subscription></subscription>{trigger and f'<trigger>{trigger}</trigger>'}"
        f"{expires and f'<expires>{expires}</expires>'}</push-register>"
    )


def register(client, path=CALENDAR, *args, **more):
    headers = {"Content-Type": "application/xml; charset=utf-8"}
    return client.post(path, content=body(*args, **more), headers=headers)


def refused(reply, precondition):
    assert reply.status_code == 403, reply.text
    assert [each.tag for each in ET.fromstring(reply.content)] == [f"{P}{precondition}"]
    return True


def pushed(dav, path):
    """The three properties of a collection."""
    wanted = f'<propfind xmlns="DAV:" xmlns:P="{NS}"><prop><P:transports/><P:topic/><P:supported-triggers/></prop></propfind>'
    reply = dav.request("PROPFIND", path, content=wanted, headers={"Depth": "0", "Content-Type": "application/xml"})
    found = ET.fromstring(reply.content).find(".//{DAV:}prop")
    return {each.tag.removeprefix(P): each for each in found}


@pytest.fixture
def due(database, clock):
    """Who would be told now, by digest of the push resource; they count as told then."""

    def claim():
        with database.write() as conn:
            claimed = subscriptions.claim_due(conn, now=clock(), lease=dt.timedelta(seconds=30), limit=99, per_host=99)
            for one in claimed:
                subscriptions.told(conn, one, now=clock(), quiet=dt.timedelta())
            return [(one.watched.kind, one.content, one.properties) for one in claimed]

    return claim


def kept(database, clock):
    with database.read() as conn:
        return subscriptions.every(conn, now=clock())


def test_what_a_device_is_shown(dav, registrar):
    for path, depth in ((CALENDAR, "0"), (HOME, "1")):
        shown = pushed(dav, path)
        key = shown["transports"].find(f"{P}web-push/{P}vapid-public-key")
        assert (key.get("type"), key.text) == ("p256ecdsa", registrar.keys.signer.public_key)
        assert len(webpush.from_base64url(key.text)) == 65
        assert shown["supported-triggers"].findtext(f"{P}content-update/{{DAV:}}depth") == "1"
        assert shown["supported-triggers"].findtext(f"{P}property-update/{{DAV:}}depth") == depth
        options = dav.request("OPTIONS", path).headers
        assert "webdav-push" in options["DAV"]
        assert "POST" in options["Allow"]


def test_a_topic_is_a_collections_own_and_stays(dav, event):
    topics = {path: pushed(dav, path)["topic"].text for path in (CALENDAR, HOME, "/alice/tasks/")}
    assert len(set(topics.values())) == 3
    dav.put(CALENDAR + "a.ics", event("a"))
    assert {path: pushed(dav, path)["topic"].text for path in topics} == topics
    assert all(len(each) == 32 and "alice" not in each for each in topics.values())


def test_an_object_and_the_root_have_none_of_it(dav, event):
    dav.put(CALENDAR + "a.ics", event("a"))
    for path in (CALENDAR + "a.ics", "/"):
        assert "webdav-push" not in dav.request("OPTIONS", path).headers["DAV"]
        assert refused(register(dav, path), "push-not-available")


def test_they_are_told_to_who_asks_and_nobody_sets_them(dav):
    everything = dav.multi("PROPFIND", CALENDAR, "", Depth="0")
    assert not [each for each in everything.props(CALENDAR) if each.tag.startswith(P)]
    change = f'<D:propertyupdate><D:set><D:prop><topic xmlns="{NS}">mine</topic></D:prop></D:set></D:propertyupdate>'
    assert dav.multi("PROPPATCH", CALENDAR, change).props(CALENDAR, "403")


def test_a_device_registers_as_davx5_does(dav, clock, database, event, due):
    reply = register(dav)
    assert reply.status_code == 201
    assert reply.headers["Location"].startswith(f"{dav.base_url}/alice/.push/")
    assert parsedate_to_datetime(reply.headers["Expires"]) == clock() + dt.timedelta(days=7)
    assert [(one.user, one.device, one.calendar, one.host) for one in kept(database, clock)] == [
        ("alice", "Phone", "calendar", "push.example")
    ]
    dav.put(CALENDAR + "a.ics", event("a"))
    assert due() == [("calendar", True, False)]


def test_registering_again_brings_it_up_to_date(dav, clock):
    first = register(dav)
    clock.move(days=1)
    again = register(dav)
    assert again.status_code == 204
    assert again.headers["Location"] == first.headers["Location"]
    assert parsedate_to_datetime(again.headers["Expires"]) == clock() + dt.timedelta(days=7)
    assert register(dav, HOME).status_code == 201
    assert register(dav, CALENDAR, "https://push.example/device-2").status_code == 201


@pytest.mark.parametrize(
    ("asked", "granted"),
    [(dt.timedelta(days=3), dt.timedelta(days=3)), (dt.timedelta(hours=1), dt.timedelta(hours=1)),
     (dt.timedelta(days=400), dt.timedelta(days=7)), (dt.timedelta(days=-1), dt.timedelta(days=3))],
)  # fmt: skip
def test_how_long_it_is_good_for(dav, clock, asked, granted):
    reply = register(dav, expires=format_datetime(clock() + asked, usegmt=True))
    assert parsedate_to_datetime(reply.headers["Expires"]) == clock() + granted


def test_an_end_that_nobody_can_read_says_nothing(dav, clock):
    for nonsense in ("soon", "2026-03-05T12:00:00Z", "Thu, 99 Mar 99999 12:00:00 GMT"):
        reply = register(dav, expires=nonsense)
        assert parsedate_to_datetime(reply.headers["Expires"]) == clock() + dt.timedelta(days=7)


def test_what_it_wants_to_hear_of(dav, clock, due, event):
    register(dav, HOME, trigger=CONTENT)
    register(dav, HOME, "https://push.example/deep", trigger=PROPERTIES.format("infinity"))
    register(dav, HOME, "https://push.example/flat", trigger=PROPERTIES.format("0"))
    register(dav, CALENDAR, trigger=CONTENT + PROPERTIES.format("1"))
    named = "<D:propertyupdate><D:set><D:prop><D:displayname>{}</D:displayname></D:prop></D:set></D:propertyupdate>"
    dav.multi("PROPPATCH", CALENDAR, named.format("Work"))
    assert sorted(due()) == [("calendar", False, True), ("home", False, True)]
    dav.multi("PROPPATCH", HOME, named.format("Alice"))
    assert sorted(due()) == [("home", False, True), ("home", False, True)]
    assert dav.request("MKCALENDAR", "/alice/new/").status_code == 201
    assert due() == [("home", True, False)]
    dav.put("/alice/new/a.ics", event("a"))
    assert due() == []
    assert dav.request("DELETE", "/alice/new/").status_code == 204
    assert due() == [("home", True, False)]


def test_triggers_that_are_none_are_refused(dav):
    for trigger in (" ", "<other/>"):
        assert refused(register(dav, trigger=trigger), "no-supported-trigger")


@pytest.mark.parametrize(
    "wrong",
    [
        {"encoding": "aesgcm"}, {"type": 'type="rsa"'}, {"key": "AAAA"}, {"auth": ""}, {"resource": ""},
        {"resource": "http://push.example/x"}, {"resource": "https://inside.example/x"},
        {"resource": "https://user:pass@push.example/x"}, {"resource": "ftp://push.example/x"},
    ],
)  # fmt: skip
def test_a_subscription_that_is_none_is_refused(dav, database, clock, wrong):
    assert refused(register(dav, **wrong), "invalid-subscription")
    assert kept(database, clock) == []


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "::ffff:192.168.0.1"]
)
def test_nobody_is_led_inside(dav, address, monkeypatch):
    monkeypatch.setitem(ADDRESSES, "inside.example", [address])
    assert refused(register(dav, resource="https://inside.example/x"), "invalid-subscription")


def test_what_the_admin_names_may_be_inside(dav):
    assert register(dav, resource="https://ntfy.lan/x").status_code == 201
    assert register(dav, resource="http://ntfy.lan/y").status_code == 201


def test_other_posts_are_nothing_to_it(dav):
    assert dav.post(HOME, content=b"BEGIN:VCALENDAR", headers={"Content-Type": "text/calendar"}).status_code == 405
    for content in (b"", b"<other/>"):
        assert dav.post(CALENDAR, content=content, headers={"Content-Type": "application/xml"}).status_code == 405
    assert dav.post(CALENDAR, content=b"<push-reg", headers={"Content-Type": "application/xml"}).status_code == 400


def test_taking_it_back(dav, database, clock, event, due):
    location = register(dav).headers["Location"]
    dav.put(CALENDAR + "a.ics", event("a"))
    assert dav.delete(location).status_code == 204
    assert due() == []
    assert dav.delete(location).status_code == 404
    location = register(dav).headers["Location"]
    clock.move(days=8)
    assert dav.delete(location).status_code == 404


def test_nobody_takes_back_anothers_nor_registers_with_another(dav, base, person, database, clock):
    location = register(dav).headers["Location"]
    with Dav(base_url=base, auth=person("bob")) as bob:
        assert bob.delete(location).status_code in (403, 404)
        assert bob.delete(location.replace("/alice/", "/bob/")).status_code == 404
        assert register(bob, CALENDAR).status_code == 403
        assert register(bob, "/bob/calendar/").status_code == 201
    assert len(kept(database, clock)) == 2


def test_who_may_see_that_somebody_is_there_learns_no_topic(base, dav, person):
    with Dav(base_url=base, auth=person("bob")) as bob:
        assert all(each.text is None and len(each) == 0 for each in pushed(bob, HOME).values())
        assert register(bob, HOME).status_code == 403


def test_a_stranger_registers_nothing(anonymous, alice, database, clock):
    assert register(anonymous).status_code == 401
    assert kept(database, clock) == []


def test_nothing_else_is_done_with_a_registration(dav):
    location = httpx.URL(register(dav).headers["Location"]).path
    for method in ("GET", "PROPFIND"):
        assert dav.request(method, location, headers={"Depth": "0"}).status_code == 404
    assert dav.request("PUT", location, content=b"x").status_code == 403
    assert dav.request("MKCALENDAR", location).status_code == 403
    assert dav.request("PROPFIND", "/alice/.push/", headers={"Depth": "0"}).status_code == 404
    assert dav.delete(location).status_code == 204


def test_there_is_an_end_to_how_many_one_may_have(dav, clock):
    for number in range(MOST_OF_COLLECTION):
        assert register(dav, resource=f"https://push.example/{number}").status_code == 201
    assert refused(register(dav, resource="https://push.example/more"), "push-not-available")
    assert register(dav, resource="https://push.example/0").status_code == 204
    assert register(dav, "/alice/tasks/", "https://push.example/more").status_code == 201
    clock.move(days=8)  # what has expired does not count
    assert register(dav, resource="https://push.example/more").status_code == 201


@pytest.mark.parametrize("method", ["PUT", "DELETE", "MOVE", "PROPPATCH"])
def test_a_device_is_not_told_of_what_it_does_itself(dav, due, event, method):
    """Just of that; and the other one is told."""
    own = register(dav, trigger=CONTENT + PROPERTIES.format("0")).headers["Location"]
    register(dav, resource="https://push.example/other", trigger=CONTENT + PROPERTIES.format("0"))
    dav.put(CALENDAR + "a.ics", event("a"))
    assert len(due()) == 2
    named = "<D:propertyupdate><D:set><D:prop><D:displayname>X</D:displayname></D:prop></D:set></D:propertyupdate>"
    content = {"PUT": event("a", "DTSTART:20260311T090000Z").decode(), "PROPPATCH": named}.get(method, "")
    headers = {"Push-Dont-Notify": f'"{own}"', "Content-Type": "text/calendar"}
    if method == "PROPPATCH":
        assert dav.xml(method, CALENDAR, content, Push_Dont_Notify=f'"{own}"').status_code == 207
    else:
        if method == "MOVE":
            headers["Destination"] = str(dav.base_url) + CALENDAR + "b.ics"
        assert dav.request(method, CALENDAR + "a.ics", content=content, headers=headers).status_code in (201, 204)
    assert len(due()) == 1
    dav.put(CALENDAR + "c.ics", event("c"))
    assert len(due()) == 2


def test_a_star_is_all_registrations_of_the_device_and_of_no_other(dav, base, database, clock, due, event):
    tablet = devices.add(database, "alice", "Tablet", now=clock()).password
    register(dav)
    with Dav(base_url=base, auth=("alice", tablet)) as other:
        register(other, resource="https://push.example/tablet")
        dav.put(CALENDAR + "a.ics", event("a"), Push_Dont_Notify="*")
        assert len(due()) == 1
        other.put(CALENDAR + "b.ics", event("b"))
        assert len(due()) == 2


def test_nobody_keeps_anothers_device_in_the_dark(dav, base, person, due, event):
    with Dav(base_url=base, auth=person("bob")) as bob:
        theirs = register(bob, "/bob/calendar/").headers["Location"]
        own = register(dav).headers["Location"]
        bob.put("/bob/calendar/a.ics", event("a"), Push_Dont_Notify=f'"{own}"')
        assert len(due()) == 1
    for nonsense in (theirs, f'"{theirs}"', '"', "nothing", '"https://elsewhere.example/x"', "," * 5000):
        dav.put(
            CALENDAR + "a.ics",
            event("a", f"DTSTART:20260311T090000Z\r\nSUMMARY:{len(nonsense)}"),
            Push_Dont_Notify=nonsense,
        )
        assert len(due()) == 1


def test_a_lost_device_is_told_nothing_more(dav, database, clock, due, event, base):
    tablet = devices.add(database, "alice", "Tablet", now=clock()).password
    register(dav)
    devices.revoke(database, "alice", "Phone", now=clock())
    with Dav(base_url=base, auth=("alice", tablet)) as other:
        other.put(CALENDAR + "a.ics", event("a"))
    assert due() == []


def test_nothing_that_is_secret_lies_open(dav, database, clock):
    register(dav)
    with database.read() as conn:
        rows = conn.exec_driver_sql("SELECT * FROM push_subscriptions").all()
    assert len(rows) == 1
    for secret in (RESOURCE, "device-1", DEVICE, AUTH):
        assert secret not in str(rows)


def test_where_it_is_switched_off_there_is_no_sign_of_it(database, clock, serve, alice):
    with Dav(base_url=serve(app.build(database, now=clock)), auth=alice) as dav:
        assert "webdav-push" not in dav.request("OPTIONS", CALENDAR).headers["DAV"]
        assert all(len(each) == 0 and each.text is None for each in pushed(dav, CALENDAR).values())
        assert refused(register(dav), "push-not-available")


def test_behind_a_proxy_the_url_is_the_one_outside(database, clock, serve, alice, registrar):
    outside = app.build(database, now=clock, push=registrar, public_url="https://cal.example.org")
    with Dav(base_url=serve(outside), auth=alice) as dav:
        assert register(dav).headers["Location"].startswith("https://cal.example.org/alice/.push/")


def test_who_loses_a_shared_calendar_is_told_nothing_of_it_any_more(dav, base, person, database, clock, due, event):
    with Dav(base_url=base, auth=person("bob")) as bob:
        assert register(bob, CALENDAR).status_code == 403
        path = f"/bob/{sharing.add(database, 'alice/calendar', 'bob', 'read', now=clock()).share.slug}/"
        assert pushed(bob, path)["topic"].text == pushed(dav, CALENDAR)["topic"].text
        location = register(bob, path).headers["Location"]
        assert location.partition("/bob/")[2].startswith(".push/")
        dav.put(f"{CALENDAR}a.ics", event("a"))
        assert len(due()) == 1
        sharing.remove(database, "alice/calendar", "bob", now=clock())
        clock.move(minutes=1)
        dav.put(f"{CALENDAR}b.ics", event("b"))
        assert len(due()) == 0
        assert register(bob, path).status_code == 404


def test_who_was_only_asked_to_share_a_calendar_registers_for_nothing(dav, base, person, database, clock):
    bob = Dav(base_url=base, auth=person("bob"))
    body = "<CS:share><CS:set><D:href>/bob/</D:href><CS:read/></CS:set></CS:share>"
    assert dav.xml("POST", CALENDAR, body).status_code == 200
    with bob:
        for slug in ("calendar-alice", "None"):
            assert register(bob, f"/bob/{slug}/").status_code == 404
        assert register(bob, CALENDAR).status_code == 403


def test_a_delegate_cannot_register_in_anothers_home(dav, base, person, database, clock):
    with Dav(base_url=base, auth=person("bob")) as bob:
        delegating.add(database, "alice", "bob", "write", now=clock())
        for path in (HOME, CALENDAR):
            assert refused(register(bob, path), "push-not-available")
            assert pushed(bob, path) == {} or all(
                not len(each) and not each.text for each in pushed(bob, path).values()
            )
