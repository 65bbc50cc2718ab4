"""One page of a collection, and the link to the next one (M-16)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import quote

from bridge.sandbox.graph import odata
from bridge.sandbox.graph.calls import Call
from bridge.sandbox.graph.errors import unsupported_query
from bridge.sandbox.graph.odata import Options

Thing = TypeVar("Thing")


def page(call: Call, things: Sequence[Thing], options: Options) -> tuple[Sequence[Thing], dict[str, str]]:
    """What this page shows, and ``@odata.nextLink`` if there is more."""
    values = call.values
    size = options.top or call.prefer.page_size or odata.DEFAULT_PAGE
    offset = _offset(values["$skiptoken"][0]) if "$skiptoken" in values else options.skip
    shown = things[offset : offset + size]
    if offset + size >= len(things):
        return shown, {}
    rest = "".join(
        f"{name}={quote(given[0], safe='')}&" for name, given in values.items() if name not in ("$skip", "$skiptoken")
    )
    token = base64.urlsafe_b64encode(f"at={offset + size}".encode()).decode()
    return shown, {"@odata.nextLink": call.link(f"{rest}$skiptoken={quote(token, safe='')}")}


def _offset(token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(token.encode()).decode().removeprefix("at="))
    except (ValueError, binascii.Error):
        raise unsupported_query("The $skiptoken is not valid.") from None
