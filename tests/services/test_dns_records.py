"""Records and certificates, asked of a real name server and a real TLS server on this machine."""

import datetime as dt
import http.server
import ipaddress
import socket
import ssl
import threading

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


def certificate(key=None, *, days=90, server_auth=True, san=True):
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(
        x509.Name([]), x509.Name([]), key.public_key(), 1, BEGIN, BEGIN + dt.timedelta(days)
    )
    if san:
        names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("*.example.org")]
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


@pytest.mark.parametrize(
    ("status", "headers", "verdict"),
    [
        (301, {"Location": "/"}, "ok"),
        (401, {"WWW-Authenticate": 'Basic realm="x"'}, "ok"),
        (404, {}, "missing"),
        (200, {}, "wrong"),
    ],
)
def test_a_tls_server_is_visited(tmp_path, status, headers, verdict):
    made, key = certificate()
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "both.pem").write_bytes(plain + made.public_bytes(serialization.Encoding.PEM))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "both.pem")
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    port = server.server_port
    found = dns_records.check_https("127.0.0.1", port, now=NOW, well_known=True)
    server.shutdown()
    thread.join()
    server.server_close()
    assert [each.verdict for each in found] == ["ok", verdict]
    closed = dns_records.check_https("127.0.0.1", port, now=NOW, well_known=True)
    assert [each.verdict for each in closed] == ["missing"]
