"""Bad input: a status and nothing else; and who gets through the door."""

import base64
import http.client
import logging
import socket
import time

import pytest

CALENDAR = "/alice/calendar/"
A = CALENDAR + "a.ics"


@pytest.fixture(autouse=True)
def quiet(caplog):
    """No traceback may come of a bad request."""
    caplog.set_level(logging.ERROR)
    yield
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def raw(base, method, target, body=None, headers=(), *, auth=None):
    """A request as no sane client sends it."""
    host, port = base.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.putrequest(method, target, skip_accept_encoding=True)
    if auth is not None:
        connection.putheader("Authorization", "Basic " + base64.b64encode(":".join(auth).encode()).decode())
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    assert b"Traceback" not in content
    return response.status, dict(response.getheaders()), content


@pytest.mark.parametrize(
    "target",
    [
        "/alice/calendar/%00.ics",
        "/alice/../bob/",
        "/alice/calendar/%2e%2e/x",
        "/alice/./calendar/",
        "/alice/%0d%0aX:y",
        "/%1b/",
    ],
)
def test_paths_that_lead_astray(base, alice, target):
    for method in ("GET", "PUT", "PROPFIND", "DELETE"):
        status, _, _ = raw(base, method, target, headers=[("Content-Length", "0")], auth=alice)
        assert status == 400, method


def test_a_percent_sign_that_escapes_nothing_is_a_character(base, alice):
    assert raw(base, "GET", "/alice/calendar/%zz", auth=alice)[0] == 404


def test_names_longer_than_a_column(base, alice):
    assert raw(base, "PUT", CALENDAR + "x" * 300, headers=[("Content-Length", "0")], auth=alice)[0] == 414


@pytest.mark.parametrize("depth", ["2", "-1", "one", "1,0", "9" * 100])
def test_absurd_depths(dav, depth):
    assert dav.request("PROPFIND", CALENDAR, headers={"Depth": depth}).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        "<unfinished",
        "no xml",
        "<a></b>",
        "\x00",
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        '<?xml version="1.0" encoding="klingon"?><a/>',
        "<a>" * 5000 + "</a>" * 5000,
        "<D:prop xmlns:D='DAV:'/>",
    ],
)
@pytest.mark.parametrize("method", ["PROPFIND", "PROPPATCH", "REPORT", "MKCALENDAR"])
def test_bodies_that_are_not_what_they_should_be(dav, method, body):
    path = "/alice/new/" if method == "MKCALENDAR" else CALENDAR
    reply = dav.request(method, path, content=body.encode(), headers={"Content-Type": "text/xml"})
    if body.startswith("<D:prop"):
        assert reply.status_code in {"REPORT": (403,), "MKCALENDAR": (201,)}.get(method, (400,))
    else:
        assert reply.status_code == 400


def test_a_huge_body_is_turned_away_before_it_is_sent(base, alice):
    headers = [("Content-Length", "99999999999"), ("Content-Type", "text/calendar")]
    assert raw(base, "PUT", A, headers=headers, auth=alice)[0] == 413
    assert raw(base, "PROPFIND", CALENDAR, headers=headers)[0] == 413


def straight(application, **environ):
    """Into the application without a server, which would turn the worst away itself, each in its own way."""
    said = []
    usual = {
        "REQUEST_METHOD": "PUT",
        "PATH_INFO": A,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input": None,
        "wsgi.errors": None,
    }
    body = b"".join(application({**usual, **environ}, lambda status, headers: said.append(status)))
    return said[0], body


@pytest.mark.parametrize("length", ["-1", "ten", "1e3", "0x10", "+5", "１２"])
def test_lengths_that_are_none(application, length):
    assert straight(application, CONTENT_LENGTH=length) == ("400 Bad Request", b"Content-Length is no number.")


def test_paths_that_are_no_utf8(application):
    assert straight(application, PATH_INFO="/\xff\xfe/") == ("400 Bad Request", b"The path is not UTF-8.")
    assert straight(application, PATH_INFO="/日本/")[0] == "400 Bad Request"  # not what PEP 3333 says


def chunked(*chunks):
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


def test_a_body_in_chunks(base, alice, dav, event):
    """macOS sends them."""
    data = event("a")
    headers = [("Transfer-Encoding", "chunked"), ("Content-Type", "text/calendar")]
    assert raw(base, "PUT", A, chunked(data[:50], data[50:]), headers, auth=alice)[0] == 201
    assert dav.get(A).content == data
    assert raw(base, "PUT", A, chunked(*([b"x" * 8000] * 6)), headers, auth=alice)[0] == 413


def test_unknown_methods(dav):
    for method in ("LOCK", "BREW", "PATCH", "POST", "_RESPOND"):
        reply = dav.request(method, CALENDAR)
        assert reply.status_code == 405, method
        assert "PROPFIND" in reply.headers["Allow"]


def test_d20_the_anonymous_401_is_prompt_and_asks_for_a_password(anonymous):
    anonymous.request("OPTIONS", "/")
    begin = time.monotonic()
    for path in ("/", "/alice/", CALENDAR, A, "/nobody/"):
        reply = anonymous.request("PROPFIND", path)
        assert reply.status_code == 401
        assert reply.headers["WWW-Authenticate"] == 'Basic realm="Calendar"'
    assert time.monotonic() - begin < 0.5  # stock Radicale waits 0.6 to 1.5 s each time (D-20)


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"nocolon").decode(),
        "Bearer x",
        "Basic " + base64.b64encode(b"a\0b:c").decode(),
    ],
)
def test_credentials_that_cannot_be_read_are_none(anonymous, header):
    assert anonymous.request("PROPFIND", "/", headers={"Authorization": header}).status_code == 401


def test_schemes_are_compared_without_case_and_passwords_not_by_the_bodys_charset(anonymous, database, clock, event):
    from bridge.services import devices, principals

    principals.add(database, "alice", "alice@example.org", now=clock())
    devices.add(database, "alice", "Old", password="pässwörd-日本", now=clock())
    token = base64.b64encode("alice:pässwörd-日本".encode()).decode()
    headers = {"Authorization": f"BASIC {token}", "Content-Type": "text/calendar; charset=iso-8859-1"}
    assert anonymous.request("PUT", A, content=event("a"), headers=headers).status_code == 201


def test_wrong_passwords_and_unknown_names_get_the_same_answer(anonymous, alice):
    replies = [
        anonymous.request("PROPFIND", "/", auth=auth)
        for auth in (("alice", "wrong-password"), ("nobody", "wrong-password"))
    ]
    assert len({(reply.status_code, reply.content, tuple(sorted(reply.headers.keys()))) for reply in replies}) == 1
    assert replies[0].status_code == 401


def test_a_failed_login_is_one_plain_line_with_name_and_address(anonymous, alice, caplog):
    caplog.set_level(logging.WARNING)
    anonymous.request("PROPFIND", "/", auth=("alice", "wrong-password"))
    (line,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert line == "Failed login attempt from 127.0.0.1: 'alice' (device passwords)"


def test_guessing_is_stopped_and_forgotten_again(anonymous, dav, alice, clock):
    for n in range(10):
        assert anonymous.request("PROPFIND", "/", auth=("alice", f"guess number {n}")).status_code == 401
    assert dav.request("PROPFIND", "/").status_code == 401
    clock.move(seconds=301)
    assert dav.request("PROPFIND", "/").status_code == 207


def test_behind_a_proxy_the_phones_address_counts(serve, database, clock, alice):
    from radicale_plugins import app
    from tests.radicale_plugins.conftest import Dav

    inner = app.build(database, now=clock, trusted_proxies=["127.0.0.0/8"])
    with Dav(base_url=serve(inner)) as client:
        for n in range(10):
            # what the stranger claims to be forwarded for stands left of what our proxy saw
            forwarded = {"X-Forwarded-For": f"192.0.2.{n}, 198.51.100.7"}
            client.request("PROPFIND", "/", auth=("alice", f"guess number {n}"), headers=forwarded)
        blocked = client.request("PROPFIND", "/", auth=alice, headers={"X-Forwarded-For": "198.51.100.7"})
        assert blocked.status_code == 401
        assert (
            client.request("PROPFIND", "/", auth=alice, headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 207
        )


def test_a_proxy_that_is_no_address_is_told_at_the_start(database, clock):
    from bridge.errors import UsageError
    from radicale_plugins import app

    with pytest.raises(UsageError, match="trusted_proxies"):
        app.build(database, now=clock, trusted_proxies=["proxy.example.org"])


def test_nobody_else_may_say_where_they_come_from(anonymous, alice):
    for n in range(10):
        headers = {"X-Forwarded-For": f"192.0.2.{n}", "X-Remote-Addr": f"192.0.2.{n}"}
        anonymous.request("PROPFIND", "/", auth=("alice", f"guess number {n}"), headers=headers)
    assert anonymous.request("PROPFIND", "/", auth=alice, headers={"X-Forwarded-For": "192.0.2.99"}).status_code == 401


def test_a_mail_address_signs_in_to_the_same_home(anonymous, alice):
    for login in ("alice@example.org", "alice%40example.org"):
        reply = anonymous.request("PROPFIND", "/", auth=(login, alice[1]))
        assert "/alice/" in anonymous.request("PROPFIND", "/", auth=(login, alice[1]), headers={"Depth": "1"}).text
        assert reply.status_code == 207


def test_radicales_own_pages_are_not_served(dav):
    for path in ("/.web", "/.web/", "/.mobileconfig", "/.sharing/v1/token/list", "/.token/x"):
        assert dav.request("GET", path).status_code in (403, 404, 405), path


def test_who_sends_a_body_slowly_keeps_nobody_waiting(base, dav, alice):
    """Others' bodies are read meanwhile, whatever Python's caches of properties lock."""
    host, _, port = base.removeprefix("http://").partition(":")
    authorization = dav.auth.auth_flow(dav.build_request("GET", "/")).__next__().headers["Authorization"]
    head = f"PUT /alice/calendar/slow.ics HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\nContent-Length: 400\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=20) as slow:
        slow.sendall(head.encode())
        slow.sendall(b"BEGIN")
        for _ in range(3):
            assert dav.props("/alice/calendar/", "CS:getctag").hrefs == ["/alice/calendar/"]
