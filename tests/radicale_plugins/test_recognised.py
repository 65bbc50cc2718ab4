"""Who finds a change need not sign in again, and is answered as if they had; and nobody is let in who must not be."""

import base64
import io
import pickle
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from bridge.services import devices, passwords
from bridge.services import principals as people
from bridge.store import devices as stored
from bridge.store import principals, session
from radicale_plugins import app, auth, porch
from tests.radicale_plugins.conftest import Dav
from tests.radicale_plugins.polls import CALENDAR, HOME, listed, synced, told
from tests.support import statements
from tests.support.hub import wait_for


@pytest.fixture
def signed_in(monkeypatch):
    """Who had to sign in."""
    names = []
    sign_in = auth.Auth._login_ext_with_groups

    def noted(self, login, password, context):
        names.append(login)
        return sign_in(self, login, password, context)

    monkeypatch.setattr(auth.Auth, "_login_ext_with_groups", noted)
    return names


def test_who_finds_a_change_need_not_sign_in_again(dav, elsewhere, event, at_the_door, signed_in):
    for ask in (told, listed, synced):
        before = ask(dav)
        elsewhere.put(f"{CALENDAR}{ask.__name__}.ics", event(ask.__name__))
        signed_in.clear()
        after = ask(dav)
        assert after != before
        assert signed_in == []
        assert ask(dav) == after  # which is kept in its turn
        assert signed_in == []
        assert len(at_the_door) == 1
        at_the_door.clear()


def test_who_is_recognised_has_the_calendar_read_once(dav, elsewhere, event):
    """It is among the rows that say who they are."""
    for ask in (told, synced):
        ask(dav)
        elsewhere.put(f"{CALENDAR}{ask.__name__}.ics", event(ask.__name__))
        with statements.noted() as asked:
            ask(dav)
        assert not [statement for statement, _ in asked if "FROM calendars" in statement]


ETAGS = "<D:prop><D:getetag/></D:prop>"
MONTH = "<C:time-range start='20260301T000000Z' end='20260401T000000Z'/>"
CTAG = "<D:propfind><D:prop><CS:getctag/></D:prop></D:propfind>"
QUESTIONS = {
    "listing": ("PROPFIND", f"<D:propfind>{ETAGS}</D:propfind>", 207),
    "names": ("PROPFIND", "<D:propfind><D:propname/></D:propfind>", 207),
    "everything": ("PROPFIND", "<D:propfind><D:allprop/></D:propfind>", 207),
    "not-well-formed": ("PROPFIND", "<D:propfind", 400),
    "not-a-propfind": ("PROPFIND", "<D:prop/>", 400),
    "sync": ("REPORT", f"<D:sync-collection><D:sync-token/><D:sync-level>1</D:sync-level>{ETAGS}</D:sync-collection>", 207),
    "wrong-token": ("REPORT", f"<D:sync-collection><D:sync-token>x</D:sync-token>{ETAGS}</D:sync-collection>", 403),
    "multiget": (
        "REPORT",
        "<C:calendar-multiget><D:prop><C:calendar-data/></D:prop><D:href>/alice/calendar/a.ics</D:href></C:calendar-multiget>",
        207,
    ),
    "free-busy": ("REPORT", f"<C:free-busy-query>{MONTH}</C:free-busy-query>", 200),
    "unknown": ("REPORT", "<D:version-tree/>", 403),
}  # fmt: skip


@pytest.mark.parametrize("encoding", ["identity", "gzip", "br, gzip;q=0.5, gzip", "gzip;q=0"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_who_does_not_sign_in_again_is_answered_alike(dav, event, at_the_door, signed_in, question, encoding):
    """The same status, headers and bytes, compressed or not, as who comes by Radicale's frame."""
    method, body, expected = QUESTIONS[question]
    dav.put(f"{CALENDAR}a.ics", event("a"))

    def ask(agent, asked):
        answer = dav.xml(method, CALENDAR, asked, Depth="0", Accept_Encoding=encoding, User_Agent=agent)
        told = {name: value for name, value in answer.headers.items() if name not in ("date", "server")}
        return answer.status_code, told, answer.content

    by_the_frame = ask("one", body)
    assert by_the_frame[0] == expected
    poll = {"PROPFIND": CTAG, "REPORT": QUESTIONS["sync"][1].replace("getetag", "getcontenttype")}[method]
    ask("another", poll)
    signed_in.clear()
    assert ask("another", body) == by_the_frame
    assert signed_in == at_the_door == []


def test_whose_name_has_changed_signs_in_again(dav, database, clock, signed_in):
    told(dav)
    called = "<D:set><D:prop><D:displayname>Ali</D:displayname></D:prop></D:set>"
    assert dav.xml("PROPPATCH", HOME, f"<D:propertyupdate>{called}</D:propertyupdate>").status_code == 207
    signed_in.clear()
    told(dav)
    assert len(signed_in) == 1


@pytest.fixture
def queue(serve, database, clock, alice):
    """A hub where something may happen while a request waits for its turn."""
    happens = []

    def in_turn(application):
        def turn(environ, start_response):
            while happens:
                happens.pop()()
            return application(environ, start_response)

        return turn

    with Dav(base_url=serve(app.build(database, now=clock, in_turn=in_turn)), auth=alice) as client:
        yield client, happens


def test_what_happens_in_the_queue_is_told_and_so_is_that_it_is_undone(dav, queue):
    """An answer is kept beside the rows of the very snapshot that it was made of: A, B, A again must not leave B's."""
    client, happens = queue
    listed(client)
    dav.request("MKCALENDAR", "/alice/one/")
    happens.append(lambda: dav.request("MKCALENDAR", "/alice/two/"))
    assert b"/alice/two/" in listed(client)
    assert dav.delete("/alice/two/").status_code == 204
    assert b"/alice/two/" not in listed(client)
    assert b"/alice/two/" not in listed(client)


def test_who_is_revoked_in_the_queue_is_refused(queue, database, clock):
    client, happens = queue
    told(client)
    happens.append(lambda: devices.revoke(database, "alice", "Phone", now=clock()))
    answer = client.xml("PROPFIND", CALENDAR, CTAG, Depth="0")
    assert answer.status_code == 401


@pytest.mark.parametrize("moment", ["look", "recognised"])
def test_a_password_that_is_renewed_in_the_middle_is_good_no_more(
    dav, base, alice, database, clock, monkeypatch, moment
):
    """Whichever way the old one is on: what is known of a head is known of the password that came with it."""
    told(dav)
    as_ever = getattr(porch.Porch, moment)
    fresh = passwords.generate()
    renewed = []

    def after_renewal(self, *args, **kwargs):
        if not renewed:
            with database.write() as conn:
                [device] = stored.of_principal(conn, principals.by_name(conn, "alice").id)
                stored.renew(conn, device.id, passwords.hash_generated(fresh))
            renewed.append(device)
        return as_ever(self, *args, **kwargs)

    monkeypatch.setattr(porch.Porch, moment, after_renewal)
    if moment == "look":
        dav.headers["User-Agent"] = "another"  # which is not known yet, and signs in
    dav.xml("PROPFIND", CALENDAR, CTAG, Depth="0")
    assert renewed
    with Dav(base_url=base, auth=("alice", fresh)) as client:
        assert client.xml("PROPFIND", CALENDAR, CTAG, Depth="0").status_code == 207
    for _ in range(2):
        assert dav.xml("PROPFIND", CALENDAR, CTAG, Depth="0").status_code == 401
        assert dav.xml("PROPFIND", CALENDAR, CTAG.replace("getctag", "source"), Depth="0").status_code == 401
        clock.move(seconds=90)


def in_process(application, who, *, agent):
    """A poll without a server: what it is answered."""
    body = CTAG.replace("<D:propfind>", '<D:propfind xmlns:D="DAV:" xmlns:CS="http://calendarserver.org/ns/">').encode()
    environ = {
        "REQUEST_METHOD": "PROPFIND", "PATH_INFO": CALENDAR, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body),
        "HTTP_AUTHORIZATION": f"Basic {base64.b64encode(':'.join(who).encode()).decode()}", "HTTP_DEPTH": "0",
        "HTTP_USER_AGENT": agent, "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.errors": io.StringIO(), "wsgi.url_scheme": "http",
    }  # fmt: skip
    return b"".join(application(environ, lambda *_: None))


def test_few_ask_postgresql_at_a_time(postgres, clock):
    """However many phones come while it is slow: each that asks has a connection, and a server has no hundreds of them."""
    database = session.connect(postgres.migrated())
    people.add(database, "alice", "alice@example.org", now=clock())
    who = "alice", devices.add(database, "alice", "Phone", now=clock()).password
    application = app.build(database, now=clock)
    first = in_process(application, who, agent="phone")
    with ThreadPoolExecutor(24) as phones, database.write() as conn:
        conn.execute(sa.text("LOCK TABLE devices IN ACCESS EXCLUSIVE MODE"))
        answers = [phones.submit(in_process, application, who, agent="phone") for _ in range(24)]
        asking = sa.text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = 'migrated' AND wait_event_type = 'Lock'"
        )
        wait_for(lambda: conn.scalar(asking) == porch.MOST_ASK)
        time.sleep(0.2)  # whoever would come beside them has come by then
        assert conn.scalar(asking) == porch.MOST_ASK
        conn.rollback()
        assert {answer.result() for answer in answers} == {first}
    database.close()


def test_what_people_make_up_for_their_home_is_not_kept_for_each_question(dav, database, clock, alice, monkeypatch):
    """However long it is, what is kept of a question has a bound."""
    made = []
    init = porch.Porch.__init__
    monkeypatch.setattr(porch.Porch, "__init__", lambda self, *args: (init(self, *args), made.append(self))[0])
    called = f"<D:set><D:prop><note xmlns='urn:x'>{'x' * 9_000}</note></D:prop></D:set>"
    assert dav.xml("PROPPATCH", HOME, f"<D:propertyupdate>{called}</D:propertyupdate>").status_code == 207
    application = app.build(database, now=clock)
    for number in range(5):
        assert in_process(application, alice, agent=str(number))
    [it] = made
    assert len(it._heads) == 5
    assert len(pickle.dumps((it._heads, it._kept))) < it._bytes
