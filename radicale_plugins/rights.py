"""Who may do what by DAV: everyone everything in their own home, and nobody else anything."""

from __future__ import annotations

from radicale.rights import BaseRights


class Rights(BaseRights):
    """Owner only. The signature with ``user_groups`` is Radicale 3.9's (D-30)."""

    def authorization(self, user: str, user_groups: set[str], path: str) -> str:  # noqa: ARG002 - groups grant nothing here
        if not user:
            return ""
        parts = path.strip("/").split("/")
        if parts == [""]:
            return "R"
        if parts[0] != user:
            return ""
        return {1: "RW", 2: "rw"}.get(len(parts), "")
