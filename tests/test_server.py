"""The server as a process: HTTP through Granian, and the worker that it keeps alive."""

import http.client
import os
import re
import signal
import socket
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from bridge import config
from bridge.services.context import open_context
from bridge.store import principals
from tests.support.hub import Hub, wait_for

EVENT = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n"
    b"DTSTART:20260310T090000Z\r\nDTEND:20260310T100000Z\r\nSUMMARY:Tea\r\nDESCRIPTION:"
    + b"\r\n ".join([b"x" * 60] * 2000)
    + b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    data = tmp_path_factory.mktemp("served")
    with closing(open_context(config.load(data))) as context, context.database.write() as conn:
        principals.add(conn, "setup", "setup@example.com", now=context.now())  # from before the name was reserved
    with Hub(data) as served:
        served.command("user", "add", "alice", "--email", "alice@example.com")
        yield served


@pytest.fixture(scope="module")
def device(hub):
    made = hub.command("device", "add", "alice", "phone")
    return made["username"], made["password"]


def test_a_person_whose_name_became_the_servers_own_is_told_at_start(hub):
    assert re.search(r"nobody reaches the calendars.*\bperson\S*=\S*setup", hub.log.read_text())


@pytest.fixture
def connection(hub):
    with closing(http.client.HTTPConnection("127.0.0.1", hub.port, timeout=10)) as opened:
        yield opened


def test_head_of_the_root_is_the_page_without_its_body(hub):
    page, head = httpx.get(f"{hub.url}/"), httpx.head(f"{hub.url}/")
    assert (page.status_code, head.status_code) == (200, 200)
    assert head.content == b""
    assert head.headers["Content-Type"] == page.headers["Content-Type"]
    assert f"{hub.url}/" in page.text


def ask(connection, method, path, body=None, **headers):
    """The status, and from which of our ports it was asked."""
    connection.request(method, path, body, headers)
    port = connection.sock.getsockname()[1]
    answer = connection.getresponse()
    answer.read()
    return answer.status, port


def test_d20_one_connection_serves_the_web_and_caldav_in_turn(connection, device):
    """Phones keep theirs for minutes."""
    credentials = {"Authorization": httpx.BasicAuth(*device)._auth_header}
    wanted = b"<propfind xmlns='DAV:'><prop><current-user-principal/></prop></propfind>"
    answers = [
        ask(connection, "GET", "/healthz"),
        ask(connection, "PROPFIND", "/", wanted, **credentials),
        ask(connection, "HEAD", "/"),
        ask(connection, "PROPFIND", "/alice/", wanted, **credentials),
    ]
    assert [status for status, _ in answers] == [200, 207, 200, 207]
    assert len({port for _, port in answers}) == 1, "the connection was closed in between"


def test_a_body_that_nobody_reads_is_not_taken_for_the_next_request(connection):
    for _ in range(3):
        assert ask(connection, "PUT", "/alice/calendar/1.ics", EVENT)[0] == 401  # refused before it is read
        assert ask(connection, "POST", "/push/google", b"GET /healthz HTTP/1.1\r\n\r\n" * 50)[0] == 404
        assert ask(connection, "GET", "/healthz")[0] == 200


def test_a_put_in_chunks_is_stored_to_the_byte(hub, device):
    """Apple's programs send Transfer-Encoding: chunked and no length."""
    chunks = (EVENT[start : start + 1000] for start in range(0, len(EVENT), 1000))
    url = f"{hub.url}/alice/calendar/1.ics"
    with httpx.Client(auth=device, headers={"Content-Type": "text/calendar"}) as phone:
        stored = phone.put(url, content=chunks)
        assert stored.request.headers["Transfer-Encoding"] == "chunked"
        assert stored.status_code == 201, stored.text
        assert phone.get(url).content == EVENT


def test_a_client_that_waits_for_leave_gets_it(hub, device):
    """Expect: 100-continue, as curl and some programs send with large bodies."""
    credentials = httpx.BasicAuth(*device)._auth_header
    head = (
        f"PUT /alice/calendar/1.ics HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {credentials}\r\n"
        f"Content-Type: text/calendar\r\nContent-Length: {len(EVENT)}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", hub.port), timeout=10) as line:
        line.sendall(head.encode())
        assert line.recv(1000).startswith(b"HTTP/1.1 100")
        line.sendall(EVENT)
        assert re.match(rb"HTTP/1.1 20[14]", line.recv(1000))


def test_commands_beside_it_know_where_it_listens(hub):
    assert hub.command("device", "add", "alice", "tablet")["url"] == f"{hub.url}/"


def test_two_cannot_listen_on_one_port(hub):
    """Granian lets its sockets share a port: then every other request would go to the other server."""
    second = hub.run("serve", "--port", str(hub.port))
    assert second.returncode == 2
    assert f"port {hub.port} is taken" in second.stderr
    assert httpx.get(f"{hub.url}/healthz").status_code == 200


def workers(hub):
    """The worker processes in the server's group."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getpgid(int(entry.name)) == hub.processes[0].pid:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                found += [int(entry.name)] if b"worker" in words else []
        except (ProcessLookupError, FileNotFoundError):
            continue
    return found


def test_a_worker_that_dies_is_started_again_and_none_outlives_the_server(tmp_path):
    with Hub(tmp_path / "data") as hub:
        (first,) = wait_for(lambda: workers(hub))
        wait_for(lambda: "worker ready" in hub.log.read_text())
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: hub.log.read_text().count("worker ready") == 2)
        (second,) = workers(hub)
        assert second != first
        assert httpx.get(f"{hub.url}/healthz").status_code == 200

        os.kill(hub.processes[0].pid, signal.SIGKILL)  # it cannot tell anybody
        hub.processes[0].wait()
        wait_for(lambda: workers(hub) == [], seconds=20)
        hub.kill()


def test_all_web_processes_say_the_same_at_once(tmp_path):
    """What one was told the others know: each fresh connection may come to any of them."""
    with Hub(tmp_path / "data", CALDAV_BRIDGE_SERVER__WEB_PROCESSES="3") as hub:
        hub.command("user", "add", "alice", "--email", "alice@example.com")
        made = hub.command("device", "add", "alice", "phone")
        device = made["username"], made["password"]
        poll = '<propfind xmlns="DAV:"><prop><sync-token/></prop></propfind>'

        def tokens():
            """As twelve clients are told that do not keep their connection."""
            home = f"{hub.url}/alice/calendar/"
            answers = [
                httpx.request("PROPFIND", home, content=poll, auth=device, headers={"Depth": "0"}) for _ in range(12)
            ]
            return {answer.text for answer in answers}

        before = tokens()
        assert len(before) == 1
        for number in range(4):
            event = EVENT.replace(b"UID:1", b"UID:%d" % number)
            put = httpx.put(f"{hub.url}/alice/calendar/{number}.ics", content=event, auth=device)
            assert put.status_code == 201
            after = tokens()
            assert len(after) == 1
            assert after.isdisjoint(before)
            before = after


@pytest.mark.parametrize("processes", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_and_at_once(tmp_path, number, processes):
    with Hub(tmp_path / "data", CALDAV_BRIDGE_SERVER__WEB_PROCESSES=processes) as hub:
        wait_for(lambda: "worker ready" in hub.log.read_text())
        os.killpg(hub.processes[0].pid, number)  # as a terminal, or systemd, tells the whole group
        hub.processes[0].wait(timeout=20)
        assert workers(hub) == []
        assert "Traceback" not in hub.log.read_text()
