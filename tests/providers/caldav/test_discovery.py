"""From what a person types to her calendars: at the real servers, and at one shaped like each of the large services."""

from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import unquote

import pytest

from bridge.errors import NeedsReconnect, Refused, Unreachable, UsageError
from bridge.providers.caldav.provider import CaldavProvider, parse
from tests.contracts.bench import KeptTokens
from tests.contracts.caldav_bench import clock
from tests.support.caldav_server import PASSWORD, USER, radicale, serving, xandikos

VIENNA = """BEGIN:VCALENDAR
BEGIN:VTIMEZONE
TZID:Europe/Vienna
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
END:VCALENDAR
"""
MAY = "<D:current-user-privilege-set><D:privilege><D:{}/></D:privilege></D:current-user-privilege-set>"
WRITE, READ = MAY.format("write"), MAY.format("read")
CALENDAR = "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype>"
SPACES = (
    'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="http://apple.com/ns/ical/"'
    ' xmlns:CS="http://calendarserver.org/ns/"'
)
EVENTS = '<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>'
TASKS = '<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>'


def principal(path):
    return f"<D:current-user-principal><D:href>{path}</D:href></D:current-user-principal>"


def named(name):
    return f"<D:displayname>{name}</D:displayname>"


HOME = {
    "/cal/alex/": "<D:resourcetype><D:collection/></D:resourcetype>",
    "/cal/alex/b-home/": f"{CALENDAR}{EVENTS}{WRITE}{named('Home')}<C:calendar-timezone>{VIENNA}</C:calendar-timezone>",
    "/cal/alex/a-work/": f"{CALENDAR}{EVENTS}{WRITE}{named(' My  work ')}<A:calendar-color>#FF2968FF</A:calendar-color>",
    "/cal/alex/team/": f"{CALENDAR}{READ}{named('')}",
    "/cal/alex/tasks/": f"{CALENDAR}{TASKS}{WRITE}{named('Reminders')}",
    "/cal/alex/feed/": "<D:resourcetype><D:collection/><CS:subscribed/></D:resourcetype>",
    "/cal/alex/inbox/": "<D:resourcetype><D:collection/><C:schedule-inbox/></D:resourcetype>",
}
DEFAULT = "<C:schedule-default-calendar-URL><D:href>/cal/alex/b-home/</D:href></C:schedule-default-calendar-URL>"
ADDRESSES = (
    "<C:calendar-user-address-set><D:href>/p/alex/</D:href><D:href>mailto:other@example.com</D:href>"
    '<D:href preferred="1">mailto:Alex@Example.com</D:href></C:calendar-user-address-set>'
)
WHERE = f"<C:calendar-home-set><D:href>/cal/alex/</D:href></C:calendar-home-set>{ADDRESSES}"
INBOX = "<C:schedule-inbox-URL><D:href>/inbox/</D:href></C:schedule-inbox-URL>"


def service(*, depth0, home=HOME, moved=None):
    """A server of fixed answers: properties by path, and redirects."""

    def application(environ, start_response):
        path = unquote(environ["PATH_INFO"])
        if path in (moved or {}):
            start_response("301 Moved Permanently", [("Location", moved[path])])
            return [b""]
        deep = environ.get("HTTP_DEPTH") == "1" and path == "/cal/alex/"
        found = home if deep else {path: depth0[path]} if path in depth0 else None
        if found is None:
            start_response("404 Not Found", [])
            return [b""]
        responses = "".join(
            f"<D:response><D:href>{each}</D:href><D:propstat><D:prop>{props}</D:prop><D:status>HTTP/1.1 200 OK</D:status>"
            "</D:propstat></D:response>"
            for each, props in found.items()
        )
        start_response("207 Multi-Status", [])
        return [f"<D:multistatus {SPACES}>{responses}</D:multistatus>".encode()]

    return application


@contextmanager
def provider_at(application, passwords=None):
    provider = CaldavProvider(clock=clock)
    try:
        with serving(application, "/", passwords=passwords or {"alex": "secret"}) as server:
            yield provider, server
    finally:
        provider.close()


def connected(provider, url):
    return provider.account(KeptTokens(provider.grant(url=url, username="alex", password="secret")))


ICLOUD = service(depth0={"/": principal("/p/alex/"), "/p/alex/": WHERE})
NEXTCLOUD = service(
    depth0={"/remote.php/dav/": principal("/p/alex/"), "/p/alex/": WHERE},
    moved={"/.well-known/caldav": "/remote.php/dav/"},
)


@pytest.mark.parametrize(
    ("application", "typed"),
    [
        (ICLOUD, ""),
        (ICLOUD, "/"),
        (ICLOUD, "/p/alex/"),
        (ICLOUD, "/no/such/page"),
        (NEXTCLOUD, ""),
        (NEXTCLOUD, "/remote.php/dav/"),
    ],
)
def test_whatever_address_was_typed_it_is_the_same_person(application, typed):
    with provider_at(application) as (provider, server):
        account = connected(provider, f"{server.url}{typed}")
        assert account.identity() == (f"{server.url}/p/alex/", "alex@example.com")
        assert [each.name for each in account.calendars() if each.primary]


def test_what_is_a_calendar_for_events_and_what_is_told_of_it():
    with provider_at(ICLOUD) as (provider, server):
        found = {each.id.removeprefix(server.url): each for each in connected(provider, server.url).calendars()}
    assert list(found) == ["/cal/alex/a-work/", "/cal/alex/b-home/", "/cal/alex/team/"]
    work, home, team = found.values()
    assert (work.name, work.color, work.writable, work.zone) == ("My work", "#ff2968", True, "")
    assert (home.name, home.zone, home.owner) == ("Home", "Europe/Vienna", "alex@example.com")
    assert (team.name, team.writable) == ("team", False)
    assert [each.primary for each in found.values()] == [True, False, False]


@pytest.mark.parametrize("where", ["in the home", "asked for", "elsewhere"])
def test_the_servers_default_calendar_is_the_first_to_be_mirrored(where):
    home, depth0 = HOME, {"/": principal("/p/alex/"), "/p/alex/": WHERE + (INBOX if where != "in the home" else "")}
    if where == "in the home":
        home = {**HOME, "/cal/alex/inbox/": HOME["/cal/alex/inbox/"] + DEFAULT}
    elif where == "asked for":
        depth0["/inbox/"] = DEFAULT
    with provider_at(service(depth0=depth0, home=home)) as (provider, server):
        primary = [each.name for each in connected(provider, server.url).calendars() if each.primary]
    assert primary == ["My work" if where == "elsewhere" else "Home"]


def test_the_order_people_gave_their_calendars_counts():
    home = {**HOME, "/cal/alex/b-home/": HOME["/cal/alex/b-home/"] + "<A:calendar-order>1</A:calendar-order>"}
    with provider_at(service(depth0={"/": principal("/p/alex/"), "/p/alex/": WHERE}, home=home)) as (provider, server):
        assert [each.name for each in connected(provider, server.url).calendars()] == ["Home", "My work", "team"]


def test_a_wrong_password_is_said_to_be_one():
    with provider_at(ICLOUD, passwords={"alex": "another"}) as (provider, server), pytest.raises(UsageError) as told:
        provider.grant(url=server.url, username="alex", password="canary")
    assert "does not take this user name and password" in str(told.value)
    assert "canary" not in str(told.value)


@pytest.mark.parametrize(
    ("application", "words"),
    [
        (service(depth0={}), "no CalDAV server"),
        (service(depth0={}, moved={"/.well-known/caldav": "https://dav.example.com/"}), "dav.example.com"),
        (service(depth0={"/": principal("https://evil.example.com/p/")}), "evil.example.com"),
        (service(depth0={"/": principal("/p/alex/"), "/p/alex/": "<D:displayname/>"}), "no calendars"),
    ],
)
def test_what_is_no_calendar_server_is_told_in_plain_words(application, words):
    with provider_at(application) as (provider, server), pytest.raises(UsageError) as told:
        provider.grant(url=server.url, username="alex", password="secret")
    assert words in str(told.value)


def test_a_page_instead_of_an_answer_is_no_calendar_server():
    def page(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/html")])
        return [b"<html>Welcome</html>"]

    with provider_at(page) as (provider, server), pytest.raises(UsageError, match="no CalDAV server"):
        provider.grant(url=server.url, username="alex", password="secret")


def test_r05_a_list_of_calendars_that_is_cut_is_no_list():
    with provider_at(ICLOUD) as (provider, server):
        account = connected(provider, server.url)
        server.screws.cut = lambda body: body[:-40]
        with pytest.raises(Unreachable):
            account.calendars()


def test_a_password_that_has_been_changed_needs_its_owner():
    with provider_at(ICLOUD) as (provider, server):
        account = connected(provider, server.url)
        server.screws.passwords = {"alex": "another"}
        with pytest.raises(NeedsReconnect) as caught:
            account.calendars()
    assert caught.value.status == 401


def test_a_calendar_elsewhere_is_not_opened():
    with provider_at(ICLOUD) as (provider, server):
        account = connected(provider, server.url)
        (first, *_) = account.calendars()
        with pytest.raises(Refused):
            account.remote(replace(first, id="https://evil.example.com/cal/"))


def test_a_grant_shows_no_password_and_nonsense_is_none():
    with provider_at(ICLOUD) as (provider, server):
        text = provider.grant(url=server.url, username="alex", password="secret")
    assert parse(text).password == "secret"
    assert "secret" not in repr(parse(text))
    for nonsense in ("", "{}", "[]", '{"principal": 1}'):
        with pytest.raises(NeedsReconnect):
            parse(nonsense)


@pytest.mark.parametrize("start", [radicale, xandikos])
def test_real_servers_are_found_from_their_address_alone(start, tmp_path):
    provider = CaldavProvider(clock=clock)
    with start(tmp_path) as server:
        server.make_calendar("work", displayname="Work")
        server.make_calendar("tasks", components=("VTODO",))
        for typed in ("", "/", server.home):
            grant = provider.grant(url=f"{server.url}{typed}", username=USER, password=PASSWORD)
            account = provider.account(KeptTokens(grant))
            assert account.identity()[0] == f"{server.url}/{USER}/"
            assert [(each.name, each.primary, each.writable) for each in account.calendars()] == [("Work", True, True)]
    provider.close()
