"""People who look after somebody else's calendars: what they find there, what they may do, and how they are named."""

import base64
import xml.etree.ElementTree as ET

import caldav
import pytest

from bridge.services import delegating, sharing
from bridge.store import audit, principals
from radicale_plugins import app
from tests.radicale_plugins.conftest import NAMES, Dav

ROLES = ("reader", "writer", "stranger", "former")
WHEN = ("DTSTART:20260310T090000Z", "DTEND:20260310T100000Z")
GUESTS = (
    "ORGANIZER:mailto:alice@example.org",
    "ATTENDEE:mailto:alice@example.org",
    "ATTENDEE:mailto:guest@example.com",
)
SYNC = (
    "<D:sync-collection><D:sync-token/><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>"
)
QUERY = '<C:calendar-query><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>'
BUSY = '<C:free-busy-query><C:time-range start="20260301T000000Z" end="20260401T000000Z"/></C:free-busy-query>'
NAMED = "<D:propertyupdate><D:set><D:prop><D:displayname>Mine</D:displayname></D:prop></D:set></D:propertyupdate>"
HOME, CALENDAR = "/alice/", "/alice/calendar/"


def xml(method, path, body="", **headers):
    return lambda dav, _: dav.xml(method, path, body, **headers)


def put(path, uid, *lines):
    return lambda dav, event: dav.put(path, event(uid, *lines))


def post(path, content_type):
    return lambda dav, event: dav.post(path, content=event("posted"), headers={"Content-Type": content_type})


ROWS = {
    # what is done: by a reader, a writer, a stranger, one who was a delegate
    "PROPFIND home": (xml("PROPFIND", HOME, Depth="1"), (207, 207, 207, 207)),
    "PROPFIND": (xml("PROPFIND", CALENDAR, Depth="1"), (207, 207, 403, 403)),
    "PROPFIND inbox": (xml("PROPFIND", f"{HOME}.inbox/"), (403, 403, 403, 403)),
    "PROPFIND outbox": (xml("PROPFIND", f"{HOME}.outbox/"), (403, 403, 403, 403)),
    "PROPFIND readers": (xml("PROPFIND", f"{HOME}.proxy-read/"), (207, 404, 403, 403)),
    "PROPFIND writers": (xml("PROPFIND", f"{HOME}.proxy-write/"), (404, 207, 403, 403)),
    "GET": (xml("GET", f"{CALENDAR}plain.ics"), (200, 200, 403, 403)),
    "GET all": (xml("GET", CALENDAR), (200, 200, 403, 403)),
    "sync-collection": (xml("REPORT", CALENDAR, SYNC), (207, 207, 403, 403)),
    "sync-collection home": (xml("REPORT", HOME, SYNC), (207, 207, 403, 403)),
    "calendar-query": (xml("REPORT", CALENDAR, QUERY, Depth="1"), (207, 207, 403, 403)),
    "free-busy-query": (xml("REPORT", HOME, BUSY), (200, 200, 403, 403)),
    "PUT new": (put(f"{CALENDAR}new.ics", "new"), (403, 201, 403, 403)),
    "PUT over": (put(f"{CALENDAR}plain.ics", "plain"), (403, 204, 403, 403)),
    "PUT meeting": (put(f"{CALENDAR}new.ics", "new", *WHEN, *GUESTS), (403, 403, 403, 403)),
    "PUT inbox": (put(f"{HOME}.inbox/new.ics", "new"), (403, 403, 403, 403)),
    "POST member": (post(CALENDAR, "text/calendar"), (403, 201, 403, 403)),
    "POST attachment": (post(f"{CALENDAR}plain.ics?action=attachment-add", "text/plain"), (403, 201, 403, 403)),
    "POST outbox": (post(f"{HOME}.outbox/", "text/calendar"), (403, 403, 403, 403)),
    "DELETE meeting": (xml("DELETE", f"{CALENDAR}meeting.ics"), (403, 403, 403, 403)),
    "PROPPATCH object": (xml("PROPPATCH", f"{CALENDAR}plain.ics", NAMED), (403, 207, 403, 403)),
    "COPY": (xml("COPY", f"{CALENDAR}plain.ics", Destination=f"{HOME}tasks/plain.ics"), (403, 403, 403, 403)),
    "COPY home": (xml("COPY", f"{CALENDAR}plain.ics", Destination="/bob/calendar/plain.ics"), (403, 403, 403, 403)),
    "MOVE meeting": (xml("MOVE", f"{CALENDAR}meeting.ics", Destination=f"{CALENDAR}other.ics"), (403, 403, 403, 403)),
    "MOVE": (xml("MOVE", f"{CALENDAR}plain.ics", Destination=f"{CALENDAR}other.ics"), (403, 201, 403, 403)),
    "DELETE": (xml("DELETE", f"{CALENDAR}other.ics"), (403, 204, 403, 403)),
    "PROPPATCH": (xml("PROPPATCH", CALENDAR, NAMED), (403, 403, 403, 403)),
    "PROPPATCH home": (xml("PROPPATCH", HOME, NAMED), (403, 403, 403, 403)),
    "PROPPATCH readers": (xml("PROPPATCH", f"{HOME}.proxy-read/", NAMED), (403, 403, 403, 403)),
    "MKCALENDAR": (xml("MKCALENDAR", f"{HOME}new/"), (403, 403, 403, 403)),
    "MKCOL": (xml("MKCOL", f"{HOME}new/"), (403, 403, 403, 403)),
    "DELETE calendar": (xml("DELETE", f"{HOME}tasks/"), (403, 403, 403, 403)),
    "DELETE home": (xml("DELETE", HOME), (403, 403, 403, 403)),
    "ACL": (xml("ACL", CALENDAR), (403, 403, 403, 403)),
}


@pytest.fixture
def delegate(database, clock):
    return lambda who, access, owner="alice": delegating.add(database, owner, who, access, now=clock())


@pytest.fixture
def people(base, person, alice, event, delegate, database, clock):
    """By name or role; Alice has an event and a meeting."""
    opened = {"alice": Dav(base_url=base, auth=alice)}
    opened["alice"].put(f"{CALENDAR}plain.ics", event("plain"))
    opened["alice"].put(f"{CALENDAR}meeting.ics", event("meeting", *WHEN, *GUESTS))
    for role, name in zip(ROLES, ("bob", "carol", "dave", "erin"), strict=True):
        opened[role] = Dav(base_url=base, auth=person(name))
    delegate("bob", "read")
    delegate("carol", "write")
    delegate("erin", "write")
    delegating.remove(database, "alice", "erin", now=clock())
    yield opened
    for each in opened.values():
        each.close()


def hrefs(element):
    return [each.text for each in element.iter("{DAV:}href")]


def test_who_may_do_what(people, event):
    found = {
        what: tuple(do(people[role], event).status_code for role in ("reader", "stranger", "former", "writer"))
        for what, (do, _) in ROWS.items()
    }
    assert found == {what: (each[0], each[2], each[3], each[1]) for what, (_, each) in ROWS.items()}


def test_a_delegate_finds_the_home_of_the_other(people):
    for role, path, kind in (("reader", "/bob/", "read"), ("writer", "/carol/", "write")):
        answer = people[role].props(
            path, "CS:calendar-proxy-read-for", "CS:calendar-proxy-write-for", "D:group-membership"
        )
        for each in ("read", "write"):
            assert hrefs(answer.prop(path, f"CS:calendar-proxy-{each}-for")) == ([HOME] if each == kind else [])
        assert hrefs(answer.prop(path, "D:group-membership")) == [f"{HOME}.proxy-{kind}/"]
        body = (
            f'<D:expand-property><D:property name="calendar-proxy-{kind}-for" namespace="{NAMES["CS"]}">'
            f'<D:property name="calendar-home-set" namespace="{NAMES["C"]}"/></D:property></D:expand-property>'
        )
        expanded = people[role].report(path, body).root
        assert HOME in hrefs(expanded.find(f".//{{{NAMES['C']}}}calendar-home-set"))
        listed = people[role].props(HOME, "D:owner", "D:current-user-privilege-set", depth="1")
        assert listed.hrefs == [HOME, CALENDAR, f"{HOME}tasks/"]
        held = {each[0].tag.rpartition("}")[2] for each in listed.prop(CALENDAR, "D:current-user-privilege-set")}
        assert held >= {"read", "read-free-busy"}
        assert ({"write-content", "bind", "unbind"} <= held) is (kind == "write")
        assert not {"write", "write-properties"} & held
    nobody = people["former"].props("/erin/", "CS:calendar-proxy-write-for", "D:group-membership")
    assert hrefs(nobody.prop("/erin/", "CS:calendar-proxy-write-for")) == []
    seen = people["stranger"].props(HOME, "D:group-membership", "CS:calendar-proxy-read-for")
    assert hrefs(seen.prop(HOME, "D:group-membership")) == []


def test_a_delegate_finds_it_where_people_do_not_see_each_other(people, serve, database, clock):
    hidden = serve(app.build(database, now=clock, directory=False))
    body = (
        f'<D:expand-property><D:property name="calendar-proxy-read-for" namespace="{NAMES["CS"]}">'
        f'<D:property name="displayname"/></D:property></D:expand-property>'
    )
    with Dav(base_url=hidden, auth=people["reader"].auth) as bob:
        assert bob.report("/bob/", body).root.findtext(".//{DAV:}displayname") == "alice"


def test_what_is_shared_with_the_owner_is_not_shared_with_their_delegates(people, database, clock):
    shared = sharing.add(database, "dave/calendar", "alice", "write", now=clock()).share
    path = f"{HOME}{shared.slug}/"
    assert path in people["alice"].props(HOME, "D:owner", depth="1").hrefs
    assert path not in people["writer"].props(HOME, "D:owner", depth="1").hrefs
    assert people["writer"].xml("PROPFIND", path).status_code == 404
    assert "FREEBUSY:" not in people["reader"].xml("REPORT", path, BUSY).text


def test_the_owner_names_them_as_macos_does(people, database, clock):
    group, members = f"{HOME}.proxy-write/", "D:group-member-set"

    def patch(*who, path=group, remove=False):
        inner = "".join(f"<D:href>{each}</D:href>" for each in who)
        kind = "remove" if remove else "set"
        prop = f"<D:prop><D:group-member-set>{inner}</D:group-member-set></D:prop>"
        body = f"<D:propertyupdate><D:{kind}>{prop}</D:{kind}></D:propertyupdate>"
        answer = people["alice"].multi("PROPPATCH", path, body)
        return answer.responses[path].findtext("D:propstat/D:status", namespaces=NAMES).split()[1]

    def named(path=group):
        return hrefs(people["alice"].props(path, members).prop(path, members))

    answer = people["alice"].props(group, "D:resourcetype", members)
    kinds = {each.tag.rpartition("}")[2] for each in answer.prop(group, "D:resourcetype")}
    assert kinds == {"principal", "collection", "calendar-proxy-write"}
    assert named() == ["/carol/"]
    assert patch("/bob/", "mailto:DAVE@example.org") == "200"
    assert (named(), named(f"{HOME}.proxy-read/")) == (["/bob/", "/dave/"], [])
    assert people["writer"].get(f"{CALENDAR}plain.ics").status_code == 403
    assert people["stranger"].get(f"{CALENDAR}plain.ics").status_code == 200
    for wrong in (
        "/nobody/",
        "mailto:nobody@example.org",
        "/alice/",
        "/bob/calendar/",
    ):
        assert patch("/carol/", wrong) == "403"
        assert named() == ["/bob/", "/dave/"]
    own = people["reader"].props(group, members)
    assert hrefs(own.prop(group, members)) == ["/bob/"]
    assert patch(remove=True) == "200"
    assert named() == []
    with database.read() as conn:
        records = audit.of_principal(conn, principals.by_name(conn, "alice").id)
    assert [each.action for each in records].count("delegate") == 9
    assert {each.actor.partition(":")[0] for each in records if each.action == "delegate"} == {"cli", "device"}


def test_attachments_are_seen_by_delegates(people):
    posted = people["writer"].post(
        f"{CALENDAR}plain.ics?action=attachment-add", content=b"minutes", headers={"Content-Type": "text/plain"}
    )
    path = f"{HOME}.attachments/{posted.headers['Cal-Managed-ID']}"
    assert [people[role].get(path).status_code for role in ("alice", *ROLES)] == [200, 200, 200, 404, 404]


def test_who_may_what_is_told_to_those_whom_it_concerns(people):
    def told(role):
        acl = people[role].props(CALENDAR, "D:acl").prop(CALENDAR, "D:acl")
        return [ace.findtext("D:principal/D:href", namespaces=NAMES) for ace in acl]

    assert told("alice") == [HOME, "/bob/", "/carol/"]
    assert told("reader") == [HOME, "/bob/"]


def test_python_caldav_reads_the_others_calendar(base, people, person):
    with caldav.DAVClient(url=base, username="frank", password=person("frank")[1]) as client:
        assert [str(each.url) for each in client.principal().calendars() if "alice" in str(each.url)] == []
    password = base64.b64decode(people["reader"].auth._auth_header.removeprefix("Basic ")).decode().partition(":")[2]
    with caldav.DAVClient(url=base, username="bob", password=password) as client:
        home = caldav.CalendarSet(client, url=f"{base}{HOME}")
        calendar = next(each for each in home.calendars() if str(each.url).endswith(CALENDAR))
        assert {each.vobject_instance.vevent.uid.value for each in calendar.events()} == {"plain", "meeting"}
        with pytest.raises(caldav.lib.error.AuthorizationError):
            calendar.save_event(ical=people["alice"].get(f"{CALENDAR}plain.ics").text.replace("plain", "other"))


def test_the_answer_to_a_stranger_stays_what_it_was(people):
    answer = people["stranger"].multi("PROPFIND", HOME, Depth="1")
    assert answer.hrefs == [HOME]
    assert ET.tostring(answer.root).count(b"calendar-proxy") == 0
