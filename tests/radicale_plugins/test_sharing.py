"""Calendars that several people see: who may do what, what each sees of them, and that a leave takes nothing away."""

import base64
import xml.etree.ElementTree as ET

import caldav
import pytest

from bridge.services import sharing
from bridge.store import audit, calendars, devices, history, principals
from radicale_plugins import app
from tests.radicale_plugins.conftest import NAMES, Dav

ROLES = ("reader", "writer", "stranger", "former")
MULTIGET = "<C:calendar-multiget><D:prop><C:calendar-data/></D:prop><D:href>{}plain.ics</D:href></C:calendar-multiget>"
QUERY = '<C:calendar-query><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>'
SYNC = (
    "<D:sync-collection><D:sync-token/><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>"
)
BUSY = '<C:free-busy-query><C:time-range start="20260301T000000Z" end="20260401T000000Z"/></C:free-busy-query>'
NAMED = "<D:propertyupdate><D:set><D:prop><D:displayname>Mine</D:displayname></D:prop></D:set></D:propertyupdate>"
GUESTS = (
    "ORGANIZER:mailto:alice@example.org",
    "ATTENDEE:mailto:alice@example.org",
    "ATTENDEE:mailto:guest@example.com",
)
WHEN = ("DTSTART:20260310T090000Z", "DTEND:20260310T100000Z")


def put(name, *lines, **headers):
    return lambda dav, place, event: dav.put(place + name, event(name.partition(".")[0], *lines), **headers)


def xml(method, name="", body="", **headers):
    return lambda dav, place, _: dav.xml(method, place + name, body.format(place), **headers)


def put_over_meeting(dav, place, event):
    return dav.put(f"{place}meeting.ics", event(f"meeting-{place.split('/')[2]}", *WHEN))


def post(name, query="", content_type="text/calendar"):
    return lambda dav, place, event: dav.post(
        place + name + query, content=event("posted"), headers={"Content-Type": content_type}
    )


def out(method, name):
    """To one's own calendar, which it does not stay in: one of that UID is enough for a test."""

    def do(dav, place, _):
        own = f"{dav.home}calendar/{name}"
        reply = dav.request(method, place + name, headers={"Destination": own})
        dav.delete(own)
        return reply

    return do


def into(method, *lines):
    """From one's own calendar."""

    def do(dav, place, event):
        name = f"{place.split('/')[2]}-{method}"
        assert dav.put(f"{dav.home}calendar/{name}", event(name, *lines)).status_code == 201
        return dav.request(method, f"{dav.home}calendar/{name}", headers={"Destination": place + name})

    return do


ROWS = {
    # what is done: (by a reader, a writer, a stranger, one who had it), and the privilege a 403 names
    "OPTIONS": (xml("OPTIONS"), (200, 200, 200, 200)),
    "PROPFIND": (xml("PROPFIND", Depth="1"), (207, 207, 403, 404)),
    "PROPFIND object": (xml("PROPFIND", "plain.ics", Depth="0"), (207, 207, 403, 404)),
    "GET": (xml("GET", "plain.ics"), (200, 200, 403, 404)),
    "HEAD": (xml("HEAD", "plain.ics"), (200, 200, 403, 404)),
    "GET all": (xml("GET"), (200, 200, 403, 404)),
    "calendar-multiget": (xml("REPORT", body=MULTIGET), (207, 207, 403, 404)),
    "calendar-query": (xml("REPORT", body=QUERY, Depth="1"), (207, 207, 403, 404)),
    "sync-collection": (xml("REPORT", body=SYNC), (207, 207, 403, 404)),
    "free-busy-query": (xml("REPORT", body=BUSY), (200, 200, 403, 404)),
    "PUT new": (put("new.ics"), (403, 201, 403, 409), "bind"),
    "PUT over": (put("plain.ics"), (403, 204, 403, 409), "write-content"),
    "PUT all": (put(""), (403, 403, 403, 403)),
    "PUT meeting": (put("new.ics", *WHEN, *GUESTS), (403, 403, 403, 409)),
    "PUT over meeting": (put_over_meeting, (403, 403, 403, 409)),
    "DELETE": (xml("DELETE", "plain.ics"), (403, 204, 403, 404), "unbind"),
    "DELETE meeting": (xml("DELETE", "meeting.ics"), (403, 403, 403, 404)),
    "POST member": (post(""), (403, 201, 403, 404), "bind"),
    "POST attachment": (
        post("plain.ics", "?action=attachment-add", "text/plain"),
        (403, 201, 403, 404),
        "write-content",
    ),
    "PROPPATCH": (xml("PROPPATCH", body=NAMED), (207, 207, 403, 404)),
    "PROPPATCH object": (xml("PROPPATCH", "plain.ics", NAMED), (403, 207, 403, 404)),
    "COPY out": (out("COPY", "plain.ics"), (201, 201, 403, 404)),
    "COPY in": (into("COPY"), (403, 201, 403, 409), "bind"),
    "COPY meeting in": (into("COPY", *WHEN, *GUESTS), (403, 403, 403, 409)),
    "MOVE out": (out("MOVE", "plain.ics"), (403, 201, 403, 404), "unbind"),
    "MOVE meeting out": (out("MOVE", "meeting.ics"), (403, 403, 403, 404)),
    "MOVE in": (into("MOVE"), (403, 201, 403, 409), "bind"),
    "MOVE calendar": (xml("MOVE", Destination="/bob/other/"), (403, 403, 403, 403)),
    "MKCALENDAR": (xml("MKCALENDAR"), (403, 403, 403, 201)),
    "MKCOL": (xml("MKCOL"), (405, 405, 403, 201)),
    "ACL": (xml("ACL"), (403, 403, 403, 403), "write-acl"),
    "LOCK": (xml("LOCK"), (405, 405, 405, 405)),
    "DELETE calendar": (xml("DELETE"), (204, 204, 403, 404)),
}


@pytest.fixture
def clients(base, person, alice):
    """By name, each with ``home``."""
    opened = {}
    for name, auth in {"alice": alice, **{other: person(other) for other in ("bob", "carol")}}.items():
        opened[name] = Dav(base_url=base, auth=auth)
        opened[name].home = f"/{name}/"
    yield opened
    for each in opened.values():
        each.close()


@pytest.fixture
def share(database, clock):
    def do(access="read", calendar="alice/family", sharee="bob"):
        return sharing.add(database, calendar, sharee, access, now=clock()).share

    return do


@pytest.fixture
def family(clients, event):
    """Alice's, with an event and a meeting with a guest."""

    def make(slug="family"):
        path = f"/alice/{slug}/"
        assert clients["alice"].xml("MKCALENDAR", path).status_code == 201
        assert clients["alice"].put(f"{path}plain.ics", event("plain")).status_code == 201
        uid = "meeting" if slug == "family" else f"meeting-{slug}"  # it stands in one calendar of hers alone
        assert clients["alice"].put(f"{path}meeting.ics", event(uid, *WHEN, *GUESTS)).status_code == 201
        return path

    make()
    return make


@pytest.fixture
def playing(clients, family, share, database, clock):
    """Somebody in a role, and where they look for a calendar of Alice's that was made for them."""

    def play(role):
        path = family(role)
        if role == "stranger":
            return clients["carol"], path
        share("write" if role in ("writer", "former") else "read", f"alice/{role}")
        if role == "former":
            sharing.remove(database, f"alice/{role}", "bob", now=clock())
        return clients["bob"], f"/bob/{role}/"

    return play


def needed(reply):
    root = ET.fromstring(reply.content)
    return root.find("D:need-privileges/D:resource/D:privilege", NAMES)[0].tag.rpartition("}")[2]


def properties(answer, href, name):
    return {each.tag.rpartition("}")[2] for each in answer.prop(href, name)}


@pytest.mark.parametrize("what", ROWS)
def test_who_may_do_what(playing, event, what):
    do, expected, *privilege = ROWS[what]
    found = {role: do(*playing(role), event) for role in ROLES}
    assert tuple(reply.status_code for reply in found.values()) == expected
    if privilege:
        refused = [needed(found[role]) for role in ("reader", "writer") if found[role].status_code == 403]
        assert refused == privilege * len(refused)
    if "meeting" in what:
        assert needed(found["writer"]) == "schedule-send"
        assert found["writer"].status_code == 403


@pytest.mark.parametrize("role", ["reader", "writer"])
def test_nothing_that_was_refused_has_happened(playing, clients, event, database, role):
    someone, path = playing(role)
    owners = f"/alice/{role}/"
    before = clients["alice"].props(owners, "D:getetag", "CS:getctag", depth="1")
    for what, (do, expected, *_) in ROWS.items():
        if expected[ROLES.index(role)] == 403 and " in" not in what:
            do(someone, path, event)
    after = clients["alice"].props(owners, "D:getetag", "CS:getctag", depth="1")
    assert ET.tostring(after.root) == ET.tostring(before.root)


def test_a_shared_calendar_stands_in_the_sharees_home_with_the_same_state(clients, family, share, event):
    share()
    bob, alice = clients["bob"], clients["alice"]
    home = bob.props("/bob/", "D:resourcetype", "D:owner", "D:displayname", "CS:getctag", "D:sync-token", depth="1")
    assert "/bob/family/" in home.hrefs
    assert properties(home, "/bob/family/", "D:resourcetype") == {"collection", "calendar", "shared"}
    assert home.prop("/bob/family/", "D:owner")[0].text == "/alice/"
    assert home.prop("/bob/calendar/", "D:owner")[0].text == "/bob/"
    mine = alice.props("/alice/", "D:resourcetype", "CS:getctag", "D:sync-token", depth="1")
    assert properties(mine, "/alice/family/", "D:resourcetype") == {"collection", "calendar", "shared-owner"}
    assert properties(mine, "/alice/calendar/", "D:resourcetype") == {"collection", "calendar"}
    for name in ("CS:getctag", "D:sync-token"):
        assert home.text("/bob/family/", name) == mine.text("/alice/family/", name)
    here, there = bob.get("/bob/family/plain.ics"), alice.get("/alice/family/plain.ics")
    assert (here.content, here.headers["ETag"]) == (there.content, there.headers["ETag"])


def test_homes_tell_of_shared_calendars_by_ctag_and_sync(clients, family, share, event, database, clock):
    bob = clients["bob"]

    def state():
        answer = bob.props("/bob/", "CS:getctag", "D:sync-token")
        return answer.text("/bob/", "CS:getctag"), answer.text("/bob/", "D:sync-token")

    def news(token):
        body = SYNC.replace("<D:sync-token/>", f"<D:sync-token>{token}</D:sync-token>")
        answer = bob.report("/bob/", body)
        return {href: answer.status(href) for href in answer.hrefs}

    ctag, token = state()
    share()
    assert state()[0] != ctag
    assert news(token) == {"/bob/family/": None}
    ctag, token = state()
    clients["alice"].put("/alice/family/new.ics", event("new"))
    assert state()[0] != ctag
    assert news(token) == {"/bob/family/": None}
    deep = SYNC.replace("<D:sync-token/>", f"<D:sync-token>{token}</D:sync-token>").replace(">1<", ">infinite<")
    assert set(bob.report("/bob/", deep).hrefs) == {"/bob/family/", "/bob/family/new.ics"}
    _, token = state()
    sharing.remove(database, "alice/family", "bob", now=clock())
    assert news(token) == {"/bob/family/": "HTTP/1.1 404 Not Found"}


def test_a_name_of_ones_own_is_nobody_elses(clients, family, share, person):
    share()
    share(sharee="carol")
    described = (
        "<D:propertyupdate><D:set><D:prop><D:displayname>Theirs</D:displayname><A:calendar-color>#ff0000ff</A:calendar-color>"
        "<A:calendar-order>7</A:calendar-order></D:prop></D:set></D:propertyupdate>"
    )
    before = clients["alice"].props("/alice/family/", "CS:getctag").text("/alice/family/", "CS:getctag")
    assert clients["alice"].xml("PROPPATCH", "/alice/family/", described.replace("Theirs", "Ours")).status_code == 207
    wanted = "D:displayname", "A:calendar-color", "A:calendar-order"

    def seen(name):
        answer = clients[name].props(f"/{name}/family/", *wanted)
        return [answer.text(f"/{name}/family/", each) for each in wanted]

    assert seen("bob") == seen("carol") == ["Ours", "#ff0000ff", None]
    assert (
        clients["bob"].xml("PROPPATCH", "/bob/family/", described.replace("#ff0000ff", "#00ff00ff")).status_code == 207
    )
    assert seen("bob") == ["Theirs", "#00ff00ff", "7"]
    assert seen("carol") == ["Ours", "#ff0000ff", None]
    assert seen("alice") == ["Ours", "#ff0000ff", "7"]
    renamed = "<D:propertyupdate><D:set><D:prop><D:displayname>All</D:displayname></D:prop></D:set></D:propertyupdate>"
    assert clients["alice"].xml("PROPPATCH", "/alice/family/", renamed).status_code == 207
    assert (seen("alice")[0], seen("bob")[0], seen("carol")[0]) == ("All", "Theirs", "All")
    removed = "<D:propertyupdate><D:remove><D:prop><D:displayname/></D:prop></D:remove></D:propertyupdate>"
    assert clients["bob"].xml("PROPPATCH", "/bob/family/", removed).status_code == 207
    assert (seen("alice")[0], seen("bob")[0]) == ("All", None)
    after = clients["alice"].props("/alice/family/", "CS:getctag").text("/alice/family/", "CS:getctag")
    assert after != before  # Bob's other phone looks at nothing else


def test_two_calendars_called_the_same_are_told_apart(clients, share):
    clients["alice"].xml("PROPPATCH", "/alice/", NAMED.replace("Mine", "Alice Meyer"))
    shared = share(calendar="alice/calendar")
    assert shared.slug == "calendar-alice"
    answer = clients["bob"].props("/bob/", "D:displayname", depth="1")
    assert answer.text("/bob/calendar/", "D:displayname") == "Calendar"
    assert answer.text("/bob/calendar-alice/", "D:displayname") == "Calendar (Alice Meyer)"


def test_what_one_may_do_is_told(clients, family, share):
    everything = {"read", "write", "write-content", "write-properties", "bind", "unbind", "read-free-busy"}
    for access, of_calendar, of_object in (
        ("read", {"bind", "unbind", "write", "write-content"}, {"write", "write-content", "write-properties"}),
        ("write", set(), set()),
    ):
        share(access)
        answer = clients["bob"].props("/bob/family/", "D:current-user-privilege-set", "D:acl", depth="1")

        def held(href, answer=answer):
            return {each[0].tag.rpartition("}")[2] for each in answer.prop(href, "D:current-user-privilege-set")}

        assert everything - held("/bob/family/") == of_calendar
        assert {"read", "write", "write-content", "write-properties"} - held("/bob/family/plain.ics") == of_object
        granted = {
            ace.findtext("D:principal/D:href", namespaces=NAMES): {
                each[0].tag.rpartition("}")[2] for each in ace.findall("D:grant/D:privilege", NAMES)
            }
            for ace in answer.prop("/bob/family/", "D:acl")
        }
        assert set(granted) == {"/alice/", "/bob/"}
        assert granted["/bob/"] == held("/bob/family/")
        owners = clients["alice"].props("/alice/family/", "D:acl")
        assert [each.text for each in owners.prop("/alice/family/", "D:acl").iter(f"{{{NAMES['D']}}}href")] == [
            "/alice/",
            "/bob/",
        ]


def test_calendars_without_a_name_are_told_apart_by_their_addresses(clients, family, share):
    clients["bob"].request("MKCALENDAR", "/bob/work/")
    share()
    assert clients["bob"].props("/bob/family/", "D:displayname").text("/bob/family/", "D:displayname") is None


@pytest.mark.parametrize(
    ("access", "told"), [("read", set()), ("write", {"write", "write-content", "write-properties"})]
)
def test_thunderbird_hears_of_no_right_that_it_takes_for_more(clients, family, share, access, told):
    """A colour of one's own is no right to write events; it takes any of these for that."""
    share(access)
    agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Thunderbird/153.7.0"}
    answer = clients["bob"].props("/bob/", "D:current-user-privilege-set", depth="1", **agent)
    held = {each[0].tag.rpartition("}")[2] for each in answer.prop("/bob/family/", "D:current-user-privilege-set")}
    assert held & {"write", "write-content", "write-properties", "all"} == told
    assert "read" in held
    assert clients["bob"].xml("PROPPATCH", "/bob/family/", NAMED, **agent).status_code == 207


def test_who_has_it_is_told(clients, family, share, serve, database, clock, person):
    share("write")
    share("read", sharee="carol")

    def invited(dav, href):
        invite = dav.props(href, "CS:invite").prop(href, "CS:invite")
        assert invite.findtext("CS:organizer/D:href", namespaces=NAMES) == "/alice/"
        return {
            user.findtext("D:href", namespaces=NAMES): user.find("CS:access", NAMES)[0].tag.rpartition("}")[2]
            for user in invite.findall("CS:user", NAMES)
        }

    both = {"/bob/": "read-write", "/carol/": "read"}
    assert invited(clients["alice"], "/alice/family/") == invited(clients["bob"], "/bob/family/") == both
    assert clients["alice"].props("/alice/calendar/", "CS:invite").prop("/alice/calendar/", "CS:invite") is None
    with Dav(base_url=serve(app.build(database, now=clock, directory=False)), auth=clients["carol"].auth) as carol:
        assert invited(carol, "/carol/family/") == {"/carol/": "read"}


def test_leaving_takes_nothing_from_the_owner(clients, family, share, database):
    share("write")
    assert clients["bob"].delete("/bob/family/").status_code == 204
    assert "/bob/family/" not in clients["bob"].props("/bob/", "D:resourcetype", depth="1").hrefs
    assert clients["bob"].get("/bob/family/plain.ics").status_code == 404
    assert clients["alice"].get("/alice/family/plain.ics").status_code == 200
    with database.read() as conn:
        alice = principals.by_name(conn, "alice")
        actions = [(each.action, each.actor.partition(":")[0]) for each in audit.of_principal(conn, alice.id)]
    assert ("share.leave", "device") in actions
    assert ("share.add", "cli") in actions


def test_the_owner_takes_it_away_from_everybody(clients, family, share):
    share()
    assert clients["alice"].delete("/alice/family/").status_code == 204
    assert clients["bob"].props("/bob/", "D:resourcetype", depth="1").hrefs.count("/bob/family/") == 0
    assert clients["bob"].get("/bob/family/plain.ics").status_code == 404


def test_a_bridged_calendar_can_be_left(clients, family, share, bridged):
    bridged("family")
    share()
    assert clients["bob"].delete("/bob/family/").status_code == 204
    assert clients["alice"].get("/alice/family/plain.ics").status_code == 200


def test_other_rights_count_at_the_next_request(clients, family, share, event):
    share("read")
    assert clients["bob"].put("/bob/family/a.ics", event("a")).status_code == 403
    share("write")
    assert clients["bob"].put("/bob/family/a.ics", event("a")).status_code == 201
    share("read")
    assert clients["bob"].put("/bob/family/b.ics", event("b")).status_code == 403


def test_history_says_who_it_was(clients, family, share, event, database):
    share("write")
    clients["bob"].put("/bob/family/a.ics", event("a"))
    with database.read() as conn:
        bobs = devices.of_principal(conn, principals.by_name(conn, "bob").id)[0]
        calendar = calendars.get(conn, "alice", "family")
        assert [each.actor for each in history.of_object(conn, calendar.id, "a")] == [f"device:{bobs.id}"]


def test_a_name_that_is_taken_by_a_shared_calendar_is_taken(clients, family, share):
    share()
    reply = clients["bob"].xml("MKCALENDAR", "/bob/family/")
    assert (reply.status_code, ET.fromstring(reply.content)[0].tag) == (403, "{DAV:}resource-must-be-null")


def test_attachments_are_kept_by_the_owner_and_seen_by_all(clients, family, share):
    share("write")
    posted = clients["bob"].post(
        "/bob/family/plain.ics?action=attachment-add",
        content=b"minutes",
        headers={"Content-Type": "text/plain", "Content-Disposition": "attachment; filename=minutes.txt"},
    )
    assert posted.status_code == 201
    path = f"/alice/.attachments/{posted.headers['Cal-Managed-ID']}"
    assert path.encode() in clients["alice"].get("/alice/family/plain.ics").content.replace(b"\r\n ", b"")
    assert clients["alice"].get(path).content == clients["bob"].get(path).content == b"minutes"
    assert clients["carol"].get(path).status_code == 404


def test_anothers_appointments_make_nobody_busy_who_has_not_said_so(clients, family, share):
    share()
    assert b"FREEBUSY" not in clients["bob"].xml("REPORT", "/bob/", BUSY).content.replace(b"VFREEBUSY", b"")
    transp = "<C:schedule-calendar-transp><C:opaque/></C:schedule-calendar-transp>"
    opaque = f"<D:propertyupdate><D:set><D:prop>{transp}</D:prop></D:set></D:propertyupdate>"
    answer = clients["bob"].props("/bob/family/", "C:schedule-calendar-transp")
    assert properties(answer, "/bob/family/", "C:schedule-calendar-transp") == {"transparent"}
    assert clients["bob"].xml("PROPPATCH", "/bob/family/", opaque).status_code == 207
    assert b"FREEBUSY" in clients["bob"].xml("REPORT", "/bob/", BUSY).content.replace(b"VFREEBUSY", b"")


def test_a_condition_may_name_a_shared_calendar(clients, family, share, event):
    share("write")
    token = clients["bob"].props("/bob/family/", "D:sync-token").text("/bob/family/", "D:sync-token")
    right, wrong = f"</bob/family/> (<{token}>)", f"</bob/family/> (<{token}0>)"
    assert clients["bob"].put("/bob/family/b.ics", event("b"), If=wrong).status_code == 412
    assert clients["bob"].put("/bob/family/a.ics", event("a"), If=right).status_code == 201


def test_python_caldav_lists_it_reads_it_and_writes_to_it(base, clients, family, share):
    share("write")
    auth = clients["bob"].auth
    with caldav.DAVClient(url=base, username="bob", password=_password(auth)) as client:
        found = {str(each.url): each for each in client.principal().calendars()}
        calendar = next(each for url, each in found.items() if url.endswith("/bob/family/"))
        assert {each.vobject_instance.vevent.uid.value for each in calendar.events()} == {"plain", "meeting"}
        calendar.save_event(dtstart=None, ical=_event("by-caldav"))
    assert clients["alice"].get("/alice/family/by-caldav.ics").status_code == 200


def _password(auth):
    return base64.b64decode(auth._auth_header.removeprefix("Basic ")).decode().partition(":")[2]


def _event(uid):
    lines = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z",
             "DTSTART:20260312T090000Z", "SUMMARY:Tea", "END:VEVENT", "END:VCALENDAR", "")  # fmt: skip
    return "\r\n".join(lines)


def test_ones_own_requests_cost_no_more_for_what_is_shared(clients, family, share, statements, event):
    def cost(do):
        do()  # what is remembered of the device once
        statements.clear()
        do()
        return len(statements)

    alice = clients["alice"]
    requests = [
        lambda: alice.props("/alice/", "D:displayname", "CS:getctag", "D:resourcetype", "D:owner", depth="1"),
        lambda: alice.props("/alice/family/", "D:getetag", depth="1"),
        lambda: alice.get("/alice/family/plain.ics"),
        lambda: alice.report("/alice/family/", SYNC),
        lambda: alice.put("/alice/family/plain.ics", event("plain")),
    ]
    before = [cost(each) for each in requests]
    share()
    assert [cost(each) for each in requests] == before
