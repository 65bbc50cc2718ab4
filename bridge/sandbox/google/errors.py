"""The errors of the Calendar and Tasks APIs: status, reason and shape as in the guide (G-88…G-98)."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A request the service refuses. ``location`` is the parameter or header at fault, where the real service names one."""

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        *,
        domain: str = "global",
        location: str = "",
        location_type: str = "parameter",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.domain = domain
        self.location = location
        self.location_type = location_type

    def body(self) -> dict[str, Any]:
        """The answer's body (G-88)."""
        one = {"domain": self.domain, "reason": self.reason, "message": self.message}
        if self.location:
            one |= {"locationType": self.location_type, "location": self.location}
        return {"error": {"code": self.status, "message": self.message, "errors": [one]}}


def invalid(message: str, location: str = "") -> ApiError:
    """400 ``invalid``: a value that cannot be (G-89)."""
    return ApiError(400, "invalid", message, location=location)


def required(message: str, location: str = "") -> ApiError:
    """400 ``required``: something is missing (G-89)."""
    return ApiError(400, "required", message, location=location)


def not_found() -> ApiError:
    """404: unknown, or not this person's to see (G-94)."""
    return ApiError(404, "notFound", "Not Found")


def forbidden(message: str = "You need to have writer access to this calendar.") -> ApiError:
    """403: this person's role on the calendar does not suffice."""
    return ApiError(403, "requiredAccessLevel", message, domain="calendar")


def not_organizer() -> ApiError:
    """403: a guest's copy cannot change what all copies share (G-52, G-93)."""
    message = "Shared properties can only be changed by the organizer of the event."
    return ApiError(403, "forbiddenForNonOrganizer", message, domain="calendar")


def duplicate() -> ApiError:
    """409: the id is taken, be it by a deleted event (G-45)."""
    return ApiError(409, "duplicate", "The requested identifier already exists.")


def deleted() -> ApiError:
    """410: it was deleted before (G-47)."""
    return ApiError(410, "deleted", "Resource has been deleted")


def full_sync_required() -> ApiError:
    """410: the sync token is no longer good (G-35)."""
    message = "Sync token is no longer valid, a full sync is required."
    return ApiError(410, "fullSyncRequired", message, domain="calendar", location="syncToken")


def condition_not_met() -> ApiError:
    """412: somebody wrote in between (G-53)."""
    return ApiError(412, "conditionNotMet", "Precondition Failed", location="If-Match", location_type="header")


def invalid_credentials() -> ApiError:
    """401 (G-90)."""
    return ApiError(401, "authError", "Invalid Credentials", location="Authorization", location_type="header")


def login_required() -> ApiError:
    """401 for a request that carries no token at all."""
    return ApiError(401, "required", "Login Required.", location="Authorization", location_type="header")


def insufficient_permissions() -> ApiError:
    """403: the token lacks the scope (G-13, G-14, G-93)."""
    return ApiError(403, "insufficientPermissions", "Request had insufficient authentication scopes.")


def rate_limited(status: int = 403) -> ApiError:
    """403 or 429: too many requests a minute; nothing was carried out (G-91)."""
    return ApiError(status, "rateLimitExceeded", "Rate Limit Exceeded", domain="usageLimits")


def quota_exceeded() -> ApiError:
    """403: the calendar's usage limit, for hours (G-92)."""
    return ApiError(403, "quotaExceeded", "Calendar usage limits exceeded.", domain="usageLimits")


def backend_error() -> ApiError:
    """500 (G-98)."""
    return ApiError(500, "backendError", "Backend Error")
