"""People of one server invite each other (RFC 6638), over HTTP; and nobody is invited twice (R1, R40)."""

import datetime as dt
import re

import caldav
import pytest
import sqlalchemy as sa

from bridge.services.scheduling import Scheduling
from bridge.store import calendars, objects, tables
from radicale_plugins import app
from tests.radicale_plugins.conftest import Dav

ALICE, BOB, CAROL = (f"mailto:{name}@example.org" for name in ("alice", "bob", "carol"))
CALENDAR = "/alice/calendar/"
A = CALENDAR + "a.ics"
WHEN = ("DTSTART:20260310T090000Z", "DTEND:20260310T100000Z", "SUMMARY:Tea")
DAILY = ("DTSTART:20260310T090000Z", "DTEND:20260310T100000Z", "RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:Tea")


def meeting(*guests, when=WHEN):
    """The lines of a meeting of Alice's; a guest may bring parameters: ``;ROLE=CHAIR:mailto:…``."""
    asked = [f"ATTENDEE{guest if guest.startswith(';') else ':' + guest}" for guest in guests]
    return (*when, f"ORGANIZER:{ALICE}", f"ATTENDEE;PARTSTAT=ACCEPTED:{ALICE}", *asked)


@pytest.fixture
def people(base, person):
    """Bob and Carol, each with a client that knows their home."""
    clients = {}
    for name in ("bob", "carol"):
        clients[name] = Dav(base_url=base, auth=person(name))
    yield clients
    for client in clients.values():
        client.close()


@pytest.fixture
def bob(people):
    return people["bob"]


@pytest.fixture
def carol(people):
    return people["carol"]


def members(client, path):
    return [href for href in client.props(path, "D:getetag", depth="1").hrefs if href != path]


def texts(client, path):
    return [client.get(href).text for href in members(client, path)]


def only(client, path):
    """The one object there, unfolded."""
    (text,) = texts(client, path)
    return text.replace("\r\n ", "")


def inbox(client, name):
    return [text.replace("\r\n ", "") for text in texts(client, f"/{name}/.inbox/")]


def line(text, name, who=""):
    found = [
        each for each in text.split("\r\n") if re.match(rf"{name}[;:]", each) and each.lower().endswith(who.lower())
    ]
    assert found, (name, who, text)
    return found[0]


def answer(client, path, word, who):
    """Give one's answer, as a phone does: it changes its own line and nothing else."""
    (href,) = members(client, path)
    reply = client.get(href)
    old = line(reply.text.replace("\r\n ", ""), "ATTENDEE", who)
    bare = re.sub(r";(PARTSTAT|RSVP)=[^;:]*", "", old)
    new = bare.replace("ATTENDEE", f"ATTENDEE;PARTSTAT={word}", 1)
    data = reply.text.replace("\r\n ", "").replace(old, new)
    return client.put(href, data.encode(), If_Match=reply.headers["ETag"])


def test_an_invitation_arrives_and_says_so(dav, bob, event):
    reply = dav.put(A, event("a", *meeting(f";RSVP=TRUE:{BOB}"), "X-MOZ-LASTACK:20260301T000000Z"))
    assert reply.status_code == 201
    assert "ETag" not in reply.headers  # it is not what was sent any more
    assert reply.headers["Schedule-Tag"]
    assert "SCHEDULE-STATUS=1.2" in line(dav.get(A).text.replace("\r\n ", ""), "ATTENDEE", BOB)
    there = only(bob, "/bob/calendar/")
    assert "SCHEDULE-STATUS" not in there
    assert "X-MOZ-LASTACK" not in there
    assert line(there, "SUMMARY") == "SUMMARY:Tea"
    (message,) = inbox(bob, "bob")
    assert "METHOD:REQUEST" in message
    assert inbox(dav, "alice") == []


def test_who_is_asked_is_said_to_be(dav, bob, carol, event):
    """Without PARTSTAT it means the same, but is no invitation to Thunderbird; what others are asked stays as it was written."""
    dav.put(A, event("a", *meeting(BOB, CAROL)))
    there = only(bob, "/bob/calendar/")
    assert line(there, "ATTENDEE", BOB) == f"ATTENDEE;PARTSTAT=NEEDS-ACTION:{BOB}"
    assert line(there, "ATTENDEE", CAROL) == f"ATTENDEE:{CAROL}"
    assert "PARTSTAT" not in line(dav.get(A).text.replace("\r\n ", ""), "ATTENDEE", BOB)
    assert f"ATTENDEE;PARTSTAT=NEEDS-ACTION:{CAROL}" in only(carol, "/carol/calendar/")


def test_an_answer_comes_back_and_is_seen_by_the_others(dav, bob, carol, event):
    dav.put(A, event("a", *meeting(BOB, CAROL)))
    tag = dav.request("HEAD", A).headers["Schedule-Tag"]
    etag = dav.request("HEAD", A).headers["ETag"]
    assert answer(bob, "/bob/calendar/", "ACCEPTED", BOB).status_code == 204
    here = dav.get(A)
    assert "PARTSTAT=ACCEPTED" in line(here.text.replace("\r\n ", ""), "ATTENDEE", BOB)
    assert here.headers["Schedule-Tag"] == tag
    assert here.headers["ETag"] != etag
    (message,) = inbox(dav, "alice")
    assert "METHOD:REPLY" in message
    assert CAROL not in message
    assert "PARTSTAT=ACCEPTED" in line(only(carol, "/carol/calendar/"), "ATTENDEE", BOB)
    assert len(inbox(carol, "carol")) == 1  # the invitation; an answer of somebody else is no news
    assert "SCHEDULE-STATUS=1.2" in line(only(bob, "/bob/calendar/"), "ORGANIZER")


def test_a_new_time_asks_everybody_anew_and_a_new_title_does_not(dav, bob, event):
    dav.put(A, event("a", *meeting(BOB)))
    answer(bob, "/bob/calendar/", "ACCEPTED", BOB)
    current = dav.get(A).text.replace("\r\n ", "")
    dav.put(A, current.replace("SUMMARY:Tea", "SUMMARY:Coffee").encode())
    assert line(only(bob, "/bob/calendar/"), "SUMMARY") == "SUMMARY:Coffee"
    assert "PARTSTAT=ACCEPTED" in line(only(bob, "/bob/calendar/"), "ATTENDEE", BOB)
    current = dav.get(A).text.replace("\r\n ", "")
    dav.put(A, current.replace("T090000Z", "T083000Z").encode())
    assert line(only(bob, "/bob/calendar/"), "DTSTART") == "DTSTART:20260310T083000Z"
    assert "PARTSTAT=NEEDS-ACTION" in line(only(bob, "/bob/calendar/"), "ATTENDEE", BOB)
    assert "PARTSTAT=NEEDS-ACTION" in line(dav.get(A).text.replace("\r\n ", ""), "ATTENDEE", BOB)
    assert len(inbox(bob, "bob")) == 3


def test_what_somebody_has_for_themselves_stays_theirs(dav, bob, event):
    dav.put(A, event("a", *meeting(BOB), "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT1H", "END:VALARM"))
    (href,) = members(bob, "/bob/calendar/")
    mine = bob.get(href).text
    assert "VALARM" not in mine
    alarm = "TRANSP:TRANSPARENT\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT"
    assert bob.put(href, mine.replace("END:VEVENT", alarm).encode()).status_code == 204
    assert len(inbox(dav, "alice")) == 0
    dav.put(A, dav.get(A).text.replace("SUMMARY:Tea", "SUMMARY:Coffee").encode())
    there = only(bob, "/bob/calendar/")
    assert "SUMMARY:Coffee" in there
    assert "TRIGGER:-PT5M" in there
    assert "TRANSP:TRANSPARENT" in there
    assert "-PT1H" not in there


@pytest.mark.parametrize("how", ["deleted", "uninvited", "cancelled"])
def test_who_is_not_asked_any_more_is_told(dav, bob, event, how):
    dav.put(A, event("a", *meeting(BOB, CAROL)))
    if how == "deleted":
        assert dav.request("DELETE", A).status_code == 204
    elif how == "uninvited":
        dav.put(A, event("a", *meeting(CAROL)))
    else:
        dav.put(A, event("a", *meeting(BOB, CAROL), "STATUS:CANCELLED"))
    assert "STATUS:CANCELLED" in only(bob, "/bob/calendar/")
    methods = sorted(re.search(r"METHOD:(\w+)", each)[1] for each in inbox(bob, "bob"))
    assert methods == ["CANCEL", "REQUEST"]


@pytest.mark.parametrize(("headers", "told"), [({}, True), ({"Schedule-Reply": "F"}, False)])
def test_who_deletes_an_invitation_declines(dav, bob, event, headers, told):
    dav.put(A, event("a", *meeting(BOB)))
    (href,) = members(bob, "/bob/calendar/")
    assert bob.request("DELETE", href, headers=headers).status_code == 204
    partstat = "PARTSTAT=DECLINED" in line(dav.get(A).text.replace("\r\n ", ""), "ATTENDEE", BOB)
    assert (partstat, len(inbox(dav, "alice"))) == (told, int(told))


@pytest.mark.parametrize(("whose", "told"), [("organizer", ["CANCEL", "REQUEST"]), ("attendee", ["REQUEST"])])
def test_who_deletes_a_calendar_deletes_each_meeting_in_it(dav, bob, event, clock, whose, told):
    past = ("DTSTART:20260220T090000Z", "DTEND:20260220T100000Z", "SUMMARY:Past")
    clock.at -= dt.timedelta(days=20)
    dav.put(CALENDAR + "past.ics", event("past", *meeting(BOB, when=past)))
    clock.at += dt.timedelta(days=20)
    dav.put(A, event("a", *meeting(BOB)))
    dav.put(CALENDAR + "mine.ics", event("mine"))
    client, path = (dav, CALENDAR) if whose == "organizer" else (bob, "/bob/calendar/")
    assert client.request("DELETE", path).status_code == 204
    messages = [text for text in inbox(bob, "bob") if "SUMMARY:Tea" in text]
    assert sorted(re.search(r"METHOD:(\w+)", text)[1] for text in messages) == told
    assert not any("SUMMARY:Past" in text and "METHOD:CANCEL" in text for text in inbox(bob, "bob"))  # it is over
    if whose == "organizer":
        (there,) = [text for text in texts(bob, "/bob/calendar/") if "SUMMARY:Tea" in text]
        assert "STATUS:CANCELLED" in there
    else:
        answered = [name for name in ("a.ics", "past.ics") if "DECLINED" in dav.get(CALENDAR + name).text]
        assert answered == ["a.ics"]
        assert len(inbox(dav, "alice")) == 1


def test_one_instance_is_declined(dav, bob, event):
    dav.put(A, event("a", *meeting(BOB, when=DAILY)))
    (href,) = members(bob, "/bob/calendar/")
    mine = bob.get(href).text
    excluded = mine.replace("RRULE:", "EXDATE:20260311T090000Z\r\nRRULE:")
    assert bob.put(href, excluded.encode()).status_code == 204
    here = dav.get(A).text.replace("\r\n ", "")
    master, override = here.split("BEGIN:VEVENT")[1:]
    assert "RECURRENCE-ID:20260311T090000Z" in override
    assert "DTSTART:20260311T090000Z" in override
    assert "DTEND:20260311T100000Z" in override
    assert "PARTSTAT=DECLINED" in line(override, "ATTENDEE", BOB)
    assert "DECLINED" not in line(master, "ATTENDEE", BOB)


def test_who_is_asked_to_some_instances_sees_those_alone(dav, bob, carol, event):
    series = event("a", *meeting(BOB, when=DAILY)).decode()
    extra = "\r\n".join(["BEGIN:VEVENT", "UID:a", "DTSTAMP:20260101T000000Z", "RECURRENCE-ID:20260311T090000Z",
                         *meeting(CAROL, when=("DTSTART:20260311T120000Z", "SUMMARY:Late tea")), "END:VEVENT", ""])  # fmt: skip
    dav.put(A, series.replace("END:VCALENDAR", extra + "END:VCALENDAR").encode())
    of_carol = only(carol, "/carol/calendar/")
    assert of_carol.count("BEGIN:VEVENT") == 1
    assert "SUMMARY:Late tea" in of_carol
    assert "RRULE" not in of_carol
    of_bob = only(bob, "/bob/calendar/")
    assert of_bob.count("BEGIN:VEVENT") == 1
    assert "EXDATE:20260311T090000Z" in of_bob


def test_a_guest_cannot_move_the_meeting(dav, bob, event):
    """409, for DAVx5 then takes the server's copy."""
    dav.put(A, event("a", *meeting(BOB)))
    (href,) = members(bob, "/bob/calendar/")
    mine = bob.get(href).text
    for old, new in (("T090000Z", "T120000Z"), (ALICE, CAROL), ("END:VEVENT", f"ATTENDEE:{CAROL}\r\nEND:VEVENT")):
        reply = bob.put(href, mine.replace(old, new).encode())
        assert (reply.status_code, "allowed-attendee-scheduling-object-change" in reply.text) == (409, True)
    assert bob.get(href).text == mine
    assert bob.put(href, mine.replace("SUMMARY:Tea", "SUMMARY:Mine").encode()).status_code == 204
    assert line(dav.get(A).text, "SUMMARY") == "SUMMARY:Tea"


def test_an_organizer_stays_the_organizer(dav, bob, event):
    dav.put(A, event("a", *meeting(BOB)))
    reply = dav.put(A, dav.get(A).text.replace(f"ORGANIZER:{ALICE}", f"ORGANIZER:{CAROL}").encode())
    assert (reply.status_code, "allowed-organizer-scheduling-object-change" in reply.text) == (409, True)


def test_answers_that_a_client_has_not_seen_stay(dav, bob, event):
    """If-Schedule-Tag-Match (RFC 6638 §8.3): the answer that came meanwhile is no conflict, and is not lost."""
    dav.put(A, event("a", *meeting(BOB)))
    known = dav.get(A)
    answer(bob, "/bob/calendar/", "ACCEPTED", BOB)
    edited = known.text.replace("SUMMARY:Tea", "SUMMARY:Coffee").encode()
    assert dav.put(A, edited, If_Match=known.headers["ETag"]).status_code == 412
    reply = dav.put(A, edited, If_Schedule_Tag_Match=known.headers["Schedule-Tag"])
    assert reply.status_code == 204
    now = dav.get(A).text.replace("\r\n ", "")
    assert "SUMMARY:Coffee" in now
    assert "PARTSTAT=ACCEPTED" in line(now, "ATTENDEE", BOB)
    assert dav.put(A, edited, If_Schedule_Tag_Match=known.headers["Schedule-Tag"]).status_code == 412
    assert dav.put(A, edited, If_Schedule_Tag_Match="").status_code == 204  # as iOS sends it sometimes


def test_somebody_elsewhere_is_not_told_and_that_is_said(dav, event):
    dav.put(A, event("a", *meeting("mailto:kim@example.net")))
    assert "SCHEDULE-STATUS=5.1" in line(dav.get(A).text.replace("\r\n ", ""), "ATTENDEE", "kim@example.net")


@pytest.mark.parametrize("agent", ["CLIENT", "NONE"])
def test_whom_the_client_tells_itself_is_left_to_it(dav, bob, event, agent):
    data = event("a", *meeting(f";SCHEDULE-AGENT={agent}:{BOB}"))
    reply = dav.put(A, data)
    assert reply.headers["ETag"]
    assert dav.get(A).content == data
    assert inbox(bob, "bob") == members(bob, "/bob/calendar/") == []


def test_r2_what_is_over_invites_nobody(dav, bob, event):
    data = event("a", *meeting(BOB, when=("DTSTART:20200310T090000Z", "DTEND:20200310T100000Z", "SUMMARY:Tea")))
    assert dav.put(A, data).headers["ETag"]
    assert dav.get(A).content == data
    assert inbox(bob, "bob") == members(bob, "/bob/calendar/") == []


def test_r1_a_meeting_of_before_is_told_to_those_alone_who_are_new(dav, bob, carol, event, database, clock):
    """Whoever invited the others then did it elsewhere."""
    with database.write() as conn:
        calendar = calendars.get(conn, "alice", "calendar")
        objects.put(conn, calendar.id, "a.ics", event("a", *meeting(BOB)), actor="cli", now=clock())
    dav.put(A, event("a", *meeting(BOB, CAROL)))
    assert inbox(bob, "bob") == members(bob, "/bob/calendar/") == []
    assert len(inbox(carol, "carol")) == 1
    dav.request("DELETE", A)
    assert inbox(bob, "bob") == []
    assert len(inbox(carol, "carol")) == 2


def test_r40_a_calendar_that_is_connected_is_left_to_its_provider(dav, bob, event, bridged):
    bridged("calendar")
    data = event("a", *meeting(BOB))
    assert dav.put(A, data).headers["ETag"]
    assert dav.get(A).content == data
    dav.put(A, data.replace(b"SUMMARY:Tea", b"SUMMARY:Coffee"))
    dav.request("DELETE", A)
    assert inbox(bob, "bob") == members(bob, "/bob/calendar/") == []


def test_r40_an_invitation_into_a_connected_calendar_is_answered_here(dav, bob, event, bridged):
    """Bob's provider knows nothing of Alice; she is told by the server that invited him."""
    bridged("calendar", owner="bob")
    dav.put(A, event("a", *meeting(BOB)))
    answer(bob, "/bob/calendar/", "TENTATIVE", BOB)
    assert "PARTSTAT=TENTATIVE" in line(dav.get(A).text.replace("\r\n ", ""), "ATTENDEE", BOB)


WORK = "/alice/work/"


def methods(client, name):
    return sorted(re.search(r"METHOD:(\w+)", each)[1] for each in inbox(client, name))


def transferred(client, method, path, to):
    return client.request(method, path, headers={"Destination": str(client.base_url).rstrip("/") + to})


@pytest.mark.parametrize("how", ["PUT", "COPY"])
def test_a_meeting_stands_in_one_of_a_persons_calendars(dav, bob, event, how):
    """Thunderbird moves by PUT and DELETE: the guests would be asked twice, and then told that it is off (RFC 6638 §3.2.4.1)."""
    dav.request("MKCALENDAR", WORK)
    dav.put(A, event("a", *meeting(BOB)))
    to = WORK + "a.ics"
    reply = dav.put(to, dav.get(A).content) if how == "PUT" else transferred(dav, "COPY", A, to)
    assert (reply.status_code, "unique-scheduling-object-resource" in reply.text) == (409, True)
    assert methods(bob, "bob") == ["REQUEST"]
    assert transferred(dav, "MOVE", A, to).status_code == 201
    assert methods(bob, "bob") == ["REQUEST"]
    assert "CANCELLED" not in only(bob, "/bob/calendar/")


def test_so_does_an_invitation(dav, bob, event):
    bob.request("MKCALENDAR", "/bob/work/")
    dav.put(A, event("a", *meeting(BOB)))
    (href,) = members(bob, "/bob/calendar/")
    reply = bob.put("/bob/work/a.ics", bob.get(href).content)
    assert (reply.status_code, "unique-scheduling-object-resource" in reply.text) == (409, True)
    assert transferred(bob, "MOVE", href, "/bob/work/a.ics").status_code == 201
    assert answer(bob, "/bob/work/", "ACCEPTED", BOB).status_code == 204
    assert "PARTSTAT=ACCEPTED" in line(dav.get(A).text.replace("\r\n ", ""), "ATTENDEE", BOB)
    assert len(inbox(dav, "alice")) == 1


def test_what_concerns_nobody_may_be_copied(dav, bob, event):
    dav.request("MKCALENDAR", WORK)
    of_elsewhere = [each.replace(ALICE, "mailto:kim@example.net") for each in meeting(ALICE)]
    dav.put(A, event("a", *of_elsewhere))
    copied = transferred(dav, "COPY", A, WORK + "a.ics")
    moved = transferred(dav, "MOVE", A, CALENDAR + "b.ics")
    assert (copied.status_code, moved.status_code) == (201, 201)
    for reply, path in ((copied, WORK + "a.ics"), (moved, CALENDAR + "b.ics")):  # RFC 6638 §3.2.10
        assert reply.headers["Schedule-Tag"] == dav.get(path).headers["Schedule-Tag"]


@pytest.mark.parametrize("how", ["PUT", "MOVE", "COPY"])
def test_r40_whom_this_server_has_asked_no_provider_asks_again(dav, bob, event, bridged, how):
    dav.request("MKCALENDAR", WORK)
    bridged("work")
    dav.put(A, event("a", *meeting(BOB)))
    to = WORK + "a.ics"
    reply = dav.put(to, dav.get(A).content) if how == "PUT" else transferred(dav, how, A, to)
    assert (reply.status_code, "scheduling-object" in reply.text) == (409, True)
    assert members(dav, WORK) == []


def test_r40_whom_a_provider_has_asked_this_server_does_not_ask_again(dav, bob, event, bridged):
    dav.request("MKCALENDAR", WORK)
    bridged("work")
    dav.put(WORK + "a.ics", event("a", *meeting(BOB)))
    assert dav.put(A, dav.get(WORK + "a.ics").content).status_code == 409
    assert transferred(dav, "MOVE", WORK + "a.ics", A).status_code == 201
    dav.put(A, dav.get(A).text.replace("SUMMARY:Tea", "SUMMARY:Coffee").encode())
    assert inbox(bob, "bob") == []


def test_nothing_takes_a_meetings_place_unsaid(dav, bob, event):
    dav.put(A, event("a", *meeting(BOB)))
    dav.put(CALENDAR + "b.ics", event("b"))
    assert transferred(dav, "MOVE", CALENDAR + "b.ics", A).status_code == 409
    assert len(members(dav, CALENDAR)) == 2


def test_r1_nobody_speaks_for_somebody_elses_meeting(dav, bob, carol, event):
    """A meeting of Carol's with the UID of one that Bob has from Alice changes nothing for him."""
    dav.put(A, event("a", *meeting(BOB)))
    forged = event("a", *meeting(BOB)).decode().replace(ALICE, CAROL).replace("SUMMARY:Tea", "SUMMARY:Forged")
    carol.put("/carol/calendar/a.ics", forged.encode())
    assert "SUMMARY:Tea" in only(bob, "/bob/calendar/")
    assert len(inbox(bob, "bob")) == 1
    assert "SCHEDULE-STATUS=3.8" in line(only(carol, "/carol/calendar/"), "ATTENDEE", BOB)


def test_to_dos_are_given_to_others_too(dav, bob, event):
    lines = ("DUE:20260310T090000Z", "SUMMARY:Buy tea", f"ORGANIZER:{ALICE}", f"ATTENDEE:{BOB}")
    assert dav.put("/alice/tasks/t.ics", event("t", *lines, component="VTODO")).status_code == 201
    assert "SUMMARY:Buy tea" in only(bob, "/bob/tasks/")


def test_the_inbox_and_the_outbox(dav, bob, event):
    answer_ = dav.props("/alice/", "C:schedule-inbox-URL", "C:schedule-outbox-URL")
    urls = [answer_.prop("/alice/", f"C:schedule-{name}-URL")[0].text for name in ("inbox", "outbox")]
    assert urls == ["/alice/.inbox/", "/alice/.outbox/"]
    for path, kind in zip(urls, ("schedule-inbox", "schedule-outbox"), strict=True):
        kinds = dav.props(path, "D:resourcetype").prop(path, "D:resourcetype")
        assert f"{{urn:ietf:params:xml:ns:caldav}}{kind}" in {each.tag for each in kinds}
        assert path in dav.props("/alice/", "D:resourcetype", depth="1").hrefs
    dav.put(A, event("a", *meeting(BOB)))
    path = "/bob/.inbox/"
    before = bob.props(path, "CS:getctag").text(path, "CS:getctag")
    token = bob.props(path, "D:sync-token").text(path, "D:sync-token")
    (href,) = members(bob, path)
    assert bob.put(href, b"x").status_code == 403
    assert bob.request("DELETE", path).status_code == 403
    assert bob.request("DELETE", href).status_code == 204
    assert bob.props(path, "CS:getctag").text(path, "CS:getctag") != before
    sync = f"<D:sync-collection><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level><D:prop/></D:sync-collection>"
    assert bob.report(path, sync).hrefs == [href]
    assert dav.request("PROPFIND", path, headers={"Depth": "1"}).status_code == 403


def test_the_inbox_is_no_calendar(dav, bob, event, database):
    dav.put(A, event("a", *meeting(BOB)))
    with database.read() as conn:
        assert [each.slug for each in calendars.of_principal(conn, "bob")] == ["calendar", "tasks"]
    answer_ = bob.props("/bob/", "D:resourcetype", depth="1")
    kinds = {each.tag for each in answer_.prop("/bob/.inbox/", "D:resourcetype")}
    assert "{urn:ietf:params:xml:ns:caldav}calendar" not in kinds


def test_where_new_meetings_come_to(dav, bob, event):
    path, name = "/bob/.inbox/", "C:schedule-default-calendar-URL"
    assert bob.props(path, name).prop(path, name)[0].text == "/bob/calendar/"
    bob.request("MKCALENDAR", "/bob/work/")

    def choose(href):
        body = f"<D:propertyupdate><D:set><D:prop><{name}><D:href>{href}</D:href></{name}></D:prop></D:set></D:propertyupdate>"
        return bob.xml("PROPPATCH", path, body).text

    assert "valid-schedule-default-calendar-URL" in choose("/alice/calendar/")
    assert "valid-schedule-default-calendar-URL" in choose("/bob/tasks/")
    assert "valid-schedule-default-calendar-URL" in choose("/bob/nowhere/")
    assert "200 OK" in choose("/bob/work/")
    assert bob.props(path, name).prop(path, name)[0].text == "/bob/work/"
    dav.put(A, event("a", *meeting(BOB)))
    assert len(members(bob, "/bob/work/")) == 1
    assert members(bob, "/bob/calendar/") == []


BUSY = "\r\n".join([
    "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//t//EN", "METHOD:REQUEST", "BEGIN:VFREEBUSY", "UID:f", "DTSTAMP:20260101T000000Z",
    "DTSTART:20260310T000000Z", "DTEND:20260311T000000Z", f"ORGANIZER:{ALICE}", "{guests}", "END:VFREEBUSY", "END:VCALENDAR", "",
])  # fmt: skip


def ask(dav, *guests, body=BUSY, **headers):
    asked = "\r\n".join(f"ATTENDEE:{guest}" for guest in guests)
    sent = {"Content-Type": "text/calendar; charset=utf-8", **headers}
    return dav.post("/alice/.outbox/", content=body.format(guests=asked).encode(), headers=sent)


def test_when_others_are_busy(dav, bob, event):
    bob.put("/bob/calendar/x.ics", event("x", *WHEN))
    bob.put("/bob/calendar/y.ics", event("y", "DTSTART:20260310T110000Z", "DTEND:20260310T120000Z", "SUMMARY:Secret"))
    reply = ask(dav, BOB, "mailto:nobody@example.net", Originator=ALICE, Recipient=BOB)
    assert reply.status_code == 200
    assert "FREEBUSY;FBTYPE=BUSY:20260310T090000Z/20260310T100000Z" in reply.text
    assert "METHOD:REPLY" in reply.text
    assert "Secret" not in reply.text
    assert re.findall(r">(\d\.\d);", reply.text) == ["2.0", "3.7"]
    masked = BUSY.replace("UID:f", "UID:f\r\nX-CALENDARSERVER-MASK-UID:x")
    assert "T090000Z/" not in ask(dav, BOB, body=masked).text


WORKING_HOURS = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nBEGIN:VAVAILABILITY\r\nUID:v\r\nDTSTAMP:20260101T000000Z\r\n"
    "BEGIN:AVAILABLE\r\nUID:w\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260302T090000Z\r\nDTEND:20260302T170000Z\r\n"
    "RRULE:FREQ=DAILY\r\nEND:AVAILABLE\r\nEND:VAVAILABILITY\r\nEND:VCALENDAR\r\n"
)


@pytest.mark.parametrize("name", ["C:calendar-availability", "CS:calendar-availability"])
def test_outside_of_working_hours_nobody_is_free(dav, bob, name):
    """RFC 7953, and as Apple says it."""

    def say(value):
        body = f"<D:propertyupdate><D:set><D:prop><{name}>{value}</{name}></D:prop></D:set></D:propertyupdate>"
        return bob.xml("PROPPATCH", "/bob/.inbox/", body).text

    assert "valid-calendar-data" in say("nine to five")
    assert "200 OK" in say(WORKING_HOURS)
    assert bob.props("/bob/.inbox/", name).text("/bob/.inbox/", name).splitlines() == WORKING_HOURS.splitlines()
    told = re.findall(r"FBTYPE=([A-Z-]+):(\w+)/(\w+)", ask(dav, BOB).text.replace("\r\n ", "").replace("\n ", ""))
    expected = [("20260310T000000Z", "20260310T090000Z"), ("20260310T170000Z", "20260311T000000Z")]
    assert told == [("BUSY-UNAVAILABLE", *each) for each in expected]
    query = '<C:free-busy-query><C:time-range start="20260310T000000Z" end="20260311T000000Z"/></C:free-busy-query>'
    assert "BUSY-UNAVAILABLE" in bob.xml("REPORT", "/bob/", query).text
    assert "BUSY-UNAVAILABLE" not in bob.xml("REPORT", "/bob/calendar/", query).text
    assert "calendar-availability" in dav.request("OPTIONS", "/alice/").headers["DAV"]


@pytest.mark.parametrize(
    ("change", "precondition"),
    [
        (("METHOD:REQUEST\r\n", ""), "valid-calendar-data"),
        (("METHOD:REQUEST", "METHOD:PUBLISH"), "valid-scheduling-message"),
        ((f"ORGANIZER:{ALICE}", f"ORGANIZER:{BOB}"), "organizer-allowed"),
        (("DTEND:20260311", "DTEND:20360311"), "valid-scheduling-message"),
        (("VFREEBUSY", "VEVENT"), "valid-scheduling-message"),
        (("BEGIN:VCALENDAR", "BEGIN:NOTHING"), "valid-calendar-data"),
    ],
)
def test_questions_that_are_none(dav, change, precondition):
    reply = ask(dav, BOB, body=BUSY.replace(*change))
    assert (reply.status_code, precondition in reply.text) == (403, True)


def test_the_caldav_library_asks_when_others_are_busy(base, alice, bob, event):
    bob.put("/bob/calendar/x.ics", event("x", *WHEN))
    with caldav.DAVClient(base + "/", username=alice[0], password=alice[1]) as client:
        mine = client.principal()
        assert [str(each.url.path) for each in (mine.schedule_inbox(), mine.schedule_outbox())] == [
            "/alice/.inbox/",
            "/alice/.outbox/",
        ]


@pytest.fixture
def unscheduled(serve, database, clock, alice):
    with Dav(
        base_url=serve(app.build(database, now=clock, scheduling=Scheduling(enabled=False))), auth=alice
    ) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/alice/", CALENDAR])
def test_r40_where_nothing_is_scheduled_nothing_is_advertised(unscheduled, path):
    """What is not advertised is not used: a client then leaves invitations to whoever organises."""
    dav = unscheduled
    tokens = {token.strip() for token in dav.request("OPTIONS", path).headers["DAV"].split(",")}
    assert not {token for token in tokens if "schedule" in token or "auto" in token}
    answer_ = dav.props(path, "C:schedule-inbox-URL", "C:schedule-outbox-URL", "C:schedule-tag", depth="1")
    for href in answer_.hrefs:
        assert not answer_.props(href)
    assert dav.request("PROPFIND", "/alice/.inbox/").status_code == 404


def test_r40_then_guests_are_data(unscheduled, bob, event):
    data = event("a", *meeting(BOB))
    reply = unscheduled.put(A, data)
    assert reply.headers["ETag"]
    assert "Schedule-Tag" not in reply.headers
    assert unscheduled.get(A).content == data
    assert members(bob, "/bob/calendar/") == []


def test_r40_guests_of_somebody_elses_meeting_stay_byte_for_byte(dav, event):
    data = event(
        "a",
        'ORGANIZER;CN=Kim O\'Neil;SENT-BY="mailto:desk@example.net":mailto:Kim@Example.NET',
        "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=Alice;X-NUM-GUESTS=0:"
        "\r\n mailto:alice@example.org",
        'ATTENDEE;CN="Room 4, second floor";CUTYPE=ROOM;PARTSTAT=ACCEPTED;SCHEDULE-AGENT=SERVER:mailto:room4@example.net',
        "DTSTART:20260310T090000Z",
        "SUMMARY:Meeting",
    )
    reply = dav.put(A, data)
    assert reply.status_code == 201
    assert dav.get(A).content == data
    answered = data.replace(b"PARTSTAT=NEEDS-ACTION", b"PARTSTAT=ACCEPTED")
    assert answered != data
    assert dav.put(A, answered, If_Match=reply.headers["ETag"]).status_code == 204
    assert dav.get(A).content == answered
    assert dav.request("DELETE", A).status_code == 204


@pytest.mark.parametrize("agent", ["CLIENT", "NONE"])
def test_nothing_is_noted_of_somebody_elsewhere_whom_the_client_tells_itself(dav, event, agent):
    """RFC 6638 §7.3: SCHEDULE-STATUS is of what the server sends."""
    data = event("a", *meeting(f";SCHEDULE-AGENT={agent}:mailto:kim@example.net"))
    assert dav.put(A, data).headers["ETag"]
    assert dav.get(A).content == data


@pytest.mark.parametrize("agent", ["CLIENT", "NONE"])
def test_an_answer_that_the_client_gives_itself_is_left_to_it(dav, bob, event, agent):
    """RFC 6638 §7.1, on ORGANIZER."""
    dav.put(A, event("a", *meeting(BOB)))
    (href,) = members(bob, "/bob/calendar/")
    mine = bob.get(href).text.replace("\r\n ", "").replace("ORGANIZER:", f"ORGANIZER;SCHEDULE-AGENT={agent}:")
    assert (
        bob.put(href, mine.replace(f"ATTENDEE:{BOB}", f"ATTENDEE;PARTSTAT=ACCEPTED:{BOB}").encode()).status_code == 204
    )
    assert inbox(dav, "alice") == []
    assert "PARTSTAT" not in line(dav.get(A).text.replace("\r\n ", ""), "ATTENDEE", BOB)


def test_what_is_called_off_is_deleted_without_a_word(dav, bob, event):
    dav.put(A, event("a", *meeting(BOB)))
    answer(bob, "/bob/calendar/", "ACCEPTED", BOB)
    dav.put(A, dav.get(A).text.replace("SUMMARY:Tea", "SUMMARY:Tea\r\nSTATUS:CANCELLED").encode())
    before = inbox(dav, "alice")
    (href,) = members(bob, "/bob/calendar/")
    assert bob.request("DELETE", href).status_code == 204
    assert inbox(dav, "alice") == before


@pytest.mark.parametrize(
    ("word", "kinds"), [("DECLINED", []), ("TENTATIVE", ["BUSY-TENTATIVE"]), ("ACCEPTED", ["BUSY"])]
)
def test_who_has_declined_is_free(dav, bob, event, word, kinds):
    dav.put(A, event("a", *meeting(BOB)))
    answer(bob, "/bob/calendar/", word, BOB)
    assert re.findall(r"FBTYPE=([A-Z-]+):", ask(dav, BOB).text) == kinds
    query = '<C:free-busy-query><C:time-range start="20260310T000000Z" end="20260311T000000Z"/></C:free-busy-query>'
    assert re.findall(r"FBTYPE=([A-Z-]+):", bob.xml("REPORT", "/bob/calendar/", query, Depth="1").text) == kinds


@pytest.fixture
def spoil(database):
    """Make somebody's copy one that cannot be read any more, as an older version may have stored it (R32)."""

    def spoil(name):
        with database.write() as conn:
            own = calendars.get(conn, name, "calendar").id
            (stored,) = objects.every(conn, own)
            broken = stored.data.replace(b"BEGIN:VEVENT", b"METHOD:REQUEST\r\nBEGIN:VEVENT")
            conn.execute(sa.update(tables.objects).where(tables.objects.c.calendar_id == own).values(data=broken))

    return spoil


def status_of(dav, who):
    found = re.search(r"SCHEDULE-STATUS=([\d.]+)", line(dav.get(A).text.replace("\r\n ", ""), "ATTENDEE", who))
    return found[1] if found else None


def test_a_copy_that_cannot_be_read_is_nobody_elses_trouble(dav, bob, carol, event, spoil):
    """The others hear of the change, the organizer that this guest did not; and once the guest has written it anew, they do."""
    dav.put(A, event("a", *meeting(BOB, CAROL)))
    spoil("bob")
    before = texts(bob, "/bob/calendar/")
    changed = event("a", *meeting(BOB, CAROL), "LOCATION:Room 4")
    assert dav.put(A, changed).status_code == 204
    assert (status_of(dav, BOB), status_of(dav, CAROL)) == ("5.2", "1.2")
    assert "LOCATION:Room 4" in only(carol, "/carol/calendar/")
    assert texts(bob, "/bob/calendar/") == before
    assert len(inbox(bob, "bob")) == 1  # the invitation of before
    (href,) = members(bob, "/bob/calendar/")
    mended = before[0].replace("METHOD:REQUEST\r\n", "")
    assert bob.put(href, mended.encode()).status_code == 204
    assert dav.put(A, changed.replace(b"Room 4", b"Room 5")).status_code == 204
    assert (status_of(dav, BOB), status_of(dav, CAROL)) == ("1.2", "1.2")
    assert "LOCATION:Room 5" in only(bob, "/bob/calendar/")


def test_a_meeting_is_called_off_past_a_copy_that_cannot_be_read(dav, bob, carol, event, spoil):
    dav.put(A, event("a", *meeting(BOB, CAROL)))
    spoil("bob")
    assert dav.delete(A).status_code == 204
    assert "STATUS:CANCELLED" in only(carol, "/carol/calendar/")
    assert "STATUS:CANCELLED" not in only(bob, "/bob/calendar/")


def test_who_wrote_an_unreadable_copy_anew_is_told_that_it_is_off(dav, bob, event, spoil):
    """Whatever was not delivered meanwhile: they have the meeting."""
    dav.put(A, event("a", *meeting(BOB)))
    spoil("bob")
    dav.put(A, event("a", *meeting(BOB), "LOCATION:Room 4"))
    (href,) = members(bob, "/bob/calendar/")
    bob.put(href, bob.get(href).text.replace("METHOD:REQUEST\r\n", "").encode())
    assert dav.delete(A).status_code == 204
    assert "STATUS:CANCELLED" in only(bob, "/bob/calendar/")


def test_an_answer_comes_back_past_a_copy_that_cannot_be_read(dav, bob, carol, event, spoil):
    dav.put(A, event("a", *meeting(BOB, CAROL)))
    spoil("bob")
    assert answer(carol, "/carol/calendar/", "ACCEPTED", CAROL).status_code == 204
    assert "PARTSTAT=ACCEPTED" in line(dav.get(A).text.replace("\r\n ", ""), "ATTENDEE", CAROL)


def test_an_answer_stays_with_who_gave_it_where_the_organizers_copy_cannot_be_read(dav, bob, event, spoil):
    dav.put(A, event("a", *meeting(BOB)))
    spoil("alice")
    assert answer(bob, "/bob/calendar/", "ACCEPTED", BOB).status_code == 204
    assert "PARTSTAT=ACCEPTED" in line(only(bob, "/bob/calendar/"), "ATTENDEE", BOB)
    assert inbox(dav, "alice") == []
    (href,) = members(bob, "/bob/calendar/")
    assert bob.delete(href).status_code == 204


def test_who_is_asked_for_the_first_time_and_has_something_unreadable_of_that_name(dav, bob, carol, event, spoil):
    """Whose it is cannot be known, so it is not written over."""
    bob.put("/bob/calendar/x.ics", event("a", *WHEN))
    spoil("bob")
    before = texts(bob, "/bob/calendar/")
    assert dav.put(A, event("a", *meeting(BOB, CAROL))).status_code == 201
    assert (status_of(dav, BOB), status_of(dav, CAROL)) == ("5.2", "1.2")
    assert texts(bob, "/bob/calendar/") == before
    assert inbox(bob, "bob") == []
