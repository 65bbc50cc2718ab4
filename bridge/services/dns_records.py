"""How devices find the server from a mail domain alone: SRV and TXT records, and ``/.well-known/caldav`` (RFC 6764)."""

from __future__ import annotations

import datetime as dt
import http.client
import ipaddress
import ssl
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

import dns.exception
import dns.name
import dns.resolver
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from bridge.errors import UsageError

_PATIENCE = 5.0
_LONGEST = dt.timedelta(days=825)
_WELL_KNOWN = "/.well-known/caldav"
_REDIRECTS = (301, 302, 303, 307, 308)


class Verdict(StrEnum):
    OK = "ok"
    MISSING = "missing"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """``advice`` says what to do; empty if it is in order."""

    what: str
    verdict: Verdict
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    name: str
    kind: str
    value: str

    def __str__(self) -> str:
        return f"{self.name} {self.kind} {self.value}"


def records(domain: str, url: str) -> list[Record]:
    """What the zone of ``domain`` needs for the server at ``url``. Raises UsageError where no device could use it."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise UsageError("devices look for https only: set server.public_url to the address behind your reverse proxy")
    try:
        name = dns.name.from_text(domain.rstrip(".")).to_text()
        target = dns.name.from_text(parts.hostname).to_text()
    except dns.exception.DNSException:
        raise UsageError(f"{domain!r} is not a domain") from None
    if ":" in parts.hostname or parts.hostname.replace(".", "").isdigit():
        raise UsageError("an SRV record names a host, not an address: set server.public_url to a name")
    service = f"_caldavs._tcp.{name}"
    return [
        Record(service, "SRV", f"0 1 {parts.port or 443} {target}"),
        Record(service, "TXT", f'"path={parts.path}/"'),
    ]


def resolver(nameserver: str | None) -> dns.resolver.Resolver:
    """The system's, or one that asks ``nameserver``: an address, or ``address#port``. Raises UsageError."""
    try:
        made = dns.resolver.Resolver(configure=nameserver is None)
        if nameserver is not None:
            address, _, port = nameserver.partition("#")
            made.nameservers = [str(ipaddress.ip_address(address))]
            made.port = int(port or 53)
    except (ValueError, dns.exception.DNSException):
        raise UsageError(
            f"{nameserver or 'the system'!r} is no name server: give an address, or address#port"
        ) from None
    made.lifetime = _PATIENCE
    return made


def check_record(record: Record, asked: dns.resolver.Resolver) -> Finding:
    """Whether the zone says just that. A second SRV record beside it would send some devices elsewhere."""
    try:
        found = sorted(each.to_text().lower() for each in asked.resolve(record.name, record.kind))
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return Finding(str(record), Verdict.MISSING, "add this record")
    except dns.exception.DNSException as error:
        return Finding(str(record), Verdict.MISSING, f"the name server did not answer ({type(error).__name__})")
    if found == [record.value.lower()] or (record.kind == "TXT" and record.value.lower() in found):
        return Finding(str(record), Verdict.OK)
    return Finding(str(record), Verdict.WRONG, f"the zone says {', '.join(found)}: change it to this record")


def check_https(host: str, port: int, *, now: dt.datetime, well_known: bool) -> list[Finding]:
    """The certificate against what Apple's devices ask for, and with ``well_known`` where that address leads."""
    place = f"https://{host}" + ("" if port == 443 else f":{port}")
    # the certificate is looked at and nothing secret is sent: one of a private authority, too, shall be told what is amiss
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection(host, port, timeout=_PATIENCE, context=tls)
    try:
        connection.connect()
        der = connection.sock.getpeercert(binary_form=True)
        connection.request("GET", _WELL_KNOWN)
        answer = connection.getresponse()
        status, location = answer.status, answer.getheader("Location", "")
        challenge = answer.getheader("WWW-Authenticate", "")
    except (OSError, http.client.HTTPException) as error:
        return [Finding(place, Verdict.MISSING, f"nothing answers there by https ({type(error).__name__})")]
    finally:
        connection.close()
    faults = certificate_faults(x509.load_der_x509_certificate(der or b""), host, now=now)
    verdict = Verdict.WRONG if faults else Verdict.OK
    findings = [Finding(f"certificate of {place}", verdict, "; ".join(faults))]
    if well_known:
        good = (status in _REDIRECTS and location) or (status == 401 and challenge.lower().startswith("basic"))
        advice = "" if good else f"it answers {status}: redirect it to the server, without asking for a password"
        missing = Verdict.MISSING if status == 404 else Verdict.WRONG
        findings.append(Finding(f"{place}{_WELL_KNOWN}", Verdict.OK if good else missing, advice))
    return findings


def certificate_faults(certificate: x509.Certificate, host: str, *, now: dt.datetime) -> list[str]:
    """What Apple's devices would refuse it for (support article 103769)."""
    faults = []
    if not _names(certificate, host):
        faults.append(f"{host} is not among its alternative names (SAN)")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        faults.append("it is not valid today: renew it")
    if certificate.not_valid_after_utc - certificate.not_valid_before_utc > _LONGEST:
        faults.append("it is valid for more than 825 days: have a shorter one issued")
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) and not (
        isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048
    ):
        faults.append("its key must be RSA of 2048 bits or more, or of an elliptic curve")
    digest = certificate.signature_hash_algorithm
    if digest is None or digest.name not in ("sha224", "sha256", "sha384", "sha512"):
        faults.append("it must be signed with SHA-2")
    try:
        usage = list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        usage = []
    if ExtendedKeyUsageOID.SERVER_AUTH not in usage:
        faults.append("its extended key usage lacks serverAuth")
    return faults


def _names(certificate: x509.Certificate, host: str) -> bool:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    try:
        return ipaddress.ip_address(host) in names.get_values_for_type(x509.IPAddress)
    except ValueError:
        wanted = host.lower().rstrip(".")
        good = {wanted, f"*.{wanted.partition('.')[2]}"}
        return any(name.lower() in good for name in names.get_values_for_type(x509.DNSName))
