"""Web Push from the wire's side: the RFCs' own examples, and where nothing is sent."""

import base64
import datetime as dt
import functools
import json
import ssl
import xml.etree.ElementTree as ET

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from bridge.errors import Unreachable, Unreadable, UsageError
from bridge.notify import changed, webpush
from bridge.notify.webpush import Client, Endpoint, Signer
from bridge.outside import Allowed
from tests.support.push_service import Device, PushService

# RFC 8291 §5 and Appendix A
RESOURCE = "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV"
DEVICE = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SENDER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
MESSAGE = b"When I grow up, I want to be a watermelon"
ENCRYPTED = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95b"
    "Qpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def endpoint(resource=RESOURCE):
    return Endpoint.of(resource, DEVICE, AUTH)


def test_the_example_of_rfc_8291():
    made = webpush.encrypt(MESSAGE, endpoint(), key=webpush.key_from(SENDER), salt=webpush.from_base64url(SALT))
    assert webpush.base64url(made) == ENCRYPTED


def test_keys_and_salts_are_used_once():
    one, two = (webpush.encrypt(MESSAGE, endpoint()) for _ in range(2))
    assert one[:16] != two[:16]
    assert one[21:86] != two[21:86]


def test_a_signature_is_one_by_rfc_8292():
    t0 = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    signer = Signer(webpush.key_from(webpush.new_key()), "mailto:admin@example.org")
    scheme, _, parameters = signer.authorization("https://push.example.net", t0).partition(" ")
    parts = dict(each.split("=", 1) for each in parameters.split(", "))
    assert (scheme, parts["k"]) == ("vapid", signer.public_key)
    signed, _, signature = parts["t"].rpartition(".")
    raw = plain(signature)
    der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), plain(parts["k"]))
    key.verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))  # raises if it is none
    head, claims = (json.loads(plain(part)) for part in signed.split("."))
    assert head["alg"] == "ES256"
    assert claims == {
        "aud": "https://push.example.net", "sub": "mailto:admin@example.org", "exp": int(t0.timestamp()) + 12 * 3600
    }  # fmt: skip
    assert "sub" not in Signer(signer.key).authorization("https://push.example.net", t0)


def plain(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize(
    ("resource", "key", "auth"),
    [
        ("", DEVICE, AUTH),
        ("ftp://push.example.net/x", DEVICE, AUTH),
        ("/relative", DEVICE, AUTH),
        ("https:///nowhere", DEVICE, AUTH),
        ("https://user:password@push.example.net/x", DEVICE, AUTH),
        ("https://push.example.net/" + "x" * 3000, DEVICE, AUTH),
        ("https://[::1%25eth0]/x", DEVICE, AUTH),
        (RESOURCE, "", AUTH),
        (RESOURCE, DEVICE[:-4], AUTH),
        (RESOURCE, "BC" + "A" * 85, AUTH),  # not on the curve
        (RESOURCE, "Ä", AUTH),
        (RESOURCE, DEVICE, ""),
        (RESOURCE, DEVICE, "AAAA"),
    ],
)
def test_what_is_no_endpoint_is_refused_and_not_repeated(resource, key, auth):
    with pytest.raises(UsageError) as refusal:
        Endpoint.of(resource, key, auth)
    assert "/x" not in str(refusal.value)


def test_an_endpoint_is_kept_whole_and_never_shown():
    one = endpoint()
    assert Endpoint.from_text(one.to_text()) == one
    assert one.host == "push.example.net"
    assert RESOURCE not in repr(one)
    assert "JzLQ3ra" not in repr([one, Signer(webpush.key_from(SENDER))])


@pytest.mark.parametrize(
    ("resource", "found", "allow", "judged"),
    [
        (RESOURCE, ["192.0.43.8"], [], ["192.0.43.8"]),
        (RESOURCE, ["10.0.0.1", "192.0.43.8"], [], ["192.0.43.8"]),
        ("https://ntfy.lan/x", ["10.0.0.1"], ["ntfy.lan"], ["10.0.0.1"]),
        ("https://NTFY.lan./x", ["10.0.0.1"], ["ntfy.lan"], ["10.0.0.1"]),
        ("http://ntfy.lan/x", ["10.0.0.1"], ["10.0.0.0/8"], ["10.0.0.1"]),
        ("https://[fd00::1]/x", ["fd00::1"], ["fd00::/8"], ["fd00::1"]),
    ],
)
def test_where_a_push_service_may_be(resource, found, allow, judged):
    client = Client(Allowed.of(allow), resolve=lambda host, port: found)
    assert client.judge(endpoint(resource)) == judged
    client.close()


@pytest.mark.parametrize(
    ("resource", "found", "allow"),
    [
        (RESOURCE, ["127.0.0.1"], []),
        (RESOURCE, ["169.254.169.254"], []),
        (RESOURCE, ["10.0.0.1", "192.168.1.1", "::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1"], []),
        ("http://push.example.net/x", ["192.0.43.8"], []),  # plain http is for who was named
        ("https://ntfy.lan/x", ["10.0.0.1"], ["other.lan", "192.168.0.0/16"]),
        ("https://ntfy.lan.evil.example/x", ["10.0.0.1"], ["ntfy.lan"]),
    ],
)
def test_where_none_may_be(resource, found, allow):
    client = Client(Allowed.of(allow), resolve=lambda host, port: found)
    with pytest.raises(Unreadable):
        client.judge(endpoint(resource))
    client.close()


def test_a_name_that_nobody_knows_is_refused():
    def unknown(host, port):
        raise OSError("no such host")

    client = Client(Allowed(), resolve=unknown)
    with pytest.raises(Unreadable):
        client.judge(endpoint())
    client.close()


@pytest.mark.parametrize("named", ["10.0.0.0/40", "", "http://ntfy.lan", "ntfy.lan:8080"])
def test_what_names_no_host_is_refused(named):
    with pytest.raises(ValueError, match="neither"):
        Allowed.of([named])


def test_a_message_says_what_collection_and_what_of_it():
    names = {"P": "https://bitfire.at/webdav-push", "D": "DAV:"}
    root = ET.fromstring(changed.push_message("t", content=True, properties=False, sync_token="s:1"))
    assert root.tag == "{https://bitfire.at/webdav-push}push-message"
    assert root.findtext("P:topic", namespaces=names) == "t"
    assert root.findtext("P:content-update/D:sync-token", namespaces=names) == "s:1"
    assert root.find("P:property-update", names) is None
    root = ET.fromstring(changed.push_message("t", content=False, properties=True))
    assert root.find("P:content-update", names) is None
    assert len(root.find("P:property-update", names)) == 0


@pytest.fixture
def over_tls(tmp_path, monkeypatch):
    """A push service on this machine whose certificate is for push.example alone; its own authority is trusted."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - dt.timedelta(days=1), now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("push.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "certificate.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = tmp_path / "key.pem"
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with PushService(tls=context) as service:
        yield service


@pytest.mark.parametrize(("host", "taken"), [("push.example", True), ("other.example", False)])
def test_the_certificate_is_that_of_the_name_and_not_of_the_address(over_tls, host, taken):
    client = Client(Allowed.of([host]), resolve=lambda host, port: ["127.0.0.1"])
    device, signer = Device(), Signer(webpush.key_from(webpush.new_key()))
    port = over_tls.origin.rpartition(":")[2]
    over_tls.origin = f"https://{host}:{port}"
    to = Endpoint.of(f"https://{host}:{port}/push/x", device.public_key, device.auth_secret)
    send = functools.partial(client.send, b"hello", to, signer, topic="t", now=dt.datetime.now(dt.UTC))
    if taken:
        assert send().status == 201
        assert device.read(over_tls.messages[0].body) == b"hello"
        assert over_tls.messages[0].headers["Host"] == f"{host}:{port}"
    else:
        with pytest.raises(Unreachable):
            send()
        assert over_tls.messages == over_tls.refusals == []
    client.close()
