"""What devices ask. Each question is put again and again; each answer is held against what is known to be there."""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks.dav import mix
from tests.benchmarks.dav.client import HOME

SPACES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/"'
CTAG = f"<D:propfind {SPACES}><D:prop><CS:getctag/><D:sync-token/></D:prop></D:propfind>"
LISTING = (
    f"<D:propfind {SPACES}><D:prop><D:displayname/><D:resourcetype/><CS:getctag/><D:sync-token/></D:prop></D:propfind>"
)
ETAGS = f"<D:propfind {SPACES}><D:prop><D:getetag/></D:prop></D:propfind>"
CHANGES = 10
_HREF = re.compile(rb"<(?:\w+:)?href>([^<]*\.ics)</")
_TOKEN = re.compile(rb"<(?:\w+:)?sync-token>([^<]+)</")


@dataclass
class Question:
    """``ask(client)`` puts it once and fails where the answer is wrong."""

    name: str
    ask: Callable[[object], None]


def href(number):
    return f"{HOME}{number}.ics"


def hrefs(body):
    return {found.decode() for found in _HREF.findall(body)}


def _range(span):
    return " ".join(f'{name}="{day:%Y%m%dT000000Z}"' for name, day in zip(("start", "end"), span, strict=True))


def query(inside, span):
    inner = f"<C:comp-filter name='VEVENT'><C:time-range {_range(span)}/></C:comp-filter>"
    test = f"<C:filter><C:comp-filter name='VCALENDAR'>{inner}</C:comp-filter></C:filter>"
    return f"<C:calendar-query {SPACES}><D:prop><D:getetag/>{inside}</D:prop>{test}</C:calendar-query>"


def sync(token):
    return (
        f"<D:sync-collection {SPACES}><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>"
        "<D:prop><D:getetag/></D:prop></D:sync-collection>"
    )


def token_of(body):
    return _TOKEN.findall(body)[-1].decode()


def require(condition, told):
    if not condition:
        raise AssertionError(f"a wrong answer: {told!r}"[:600])


def _asking(method, path, body, check, **headers):
    def ask(client):
        status, answer = client(method, path, body, **headers)
        require(status in (200, 207), (status, answer[:300]))
        check(answer)

    return ask


def _same(expected):
    return lambda answer: require(hrefs(answer) == expected, (len(hrefs(answer)), len(expected)))


def _contains(word, times=1):
    return lambda answer: require(answer.count(word) == times, (word, answer.count(word), times))


def _after_a_change(size, method, path, body, check, **headers):
    """Each time one of the first events was edited before: no server may have the answer ready.

    The edit is not waited for, but its processor time counts.
    """
    rounds = itertools.count()
    ask_once = _asking(method, path, body, check, **headers)

    def ask(client):
        number = next(rounds)
        _edit(client, number % CHANGES, size, f"Edited, round {number}")
        ask_once(client)

    return ask


def _in_other_words(method, path, body, check, **headers):
    """By the same device, which never asks twice with the same token: no server may have the answer ready."""
    rounds = itertools.count()

    def ask(client):
        _asking(method, path, f"{body}<!-- {next(rounds)} -->", check, **headers)(client)

    return ask


def _edit(client, number, size, summary):
    status, _ = client("PUT", href(number), mix.event(number, size, summary))
    require(status in (200, 201, 204), status)


def polls(client, size):
    """What devices ask all day, and the ten changes that the last one tells."""

    def token(answer):
        require(_TOKEN.search(answer), answer[:300])

    yield Question("ctag poll", _asking("PROPFIND", HOME, CTAG, token, Depth="0"))
    yield Question("ctag, after a change", _after_a_change(size, "PROPFIND", HOME, CTAG, token, Depth="0"))
    yield Question("home listing", _asking("PROPFIND", HOME.rpartition("calendar")[0], LISTING, token, Depth="1"))
    _, answer = client("REPORT", HOME, sync(""))
    now = token_of(answer)
    yield Question("sync, nothing new", _asking("REPORT", HOME, sync(now), _same(set())))
    for number in range(CHANGES):
        _edit(client, number, size, "Edited")
    changed = _same({href(number) for number in range(CHANGES)})
    yield Question(f"sync, {CHANGES}, again", _asking("REPORT", HOME, sync(now), changed))
    yield Question(f"sync, {CHANGES} changes", _in_other_words("REPORT", HOME, sync(now), changed))
    yield Question("sync, after a change", _after_a_change(size, "REPORT", HOME, sync(now), changed))


def questions(client, size):
    """All of them for one server, in an order in which none disturbs the next."""
    yield from polls(client, size)
    everything = {href(number) for number in range(size)}
    yield Question("etag listing", _asking("PROPFIND", HOME, ETAGS, _same(everything), Depth="1"))
    yield Question("initial sync", _asking("REPORT", HOME, sync(""), _same(everything)))

    wanted = [href(number) for number in range(size // 3, size // 3 + 50)]
    inside = "".join(f"<D:href>{each}</D:href>" for each in wanted)
    multiget = (
        f"<C:calendar-multiget {SPACES}><D:prop><D:getetag/><C:calendar-data/></D:prop>{inside}</C:calendar-multiget>"
    )
    yield Question("multiget 50", _asking("REPORT", HOME, multiget, _contains(b"BEGIN:VCALENDAR", 50)))

    week = {href(number) for number in range(size) if mix.within(number, size, mix.WEEK)}
    yield Question("week query", _asking("REPORT", HOME, query("<C:calendar-data/>", mix.WEEK), _same(week), Depth="1"))
    month = {href(number) for number in range(size) if mix.within(number, size, mix.MONTH)}
    expand = f"<C:calendar-data><C:expand {_range(mix.MONTH)}/></C:calendar-data>"
    yield Question("expand month", _asking("REPORT", HOME, query(expand, mix.MONTH), _same(month), Depth="1"))
    busy = f"<C:free-busy-query {SPACES}><C:time-range {_range(mix.MONTH)}/></C:free-busy-query>"
    yield Question("free-busy month", _asking("REPORT", HOME, busy, _contains(b"BEGIN:VFREEBUSY"), Depth="1"))

    some = itertools.cycle(range(size))

    def get(client):
        number = next(some)
        status, answer = client("GET", href(number))
        require(status == 200 and f"UID:{number}@bench".encode() in answer, (status, answer[:200]))

    yield Question("GET event", get)
    uid = re.compile(rb"^UID:", re.MULTILINE)
    moved = sum(mix.kind(number) == "moved" for number in range(size))
    yield Question(
        "GET calendar",
        _asking(
            "GET", HOME, "", lambda answer: require(len(uid.findall(answer)) == size + moved, len(uid.findall(answer)))
        ),
    )

    made, edited, rounds = [], itertools.cycle(range(size)), itertools.count()
    fresh = itertools.count(size)

    def put_new(client):
        number = next(fresh)
        status, _ = client("PUT", href(number), mix.event(number, size))
        require(status == 201, status)
        made.append(number)

    yield Question("PUT new", put_new)

    def put_update(client):
        _edit(client, next(edited), size, f"Edited in round {next(rounds)}")

    yield Question("PUT update", put_update)

    def delete(client):
        if not made:
            put_new(client)
        status, _ = client("DELETE", href(made.pop()))
        require(status in (200, 204), status)

    yield Question("DELETE", delete)
