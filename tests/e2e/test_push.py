"""A phone learns of an edit made in Google within seconds: the whole way, by the product's own processes.

The phone registers as DAVx5 does. Everything about Web Push on its side, and the push service, is written from the RFCs
(``tests.support.push_service``), not from the bridge.
"""

import time
import xml.etree.ElementTree as ET
from contextlib import ExitStack

import httpx
import pytest

from tests.e2e import worlds
from tests.support.hub import wait_for
from tests.support.push_service import NAMES, Device, PushService

WITHIN = 5.0
"""Seconds."""


class Phone:
    """What DAVx5 does: reads the three properties, registers without a trigger and a content encoding, syncs by token."""

    def __init__(self, url, username, password):
        self._http = httpx.Client(base_url=url, auth=(username, password), timeout=30)
        self.path = f"/{username}/calendar/"
        self.device = Device()

    def close(self):
        self._http.close()

    def properties(self, *names, path=None):
        wanted = "".join(f"<{name}/>" for name in names)
        spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMES.items())
        content = f"<D:propfind {spaces}><D:prop>{wanted}</D:prop></D:propfind>"
        headers = {"Depth": "0", "Content-Type": "application/xml; charset=utf-8"}
        reply = self._http.request("PROPFIND", path or self.path, content=content, headers=headers)
        return ET.fromstring(reply.content).find(".//D:prop", NAMES)

    def register(self, resource, path=None):
        content = (
            f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><n1:push-register xmlns:n1="{NAMES["P"]}">'
            f"<n1:subscription><n1:web-push-subscription><n1:push-resource>{resource}</n1:push-resource>"
            f'<n1:subscription-public-key type="p256dh">{self.device.public_key}</n1:subscription-public-key>'
            f"<n1:auth-secret>{self.device.auth_secret}</n1:auth-secret></n1:web-push-subscription></n1:subscription>"
            "<n1:expires>Wed, 02 Dec 2099 08:32:48 GMT</n1:expires></n1:push-register>"
        )
        headers = {"Content-Type": "application/xml; charset=utf-8"}
        return self._http.post(path or self.path, content=content, headers=headers)

    def changed_since(self, token):
        """(status, what is new by its text)."""
        content = (
            f'<D:sync-collection xmlns:D="DAV:"><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>'
            "<D:prop><D:getetag/></D:prop></D:sync-collection>"
        )
        headers = {"Depth": "0", "Content-Type": "application/xml"}
        reply = self._http.request("REPORT", self.path, content=content, headers=headers)
        hrefs = [each.text for each in ET.fromstring(reply.content).iter("{DAV:}href")]
        return reply.status_code, [self._http.get(href).text for href in hrefs]

    def put(self, name, title, **headers):
        text = (
            f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//phone//EN\r\nBEGIN:VEVENT\r\nUID:{name}\r\nDTSTAMP:20260101T000000Z\r\n"
            f"DTSTART:20270310T090000Z\r\nDTEND:20270310T100000Z\r\nSUMMARY:{title}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )
        named = {"Content-Type": "text/calendar", **{key.replace("_", "-"): value for key, value in headers.items()}}
        return self._http.put(f"{self.path}{name}.ics", content=text, headers=named)

    def delete(self, url):
        return self._http.delete(url)


PUSH = {"CALDAV_BRIDGE_PUSH__ALLOW": '["127.0.0.1"]', "CALDAV_BRIDGE_PUSH__INTERVAL_SECONDS": "1"}


@pytest.fixture
def world(tmp_path):
    with worlds.opened(tmp_path, **PUSH) as opened:
        yield opened


@pytest.fixture
def phone(world):
    device = world.hub.command("device", "add", "alex", "android")
    made = Phone(device["url"], device["username"], device["password"])
    yield made
    made.close()


def at_google(world, title):
    start, end = ("2027-03-10T09:00:00", "2027-03-10T10:00:00")
    body = {
        "summary": title,
        "start": {"dateTime": start, "timeZone": "UTC"},
        "end": {"dateTime": end, "timeZone": "UTC"},
    }
    world.sides["google"].client.post("calendars/primary/events", json=body).raise_for_status()


def quiet(world):
    """Until all is synced and told."""
    world.at_rest()
    time.sleep(1)


def test_a_phone_is_told_of_an_edit_in_google_within_seconds(world, phone, capsys):
    shown = phone.properties("P:transports", "P:topic", "P:supported-triggers", "D:sync-token")
    key = shown.find("P:transports/P:web-push/P:vapid-public-key", NAMES)
    assert key.get("type") == "p256ecdsa"
    topic = shown.findtext("P:topic", namespaces=NAMES)
    before = shown.findtext("D:sync-token", namespaces=NAMES)
    with PushService() as service:
        registered = phone.register(service.subscribe("android", key.text))
        assert registered.status_code == 201
        quiet(world)

        began = time.monotonic()
        at_google(world, "Made in Google")
        [message] = wait_for(lambda: service.messages, seconds=WITHIN, every=0.01)
        took = message.at - began
        assert took < WITHIN
        assert message.read_by(phone.device)[:2] == (topic, {"content-update"})
        status, fresh = phone.changed_since(before)
        assert status == 207
        assert any("SUMMARY:Made in Google" in each for each in fresh)
        status, fresh = phone.changed_since(
            message.read_by(phone.device)[2]
        )  # the server takes the token of the message
        assert (status, fresh) == (207, [])
        assert service.refusals == []

        with capsys.disabled():
            print(f"\n  an edit in Google was told to the phone after {took:.2f} s")

        # what the phone does itself it is not told of, and what comes then it is
        time.sleep(1)
        own = registered.headers["Location"]
        assert phone.put("mine", "Made here", Push_Dont_Notify=f'"{own}"').status_code == 201
        quiet(world)
        assert len(service.messages) == 1
        at_google(world, "And another")
        wait_for(lambda: len(service.messages) == 2, seconds=WITHIN, every=0.01)

        assert phone.delete(own).status_code == 204
        at_google(world, "Nobody is told of this")
        wait_for(lambda: "Nobody is told" in "".join(phone.changed_since(before)[1]), seconds=30)
        time.sleep(1)
        assert len(service.messages) == 2
    log = world.hub.log.read_text()
    assert "/push/android" not in log
    assert "Traceback" not in log


def test_of_two_workers_on_postgresql_one_tells_each_phone_once(tmp_path, postgres):
    """Web and workers are processes that share nothing but the database, and the key in it."""
    with postgres.fresh() as url, ExitStack() as stack:
        environ = {**PUSH, "CALDAV_BRIDGE_DATABASE_URL": url}
        world = stack.enter_context(worlds.opened(tmp_path, parts=[["web"], ["worker"], ["worker"]], **environ))
        service = stack.enter_context(PushService())
        phones = {}
        for number in range(6):
            device = world.hub.command("device", "add", "alex", f"phone {number}")
            phone = Phone(device["url"], device["username"], device["password"])
            stack.callback(phone.close)
            shown = phone.properties("P:transports", "P:topic")
            key = shown.findtext("P:transports/P:web-push/P:vapid-public-key", namespaces=NAMES)
            assert phone.register(service.subscribe(str(number), key)).status_code == 201
            phones[f"/push/{number}"] = phone.device, shown.findtext("P:topic", namespaces=NAMES)
        quiet(world)
        at_google(world, "For all")
        wait_for(lambda: len(service.messages) >= 6, seconds=WITHIN, every=0.01)
        time.sleep(2)
        assert sorted(message.path for message in service.messages) == sorted(phones)
        for message in service.messages:
            device, topic = phones[message.path]
            assert message.read_by(device)[0] == topic
        assert service.refusals == []


def test_nobody_is_led_to_a_private_address(world, phone):
    """What [push] allow names may be there; the machine next to it may not."""
    for inside in (
        "https://10.0.0.1/push",
        "https://[::1]/push",
        "https://169.254.169.254/latest",
        "https://127.0.0.2/x",
    ):
        reply = phone.register(inside)
        assert reply.status_code == 403
        assert f"{{{NAMES['P']}}}invalid-subscription" in [each.tag for each in ET.fromstring(reply.content)]
    assert phone.register("https://127.0.0.1/x").status_code == 201
