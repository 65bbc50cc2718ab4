"""Writing at real servers: nobody else's lines are touched, nobody's edit is lost, nothing is made twice."""

import datetime as dt
from dataclasses import replace

import pytest

from bridge.errors import Refused, Unreachable, VersionMismatch
from bridge.ical import onward, recurrence
from bridge.ical.fields import EventFields, ObjectFields, Reminder, When
from bridge.sync.ports import NamesOccurrences, New, SupportsPush
from tests.contracts.bench import Mirror, Typed, wall
from tests.support.caldav_hands import unfolded

KEY = "0123456789abcdefghijklmnopqrstuv"
UID = "5a7e-hub@example.com"
START = wall("2026-03-02 12:00")
HOUR = dt.timedelta(hours=1)
ENDED = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Apple Inc.//iOS 18.1//EN
BEGIN:VEVENT
UID:u
DTSTAMP:20260301T000000Z
DTSTART:20260302T090000Z
DTEND:20260302T100000Z
RRULE:FREQ=DAILY;UNTIL=20260305T090000Z
EXDATE:20260310T090000Z
SUMMARY:Swimming
END:VEVENT
END:VCALENDAR
"""
FOREIGN = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Apple Inc.//iOS 18.1//EN
BEGIN:VTIMEZONE
TZID:Custom Zone
X-LIC-LOCATION:Europe/Vienna
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
UID:foreign
DTSTAMP:20260101T000000Z
DTSTART;TZID=Custom Zone:20260302T120000
DURATION:PT1H
SUMMARY;LANGUAGE=de:Zahnarzt
X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC
X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE="Praxis":geo:48.2,16.3
ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:bob@example.com
ORGANIZER:mailto:alex@example.com
BEGIN:VALARM
X-WR-ALARMUID:1
ACTION:AUDIO
TRIGGER;RELATED=END:PT5M
END:VALARM
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


def single(summary="Dentist", **more):
    return ObjectFields(EventFields(When(START, START + HOUR, "Europe/Vienna"), summary=summary, **more))


def create(bench, fields, key=KEY, uid=UID):
    return bench.remote.lens.read(bench.remote.create(fields, key=key, uid=uid))


def read(bench, id):
    return bench.remote.lens.read(bench.remote.get(id))


def titled(current, title):
    return replace(current.fields, master=replace(current.fields.master, summary=title))


def stored(bench, id):
    answer = bench.client.get(id)
    answer.raise_for_status()
    return answer.content.decode()


def sent(bench):
    """The bodies of the bridge's PUTs."""
    return [
        environ["wsgi.input"].getvalue().decode() for method, _, environ in bench.server.screws.seen if method == "PUT"
    ]


def names(lines):
    return [line.partition(":")[0].partition(";")[0] for line in lines]


def test_it_has_neither_push_nor_ids_of_occurrences(at_xandikos):
    assert not isinstance(at_xandikos.remote, SupportsPush)
    assert not isinstance(at_xandikos.remote, NamesOccurrences)


def test_an_update_sends_every_line_that_it_does_not_name_as_it_was_read(bench):
    current = read(bench, bench.put_text("foreign.ics", FOREIGN))
    bench.remote.update(current, titled(current, "Zahnarzt, Stiege 2"))
    before = current.items[0].payload["data"].split("\r\n")
    after = sent(bench)[-1].split("\r\n")
    assert sorted(names(line for line in before if line not in after)) == ["DTSTAMP", "SUMMARY"]
    assert sorted(names(line for line in after if line not in before)) == ["DTSTAMP", "LAST-MODIFIED", "SUMMARY"]
    kept = [line for line in before if line in after]
    assert kept == [line for line in after if line in kept]


def test_an_exclusion_behind_the_end_of_a_series_counts_only_for_who_wakes_it(bench):
    """Whoever moved the end there has it on the screen; whoever moved it here has never seen it."""
    here, there = (bench.put_text(f"{name}.ics", ENDED.replace("UID:u", f"UID:{name}")) for name in ("here", "there"))
    current = read(bench, here)
    assert current.fields.cancelled == frozenset()
    longer = replace(current.fields, recurrence=("RRULE:FREQ=DAILY;UNTIL=20260320T090000Z",))
    (answer,) = bench.remote.update(current, longer)
    assert bench.remote.lens.read([answer]).fields == longer
    assert "EXDATE" not in stored(bench, here)
    bench.put_text("there.ics", stored(bench, there).replace("UNTIL=20260305", "UNTIL=20260320"))
    assert read(bench, there).fields.cancelled == {"20260310T090000Z"}


def test_the_hubs_uid_is_the_remotes(bench):
    made = create(bench, single())
    assert made.uid == UID
    assert f"UID:{UID}" in stored(bench, made.id)
    assert made.id == f"{bench.path}{KEY}.ics"


def test_r20_what_a_server_makes_of_an_event_is_the_answer(at_radicale, now):
    """D-02: Radicale stores something else than it was given, and answers a strong ETag for it all the same."""
    id = at_radicale.put_text("foreign.ics", FOREIGN)
    current = read(at_radicale, id)
    after = at_radicale.remote.lens.read(at_radicale.remote.update(current, titled(current, "Zahnarzt")))
    assert after.items[0].payload["data"] == stored(at_radicale, id).replace("\r\n", "\n").replace("\n", "\r\n")
    mirror = Mirror(at_radicale.remote, now)
    mirror.follow()
    assert mirror.items[id] == after.items[0]


@pytest.mark.parametrize("lacking", [set(), {"put-etag"}])
def test_one_write_is_one_write_and_one_look(bench, lacking):
    bench.server.screws.without = lacking
    made = create(bench, single())
    requests, writes = bench.requests(), bench.writes()
    bench.remote.update(made, single("Again"))
    assert (bench.requests() - requests, bench.writes() - writes) == (2, 1)


def test_r36_an_edit_right_behind_our_write_is_seen_as_an_edit(at_xandikos, now):
    """Between our PUT and our look somebody else writes: their change must not vanish into what counts as agreed."""
    made = create(at_xandikos, single())

    def edit(method, path):
        if method == "PUT":
            at_xandikos.server.screws.edit = None
            at_xandikos.retitle(made.id, "By hand")

    at_xandikos.server.screws.edit = edit
    answered = at_xandikos.remote.lens.read(at_xandikos.remote.update(made, single("By us")))
    assert answered.fields.master.summary == "By us"
    mirror = Mirror(at_xandikos.remote, now)
    mirror.follow()
    assert mirror.objects()[made.id].version != answered.version
    with pytest.raises(VersionMismatch):
        at_xandikos.remote.update(answered, single("By us again"))
    assert at_xandikos.titles() == ["By hand"]


@pytest.mark.parametrize("spelling", ['W/"{}"', "{}"])
def test_r36_a_server_that_spells_its_etags_its_own_way(at_xandikos, spelling):
    """Weak or without quotes in the property; the header of If-Match is as the RFC has it."""
    made = create(at_xandikos, single())
    etag = made.items[0].payload["etag"]
    odd = replace(made.items[0], payload={**made.items[0].payload, "etag": spelling.format(made.version)})
    current = at_xandikos.remote.lens.read([odd])
    assert current.version == made.version
    after = at_xandikos.remote.lens.read(at_xandikos.remote.update(current, single("Again")))
    assert after.fields.master.summary == "Again"
    assert etag == f'"{made.version}"'


def test_r36_a_proxy_that_makes_the_etag_of_an_answer_weak_changes_nothing(at_xandikos, now):
    """As nginx does when it compresses: the property inside of the answer is asked instead."""
    at_xandikos.server.screws.without = {"multiget"}

    def weak(method, path, environ):
        if method not in ("GET", "PUT"):
            return None
        status, headers, body = at_xandikos.server.screws._carried_out(environ)
        return status, [(name, f"W/{value}" if name.lower() == "etag" else value) for name, value in headers], body

    at_xandikos.server.screws.respond = weak
    made = create(at_xandikos, single())
    assert not made.items[0].payload["etag"].startswith("W/")
    after = at_xandikos.remote.lens.read(at_xandikos.remote.update(made, single("Again")))
    assert at_xandikos.titles() == ["Again"]
    mirror = Mirror(at_xandikos.remote, now)
    mirror.follow()
    assert mirror.objects()[made.id].version == after.version


def test_r36_without_any_etag_an_event_is_read_and_never_written(at_xandikos):
    made = create(at_xandikos, single())
    bare = at_xandikos.remote.lens.read([replace(made.items[0], payload={**made.items[0].payload, "etag": ""})])
    writes = at_xandikos.writes()
    with pytest.raises(Refused):
        at_xandikos.remote.update(bare, single("Again"))
    with pytest.raises(Refused):
        at_xandikos.remote.delete(bare)
    assert at_xandikos.writes() == writes


def test_r12_a_server_that_names_objects_itself_is_followed(at_xandikos):
    """The PUT goes to another name, which Location tells; what was made is found there, and found again by its UID."""
    chosen = f"{at_xandikos.path}chosen.ics"

    def rename(method, path, environ):
        if method != "PUT" or not path.endswith(f"{KEY}.ics"):
            return None
        if at_xandikos.client.get(chosen).status_code == 200:
            return (
                "403 Forbidden",
                [],
                b'<error xmlns="DAV:"><C:no-uid-conflict xmlns:C="urn:ietf:params:xml:ns:caldav"/></error>',
            )
        environ["PATH_INFO"] = chosen
        status, headers, body = at_xandikos.server.screws._carried_out(environ)
        return status, [*headers, ("Location", chosen)], body

    at_xandikos.server.screws.respond = rename
    made = create(at_xandikos, single())
    assert made.id == chosen
    assert create(at_xandikos, single()).id == chosen
    assert at_xandikos.titles() == ["Dentist"]


def test_r12_an_event_with_this_uid_is_not_doubled(bench):
    """What is there says something else: the next reading unites the two, nobody overwrites anything here."""
    name = bench.add(Typed("By hand", START, START + HOUR)).rpartition("/")[2]
    with pytest.raises(Refused) as caught:
        create(bench, single("By us"), uid=name.removesuffix(".ics"))
    assert caught.value.code == "no-uid-conflict"
    assert bench.titles() == ["By hand"]


def test_someone_elses_meeting_keeps_all_but_ones_own(at_xandikos):
    id = at_xandikos.put_text("foreign.ics", FOREIGN.replace("ORGANIZER:mailto:alex", "ORGANIZER:mailto:carol"))
    lens = replace(at_xandikos.remote.lens, own=frozenset({"alex@example.com"}))
    at_xandikos.remote.lens = lens
    current = read(at_xandikos, id)
    assert current.organized_elsewhere
    writes = at_xandikos.writes()
    with pytest.raises(Refused):
        at_xandikos.remote.update(current, titled(current, "Mine"))
    assert at_xandikos.writes() == writes
    mine = replace(current.fields, master=replace(current.fields.master, reminders=(Reminder(30),)))
    assert read(at_xandikos, at_xandikos.remote.update(current, mine)[0].id).fields == mine


def test_r03_a_deletion_declines_in_nobodys_name(at_xandikos):
    at_xandikos.remote.delete(create(at_xandikos, single()))
    environ = next(environ for method, _, environ in at_xandikos.server.screws.seen if method == "DELETE")
    assert environ["HTTP_SCHEDULE_REPLY"] == "F"
    assert environ["HTTP_IF_MATCH"].startswith('"')


def test_a_full_server_is_this_ones_trouble(at_xandikos):
    made = create(at_xandikos, single())
    at_xandikos.server.screws.respond = lambda method, *_: ("507 Full", [], b"") if method == "PUT" else None
    with pytest.raises(Refused) as caught:
        at_xandikos.remote.update(made, single("Again"))
    assert caught.value.code == "insufficient-storage"


def test_a_calendar_that_is_gone_takes_no_event(bench):
    bench.client.delete(bench.path).raise_for_status()
    with pytest.raises(Refused):
        create(bench, single())


def test_what_was_written_and_is_not_there_is_tried_again(at_xandikos):
    at_xandikos.server.screws.respond = lambda method, *_: ("201 Created", [], b"") if method == "PUT" else None
    with pytest.raises(Unreachable):
        create(at_xandikos, single())


def test_x02_an_override_for_all_later_ones_is_read_and_kept(at_xandikos):
    later = FOREIGN.replace("DURATION:PT1H", "DURATION:PT1H\r\nRRULE:FREQ=DAILY;COUNT=9")
    override = later[later.index("BEGIN:VEVENT") : later.index("END:VCALENDAR")]
    override = override.replace("UID:", "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Custom Zone:20260304T120000\r\nUID:")
    override = override.replace("RRULE:FREQ=DAILY;COUNT=9\r\n", "")
    id = at_xandikos.put_text("foreign.ics", later.replace("END:VCALENDAR", f"{override}END:VCALENDAR"))
    found = read(at_xandikos, id)
    (name,) = found.fields.overrides
    assert onward.is_one(name)
    at_xandikos.remote.update(found, titled(found, "Other"))
    assert "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Custom Zone:20260304T120000" in stored(at_xandikos, id)
    assert read(at_xandikos, id).fields.overrides == found.fields.overrides


def test_x02_an_override_for_all_later_ones_is_written_as_one(bench):
    series = ObjectFields(single().master, ("RRULE:FREQ=DAILY;COUNT=9",))
    third = list(recurrence.keys(series))[2]
    later = replace(recurrence.inherited(series, third), summary="Later")
    made = create(bench, replace(series, overrides={onward.named(third): later}))
    assert made.fields.overrides == {onward.named(third): later}
    assert "RECURRENCE-ID;RANGE=THISANDFUTURE" in unfolded(stored(bench, made.id))
    bench.remote.update(made, replace(made.fields, overrides={third: later}))
    assert "RANGE" not in stored(bench, made.id)


def test_long_lines_are_folded_as_the_rfc_has_it(bench):
    made = create(bench, single("ü" * 200))
    assert all(len(line.encode()) <= 75 for line in stored(bench, made.id).splitlines())
    assert "ü" * 200 in unfolded(stored(bench, made.id))


def test_x40_properties_without_a_field_go_along_and_people_never(bench):
    """Guests in a copy would be invited by a server that schedules (R1)."""
    lines = ("ATTACH:https://example.com/menu.pdf", "COLOR:#ff0000", "X-OURS:1")
    when = When(START, START + HOUR, "Europe/Vienna")
    fields = ObjectFields(EventFields(when, summary="Tea", others=lines, color="navy", geo="48.2;16.3"))
    (made,) = bench.remote.create(fields, key=KEY, uid=UID)
    written = unfolded(made.payload["data"])
    assert all(line in written for line in (*lines, "COLOR:navy", "GEO:48.2;16.3"))
    current = bench.remote.lens.read([made])
    (after,) = bench.remote.update(current, replace(fields, master=replace(fields.master, others=lines[1:])))
    assert "ATTACH" not in after.payload["data"]
    assert "X-OURS:1" in unfolded(after.payload["data"])


def test_r12_where_one_answer_is_lost_nobody_says_that_none_was_carried_out(bench):
    """However busy the server is with all the others."""
    fields = ObjectFields(EventFields(When(START, START + HOUR, "Europe/Vienna"), "Lunch"))
    wanted = [New(fields, f"{number:032}", f"{number}@hub.example") for number in range(8)]
    faults = bench.server.screws.faults
    faults.inject(method="PUT", path=rf"/{0:032}\.ics$", drop=True, phase="after")
    faults.inject(method="PUT", path=r"\.ics$", times=20, status=429, headers={"Retry-After": "7"})
    try:
        outcomes = bench.remote.create_many(wanted)
    except Unreachable as error:  # of all of them nobody knows, is what that says
        outcomes = [error] * len(wanted)
    assert type(outcomes[0]) is Unreachable
    assert bench.titles() == ["Lunch"]
