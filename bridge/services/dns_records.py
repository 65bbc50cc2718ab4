"""How devices find the server from a mail domain alone: SRV and TXT records, and ``/.well-known/caldav`` (RFC 6764)."""

from __future__ import annotations

import datetime as dt
import http.client
import ipaddress
import re
import ssl
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, urljoin, urlsplit

import dns.exception
import dns.name
import dns.rdata
import dns.resolver
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.SRV import SRV

from bridge.errors import UsageError

_PATIENCE = 5.0
_LONGEST = dt.timedelta(days=825)
_WELL_KNOWN = "/.well-known/caldav"
_SERVICE = "_caldavs._tcp"
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_MOST_REDIRECTS = 5
"""So many DAVx5 follows (CLIENTS 1.2)."""
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


def domain_name(text: str) -> str:
    """As the DNS and certificates have it: lower case, without the last dot, in ASCII (IDNA). Raises UsageError."""
    try:
        name = dns.name.from_text(text).to_text(omit_final_dot=True).lower()
        dns.name.from_text(f"{_SERVICE}.{name}")
    except dns.exception.DNSException:
        name = ""
    labels = name.split(".")
    if not all(map(_LABEL.fullmatch, labels)) or labels[-1].isdigit():
        raise UsageError(f"{text!r} is not a domain")
    return name


def records(domain: str, url: str) -> list[Record]:
    """What the zone of ``domain`` needs for the server at ``url``. Raises UsageError where no device could use it."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise UsageError("devices look for https only: set server.public_url to the address behind your reverse proxy")
    service = f"{_SERVICE}.{domain_name(domain)}."
    try:
        target = domain_name(parts.hostname)
    except UsageError:
        raise UsageError("an SRV record names a host, not an address: set server.public_url to a name") from None
    return [
        Record(service, "SRV", f"0 1 {parts.port or 443} {target}."),
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
    """Whether the zone leads to the same place; with which priority is its own affair.

    A second record that leads elsewhere would send some devices there.
    """
    try:
        answer = asked.resolve(record.name, record.kind)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return Finding(str(record), Verdict.MISSING, "add this record")
    except dns.exception.DNSException as error:
        return Finding(str(record), Verdict.MISSING, f"the name server did not answer ({type(error).__name__})")
    wanted = _meaning(dns.rdata.from_text("IN", record.kind, record.value))
    found = [(each.to_text(), _meaning(each)) for each in answer]
    told = sorted(text for text, meaning in found if meaning is not None)
    if not told:
        return Finding(str(record), Verdict.MISSING, "add this record")
    if all(meaning in (wanted, None) for _, meaning in found):
        return Finding(str(record), Verdict.OK)
    return Finding(str(record), Verdict.WRONG, f"the zone says {', '.join(told)}: change it to this record")


def _meaning(record: dns.rdata.Rdata) -> object:
    """What a device reads out of it: host and port, or the path; None where it says nothing about either (RFC 6764 §4)."""
    if isinstance(record, SRV):
        return record.target.to_text().lower(), record.port
    strings = [each.decode("utf-8", "replace") for each in record.strings] if isinstance(record, TXT) else []
    paths = {text[len("path=") :].rstrip("/") for text in strings if text.lower().startswith("path=")}
    return paths or None


def check_certificate(host: str, port: int, *, now: dt.datetime) -> Finding:
    """The certificate of the server at ``host`` against what Apple's devices ask for."""
    what = f"certificate of {_place(host, port)}"
    connection = _connection(host, port)
    try:
        connection.connect()
        certificate = x509.load_der_x509_certificate(connection.sock.getpeercert(binary_form=True) or b"")
        faults = certificate_faults(certificate, host, now=now)
    except (OSError, http.client.HTTPException) as error:
        return Finding(what, Verdict.MISSING, f"nothing answers there by https ({type(error).__name__})")
    except (ValueError, UnsupportedAlgorithm):
        faults = ["it cannot be read: have another one issued"]
    finally:
        connection.close()
    return Finding(what, Verdict.WRONG if faults else Verdict.OK, "; ".join(faults))


def check_well_known(domain: str, url: str, *, port: int = 443) -> Finding:
    """Whether a device that knows the domain alone arrives at ``url`` and is asked for a password (RFC 6764 §5).

    It asks as devices do, by PROPFIND: many a web server redirects a GET to its own pages and refuses that.
    """
    what = f"{_place(domain, port)}{_WELL_KNOWN}"
    cure = f"redirect it to {url}/, without asking for a password"
    wanted, asked, via = _absolute(url, ""), what, "it answers"
    for _ in range(_MOST_REDIRECTS + 1):
        parts = urlsplit(asked)
        connection = _connection(parts.hostname or "", parts.port or 443)
        try:
            connection.request("PROPFIND", parts.path or "/", headers={"Depth": "0", "Content-Length": "0"})
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            place = _place(parts.hostname or "", parts.port or 443)
            return Finding(what, Verdict.MISSING, f"nothing answers at {place} ({type(error).__name__})")
        finally:
            connection.close()
        if answer.status == 401 and answer.getheader("WWW-Authenticate", "").lower().startswith("basic"):
            if asked == what or f"{asked}/".startswith(f"{wanted}/"):
                return Finding(what, Verdict.OK)
            return Finding(what, Verdict.WRONG, f"it leads to another server, {asked}: {cure}")
        location = answer.getheader("Location", "")
        if answer.status not in _REDIRECTS or not location:
            verdict = Verdict.MISSING if answer.status == 404 and asked == what else Verdict.WRONG
            return Finding(what, verdict, f"{via} {answer.status}: {cure}")
        asked = _absolute(asked, location)
        if not asked:
            return Finding(what, Verdict.WRONG, f"it leads to {location}, where no device goes on: {cure}")
        via = f"it leads to {asked}, which answers"
    return Finding(what, Verdict.WRONG, f"it leads from one address to the next: {cure}")


def _absolute(base: str, location: str) -> str:
    """Where a redirect leads, in the one way of writing it; empty if that is not https, or not an address at all."""
    try:
        parts = urlsplit(urljoin(base, location))
        host, port = domain_name(parts.hostname or ""), parts.port or 443
    except (ValueError, UsageError):
        return ""
    return f"{_place(host, port)}{quote(parts.path, safe='/%@:~+')}" if parts.scheme == "https" else ""


def _place(host: str, port: int) -> str:
    return f"https://{host}" + ("" if port == 443 else f":{port}")


def _connection(host: str, port: int) -> http.client.HTTPSConnection:
    """Not verified: nothing secret is sent, and of a private authority's certificate, too, shall be told what is amiss."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    tls.set_ciphers("DEFAULT:@SECLEVEL=0")  # else a key that is too short would look like a server that is not there
    return http.client.HTTPSConnection(host, port, timeout=_PATIENCE, context=tls)


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
