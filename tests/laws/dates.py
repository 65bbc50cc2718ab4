"""The days that the laws play on: always the same, so what is drawn once is drawn again; ahead, so no token of theirs has ended."""

import datetime as dt

ZONE = "Europe/Vienna"
MONDAY = dt.date(2035, 3, 5)
"""Before the clocks change in the north, and then in the south."""
NOW = dt.datetime.combine(MONDAY, dt.time(10), dt.UTC)
FROM = NOW - dt.timedelta(days=30)
TO = FROM + dt.timedelta(days=730)
