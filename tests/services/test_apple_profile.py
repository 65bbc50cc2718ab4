"""The profile for Apple devices: what is in it, and that openssl confirms its signature."""

import datetime as dt
import plistlib
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bridge.config import Onboarding
from bridge.errors import UsageError
from bridge.services import apple_profile, signing

BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def account(url, **options):
    profile = plistlib.loads(apple_profile.account(url, "alice", 7, **options))
    return profile["PayloadContent"][0], profile


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "principal"),
    [
        ("https://cal.example.org", "cal.example.org", 443, True, None),
        ("https://cal.example.org:8443/dav", "cal.example.org", 8443, True, "/dav/alice/"),
        ("https://[2001:db8::1]:8443", "2001:db8::1", 8443, True, None),
        ("http://127.0.0.1:5232", "127.0.0.1", 5232, False, None),
    ],
)
def test_the_account_is_filled_in_and_holds_no_password(url, host, port, tls, principal):
    made, _ = account(url)
    assert made["PayloadType"] == "com.apple.caldav.account"
    assert (made["CalDAVHostName"], made["CalDAVPort"], made["CalDAVUseSSL"]) == (host, port, tls)
    assert (made["CalDAVUsername"], made.get("CalDAVPrincipalURL")) == ("alice", principal)
    assert "CalDAVPassword" not in made


def test_the_same_device_gets_the_same_identifiers_and_another_one_others():
    url = "https://cal.example.org"
    first = apple_profile.account(url, "alice", 7)
    assert first == apple_profile.account(url, "alice", 7)
    ids = [
        entry[name]
        for device in (7, 8)
        for profile in [plistlib.loads(apple_profile.account(url, "alice", device, root=b"x"))]
        for entry in (profile, *profile["PayloadContent"])
        for name in ("PayloadUUID", "PayloadIdentifier")
    ]
    assert len(set(ids)) == len(ids) == 12


def test_a_root_comes_along():
    _, profile = account("https://cal.example.org", root=b"DER")
    _, root = profile["PayloadContent"]
    assert (root["PayloadType"], root["PayloadContent"]) == ("com.apple.security.root", b"DER")


def test_a_feed_is_subscribed_to_and_replaced_when_it_has_another_address():
    first, again, other = (
        plistlib.loads(
            apple_profile.subscription(f"https://cal.example.org/feeds/{secret}/team.ics", "Team & more", feed)
        )
        for secret, feed in (("s3cret", 3), ("an0ther", 3), ("s3cret", 4))
    )
    (subscribed,) = first["PayloadContent"]
    assert subscribed["PayloadType"] == "com.apple.subscribedcalendar.account"
    assert subscribed["SubCalAccountHostName"] == "https://cal.example.org/feeds/s3cret/team.ics"
    assert subscribed["SubCalAccountUseSSL"] is True
    assert subscribed["SubCalAccountDescription"] == first["PayloadDisplayName"] == "Team & more"
    assert "Team & more at cal.example.org, to be read only" in first["ConsentText"]["default"]
    assert first["PayloadUUID"] == again["PayloadUUID"] != other["PayloadUUID"]
    assert subscribed["PayloadUUID"] == again["PayloadContent"][0]["PayloadUUID"]


def test_the_person_is_told_what_it_does_and_may_take_it_back():
    _, plain = account("https://cal.example.org:8443")
    assert plain["ConsentText"]["default"].startswith("Adds the calendars of alice at cal.example.org:8443. Changes")
    assert plain["PayloadRemovalDisallowed"] is False
    _, rooted = account("https://cal.example.org", root=b"DER")
    assert "authority" in rooted["ConsentText"]["default"]


@pytest.fixture
def files(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cal.example.org")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(BEGIN)
        .not_valid_after(BEGIN + dt.timedelta(days=800))
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    for file, each in (("key.pem", key), ("other.pem", ec.generate_private_key(ec.SECP256R1()))):
        (tmp_path / file).write_bytes(
            each.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    (tmp_path / "bad.pem").write_text("no PEM")
    return tmp_path


def test_openssl_confirms_the_signature_and_refuses_a_changed_profile(files):
    signer = signing.signer(Onboarding(certificate=files / "cert.pem", key=files / "key.pem"))
    profile = apple_profile.account("https://cal.example.org", "alice", 7)
    signed = signer.sign(profile)
    command = ["openssl", "cms", "-verify", "-inform", "der", "-purpose", "any", "-no_check_time"]
    command += ["-CAfile", str(files / "cert.pem"), "-binary"]
    told = subprocess.run(command, input=signed, capture_output=True, check=False)
    assert told.returncode == 0, told.stderr
    assert told.stdout == profile
    changed = signed.replace(b"alice", b"mallo")
    assert changed != signed
    assert subprocess.run(command, input=changed, capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize(
    ("certificate", "key", "told"),
    [
        ("cert.pem", None, "belong together"),
        ("cert.pem", "missing.pem", "cannot be read: No such file"),
        ("bad.pem", "key.pem", "holds no certificate"),
        ("cert.pem", "bad.pem", "holds no private key"),
        ("cert.pem", "other.pem", "is not the key of"),
    ],
)
def test_files_that_do_not_fit_are_told_in_one_line(files, certificate, key, told):
    with pytest.raises(UsageError, match=told) as caught:
        signing.signer(Onboarding(certificate=files / certificate, key=None if key is None else files / key))
    assert "\n" not in str(caught.value)


def test_the_root_is_read_as_der(files):
    assert signing.root(Onboarding()) is None
    assert signing.root(Onboarding(root=files / "cert.pem")).startswith(b"\x30\x82")
