"""Every error this project raises on purpose; the tree first, the facts each one carries below it.

    BridgeError
    ├── UsageError                    a person asked for something that cannot be: one plain line, exit 2 / 4xx
    ├── NotFound                      the named thing does not exist
    ├── AlreadyExists                 the name is taken
    ├── InvalidCalendarData           RFC 4791 §5.3.2.1: the object breaks a precondition
    ├── Unmappable                    a valid object that this provider's lens cannot show
    ├── SyncTokenInvalid              RFC 6578: the token is unknown or under the floor
    ├── ObjectChanged                 an optimistic write met a newer version in the hub
    ├── LeaseLost                     another worker has taken the pair over: this one must not write any more
    └── ProviderError                 what a remote service answered
        ├── Unreachable               no answer, 5xx, timeout: try again later
        │   ├── Throttled             429 and its kin; carries when to come back
        │   │   ├── QuotaUsedUp       the service takes nothing more for hours (G-92)
        │   │   └── Paced             we hold ourselves back: nothing was asked
        │   └── Unreadable            an answer, but not what was asked for: what there is remains unknown (R7)
        ├── NeedsReconnect            the grant is dead: only the person can help (G-09, M-07)
        ├── CursorLost                410: list everything again (G-35, M-28)
        ├── VersionMismatch           412: somebody wrote in between (G-53, M-32)
        ├── Gone                      the object is not there any more (G-47, M-35)
        ├── DuplicateKey              the creation key was used before (G-45, M-34)
        └── Refused                   any other 4xx: permanent for this one object

An error carries facts, not prose: where it is shown, the words are made from them.
"""

from __future__ import annotations


class BridgeError(Exception):
    """The root: everything below is expected somewhere and never a bug."""


class UsageError(BridgeError):
    """A request that cannot be granted as asked; the text says what to do instead."""


class NotFound(BridgeError):
    """The named thing does not exist (or is not this person's to see)."""


class AlreadyExists(BridgeError):
    """The name is taken."""


class InvalidCalendarData(BridgeError):
    """A calendar object that must not be stored.

    ``precondition`` is the local name of the element in the answer's body, for instance
    ``valid-calendar-data`` or ``no-uid-conflict`` (RFC 4791 §5.3.2.1).
    """

    def __init__(self, precondition: str, reason: str) -> None:
        super().__init__(reason)
        self.precondition = precondition
        self.reason = reason


class Unmappable(BridgeError):
    """A valid object of which a provider can hold no faithful copy; the reason is for its owner."""


class SyncTokenInvalid(BridgeError):
    """The sync token is unknown, malformed, or older than the collection's floor (RFC 6578 §3.2)."""


class ObjectChanged(BridgeError):
    """The stored object is not the version the writer had read; nothing was written."""


class LeaseLost(BridgeError):
    """The lease on a pair ran out and another worker holds it now; nothing of this transaction was written."""


class ProviderError(BridgeError):
    """A remote service did not do what was asked.

    ``status`` is the HTTP status (0 if there was no answer), ``code`` the service's own word for it
    (Google's ``reason``, Graph's ``code``). Neither ever holds an event's content.
    """

    def __init__(self, message: str, *, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Unreachable(ProviderError):
    """No answer, a timeout or a 5xx. Whether the request took effect is unknown."""

    @property
    def passing(self) -> bool:
        """Whether the next request may well be answered: that one was lost says nothing of another."""
        return True


PATIENCE = 5.0
"""Seconds that a request waits here for its turn. A longer wait is spent outside, where it holds no thread."""


class Throttled(Unreachable):
    """The service asks for patience; it did not carry out the request.

    ``retry_after`` is in seconds, or None where the service named no time (M-78).
    """

    @property
    def passing(self) -> bool:
        """Whether the account's next request waits it out by itself (``providers.pace``)."""
        return self.retry_after is not None and self.retry_after <= PATIENCE

    def __init__(self, message: str, *, status: int = 429, code: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, status=status, code=code)
        self.retry_after = retry_after


class QuotaUsedUp(Throttled):
    """What the account may do in some hours or in a day is done (G-92): asking again only makes it worse (R33)."""


class Paced(Throttled):
    """Nothing was asked: it was not this account's turn yet. No failure of anybody's; ``retry_after`` is always there."""


class Unreadable(Unreachable):
    """What came is not what was asked for (a web page, half a calendar): it proves nothing, least of all absence (R7).

    The text is for the owner, in plain words and without the address, which may be a secret.
    """

    @property
    def passing(self) -> bool:
        """What is there now will still be there in a moment."""
        return False


class NeedsReconnect(ProviderError):
    """The grant is dead; the account's owner must consent again. Never raised for a 5xx (R28)."""


class CursorLost(ProviderError):
    """The cursor is no longer good: a complete listing must follow (R13)."""


class VersionMismatch(ProviderError):
    """The remote object is newer than the version this write was merged from (R36)."""


class Gone(ProviderError):
    """The remote object does not exist any more."""


class DuplicateKey(ProviderError):
    """An object with this creation key exists or existed."""


class Refused(ProviderError):
    """The service refuses this object for good; asking again changes nothing."""
