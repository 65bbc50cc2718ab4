"""How secrets are made and kept: those we make, and those people bring.

A password of ours has 120 bits, so nobody guesses it and a fast salted hash keeps it: a phone signs in with every request.
A password that a person chose is kept with argon2id.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""32 characters, 5 bits each; none that looks like another (l, o, 0, 1), none that needs shift."""

_LENGTH = 24
_GROUP = 4
_FAST = "hmac-sha256$"

_argon2 = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # OWASP's least: about 20 ms, 19 MiB


def generate() -> str:
    """A new password of 120 bits: six groups of four."""
    letters = [secrets.choice(_ALPHABET) for _ in range(_LENGTH)]
    return "-".join("".join(letters[i : i + _GROUP]) for i in range(0, _LENGTH, _GROUP))


def digest(secret: str) -> str:
    """By which the secret of an address is found again: of 192 random bits and more, it needs no slow hash. Takes anything."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def hash_generated(password: str) -> str:
    salt = secrets.token_hex(16)
    return f"{_FAST}{salt}${_salted(salt, password)}"


def hash_chosen(password: str) -> str:
    return _argon2.hash(password)


def is_fast(password_hash: str) -> bool:
    return password_hash.startswith(_FAST)


def verify(password_hash: str, password: str) -> bool:
    """Compare in constant time for what the hash is; slow on purpose unless ``is_fast``."""
    if is_fast(password_hash):
        salt, _, kept = password_hash.removeprefix(_FAST).partition("$")
        return hmac.compare_digest(_salted(salt, password), kept)
    try:
        return _argon2.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def verify_nobody(password: str) -> None:
    """Take as long as ``verify`` of a chosen password, so that an unknown name is not told by the clock."""
    verify(_nobodys(), password)


@functools.cache
def _nobodys() -> str:
    return _argon2.hash("nobody's")


def _salted(salt: str, password: str) -> str:
    # typed by hand: groups, blanks and a phone's capital letter at the start do not matter
    plain = "".join(password.split()).replace("-", "").lower()
    return hmac.new(bytes.fromhex(salt), plain.encode(), hashlib.sha256).hexdigest()
