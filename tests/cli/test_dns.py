"""The command dns: what it prints, and what its exit code says."""

import json
import socket
import threading

import dns.message
import dns.rcode
import pytest


@pytest.fixture
def empty_zone():
    """A name server that knows no name; gives its address as the command takes it."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def answer():
        while (asked := server.recvfrom(4096))[0] != b"stop":
            reply = dns.message.make_response(dns.message.from_wire(asked[0]))
            reply.set_rcode(dns.rcode.NXDOMAIN)
            server.sendto(reply.to_wire(), asked[1])

    thread = threading.Thread(target=answer)
    thread.start()
    yield f"127.0.0.1#{server.getsockname()[1]}"
    server.sendto(b"stop", server.getsockname())
    thread.join()
    server.close()


@pytest.fixture
def run(tmp_path, caldav_bridge):
    def command(public_url, *arguments):
        tmp_path.joinpath("config.toml").write_text(f'[server]\npublic_url = "{public_url}"\n')
        return caldav_bridge(tmp_path, "dns", *arguments)

    return command


def test_what_is_missing_is_told_line_by_line_and_by_the_exit_code(run, empty_zone):
    with socket.socket() as nobody:  # bound, and nobody listens
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        url = f"https://localhost:{port}"
        code, out, err = run(url, "Nowhere.INVALID.", "--nameserver", empty_zone, "--json")
    assert (code, err) == (1, "")
    assert [(each["state"], each["what"]) for each in json.loads(out)] == [
        ("missing", f"_caldavs._tcp.nowhere.invalid. SRV 0 1 {port} localhost."),
        ("missing", '_caldavs._tcp.nowhere.invalid. TXT "path=/"'),
        ("missing", "https://nowhere.invalid/.well-known/caldav"),
        ("missing", "certificate of https://nowhere.invalid"),
        ("missing", f"certificate of {url}"),
    ]
    assert all(each["to do"] for each in json.loads(out))


@pytest.mark.parametrize(
    ("url", "arguments", "told"),
    [
        ("https://cal.example.org", ["a b.example"], "'a b.example' is not a domain"),
        ("https://cal.example.org", [""], "'' is not a domain"),
        ("https://cal.example.org", ["example.org", "--nameserver", "ns.example"], "'ns.example' is no name server"),
        ("http://127.0.0.1:5232", ["example.org"], "devices look for https only"),
        ("https://192.0.2.1", ["example.org"], "an SRV record names a host, not an address"),
    ],
)
def test_what_cannot_be_asked_is_told_in_one_line(run, url, arguments, told):
    code, out, err = run(url, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"caldav-bridge: {told}")
    assert err.count("\n") == 1
