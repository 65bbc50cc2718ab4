"""How configuration profiles are handed out: signed, and with a private authority, as `[onboarding]` says."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response

from bridge.config import Onboarding
from bridge.services import apple_profile, signing
from bridge.services.signing import Signer


@dataclass(frozen=True, slots=True)
class Profiles:
    """``root`` is the private authority's certificate (DER)."""

    signer: Signer | None
    root: bytes | None

    def answer(self, profile: bytes, file_name: str) -> Response:
        response = Response(
            profile if self.signer is None else self.signer.sign(profile), mimetype=apple_profile.MEDIA_TYPE
        )
        response.headers["Content-Disposition"] = f'attachment; filename="{file_name}.mobileconfig"'
        return response


def read(settings: Onboarding) -> Profiles:
    """Raises UsageError if the files of ``[onboarding]`` cannot be used: at start, not when somebody installs a profile."""
    return Profiles(signing.signer(settings), signing.root(settings))
