"""Radicale's Application, and our answers where its interface is not enough (RADICALE.md).

Radicale keeps the frame: who signs in, the well-known redirects, dispatch, compression, unexpected errors. What a request
does is ours: bytes are stored as they came (D-02), a phone cannot destroy a calendar (D-05, D-06), queries cost what they
ask for (D-40 to D-42), and no time zone of one person reaches another (D-01).
"""

from __future__ import annotations

import datetime as dt
import logging
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from http import client
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from radicale import app, config, httputils, types
from radicale.storage import BaseCollection, BaseStorage
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from bridge.errors import ObjectChanged
from bridge.policy.access import Access, Deed, may
from bridge.services.registering import Registrar
from bridge.services.scheduling import Scheduling
from bridge.services.witness import Witness, Work, at_once
from bridge.store import delegates, evidence
from bridge.store.calendars import Calendar
from bridge.store.session import Database
from radicale_plugins import (
    acl,
    attachments,
    auth,
    capabilities,
    collection,
    conditions,
    dav,
    door,
    inbox,
    moving,
    notifications,
    post,
    propfind,
    proppatch,
    push,
    report,
    resources,
    rights,
)
from radicale_plugins.porch import READ, Known, Poll, Porch, poll_in
from radicale_plugins.request import Kind, Limits, Place, Request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)

_Handler = Callable[[Request], dav.Answer]
_READ, _WRITE = "Rr", "Ww"
_GZIP = 16 + zlib.MAX_WBITS  # with its header and trailer around what zlib makes
_LIMITS = Limits()
_SCHEDULING = Scheduling()
_OF_PEOPLE = (propfind.answer, report.answer)
"""What a stranger may ask of a home: who that is."""
_DELEGATED = (Kind.HOME, Kind.CALENDAR, Kind.OBJECT, Kind.PROXY)
"""Where a delegate may look; they change objects, and nothing else."""


_GETTERS: dict[Kind, _Handler] = {Kind.ATTACHMENT: attachments.get, Kind.NOTIFICATION: notifications.get}


def _delete(request: Request) -> dav.Answer:
    if request.place.kind is Kind.REGISTRATION:
        return push.unregister(request)
    if request.place.kind is Kind.NOTIFICATION:
        return notifications.delete(request)
    return resources.delete(request) if request.place.href else collection.delete(request)


def _get(request: Request) -> dav.Answer:
    return _GETTERS.get(request.place.kind, resources.get)(request)


def _options(request: Request) -> dav.Answer:
    return dav.empty(
        client.OK,
        {
            "Allow": capabilities.allow(request.place.kind, push=request.push is not None),
            "DAV": capabilities.dav_header(
                request.kind,
                request.limits,
                request.scheduling,
                push=request.push is not None,
                sharing=request.directory,
            ),
        },
    )


def _by(handler: _Handler, needs: str) -> Callable[..., Any]:
    """A method as Radicale dispatches to it: ``do_…(environ, base_prefix, path, user, user_groups, request_info)``."""

    def do(
        self: Application,
        environ: Any,
        base_prefix: str,
        path: str,
        user: str,
        user_groups: set[str],
        request_info: dict[str, Any],  # noqa: ARG001 - for Radicale's log conditions
    ) -> types.WSGIResponse:
        return self.respond(handler, needs, environ, base_prefix, path, user, user_groups)

    return do


class _Homes(BaseStorage):
    """What Radicale's frame still wants of a storage: before each request, whether the person's home is there.

    Whoever signed in with a device has one; so nobody is asked. The answers use the database themselves.
    """

    _supports_unicode = True  # in names, which are database keys here
    _supports_trailing_whitespace = True
    _supports_problematic_chars = True

    def acquire_lock(self, mode: str, user: str = "", *args: Any, **kwargs: Any) -> AbstractContextManager[None]:  # noqa: ARG002
        return nullcontext()

    def discover(self, path: str, *args: Any, **kwargs: Any) -> Iterator[types.CollectionOrItem]:  # noqa: ARG002
        return iter([BaseCollection()])


_POLLED: dict[str, _Handler] = {"PROPFIND": propfind.answer, "REPORT": report.answer}


def _sent(answer: types.WSGIResponse, environ: Any, start_response: Any) -> list[bytes]:
    """To those who do not come through Radicale's frame, as it does it."""
    status, headers, body, _ = answer
    data = body.encode() if isinstance(body, str) else body or b""
    told = dict(headers)
    if data and "gzip" in {each.strip() for each in environ.get("HTTP_ACCEPT_ENCODING", "").split(",")}:
        data = zlib.compress(data, wbits=_GZIP)
        told["Content-Encoding"] = "gzip"
    told["Content-Length"] = str(len(data))
    start_response(f"{status:d} {client.responses[status]}", list(told.items()))
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [data]


class _Broken(Exception):
    """An answer that failed may have left a statement open in its snapshot, which is of no use to anybody any more."""

    def __init__(self, answer: types.WSGIResponse) -> None:
        super().__init__(answer[0])
        self.answer = answer


class Application(app.Application):
    """One instance serves any number of threads; all state is in the database."""

    def __init__(
        self,
        configuration: config.Configuration,
        *,
        database: Database,
        now: Callable[[], dt.datetime],
        trusted_proxies: Sequence[str],
        limits: Limits,
        public_url: str | None,
        scheduling: Scheduling,
        directory: bool,
        push: Registrar | None,
        in_turn: Callable[[WSGIApplication], WSGIApplication],
        notes: Callable[[Work], None],
    ) -> None:
        super().__init__(configuration)
        self._limits = limits
        self._public_url = public_url
        self._scheduling = scheduling
        self._directory = directory
        self._push = push
        self._database = database
        self._now = now
        self._witness = Witness(database, notes)
        self._porch = Porch(database, now, self._witness)
        self._the_long_way: Callable[[Any, Any], Iterable[bytes]] = in_turn(self._answered)
        self._trusted_proxies = door.networks(trusted_proxies)

    do_GET = _by(_get, _READ)  # noqa: N815 - Radicale's names
    do_PUT = _by(resources.put, _WRITE)  # noqa: N815
    do_DELETE = _by(_delete, _WRITE)  # noqa: N815
    do_COPY = _by(moving.copy, _READ)  # noqa: N815
    do_MOVE = _by(moving.move, _WRITE)  # noqa: N815
    do_MKCALENDAR = _by(collection.make_calendar, _WRITE)  # noqa: N815
    do_MKCOL = _by(collection.make_collection, _WRITE)  # noqa: N815
    do_PROPPATCH = _by(proppatch.answer, _WRITE)  # noqa: N815
    do_PROPFIND = _by(propfind.answer, _READ)  # noqa: N815
    do_REPORT = _by(report.answer, _READ)  # noqa: N815
    do_OPTIONS = _by(_options, "")  # noqa: N815 - before signing in, too: Evolution asks so
    do_POST = _by(post.answer, _READ)  # noqa: N815
    do_ACL = _by(acl.change, _READ)  # noqa: N815

    def __call__(self, environ: Any, start_response: types.WSGIStartResponse) -> Iterable[bytes]:
        request = dict(environ)
        poll = self._porch.poll(request)
        if poll is None:
            return self._the_long_way(request, start_response)
        if (answer := self._porch.answer(poll, request)) is not None:
            environ[READ] = True
            start_response(answer.status, list(answer.headers))
            return [answer.body]
        answered = list(self._the_long_way(request, poll.starting(start_response)))
        self._porch.keep(poll, answered)
        return answered

    def _answered(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        try:
            admitted = door.admit(
                environ, max_content_length=self._max_content_length, trusted_proxies=self._trusted_proxies
            )
            self._require_method(admitted)
        except dav.Refusal as refusal:
            return _sent(refusal.answer, environ, start_response)
        if (answer := self._without_signing_in(admitted)) is not None:
            return _sent(answer, environ, start_response)
        return super().__call__(admitted, start_response)

    def _without_signing_in(self, environ: Any) -> types.WSGIResponse | None:
        """To those who have signed in with the same words before. None: they have to do it again."""
        poll = poll_in(environ)
        if poll is None or poll.known is None:
            return None
        try:
            with self._database.read() as conn:
                return self._recognised(conn, poll, poll.known, environ)
        except _Broken as broken:
            return broken.answer
        except SQLAlchemyError:
            poll.seen = None  # of a snapshot that came to nothing
            return None  # the long way says what is wrong

    def _recognised(self, conn: sa.Connection, poll: Poll, known: Known, environ: Any) -> types.WSGIResponse | None:
        if not self._porch.recognised(conn, poll, known):
            return None
        handler, groups = _POLLED[environ["REQUEST_METHOD"]], auth.groups(known.asked.device, known.asked.key)
        found = None if poll.seen is None else evidence.calendar(conn, known.asked, poll.seen)
        answer = self.respond(
            handler, _READ, environ, known.base, known.path, known.asked.home, groups, snapshot=conn, found=found
        )
        if answer[0] >= client.INTERNAL_SERVER_ERROR:
            raise _Broken(answer)
        return answer

    def _require_method(self, environ: types.WSGIEnviron) -> None:
        """A 405 must say what is allowed (RFC 9110 §15.5.6), and Radicale's does not. Raises dav.Refusal."""
        method = environ["REQUEST_METHOD"].upper()
        if not hasattr(self, f"do_{method}"):
            kind = Place.of(environ["PATH_INFO"]).kind
            allowed = {"Allow": capabilities.allow(kind, push=self._push is not None)}
            raise dav.Refusal(dav.text(client.METHOD_NOT_ALLOWED, "There is no such method.", allowed))

    def respond(
        self,
        handler: _Handler,
        needs: str,
        environ: Any,
        base: str,
        path: str,
        user: str,
        user_groups: set[str],
        snapshot: sa.Connection | None = None,
        found: Calendar | None = None,
    ) -> types.WSGIResponse:
        """Run one of our answers for somebody who may ask for it; what stands in its way becomes a status."""
        place = Place.of(path)
        container = place.calendar if place.slug else place.path
        if place.kind is Kind.ATTACHMENT:
            container = "/"  # everybody's who has an object that refers to it, in whosever home it is kept
        rights = set(self._rights.authorization(user, user_groups, container))
        stranger = bool(needs) and not rights & set(needs)
        if stranger and not user:
            return httputils.NOT_ALLOWED  # Radicale makes it a 401
        try:
            level = self._level(place, user, needs) if stranger else Access.OWNER
            stranger = level is Access.NONE
            if stranger and not (self._directory and place.kind is Kind.HOME and handler in _OF_PEOPLE):
                return dav.need_privileges(dav.url(base, path), "D:read" if needs == _READ else "D:write")
            request = Request(
                environ=environ,
                base=base,
                place=place,
                user=user,
                actor=auth.actor(user, user_groups),
                key=auth.key(user_groups),
                database=self._database,
                now=self._now,
                limits=self._limits,
                public_url=self._public_url,
                writable=bool(rights & set(_WRITE)) or level is Access.WRITE,
                scheduling=self._scheduling,
                directory=self._directory,
                stranger=stranger,
                level=level,
                push=self._push,
                porch=self._porch,
                snapshot=snapshot,
                found=found,
            )
            if place.kind in inbox.KINDS:
                inbox.prepare(request)
            answered = handler(request)
        except dav.Refusal as refusal:
            return refusal.answer
        except ObjectChanged:
            return conditions.PRECONDITION_FAILED
        except OperationalError:
            # a writer that waited too long for its turn: nothing happened, and the device comes again
            return dav.text(client.SERVICE_UNAVAILABLE, "The database is busy.", {"Retry-After": "5"})
        except Exception:
            # Radicale would log the path and what the error says, and either may quote an event
            log.exception("%s failed", environ["REQUEST_METHOD"])
            return dav.text(
                client.INTERNAL_SERVER_ERROR, "The server has an error of its own; its log has the details."
            )
        self._remember(request, user_groups)
        return answered

    def _level(self, place: Place, user: str, needs: str) -> Access:
        """How far somebody may go in another's home, as far as it is enough for what they want there."""
        if place.kind not in _DELEGATED or (needs == _WRITE and place.kind is not Kind.OBJECT):
            return Access.NONE
        with self._database.read() as conn:
            given = delegates.level(conn, place.owner, user)
        return given if may(given, Deed.WRITE if needs == _WRITE else Deed.READ) else Access.NONE

    def _remember(self, request: Request, user_groups: set[str]) -> None:
        """What the device knows now."""
        if (poll := poll_in(request.environ)) is not None:
            poll.told = request.told
        device = auth.device(user_groups)
        if device is not None and (request.told or request.given):
            self._witness.saw(device, request.told, request.given, now=self._now())


def build(
    database: Database,
    *,
    now: Callable[[], dt.datetime],
    max_failures: int = 10,
    block_seconds: int = 300,
    trusted_proxies: Sequence[str] = (),
    limits: Limits = _LIMITS,
    public_url: str | None = None,
    scheduling: Scheduling = _SCHEDULING,
    directory: bool = True,
    push: Registrar | None = None,
    in_turn: Callable[[WSGIApplication], WSGIApplication] = lambda application: application,
    notes: Callable[[Work], None] = at_once,
) -> WSGIApplication:
    """The CalDAV side as a WSGI application (PEP 3333), for any threaded server.

    ``max_failures`` and ``block_seconds`` are ``bridge.services.devices.authenticate``'s. ``trusted_proxies`` are the
    addresses or networks whose X-Forwarded-For and X-Script-Name are believed; UsageError if they are none. ``public_url`` is
    the address under which people reach us, without a slash at its end; None: the one they asked at. With
    ``directory`` people who are signed in find each other's names and addresses. With ``push``
    devices can ask to be told of changes. ``in_turn`` limits how many are answered at a time; what is answered at the door
    (``porch``) takes less than to wait for a turn. ``notes`` says when is written down what devices were told.
    """
    configuration = config.load()
    settings: dict[str, dict[str, Any]] = {
        "server": {
            "max_content_length": max(2 * limits.object_bytes, limits.attachment_bytes + 1),
            "max_resource_size": limits.object_bytes,
            "delay_on_error": 0,
            "validate_user_value": "none",  # names are checked where they are given; paths are database keys
            "validate_path_value": "none",
        },
        "auth": {
            "type": partial(auth.Auth, database=database, now=now),
            "delay": 0,  # Apple waits for it once a connection (D-20); guessing is slowed down by the account's block
            "realm": "Calendar",
            "max_failures": max_failures,
            "block_seconds": block_seconds,
        },
        "rights": {"type": rights.Rights},
        "storage": {"type": _Homes},
        "web": {"type": "none"},
    }
    configuration.update(settings, "caldav-bridge", privileged=True)
    logging.getLogger("radicale").setLevel(logging.WARNING)  # its lines at info cost a tenth of a poll (D-41)
    application: WSGIApplication = Application(
        configuration,
        database=database,
        now=now,
        trusted_proxies=trusted_proxies,
        limits=limits,
        public_url=public_url,
        scheduling=scheduling,
        directory=directory,
        push=push,
        in_turn=in_turn,
        notes=notes,
    )
    return application
