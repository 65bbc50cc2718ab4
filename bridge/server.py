"""The composition root: CalDAV (Radicale) and the web (Flask) behind one WSGI callable, served by Granian.

``serve`` is everything in one command: the web in Granian's process, the sync in a worker process that is started anew
should it die. Both only meet in the database, so the same two can run on many machines (DESIGN §6).
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

import structlog
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from bridge import config
from bridge.cli import main as cli
from bridge.config import Settings
from bridge.errors import UsageError
from bridge.services import addresses, logs, registering, signing
from bridge.services.context import Context, open_context
from bridge.services.principals import RESERVED
from bridge.services.scheduling import Scheduling
from bridge.store import principals
from bridge.web.app import create_app
from bridge.worker import Worker
from radicale_plugins import app as caldav
from radicale_plugins.request import Limits

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger(__name__)

MOST_UNREAD = 1 << 20
"""Bytes of a refused body that are still taken; who sends more finds the connection closed."""

_drains = threading.BoundedSemaphore(2)
"""So many threads may wait for the rest of refused bodies: strangers who dawdle must never hold them all."""

RESTART_PAUSE = 2.0
"""Seconds between the death of a worker process and the start of the next."""


def web_application() -> WSGIApplication:
    """What every web process runs; its settings come from the environment (Granian calls it by name)."""
    settings = config.load()
    logs.configure(settings.log)
    context = open_context(settings)
    dav = caldav.build(
        context.database,
        now=context.now,
        max_failures=settings.security.max_failures,
        block_seconds=settings.security.block_seconds,
        trusted_proxies=settings.security.trusted_proxies,
        limits=Limits(
            attachment_bytes=settings.caldav.attachment_bytes,
            attachments_per_object=settings.caldav.attachments_per_object,
            quota_bytes=settings.caldav.quota_bytes,
        ),
        public_url=settings.server.public_url,
        scheduling=Scheduling.by(settings),
        directory=settings.security.directory,
        push=registering.open_registrar(context),
    )
    return dispatch(create_app(context), dav)


def dispatch(web: WSGIApplication, dav: WSGIApplication) -> WSGIApplication:
    """The CalDAV root is ``/``; the web has the reserved first segments, and what a browser GETs at ``/`` itself."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        first = path.lstrip("/").partition("/")[0]
        is_page = path in ("", "/") and environ["REQUEST_METHOD"] in ("GET", "HEAD")
        answer = (web if is_page or first in RESERVED else dav)(environ, start_response)
        _read_to_the_end(environ)
        return answer

    return application


def _read_to_the_end(environ: WSGIEnvironment) -> None:
    """Take the rest of a body that was refused unread: a closed connection would hide the 401 from who still sends."""
    body = environ.get("wsgi.input")
    left = MOST_UNREAD
    if body is None or not _drains.acquire(blocking=False):
        return
    try:
        while left > 0 and (chunk := body.read(min(left, 1 << 16))):
            left -= len(chunk)
    finally:
        _drains.release()


def main() -> None:
    """The command ``caldav-bridge``."""
    _take_interrupts()
    cli.run(_Processes())


def _take_interrupts() -> None:
    """Let Ctrl-C end this process, which then ends the others, one after another.

    A terminal sends SIGINT to all its processes at once, and Granian's web process hangs when that meets the SIGTERM its
    parent sends. So SIGINT is blocked, which threads and processes started from here on inherit, and one thread waits for
    it and makes it a SIGTERM for the main thread.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until Granian or the worker puts its own
    _block_interrupts()
    threading.Thread(target=_wait_for_interrupts, name="interrupts", daemon=True).start()


def _block_interrupts() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _wait_for_interrupts() -> None:
    main_thread = threading.main_thread().ident
    while main_thread is not None:
        signal.sigwait({signal.SIGINT})
        signal.pthread_kill(main_thread, signal.SIGTERM)


class _Processes:
    """What the commands ``serve``, ``web``, ``worker`` and ``demo`` start."""

    def serve(self, settings: Settings, *, with_worker: bool) -> None:
        serve(settings, with_worker=with_worker)

    def work(self, context: Context, *, until_eof: bool) -> None:
        worker = Worker(context)
        if until_eof:
            threading.Thread(target=_stop_at_eof, args=[worker], daemon=True).start()
        worker.run()


def _stop_at_eof(worker: Worker) -> None:
    sys.stdin.read()
    worker.stop()


def serve(settings: Settings, *, with_worker: bool) -> None:
    """Listen until interrupted. Raises UsageError when data, database or the files of ``[onboarding]`` cannot be used."""
    _require_free(settings.server.host, settings.server.port)
    signing.signer(settings.onboarding)
    signing.root(settings.onboarding)
    context = open_context(settings)  # a bad setting is told here, once, and not by every process
    url = addresses.listening(settings.server.host, settings.server.port)
    addresses.remember(context, url)
    _tell_of_the_unreachable(context)
    context.close()
    os.environ["CALDAV_BRIDGE_DATA"] = str(settings.data)
    multiprocessing.set_start_method("spawn", force=True)  # no fork of a process that has threads
    resource_tracker.ensure_running()  # here and not by Granian, because its start unblocks SIGINT
    _block_interrupts()
    server = Granian(
        "bridge.server:web_application",
        factory=True,
        address=settings.server.host,
        port=settings.server.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=settings.server.web_threads,
        respawn_failed_workers=True,
        log_level=LogLevels.error,  # its warnings are advice on our number of threads
    )
    log.info("listening", url=url, data=str(settings.data))
    if with_worker:
        with _worker_process():
            server.serve()
    else:
        server.serve()


def _tell_of_the_unreachable(context: Context) -> None:
    """Names that became reserved after somebody was called so: their paths are the web's now."""
    with context.database.read() as conn:
        for name in principals.among(conn, RESERVED):
            log.error("nobody reaches the calendars of a person whose name the server needs for itself", person=name)


def _require_free(host: str, port: int) -> None:
    """Granian lets sockets share a port: a second server would take every other request from the first."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what has ended does not count
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(addresses.not_free(host, port, error)) from None


@contextmanager
def _worker_process() -> Iterator[None]:
    """Keep one worker process alive beside this one."""
    ending = threading.Event()
    current: list[subprocess.Popen[bytes]] = []

    def keep_alive() -> None:
        while not ending.is_set():
            # it ends with its standard input, so it does not outlive this process, however that dies
            command = [sys.executable, "-m", "bridge.server", "worker", "--until-eof"]
            process = subprocess.Popen(command, stdin=subprocess.PIPE)
            current[:] = [process]
            code = process.wait()
            # a signal to the whole process group reaches both processes: then this one is ending, too
            if not ending.wait(RESTART_PAUSE):
                log.error("the worker ended and is started again", code=code)

    keeper = threading.Thread(target=keep_alive, name="worker-keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ending.set()
        for process in current:
            process.send_signal(signal.SIGTERM)
        keeper.join(timeout=30)


if __name__ == "__main__":
    main()
