"""The two palettes of colors.get (G-25)."""

from __future__ import annotations

from typing import Any

EVENT = (
    "#a4bdfc", "#7ae7bf", "#dbadff", "#ff887c", "#fbd75b", "#ffb878", "#46d6db", "#e1e1e1", "#5484ed", "#51b749", "#dc2127",
)  # fmt: skip
CALENDAR = (
    "#ac725e", "#d06b64", "#f83a22", "#fa573c", "#ff7537", "#ffad46", "#42d692", "#16a765", "#7bd148", "#b3dc6c", "#fbe983",
    "#fad165", "#92e1c0", "#9fe1e7", "#9fc6e7", "#4986e7", "#9a9cff", "#b99aff", "#c2c2c2", "#cabdbf", "#cca6ac", "#f691b2",
    "#cd74e6", "#a47ae2",
)  # fmt: skip
INK = "#1d1d1d"


def colors() -> dict[str, Any]:
    """The answer of colors.get."""

    def palette(values: tuple[str, ...]) -> dict[str, dict[str, str]]:
        return {str(index): {"background": value, "foreground": INK} for index, value in enumerate(values, 1)}

    return {
        "kind": "calendar#colors",
        "updated": "2012-02-14T00:00:00.000Z",
        "calendar": palette(CALENDAR),
        "event": palette(EVENT),
    }


def calendar_color(id: str) -> str:
    """The background of a calendarList colorId."""
    return CALENDAR[int(id) - 1]
