"""A phone in use, and what it knows: which is how a wrong answer is noticed.

It alone writes into its calendar. So the token stands still unless it has written; a sync tells exactly what it has written
since the last one, with the etags that it was given; and what it reads is what it wrote. Where a connection ended under a
write, nobody knows whether that took place: until the next sync either is right.
"""

import base64
import random
import re
from collections import defaultdict

from tests.benchmarks.dav import mix
from tests.benchmarks.dav.questions import CTAG, LISTING, SPACES, hrefs, query, require, sync, token_of

SHARES = {"ctag poll": 35, "home listing": 35, "sync": 15, "multiget": 5, "PUT": 5, "GET": 3, "week query": 2}
AT_MOST = 10
"""Objects in one multiget."""

_RESPONSE = re.compile(rb"<((?:\w+:)?)response>(.*?)</\1response>", re.DOTALL)
_HREF = re.compile(rb"<(?:\w+:)?href>([^<]+)</")
_ETAG = re.compile(rb"<(?:\w+:)?getetag>([^<]+)</")
_HEADER = re.compile(rb"\r\netag: *([^\r]+)\r", re.IGNORECASE)
_RETRY = re.compile(rb"\r\nretry-after: *(\d+)\r", re.IGNORECASE)
_TOKEN = re.compile(rb"<(?:\w+:)?sync-token>([^<]+)</")


class Tally:
    """What all phones together were answered. ``waits`` are seconds, by kind, of what was admitted."""

    def __init__(self):
        self.waits = defaultdict(list)
        self.refused = self.refused_without_a_time = self.broken = 0
        self.errors = defaultdict(int)


class Phone:
    """An asker of ``wires``. ``exact``: the server keeps the bytes it is given."""

    def __init__(self, person, password, size, *, exact, seed):
        self.tally = Tally()
        self.answers = 0
        self._size, self._exact = size, exact
        self._home, self._calendar = f"/{person}/", f"/{person}/calendar/"
        self._who = base64.b64encode(f"{person}:{password}".encode()).decode()
        self._random = random.Random(seed)
        self._token = None
        self._count = size
        self._titles = {}  # number: of what it has written; the others have what they were filled with
        self._etags = {}  # number: of what it has written or read
        self._unsynced = {}  # number: etag
        self._doubtful = set()
        self._told = []
        self._rounds = 0
        self._week = None

    def next(self):
        self._kind = "ctag poll" if self._token is None else self._random.choices(*_CHOICES)[0]
        return getattr(self, "_ask_" + self._kind.replace(" ", "_"))()

    def answered(self, status, head, body, took):
        self.answers += 1
        if status == 503:
            found = _RETRY.search(head)
            self.tally.refused += 1
            self.tally.refused_without_a_time += found is None
            return float(found[1]) if found else 1.0
        if status >= 500:
            self.tally.errors[status] += 1
            self._lost()
            return 0.0
        getattr(self, "_hear_" + self._kind.replace(" ", "_"))(status, head, body)
        self.tally.waits[self._kind].append(took)
        return 0.0

    def broken(self, took):
        self.tally.broken += 1
        self._lost()
        return 1.0

    def _lost(self):
        if self._kind == "PUT":
            self._doubtful.add(self._number)
            self._etags.pop(self._number, None)
            self._titles[self._number] = None

    # --- polls

    def _ask_ctag_poll(self):
        return self._request("PROPFIND", self._calendar, CTAG, Depth="0")

    def _hear_ctag_poll(self, status, head, body):
        self._require(status == 207, status, body)
        self._hold_against(token_of(body), body)

    def _ask_home_listing(self):
        return self._request("PROPFIND", self._home, LISTING, Depth="1")

    def _hear_home_listing(self, status, head, body):
        self._require(status == 207, status, body)
        found = [inside for _, inside in _RESPONSE.findall(body) if _HREF.search(inside)[1].decode() == self._calendar]
        self._require(len(found) == 1, status, body)
        self._hold_against(_TOKEN.search(found[0])[1].decode(), body)

    def _hold_against(self, token, body):
        if self._token is None:
            self._token = token
        elif not self._doubtful:
            self._require((token != self._token) == bool(self._unsynced), "the token", body)

    # --- what is new, and fetching it

    def _ask_sync(self):
        return self._request("REPORT", self._calendar, sync(self._token), Depth="1")

    def _hear_sync(self, status, head, body):
        self._require(status == 207, status, body)
        told = {number: etag for number, etag, _ in self._responses(body)}
        for number in self._doubtful:  # told or not, and with whatever etag: now it is known
            self._unsynced.pop(number, None)
            if (etag := told.get(number)) is not None:
                self._unsynced[number] = etag
                self._etags[number] = etag
            elif number >= self._size:  # it has not been made
                self._titles.pop(number, None)
        self._require(told.keys() == self._unsynced.keys(), "what is new", (told, self._unsynced))
        for number, etag in self._unsynced.items():
            self._require(etag in (None, told[number]), "an etag", (told, self._unsynced))
        self._doubtful.clear()
        self._unsynced = {}
        self._told = list(told)
        self._token = token_of(body)

    def _ask_multiget(self):
        self._wanted = (self._told or [self._random.randrange(self._size) for _ in range(3)])[:AT_MOST]
        self._wanted = sorted(set(self._wanted))
        named = "".join(f"<D:href>{self._href(number)}</D:href>" for number in self._wanted)
        inside = f"<D:prop><D:getetag/><C:calendar-data/></D:prop>{named}"
        return self._request("REPORT", self._calendar, f"<C:calendar-multiget {SPACES}>{inside}</C:calendar-multiget>")

    def _hear_multiget(self, status, head, body):
        self._require(status == 207, status, body)
        responses = self._responses(body)
        self._require(sorted(number for number, _, _ in responses) == self._wanted, self._wanted, body)
        for number, etag, inside in responses:
            self._see(number, etag, inside)

    def _ask_GET(self):
        self._number = self._random.choice(list(self._titles) or [0]) if self._random.random() < 0.5 else self._any()
        return self._request("GET", self._href(self._number))

    def _hear_GET(self, status, head, body):
        if status == 404 and self._number in self._doubtful:
            return
        self._require(status == 200, status, body)
        self._see(self._number, _HEADER.search(head)[1].decode(), body)
        title = self._titles.get(self._number, "Meeting")
        if self._exact and title is not None:
            expected = mix.event(self._number, self._size, title).encode()
            self._require(body == expected, "not the bytes that were put", body)

    def _see(self, number, etag, text):
        """What is there is what it wrote last, or what nobody has written since."""
        title = self._titles.get(number, "Meeting")
        if number not in self._doubtful:
            self._require(etag == self._etags.setdefault(number, etag), "another etag", (number, etag))
        if title is not None:
            self._require(f"SUMMARY:{title} {number}".encode() in text, "not what was put", text)

    def _ask_week_query(self):
        return self._request("REPORT", self._calendar, query("<C:calendar-data/>", mix.WEEK), Depth="1")

    def _hear_week_query(self, status, head, body):
        self._require(status == 207, status, body)
        if self._week is None:
            self._week = {self._href(n) for n in range(self._size) if mix.within(n, self._size, mix.WEEK)}
        self._require(hrefs(body) == self._week, "the week", (hrefs(body), self._week))

    # --- writing

    def _ask_PUT(self):
        self._rounds += 1
        new = self._random.random() < 0.4
        self._number = self._count if new else self._any()
        self._count += new
        self._title = f"Edited in round {self._rounds} of"
        conditions = {"If_None_Match": "*"} if new else {}
        if etag := self._etags.get(self._number):
            conditions = {"If_Match": etag}
        text = mix.event(self._number, self._size, self._title)
        return self._request("PUT", self._href(self._number), text, **conditions)

    def _hear_PUT(self, status, head, body):
        self._require(status in (200, 201, 204), status, body)
        found = _HEADER.search(head)
        self._titles[self._number] = self._title
        self._unsynced[self._number] = found[1].decode() if found else None
        self._etags.pop(self._number, None)
        if found:
            self._etags[self._number] = found[1].decode()

    # ---

    def _any(self):
        """One that is there for certain."""
        return self._random.randrange(self._size)

    def _href(self, number):
        return f"{self._calendar}{number}.ics"

    def _responses(self, body):
        """(number, etag, all of it) of each object; None for an etag that is not told."""
        found = []
        for _, inside in _RESPONSE.findall(body):
            href, etag = _HREF.search(inside)[1].decode(), _ETAG.search(inside)
            if href.endswith(".ics"):
                number = int(href.removeprefix(self._calendar).removesuffix(".ics"))
                found.append((number, etag and etag[1].decode().replace("&quot;", '"'), inside))
        return found

    def _request(self, method, path, body="", **headers):
        data = body.encode()
        kind = "text/calendar; charset=utf-8" if method == "PUT" else "application/xml; charset=utf-8"
        lines = [
            f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Basic {self._who}",
            f"Content-Length: {len(data)}", *([f"Content-Type: {kind}"] if data else []),
            *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()), "", "",
        ]  # fmt: skip
        return "\r\n".join(lines).encode() + data

    def _require(self, condition, *told):
        require(condition, (self._calendar, self._kind, *told))


_CHOICES = list(SHARES), list(SHARES.values())
