"""The calendar objects of ``tests/data`` (see its README)."""

from pathlib import Path

DATA = Path(__file__).parent.parent / "data"
ACCEPTED = {path.stem: path.read_bytes() for path in sorted((DATA / "objects").glob("*.ics"))}
"""What a calendar takes, by what it shows."""

REFUSED = {f"{path.parent.name}/{path.stem}": path.read_bytes() for path in sorted((DATA / "refused").glob("*/*.ics"))}
"""What it does not, by ``precondition/what it shows``."""
