"""The days the stories play on: from next Monday on, so that they lie in every provider's window; two years are compared."""

import datetime as dt

ZONE = "Europe/Vienna"
_TODAY = dt.datetime.now(dt.UTC).date()
MONDAY = _TODAY + dt.timedelta(days=7 - _TODAY.weekday())
FROM = dt.datetime.combine(MONDAY - dt.timedelta(days=30), dt.time(), dt.UTC)
TO = FROM + dt.timedelta(days=730)
