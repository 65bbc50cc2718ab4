"""Every object of ``tests/data`` over CalDAV: what is accepted is served everywhere as it came, what is not is refused by name."""

import re
import shutil
import xml.etree.ElementTree as ET
from urllib.parse import quote

import httpx
import pytest
import vobject
from radicale import config

from bridge.services import devices, principals
from bridge.store.session import connect
from radicale_plugins import app
from radicale_plugins.request import Limits
from radicale_plugins.storage import Storage
from tests.radicale_plugins.conftest import START, Dav
from tests.support.corpus import ACCEPTED, REFUSED

CALENDAR = "/alice/corpus/"
EVENTS_ONLY = "/alice/calendar/"
LIMIT = 150_000
C = "{urn:ietf:params:xml:ns:caldav}"
WITHIN = 'start="20260101T000000Z" end="20280101T000000Z"'
RANGES = [WITHIN, 'start="00010101T000000Z" end="99991231T235959Z"']


@pytest.fixture(scope="module")
def hub(tmp_path_factory, _migrated_file):
    path = tmp_path_factory.mktemp("corpus") / "bridge.db"
    path.parent.chmod(0o700)
    shutil.copy(_migrated_file, path)
    opened = connect(f"sqlite:///{path}")
    principals.add(opened, "alice", "alice@example.org", now=START)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def dav(hub):
    """The application itself, without a server in front; Alice's calendar takes events, to-dos and journals."""
    password = devices.add(hub, "alice", "Phone", now=START).password
    application = app.build(hub, now=lambda: START, limits=Limits(object_bytes=LIMIT))
    with Dav(base_url="http://hub", auth=("alice", password), transport=httpx.WSGITransport(application)) as client:
        assert client.request("MKCALENDAR", CALENDAR).status_code == 201
        yield client


@pytest.fixture(scope="module")
def stored(dav):
    """The answers to the PUTs of all that is accepted, by href."""
    return {CALENDAR + f"{name}.ics": dav.put(CALENDAR + f"{name}.ics", data) for name, data in ACCEPTED.items()}


@pytest.fixture(autouse=True, scope="module")
def _no_vobject():
    """Nothing goes through Radicale's parser, which is stricter than the standard and forgets what it does not know."""

    def never(*_, **__):
        raise AssertionError("an object was given to vobject")

    with pytest.MonkeyPatch.context() as patch:
        for name in ("readComponents", "readOne"):
            patch.setattr(vobject, name, never)
        yield


def data_of(href):
    return ACCEPTED[href.removeprefix(CALENDAR).removesuffix(".ics")]


def as_xml_reads_it(data):
    """Line ends become LF (XML 1.0 §2.11), and what no XML can hold U+FFFD; None: a fold within a character was moved."""
    try:
        content = data.decode()
    except UnicodeDecodeError:
        return None
    return re.sub("[\ufffe\uffff]", "\ufffd", re.sub("\r\n?", "\n", content))


def test_every_object_is_stored_and_comes_back_to_the_byte(dav, stored):
    wrong = {}
    for href, made in stored.items():
        if made.status_code != 201:
            wrong[href] = made.status_code, made.text
            continue
        got = dav.get(href)
        etag = got.headers.get("ETag")
        again = dav.put(href, data_of(href), If_Match=etag)
        if (
            got.content != data_of(href)
            or etag != made.headers["ETag"]
            or got.headers["Content-Type"] != "text/calendar; charset=utf-8"
            or (again.status_code, again.headers["ETag"]) != (204, etag)
        ):
            wrong[href] = got.status_code, again.status_code
    assert not wrong


def test_every_object_is_in_a_multiget(dav, stored):
    hrefs = "".join(f"<D:href>{href}</D:href>" for href in stored)
    answer = dav.report(
        CALENDAR, f"<C:calendar-multiget><D:prop><D:getetag/><C:calendar-data/></D:prop>{hrefs}</C:calendar-multiget>"
    )
    assert set(answer.hrefs) == set(stored)
    wrong = []
    for href, made in stored.items():
        shown = as_xml_reads_it(data_of(href))
        told = answer.text(href, "C:calendar-data")
        if answer.text(href, "D:getetag") != made.headers["ETag"] or not told or (shown and told != shown):
            wrong.append(href)
    assert not wrong


def test_every_object_is_in_a_sync_and_in_a_listing(dav, stored):
    etags = {href: made.headers["ETag"] for href, made in stored.items()}
    for prop in ("<D:getetag/>", "<D:getetag/><C:calendar-data/>"):
        answer = dav.report(CALENDAR, f"<D:sync-collection><D:sync-token/><D:prop>{prop}</D:prop></D:sync-collection>")
        assert {href: answer.text(href, "D:getetag") for href in answer.hrefs} == etags
    listed = dav.props(CALENDAR, "D:getetag", depth="1")
    assert {href: listed.text(href, "D:getetag") for href in listed.hrefs if href != CALENDAR} == etags


@pytest.mark.parametrize("within", RANGES)
@pytest.mark.parametrize("kind", ["VEVENT", "VTODO", "VJOURNAL", "VALARM"])
def test_no_object_spoils_a_query_by_time(dav, stored, kind, within):
    inner = f'<C:comp-filter name="{kind}"><C:time-range {within}/></C:comp-filter>'
    if kind == "VALARM":
        inner = f'<C:comp-filter name="VEVENT">{inner}</C:comp-filter>'
    whole = f'<C:filter><C:comp-filter name="VCALENDAR">{inner}</C:comp-filter></C:filter>'
    answer = dav.report(CALENDAR, f"<C:calendar-query><D:prop><D:getetag/></D:prop>{whole}</C:calendar-query>")
    plain = {"VEVENT": "summary-twice", "VTODO": "todo-due", "VJOURNAL": "journal-time", "VALARM": "alarm-x50-display"}
    assert f"{CALENDAR}{plain[kind]}.ics" in answer.hrefs
    assert set(answer.hrefs) < set(stored)


def test_no_object_spoils_an_expansion(dav, stored):
    whole = (
        '<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
        f"<C:time-range {WITHIN}/></C:comp-filter></C:comp-filter></C:filter>"
    )
    data = f"<C:calendar-data><C:expand {WITHIN}/></C:calendar-data>"
    answer = dav.report(CALENDAR, f"<C:calendar-query><D:prop>{data}</D:prop>{whole}</C:calendar-query>")
    assert answer.text(CALENDAR + "rule-r23-count.ics", "C:calendar-data").count("BEGIN:VEVENT") == 10
    assert len(answer.hrefs) > len(ACCEPTED) / 2


def test_no_object_spoils_what_is_told_of_all(dav, stored):
    busy = dav.xml("REPORT", CALENDAR, f"<C:free-busy-query><C:time-range {WITHIN}/></C:free-busy-query>")
    assert busy.status_code == 200
    assert "\r\nFREEBUSY;FBTYPE=BUSY:" in busy.text
    assert dav.get(CALENDAR).status_code == 200


def test_plain_radicale_is_shown_every_object(hub, stored):
    storage = Storage(config.load(), database=hub, now=lambda: START)
    with storage.acquire_lock("r", "alice"):
        (calendar,) = storage.discover(CALENDAR)
        shown = {CALENDAR + item.href: (item.serialize(), item.etag) for item in calendar.get_all()}
        assert calendar.serialize().count("BEGIN:VEVENT") > len(ACCEPTED) / 2
    assert {href: etag for href, (_, etag) in shown.items()} == {
        href: made.headers["ETag"] for href, made in stored.items()
    }
    assert all(content for content, _ in shown.values())


def test_what_is_refused_is_refused_by_name_and_leaves_nothing(dav):
    wrong = {}
    for name, data in REFUSED.items():
        precondition, _, shows = name.partition("/")
        href = (
            f"{EVENTS_ONLY if precondition == 'supported-calendar-component' else CALENDAR}refused-{quote(shows)}.ics"
        )
        reply = dav.put(href, data)
        told = [each.tag for each in ET.fromstring(reply.content)] if reply.status_code == 403 else []
        if told != [C + precondition] or dav.get(href).status_code != 404:
            wrong[name] = reply.status_code, told
    assert not wrong
