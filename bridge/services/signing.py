"""Signing of configuration profiles, so that an Apple device says "Verified" and names the server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder

from bridge.config import Onboarding
from bridge.errors import UsageError


@dataclass(frozen=True, slots=True)
class Signer:
    """The certificate, its key, and those that lead from it to an authority that devices know."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    chain: tuple[x509.Certificate, ...]

    def sign(self, profile: bytes) -> bytes:
        """The profile within its signature: CMS, DER (RFC 5652)."""
        builder = PKCS7SignatureBuilder().set_data(profile).add_signer(self.certificate, self.key, SHA256())
        for each in self.chain:
            builder = builder.add_certificate(each)
        return builder.sign(Encoding.DER, [PKCS7Options.Binary])


def signer(settings: Onboarding) -> Signer | None:
    """From the files that the settings name, None if they name none. Read at start: raises UsageError in one plain line."""
    if settings.certificate is None and settings.key is None:
        return None
    if settings.certificate is None or settings.key is None:
        raise UsageError("onboarding.certificate and onboarding.key belong together: name both, or neither")
    certificate, *chain = _certificates("certificate", settings.certificate)
    if settings.chain is not None:
        chain += _certificates("chain", settings.chain)
    try:
        key = load_pem_private_key(_read("key", settings.key), password=None)
    except (ValueError, TypeError):
        raise UsageError(f"onboarding.key: {settings.key} holds no private key in PEM without a passphrase") from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise UsageError(f"onboarding.key: {settings.key} must be an RSA or an elliptic curve key")
    if key.public_key() != certificate.public_key():
        raise UsageError(f"onboarding.key: {settings.key} is not the key of {settings.certificate}")
    return Signer(certificate, key, tuple(chain))


def root(settings: Onboarding) -> bytes | None:
    """The private authority's certificate (DER) that profiles bring along. Raises UsageError."""
    if settings.root is None:
        return None
    return _certificates("root", settings.root)[0].public_bytes(Encoding.DER)


def _certificates(name: str, path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_read(name, path))
    except ValueError:
        raise UsageError(f"onboarding.{name}: {path} holds no certificate in PEM") from None


def _read(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"onboarding.{name}: {path} cannot be read: {error.strerror}") from None
