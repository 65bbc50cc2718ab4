"""What reaches a push service, and what its answers mean: over real HTTP, to one that refuses what is not by the RFCs."""

import datetime as dt
import json
import socket
import threading
import time

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from bridge import config
from bridge.config import Log
from bridge.errors import UsageError
from bridge.notify.webpush import Endpoint
from bridge.outside import Allowed
from bridge.services import housekeeping, logs, principals, push_keys, registering, telling
from bridge.services.context import open_context
from bridge.services.telling import Teller
from bridge.store import calendars, objects, tables
from bridge.store import push_subscriptions as subscriptions
from bridge.store.push_subscriptions import Watched
from tests.support import databases
from tests.support.hub import wait_for
from tests.support.push_service import Device, PushService

START = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


class Clock:
    at = START

    def __call__(self):
        return self.at

    def move(self, **much):
        self.at += dt.timedelta(**much)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def service(clock):
    with PushService(now=lambda: clock().timestamp()) as running:
        yield running


@pytest.fixture
def context(tmp_path, clock):
    (tmp_path / "config.toml").write_text('[push]\nallow = ["127.0.0.1"]\ncontact = "mailto:admin@example.org"\n')
    databases.lay(tmp_path)
    opened = open_context(config.load(tmp_path), now=clock)
    principals.add(opened.database, "alice", "alice@example.org", now=clock())
    yield opened
    opened.close()


@pytest.fixture
def registrar(context):
    made = registering.open_registrar(context)
    yield made
    made.services.close()


@pytest.fixture
def teller(context):
    made = Teller(context)
    yield made
    made.close()


class Phone:
    """A device that watches alice's calendar (or what else is named), told by ``service``."""

    def __init__(self, context, registrar, service, name="phone", watched=None, *, resource=None, **more):
        self.device, self.path = Device(), f"/push/{name}"
        resource = resource or service.subscribe(name, registrar.keys.signer.public_key)
        endpoint = Endpoint.of(resource, self.device.public_key, self.device.auth_secret)
        wish = {"content": True, "property_depth": None, "expires_at": registrar.until(None, context.now()), **more}
        with context.database.write() as conn:
            calendar = calendars.get(conn, "alice", "calendar")
            registrar.register(
                conn,
                watched or Watched("calendar", calendar.id),
                endpoint,
                principal_id=calendar.principal_id,
                device_id=None,
                now=context.now(),
                **wish,
            )
        self._service = service

    def read(self):
        return [each.read_by(self.device) for each in self._service.messages if each.path == self.path]


@pytest.fixture
def phone(context, registrar, service):
    return lambda *args, **more: Phone(context, registrar, service, *args, **more)


@pytest.fixture
def put(context):
    def write(name="a"):
        data = (
            f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nBEGIN:VEVENT\r\nUID:{name}\r\nDTSTAMP:20260101T000000Z\r\n"
            f"DTSTART:20260310T090000Z\r\nSUMMARY:Secret tea {context.now()}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        ).encode()
        with context.database.write() as conn:
            calendar = calendars.get(conn, "alice", "calendar")
            objects.put(conn, calendar.id, f"{name}.ics", data, actor="cli", now=context.now())

    return write


def rows(context):
    with context.database.read() as conn:
        return conn.execute(sa.select(tables.push_subscriptions)).all()


def at_rest(teller):
    wait_for(lambda: teller._at_work.total() == 0, seconds=10, every=0.01)


def tick(teller):
    teller.tick()
    at_rest(teller)


def test_a_change_is_told_and_only_the_device_can_read_it(context, registrar, service, phone, teller, put):
    told = phone()
    put()
    tick(teller)
    with context.database.read() as conn:
        calendar = calendars.get(conn, "alice", "calendar")
    topic = registrar.keys.topic(Watched("calendar", calendar.id))
    token = f"http://radicale.org/ns/sync/{calendar.id}-{calendar.revision}"
    assert told.read() == [(topic, {"content-update"}, token)]
    assert service.refusals == []
    [message] = service.messages
    for secret in ("tea", "alice", "calendar", topic):
        assert secret not in repr(message)
    assert message.headers["Urgency"] == "normal"
    assert message.headers["TTL"] == "86400"
    tick(teller)
    assert len(service.messages) == 1


def test_one_message_replaces_another_only_where_it_says_the_same(context, phone, teller, service, clock):
    phone(property_depth=0)
    with context.database.write() as conn:
        calendar = calendars.get(conn, "alice", "calendar")
    for number, at in enumerate(("Work", "Home", "Away")):
        with context.database.write() as conn:
            calendars.set_properties(conn, calendar.id, {"D:displayname": at}, actor="cli", now=clock())
            if number == 2:
                objects.put(conn, calendar.id, "a.ics", EVENT, actor="cli", now=clock())
        tick(teller)
        clock.move(seconds=10)
    one, two, three = (each.headers["Topic"] for each in service.messages)
    assert one == two != three


EVENT = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20260101T000000Z\r\n"
    b"DTSTART:20260310T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def test_a_home_is_told_of_without_a_token(context, phone, teller, clock):
    with context.database.read() as conn:
        owner = calendars.get(conn, "alice", "calendar").principal_id
    told = phone("home", Watched("home", owner), property_depth=1)
    with context.database.write() as conn:
        made = calendars.create(conn, owner, "new", properties={}, now=clock())
        calendars.set_properties(conn, made.id, {"D:displayname": "New"}, actor="cli", now=clock())
    tick(teller)
    [(_, kinds, token)] = told.read()
    assert (kinds, token) == ({"content-update", "property-update"}, None)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_message_that_was_taken_is_told(context, phone, teller, service, put, status):
    phone()
    put()
    service.answers = [status]
    tick(teller)
    [row] = rows(context)
    assert (row.due_at, row.failures, row.content_told) == (None, 0, 1)


@pytest.mark.parametrize("status", [404, 410])
def test_a_device_that_is_gone_is_dropped(context, phone, teller, service, put, status):
    phone()
    phone("other")
    put()
    service.answers = [status]
    tick(teller)
    assert len(rows(context)) == 1
    assert len(service.messages) == 1


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        ((429, {"Retry-After": "120"}), 120), ((503, {"Retry-After": "Sun, 01 Mar 2026 12:05:00 GMT"}), 300),
        ((429, {"Retry-After": "1e30"}), 86400), ((500, {}), 15), ((403, {}), 15), ((400, {}), 15),
        ((503, {"Retry-After": "soon"}), 15), ((302, {"Location": "http://127.0.0.1:1/"}), 15),
    ],
)  # fmt: skip
def test_a_refusal_waits_as_long_as_it_says(context, phone, teller, service, put, clock, answer, wait):
    told = phone()
    put()
    service.answers = [answer]
    tick(teller)
    [row] = rows(context)
    assert (row.due_at - clock(), row.failures) == (dt.timedelta(seconds=wait), 1)
    put("b")  # news does not make it impatient
    tick(teller)
    assert service.messages == []
    clock.move(seconds=wait)
    tick(teller)
    assert len(told.read()) == 1
    assert rows(context)[0].failures == 0


def test_it_waits_longer_each_time_up_to_an_hour(context, phone, teller, service, put, clock):
    phone()
    put()
    waits = []
    for _ in range(12):
        service.answers = [500]
        tick(teller)
        waits.append((rows(context)[0].due_at - clock()).total_seconds())
        clock.at = rows(context)[0].due_at
    assert waits[:4] == [15, 30, 60, 120]
    assert waits[-1] == 3600


def test_a_burst_is_two_messages(context, phone, teller, service, put, clock):
    told = phone()
    for number in range(20):
        put(str(number))
        tick(teller)
        clock.move(seconds=0.1)
    clock.move(seconds=5)
    tick(teller)
    tick(teller)
    assert len(told.read()) == 2
    assert told.read()[-1][2].endswith("-20")


def test_nobody_is_led_inside_after_the_registration(context, registrar, service, phone, put):
    """The name led outside when it was registered, and leads here now (DNS rebinding)."""
    where = {"push.example": "192.0.43.8"}
    resolve = lambda host, port: [where[host]]  # noqa: E731
    registrar.services._resolve = resolve
    port = service.origin.rpartition(":")[2]
    phone(resource=f"https://push.example:{port}/push/rebound")
    put()
    where["push.example"] = "127.0.0.1"
    teller = Teller(context, resolve=resolve)
    teller._client._allowed = Allowed()
    connected = []
    real = socket.socket.connect
    socket.socket.connect = lambda self, address: (connected.append(address), real(self, address))[1]
    try:
        tick(teller)
    finally:
        socket.socket.connect = real
        teller.close()
    assert connected == []
    assert service.messages == service.refusals == []
    [row] = rows(context)
    assert row.failures == 1


def test_a_redirect_is_not_followed(context, phone, teller, service, put):
    with PushService() as inside:
        phone()
        put()
        service.answers = [(307, {"Location": f"{inside.origin}/push/x"})]
        tick(teller)
        assert inside.messages == inside.refusals == []


def test_a_service_that_dawdles_is_given_up_and_holds_up_no_other(context, phone, teller, service, put, monkeypatch):
    """Its head comes octet by octet, each of them in time. Those of the other service are told meanwhile."""
    teller._client._total = dt.timedelta(seconds=1)
    with Dripping() as slow:
        for number in range(6):
            phone(f"slow{number}", resource=f"http://127.0.0.2:{slow.port}/{number}")
        quick = [phone(f"quick{number}") for number in range(6)]
        monkeypatch.setattr(teller._client, "_allowed", Allowed.of(["127.0.0.0/8"]))
        put()
        began = time.monotonic()
        teller.tick()
        wait_for(lambda: all(each.read() for each in quick), seconds=0.9, every=0.01)
        assert time.monotonic() - began < 0.9
        assert slow.most == telling.AT_ONCE_PER_SERVICE
        at_rest(teller)
    failures = {row.host: row.failures for row in rows(context)}
    assert failures == {"127.0.0.2": 1, "127.0.0.1": 0}


class Dripping:
    """Answers one octet each 50 ms and never comes to an end. ``most`` connections were open at once."""

    def __enter__(self):
        self._listening = socket.create_server(("127.0.0.2", 0))
        self.port, self.most, self._open = self._listening.getsockname()[1], 0, 0
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listening.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._open += 1
            self.most = max(self.most, self._open)
            threading.Thread(target=self._drip, args=[connection], daemon=True).start()

    def _drip(self, connection):
        try:
            connection.sendall(b"HTTP/1.1 201 Created\r\nX-Long: ")
            while True:
                connection.sendall(b"x")
                time.sleep(0.05)
        except OSError:
            self._open -= 1
            connection.close()


def test_what_is_secret_is_in_no_log(context, phone, teller, service, put, capsys, clock):
    logs.configure(Log(level="debug"))
    phone("a-secret-name")
    for answer in (500, (302, {"Location": "/elsewhere"}), 404):
        put()
        service.answers = [answer]
        tick(teller)
        clock.move(hours=2)
    logged = capsys.readouterr().err
    assert logged.count("subscription=1") == 3
    assert "a-secret-name" not in logged
    assert "push/" not in logged


def test_the_keys_are_made_once_and_kept_sealed(context, registrar, clock):
    keys = push_keys.load(context)
    assert keys.signer.public_key == registrar.keys.signer.public_key == push_keys.load(context).signer.public_key
    assert keys.topics == registrar.keys.topics
    with context.database.read() as conn:
        sealed = conn.scalar(sa.select(tables.sealed_settings.c.value))
    held = json.loads(context.vault.open(sealed))
    assert held["vapid"].encode() not in sealed


def test_processes_that_start_at_once_have_the_same_keys(context):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(push_keys.load(context).signer.public_key)) for _ in range(8)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_keys_that_do_not_open_are_not_replaced_by_accident(context, registrar, phone, put, teller, tmp_path, clock):
    phone()
    put()
    before = registrar.keys.signer.public_key
    (tmp_path / "vault.key").write_text(Fernet.generate_key().decode())
    other = open_context(config.load(tmp_path), now=clock)
    try:
        assert registering.open_registrar(other) is None
        with pytest.raises(UsageError):
            push_keys.load(other)
        wrong = Teller(other)
        tick(wrong)
        wrong.close()
        assert [row.failures for row in rows(context)] == [1]
        assert push_keys.load(context).signer.public_key == before
        assert push_keys.renew(other) == 1
        assert push_keys.load(other).signer.public_key != before
        assert rows(context) == []
    finally:
        other.close()


def test_what_has_expired_is_swept(context, phone, clock):
    phone()
    clock.move(days=6)
    housekeeping.run(context)
    assert len(rows(context)) == 1
    clock.move(days=1)
    housekeeping.run(context)
    assert rows(context) == []


def test_a_calendar_that_was_deleted_meanwhile_is_no_trouble(context, phone, teller, service, put, clock):
    phone()
    put()
    with context.database.write() as conn:
        [due] = subscriptions.claim_due(conn, now=clock(), lease=telling.LEASE, limit=1, per_host=1)
        calendars.delete(conn, due.watched.id, now=clock())
    teller._tell(due)
    assert service.messages == service.refusals == []
