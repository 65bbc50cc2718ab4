"""Records and certificates, asked of a real name server and a real TLS server on this machine."""

import datetime as dt
import http.server
import ipaddress
import socket
import ssl
import subprocess
import threading
from contextlib import ExitStack

import dns.message
import dns.rrset
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from bridge.errors import UsageError
from bridge.services import dns_records
from bridge.services.dns_records import Verdict

BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
NAME = "_caldavs._tcp.example.org."


@pytest.fixture
def zone():
    """A name server on UDP: what the dict holds is what it says."""
    held = {}
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def answer():
        while True:
            data, client = server.recvfrom(4096)
            if data == b"stop":
                return
            query = dns.message.from_wire(data)
            reply = dns.message.make_response(query)
            asked = query.question[0]
            for kind, values in held.items():
                if dns.rdatatype.from_text(kind) == asked.rdtype and asked.name.to_text() == NAME:
                    reply.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *values))
            server.sendto(reply.to_wire(), client)

    thread = threading.Thread(target=answer)
    thread.start()
    yield held, dns_records.resolver(f"127.0.0.1#{server.getsockname()[1]}")
    server.sendto(b"stop", server.getsockname())
    thread.join()
    server.close()


def test_the_records_name_host_port_and_path():
    made = [str(each) for each in dns_records.records("example.org", "https://cal.example.org:8443/dav")]
    assert made == [f"{NAME} SRV 0 1 8443 cal.example.org.", f'{NAME} TXT "path=/dav/"']


@pytest.mark.parametrize("url", ["http://cal.example.org", "https://192.0.2.1", "https://[2001:db8::1]"])
def test_an_address_no_device_could_find_is_told(url):
    with pytest.raises(UsageError):
        dns_records.records("example.org", url)


@pytest.mark.parametrize(
    ("held", "verdicts"),
    [
        ({}, ["missing", "missing"]),
        ({"SRV": ["0 1 443 cal.example.org."], "TXT": ['"path=/"']}, ["ok", "ok"]),
        ({"SRV": ["0 1 443 old.example.org."], "TXT": ['"path=/old"']}, ["wrong", "wrong"]),
        ({"SRV": ["0 1 443 cal.example.org.", "0 1 443 old.example.org."]}, ["wrong", "missing"]),
        ({"SRV": ["10 5 443 CAL.example.org."], "TXT": ['"v=1" "path=/"', '"v=2"']}, ["ok", "ok"]),
        ({"SRV": ["0 1 8443 cal.example.org."], "TXT": ['"path=/"', '"path=/old"']}, ["wrong", "wrong"]),
        ({"TXT": ['"v=1"']}, ["missing", "missing"]),
    ],
)
def test_the_zone_is_asked(zone, held, verdicts):
    zone[0].update(held)
    found = [
        dns_records.check_record(each, zone[1])
        for each in dns_records.records("example.org", "https://cal.example.org")
    ]
    assert [each.verdict for each in found] == verdicts
    assert all(bool(each.advice) == (each.verdict is not Verdict.OK) for each in found)


def test_a_path_is_not_the_same_in_other_letters(zone):
    zone[0]["TXT"] = ['"path=/dav/"']
    for url, verdict in (("https://cal.example.org/DAV", "wrong"), ("https://cal.example.org/dav", "ok")):
        assert dns_records.check_record(dns_records.records("example.org", url)[1], zone[1]).verdict == verdict


@pytest.mark.parametrize(
    ("text", "name"),
    [("Example.ORG.", "example.org"), ("münchen.example", "xn--mnchen-3ya.example"), ("localhost", "localhost")],
)
def test_a_domain_has_one_way_of_writing_it(text, name):
    assert dns_records.domain_name(text) == name
    assert dns_records.records(text, "https://cal.example.org")[0].name == f"_caldavs._tcp.{name}."


@pytest.mark.parametrize(
    "text",
    ["", ".", ".org", "a..b", "a b.org", "example.org/x", "a\0b.org", "*.org", "192.0.2.1", "x" * 64, "x." * 121],
)
def test_what_is_no_domain_is_told(text):
    with pytest.raises(UsageError, match="is not a domain"):
        dns_records.records(text, "https://cal.example.org")


def certificate(key=None, *, days=90, server_auth=True, san=True, names=None):
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(
        x509.Name([]), x509.Name([]), key.public_key(), 1, BEGIN, BEGIN + dt.timedelta(days)
    )
    if san:
        names = names or [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("*.example.org")]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=True)
    if server_auth:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(key, hashes.SHA256()), key


@pytest.mark.parametrize(
    ("options", "host", "faults"),
    [
        ({}, "cal.example.org", []),
        ({}, "a.cal.example.org", ["alternative names"]),
        ({"san": False}, "cal.example.org", ["alternative names"]),
        ({"days": 826}, "cal.example.org", ["825 days"]),
        ({"days": 30}, "cal.example.org", ["not valid today"]),
        ({"server_auth": False}, "cal.example.org", ["serverAuth"]),
        ({"key": rsa.generate_private_key(65537, 1024)}, "cal.example.org", ["2048 bits"]),
    ],
)
def test_a_certificate_is_held_against_apples_rules(options, host, faults):
    told = dns_records.certificate_faults(certificate(**options)[0], host, now=NOW)
    assert len(told) == len(faults)
    assert all(fault in each for fault, each in zip(faults, told, strict=True))


def test_sha_1_is_told():
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "-",
        "-subj",
        "/CN=x",
        "-days",
        "90",
    ]
    command += ["-sha1", "-addext", "subjectAltName=DNS:localhost", "-addext", "extendedKeyUsage=serverAuth"]
    made = subprocess.run(command, capture_output=True, check=True).stdout
    held = x509.load_pem_x509_certificate(made)
    told = dns_records.certificate_faults(held, "localhost", now=held.not_valid_before_utc)
    assert told == ["it must be signed with SHA-2"]


BASIC = (401, {"WWW-Authenticate": 'Basic realm="x"'})


@pytest.fixture
def visited(tmp_path):
    """A TLS server on this machine, started with a certificate and what it answers to which method and path."""
    with ExitStack() as open_servers:

        def start(answers, *, made=None):
            held, key = made or certificate(names=[x509.DNSName("localhost")])
            pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            file = tmp_path / "both.pem"
            file.write_bytes(key.private_bytes(*pem) + held.public_bytes(serialization.Encoding.PEM))

            class Handler(http.server.BaseHTTPRequestHandler):
                def answer(self):
                    status, headers = answers.get(f"{self.command} {self.path}", (404, {}))
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value.replace("PORT", str(self.server.server_port)))
                    self.send_header("Content-Length", "0")
                    self.end_headers()

                do_GET = answer  # noqa: N815 - the library's name
                do_PROPFIND = answer  # noqa: N815

                def log_message(self, *_):
                    pass

            server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.set_ciphers("DEFAULT:@SECLEVEL=0")
            tls.load_cert_chain(file)
            server.socket = tls.wrap_socket(server.socket, server_side=True)
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            open_servers.callback(server.server_close)
            open_servers.callback(thread.join)
            open_servers.callback(server.shutdown)
            return server.server_port

        yield start


WELL_KNOWN = "PROPFIND /.well-known/caldav"


def to(location):
    return 301, {"Location": location}


@pytest.mark.parametrize(
    ("answers", "verdict", "told"),
    [
        ({WELL_KNOWN: BASIC}, "ok", ""),
        ({WELL_KNOWN: to("/dav/"), "PROPFIND /dav/": BASIC}, "ok", ""),
        ({WELL_KNOWN: to("https://LOCALHOST:PORT/a"), "PROPFIND /a": to("/dav/"), "PROPFIND /dav/": BASIC}, "ok", ""),
        ({}, "missing", "it answers 404"),
        ({WELL_KNOWN: (200, {})}, "wrong", "it answers 200"),
        ({WELL_KNOWN: (401, {"WWW-Authenticate": "Negotiate"})}, "wrong", "it answers 401"),
        ({"GET /.well-known/caldav": to("/dav/"), WELL_KNOWN: (405, {})}, "wrong", "it answers 405"),
        ({WELL_KNOWN: to("/blog/")}, "wrong", "/blog/, which answers 404"),
        ({WELL_KNOWN: to("/old/"), "PROPFIND /old/": BASIC}, "wrong", "another server"),
        (
            {WELL_KNOWN: to("http://localhost/dav/")},
            "wrong",
            "it leads to http://localhost/dav/, where no device goes on",
        ),
        ({WELL_KNOWN: to("https://[x/")}, "wrong", "where no device goes on"),
        ({WELL_KNOWN: to("/.well-known/caldav")}, "wrong", "from one address to the next"),
    ],
)
def test_the_way_from_the_domain_is_gone_as_devices_go_it(visited, answers, verdict, told):
    port = visited(answers)
    found = dns_records.check_well_known("localhost", f"https://localhost:{port}/dav", port=port)
    assert found.verdict == verdict
    assert told in found.advice
    assert bool(found.advice) == (verdict != "ok")


def test_a_server_that_is_not_there_is_told(visited):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        found = [
            dns_records.check_well_known("localhost", "https://localhost", port=port),
            dns_records.check_certificate("localhost", port, now=NOW),
        ]
    assert [each.verdict for each in found] == ["missing", "missing"]
    assert all("ConnectionRefusedError" in each.advice for each in found)


@pytest.mark.parametrize(
    ("options", "faults"),
    [
        ({}, []),
        ({"key": rsa.generate_private_key(65537, 1024)}, ["2048 bits"]),
        ({"names": [x509.DNSName("other.example")], "days": 900}, ["alternative names", "825 days"]),
    ],
)
def test_a_certificate_is_fetched_and_looked_at(visited, options, faults):
    port = visited({}, made=certificate(**({"names": [x509.DNSName("localhost")]} | options)))
    found = dns_records.check_certificate("localhost", port, now=NOW)
    assert found.verdict == ("wrong" if faults else "ok"), found
    advice = found.advice.split("; ") if faults else []
    assert all(fault in told for fault, told in zip(faults, advice, strict=True))
