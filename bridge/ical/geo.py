"""Where an event takes place, as a pair of numbers (RFC 5545 §3.8.1.6): latitude and longitude in degrees, "48.2;16.37".

Numbers are compared, not spellings: "48.20" is 48.2. No digit is rounded away here.
"""

from __future__ import annotations

import re
from decimal import Decimal

_PAIR = re.compile(r"([+-]?\d{1,3}(?:\.\d{0,32})?) *; *([+-]?\d{1,3}(?:\.\d{0,32})?)", re.ASCII)
_BOUNDS = (90, 180)


def normal(value: str) -> str:
    """The pair in its shortest form; "" for what is no place on the globe. Idempotent."""
    found = _PAIR.fullmatch(value.strip())
    if found is None:
        return ""
    pair = [Decimal(each) for each in found.groups()]
    if any(abs(each) > bound for each, bound in zip(pair, _BOUNDS, strict=True)):
        return ""
    return ";".join(map(_shortest, pair))


def of(latitude: float, longitude: float) -> str:
    """From numbers as computers hold them; "" for what is no place, such as NaN."""
    return normal(";".join(format(Decimal(repr(float(each))), "f") for each in (latitude, longitude)))


def numbers(value: str) -> tuple[float, float]:
    """Of a pair in its normal form."""
    latitude, longitude = map(float, value.split(";"))
    return latitude, longitude


def _shortest(number: Decimal) -> str:
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    text = text.lstrip("+")
    return "0" if text in ("-0", "") else text
