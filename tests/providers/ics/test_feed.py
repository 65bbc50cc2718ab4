"""The feed over HTTP: what is believed, what it costs, and where nobody is led (R7)."""

import datetime as dt
import gzip
import json
import logging

import pytest

from bridge import outside
from bridge.errors import CursorLost, NeedsReconnect, Refused, Throttled, Unreachable, Unreadable, UsageError
from bridge.providers.ics.feed import Fetcher, Location, locate
from bridge.providers.ics.following import Validators
from tests.support.feeds import Reply, event, feed

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
MATCHES = feed(event("a@club", "20260302T120000Z", "Home"), event("b@club", "20260309T120000Z", "Away"))
PAGE = b"<!DOCTYPE html><html><body><form action=/login>Sign in</form></body></html>"
SECRET = "/private-canary4711/basic.ics"


def follow(remote, cursor=None):
    page = remote.page(cursor, now=NOW)
    assert not page.more
    return page


# --- what it costs


@pytest.mark.parametrize("given", [{"etag": '"1"'}, {"modified": "Sun, 01 Mar 2026 10:00:00 GMT"}])
def test_a_feed_that_has_not_changed_costs_one_request_and_no_new_cursor(server, subscribe, given):
    server.at["/feed.ics"] = Reply(MATCHES, **given)
    remote = subscribe()
    first = follow(remote)
    assert len(first.items) == 2
    server.asked.clear()
    again = follow(subscribe(), first.cursor)
    assert (again.items, again.removals, again.cursor) == ([], [], first.cursor)
    ((_, headers),) = server.asked
    assert (headers.get("if-none-match"), headers.get("if-modified-since")) == (
        given.get("etag"),
        given.get("modified"),
    )


def test_the_same_bytes_without_validators_are_no_change(server, subscribe):
    server.at["/feed.ics"] = Reply(MATCHES)
    first = follow(subscribe())
    again = follow(subscribe(), first.cursor)
    assert (again.items, again.removals, again.cursor) == ([], [], first.cursor)


def test_new_validators_of_the_same_bytes_are_remembered(server, subscribe):
    server.at["/feed.ics"] = Reply(MATCHES, etag='"1"')
    first = follow(subscribe())
    server.at["/feed.ics"] = Reply(MATCHES, etag='"2"')
    second = follow(subscribe(), first.cursor)
    assert (second.items, second.removals) == ([], [])
    follow(subscribe(), second.cursor)
    assert [headers.get("if-none-match") for _, headers in server.asked] == [None, '"1"', '"2"']


def test_the_time_of_the_request_is_no_change(server, subscribe):
    """Google writes it into every DTSTAMP."""
    server.at["/feed.ics"] = Reply(MATCHES)
    first = follow(subscribe())
    server.at["/feed.ics"] = Reply(MATCHES.replace(b"DTSTAMP:20260101T000000Z", b"DTSTAMP:20260301T120000Z"))
    again = follow(subscribe(), first.cursor)
    assert (again.items, again.removals) == ([], [])


def test_all_pages_and_all_looks_come_out_of_one_request(server, subscribe):
    """R5, R26: what the engine asks about an absent event is answered by the listing it was absent from."""
    server.at["/feed.ics"] = Reply(MATCHES)
    remote = subscribe()
    remote.page_size = 1
    page = remote.page(None, now=NOW)
    assert page.more
    last = remote.page(page.cursor, now=NOW)
    assert not last.more
    assert [remote.get(item.id)[0] for item in (*page.items, *last.items)] == [*page.items, *last.items]
    assert len(server.asked) == 1


def test_a_listing_that_was_broken_off_goes_on_in_another_process(server, subscribe):
    """R5, R13: what was shown already is not shown again, and nothing counts as gone meanwhile."""
    server.at["/feed.ics"] = Reply(MATCHES, etag='"1"')
    begun = subscribe()
    begun.page_size = 1
    page = begun.page(None, now=NOW)
    rest = follow(subscribe(), page.cursor)
    assert {item.id for item in (*page.items, *rest.items)} == {item.id for item in follow(subscribe()).items}
    assert (len(rest.items), rest.removals) == (1, [])


def test_a_compressed_feed_is_unpacked(server, subscribe):
    server.at["/feed.ics"] = Reply(gzip.compress(MATCHES), headers={"Content-Encoding": "gzip"})
    assert len(follow(subscribe()).items) == 2


def test_a_single_look_after_not_modified_fetches_the_whole_feed_once(server, subscribe):
    server.at["/feed.ics"] = Reply(MATCHES, etag='"1"')
    first = follow(subscribe())
    remote = subscribe()
    follow(remote, first.cursor)
    server.asked.clear()
    assert [remote.get(item.id)[0] for item in first.items] == first.items
    assert len(server.asked) == 1


# --- what is not believed

UNREADABLE = {
    "wants a password": (Reply(b"", 401), "user name and password"),
    "forbidden": (Reply(PAGE, 403, "text/html"), "refuses access"),
    "not found": (Reply(b"", 404), "has nothing at this address"),
    "gone": (Reply(b"", 410), "taken away for good"),
    "a teapot": (Reply(b"", 418), "does not give the calendar"),
    "an error": (Reply(b"", 500), "is in trouble"),
    "unavailable": (Reply(PAGE, 503, "text/html"), "is in trouble"),
    "a part": (Reply(MATCHES, 206), "does not give the calendar"),
    "no content": (Reply(b"", 204), "does not give the calendar"),
    "not modified, though nobody asked": (Reply(b"", 304), "does not give the calendar"),
    "a web page": (Reply(PAGE, type="text/html"), "a web page, perhaps one to sign in"),
    "a web page that claims to be a calendar": (Reply(PAGE), "a web page, perhaps one to sign in"),
    "empty": (Reply(b""), "it is empty"),
    "blank": (Reply(b"\r\n \r\n"), "it is empty"),
    "JSON": (Reply(b'{"error": "quota"}', type="application/json"), "something else than a calendar"),
    "an event without a calendar": (Reply(b"BEGIN:VEVENT\r\nEND:VEVENT\r\n"), "something else than a calendar"),
    "garbled": (Reply(MATCHES.replace(b"END:VEVENT", b"END:VTODO", 1)), "garbled"),
    "binary": (Reply(bytes(range(256)) * 40), "something else than a calendar"),
    "no gzip": (Reply(b"\x1f\x8b nonsense", headers={"Content-Encoding": "gzip"}), "broke off"),
    "half of a gzip": (Reply(gzip.compress(MATCHES)[:-60], headers={"Content-Encoding": "gzip"}), "breaks off|empty"),
    "a body cut short": (Reply(MATCHES[:-1], promised=len(MATCHES)), "broke off"),
    "a redirect to nowhere": (Reply(b"", 302), "to an address that is none"),
    "a redirect to a file": (Reply(b"", 302, headers={"Location": "file:///etc/passwd"}), "to an address that is none"),
    "a redirect to nonsense": (Reply(b"", 302, headers={"Location": "http://[::"}), "as a web server should"),
    "a redirect in circles": (Reply(b"", 302, headers={"Location": SECRET}), "without an end"),
    "a redirect to a page to sign in": (Reply(b"", 302, headers={"Location": "/login"}), "a web page, perhaps one to sign in"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNREADABLE)
def test_r7_what_is_no_feed_is_unknown_never_empty(server, subscribe, name, caplog):
    caplog.set_level(logging.DEBUG)
    reply, reason = UNREADABLE[name]
    server.at["/login"] = Reply(PAGE, type="text/html")
    server.at[SECRET] = Reply(MATCHES)
    cursor = follow(subscribe(SECRET)).cursor
    server.at[SECRET] = reply
    for given in (None, cursor):
        with pytest.raises(Unreadable, match=reason) as told:
            subscribe(SECRET).page(given, now=NOW)
        assert not isinstance(told.value, NeedsReconnect | CursorLost)
        assert "127.0.0.1" in str(told.value)
        assert "canary" not in f"{told.value!r} {told.value.args}"
    # what libraries tell below a warning is let through at no level (services.logs)
    told = [each for each in caplog.records if each.name.startswith("bridge") or each.levelno >= logging.WARNING]
    assert "canary" not in "".join(record.getMessage() for record in told)


@pytest.mark.parametrize("step", [7])
def test_r7_a_feed_cut_anywhere_is_unknown(server, subscribe, step):
    """The server does not even say that something is missing: its length is right for what is left."""
    remote = subscribe()
    whole = MATCHES.rstrip()
    for length in {*range(0, len(whole), step), len(whole) - 1}:
        server.at["/feed.ics"] = Reply(whole[:length])
        with pytest.raises(Unreadable):
            remote.page(None, now=NOW)
    server.at["/feed.ics"] = Reply(whole)
    assert len(follow(remote).items) == 2


def test_r7_nobody_there_is_unknown(server, subscribe):
    remote = subscribe()
    server.close()
    with pytest.raises(Unreadable, match="does not answer"):
        remote.page(None, now=NOW)
    server.__init__()


def test_r7_too_large_a_feed_is_unknown(server):
    server.at["/feed.ics"] = Reply(MATCHES + b" " * 4096)
    fetcher = Fetcher(allow_private=True, max_bytes=4096)
    with pytest.raises(Unreadable, match="larger than"):
        fetcher.get(locate(f"{server.base}/feed.ics"), Validators())
    packed = gzip.compress(b"BEGIN:VCALENDAR\r\n" + b"X" * 1_000_000)
    assert len(packed) < 4096
    server.at["/feed.ics"] = Reply(packed, headers={"Content-Encoding": "gzip"})
    with pytest.raises(Unreadable, match="larger than"):
        fetcher.get(locate(f"{server.base}/feed.ics"), Validators())
    fetcher.close()


def test_r7_a_feed_that_drips_is_given_up(server):
    server.at["/feed.ics"] = Reply(MATCHES)
    seconds = iter([0.0, 51.0, 51.0, 51.0])
    fetcher = Fetcher(allow_private=True, stopwatch=lambda: next(seconds))
    with pytest.raises(Unreadable, match="within 50 seconds"):
        fetcher.get(locate(f"{server.base}/feed.ics"), Validators())
    fetcher.close()


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "1e300"}, 86400),
        ({"Retry-After": "inf"}, 86400),
        ({"Retry-After": "Sun, 01 Mar 2099 10:00:00 GMT"}, 86400),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_says_when_to_come_back_within_a_day(server, subscribe, status, headers, wait):
    server.at["/feed.ics"] = Reply(b"", status, headers=headers)
    with pytest.raises(Throttled) as told:
        subscribe().page(None, now=NOW)
    assert told.value.retry_after == wait


def test_a_web_server_may_misname_a_calendar_and_add_to_it(server, subscribe):
    """WordPress plugins append a comment; many servers know no text/calendar."""
    body = b"\xef\xbb\xbf\r\n" + MATCHES + b"<!-- generated in 0.3 s -->\n"
    for named in ("text/html", "application/octet-stream", None):
        server.at["/feed.ics"] = Reply(body, type=named)
        assert len(follow(subscribe()).items) == 2


def test_nothing_is_written_to_a_feed(subscribe):
    remote = subscribe()
    for write in (
        lambda: remote.create(None, key="k" * 32, uid="u"),
        lambda: remote.update(None, None),
        lambda: remote.delete(None),
    ):
        with pytest.raises(Refused, match="read-only"):
            write()
    assert remote.find("k" * 32) == ()


# --- where it is


@pytest.mark.parametrize(("status", "kept"), [(301, True), (308, True), (302, False), (303, False), (307, False)])
def test_only_a_move_for_good_is_remembered(server, subscribe, status, kept):
    server.at["/old.ics"] = Reply(b"", status, headers={"Location": "/new.ics"})
    server.at["/new.ics"] = Reply(MATCHES)
    remote = subscribe("/old.ics")
    subject = remote.account.identity()
    cursor = follow(remote).cursor
    follow(remote, cursor)
    assert [path for path, _ in server.asked] == ["/old.ics", "/new.ics", *([] if kept else ["/old.ics"]), "/new.ics"]
    assert remote.account.identity() == subject


def test_a_move_behind_a_passing_redirect_is_not_for_good(server, subscribe):
    server.at["/a.ics"] = Reply(b"", 301, headers={"Location": "/b.ics"})
    server.at["/b.ics"] = Reply(b"", 302, headers={"Location": "/c.ics"})
    server.at["/c.ics"] = Reply(b"", 301, headers={"Location": "/d.ics"})
    server.at["/d.ics"] = Reply(MATCHES)
    remote = subscribe("/a.ics")
    follow(remote)
    assert json.loads(remote.tokens.load())["moved"] == f"{server.base}/b.ics"


def test_r7_a_move_to_a_page_to_sign_in_is_not_believed(server, subscribe):
    server.at["/feed.ics"] = Reply(b"", 301, headers={"Location": "/login"})
    server.at["/login"] = Reply(PAGE, type="text/html")
    remote = subscribe()
    with pytest.raises(Unreadable):
        remote.page(None, now=NOW)
    assert remote.tokens.durable == [remote.tokens.load()]
    assert "moved" not in json.loads(remote.tokens.load())


def test_a_new_address_that_fails_is_given_up_for_the_old_one(server, subscribe):
    server.at["/old.ics"] = Reply(b"", 301, headers={"Location": "/new.ics"})
    server.at["/new.ics"] = Reply(MATCHES)
    remote = subscribe("/old.ics")
    follow(remote)
    del server.at["/new.ics"]
    server.at["/old.ics"] = Reply(MATCHES)
    with pytest.raises(Unreadable):
        remote.page(None, now=NOW)
    assert len(follow(remote).items) == 2


def test_a_password_goes_to_its_own_server_only(server, subscribe):
    from tests.support.feeds import FeedServer

    other = FeedServer()
    other.at["/feed.ics"] = Reply(MATCHES)
    server.at["/feed.ics"] = Reply(b"", 301, headers={"Location": f"{other.base}/feed.ics"})
    remote = subscribe(username="ann", password="s3cret")
    cursor = follow(remote).cursor
    follow(remote, cursor)
    other.close()
    assert [headers.get("authorization") for _, headers in server.asked] == ["Basic YW5uOnMzY3JldA=="]
    assert [headers.get("authorization") for _, headers in other.asked] == [None, None]


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("webcal://Cal.Example.org:443/x.ics#top", "https://cal.example.org/x.ics"),
        ("webcals://cal.example.org/x.ics", "https://cal.example.org/x.ics"),
        (" https://cal.example.org/a b.ics?k=1 ", "https://cal.example.org/a%20b.ics?k=1"),
        ("http://cal.example.org", "http://cal.example.org/"),
    ],
)
def test_what_people_paste_has_one_normal_form(typed, url):
    where = locate(typed)
    assert where == Location(url)
    assert locate(where.url) == where
    assert where.host == "cal.example.org"


def test_a_name_and_password_in_the_address_are_taken_out_of_it():
    where = locate("https://ann:s3%40cret@cal.example.org/x.ics")
    assert where == Location("https://cal.example.org/x.ics", "ann", "s3@cret")
    assert Location.from_grant(where.to_grant()) == where


@pytest.mark.parametrize(
    "typed", ["", "canary", "ftp://canary.example/x", "file:///canary", "https:///canary", "http://[canary", "https://a\x00canary"]
)  # fmt: skip
def test_what_is_no_address_is_said_without_repeating_it(provider, typed):
    with pytest.raises(UsageError, match="not the address of a feed") as told:
        provider.grant(url=typed, username="", password="")
    assert "canary" not in str(told.value)


# --- where nobody is led


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:127.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:c0a8:101::1", "nonsense",
        "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1", "fec0::1", "2001:0:4136:e378:8000:63bf:80ff:fffe",
    ],
)  # fmt: skip
def test_addresses_of_the_inside_are_not_public(address):
    assert not outside.is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_addresses_of_the_outside_are_public(address):
    assert outside.is_public(address)


class Names:
    """A name server that gives other answers each time it is asked, as one does that means harm."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def __call__(self, host, port):
        self.asked.append((host, port))
        return self.answers.pop(0)


def test_a_feed_on_the_inside_is_refused_before_any_request(server):
    server.at["/feed.ics"] = Reply(MATCHES)
    fetcher = Fetcher(allow_private=False)
    for host in ("127.0.0.1", "localhost", "2130706433", "[::1]", "0x7f.1"):
        with pytest.raises(Unreadable, match=r"private network|cannot be found"):
            fetcher.get(locate(f"http://{host}:{server.port}/feed.ics"), Validators())
    fetcher.close()
    assert server.asked == []


def test_a_name_is_asked_once_and_the_judged_address_is_connected_to(server, monkeypatch):
    """No second answer can lead elsewhere (DNS rebinding); the server is still asked by its name."""
    monkeypatch.setattr(outside, "is_public", lambda address: address == "127.0.0.1")
    server.at["/feed.ics"] = Reply(MATCHES)
    names = Names(["10.9.9.9", "127.0.0.1"])
    fetcher = Fetcher(allow_private=False, resolve=names)
    answer = fetcher.get(locate(f"http://rebind.example:{server.port}/feed.ics"), Validators())
    fetcher.close()
    assert answer.body == MATCHES
    assert names.asked == [("rebind.example", server.port)]
    ((_, headers),) = server.asked
    assert headers["host"] == f"rebind.example:{server.port}"


def test_every_hop_of_a_redirect_is_judged(server, monkeypatch):
    monkeypatch.setattr(outside, "is_public", lambda address: address == "127.0.0.1")
    server.at["/feed.ics"] = Reply(b"", 302, headers={"Location": f"http://inside.example:{server.port}/admin"})
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    fetcher = Fetcher(allow_private=False, resolve=names)
    with pytest.raises(Unreadable, match=r"inside\.example lies in a private network"):
        fetcher.get(locate(f"http://outside.example:{server.port}/feed.ics"), Validators())
    fetcher.close()
    assert [path for path, _ in server.asked] == ["/feed.ics"]


def test_an_environment_with_a_proxy_does_not_lead_around_the_judgement(server, monkeypatch):
    monkeypatch.setattr(outside, "is_public", lambda address: address == "127.0.0.1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server.at["/feed.ics"] = Reply(MATCHES)
    fetcher = Fetcher(allow_private=False, resolve=Names(["127.0.0.1"]))
    assert fetcher.get(locate(f"http://feed.example:{server.port}/feed.ics"), Validators()).body == MATCHES
    fetcher.close()


def test_a_password_is_not_sent_where_all_can_read_it():
    from bridge.providers.ics.provider import IcsProvider

    provider = IcsProvider(Fetcher(allow_private=False))
    with pytest.raises(UsageError, match="https address"):
        provider.grant(url="http://cal.example.org/x.ics", username="ann", password="s3cret")
    provider.close()


def test_unreadable_is_a_kind_of_unreachable():
    """Whatever waits and tries again for a service that is down does so here, too (R28)."""
    assert issubclass(Unreadable, Unreachable)
