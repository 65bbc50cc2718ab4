"""Who may do what with a calendar: four levels, each with all that the one below it may (RFC 3744 in small)."""

from __future__ import annotations

from enum import Enum, IntEnum


class Access(IntEnum):
    """How far somebody may go with a calendar."""

    NONE = 0
    READ = 1
    WRITE = 2
    OWNER = 3


GIVEN = {"read": Access.READ, "write": Access.WRITE}
"""What an owner gives to others, by its name. Nobody but the owner is one."""


class Deed(Enum):
    """What somebody wants to do."""

    READ = "read"
    DESCRIBE = "describe"
    """Name and colour it as one likes, for oneself."""
    WRITE = "write"
    """Add, change and remove objects."""
    SPEAK = "speak"
    """Change who is asked to a meeting, or what they are asked to: that is said in the owner's name."""
    OWN = "own"
    """Give it to others, or do away with it."""


_NEEDS = {
    Deed.READ: Access.READ,
    Deed.DESCRIBE: Access.READ,
    Deed.WRITE: Access.WRITE,
    Deed.SPEAK: Access.OWNER,
    Deed.OWN: Access.OWNER,
}


def may(access: Access, deed: Deed) -> bool:
    return access >= _NEEDS[deed]
