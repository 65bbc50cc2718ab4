"""A push service over real HTTP and a device behind it, written from RFC 8030, 8188, 8291 and 8292, not from the bridge.

The service refuses what a strict one refuses: no TTL, no content encoding, a signature that is none, expired, for another
origin or by another key than the subscription is restricted to. The device decrypts by the primitives of ``cryptography``.
"""

import base64
import json
import os
import re
import threading
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NAMES = {"P": "https://bitfire.at/webdav-push", "D": "DAV:"}
LARGEST = 4096  # RFC 8030 §7.2: every service takes so much
AHEAD = 24 * 3600  # RFC 8292 §2


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _point(key):
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _hkdf(salt, secret, info, length):
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


class Device:
    """The user agent: its keys, and how it reads what it is sent (RFC 8291 §3, RFC 8188 §2)."""

    def __init__(self):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = os.urandom(16)

    @property
    def public_key(self):
        return encode(_point(self._key.public_key()))

    @property
    def auth_secret(self):
        return encode(self._auth)

    def read(self, body):
        salt, record_size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender, record = body[21 : 21 + length], body[21 + length :]
        assert length == 65, "RFC 8291 §4: the key id is the sender's public key"
        assert len(record) <= record_size, "RFC 8291 §4: one record"
        shared = self._key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
        both = _point(self._key.public_key()) + sender
        secret = _hkdf(self._auth, shared, b"WebPush: info\0" + both, 32)
        key = _hkdf(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _hkdf(salt, secret, b"Content-Encoding: nonce\0", 12)
        plain = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\0")
        assert plain.endswith(b"\2"), "RFC 8188 §2: the delimiter of the last record"
        return plain[:-1]


@dataclass
class Message:
    """What arrived. ``at`` is by time.monotonic."""

    path: str
    headers: dict
    body: bytes
    at: float

    def read_by(self, device):
        """(topic, what has changed, its sync token)."""
        root = ET.fromstring(device.read(self.body))
        assert root.tag == f"{{{NAMES['P']}}}push-message"
        kinds = {each.tag.rpartition("}")[2] for each in root} - {"topic"}
        token = root.findtext("P:content-update/D:sync-token", namespaces=NAMES)
        return root.findtext("P:topic", namespaces=NAMES), kinds, token


@dataclass
class PushService:
    """``restricted`` maps a path to the VAPID key that may write to it. ``answers`` are statuses given before all else, in order.

    ``now`` is the clock that signatures are held against.
    """

    now: object = time.time
    restricted: dict = field(default_factory=dict)
    messages: list = field(default_factory=list)
    refusals: list = field(default_factory=list)
    answers: list = field(default_factory=list)
    delay: float = 0.0
    tls: object = None

    def __enter__(self):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer._take(self, body)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # who breaks off a handshake has said why

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def subscribe(self, name, vapid_key=None):
        """A push resource; with a key nobody else may write to it."""
        path = f"/push/{name}"
        if vapid_key:
            self.restricted[path] = vapid_key
        return self.origin + path

    def _take(self, handler, body):
        time.sleep(self.delay)
        extra = {}
        if self.answers:
            status = self.answers.pop(0)
            if isinstance(status, tuple):
                status, extra = status
            reason = "as told"
        else:
            status, reason = self._judge(handler.path, handler.headers, body)
        if status == 201:
            # before the answer, or who waits for the answer would not find it
            self.messages.append(Message(handler.path, dict(handler.headers), body, time.monotonic()))
        else:
            self.refusals.append((status, reason))
        handler.send_response(status)
        for name, value in extra.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def _judge(self, path, headers, body):
        if not re.fullmatch(r"\d{1,10}", headers.get("TTL", "")):
            return 400, "RFC 8030 §5.2: a TTL is wanted"
        if headers.get("Urgency", "normal") not in ("very-low", "low", "normal", "high"):
            return 400, "RFC 8030 §5.3: no such urgency"
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", headers.get("Topic", "a")):
            return 400, "RFC 8030 §5.4: no topic"
        if len(body) > LARGEST:
            return 413, "RFC 8030 §7.2"
        if headers.get("Content-Encoding") != "aes128gcm" or len(body) < 21 + 65 + 18 or body[20] != 65:
            return 400, "RFC 8291: not encrypted"
        key = self.restricted.get(path)
        try:
            used = self._signed_by(headers.get("Authorization", ""))
        except (ValueError, KeyError, InvalidSignature) as error:
            return (401 if key else 400), f"RFC 8292: {error!r}"
        if key is not None and used != key:
            return 403, "RFC 8292 §4.2: another key"
        return 201, ""

    def _signed_by(self, header):
        """The key; raises where the signature is none (RFC 8292 §2, RFC 7515)."""
        scheme, _, rest = header.partition(" ")
        if scheme.lower() != "vapid":
            raise ValueError("no vapid")
        given = dict(part.strip().split("=", 1) for part in rest.split(","))
        signed, _, signature = given["t"].rpartition(".")
        head, claims = (json.loads(decode(part)) for part in signed.split("."))
        raw = decode(signature)
        if head["alg"] != "ES256" or len(raw) != 64:
            raise ValueError("no ES256")
        der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decode(given["k"]))
        key.verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))
        if claims["aud"] != self.origin:
            raise ValueError("for somebody else")
        if not self.now() < claims["exp"] <= self.now() + AHEAD:
            raise ValueError("expired, or good for too long")
        return given["k"]
