"""What a component says in its plain properties: the first of each counts."""

from __future__ import annotations

from typing import Literal, cast

from bridge.ical import text
from bridge.ical.objects import Component

Classification = Literal["", "PUBLIC", "PRIVATE", "CONFIDENTIAL"]


def prose(component: Component, name: str) -> str:
    """A TEXT value, unescaped, in the form in which texts are compared."""
    line = component.first(name)
    return text.normal(text.unescape(line.value)) if line else ""


def word(component: Component, name: str, *, upper: bool = True) -> str:
    line = component.first(name)
    if line is None:
        return ""
    value = line.value.strip()
    return value.upper() if upper else value


def classification(component: Component) -> Classification:
    """An unknown class is to be treated as PRIVATE (RFC 5545 §3.8.1.3)."""
    said = word(component, "CLASS")
    return cast("Classification", said) if said in ("", "PUBLIC", "CONFIDENTIAL") else "PRIVATE"


def priority(component: Component) -> int:
    said = word(component, "PRIORITY")
    return int(said) if said in "0123456789" and said else 0


def categories(component: Component) -> tuple[str, ...]:
    return text.labels(item for line in component.every("CATEGORIES") for item in text.split(line.value))


def url(component: Component) -> str:
    return text.normal(word(component, "URL", upper=False))
