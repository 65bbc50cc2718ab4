"""httplib2 sends again what got no answer; what has no key must not come twice (G-106, R12)."""

import contextlib
import datetime as dt
import socket
import ssl
import threading
from http.client import HTTPException

import httplib2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bridge.providers.google.once import HttpOnce


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *plain) + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


class Deaf:
    """Takes requests, and answers the first ``deaf`` of them by hanging up."""

    def __init__(self, certificate, deaf):
        self.taken, self.deaf = 0, deaf
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.socket.getsockname()[1]}/"
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                with contextlib.suppress(OSError), connection:
                    self._take(self.context.wrap_socket(connection, server_side=True) if self.context else connection)

    def _take(self, connection):
        with connection:
            connection.settimeout(5)
            read = b""
            while not read.endswith(b"body"):
                part = connection.recv(65536)
                if not part:
                    return
                read += part
            self.taken += 1
            if self.taken > self.deaf:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(10)


@pytest.fixture(params=["http", "https"])
def deaf(request, certificate):
    servers = []

    def opened(count):
        servers.append(Deaf(certificate if request.param == "https" else None, count))
        return servers[-1]

    yield opened
    for server in servers:
        server.close()


def client(kind):
    http = kind(timeout=5)
    http.disable_ssl_certificate_validation = True
    return http


def test_r12_a_request_without_an_answer_is_sent_once(deaf):
    server, http = deaf(9), client(HttpOnce)
    with pytest.raises((OSError, HTTPException)):
        http.request(server.url, "POST", body="body")
    http.close()
    assert server.taken == 1


def test_the_library_by_itself_sends_it_again(deaf):
    """Should it not do so any more one day, ``once`` has nothing left to do."""
    server, http = deaf(1), client(httplib2.Http)
    answer, content = http.request(server.url, "POST", body="body")
    http.close()
    assert (answer.status, content, server.taken) == (200, b"ok", 2)


def test_an_answer_is_an_answer(deaf):
    server, http = deaf(0), client(HttpOnce)
    answer, content = http.request(server.url, "POST", body="body")
    http.close()
    assert (answer.status, content, server.taken) == (200, b"ok", 1)
