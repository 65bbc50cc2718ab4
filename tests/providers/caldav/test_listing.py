"""Following a calendar at real servers, and at servers and proxies that behave as real ones sometimes do."""

import base64
import datetime as dt
import json
from dataclasses import replace

import pytest

from bridge.errors import CursorLost, Refused, Unmappable, Unreachable
from bridge.ical.fields import EventFields, ObjectFields, When
from bridge.providers.caldav import cursor as cursors
from bridge.providers.caldav import listing
from tests.contracts.bench import Mirror, Typed, wall

NOON = wall("2026-03-02 12:00")
FIELDS = ObjectFields(EventFields(When(NOON, NOON + dt.timedelta(hours=1), "Europe/Vienna"), summary="Tea"))
TASK = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTODO\r\nUID:{0}\r\nDTSTAMP:20260101T000000Z\r\n"
    "SUMMARY:{1}\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
)
WITHOUT = {
    "sync-collection": set(),
    "ctag": {"sync"},
    "etags": {"sync", "ctag"},
    "nothing": {"sync", "ctag", "multiget", "put-etag"},
}


def typed(number=0):
    start = NOON + dt.timedelta(days=number)
    return Typed(f"Meeting {number}", start, start + dt.timedelta(hours=1))


def filled(bench, count=3):
    return [bench.add(typed(number)) for number in range(count)]


@pytest.fixture
def mirror(bench, now):
    return Mirror(bench.remote, now)


@pytest.mark.parametrize("lacking", WITHOUT)
def test_r04_an_idle_round_is_one_request_and_the_same_cursor(bench, mirror, lacking):
    bench.server.screws.without = WITHOUT[lacking]
    filled(bench)
    mirror.follow()
    before, cursor = bench.requests(), mirror.cursor
    for _ in range(3):
        assert mirror.follow() == set()
    assert bench.requests() == before + 3
    assert mirror.cursor == cursor


@pytest.mark.parametrize("lacking", WITHOUT)
def test_a_change_costs_a_few_requests_however_many_events_there_are(bench, mirror, lacking):
    bench.server.screws.without = WITHOUT[lacking]
    ids = filled(bench, 12)
    mirror.follow()
    bench.retitle(ids[3], "Changed")
    bench.remove(ids[4])
    before = bench.requests()
    assert mirror.follow() == {ids[3], ids[4]}
    assert bench.requests() - before <= 4 + (lacking == "nothing") + ("sync" in WITHOUT[lacking])
    assert sorted(each.fields.master.summary for each in mirror.objects().values()) == bench.titles()


@pytest.mark.parametrize("lacking", WITHOUT)
def test_r05_cut_anywhere_a_listing_shows_nothing_as_gone(at_xandikos, now, lacking):
    """The first listing, an increment and an idle round, each answer cut at many places: an error, or what is true."""
    bench = at_xandikos
    bench.server.screws.without = WITHOUT[lacking]
    ids = set(filled(bench, 4))
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    kept, refused = mirror.cursor, 0
    bench.retitle(min(ids), "Changed")
    for start in (None, kept):
        for twentieth in range(20):
            bench.server.screws.cut = lambda body, at=twentieth: body[: len(body) * at // 20]
            reader = Mirror(bench.remote, now)
            reader.cursor, reader.items = start, dict(mirror.items) if start else {}
            try:
                reader.follow()
                seen = set(reader.items)
                assert all(bench.remote.lens.read([one]).fields for one in reader.items.values())
            except (Unreachable, Unmappable):
                refused += 1
                continue
            assert seen == ids
    assert refused >= 30
    bench.server.screws.cut = None
    mirror.follow()
    assert set(mirror.items) == ids


@pytest.mark.parametrize(
    "answer",
    [
        ("200 OK", [("Content-Type", "text/html")], b"<html>Sign in to the hotel's network</html>"),
        ("207 Multi-Status", [], b'<multistatus xmlns="DAV:"/>'),
        ("207 Multi-Status", [], b'<D:multistatus xmlns:D="DAV:"><D:sync-token>x</D:sync-token></D:multistatus>x'),
        ("204 No Content", [], b""),
        ("500 Internal Server Error", [], b""),
    ],
)
@pytest.mark.parametrize("lacking", WITHOUT)
def test_r07_what_is_no_listing_is_not_an_empty_calendar(at_xandikos, now, answer, lacking):
    bench = at_xandikos
    bench.server.screws.without = WITHOUT[lacking]
    filled(bench)
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    bench.server.screws.respond = lambda *_: answer
    for cursor in (None, mirror.cursor):
        with pytest.raises(Unreachable):
            bench.remote.page(cursor, now=now)


def test_r05_a_listing_that_leaves_out_the_calendar_itself_is_not_believed(at_xandikos, now):
    bench = at_xandikos
    bench.server.screws.without = {"sync", "ctag"}
    filled(bench)
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    other = '<multistatus xmlns="DAV:"><response><href>/else/</href><status>HTTP/1.1 200 OK</status></response></multistatus>'
    bench.server.screws.respond = lambda *_: ("207 Multi-Status", [], other.encode())
    with pytest.raises(Unreachable):
        bench.remote.page(mirror.cursor, now=now)


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_a_server_that_tells_only_so_much_at_once_is_asked_on(bench, mirror, limit):
    """RFC 6578 §3.6: 507, and a token that goes on from there."""
    ids = filled(bench, 5)
    bench.server.screws.limit = limit
    mirror.follow()
    assert sorted(mirror.objects()) == sorted(ids)
    bench.remove(ids[0])
    for id in ids[1:4]:
        bench.retitle(id, f"New {id[-9:]}")
    assert mirror.follow() == set(ids[:4])
    assert sorted(each.fields.master.summary for each in mirror.objects().values()) == bench.titles()
    assert mirror.follow() == set()


def test_r13_a_token_that_is_refused_between_its_pages_is_a_lost_cursor(bench, mirror, now):
    filled(bench, 5)
    bench.server.screws.limit = 2
    page = bench.remote.page(None, now=now)
    assert page.more
    bench.forget_cursors()
    with pytest.raises(CursorLost):
        bench.remote.page(page.cursor, now=now)
    mirror.follow()
    assert len(mirror.objects()) == 5


def test_a_server_that_goes_round_in_circles_is_left(at_xandikos, now):
    bench = at_xandikos
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    token = "<sync-token>{0}</sync-token>"
    same = token.format(json.loads(mirror.cursor)["token"])
    full = f"<response><href>{bench.path}</href><status>HTTP/1.1 507 Insufficient Storage</status></response>"
    body = f'<multistatus xmlns="DAV:">{full}{same}</multistatus>'
    bench.server.screws.respond = lambda *_: ("207 Multi-Status", [], body.encode())
    with pytest.raises(Unreachable):
        mirror.follow()


def test_sync_collection_that_is_promised_and_not_kept_is_done_without(at_xandikos, now):
    def respond(method, path, environ):
        body = environ["wsgi.input"].getvalue()
        return ("403 Forbidden", [], b"") if method == "REPORT" and b"sync-collection" in body else None

    bench = at_xandikos
    ids = filled(bench)
    bench.server.screws.respond = respond
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    assert sorted(mirror.objects()) == sorted(ids)
    bench.remove(ids[0])
    mirror.follow()
    assert sorted(mirror.objects()) == sorted(ids[1:])


@pytest.mark.parametrize("lacking", WITHOUT)
def test_tasks_in_the_same_calendar_make_no_noise(at_radicale, now, lacking):
    path = at_radicale.server.make_calendar("mixed", components=("VEVENT", "VTODO"))
    at_radicale.path = path
    calendar = next(each for each in at_radicale.account.calendars() if each.id.endswith("/mixed/"))
    remote = at_radicale.account.remote(calendar)
    at_radicale.server.screws.without = WITHOUT[lacking]
    id = at_radicale.add(typed())
    at_radicale.put_text("task.ics", TASK.format("t", "Buy milk"))
    mirror = Mirror(remote, now)
    mirror.follow()
    assert list(mirror.objects()) == [id]
    mirror.follow()
    at_radicale.put_text("task.ics", TASK.format("t", "Buy oats"))
    mirror.follow()
    assert list(mirror.objects()) == [id]
    before = at_radicale.requests()
    mirror.follow()
    assert at_radicale.requests() == before + 1


def test_an_event_that_becomes_a_task_is_an_event_no_more(at_radicale, now):
    """Radicale takes it (D-04)."""
    id = at_radicale.add(typed())
    mirror = Mirror(at_radicale.remote, now)
    mirror.follow()
    name = id.rpartition("/")[2]
    at_radicale.put_text(name, TASK.format(name.removesuffix(".ics"), "Buy milk"))
    assert mirror.follow() == {id}
    assert mirror.objects() == {}


def test_r32_one_text_that_no_xml_can_hold_spoils_only_itself(at_xandikos, now):
    """A server that puts a control character into its XML: that object is asked for by itself, and then left alone."""
    ids = filled(at_xandikos)

    def cut(body):
        return body.replace(b"Meeting 1", b"Meeting \x01") if b"multistatus" in body and b"Meeting 1" in body else body

    at_xandikos.server.screws.cut = cut
    mirror = Mirror(at_xandikos.remote, now)
    mirror.follow()
    assert sorted(mirror.objects()) == sorted(ids)


def test_r32_an_object_that_is_no_text_is_kept_out_of_the_others_way(at_xandikos, now):
    ids = filled(at_xandikos)

    def cut(body):
        if b"multistatus" in body:
            return body.replace(b"Meeting 1", b"Meeting \x01")
        return body.replace(b"Meeting 1", b"Meeting \xff\x00")

    at_xandikos.server.screws.cut = cut
    mirror = Mirror(at_xandikos.remote, now)
    mirror.follow()
    assert sorted(mirror.items) == sorted(ids)
    with pytest.raises(Unmappable):
        at_xandikos.remote.lens.read([mirror.items[ids[1]]])
    at_xandikos.server.screws.cut = None
    (whole,) = at_xandikos.remote.get(ids[1])
    assert whole.version != mirror.items[ids[1]].version


def test_a_calendar_that_is_gone_is_refused_not_empty(bench, mirror, now):
    filled(bench)
    mirror.follow()
    bench.client.delete(bench.path).raise_for_status()
    for cursor in (None, mirror.cursor):
        with pytest.raises((Refused, CursorLost)):
            bench.remote.page(cursor, now=now)
    with pytest.raises(Refused):
        bench.remote.page(None, now=now)


@pytest.mark.parametrize("lacking", WITHOUT)
def test_r42_what_we_created_and_its_owner_deleted_before_we_looked_is_told(bench, mirror, now, lacking):
    """Neither a token nor a ctag need tell of it (RFC 6578 §3.5); Radicale's are digests, and again what they were."""
    bench.server.screws.without = WITHOUT[lacking]
    mirror.follow()
    made = [bench.remote.create(FIELDS, key=f"{number:032x}", uid=f"u{number}")[0].id for number in range(2)]
    cursor = mirror.cursor
    for id in made:
        cursor = bench.remote.with_written(cursor, {id: "another version"}, created=[id])
    bench.remove(made[0])
    mirror.cursor = cursor
    page = bench.remote.page(cursor, now=now)
    assert [each.id for each in page.removals] == [made[0]]
    assert [each.id for each in page.items] == [made[1]]
    bench.remove(made[1])
    mirror.cursor = page.cursor
    assert mirror.follow() == {made[1]}
    assert mirror.follow() == set()


def test_r42_the_same_where_nothing_else_is_left(bench, mirror, now):
    mirror.follow()
    (made,) = bench.remote.create(FIELDS, key="0" * 32, uid="u")
    cursor = bench.remote.with_written(mirror.cursor, {made.id: made.version}, created=[made.id])
    bench.remove(made.id)
    page = bench.remote.page(cursor, now=now)
    assert [each.id for each in page.removals] == [made.id]


def test_what_we_wrote_ourselves_is_not_read_again(bench, mirror, now):
    """It is listed as changed, with the very ETag that we hold. What others have written since is news all the same."""
    mirror.follow()
    made = [bench.remote.create(FIELDS, key=f"{number:032x}", uid=f"u{number}")[0] for number in range(3)]
    versions = {each.id: each.version for each in made}
    known = bench.remote.with_written(mirror.cursor, versions, created=[*versions])
    read = []
    fetch = bench.remote._collection.fetch
    bench.remote._collection.fetch = lambda ids: read.extend(ids) or fetch(ids)
    page = bench.remote.page(known, now=now)
    assert (page.items, page.removals, read) == ([], [], [])
    edited = replace(FIELDS, master=replace(FIELDS.event, summary="Another"))
    (ours,) = bench.remote.update(bench.remote.lens.read([made[0]]), edited)
    (theirs,) = bench.remote.update(bench.remote.lens.read([made[1]]), edited)
    bench.remove(made[2].id)
    read.clear()
    after = bench.remote.page(bench.remote.with_written(page.cursor, {ours.id: ours.version}, created=[]), now=now)
    assert read == [theirs.id]
    assert [each.id for each in after.items] == [theirs.id]
    assert [each.id for each in after.removals] == [made[2].id]
    assert not bench.remote.page(after.cursor, now=now).items


def test_a_cursor_of_before_is_read(bench, mirror, now):
    mirror.follow()
    old = json.loads(mirror.cursor)
    del old["written"]
    for name in ("known", "todo"):
        old[name] = old[name] and base64.b85encode(base64.b64decode(old[name][1:])).decode()
    assert not bench.remote.page(json.dumps(old), now=now).items


@pytest.mark.parametrize(
    "note", ["", "{}", "null", '{"written": "x", "created": ""}', '{"written": "/eA==", "created": ""}']
)
def test_a_note_that_is_none_makes_the_cursor_none(note):
    with pytest.raises(CursorLost):
        cursors.parse(f"{cursors.Cursor(token='t').text()}\n{note}")


def test_of_two_notes_the_later_counts():
    first = cursors.Cursor(token="t", created=("a",), written={"a": "1", "b": "1"})
    text = cursors.noted(first.text(), written={"b": "2", "c": "2"}, created=["c"])
    text = cursors.noted(text, written={"c": "3"}, created=[])
    assert cursors.parse(text) == replace(first, created=("a", "c"), written={"a": "1", "b": "2", "c": "3"})


def test_a_name_with_a_blank_is_a_name():
    written = cursors.Cursor(
        token="t", written={"a b.ics": cursors.digest("1")}, known={"c d.ics": cursors.digest("2")}
    )
    assert cursors.parse(written.text()) == written


def test_no_more_is_noted_than_a_cursor_can_hold(bench, mirror, now, monkeypatch):
    mirror.follow()
    at = mirror.cursor
    for number in range(5):
        if number == 2:
            monkeypatch.setattr(listing, "LARGEST", len(at))
        at = bench.remote.with_written(at, {f"{bench.path}{number}.ics": "v"}, created=[])
    assert [tag for _, tag in sorted(cursors.parse(at).written.items())] == [*[cursors.digest("v")] * 2, *["-"] * 3]


def test_r36_what_was_looked_at_since_is_not_taken_for_what_we_wrote(bench, mirror, now, monkeypatch):
    """Somebody wrote over it, we looked, and they put it back as it was, with the old ETag: that is a change to what we hold."""
    mirror.follow()
    (made,) = bench.remote.create(FIELDS, key="0" * 32, uid="u")
    written = bench.remote.with_written(mirror.cursor, {made.id: made.version}, created=[made.id])
    for largest in (listing.LARGEST, 0):
        monkeypatch.setattr(listing, "LARGEST", largest)
        looked = bench.remote.with_written(written, {made.id: "theirs"}, created=[])
        assert [each.id for each in bench.remote.page(looked, now=now).items] == [made.id]
