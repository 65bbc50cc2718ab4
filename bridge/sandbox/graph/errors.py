"""Refusals in Graph's own shape (M-80, M-81)."""

from __future__ import annotations

from collections.abc import Mapping


class GraphError(Exception):
    """One refusal: the HTTP status, Graph's code, and a sentence for the developer who reads it."""

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


def invalid(message: str, code: str = "ErrorInvalidRequest") -> GraphError:
    """A request that Exchange refuses: 400."""
    return GraphError(400, code, message)


def unreadable(message: str) -> GraphError:
    """A body whose form the OData layer refuses before Exchange sees it: 400."""
    return GraphError(400, "RequestBodyRead", message)


def unsupported_query(message: str) -> GraphError:
    """A query option that is not there, or not here: 400."""
    return GraphError(400, "BadRequest", message)


def not_found() -> GraphError:
    """No such item in this mailbox (M-35)."""
    return GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def denied(message: str = "Access is denied. Check credentials and try again.") -> GraphError:
    """The token does not allow it (M-09, M-10)."""
    return GraphError(403, "ErrorAccessDenied", message)


def not_simulated(what: str) -> GraphError:
    """Graph has it, this simulation does not: said aloud instead of ignored."""
    return GraphError(501, "notSupported", f"{what} are not part of the simulated service.")
